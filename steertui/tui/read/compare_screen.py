"""Side by side: one scenario under all its conditions."""

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalScroll

from steertui.store.trials import TrialText, read_beside
from steertui.tui.read.trial_view import add_answer, add_head, add_prompt
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.page import Page
from steertui.tui.widgets.sanitize import one_line

HELP = """
One scenario, model and sample under every condition of the experiment, side by side: verdicts,
answer, and below it the task with the suffix marked. **Tab** goes to the next column, the arrows
scroll it. On a narrow terminal the columns scroll sideways.
"""


class CompareScreen(Page):
    """A column a condition."""

    NAME = "beside"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,g", "leave", "Back", key_display="esc", id="beside.back", tooltip="Leave"),
        Binding("u", "unfold", "Reasoning", id="beside.unfold", tooltip="Fold or unfold it"),
        Binding("right", "app.focus_next", "Next column", id="beside.on", show=False),
        Binding("left", "app.focus_previous", "Column before", id="beside.before", show=False),
    ]

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key
        self._trials: list[TrialText] = []
        self._unfolded = False

    def body(self) -> ComposeResult:
        """Lay out: the columns, once they are read."""
        yield HorizontalScroll(id="columns")

    def reload(self) -> None:
        """Read."""
        if not self._trials:
            self._read()

    @work(exclusive=True, exit_on_error=False)
    async def _read(self) -> None:
        key, experiment = self._key, self.session.id
        self._trials = await self.session.with_store(
            lambda store: read_beside(store, key, experiment)
        )
        if not self._trials:  # a trial of another experiment
            self._trials = await self.session.with_store(lambda store: read_beside(store, key, ""))
        columns = self.query_one("#columns", HorizontalScroll)
        await columns.mount_all(LongText(classes="column") for _ in self._trials)
        self._share()
        self._draw()
        self.refresh_bindings()
        here = next((i for i, t in enumerate(self._trials) if t.key == key), 0)
        list(self.query(LongText))[here].focus()

    def _draw(self) -> None:
        for flow, trial in zip(self.query(LongText), self._trials, strict=True):
            title = f"{one_line(trial.condition)} · {one_line(trial.title)}"
            set_titles(flow, title, f"{trial.tokens} tokens")
            flow.clear()
            add_head(flow, trial, self.colours)
            add_answer(flow, trial, reasoning=self._unfolded)
            flow.add("")
            add_prompt(flow, trial)

    def on_resize(self) -> None:
        """Share the width anew."""
        super().on_resize()
        self._share()

    def _share(self) -> None:
        """Give every column its share, and never less than can be read."""
        columns = list(self.query(LongText))
        for flow in columns:
            flow.styles.width = max(30, self.size.width // len(columns))

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Offer the reasoning where there is one."""
        return any(t.reasoning for t in self._trials) if action == "unfold" else True

    def action_unfold(self) -> None:
        """Fold or unfold the reasoning."""
        self._unfolded = not self._unfolded
        self._draw()

    def action_leave(self) -> None:
        """Go back."""
        self.app.pop_screen()
