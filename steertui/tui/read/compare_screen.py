"""Compare screen: the answers to one scenario under all conditions, side by side."""

from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalScroll

from steertui.core.scenario import first_words, full_title
from steertui.printable import one_line
from steertui.store import Store
from steertui.store.trials import TrialText, matched_scenarios, read_matched_trials
from steertui.tui.read.trial_view import (
    add_answer,
    add_steering,
    add_task,
    add_verdicts,
    length_text,
)
from steertui.tui.read.word_differences import mark_differences
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.live_page import LivePage
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.units import counted

HELP = """
One scenario, model and sample under all conditions of the experiment, side by side: what the
condition adds, verdicts and answer. The first line names scenario and model. **n** and **N** go to
the next and the previous scenario, **t** shows or hides the task, **s** shows the whole suffix,
**d** marks the words that differ from the first column. **Tab** focuses the next column, the arrow
keys scroll it. On a narrow terminal the columns scroll sideways.
"""

MIN_TITLE = 30
"""Columns that a title has at least, if it is that long."""

MIN_COLUMN_WIDTH = 30

MIN_TASK_HEIGHT = 34
"""Lines of the screen from which the task is shown at first."""


class CompareScreen(LivePage):
    """Screen with one column per condition."""

    NAME = "compare"
    HEADING = "Side by side"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next(1)", "Next", id="beside.next", tooltip="Next scenario"),
        Binding("N", "next(-1)", "Previous", id="beside.previous", tooltip="Previous scenario"),
        Binding("t", "task", "Task", id="beside.task", tooltip="Show or hide it"),
        Binding("s", "suffix", "Suffix", id="beside.suffix", tooltip="All of it, or its start"),
        Binding("d", "differences", "Differences", id="beside.marks", tooltip="Mark words"),
        Binding("u", "unfold", "Reasoning", id="beside.unfold", tooltip="Show or hide it"),
        Binding("escape", "leave", "Back", id="beside.back", tooltip="Leave"),
        # With priority, since columns bind the arrows to horizontal scrolling and never scroll so.
        Binding(
            "right", "app.focus_next", "Next column", priority=True, id="beside.on", show=False
        ),
        Binding(
            "left",
            "app.focus_previous",
            "Previous column",
            priority=True,
            id="beside.before",
            show=False,
        ),
    ]

    def __init__(self, key: str) -> None:
        """Compare the trial with this key."""
        super().__init__()
        self._key = key
        self._keys: list[str] = []
        self._trials: list[TrialText] = []
        self._shows_reasoning = False
        self._marks_differences = False
        self._shows_suffix = False

    def body(self) -> ComposeResult:
        """Yield title, task, and the container of the columns, which are added once read."""
        yield ReflowingText(id="compare-title")
        yield LongText(id="compare-task")
        yield HorizontalScroll(id="columns")

    def on_mount(self) -> None:
        """Show the task if there is room."""
        task = self.query_one("#compare-task", LongText)
        set_titles(task, "task")
        task.display = self.size.height >= MIN_TASK_HEIGHT

    def reload(self) -> None:
        """Read the trials."""
        self._read()

    def recolour(self) -> None:
        """Draw the trials in the colours of the theme."""
        self._draw()

    @work(exclusive=True, group="read", exit_on_error=False)
    async def _read(self) -> None:
        key = self._key
        experiment = self.session.id
        before = self._trials
        self._trials, self._keys = await self.session.with_store(
            lambda store: _read_trials(store, key, experiment)
        )
        if before and self._trials == before:
            return
        columns = self.query_one("#columns", HorizontalScroll)
        focused = self._focused_column()
        is_same = [trial.key for trial in before] == [trial.key for trial in self._trials]
        places = [column.scroll_offset.y for column in self._columns()] if is_same else []
        if len(self._columns()) != len(self._trials):
            await columns.remove_children()
            await columns.mount_all(LongText(classes="column") for _ in self._trials)
            self._set_widths()
        self._draw()
        self.refresh_bindings()
        for column, place in zip(self._columns(), places, strict=False):
            self.call_after_refresh(column.scroll_to, y=place, animate=False)
        if is_same:
            return
        own = next((i for i, trial in enumerate(self._trials) if trial.key == key), 0)
        if self._trials:
            self._columns()[own if focused is None else focused].focus()

    def _columns(self) -> list[LongText]:
        return list(self.query("#columns LongText").results(LongText))

    def _focused_column(self) -> int | None:
        """Return the index of the column with the focus; None if none has it."""
        return next((i for i, c in enumerate(self._columns()) if c.has_focus), None)

    def _draw(self) -> None:
        if not self._trials:
            return
        first = self._trials[0]
        self.query_one("#compare-title", ReflowingText).draw_with(
            lambda size: self._title(first, size.width)
        )
        task = self.query_one("#compare-task", LongText)
        task.clear()
        add_task(task, first)
        for column, trial in zip(self._columns(), self._trials, strict=True):
            set_titles(column, one_line(trial.condition), length_text(trial))
            column.clear()
            add_steering(column, trial, is_whole=self._shows_suffix)
            add_verdicts(column, trial, self.colours)
            self._add_answer(column, trial)

    def _add_answer(self, column: LongText, trial: TrialText) -> None:
        reference = self._trials[0]
        if self._marks_differences and trial is not reference and trial.answer:
            style = f"bold {self.colours.warning}"
            column.add(mark_differences(trial.answer, reference.answer or "", style))
        else:
            add_answer(column, trial, shows_reasoning=self._shows_reasoning)

    def _title(self, trial: TrialText, width: int) -> Text:
        """Return title, model and sampling; the title has the columns that the others leave."""
        colours = self.colours
        place = ""
        if self._key in self._keys:
            of = len(self._keys)
            number = self._keys.index(self._key) + 1
            place = f"   {number:,} of {of:,} {counted(of, 'scenario')}"
        others = Text(f"  {one_line(trial.model)}", colours.blue)
        sampling = f"temperature {trial.temperature:g}" if trial.temperature else "greedy"
        others.append(f"  {sampling}, sample {trial.sample + 1}{place}", colours.quiet)
        room = max(MIN_TITLE, width - others.cell_len - 1)
        title = first_words(one_line(full_title(trial.title, trial.task)), room)
        return Text(f" {title}", "bold", end="", no_wrap=True).append_text(others)

    def on_resize(self) -> None:
        """Adjust the widths."""
        super().on_resize()
        self._set_widths()

    def _set_widths(self) -> None:
        """Give all columns the same width, at least `MIN_COLUMN_WIDTH`."""
        columns = self._columns()
        for column in columns:
            column.styles.width = max(MIN_COLUMN_WIDTH, self.size.width // len(columns))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the keys that have an effect now."""
        if action == "next":
            return self._neighbour(int(str(parameters[0]))) is not None
        return any(trial.reasoning for trial in self._trials) if action == "unfold" else True

    def _neighbour(self, by: int) -> str | None:
        """Return the key of the trial `by` scenarios away; None if there is none."""
        if self._key not in self._keys:
            return None
        index = self._keys.index(self._key) + by
        return self._keys[index] if 0 <= index < len(self._keys) else None

    def action_next(self, by: int) -> None:
        """Show the next scenario, or the previous one."""
        key = self._neighbour(by)
        if key:
            self._key = key
            self._read()

    def action_task(self) -> None:
        """Show or hide the task."""
        task = self.query_one("#compare-task", LongText)
        task.display = not task.display

    def action_suffix(self) -> None:
        """Show what the conditions add as a whole, or its beginning."""
        self._shows_suffix = not self._shows_suffix
        self._draw()

    def action_differences(self) -> None:
        """Mark the words that differ from the first column, or no words."""
        self._marks_differences = not self._marks_differences
        self._draw()

    def action_unfold(self) -> None:
        """Show or hide the reasoning."""
        self._shows_reasoning = not self._shows_reasoning
        self._draw()

    def action_leave(self) -> None:
        """Return to the previous screen."""
        self.app.pop_screen()


def _read_trials(store: Store, key: str, experiment: str) -> tuple[list[TrialText], list[str]]:
    """Return the matched trials, and the keys of the same condition by scenario."""
    trials = read_matched_trials(store, key, experiment)
    if trials:
        return trials, matched_scenarios(store, key, experiment)
    return read_matched_trials(store, key, ""), []  # the trial belongs to another experiment
