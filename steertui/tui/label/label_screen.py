"""The Label screen: one answer at a time, condition and judge hidden; keys 1 to 4, and undo."""

import getpass
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from steertui.analysis.judge_agreement import compare_judges
from steertui.analysis.label_queue import QueueItem, add_label, annotator_id, build_queue
from steertui.core.judge_kind import JudgeKind
from steertui.core.verdict import Label
from steertui.errors import JudgeError, SteertuiError
from steertui.store import Store
from steertui.tui.widgets.bars import progress_bar
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.page import Page
from steertui.tui.widgets.sanitize import one_line

HELP = """
You are a judge, too. Read the task and the answer and press the key of the label that fits; the
next answer comes at once. The condition, its suffix and every other judge's label stay hidden until
you are done: they would lead you. The queue takes answers in turn from all conditions and labels,
those that the judge doubted first. **u** goes back to the last answer, whose next label replaces
the first; **space** skips an answer.

Your labels are stored beside the judges', under your name, and count in Results as a judge's do.
While you label, **[** and **]** turn the screens, since 1 to 4 are labels here.
"""


class LabelScreen(Page):
    """The queue, one answer of it at a time."""

    NAME = "label"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                str(n), f"label('{label.value}')", label.words, id=f"label.{n}", show=False,
                tooltip=label.definition, key_display=str(n),
            )
            for n, label in enumerate(Label, 1)
        ),
        Binding("u", "undo", "Undo", id="label.undo", tooltip="Take the last label back"),
        Binding("space", "skip", "Skip", id="label.skip", tooltip="Decide later"),
        Binding("escape", "app.go('read')", "Leave", id="label.leave", tooltip="To Read"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._judge = _me()
        self._queue: list[QueueItem] = []
        self._done: list[QueueItem] = []
        self._version = -1

    def body(self) -> ComposeResult:
        """Lay out: how far, the answer, the labels."""
        yield Static(id="label-head", markup=False)
        yield LongText(id="label-text")
        yield Static(id="label-keys", markup=False)

    def reload(self) -> None:
        """Ask for the queue anew."""
        if self._version != self.session.version:
            self._version, self._done = self.session.version, []
        self._fetch()

    @work(exclusive=True, group="queue", exit_on_error=False)
    async def _fetch(self) -> None:
        experiment, judge = self.session.id, self._judge
        if not experiment:
            self.show_empty("There is no answer to label yet.")
            return
        self._queue = await self.session.with_store(lambda store: _build(store, experiment, judge))
        self.show_empty()
        self._next()

    @property
    def _item(self) -> QueueItem | None:
        return self._queue[0] if self._queue else None

    def _next(self) -> None:
        """Show the queue's first answer, and count."""
        if self._item:
            self._draw_item(self._item)
        self.refresh_bindings()
        self._count()

    @work(exclusive=True, group="count", exit_on_error=False)
    async def _count(self) -> None:
        """Tell how far the labels are; a key that comes before that leaves it to its own count."""
        experiment, judge = self.session.id, self._judge
        done, answers, agreed = await self.session.with_store(
            lambda store: _standing(store, experiment, judge)
        )
        self._draw_head(done, answers, agreed)
        if not self._item:
            told = "Every answer is labelled." if answers else "There is no answer yet."
            self._say(f"{told} [ shows the results, ] the models; escape reads the trials.")

    def _say(self, text: str) -> None:
        flow = self.query_one(LongText)
        flow.clear()
        set_titles(flow, "label")
        flow.add(text, "quiet")
        self.query_one("#label-keys", Static).update("")

    def _draw_head(self, done: int, answers: int, agreed: str) -> None:
        text = Text(" labelled ", self.colours.quiet)
        text.append_text(progress_bar(done, answers, 24, self.colours))
        text.append(f" {done:,}/{answers:,}", "bold")
        text.append(f"   {agreed}", self.colours.quiet)
        self.query_one("#label-head", Static).update(text)

    def _draw_item(self, item: QueueItem) -> None:
        flow = self.query_one(LongText)
        flow.clear()
        set_titles(flow, f"{one_line(item.category)} · condition and judge hidden")
        flow.add("Task", "heading")
        flow.add(item.task.strip(), "quiet")
        flow.add("")
        flow.add("Answer", "heading")
        flow.add(item.answer or "(an empty answer)")
        flow.focus()
        text = Text()
        for number, label in enumerate(Label, 1):
            text.append(f" {number} ", f"bold {self.colours.blue}")
            text.append_text(self.colours.label_text(label))
            text.append(f"{'':{16 - len(label.value)}}{label.definition}", self.colours.quiet)
            text.append("\n" if number < len(Label) else "")
        self.query_one("#label-keys", Static).update(text)

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Offer a label where there is an answer."""
        if action in ("label", "skip"):
            return bool(self._item)
        return bool(self._done) if action == "undo" else True

    @work(group="write", exit_on_error=False)
    async def action_label(self, label: str) -> None:
        """Store a label, and go on."""
        item, judge = self._item, self._judge
        if not item:
            return
        self._done.append(self._queue.pop(0))
        try:
            await self.session.with_store(lambda store: add_label(store, judge, item, Label(label)))
        except SteertuiError as exc:
            self._queue.insert(0, self._done.pop())
            self.show_error(str(exc))
        self._next()

    @work(group="write", exit_on_error=False)
    async def action_undo(self) -> None:
        """Go back to the last answer; its next label replaces the first."""
        if self._done:
            self._queue.insert(0, self._done.pop())
            self._next()

    @work(group="write", exit_on_error=False)
    async def action_skip(self) -> None:
        """Put the answer at the end of the queue."""
        if self._queue:
            self._queue.append(self._queue.pop(0))
            self._next()


def _me() -> str:
    """Return who labels, as a judge's id."""
    try:
        return annotator_id(getpass.getuser())
    except (JudgeError, OSError, KeyError):
        return annotator_id("me")


def _others(store: Store, experiment: str) -> list[str]:
    return [r.id for r in store.judges(experiment) if r.kind is not JudgeKind.HUMAN]


def _build(store: Store, experiment: str, judge: str) -> list[QueueItem]:
    others = _others(store, experiment)
    return build_queue(store, experiment, judge, others[0] if others else "")


def _standing(store: Store, experiment: str, judge: str) -> tuple[int, int, str]:
    """Return how many of how many answers bear the person's label, and how far he agrees with
    the first other judge, in words."""
    done, answers = store.count_judged(experiment, judge), len(store.answered_keys(experiment))
    others = _others(store, experiment)
    if not others or not done:
        return done, answers, ""
    found = compare_judges(store, experiment, [judge, others[0]]).comparisons[0]
    whole = found.overall
    if whole.low is None or whole.high is None:
        return done, answers, ""
    kappa = "" if whole.kappa is None else f", kappa {whole.kappa:.2f}"
    share = f"{whole.agreed} of {whole.items} as {one_line(found.second.name)}"
    return done, answers, f"{share} [{100 * whole.low:.0f}, {100 * whole.high:.0f}] %{kappa}"
