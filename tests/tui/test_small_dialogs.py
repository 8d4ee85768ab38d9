"""Dialogs in small terminals: message and keys are visible, and the list scrolls."""

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widget import Widget

from steertui.core.condition import Condition
from steertui.tui.app import SteertuiApp
from steertui.tui.open_dialog import OpenDialog
from steertui.tui.plan.condition_editor import ConditionEditor
from steertui.tui.recent import RecentExperiment
from steertui.tui.session import Session
from steertui.tui.widgets.choose_many import ChooseMany
from steertui.tui.widgets.choose_one import ChooseOne
from steertui.tui.widgets.form import Form, FormLine
from steertui.tui.widgets.form_dialog import FormDialog
from steertui.tui.widgets.key_line import KeyLine
from steertui.tui.widgets.prompts import Confirm, NumberPrompt, TextPrompt
from steertui.tui.widgets.screen_words import Problem
from tests.fixtures.screens import drive, press, wait_idle

PROBLEM = "/data/none/a.db: its folder does not exist; create it, or give another path"
LONG = f"{PROBLEM}. " * 2
RECENT = [
    RecentExperiment(f"{n}.db", f"{n}", f"demo, {n} trials", n, n, gap="", seen_at=0.0)
    for n in range(30)
]
PAIRS = [(f"name-{n}", f"the text of name-{n}") for n in range(40)]
LINES = [FormLine(f"l{n}", f"line {n}", hint=LONG) for n in range(14)]

DIALOGS: dict[str, Callable[[Any], ModalScreen[Any]]] = {
    "open": lambda _: OpenDialog(RECENT, "/data/other.db", PROBLEM),
    "one": lambda _: ChooseOne(LONG, PAIRS),
    "many": lambda _: ChooseMany(LONG, PAIRS, [name for name, _ in PAIRS[:30]], LONG),
    "form": lambda _: FormDialog(Form(LONG, LINES), problem=PROBLEM),
    "text": lambda _: TextPrompt(LONG, problem=PROBLEM, is_path=True),
    "number": lambda _: NumberPrompt(LONG, 5, 1, 9),
    "question": lambda _: Confirm(LONG * 8, "Do"),
    "editor": lambda path: ConditionEditor(Condition("mine", suffix=LONG), path / "a.toml"),
}


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
@pytest.mark.parametrize("kind", DIALOGS)
def test_message_line_and_keys_of_a_dialog_are_visible_with_many_entries(
    tmp_path: Any, kind: str, size: tuple[int, int]
) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        dialog = DIALOGS[kind](tmp_path)
        app.push_screen(dialog)
        await wait_idle(pilot)
        if kind == "editor":
            dialog.query_one(Problem).show(PROBLEM)
            await wait_idle(pilot)
        box = dialog.query_one(".question").content_region
        shown = [*dialog.query(Problem), dialog.query_one(KeyLine)]
        shown += [widget for widget in dialog.query("Input") if widget.parent is shown[-1].parent]
        for widget in shown:
            assert is_inside(widget, box.bottom), (widget, widget.region, box)
        if kind in ("one", "many", "open"):
            entries = dialog.query("MoveList, ExperimentList").first(Widget)
            entries.focus()
            await press(pilot, "end")
            assert entries.size.height > 0
            assert entries.scroll_offset.y > 0

    drive(Session(tmp_path / "a.db"), story, size)


def is_inside(widget: Widget, bottom: int) -> bool:
    """Return whether a widget is whole: as high as its text, and above the end of the box."""
    wanted = widget.get_content_height(widget.size, widget.size, widget.size.width)
    return widget.region.bottom <= bottom and widget.size.height >= wanted
