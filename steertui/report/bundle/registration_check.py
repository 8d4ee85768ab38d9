"""Check of a bundle's preregistration against the plans of its database."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from steertui.analysis.declaration import Declaration, read_declaration, readable_plan
from steertui.core.experiment import Experiment
from steertui.report.bundle.check import Check
from steertui.report.registration import file_lines, question_lines
from steertui.stats.rate import Policy
from steertui.store import Store
from steertui.store.setup_queries import count_answers_before
from steertui.units import quantity

TITLE = "preregistration"


@dataclass(frozen=True, slots=True)
class _Registered:
    """The plan that a preregistration names.

    Attributes:
        digest: `Store.plan_digest`.
        time: when the plan was first stored, ISO 8601 in UTC.
        toml: its experiment file.
        declaration: of its experiment, with the newest plan's analysis.
    """

    digest: str
    time: str
    toml: str
    declaration: Declaration


def registration_checks(
    text: str, store: Store, experiments: Sequence[str], policy: Policy, *, is_exact: bool
) -> Iterator[Check]:
    """Yield whether a preregistration names a plan, was there before the answers, and is unchanged.

    The plan's time is that of its first storage: every run stores its plan, also an unchanged one.
    `is_exact` is whether this version of steertui wrote it: another one may have other words.
    """
    found = _named_plan(text, store, experiments)
    if found is None:
        yield Check(TITLE, False, "names no plan of the database")
        return
    stored = f"names plan {found.digest[:12]}…, stored at {found.time}"
    before = count_answers_before(store, found.declaration.experiment, found.time)
    if before:
        late = f"when {quantity(before, 'answer')} had been stored"
        yield Check(TITLE, None, f"{stored}, {late}: for them it is no preregistration")
    else:
        yield Check(TITLE, True, f"{stored}, before the first answer")
    planned = readable_plan(found.toml)
    if planned and planned.analysis != found.declaration.analysis:
        other = "the analysis of the report is not that of this plan; it says when it was planned"
        yield Check(TITLE, None, other)
    if policy is not Policy.PAPER:
        reservation = f"the report's denominator (policy {policy}) is not the registered one"
        yield Check(TITLE, None, f"{reservation} (policy {Policy.PAPER})")
    if is_exact and planned:
        yield from _text_check(text, found, planned, store)


def _named_plan(text: str, store: Store, experiments: Sequence[str]) -> _Registered | None:
    """Return the first plan that the text names; None for none."""
    for named in re.findall(r"[0-9a-f]{64}", text):
        for experiment in experiments:
            for time, toml in store.dated_plans(experiment):
                if store.plan_digest(experiment, toml) == named:
                    declaration = read_declaration(store, experiment)
                    return _Registered(named, time, toml, declaration)
    return None


def _text_check(
    text: str, found: _Registered, planned: Experiment, store: Store
) -> Iterator[Check]:
    """Yield a failed check if experiment, question, dates or file are not those of the plan."""
    declaration = found.declaration
    analysis = planned.analysis
    plans = store.dated_plans(declaration.experiment)
    dated = ((time, readable_plan(toml)) for time, toml in plans)
    times = [time for time, plan in dated if plan and plan.analysis == analysis]
    expected = {
        "the experiment": [f"- experiment: `{declaration.experiment}`"],
        "the experiment file": [*file_lines(found.toml)],
    }
    names = [condition.name for condition in declaration.conditions]
    if {*planned.conditions} == {*names}:  # else its comparisons were those of other conditions
        comparisons = analysis.comparisons(names, declaration.grouped)
        own = replace(declaration, analysis=analysis, comparisons=comparisons)
        expected["the question and analysis"] = [*question_lines(own)]
    wrong = [what for what, lines in expected.items() if "\n".join(lines) not in text]
    if not any(f"- stored with this analysis: {time}" in text for time in times):
        wrong.append("the time at which the analysis was stored")
    if wrong:
        parts = " and ".join(wrong)
        yield Check(TITLE, False, f"{parts} in its text differ from those of the plan it names")
