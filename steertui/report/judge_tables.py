"""Overview of judges as tables for a terminal, and as JSON records."""

from collections.abc import Iterator, Sequence

from steertui.analysis.formatting import kappa_columns, percentage
from steertui.analysis.judge_overview import JudgeOverview, best_judge
from steertui.analysis.judge_worth import worth_sentence
from steertui.core.model import is_stand_in
from steertui.errors import WithRemedy
from steertui.planning.inventory import InventoryRow
from steertui.report.agreement_tables import draw_pair
from steertui.report.record import Record, worth_record
from steertui.report.rich_tables import Grid, Parts, filled_grid, line_text
from steertui.units import size_text

COLUMNS = ("worth", "equal %", "kappa", "95 % interval", "s/label", "$/1000 labels")
"""Columns of the control set, after the judge's name."""


def draw(
    overviews: Sequence[JudgeOverview], candidates: Sequence[InventoryRow], *, detail: bool = False
) -> Parts:
    """Yield the judges side by side, and which to take or to test.

    `candidates` are models that fit this machine, largest first. `detail` adds agreement by label
    and condition.
    """
    yield filled_grid("control set", COLUMNS, [overview_row(overview) for overview in overviews])
    if any(overview.published for overview in overviews):
        yield line_text()
        yield _published(overviews)
    yield line_text()
    for overview in overviews:
        sentence = worth_sentence(overview.judge, overview.worth)
        if sentence:
            yield line_text(f"{sentence}.")
    if detail:
        yield from _details(overviews)
    yield line_text(f"{advice(overviews, candidates)}.", style="bold")


def advice(overviews: Sequence[JudgeOverview], candidates: Sequence[InventoryRow]) -> str:
    """Return which judge to take, or which model to test, without a full stop."""
    best = best_judge(overviews)
    if best:
        return f"Take {best.judge.name}: the best of the usable judges above"
    tested = [overview.judge.name for overview in overviews]
    untested = [c for c in candidates if not any(c.name.split(":")[0] in name for name in tested)]
    local = [c for c in untested if c.cached != "no"] or untested
    none = _none_usable(overviews)
    if not local:
        return WithRemedy(none, "test one behind a server with `steertui judges test`")
    how = "on this machine" if local[0].cached != "no" else f"{size_text(local[0].size)} to fetch"
    return WithRemedy(
        f"{none}; the largest untested model that fits this machine is {local[0].name} ({how})",
        f"test it with `steertui judges test {local[0].name}`",
    )


def _none_usable(overviews: Sequence[JudgeOverview]) -> str:
    """Return that no judge is usable; judges of imported labels can be neither asked nor measured.

    A judge that is not measured is not called unusable.
    """
    others = [overview for overview in overviews if not overview.judge.kind.is_imported]
    if not others:
        return "None of these judges can label other answers"
    judges = "these judges" if len(others) == len(overviews) else "the judges that are not imported"
    is_usable = "is usable" if all(o.worth for o in others) else "is known to be usable"
    return f"None of {judges} {is_usable}"


def overview_records(overviews: Sequence[JudgeOverview]) -> Iterator[Record]:
    """Yield one JSON record per judge; shares are proportions."""
    for overview in overviews:
        published = overview.published
        yield {
            "judge": overview.judge.name,
            "judge_id": overview.judge.id,
            "sentence": worth_sentence(overview.judge, overview.worth),
            "worth": worth_record(overview.worth) if overview.worth else None,
            "published_kappa": published.overall.kappa if published else None,
            "published_kappa_by_condition": (
                {name: a.kappa for name, a in published.by_condition.items()} if published else None
            ),
            "labels": overview.labels,
            "seconds_per_label": overview.seconds,
            "dollars_per_label": overview.dollars,
        }


def overview_row(overview: JudgeOverview) -> tuple[str, ...]:
    """Return the judge's name and the values for `COLUMNS`."""
    seconds = "–" if overview.seconds is None else f"{overview.seconds:.2f}"
    dollars = "–" if overview.dollars is None else f"{1000 * overview.dollars:.2f}"
    worth = overview.worth
    if worth is None:
        standing = "imported" if overview.judge.kind.is_imported else "not measured"
        return overview.judge.name, standing, "–", "–", "", seconds, dollars
    agreement = worth.pair.overall
    equal = percentage(agreement.agreed, agreement.items)
    standing = "scripted" if is_stand_in(overview.judge.title) else worth.words
    return overview.judge.name, standing, equal, *kappa_columns(agreement), seconds, dollars


def _published(overviews: Sequence[JudgeOverview]) -> Grid:
    pairs = [overview.published for overview in overviews if overview.published]
    conditions = dict.fromkeys(name for pair in pairs for name in pair.by_condition)
    columns = ["answers", "kappa", "95 % interval", *(f"kappa {name}" for name in conditions)]
    rows = []
    for overview in overviews:
        if overview.published is None:
            continue
        overall = overview.published.overall
        by_condition = overview.published.by_condition
        own = [kappa_columns(by_condition[c])[0] if c in by_condition else "–" for c in conditions]
        rows.append((overview.judge.name, str(overall.items), *kappa_columns(overall), *own))
    return filled_grid("published labels", columns, rows)


def _details(overviews: Sequence[JudgeOverview]) -> Parts:
    for overview in overviews:
        yield from draw_detail(overview)
    yield line_text()


def draw_detail(overview: JudgeOverview) -> Parts:
    """Yield a judge's agreement with known and published labels, by label and condition."""
    for pair in (overview.worth.pair if overview.worth else None, overview.published):
        if pair:
            yield line_text()
            yield from draw_pair(pair)
