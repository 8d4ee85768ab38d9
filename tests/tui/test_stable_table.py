"""Tables: every drawn cell is its value after any number of switches, and the cursor stays."""

import asyncio
from pathlib import Path

import pytest
from rich.text import Text
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import DataTable

from steertui.core.experiment import Experiment
from steertui.engine.sizing import Overrides
from steertui.tui.app import SteertuiApp
from steertui.tui.results.tables import MAX_CHANGED
from steertui.tui.session import Session, open_session
from steertui.tui.widgets.stable_table import StableTable, make_content
from tests.fixtures import large
from tests.fixtures.busy import busy_thread
from tests.fixtures.screens import drive, press, wait_idle

SIZES = ((80, 24), (100, 30), (120, 40), (200, 60), (250, 70))
KEYS = "424614385476"


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "a.db"
    large.write(path, models=2, samples=1, words=4)
    return path


def expected_line(cells: list[Text], heads: list[Text]) -> str:
    """Return a drawn row: cells padded to the widest of their column, and a space around each."""
    parts = []
    for cell, head in zip(cells, heads, strict=True):
        side = str.rjust if cell.justify == "right" else str.ljust
        parts.append(f" {side(cell.plain, head.cell_len)} ")
    return "".join(parts)


def check_tables(app: SteertuiApp) -> int:
    """Fail if a drawn row differs from its cells; return the number of rows compared."""
    compared = 0
    for table in app.screen.query(DataTable):
        if not table.display or not table.row_count:
            continue
        rows = [list(map(_text, table.get_row_at(y))) for y in range(table.row_count)]
        heads = [_text(column.label) for column in table.ordered_columns]
        columns = zip(heads, *rows, strict=True)
        widths = [Text(" " * max(c.cell_len for c in column)) for column in columns]
        top = table.scroll_offset.y
        last = table.scrollable_content_region.height - table.header_height
        for y, cells in enumerate(rows[top : top + last]):
            drawn = table.render_line(y + table.header_height).text
            expected = expected_line(cells, widths)
            width = table.scrollable_content_region.width
            assert drawn[:width].rstrip() == expected[:width].rstrip(), table.id
            compared += 1
    return compared


def _text(cell: object) -> Text:
    return cell if isinstance(cell, Text) else Text(str(cell))


async def draw_at_every_chance(app: SteertuiApp, times: int) -> None:
    """Draw the tables after every step of the event loop, as a slow terminal may."""
    for _ in range(times):
        await asyncio.sleep(0)
        for table in app.screen.query(DataTable):
            for y in range(min(table.row_count, 3) and 4):
                table.render_line(y)


def switch(db: Path, size: tuple[int, int], times: int) -> None:
    """Press the screens' keys under load and draw meanwhile; compare the tables."""
    compared = 0

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        nonlocal compared
        await wait_idle(pilot)
        for turn in range(times):
            pilot.app.simulate_key(KEYS[turn % len(KEYS)])
            await draw_at_every_chance(app, 100)
            if turn % 7 == 0:
                await wait_idle(pilot)
                compared += check_tables(app)
        for key in "46":
            await press(pilot, key)
            compared += check_tables(app)

    with busy_thread():
        drive(open_session(None, db, Overrides(threads=1)), story, size)
    assert compared > times


def test_tables_are_whole_after_switches_under_load(db: Path) -> None:
    switch(db, (120, 40), 40)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_tables_are_whole_after_100_switches_at_every_size(db: Path, size: tuple[int, int]) -> None:
    switch(db, size, 100)


def test_the_cursor_of_every_table_stays_when_the_screen_is_shown_again(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        for key, name in (("4", "changed"), ("6", "models")):
            await press(pilot, key)
            table = app.screen.query_one(f"#{name}", DataTable)
            table.focus()
            table.move_cursor(row=5)
            await press(pilot, "3", key)
            assert table.cursor_row == 5, name
            assert app.focused is table

    drive(open_session(None, db, Overrides(threads=1)), story)


def test_a_filled_table_has_lines_for_its_rows_in_the_very_next_layout() -> None:
    content = make_content(["name", "n"], [["first", "10"], ["second", "200"]])

    class OneTable(App[None]):
        def compose(self) -> ComposeResult:
            yield StableTable(id="a")

    async def story() -> None:
        app = OneTable()
        async with app.run_test() as pilot:
            await pilot.pause()
            table = app.query_one(StableTable)
            table.fill(content)  # nothing is awaited, so that the table is not idle
            assert table.get_content_height(app.size, app.size, 80) == 3
            assert table.get_content_width(app.size, app.size) == len(" second  200 ")

    asyncio.run(story())


def test_a_table_of_changed_labels_says_how_many_it_leaves_out(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    large.write(path, models=1, samples=12, words=2)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4")
        head = str(app.screen.query_one("#changed-head").render())
        assert f"the first {MAX_CHANGED} of " in head

    drive(open_session(None, path, Overrides(threads=1)), story)


@pytest.mark.parametrize("screen", ["4", "6", "7", "8"])
def test_keys_that_move_the_cursor_of_an_empty_table_do_nothing(
    tmp_path: Path, screen: str
) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, screen)
        for key in ("up", "down", "G", "up", "g", "pageup", "pagedown", "home", "end", "j", "k"):
            await press(pilot, key)
        assert app.is_running
        tables = app.screen.query(StableTable)
        assert all(min(table.cursor_coordinate) >= 0 for table in tables)

    drive(Session(tmp_path / "a.db", Experiment()), story)
