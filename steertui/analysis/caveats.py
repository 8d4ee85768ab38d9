"""What the numbers of a report do not say: the limits that apply to it, one line each."""

from collections.abc import Iterator

from steertui.analysis.scenario_design import design_sentence, scenario_designs
from steertui.analysis.sentences import Finding
from steertui.analysis.summary import Summary

HEADING = "What these numbers do not say"

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
            f"Scenarios: --limit took the first {len(scenarios)} in turn from the categories, no "
            "random sample; the intervals are about scenarios like these"
        )
    else:
        these = f"these {len(scenarios)}" if not designs else "those of each condition"
        yield (
            f"Scenarios: intervals are about scenarios like {these}, not about other kinds of tasks"
        )
    if designs:
        yield (
            f"{design_sentence(designs)}; rates of two conditions or models can differ because "
            "their scenarios differ"
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
    temperatures = {table.setting.temperature for table in summary.tables}
    if 0.0 in temperatures:
        yield "Greedy decoding: at temperature 0 a prompt has one answer; sampled rates can differ"


def _conclusions(summary: Summary) -> Iterator[str]:
    findings = [c.finding for table in summary.tables for c in table.comparisons]
    if Finding.NOT_SHOWN in findings:
        yield (
            "No difference shown is not equality: the interval contains the differences that the "
            "data do not exclude"
        )
