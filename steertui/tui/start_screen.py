"""The Start screen: purpose of the program, contents of the database, and the next keys."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from steertui.core.verdict import Label
from steertui.errors import SteertuiError
from steertui.store import Store
from steertui.store.progress_queries import count_all
from steertui.tui.widgets.page import Page
from steertui.units import quantity

HELP = """
This screen explains what steertui measures and lists the next steps. The demo needs no network, no
API key and no model: a shipped model of two megabytes answers the scenarios and judges its own
answers within seconds.
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


@dataclass(frozen=True, slots=True)
class StoredCounts:
    """Contents of the database.

    Attributes:
        experiments: number of experiments.
        trials: number of trials of all experiments.
        answers: number of answers of all experiments.
        unanswered: trials of the newest experiment without an answer.
    """

    experiments: int
    trials: int
    answers: int
    unanswered: int


class StartScreen(Page):
    """The first screen."""

    NAME = "start"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter,d",
            "demo",
            "Run the demo",
            key_display="enter",
            id="start.demo",
            tooltip="Offline, takes seconds",
        ),
        Binding("c", "resume", "Resume", id="start.resume", tooltip="Run the unanswered trials"),
    ]

    def body(self) -> ComposeResult:
        """Lay out one column of text."""
        with VerticalScroll(id="start"):
            yield Static(id="start-text", markup=False)

    def on_mount(self) -> None:
        """Start without counts; they follow from the database."""
        self._counts: StoredCounts | None = None

    def reload(self) -> None:
        """Draw, and count the contents of the database."""
        self._draw()
        self._count()

    @work(exclusive=True, group="count", exit_on_error=False)
    async def _count(self) -> None:
        try:
            self._counts = await self.session.with_store(_stored_counts)
        except SteertuiError:
            self._counts = None
        self._draw()
        self.refresh_bindings()

    def _draw(self) -> None:
        c = self.colours
        text = Text()
        text.append(QUESTION + "\n\n", "bold")
        text.append(METHOD + "\n\n")
        for label in Label:
            text.append("   ").append_text(c.label_text(label))
            text.append(" " * (LABEL_WIDTH - len(label.value)) + label.definition + "\n", c.quiet)
        text.append("\n" + GAP + "\n\n")
        for key, action in self._actions():
            text.append(f" {key:>5} ", f"bold {c.blue}").append(f"  {action}\n")
        self.query_one("#start-text", Static).update(text)

    def _actions(self) -> Iterator[tuple[str, str]]:
        """Yield keys and what they do."""
        db = self.session.db
        counts = self._counts
        if counts and counts.unanswered:
            yield "c", f"resume: {counts.unanswered:,} answers are missing in {db}"
        yield "enter", "run the demo: offline, takes seconds; not evidence about real models"
        yield "1", "plan an experiment with your own model"
        if counts:
            experiments = quantity(counts.experiments, "experiment")
            answers = f"{counts.answers:,} of {counts.trials:,} answers"
            yield "3", f"read the trials in {db}: {experiments}, {answers}"
            yield "4", "see the results"
        yield "?", "help on any screen;  ctrl+p  command palette;  q  quit"

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Offer to resume only if answers are missing."""
        return bool(self._counts and self._counts.unanswered) if action == "resume" else True

    async def action_demo(self) -> None:
        """Run the demo."""
        await self.host.run_demo()

    async def action_resume(self) -> None:
        """Run the unanswered trials of the newest experiment."""
        await self.host.start()


def _stored_counts(store: Store) -> StoredCounts | None:
    experiments = store.experiments()
    if not experiments:
        return None
    newest = experiments[-1]
    trials, answers = count_all(store)
    return StoredCounts(
        experiments=len(experiments),
        trials=trials,
        answers=answers,
        unanswered=newest.trials - len(store.answered_keys(newest.id)),
    )
