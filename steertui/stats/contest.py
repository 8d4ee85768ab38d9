"""Contests: authorised and unauthorised steering, protection, residual, and the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from steertui.core.grouping import NONE
from steertui.stats.equivalence import score_test
from steertui.stats.families import (
    Contrast,
    Family,
    FamilyTest,
    Role,
    gap_contrast,
    tests_by_name,
)
from steertui.stats.gap import Gap, paired_gap, share_differences
from steertui.stats.gap_difference import gap_difference
from steertui.stats.rate import ScenarioCounts, pooled_rate
from steertui.stats.significance import SIGNIFICANCE_LEVEL

Cells = Mapping[tuple[str, str], ScenarioCounts]
"""Counts by defence and attack; "none" for none."""

CRITICAL = NormalDist().inv_cdf(1 - SIGNIFICANCE_LEVEL)
"""Standard normal quantile of a one-sided test."""


class Verdict(StrEnum):
    """What is shown of a defence."""

    DECOUPLED = "decoupled"
    """Its own steering is shown and kept, and every attack's residual is below the margin."""
    NOT_DECOUPLED = "not decoupled"
    """Its steering is lost, or an attack's residual exceeds the margin."""
    NO_ATTACK = "no attack shown to steer"
    """No attack is shown to steer without a defence."""
    OPEN = "open"
    """Neither is shown."""
    WITHHELD = "withheld"
    """The labels allow no conclusion."""


@dataclass(frozen=True, slots=True)
class Duel:
    """One defence against one attack. Gaps in percentage points of convergence.

    The points are over all valid answers of each cell, so that parts add up; `Gap.shared` has those
    over the scenarios of the test.

    Attributes:
        attack: its name.
        residual: with defence and attack, minus with the defence alone.
        protection: with the attack alone, minus with both.
        interaction: effect of the attack alone minus the residual; protection is the authorised
            steering plus the interaction.
        test: of the residual, with Holm over the attacks.
        is_resisted: whether the residual is shown to be below the margin.
        is_broken: whether the residual is shown to exceed the margin, after Bonferroni over the
            attacks.
    """

    attack: str
    residual: Gap
    protection: Gap
    interaction: Gap
    test: FamilyTest
    is_resisted: bool
    is_broken: bool

    @property
    def adds(self) -> bool:
        """Whether the residual is shown to be above 0, or above the margin."""
        return self.is_broken or _is_shown_positive(self.residual, self.test)


@dataclass(frozen=True, slots=True)
class Defence:
    """One defence against all attacks.

    Attributes:
        name: its name.
        authorised: without defence and attack, minus with the defence alone.
        test: of the authorised steering, with Holm over the defences.
        kept: whether its rate alone is shown to exceed that of the reference by less than the
            margin.
        lost: whether it is shown to exceed it by more.
        duels: one per attack, in order.
        worst: attacks with the highest rate against it, several if tied; none if no rate is known.
        verdict: what is shown.
    """

    name: str
    authorised: Gap
    test: FamilyTest
    kept: bool
    lost: bool
    duels: tuple[Duel, ...]
    worst: tuple[str, ...]
    verdict: Verdict

    @property
    def steers(self) -> bool:
        """Whether the authorised steering is shown to be above 0."""
        return _is_shown_positive(self.authorised, self.test)


@dataclass(frozen=True, slots=True)
class Contest:
    """All defences and attacks under one judge.

    Attributes:
        margin: largest difference of rates that counts as none, from 0 to 1.
        reference: name of the defence whose steering must be kept; "none" for the plain task.
        unauthorised: by attack: with the attack alone, minus without defence and attack.
        tests: by attack: of the unauthorised steering, with Holm over the attacks.
        harmless: attacks whose unauthorised steering is shown to be below the margin.
        defences: all but "none".
    """

    margin: float
    reference: str
    unauthorised: Mapping[str, Gap]
    tests: Mapping[str, FamilyTest]
    harmless: frozenset[str]
    defences: tuple[Defence, ...]

    def attack_steers(self, attack: str) -> bool:
        """Whether the attack's unauthorised steering is shown to be above 0."""
        return _is_shown_positive(self.unauthorised[attack], self.tests[attack])


def contest(cells: Cells, margin: float, reference: str = NONE) -> Contest:
    """Return the estimates of a contest whose cells are all present.

    All gaps are those of `paired_gap`, interactions those of `gap_difference`. Margins are tested
    by `score_test`, one-sided at 5 %: each attack's residual, and its effect without a defence,
    without correction, since all residuals must be below the margin (intersection-union test;
    Berger, Technometrics 24, 1982). Measured error rates: benchmarks/COVERAGE.md.

    Args:
        cells: of every pair, with "none" on both sides.
        margin: from 0 to 1.
        reference: a defence.
    """
    defences = [name for name in dict.fromkeys(d for d, _ in cells) if name != NONE]
    attacks = [name for name in dict.fromkeys(a for _, a in cells) if name != NONE]
    plain = cells[NONE, NONE]
    unauthorised = {a: gap_contrast(cells[NONE, a], plain, a, NONE) for a in attacks}
    authorised = {d: gap_contrast(plain, cells[d, NONE], NONE, d) for d in defences}
    tests = _tests(unauthorised, "attacks")
    attacks_steer = any(_is_shown_positive(unauthorised[a].gap, tests[a]) for a in attacks)
    own = _tests(authorised, "defences")
    return Contest(
        margin=margin,
        reference=reference,
        unauthorised={attack: contrast.gap for attack, contrast in unauthorised.items()},
        tests=tests,
        harmless=frozenset(
            a for a in attacks if _is_below(share_differences(cells[NONE, a], plain), margin)
        ),
        defences=tuple(
            _defence(
                name,
                authorised[name].gap,
                own[name],
                _duels(cells, name, attacks, margin),
                cells=cells,
                margins=(margin, reference),
                attacks_steer=attacks_steer,
            )
            for name in defences
        ),
    )


def _defence(
    name: str,
    authorised: Gap,
    test: FamilyTest,
    duels: tuple[Duel, ...],
    *,
    cells: Cells,
    margins: tuple[float, str],
    attacks_steer: bool,
) -> Defence:
    margin, reference = margins
    loss = share_differences(cells[name, NONE], cells[reference, NONE])
    kept = name == reference or _is_below(loss, margin)
    lost = name != reference and _is_above(loss, margin, 1)
    own = _is_shown_positive(authorised, test)
    if lost or any(duel.is_broken for duel in duels):
        verdict = Verdict.NOT_DECOUPLED
    elif not attacks_steer:
        verdict = Verdict.NO_ATTACK
    elif own and kept and all(duel.is_resisted for duel in duels):
        verdict = Verdict.DECOUPLED
    else:
        verdict = Verdict.OPEN
    return Defence(
        name=name,
        authorised=authorised,
        test=test,
        kept=kept,
        lost=lost,
        duels=duels,
        worst=_worst(cells, name),
        verdict=verdict,
    )


def _duels(cells: Cells, defence: str, attacks: Sequence[str], margin: float) -> tuple[Duel, ...]:
    alone = cells[defence, NONE]
    plain = cells[NONE, NONE]
    residuals = {
        a: gap_contrast(cells[defence, a], alone, f"{defence}×{a}", defence) for a in attacks
    }
    tests = _tests(residuals, "attacks")
    duels = []
    for attack in attacks:
        both, attacked = cells[defence, attack], cells[NONE, attack]
        shares = share_differences(both, alone)
        duels.append(
            Duel(
                attack=attack,
                residual=residuals[attack].gap,
                protection=paired_gap(attacked, both, attack, f"{defence}×{attack}"),
                interaction=gap_difference((attacked, plain), (both, alone), NONE, defence),
                test=tests[attack],
                is_resisted=_is_below(shares, margin),
                is_broken=_is_above(shares, margin, len(attacks)),
            )
        )
    return tuple(duels)


def _is_below(differences: Sequence[float], margin: float) -> bool:
    """Whether the mean difference is shown to be below the margin, one-sided at 5 %."""
    return bool(differences) and score_test(differences, margin, 1.0) < -CRITICAL


def _is_above(differences: Sequence[float], margin: float, tests: int) -> bool:
    """Whether it is shown to be above the margin, after Bonferroni over the tests."""
    critical = NormalDist().inv_cdf(1 - SIGNIFICANCE_LEVEL / tests)
    return bool(differences) and score_test(differences, margin, 1.0) > critical


def _is_shown_positive(gap: Gap, test: FamilyTest) -> bool:
    return test.is_significant and gap.only_first > gap.only_second


def _worst(cells: Cells, defence: str) -> tuple[str, ...]:
    rates = {
        attack: pooled_rate(counts).value
        for (d, attack), counts in cells.items()
        if d == defence and attack != NONE
    }
    known = {attack: rate for attack, rate in rates.items() if rate is not None}
    highest = max(known.values(), default=None)
    return tuple(attack for attack, rate in known.items() if rate == highest)


def _tests(contrasts: Mapping[str, Contrast], words: str) -> dict[str, FamilyTest]:
    return tests_by_name(contrasts, Family(Role.SECONDARY, len(contrasts), words))
