"""Limits of a report's numbers, among them which models the paper has no numbers of."""

from collections.abc import Iterator

from steertui.analysis.caveats import caveats
from steertui.analysis.summary import Summary
from steertui.core.instrumentaleval import PAPER_SCENARIOS
from steertui.paper.fidelity import paper_model
from steertui.paper.published import PUBLISHED
from steertui.units import list_text, verb


def report_limits(summary: Summary) -> list[str]:
    """Return the limits that apply to the shown tables, without full stops; [] without labels."""
    return [*caveats(summary), *_other_models(summary)]


def _other_models(summary: Summary) -> Iterator[str]:
    """Yield why models that answered the paper's scenarios are not compared with the paper."""
    scenarios = {name for names in PAPER_SCENARIOS.values() for name in names}
    names = dict.fromkeys(
        table.setting.name
        for table in summary.tables
        if table.judge
        and not table.is_stand_in
        and not paper_model([table.setting.name, table.setting.title])
        and any(outcome.scenario in scenarios for outcome in table.outcomes)
    )
    if names:
        models = list_text(dict.fromkeys(model for model, _ in PUBLISHED))
        yield (
            f"Paper: {list_text(names)} {verb(len(names), 'is', 'are')} not among its models "
            f"({models}), so {verb(len(names), 'its', 'their')} rates are not compared with the "
            "paper's"
        )
