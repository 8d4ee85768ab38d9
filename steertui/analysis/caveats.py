"""What the numbers of a report do not say: the limits that apply to it, one line each."""

from collections.abc import Iterator

from steertui.analysis.scenario_design import design_sentence, scenario_designs
from steertui.analysis.sentences import Finding
from steertui.analysis.summary import Summary

HEADING = "What these numbers do not say"

MAX_REPEATED = 6
"""Pairs of conditions with equal prompts that a line names."""

MORE = "docs/limits.md of steertui explains each"


def caveats(summary: Summary) -> list[str]:
    """Return the limits that apply to the shown tables, without full stops; [] without labels."""
    if not any(table.judge for table in summary.tables):
        return []
    return [*_sample(summary), *_labels(summary), *_conclusions(summary)]


def _sample(summary: Summary) -> Iterator[str]:
    scenarios = {o.scenario for table in summary.tables for o in table.outcomes}
    designs = scenario_designs(summary.tables)
    if any(declaration.limit for declaration in summary.declarations):
        yield (
            f"Scenarios: the limit took the first {len(scenarios)} in turn from the categories, "
            "no random sample; the intervals are about scenarios like these"
        )
    else:
        these = f"these {len(scenarios)}" if not designs else "those of each condition"
        yield (
            f"Scenarios: intervals are about scenarios like {these}, not about other kinds of tasks"
        )
    if designs:
        compared = "models" if all(d.is_complete for d in designs) else "conditions or models"
        yield (
            f"{design_sentence(designs)}; rates of two {compared} can differ because their "
            "scenarios differ"
        )
    if any(arm.gap.over for table in summary.tables for arm in table.arms):
        yield (
            "Wordings: intervals between arms are about wordings like these, all others about "
            "these very texts"
        )
    else:
        yield "Wordings: each condition is one text or setting; other wordings can give another gap"


def _labels(summary: Summary) -> Iterator[str]:
    yield "Judges: only corrected rates include a judge's errors; other judges can find other gaps"
    if any(table.setting.temperature == 0 for table in summary.tables):
        yield (
            "Greedy decoding: at temperature 0 a prompt has one answer, apart from changes by the "
            "batch in which it is computed (deterministic decoding prevents them for local "
            "models); sampled rates can differ"
        )
        yield from _repeated(summary)


def _repeated(summary: Summary) -> Iterator[str]:
    """Yield a sentence on conditions with equal prompts whose answers differ, if there are any."""
    several = len(summary.tables) > 1
    found = dict.fromkeys(
        f"{each.first} and {each.second} {each.unequal} of {each.answers}"
        f"{f' on {table.setting.name}' if several else ''}"
        for table in summary.tables
        for each in table.repeated
        if each.unequal
    )
    if found:
        shown = [*found][:MAX_REPEATED]
        more = f"; and {len(found) - len(shown)} more pairs" if len(found) > len(shown) else ""
        yield (
            "Equal prompts: some conditions have equal prompts and steering under two names, and "
            f"different answers to some scenarios: {'; '.join(shown)}{more}"
        )


def _conclusions(summary: Summary) -> Iterator[str]:
    findings = [c.finding for table in summary.tables for c in table.comparisons]
    if Finding.NOT_SHOWN in findings:
        yield (
            "No difference shown is not equality: the interval contains the differences that the "
            "data do not exclude"
        )
