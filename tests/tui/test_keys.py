"""Keys: each one that help, footer or palette names reaches its action on every screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.app import SystemCommand
from textual.binding import Binding
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen
from textual.widgets import Markdown
from textual.widgets._footer import FooterKey  # the package exports no name for it

from steertui.engine.sizing import Overrides
from steertui.tui.app import SteertuiApp
from steertui.tui.help_screen import HelpScreen, named_bindings
from steertui.tui.read.compare_screen import CompareScreen
from steertui.tui.read.read_screen import ReadScreen
from steertui.tui.read.trial_list import TrialList
from steertui.tui.results.results_screen import ResultsScreen
from steertui.tui.run.matrix import Matrix
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.session import Session, open_session
from steertui.tui.widgets.choose_one import ChooseOne
from steertui.tui.widgets.key_line import KeyLine
from steertui.tui.widgets.moves import MoveScroll
from steertui.tui.widgets.page import PAGES
from tests.fixtures import large
from tests.fixtures.dialogs import DIALOGS
from tests.fixtures.frames import frame, lines_of
from tests.fixtures.recording_app import SCREENS, Recording
from tests.fixtures.screens import Story, drive, press, wait_idle, wait_until

GO_LINKS = [f"app.go('{page}')" for page in PAGES]
"""Actions of the navigation bar."""


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "a.db"
    large.write(path, models=2, samples=1, words=4)
    return path


def drive_stored(db: Path, story: Story) -> None:
    drive(open_session(None, db, Overrides(threads=1)), story, app_class=Recording)


async def show(pilot: Pilot[None], app: SteertuiApp, keys: str) -> Screen[Any]:
    """Show a screen with the focus of its first visit."""
    await press(pilot, *keys.split())
    return app.screen


@pytest.mark.parametrize("name", SCREENS)
def test_every_named_key_runs_its_action(name: str, db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        assert isinstance(app, Recording)
        await wait_idle(pilot)
        screen = await show(pilot, app, SCREENS[name])
        app.runs_actions = False
        for active in named_bindings(screen):
            app.actions.clear()
            await pilot.press(active.binding.key)
            assert active.binding.action in app.actions, (name, active.binding)

    drive_stored(db, story)


@pytest.mark.parametrize("name", [name for name in SCREENS if name != "search"])
def test_help_and_palette_name_the_keys_of_the_footer_and_no_others(name: str, db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = await show(pilot, app, SCREENS[name])
        named = {active.binding.description for active in named_bindings(screen)}
        in_footer = {
            active.binding.description
            for active in screen.active_bindings.values()
            if active.binding.show and active.enabled
        }
        assert in_footer <= named
        commands = {command.title for command in palette_of(app, screen)}
        assert named <= commands
        await press(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        shown = app.screen.query_one(Markdown).source
        assert {name for name in named if name not in shown} == set()

    drive_stored(db, story)


@pytest.mark.parametrize("name", SCREENS)
def test_a_click_on_each_link_and_key_runs_its_action(name: str, db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        assert isinstance(app, Recording)
        await wait_idle(pilot)
        await show(pilot, app, SCREENS[name])
        app.runs_actions = False
        clicked = links_of(app)
        assert set(GO_LINKS) <= set(clicked)
        for action, place in clicked.items():
            await runs_an_action_on_click(pilot, app, place, action)
        for key in app.screen.query(FooterKey):
            await runs_an_action_on_click(pilot, app, key.region.offset + Offset(1), key.action)
        assert "Maximize" not in [command.title for command in palette_of(app, app.screen)]

    drive_stored(db, story)


def links_of(app: SteertuiApp) -> dict[str, Offset]:
    """Return the first cell of each link on the screen, by its action."""
    links: dict[str, Offset] = {}
    for y, line in enumerate(lines_of(app)):
        x = 0
        for segment in line:
            action = segment.style and segment.style.meta.get("@click")
            if action:
                links.setdefault(str(action), Offset(x, y))
            x += segment.cell_length
    return links


async def runs_an_action_on_click(
    pilot: Pilot[None], app: Recording, place: Offset, action: str
) -> None:
    app.actions.clear()
    await pilot.click(offset=place)
    await wait_idle(pilot)
    assert app.actions, f"no action of {action} at {place} of:\n{frame(app)[0]}"


@pytest.mark.parametrize("kind", DIALOGS)
def test_every_key_of_a_dialog_does_what_it_says(kind: str, tmp_path: Path) -> None:
    make, results = DIALOGS[kind]
    taken: list[object] = []

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        assert isinstance(app, Recording)
        for key, result in results.items():
            dialog = make(tmp_path)
            app.push_screen(dialog, taken.append)
            await wait_idle(pilot)
            await names_its_keys_as_the_key_bar(pilot, app, dialog)
            titles = [command.title for command in palette_of(app, dialog)]
            assert "Run the demo" not in titles  # it would change what the answer is for
            await press(pilot, key)
            assert taken.pop() == result, key
            assert app.screen is not dialog

    drive(Session(tmp_path / "a.db"), story, app_class=Recording)


async def names_its_keys_as_the_key_bar(
    pilot: Pilot[None], app: Recording, dialog: ModalScreen[Any]
) -> None:
    """Check that each key named by a dialog's line, key bar and tooltips runs its action."""
    app.runs_actions = False
    in_bar = {key.key_display: key.action for key in dialog.query(FooterKey)}
    for line in dialog.query(KeyLine):
        assert set(in_bar) <= {app.get_key_display(Binding(key, "")) for key, _ in line.keys}
        for key, _ in line.keys:
            app.actions.clear()
            await pilot.press(key)
            assert app.actions, key
    for action, place in links_of(app).items():
        await runs_an_action_on_click(pilot, app, place, action)
    for active in named_bindings(dialog):
        app.actions.clear()
        await pilot.press(active.binding.key)
        assert active.binding.action in app.actions, active.binding
    app.runs_actions = True


def palette_of(app: SteertuiApp, screen: Screen[Any]) -> list[SystemCommand]:
    return list(app.get_system_commands(screen))


def test_enter_runs_the_demo_at_the_first_start(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        assert isinstance(app, Recording)
        await wait_idle(pilot)
        app.runs_actions = False
        await pilot.press("enter")
        assert app.actions == ["first_demo"]

    drive(Session(tmp_path / "a.db"), story, app_class=Recording)


def test_help_has_the_heading_of_its_screen(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        for keys, heading in ((("3", "b"), "# Side by side"), (("escape", "0"), "# Start")):
            await press(pilot, *keys, "question_mark")
            assert app.screen.query_one(Markdown).source.startswith(heading)
            await press(pilot, "escape")

    drive_stored(db, story)


def test_j_k_g_and_G_move_in_lists_tables_and_texts(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3", "j", "j", "k")
        trials = app.screen.query_one(TrialList)
        assert trials.cursor == 1
        await press(pilot, "G")
        assert trials.cursor == len(trials) - 1
        await press(pilot, "g", "g")
        assert trials.cursor == 0
        await press(pilot, "n", "n", "N")
        assert trials.cursor == 1
        await press(pilot, "2", "g")
        matrix = app.screen.query_one(Matrix)
        first = matrix.row
        await press(pilot, "j", "l")
        assert (matrix.row, matrix.column) == (first + 1, 1)
        await press(pilot, "3", "l", "G", "g", "j", "enter")
        assert not isinstance(app.screen, ModalScreen)
        assert 0 < len(trials) < 304 * 2

    drive_stored(db, story)


@pytest.mark.parametrize("size", [(80, 24), (200, 30)])
def test_results_of_one_table_scroll_with_the_keys_of_texts(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "one.db"
    large.write(path, models=1, samples=1, words=4)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4")
        await wait_idle(pilot)
        await scrolls_with_all_keys(pilot, app.screen.query_one("#results-box", MoveScroll))

    drive(open_session(None, path, Overrides(threads=1)), story, size)


def test_help_scrolls_with_the_keys_of_texts(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "question_mark")
        await wait_idle(pilot)
        await scrolls_with_all_keys(pilot, app.screen.query_one(MoveScroll))

    drive(open_session(None, db, Overrides(threads=1)), story, (80, 24))


async def scrolls_with_all_keys(pilot: Pilot[None], box: MoveScroll) -> None:
    for key in ("j", "G", "pagedown"):
        await press(pilot, key)
        await wait_until(pilot, lambda: box.scroll_target_y > 0)
        if key == "G":
            assert box.scroll_target_y == box.max_scroll_y
        await press(pilot, "k" if key == "j" else "g")
        await wait_until(pilot, lambda: box.scroll_target_y == 0)


def test_escape_returns_to_the_number_that_led_to_the_trials(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2", "4")
        table = app.screen.query_one("#rates-table")
        table.focus()
        await press(pilot, "down", "right", "right", "enter", "b")
        assert isinstance(app.screen, CompareScreen)
        await press(pilot, "escape")
        assert isinstance(app.screen, ReadScreen)
        await press(pilot, "escape")
        assert isinstance(app.screen, ResultsScreen)
        assert app.focused is table
        await press(pilot, "escape")
        assert isinstance(app.screen, RunScreen)

    drive_stored(db, story)


def test_a_click_on_a_filter_opens_its_choice(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3")
        await pilot.click("#chips", offset=(2, 0))
        await wait_idle(pilot)
        assert isinstance(app.screen, ChooseOne)

    drive_stored(db, story)


def test_the_list_names_the_model_if_there_are_several(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3")
        lines = [app.screen.query_one(TrialList).render_line(y).text for y in range(3)]
        assert all("made-" in line for line in lines)

    drive_stored(db, story)


def test_the_key_bar_names_escape_where_it_goes_back(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        for keys, is_named in ((("1",), True), (("escape",), False), (("4", "3"), True)):
            await press(pilot, *keys)
            key_bar = frame(app)[0].splitlines()[-1]
            assert ("esc Back" in key_bar) is is_named, keys

    drive_stored(db, story)
