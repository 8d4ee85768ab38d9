"""Compare screen: the answers to one scenario under all conditions, side by side."""

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalScroll

from steertui.printable import one_line
from steertui.store.trials import TrialText, read_matched_trials
from steertui.tui.read.trial_view import add_answer, add_prompt, add_verdicts
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.page import Page

HELP = """
One scenario, model and sample under all conditions of the experiment, side by side: verdicts,
answer, and the task with the suffix marked. **Tab** focuses the next column, the arrow keys scroll
it. On a narrow terminal the columns scroll sideways.
"""

MIN_COLUMN_WIDTH = 30


class CompareScreen(Page):
    """Screen with one column per condition."""

    NAME = "compare"
    HEADING = "Side by side"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,g", "leave", "Back", key_display="esc", id="beside.back", tooltip="Leave"),
        Binding("u", "unfold", "Reasoning", id="beside.unfold", tooltip="Show or hide it"),
        Binding("right", "app.focus_next", "Next column", id="beside.on", show=False),
        Binding("left", "app.focus_previous", "Previous column", id="beside.before", show=False),
    ]

    def __init__(self, key: str) -> None:
        """Compare the trial with this key."""
        super().__init__()
        self._key = key
        self._trials: list[TrialText] = []
        self._shows_reasoning = False

    def body(self) -> ComposeResult:
        """Yield the container of the columns, which are added once the trials are read."""
        yield HorizontalScroll(id="columns")

    def reload(self) -> None:
        """Read the trials, once."""
        if not self._trials:
            self._read()

    @work(exclusive=True, exit_on_error=False)
    async def _read(self) -> None:
        key = self._key
        experiment = self.session.id
        self._trials = await self.session.with_store(
            lambda store: read_matched_trials(store, key, experiment)
        )
        if not self._trials:  # the trial belongs to another experiment
            self._trials = await self.session.with_store(
                lambda store: read_matched_trials(store, key, "")
            )
        columns = self.query_one("#columns", HorizontalScroll)
        await columns.mount_all(LongText(classes="column") for _ in self._trials)
        self._set_widths()
        self._draw()
        self.refresh_bindings()
        index = next((i for i, trial in enumerate(self._trials) if trial.key == key), 0)
        list(self.query(LongText))[index].focus()

    def _draw(self) -> None:
        for column, trial in zip(self.query(LongText), self._trials, strict=True):
            title = f"{one_line(trial.condition)} · {one_line(trial.title)}"
            set_titles(column, title, f"{trial.tokens} tokens")
            column.clear()
            add_verdicts(column, trial, self.colours)
            add_answer(column, trial, shows_reasoning=self._shows_reasoning)
            column.add("")
            add_prompt(column, trial)

    def on_resize(self) -> None:
        """Adjust the widths."""
        super().on_resize()
        self._set_widths()

    def _set_widths(self) -> None:
        """Give all columns the same width, at least `MIN_COLUMN_WIDTH`."""
        columns = list(self.query(LongText))
        for column in columns:
            column.styles.width = max(MIN_COLUMN_WIDTH, self.size.width // len(columns))

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Enable the key for the reasoning if a trial has one."""
        return any(trial.reasoning for trial in self._trials) if action == "unfold" else True

    def action_unfold(self) -> None:
        """Show or hide the reasoning."""
        self._shows_reasoning = not self._shows_reasoning
        self._draw()

    def action_leave(self) -> None:
        """Return to the previous screen."""
        self.app.pop_screen()
