"""The Run screen: the matrix fills, the rates narrow, the answers can be read as they come."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from rich.console import Group
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widgets import DataTable, Footer, ProgressBar, Static

from steertui.plan import Plan
from steertui.progress import STAGES
from steertui.prompt import Prompt
from steertui.report import terminal
from steertui.report.summary import Summary
from steertui.store import Cell
from steertui.tui.labels import named, plain
from steertui.tui.matrix import Matrix
from steertui.tui.runner import Ended, Planned, Runner, Ticked
from steertui.verdict import Label


class RunScreen(Screen[None]):
    """Shows one run; the store is the truth, and this screen only what was told of it.

    `hire` makes a Runner that posts to the given target.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 (an instance variable above)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "stop", "Stop or go on", id="run.stop", tooltip="Nothing done is lost"),
        Binding("tab", "app.focus_next", "Next panel", id="run.next", tooltip="Move the focus"),
        Binding("q", "app.quit", "Quit", id="run.quit", tooltip="Leave; what is done is stored"),
    ]

    def __init__(self, hire: Callable[[MessagePump], Runner], about: str) -> None:
        super().__init__()
        self._hire, self._about = hire, about
        self._runner = hire(self)
        self._plan: Plan | None = None
        self._cells: dict[str, Cell] = {}
        self._writing: dict[str, str] = {}
        self._is_running = False

    def compose(self) -> ComposeResult:
        """Lay out: a head, the matrix beside results and text, a footer."""
        yield Static(self._about, id="about", markup=False)
        with Horizontal(id="stage"):
            yield Static("planning …", id="stage-name", markup=False)
            yield ProgressBar(id="bar", show_eta=False)
            yield Static("", id="pace", markup=False)
        with Horizontal(id="body"):
            yield Matrix(id="matrix", zebra_stripes=True)
            with Vertical(id="right"):
                with VerticalScroll(id="results-box"):
                    yield Static("No verdict yet.", id="results", markup=False)
                with VerticalScroll(id="reading-box"):
                    yield Static("", id="reading", markup=False)
        yield Static(_legend(), id="legend")
        yield Footer()

    def on_mount(self) -> None:
        """Begin."""
        self.query_one("#matrix").border_title = "scenario × condition"
        self.query_one("#results-box").border_title = "results so far"
        self.query_one("#reading-box").border_title = "answer"
        self.query_one(Matrix).focus()
        self._start()

    def on_unmount(self) -> None:
        """Let the run end within a step."""
        self._runner.stop.set()

    def _start(self) -> None:
        self._is_running = True
        self._runner = self._hire(self)
        self.run_worker(self._runner.work, thread=True, exclusive=True)

    def action_stop(self) -> None:
        """Stop the run, or go on with what is missing."""
        if self._is_running:
            self._runner.stop.set()
            self._say("stopping …")
        else:
            self._start()

    def _say(self, text: str) -> None:
        self.query_one("#stage-name", Static).update(text)

    @on(Planned)
    def _planned(self, message: Planned) -> None:
        matrix = self.query_one(Matrix)
        if self._plan is None:
            matrix.fill(message.plan)
        self._plan, self._cells = message.plan, dict(message.cells)
        for key, cell in self._cells.items():
            matrix.show(key, cell)
        self._show_results(message.summary)
        self._read()

    @on(Ticked)
    def _ticked(self, message: Ticked) -> None:
        matrix = self.query_one(Matrix)
        if message.stage:
            self._say(STAGES[message.stage])
            bar = self.query_one(ProgressBar)
            bar.update(total=message.total, progress=message.done)
        if message.pace:
            self.query_one("#pace", Static).update(f"  {message.pace}")
        for key, answer in message.answers.items():
            self._cells[key] = Cell(answer)
            matrix.show(key, self._cells[key])
        for key, verdict in message.verdicts.items():
            v, old = verdict, self._cells.get(key, Cell(""))
            self._cells[key] = replace(old, label=v.label, failure=v.failure, reason=v.reason)
            matrix.show(key, self._cells[key])
        if message.stage == "generate":
            self._writing = {slot.id: slot.text for slot in message.slots}
            for key in self._writing.keys() - self._cells.keys():
                matrix.show(key, None, is_writing=True)
        if message.trouble:
            self.notify(message.trouble, severity="warning", markup=False)
        if message.summary:
            self._show_results(message.summary)
        self._read()

    @on(Ended)
    def _ended(self, message: Ended) -> None:
        self._is_running, self._writing = False, {}
        self.query_one("#pace", Static).update("")
        if message.summary:
            self._show_results(message.summary)
        if message.trouble:
            self._say("failed")
            self.notify(message.trouble, severity="error", timeout=30, markup=False)
        else:
            self._say("stopped; s goes on" if message.stopped else "done")
        self._read()

    @on(DataTable.CellHighlighted)
    def _moved(self) -> None:
        self._read()

    def _show_results(self, summary: Summary) -> None:
        parts = list(terminal.draw(summary))
        self.query_one("#results", Static).update(Group(*parts))

    def _read(self) -> None:
        prompt = self.query_one(Matrix).chosen()
        if prompt:
            self.query_one("#reading-box").border_title = _heading(prompt)
            cell = self._cells.get(prompt.key)
            text = _reading(cell, self._writing.get(prompt.key, ""), prompt)
            self.query_one("#reading", Static).update(text)


def _heading(prompt: Prompt) -> Text:
    return Text(f"{prompt.trial.scenario.title} · {prompt.trial.condition.name}")


def _reading(cell: Cell | None, writing: str, prompt: Prompt) -> Text:
    """Return a cell's verdict and answer, or what is being written, and the task under it."""
    text = Text()
    if cell and cell.label:
        text.append_text(named(cell.label))
        text.append(f"  {plain(cell.reason)}\n\n" if cell.reason else "\n\n", "italic")
    elif cell and cell.failure:
        text.append(f"! the judge failed: {plain(cell.failure)}\n\n", "bold")
    if cell and cell.answer is not None:
        text.append(plain(cell.answer) or "(an empty answer)")
    else:
        text.append(plain(writing) + "▌" if writing else "waiting")
    text.append(f"\n\nTask\n{plain(prompt.trial.user)}", "dim")
    return text


def _legend() -> Text:
    parts = [named(label) for label in Label]
    parts.append(Text("▪ answered  ▸ writing  ▫ waiting  ! judge failed", "dim"))
    return Text("  ").join(parts)
