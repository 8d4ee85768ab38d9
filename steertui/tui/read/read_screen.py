"""The Read screen: every trial, filtered and searched, and one of them in full."""

from collections.abc import Set
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from steertui.errors import SteertuiError
from steertui.store.trial_filter import TrialFilter, filter_options, find_trials, rows_of
from steertui.store.trials import TrialText, list_trials, read_trial
from steertui.tui.read.filter_bar import KEYS, FilterBar, Search
from steertui.tui.read.trial_list import TrialList
from steertui.tui.read.trial_view import show_trial
from steertui.tui.widgets.choose_one import ChooseOne
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.page import Page

HELP = """
The list holds every trial that fits the filters above it; the text is the trial under the cursor:
verdicts of all judges, the answer, and the prompt with its suffix marked. What a judge said is
never mixed into the answer.

**/** searches all answers and reasonings for words (the last may be a beginning, from two letters
on). Other filters are
chosen by their letter, or clicked; **x** takes them all away. **g** shows the scenario under all
conditions side by side, **u** unfolds a reasoning, **y** copies the answer, **e** exports.
"""


class ReadScreen(Page):
    """All trials, and one."""

    NAME = "read"
    HELP = HELP
    AUTO_FOCUS = "TrialList"  # and not the search, which would take every key for a word's
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
        Binding("x", "clear", "Clear", id="read.clear", tooltip="Take the filters away"),
        Binding("g", "beside", "Compare", id="read.beside", tooltip="All conditions of it"),
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
        self._rows_of: tuple[tuple[int, str], Set[int]] = ((0, ""), frozenset())

    def body(self) -> ComposeResult:
        """Lay out: search and filters, the list beside the text."""
        with Vertical(id="filters"):
            yield Search(placeholder="/ searches the answers", id="search", compact=True)
            yield FilterBar(id="chips")
        with Horizontal(id="read-body"):
            yield TrialList(id="list")
            yield LongText(id="text")

    def on_mount(self) -> None:
        """Name the panels."""
        set_titles(self.query_one("#text"), "trial")
        self.query_one(TrialList).focus()

    def want(self, wanted: TrialFilter, key: str = "") -> None:
        """Show these trials, the cursor on `key`."""
        self._wanted, self._goal = wanted, key
        self._version = self.session.version
        with self.prevent(Input.Changed):
            self.query_one("#search", Input).value = wanted.search
        self._find()
        self.query_one(TrialList).focus()

    def reload(self) -> None:
        """Ask anew; another experiment starts with its own trials."""
        if self._version != self.session.version:
            self._version = self.session.version
            self._wanted = TrialFilter(experiment=self.session.id)
        elif not self._wanted.experiment and not self._wanted.judge:
            self._wanted = replace(self._wanted, experiment=self.session.id)
        self._find()

    # The store

    @work(exclusive=True, group="find", exit_on_error=False)
    async def _find(self) -> None:
        trials, bar = self.query_one(TrialList), self.query_one(FilterBar)
        try:
            bar.choices = await self.session.with_store(filter_options)
            if not self._wanted.judge and bar.choices.judges:
                self._wanted = replace(self._wanted, judge=bar.choices.judges[0][0])
            wanted, goal = self._wanted, self._goal
            keep = trials.row
            if goal:
                found = await self.session.with_store(lambda store: read_trial(store, goal))
                keep, self._goal = (found.row if found else keep), ""
            own = await self._own(wanted.experiment)
            rows = await self.session.with_store(lambda store: find_trials(store, wanted, own))
        except SteertuiError as exc:
            self.show_empty("Nothing is stored yet." if self.is_database_missing else f"{exc}.")
            return
        self.show_empty()
        trials.several_models = len(bar.choices.models) > 1
        trials.fill(rows, keep)
        set_titles(trials, f"{len(rows):,} trials")
        self._draw_chips()
        if rows:
            self._read()
        else:
            self._say_nothing(
                "No trial fits these filters.\n\nPress x to take them away, or / to search for "
                "something else."
            )

    async def _own(self, experiment: str) -> Set[int] | None:
        """Return the row numbers of an experiment's trials, asked for once."""
        asked = (self.session.version, experiment)
        if experiment and self._rows_of[0] != asked:
            found = await self.session.with_store(lambda store: rows_of(store, experiment))
            self._rows_of = (asked, frozenset(found))
        return self._rows_of[1] if experiment else None

    def _say_nothing(self, text: str) -> None:
        self._trial = None
        self.refresh_bindings()
        flow = self.query_one("#text", LongText)
        set_titles(flow, "trial")
        flow.clear()
        flow.add(text, "quiet")
        self._draw_chips()

    @on(TrialList.Wanted)
    async def _fetch(self, message: TrialList.Wanted) -> None:
        self._page(message)

    @work(group="pages", exit_on_error=False)
    async def _page(self, message: TrialList.Wanted) -> None:
        judge, rows = self._wanted.judge, list(message.rows)
        lines = await self.session.with_store(lambda store: list_trials(store, rows, judge))
        trials = self.query_one(TrialList)
        trials.put(message, lines)
        if trials.line and (self._trial is None or self._trial.key != trials.line.key):
            self._read()

    @on(TrialList.Moved)
    def _moved(self) -> None:
        self._read()

    @work(exclusive=True, group="read", exit_on_error=False)
    async def _read(self) -> None:
        line = self.query_one(TrialList).line
        if line is None:
            return
        key = line.key
        trial = await self.session.with_store(lambda store: read_trial(store, key))
        if trial:
            self._trial = trial
            self._draw_trial(trial)
            self.refresh_bindings()

    # Drawing

    def _draw_trial(self, trial: TrialText) -> None:
        show_trial(self.query_one("#text", LongText), trial, self.colours, unfolded=self._unfolded)

    def _draw_chips(self) -> None:
        self.query_one(FilterBar).show(self._wanted, self.colours)

    # Keys

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Offer what makes sense for the trial that is read."""
        trial = self._trial
        if action == "unfold":
            return bool(trial and trial.reasoning)
        return trial is not None if action in ("copy", "beside") else True

    @work(exit_on_error=False)
    async def action_choose(self, name: str) -> None:
        """Choose one filter's value."""
        now = getattr(self._wanted, name)
        open_now = replace(self._wanted, experiment=self.session.id)
        options = self.query_one(FilterBar).options(name, open_now, self.colours)
        value = await self.app.push_screen_wait(ChooseOne(f"Show only: {name}", options, now))
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
            await self.host.compare(self._trial.key)

    def action_copy(self) -> None:
        """Copy the answer as it is stored."""
        if self._trial and self._trial.answer:
            self.app.copy_to_clipboard(self._trial.answer)
            self.notify("The answer is in the clipboard.", markup=False)
