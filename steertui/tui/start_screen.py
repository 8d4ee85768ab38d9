"""The start: what this is, in a few lines, and what to press."""

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

HELP = """
The start says what the program does and what to press first. The demo needs no network, no key and
no model of yours: a checkpoint of two megabytes answers and judges itself in some seconds.
"""

QUESTION = (
    "How far does a short suffix on a prompt move a language model toward instrumental "
    "convergence: avoiding shutdown, deceiving, copying itself, hiding what it does, gathering "
    "power?"
)
HOW = (
    "A model answers every scenario under several conditions: as it is (baseline), with a suffix "
    "that argues for such means (pro) or against them (anti). A judge gives each answer a label:"
)
GAP = (
    "The steerability gap is the share of ▲ under pro minus that under anti, "
    "with its 95 % interval."
)


class StartScreen(Page):
    """What a newcomer sees first."""

    NAME = "start"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter,d",
            "demo",
            "Run the demo",
            key_display="enter",
            id="start.demo",
            tooltip="Offline, in some seconds",
        ),
        Binding("c", "go_on", "Go on", id="start.continue", tooltip="Finish what was left undone"),
    ]

    def body(self) -> ComposeResult:
        """Lay out: a column of text in the middle."""
        with VerticalScroll(id="start"):
            yield Static(id="start-text", markup=False)

    def on_mount(self) -> None:
        """Nothing is known of the database yet."""
        self._stored = ""
        self._left = 0

    def reload(self) -> None:
        """Draw, and look what the database holds."""
        self._draw()
        self._look()

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self) -> None:
        try:
            found = await self.session.ask(_left)
        except SteertuiError:
            found = None
        self._stored = ""
        self._left = 0
        if found:
            experiments, trials, answered, self._left = found
            many = f"{experiments} experiments" if experiments > 1 else "an experiment"
            self._stored = f"{many}, {answered:,} of {trials:,} answers"
        self._draw()
        self.refresh_bindings()

    def _draw(self) -> None:
        c = self.colours
        text = Text()
        text.append(QUESTION + "\n\n", "bold")
        text.append(HOW + "\n\n")
        for label in Label:
            text.append("   ").append_text(c.label_text(label))
            text.append(" " * (17 - len(label.value)) + label.definition + "\n", c.quiet)
        text.append("\n" + GAP + "\n\n")
        db = self.session.db
        rows = [
            (
                "enter",
                "run the demo: offline, in seconds; shows how, not what models do",
            )
        ]
        if self._left:
            rows.insert(0, ("c", f"go on: {self._left:,} answers are missing in {db}"))
        rows.append(("1", "plan an experiment with a model of your own"))
        if self._stored:
            rows.append(("3", f"read what {db} holds: {self._stored}"))
            rows.append(("4", "see its results"))
        rows.append(("?", "help on any screen;  ctrl+p  every command;  q  quit"))
        for key, told in rows:
            text.append(f" {key:>5} ", f"bold {c.blue}").append(f"  {told}\n")
        self.query_one("#start-text", Static).update(text)

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Offer to go on only where something is left."""
        return bool(self._left) if action == "go_on" else True

    async def action_demo(self) -> None:
        """Run the demo."""
        await self.host.run_demo()

    async def action_go_on(self) -> None:
        """Finish the newest experiment."""
        await self.host.start()


def _left(store: Store) -> tuple[int, int, int, int] | None:
    """Return experiments, trials and answers in all, and what the newest experiment lacks."""
    known = store.experiments()
    if not known:
        return None
    total, answered = count_all(store)
    newest = known[-1]
    left = newest.trials - len(store.answered_keys(newest.id))
    return len(known), total, answered, left
