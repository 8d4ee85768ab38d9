"""JSON form of dose axes and contests: rates as proportions, gaps and slopes in points."""

from dataclasses import asdict

from steertui.analysis.coherence_costs import CostMatch
from steertui.analysis.contest_results import ContestResult
from steertui.analysis.dose_results import AxisResult
from steertui.analysis.groups import Groups
from steertui.analysis.over_refusal import OverRefusal
from steertui.stats.contest import Defence
from steertui.stats.dose import DosePoint
from steertui.stats.families import FamilyTest
from steertui.stats.gap import Gap
from steertui.stats.rate import Rate
from steertui.stats.sensitivity import Sensitivity
from steertui.stats.slope import Slope

Record = dict[str, object]


def axis_record(axis: AxisResult, groups: Groups) -> Record:
    """Return a dose axis of the groups of a table."""
    return {
        "name": axis.name,
        "unit": str(axis.unit),
        "scenarios": axis.scenarios,
        "max_nonsense": axis.curve.limits.nonsense,
        "max_repetition": axis.curve.limits.repetition,
        "max_loss": axis.curve.limits.loss,
        "points": list(map(_point_record, axis.curve.points)),
        "slope": _slope_record(axis.curve.slope),
        "coherent_slope": _slope_record(axis.curve.coherent_slope),
        "best": {"up": _best(axis, 1), "down": _best(axis, -1)},
        "matches": [
            {
                "condition": match.condition,
                "effect": tested_record(match.effect, match.test),
                "adjusted": match.test.p,
                "matched": asdict(match.matched) if match.matched else None,
                "cost": _cost_record(match.cost) if match.cost else None,
            }
            for match in axis.matches
        ],
        "left_out": [
            {
                "line": left.line,
                "effect": tested_record(left.effect, left.test),
                "adjusted": left.test.p,
            }
            for left in axis.left_out
        ],
        "sentences": list(axis.sentences),
        "sensitivity": _checks(groups, axis.name),
    }


def _checks(groups: Groups, name: str) -> list[Record]:
    """Return the tested gaps of an axis or a contest under other choices."""
    return [
        {"gap": check.title, **sensitivity_record(check.sensitivity)}
        for check in groups.checks.get(name, ())
    ]


def sensitivity_record(check: Sensitivity) -> Record:
    """Return a gap under other choices, percentage points."""
    return {
        "marginal": _limits_record(check.marginal),
        "shared": _limits_record(check.shared),
        "policies": {
            str(name): _limits_record(gap) | {"p_holm": check.p_values[name]}
            for name, gap in check.policies.items()
        },
        "worst_case": asdict(check.worst_case) if check.worst_case else None,
        "is_material": check.is_material,
    }


def _limits_record(gap: Gap) -> Record:
    names = ("points", "low", "high", "pairs", "p")
    return {name: getattr(gap, name) for name in names}


def _cost_record(cost: CostMatch) -> Record:
    return {
        "loss": asdict(cost.loss),
        "adjusted": cost.p,
        "matched": [asdict(found) for found in cost.matched],
    }


def _slope_record(slope: Slope | None) -> Record | None:
    return asdict(slope) | {"opposite": rate_record(slope.opposite)} if slope else None


def _best(axis: AxisResult, sign: int) -> float | None:
    point = axis.curve.best(sign)
    return point.dose if point else None


def _point_record(point: DosePoint) -> Record:
    return {
        "dose": point.dose,
        "condition": point.condition,
        "convergence": rate_record(point.rate),
        "nonsense": rate_record(point.nonsense),
        "effect": tested_record(point.effect, point.test) if point.effect and point.test else None,
        "p_holm": point.test.p if point.test else None,
        "is_coherent": point.is_coherent,
        "exceeded": list(map(str, point.exceeded)),
        "repetition": point.means.repetition,
        "loglik": point.means.loglik,
    }


def contest_record(result: ContestResult, groups: Groups) -> Record:
    """Return a contest: sides with their access, cells, effects of attacks, and defences."""
    estimates = result.estimates
    return {
        "name": result.sides.contest,
        "margin": 100 * estimates.margin,
        "reference": estimates.reference,
        "scenarios": result.scenarios,
        "defences": {name: list(access) for name, access in result.sides.defences.items()},
        "attacks": {name: list(access) for name, access in result.sides.attacks.items()},
        "cells": [
            {
                "defence": defence,
                "attack": attack,
                "convergence": rate_record(rate),
                "mark": str(result.marks[defence, attack]),
            }
            for (defence, attack), rate in result.rates.items()
        ],
        "unauthorised": [
            {
                "attack": attack,
                "effect": tested_record(gap, estimates.tests[attack]),
                "p_holm": estimates.tests[attack].p,
            }
            for attack, gap in estimates.unauthorised.items()
        ],
        "results": [_defence_record(result, defence) for defence in estimates.defences],
        "sentences": list(result.sentences),
        "sensitivity": _checks(groups, result.sides.contest),
    }


def _defence_record(result: ContestResult, defence: Defence) -> Record:
    return {
        "defence": defence.name,
        "authorised": tested_record(defence.authorised, defence.test),
        "p_holm": defence.test.p,
        "kept": defence.kept,
        "lost": defence.lost,
        "worst": list(defence.worst),
        "verdict": str(defence.verdict),
        "refusals": _refusals(result.refusals, defence.name),
        "refusals_p_holm": result.refusals.tests[defence.name].p,
        "attacks": [
            {
                "attack": duel.attack,
                "residual": tested_record(duel.residual, duel.test),
                "protection": _untested_record(duel.protection),
                "interaction": _untested_record(duel.interaction),
                "residual_p_holm": duel.test.p,
                "is_resisted": duel.is_resisted,
                "is_broken": duel.is_broken,
            }
            for duel in defence.duels
        ],
    }


def refusals_record(result: OverRefusal) -> Record:
    """Return the refusals under the defences of a contest of which only some cells are planned."""
    return {
        "contest": result.contest,
        "rates": {name: rate_record(rate) for name, rate in result.rates.items()},
        "results": [
            {"defence": name, "refusals": _refusals(result, name), "p_holm": test.p}
            for name, test in result.tests.items()
        ],
        "sentences": list(result.sentences),
    }


def _refusals(result: OverRefusal, defence: str) -> Record:
    return tested_record(result.gaps[defence], result.tests[defence])


def tested_record(gap: Gap, test: FamilyTest) -> Record:
    """Return a gap with the limits of its test, at the level of its family."""
    limits = {"test_level": test.level, "test_low": test.low, "test_high": test.high}
    return asdict(gap) | limits


def _untested_record(gap: Gap) -> Record:
    """Return a gap with its single 95 % limits, without the p value, which is not used."""
    return {name: value for name, value in asdict(gap).items() if name != "p"}


def rate_record(rate: Rate) -> Record:
    """Return a rate with its value."""
    return {"value": rate.value, **asdict(rate)}
