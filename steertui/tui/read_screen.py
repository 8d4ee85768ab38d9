"""The Read screen: every trial, filtered and searched, and one of them in full."""

from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from steertui.errors import SteertuiError
from steertui.store.trials import (
    TrialFilter,
    TrialText,
    choices,
    find_trials,
    list_trials,
    read_trial,
)
from steertui.tui.choose import Choose
from steertui.tui.filter_bar import KEYS, FilterBar
from steertui.tui.flow import Flow
from steertui.tui.frame import Page
from steertui.tui.plain import one_line
from steertui.tui.trial_list import TrialList
from steertui.tui.trial_view import add_answer, add_head, add_prompt

HELP = """
The list holds every trial that fits the filters above it; the text is the trial under the cursor:
verdicts of all judges, the answer, and the prompt with its suffix marked. What a judge said is
never mixed into the answer.

**/** searches all answers and reasonings for words (the last may be a beginning). Other filters are
chosen by their letter, or clicked; **x** takes them all away. **g** shows the scenario under all
conditions side by side, **u** unfolds a reasoning, **y** copies the answer, **e** exports.
"""


class ReadScreen(Page):
    """All trials, and one."""

    NAME = "read"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "search",
            "Search",
            key_display="/",
            id="read.search",
            tooltip="Words of the answers",
        ),
        *(
            Binding(
                key,
                f"choose('{name}')",
                name.capitalize(),
                show=False,
                id=f"read.{name}",
                tooltip="Filter",
            )
            for name, key in KEYS.items()
        ),
        Binding("x", "clear", "Clear filters", id="read.clear", tooltip="Show all trials"),
        Binding("g", "beside", "Side by side", id="read.beside", tooltip="All conditions of it"),
        Binding("u", "unfold", "Reasoning", id="read.unfold", tooltip="Fold or unfold it"),
        Binding("e", "app.export", "Export", id="read.export", tooltip="HTML, CSV, Markdown"),
        Binding("y", "copy", "Copy", id="read.copy", tooltip="The answer, to the clipboard"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._wanted = TrialFilter()
        self._version = -1
        self._unfolded = False
        self._trial: TrialText | None = None
        self._goal = ""

    def body(self) -> ComposeResult:
        """Lay out: search and filters, the list beside the text."""
        with Vertical(id="filters"):
            yield Input(placeholder="search answers: / then words", id="search", compact=True)
            yield FilterBar(id="chips", markup=False)
        with Horizontal(id="read-body"):
            yield TrialList(id="list")
            yield Flow(id="text")

    def on_mount(self) -> None:
        """Name the panels."""
        self.query_one("#text").border_title = "trial"
        self.query_one(TrialList).focus()

    def want(self, wanted: TrialFilter, key: str = "") -> None:
        """Show these trials, the cursor on `key`."""
        self._wanted, self._goal = wanted, key
        self._version = self.session.version
        with self.prevent(Input.Changed):
            self.query_one("#search", Input).value = wanted.search
        self._find()
        self.query_one(TrialList).focus()

    def refill(self) -> None:
        """Ask anew; another experiment starts with its own trials."""
        if self._version != self.session.version:
            self._version = self.session.version
            self._wanted = TrialFilter(experiment=self.session.id)
        elif not self._wanted.experiment and not self._wanted.judge:
            self._wanted = replace(self._wanted, experiment=self.session.id)
        self._find()

    # The store

    @work(exclusive=True, group="find")
    async def _find(self) -> None:
        trials, bar = self.query_one(TrialList), self.query_one(FilterBar)
        try:
            bar.choices = await self.session.ask(choices)
            if not self._wanted.judge and bar.choices.judges:
                self._wanted = replace(self._wanted, judge=bar.choices.judges[0][0])
            wanted, goal = self._wanted, self._goal
            keep = trials.row
            if goal:
                found = await self.session.ask(lambda store: read_trial(store, goal))
                keep, self._goal = (found.row if found else keep), ""
            rows = await self.session.ask(lambda store: find_trials(store, wanted))
        except SteertuiError as exc:
            self._say_nothing(f"{exc}.\n\nPress 0 for the demo, or 1 to plan an experiment.")
            return
        trials.several_models = len(bar.choices.models) > 1
        trials.fill(rows, keep)
        trials.border_title = f"{len(rows):,} trials"
        self._draw_chips()
        if rows:
            self._read()
        else:
            self._say_nothing(
                "No trial fits these filters.\n\nPress x to take them away, or / to search for "
                "something else."
            )

    def _say_nothing(self, text: str) -> None:
        self._trial = None
        flow = self.query_one("#text", Flow)
        flow.clear()
        flow.add(text, "quiet")
        self._draw_chips()

    @on(TrialList.Wanted)
    async def _fetch(self, message: TrialList.Wanted) -> None:
        self._page(message)

    @work(group="pages")
    async def _page(self, message: TrialList.Wanted) -> None:
        judge, rows = self._wanted.judge, list(message.rows)
        lines = await self.session.ask(lambda store: list_trials(store, rows, judge))
        self.query_one(TrialList).put(message.page, lines)
        if self._trial is None:
            self._read()

    @on(TrialList.Moved)
    def _moved(self) -> None:
        self._read()

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        line = self.query_one(TrialList).line
        if line is None:
            return
        key = line.key
        trial = await self.session.ask(lambda store: read_trial(store, key))
        if trial:
            self._trial = trial
            self._draw_trial(trial)

    # Drawing

    def _draw_trial(self, trial: TrialText) -> None:
        flow = self.query_one("#text", Flow)
        place = f"{one_line(trial.title)} · {one_line(trial.condition)} · {one_line(trial.model)}"
        flow.border_title = Text(place)
        drawn = f"temperature {trial.temperature:g}" if trial.temperature else "greedy"
        flow.border_subtitle = f"{drawn} · {trial.tokens} tokens · {trial.seconds:.1f} s"
        flow.clear()
        add_head(flow, trial, self.colours, chances=True)
        add_answer(flow, trial, reasoning=self._unfolded)
        flow.add("")
        add_prompt(flow, trial)

    def _draw_chips(self) -> None:
        self.query_one(FilterBar).show(self._wanted, self.colours)

    # Keys

    @work
    async def action_choose(self, name: str) -> None:
        """Choose one filter's value."""
        now = getattr(self._wanted, name)
        open_now = replace(self._wanted, experiment=self.session.id)
        options = self.query_one(FilterBar).options(name, open_now, self.colours)
        value = await self.app.push_screen_wait(Choose(f"Show only: {name}", options, now))
        if value is not None:
            self._wanted = replace(self._wanted, **{name: value})
            self._find()

    def action_search(self) -> None:
        """Go to the search."""
        self.query_one("#search", Input).focus()

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        self._wanted = replace(self._wanted, search=event.value)
        self._find()

    @on(Input.Submitted, "#search")
    def _entered(self) -> None:
        self.query_one(TrialList).focus()

    def action_clear(self) -> None:
        """Take every filter away."""
        self.want(TrialFilter(experiment=self.session.id, judge=self._wanted.judge))

    def action_unfold(self) -> None:
        """Fold or unfold the reasoning."""
        self._unfolded = not self._unfolded
        if self._trial:
            self._draw_trial(self._trial)

    async def action_beside(self) -> None:
        """Show all conditions side by side."""
        if self._trial:
            await self.host.beside(self._trial.key)

    def action_copy(self) -> None:
        """Copy the answer as it is stored."""
        if self._trial and self._trial.answer:
            self.app.copy_to_clipboard(self._trial.answer)
            self.notify("The answer is in the clipboard.", markup=False)
