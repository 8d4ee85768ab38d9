"""Filters of the Read screen: their state, and the keys that set and clear them."""

from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widgets import Input

from steertui.store.trial_filter import TrialFilter
from steertui.tui.read.filter_bar import KEYS, FilterBar, Search, filter_title
from steertui.tui.read.trial_list import TrialList
from steertui.tui.widgets.choose_one import ChooseOne
from steertui.tui.widgets.live_page import LivePage


class Filtered(LivePage):
    """Screen that lists the trials that pass a filter. A subclass finds and shows them.

    Attributes:
        trial_filter: the filter, with the search.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "search",
            "Search",
            key_display="/",
            id="read.search",
            tooltip="Words in answers",
        ),
        *(
            Binding(
                key,
                f"choose('{name}')",
                f"Filter: {filter_title(name)}",
                show=False,
                id=f"read.{name}",
                tooltip="Choose a value",
            )
            for name, key in KEYS.items()
        ),
        Binding("x", "clear", "Clear", id="read.clear", tooltip="Clear all filters"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.trial_filter = TrialFilter()

    def find(self) -> object:
        """Find the trials that pass the filter."""

    def want(self, wanted: TrialFilter, key: str = "") -> None:
        """Show the trials that pass a filter, with the cursor on the trial `key`."""

    @property
    def _cleared_filter(self) -> TrialFilter:
        """The filter that all trials of the experiment pass."""
        return TrialFilter(experiment=self.session.id, judge=self.trial_filter.judge)

    def show_search(self, text: str) -> None:
        """Show the words of the search, without a new search."""
        with self.prevent(Input.Changed):
            self.query_one("#search", Input).value = text

    def draw_filters(self) -> None:
        """Draw the filters with their keys."""
        self.query_one(FilterBar).show(self.trial_filter, self.colours)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the keys that have an effect on the filters and on what they can show."""
        choices = self.query_one(FilterBar).choices
        if action == "search":  # in the search line "/" is text
            return choices.has_answers and not isinstance(self.focused, Search)
        if action == "export_experiment":
            return choices.has_answers
        if action == "choose":
            return bool(choices.models)
        if action == "clear":
            return self.trial_filter not in (TrialFilter(), self._cleared_filter)
        return super().check_action(action, parameters)

    @work(exit_on_error=False)
    async def action_choose(self, name: str) -> None:
        """Choose the value of a filter."""
        current = getattr(self.trial_filter, name)
        wanted = replace(self.trial_filter, experiment=self.session.id)
        options = self.query_one(FilterBar).options(name, wanted, self.colours)
        value = await self.app.push_screen_wait(
            ChooseOne(f"Filter by {filter_title(name)}", options, current)
        )
        if value is not None:
            self.trial_filter = replace(self.trial_filter, **{name: value})
            self.find()

    def action_search(self) -> None:
        """Focus the search."""
        self.set_focus(self.query_one("#search", Input))

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        self.trial_filter = replace(self.trial_filter, search=event.value)
        self.find()

    @on(Input.Submitted, "#search")
    def _entered(self) -> None:
        self.set_focus(self.query_one(TrialList))

    def action_clear(self) -> None:
        """Clear all filters."""
        self.want(self._cleared_filter)
