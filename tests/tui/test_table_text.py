"""Text of Results: it has every sentence of the report, and says why a panel is empty."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from steertui.analysis.category_rows import category_columns, category_row
from steertui.analysis.caveats import caveats
from steertui.analysis.declaration import declaration_sentences
from steertui.analysis.gap_details import short_sensitivity
from steertui.analysis.model_series import model_series, series_notes, series_rows
from steertui.analysis.primary_gaps import several_settings_sentences
from steertui.analysis.summary import Summary, summarise_experiment
from steertui.engine.sizing import Overrides
from steertui.printable import one_line
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.results.table_text import draw_table_text
from steertui.tui.results.tables import categories_table
from steertui.tui.session import open_session
from steertui.tui.widgets.label_style import ON_DARK
from tests.fixtures import grouped, large
from tests.fixtures.screens import drive, press
from tests.fixtures.sized_models import Made, store_models
from tests.fixtures.stored_answers import made_up

KINDS = ("sizes", "stages", "judges", "doses", "contest")


def write(db: Path, kind: str) -> None:
    """Write a database of one kind."""
    match kind:
        case "sizes":
            sizes = {"a": 10**8, "b": 2 * 10**8, "c": 4 * 10**8}
            store_models(db, {name: Made(n, "x", 12, 20, 5) for name, n in sizes.items()})
        case "stages":
            names = ("m-1B-base", "m-1B-sft", "m-1B-instruct")
            store_models(db, {name: Made(10**9, "x", 12, 20, 5) for name in names})
        case "judges":
            large.write(db, models=2, samples=1, judges=2, words=2)
        case _:
            doses = grouped.dose_conditions(db.parent, -0.4, 0.4)
            conditions = doses if kind == "doses" else grouped.contest_conditions(db.parent, 2, 2)
            grouped.write(db, conditions, grouped.by_rate(lambda c: 0.8 if c.suffix else 0.3), 24)


def sentences(summary: Summary, index: int) -> Iterator[str]:
    """Yield the report's sentences on a table and on all of them."""
    table = summary.tables[index]
    yield from (comparison.sentence for comparison in table.comparisons)
    yield from short_sensitivity(table)
    yield from (warning.text for warning in table.warnings)
    yield from (s for axis in table.groups.axes for s in axis.sentences)
    yield from (v for contest in table.groups.contests for v in contest.verdicts)
    yield from several_settings_sentences(summary.complete, summary.tables)
    for series in model_series(summary):
        yield series.title
        yield from filter(None, series_notes(series))
        yield from (cell for row in series_rows(series) for cell in row[1:])
    yield from (s for d in summary.declarations for s in declaration_sentences(d))
    yield from caveats(summary)


@pytest.mark.parametrize("width", [72, 160])
@pytest.mark.parametrize("kind", KINDS)
def test_every_sentence_of_the_report_is_on_results(tmp_path: Path, kind: str, width: int) -> None:
    db = tmp_path / "a.db"
    write(db, kind)
    with Store(db) as store:
        summary = summarise_experiment(store, store.resolve_experiment())
    assert [*model_series(summary)] or kind not in ("sizes", "stages")
    for index in range(len(summary.tables)):
        drawn = draw_table_text(summary, index, width, ON_DARK).plain
        assert max(map(len, drawn.splitlines())) <= width
        shown = " ".join(drawn.split())
        for sentence in sentences(summary, index):
            assert " ".join(one_line(sentence).split()) in shown


def test_categories_have_the_columns_and_marks_of_the_report(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    large.write(db, models=1, samples=1, words=1)
    with Store(db) as store:
        table = summarise_experiment(store, store.resolve_experiment()).tables[0]
    content = categories_table(table, ON_DARK).content
    heads = [str(head) for head in content.heads]
    assert heads[1:] == [*category_columns(table, table.conditions)]
    assert "p (Holm)" in heads
    rows = [[str(cell) for cell in row] for row in content.rows]
    assert rows == [[*category_row(c, table.conditions)] for c in table.categories]


def headings(app: SteertuiApp) -> dict[str, str]:
    """Return the headings of the panels by widget id."""
    names = ("heat-map", "rates-table", "categories", "changed", "agreement")
    return {n: str(app.screen.query_one(f"#{n}-head", Static).render()) for n in names}


def test_an_empty_panel_says_what_is_missing_and_which_key_gets_it(tmp_path: Path) -> None:
    unjudged, judged = tmp_path / "a.db", tmp_path / "b.db"
    made_up(unjudged, ["an answer"] * 4)
    large.write(judged, models=1, samples=1, judges=1, words=1)

    async def without(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4")
        for name in ("heat-map", "categories", "changed", "agreement"):
            assert "no answer is labelled yet: 8 opens Judges" in headings(app)[name]
        assert "enter opens" in headings(app)["rates-table"]

    async def with_one(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4")
        assert "only one judge labelled these answers: 8 opens" in headings(app)["agreement"]
        assert "enter compares" in headings(app)["changed"]

    drive(open_session(None, unjudged, Overrides(threads=1)), without)
    drive(open_session(None, judged, Overrides(threads=1)), with_one)


def test_warnings_name_the_fields_of_the_screens(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    large.write(db, models=1, samples=1, words=2)
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("UPDATE generations SET stop = 'length'")
    with Store(db) as store:
        summary = summarise_experiment(store, store.resolve_experiment())
    assert "raise the maximum tokens" in draw_table_text(summary, 0, 200, ON_DARK).plain
