"""Read screen: list of trials with filters and search, and one trial in full."""

from collections.abc import Set
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from steertui.errors import SteertuiError
from steertui.store.trial_filter import TrialFilter, filter_options, find_trials, trial_rows
from steertui.store.trials import TrialText, list_trials, read_trial
from steertui.tui.pending_labels import first_judge
from steertui.tui.read.filter_bar import NO_OPTIONS, FilterBar, Search
from steertui.tui.read.filtered import Filtered
from steertui.tui.read.trial_columns import longest_names
from steertui.tui.read.trial_list import TrialList
from steertui.tui.read.trial_view import set_trial_titles, show_trial
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.screen_words import in_screen_words
from steertui.units import counted

HELP = """
The list shows all trials that pass the filters above it. The text shows the trial under the cursor:
the verdicts of all judges, the answer, and the prompt with its suffix marked.

**/** searches all answers and reasonings for words; the last word may be incomplete, from two
letters on; **n** and **N** go to the next and the previous match. The other filters are set by
their letters or by a click; **x** clears all filters. **b** shows the scenario under all conditions
side by side, **u** shows or hides the reasoning, **y** sends the answer to the terminal's
clipboard, **e** exports.
"""

COPIED = (
    "The answer was sent to the terminal's clipboard. If it is not there, the terminal or tmux "
    "refused it; in tmux, `set -g set-clipboard on` allows it."
)
"""Notice after a copy: a terminal does not say whether it takes one."""


class ReadScreen(Filtered):
    """Screen with the list of trials and the trial under the cursor."""

    NAME = "read"
    HELP = HELP
    AUTO_FOCUS = "TrialList"  # not the search, which would consume the keys of the filters
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "beside", "Compare", id="read.beside", tooltip="Compare the conditions"),
        Binding("n", "next(1)", "Next", show=False, id="read.next", tooltip="Next trial"),
        Binding("N", "next(-1)", "Previous", show=False, id="read.back", tooltip="Previous trial"),
        Binding("u", "unfold", "Reasoning", id="read.unfold", tooltip="Show or hide it"),
        Binding(
            "e", "export_experiment", "Export", id="read.export", tooltip="HTML, CSV, Markdown"
        ),
        Binding("y", "copy", "Copy", id="read.copy", tooltip="Send the answer to the clipboard"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._version = -1
        self._is_unplanned = False
        self._shows_reasoning = False
        self._trial: TrialText | None = None
        self._drawn: tuple[TrialText | None, Palette] | None = None
        self._wanted_key = ""
        self._rows_of: tuple[tuple[int, str], Set[int]] = ((0, ""), frozenset())

    def body(self) -> ComposeResult:
        """Yield search, filters, list and text."""
        with Vertical(id="filters"):
            yield Search(placeholder="/ searches the answers", id="search", compact=True)
            yield FilterBar(id="chips")
        with Horizontal(id="read-body"):
            yield TrialList(id="list")
            yield LongText(id="text")

    def on_mount(self) -> None:
        """Set the titles and focus the list."""
        set_titles(self.query_one("#text"), "trial")
        self.query_one(TrialList).focus()

    def want(self, wanted: TrialFilter, key: str = "") -> None:
        """Show the trials that pass the filter, with the cursor on the trial `key`."""
        self.trial_filter = wanted
        self._wanted_key = key
        self._version = self.session.version
        self.show_search(wanted.search)
        self.find()
        self.query_one(TrialList).focus()

    def reload(self) -> None:
        """Find the trials again; a new experiment resets the filters."""
        if self._version != self.session.version:
            self._version = self.session.version
            self.trial_filter = TrialFilter(experiment=self.session.id)
            self._is_unplanned = not self.session.id
            self.show_search("")
        elif self._is_unplanned and self.session.id:
            self._is_unplanned = False
            self.trial_filter = replace(self.trial_filter, experiment=self.session.id)
        self.find()

    @work(exclusive=True, group="find", exit_on_error=False)
    async def find(self) -> None:
        """Find the trials that pass the filter, and show the one under the cursor."""
        trials = self.query_one(TrialList)
        bar = self.query_one(FilterBar)
        try:
            bar.choices = await self.session.with_store(filter_options)
            if not self.trial_filter.judge and bar.choices.judges:
                judge = await self._own_judge() or bar.choices.judges[0][0]
                self.trial_filter = replace(self.trial_filter, judge=judge)
            wanted = self.trial_filter
            current_row = await self._wanted_row()
            among = await self._experiment_rows(wanted.experiment)
            rows = await self.session.with_store(lambda store: find_trials(store, wanted, among))
        except SteertuiError as exc:
            is_missing = self.is_database_missing
            message = (
                "No trials: the database does not exist yet."
                if is_missing
                else f"{in_screen_words(str(exc))}."
            )
            bar.choices = NO_OPTIONS
            self._trial = self._drawn = None
            self.refresh_bindings()
            self.show_empty(message)
            return
        self.show_empty()
        self.refresh_bindings()
        trials.names = longest_names(bar.choices)
        trials.fill(rows, current_row)
        set_titles(trials, f"{len(rows):,} {counted(len(rows), 'trial')}")
        self.draw_filters()
        if rows:
            # Before this worker ends, so that a key typed next acts on the trial.
            await self._put_page(trials.request_cursor())
            self._read()
        else:
            self._show_message(
                "No trial passes these filters.\n\nx clears the filters, / searches other words."
            )

    async def _own_judge(self) -> str:
        """Return the first judge of the experiment, as on Run; "" for none."""
        experiment = self.trial_filter.experiment
        return await self.session.with_store(lambda store: first_judge(store, experiment))

    async def _wanted_row(self) -> int | None:
        """Return the row number of the trial to put the cursor on, by default the current one."""
        key = self._wanted_key
        self._wanted_key = ""
        trial = await self.session.with_store(lambda store: read_trial(store, key)) if key else None
        return trial.row if trial else self.query_one(TrialList).row

    async def _experiment_rows(self, experiment: str) -> Set[int] | None:
        """Return the row numbers of an experiment's trials, which are read once."""
        version_and_id = (self.session.version, experiment)
        if experiment and self._rows_of[0] != version_and_id:
            rows = await self.session.with_store(lambda store: trial_rows(store, experiment))
            self._rows_of = (version_and_id, frozenset(rows))
        return self._rows_of[1] if experiment else None

    def _show_message(self, message: str) -> None:
        self._trial = self._drawn = None
        self.refresh_bindings()
        long_text = self.query_one("#text", LongText)
        set_titles(long_text, "trial")
        long_text.clear()
        long_text.add(message, "quiet")
        self.draw_filters()

    @on(TrialList.PageRequest)
    async def _fetch(self, message: TrialList.PageRequest) -> None:
        self._page(message)

    @work(group="pages", exit_on_error=False)
    async def _page(self, message: TrialList.PageRequest) -> None:
        await self._put_page(message)
        trials = self.query_one(TrialList)
        if trials.line and (self._trial is None or self._trial.key != trials.line.key):
            self._read()

    async def _put_page(self, request: TrialList.PageRequest) -> None:
        """Read a page of the list and show it."""
        judge = self.trial_filter.judge
        rows = list(request.rows)
        lines = await self.session.with_store(lambda store: list_trials(store, rows, judge))
        self.query_one(TrialList).put(request, lines)

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
        drawn = trial, self.colours
        if trial is None or drawn == self._drawn:
            return
        text = self.query_one("#text", LongText)
        is_same = self._trial is not None and self._trial.key == trial.key
        place = text.scroll_offset.y if is_same else 0
        self._trial, self._drawn = trial, drawn
        self._draw_trial(trial)
        self.call_after_refresh(text.scroll_to, y=place, animate=False)
        self.refresh_bindings()

    def _draw_trial(self, trial: TrialText) -> None:
        show_trial(
            self.query_one("#text", LongText),
            trial,
            self.colours,
            shows_reasoning=self._shows_reasoning,
        )

    def on_resize(self) -> None:
        """Fit the title of the trial to the new width."""
        super().on_resize()
        if self._trial:
            self.call_after_refresh(set_trial_titles, self.query_one("#text"), self._trial)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the keys that have an effect: on the trial under the cursor, on the filters."""
        trial = self._trial
        if action == "unfold":
            return bool(trial and trial.reasoning)
        if action == "copy":
            return bool(trial and trial.answer)
        if action == "beside":
            return trial is not None
        return super().check_action(action, parameters)

    def action_unfold(self) -> None:
        """Show or hide the reasoning."""
        self._shows_reasoning = not self._shows_reasoning
        if self._trial:
            self._draw_trial(self._trial)

    async def action_beside(self) -> None:
        """Compare all conditions side by side."""
        if self._trial:
            await self.host.compare(self._trial.key)

    def action_next(self, by: int) -> None:
        """Move the cursor of the list, also while the text has the focus."""
        self.query_one(TrialList).action_move(by)

    def action_copy(self) -> None:
        """Copy the stored answer."""
        if self._trial and self._trial.answer:
            self.app.copy_to_clipboard(self._trial.answer)
            self.notify(COPIED, markup=False)
