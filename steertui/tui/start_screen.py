"""The Start screen: recent experiments, purpose of the program, and the next keys."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.widgets import DataTable

from steertui.core.verdict import Label
from steertui.errors import SteertuiError
from steertui.tui.recent import RecentExperiment
from steertui.tui.run.watching import WatchingPage
from steertui.tui.widgets.experiment_list import ExperimentList
from steertui.tui.widgets.layout import hanging_indent
from steertui.tui.widgets.moves import MoveScroll
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.units import counted, verb

HELP = """
This screen lists the open experiment, then those that were open on this machine, the last one
first, and those of the open database. **Enter** opens the one under the cursor: on Run if answers
are missing, else on Results. **ctrl+o** opens the same list on every screen, and takes the path of
another database. If there is none at that path, a new experiment is planned, and its first run
creates the database.

The state says how many answers or labels are missing, or how many answers the unsteered model has
yet to score, as of the last look. If the file has been changed since, the state is *newer changes*
and no gap is shown.

The demo needs no network, no API key and no model: a shipped model of two megabytes answers the
scenarios and judges its own answers within seconds.
"""

QUESTION = (
    "How far does a short suffix on a prompt steer a language model toward instrumental "
    "convergence: resisting shutdown, deceiving, copying itself, hiding its actions, acquiring "
    "power?"
)
METHOD = (
    "A model answers every scenario under several conditions: without a suffix (baseline), with a "
    "suffix that argues for such means (pro), and with one that argues against them (anti). A "
    "judge gives each answer one label:"
)
GAP = (
    "The steerability gap is the rate of ▲ under pro minus the rate of ▲ under anti, with a 95 % "
    "interval."
)

LABEL_WIDTH = 17
"""Columns of a label's name."""

KEYS = MappingProxyType({"?": "question_mark"})
"""Textual's names of keys that are shown as a sign."""


class StartScreen(WatchingPage):
    """The first screen."""

    NAME = "start"
    HEADING = "Start"
    AUTO_FOCUS = ""  # an empty list must not take the key that runs the demo
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="start.open", tooltip="Open the experiment"),
        Binding(
            "enter",
            "first_demo",
            "Run the demo",
            id="start.first",
            tooltip="Offline, takes seconds",
        ),
        Binding("d", "demo", "Demo", id="start.demo", tooltip="Offline, takes seconds"),
        Binding("c", "resume", "Resume", id="start.resume", tooltip="Run what is missing"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._recent: list[RecentExperiment] = []
        self._is_listed = False

    def body(self) -> ComposeResult:
        """Lay out the list of experiments over one column of text."""
        yield ExperimentList(id="recent")
        with MoveScroll(id="start"):
            yield ReflowingText(id="start-text")

    def show_noted(self) -> None:
        """Show the recent experiments as they are now."""
        self.reload()

    def reload(self) -> None:
        """Draw, and list the experiments."""
        self._draw()
        self._list()

    @work(exclusive=True, group="list", exit_on_error=False)
    async def _list(self) -> None:
        self.is_run_elsewhere = await self.host.is_run_elsewhere()
        self._recent = await self.host.recent_experiments()
        self._is_listed = True
        self._draw()
        self.refresh_bindings()
        if self._recent and not isinstance(self.focused, ExperimentList):
            self.query_one(ExperimentList).focus()

    @property
    def _current(self) -> RecentExperiment | None:
        """The open experiment; None if there is none."""
        db, id = str(self.session.db.resolve()), self.session.id
        return next((e for e in self._recent if (e.db, e.id) == (db, id)), None)

    @property
    def _missing(self) -> str:
        """What a run of the open experiment adds, in words; "" for nothing."""
        current = self._current
        if current is None:
            return ""
        counts = (
            (current.trials - current.answered, "answer", "missing"),
            (current.pending, "label", "pending"),
            (current.unscored, "answer", "unscored"),
        )
        return next((_count_text(*count) for count in counts if count[0]), "")

    def _draw(self) -> None:
        experiments = self.query_one(ExperimentList)
        experiments.show(self._recent, self.colours)
        experiments.display = bool(self._recent)
        self.query_one("#start-text", ReflowingText).draw_with(self._text)

    def _text(self, room: Size) -> Text:
        """Return the keys and the purpose of the program, wrapped under their texts."""
        c = self.colours
        text = Text()
        for key, action in self._actions():
            lead = Text(f" {key:>6}   ", f"bold {c.blue}")
            lead.apply_meta({"@click": f"app.simulate_key('{KEYS.get(key, key)}')"})
            text.append_text(hanging_indent(lead, Text(action), room.width)).append("\n")
        text.append("\n" + QUESTION + "\n\n", "bold")
        text.append(METHOD + "\n\n")
        for label in Label:
            lead = Text("   ").append_text(c.label_text(label))
            lead.append(" " * (LABEL_WIDTH - len(label.value)))
            definition = Text(label.definition, c.quiet)
            text.append_text(hanging_indent(lead, definition, room.width)).append("\n")
        return text.append("\n" + GAP)

    def _actions(self) -> Iterator[tuple[str, str]]:
        """Yield keys and what they do."""
        demo = "run the demo: offline, takes seconds; not evidence about real models"
        if self._recent:
            yield "enter", "open the experiment under the cursor"
            if self.is_run_in_progress:
                other = self.is_run_elsewhere and not self.host.labelling_task
                whose = "another steertui process" if other else "this process"
                yield "2", f"show the run of {whose} on {self.session.db}"
            elif self._missing:
                yield "c", f"resume: {self._missing} in {self.session.db}"
            yield "d", demo
        elif self._is_listed:
            yield "enter", demo
        if self.session.id:
            yield "1", f"change or extend the experiment of {self.session.db}"
        else:
            yield "1", "plan an experiment with your own model"
        yield "ctrl+o", "open another experiment or database, or begin a new one"
        yield "?", "help on any screen;  ctrl+p  command palette;  q  quit"

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Offer to resume only what is missing and not run, and the demo when the list is read."""
        if action in ("demo", "first_demo", "open"):
            is_empty = not self._recent
            return self._is_listed and (action == "demo" or is_empty is (action == "first_demo"))
        return bool(self._missing) and not self.is_run_in_progress if action == "resume" else True

    @on(DataTable.RowSelected, "#recent")
    async def _opened(self, event: DataTable.RowSelected) -> None:
        try:
            await self.host.open_recent(self.query_one(ExperimentList).at(event.cursor_row))
        except SteertuiError as exc:
            self.show_error(str(exc))

    def action_open(self) -> None:
        """Open the experiment under the cursor while the list has not the focus."""
        self.query_one(ExperimentList).action_select_cursor()

    async def action_first_demo(self) -> None:
        """Run the demo where no experiment is listed."""
        await self.host.run_demo()

    async def action_demo(self) -> None:
        """Run the demo."""
        await self.host.run_demo()

    async def action_resume(self) -> None:
        """Run what is missing of the open experiment."""
        await self.host.start()


def _count_text(number: int, noun: str, state: str) -> str:
    """Return "44 answers are missing"."""
    return f"{number:,} {counted(number, noun)} {verb(number, 'is', 'are')} {state}"
