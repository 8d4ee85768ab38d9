"""Tables of the printed report: no number is cut and no name is left out at any width."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from textual.pilot import Pilot
from textual.widgets import Static

from steertui.analysis.summary import summarise_experiment
from steertui.engine.sizing import Overrides
from steertui.report import terminal
from steertui.report.rich_tables import Grid, SideBySide
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.session import open_session
from tests.fixtures import grouped, large
from tests.fixtures.screens import drive, press

WIDTHS = (40, 60, 74, 75, 76, 77, 78, 79, 80)


@pytest.fixture(params=["models", "contest"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a database with several judges or models, or with a contest."""
    db = tmp_path / "a.db"
    if request.param == "models":
        large.write(db, models=3, samples=1, words=4)
    else:
        conditions = grouped.contest_conditions(tmp_path, 3, 3)
        grouped.write(db, conditions, grouped.by_rate(lambda _: 0.5))
    return db


def grids_of(db: Path) -> Iterator[Grid]:
    """Yield all tables of the detailed report."""
    with Store(db) as store:
        summary = summarise_experiment(store, large.experiment_of(db))
        for part in terminal.draw(summary, detail=True):
            if isinstance(part, SideBySide):
                yield from part.grids
            elif isinstance(part, Grid):
                yield part


def lines_at(part: Grid | SideBySide, width: int) -> list[str]:
    """Return the lines of a table at a width."""
    console = Console(file=io.StringIO(), width=width)
    console.print(part)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_table_has_all_numbers_and_names_at_any_width(database: Path, width: int) -> None:
    grids = [*grids_of(database)]
    assert len(grids) > 4
    for grid in grids:
        lines = lines_at(grid, width)
        assert max(map(len, lines)) <= width
        words = " ".join(lines).split()
        for cell in {cell for row in (grid.heads, *grid.rows) for cell in row[1:]}:
            assert " ".join(words).count(" ".join(cell.split())) > 0, (cell, lines)
        text = "".join("".join(lines).split())
        for name in (row[0] for row in grid.rows):
            assert all(part in text for part in name.split() if len(part) <= 8), (name, lines)


def test_tables_side_by_side_go_on_below_where_there_is_no_room() -> None:
    grids = [Grid(("", "a", "b"), (("x", "1", "2"),), f"pro to anti {n}") for n in range(4)]
    for width in (14, 30, 40, 80):
        text = "\n".join(lines_at(SideBySide(tuple(grids)), width))
        assert [text.count(f"pro to anti {n}") for n in range(4)] == [1, 1, 1, 1]


def test_the_report_on_a_small_screen_names_every_category(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    large.write(db, models=1, samples=1, words=4)
    (grid,) = [each for each in grids_of(db) if each.heads[0] == "by category"]

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4", "r", "d")
        text = app.screen.query_one("#report-text", Static)
        lines = [text.render_line(y).text for y in range(text.size.height)]
        starts = [line.split()[0] for line in lines if line.strip()]
        assert "P(gap > 0)" in "\n".join(lines)
        for name in (row[0] for row in grid.rows):
            assert name.split()[0] in starts

    drive(open_session(None, db, Overrides(threads=1)), story, (80, 24))
