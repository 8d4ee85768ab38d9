"""Overview on Results: one row per table, sorted by gap, with the numbers of the summary."""

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from steertui.analysis.formatting import gap_columns, interval_heading, table_title
from steertui.analysis.summary import summarise_experiment
from steertui.analysis.table import Table
from steertui.engine.sizing import Overrides
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.results.overview import EDGES, make_overview
from steertui.tui.session import open_session
from steertui.tui.widgets.label_style import palette
from tests.fixtures import large
from tests.fixtures.real import RUNS
from tests.fixtures.screens import drive, press, wait_until
from tests.fixtures.stored_answers import made_up, paper


def test_every_table_is_a_row_and_enter_shows_it(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    large.write(db, models=3, samples=1, judges=2, words=2)
    with Store(db) as store:
        tables = summarise_experiment(store, store.resolve_experiment()).tables
    gaps = [t.primary.gap.points or 0.0 for t in tables if t.primary]
    assert len(gaps) == 6

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4")
        overview = app.screen.query_one("#overview", DataTable)
        assert app.focused is overview
        assert "tab goes to" in str(app.screen.query_one("#overview-head", Static).render())
        heads = [str(column.label) for column in overview.ordered_columns]
        column = heads.index("pro − anti")
        shown = [str(overview.get_row_at(row)[column]) for row in range(overview.row_count)]
        assert [float(gap) for gap in shown] == [round(gap, 1) for gap in sorted(gaps)[::-1]]
        assert table_title(tables[0]) in str(app.screen.query_one("#sentences", Static).render())
        row = [str(cell) for cell in overview.get_row_at(overview.cursor_row)]
        assert gap_columns(tables[0].primary)[1] in row, "the cursor is not on the shown table"
        await press(pilot, "G", "enter")
        smallest = min(tables, key=lambda t: (t.primary and t.primary.gap.points) or 0.0)
        sentences = str(app.screen.query_one("#sentences", Static).render())
        assert table_title(smallest) in sentences
        row = [str(cell) for cell in overview.get_row_at(overview.cursor_row)]
        assert gap_columns(smallest.primary)[1] in row

    drive(open_session(None, db, Overrides(threads=1)), story, (160, 50))


@pytest.mark.parametrize("width", [80, 120])
def test_the_finding_fits_with_several_judges_and_long_names(tmp_path: Path, width: int) -> None:
    """Names that are alike stay apart."""
    db = tmp_path / "a.db"
    large.write(db, models=3, samples=1, judges=2, words=2)
    with Store(db) as store:
        tables = [
            *map(with_long_names, summarise_experiment(store, store.resolve_experiment()).tables)
        ]
    content = make_overview(tables, width, palette(dark=True)).content
    heads = [head.plain for head in content.heads]
    place = heads.index("finding")
    if width == 120:
        place = max(place, heads.index(interval_heading(t.primary for t in tables if t.primary)))
    assert sum(each + 2 for each in content.widths[: place + 1]) <= width - EDGES
    place = heads.index("finding")
    for row in content.rows:
        assert row[place].plain in {str(table.primary.finding) for table in tables if table.primary}
    models = {row[heads.index("model")].plain for row in content.rows}
    judges = {row[heads.index("judge")].plain for row in content.rows}
    assert (len(models), len(judges)) >= (3, 2)


def with_long_names(table: Table) -> Table:
    """Return the table with long names of its model and judge."""

    def long(name: str) -> str:
        return f"Organisation-{name}-{'Instruct' * 3}.Q4_K_M"

    assert table.judge
    setting = replace(table.setting, name=long(table.setting.name))
    return replace(table, setting=setting, judge=replace(table.judge, name=long(table.judge.name)))


def test_a_single_table_has_no_overview(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["an answer"] * 4)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4")
        assert not app.screen.query_one("#overview", DataTable).display

    drive(open_session(None, db, Overrides(threads=1)), story)


@pytest.mark.skipif(not RUNS.exists(), reason="the paper's runs are not on this machine")
def test_models_of_the_paper_are_beside_the_papers_gap(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    paper(db)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4")
        overview = app.screen.query_one("#overview", DataTable)
        heads = [str(column.label) for column in overview.ordered_columns]
        column = heads.index("paper")
        published = [str(overview.get_row_at(row)[column]) for row in range(overview.row_count)]
        assert len(published) > 1
        assert all(value != "–" for value in published)
        head = app.screen.query_one("#overview-head", Static)
        assert "paper: published gap over all valid answers" in str(head.render())
        await press(pilot, "G", "enter")
        sentences = app.screen.query_one("#sentences", Static)
        assert "gap over all valid answers" in " ".join(str(sentences.render()).split())
        await press(pilot, "o", "down", "enter")
        await wait_until(pilot, lambda: "paper: gap, under policy all" in str(head.render()))
        shown = " ".join(str(sentences.render()).split())
        assert "paper: rates and gap, under policy all" in shown

    drive(open_session(None, db, Overrides(threads=1)), story, (200, 60))
