"""Label screen: one answer at a time, with condition and judges' labels hidden."""

import getpass
from typing import ClassVar, NamedTuple

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
from steertui.printable import one_line
from steertui.store import Store
from steertui.tui.widgets.bars import progress_bar
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.page import Page

HELP = """
Label answers yourself: read the task and the answer, and press the key of the label that fits. The
next answer follows at once. The condition, its suffix and the labels of other judges stay hidden,
so that they do not influence you. The queue takes answers in turn from all conditions and labels,
those with the smallest margins first. **u** returns to the last answer, and a new label replaces
the old one; **space** skips an answer.

Your labels are stored with the judges' labels, under your name, and the Results screen shows them
like those of any judge. On this screen 1 to 4 are labels; **[** and **]** change the screen.
"""

LABEL_WIDTH = 16
"""Columns of a label's name in the list of keys."""


class LabelProgress(NamedTuple):
    """How many answers the annotator has labelled.

    Attributes:
        labelled: answers with a label of the annotator.
        answers: all answers of the experiment.
        agreement: agreement with the first judge as text, "" if there is none.
    """

    labelled: int
    answers: int
    agreement: str


class LabelScreen(Page):
    """Screen that shows the first answer of the queue."""

    NAME = "label"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                str(number),
                f"label('{label.value}')",
                label.words,
                id=f"label.{number}",
                show=False,
                tooltip=label.definition,
                key_display=str(number),
            )
            for number, label in enumerate(Label, 1)
        ),
        Binding("u", "undo", "Undo", id="label.undo", tooltip="Return to the last answer"),
        Binding("space", "skip", "Skip", id="label.skip", tooltip="Label it later"),
        Binding("escape", "app.go('read')", "Leave", id="label.leave", tooltip="Read screen"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._annotator = _system_user()
        self._queue: list[QueueItem] = []
        self._labelled: list[QueueItem] = []
        self._version = -1

    def body(self) -> ComposeResult:
        """Yield the progress, the answer and the keys."""
        yield Static(id="label-head", markup=False)
        yield LongText(id="label-text")
        yield Static(id="label-keys", markup=False)

    def reload(self) -> None:
        """Build the queue again."""
        if self._version != self.session.version:
            self._version = self.session.version
            self._labelled = []
        self._fetch()

    @work(exclusive=True, group="queue", exit_on_error=False)
    async def _fetch(self) -> None:
        experiment = self.session.id
        annotator = self._annotator
        if not experiment:
            self.show_empty("No answers to label: no experiment was run yet.")
            return
        self._queue = await self.session.with_store(
            lambda store: _build(store, experiment, annotator)
        )
        self.show_empty()
        self._show_next()

    @property
    def _item(self) -> QueueItem | None:
        return self._queue[0] if self._queue else None

    def _show_next(self) -> None:
        """Show the first answer of the queue and the progress."""
        if self._item:
            self._draw_item(self._item)
        self.refresh_bindings()
        self._show_progress()

    @work(exclusive=True, group="count", exit_on_error=False)
    async def _show_progress(self) -> None:
        # Exclusive: a key pressed meanwhile cancels this and starts its own.
        experiment = self.session.id
        annotator = self._annotator
        progress = await self.session.with_store(
            lambda store: _progress(store, experiment, annotator)
        )
        self._draw_head(progress)
        if not self._item:
            state = "All answers are labelled." if progress.answers else "There are no answers."
            self._show_message(f"{state} Keys: [ Results, ] Models, escape Read.")

    def _show_message(self, text: str) -> None:
        long_text = self.query_one(LongText)
        long_text.clear()
        set_titles(long_text, "label")
        long_text.add(text, "quiet")
        self.query_one("#label-keys", Static).update("")

    def _draw_head(self, progress: LabelProgress) -> None:
        text = Text(" labelled ", self.colours.quiet)
        bar = progress_bar(progress.labelled, progress.answers, 24, self.colours)
        text.append_text(bar)
        text.append(f" {progress.labelled:,}/{progress.answers:,}", "bold")
        text.append(f"   {progress.agreement}", self.colours.quiet)
        self.query_one("#label-head", Static).update(text)

    def _draw_item(self, item: QueueItem) -> None:
        long_text = self.query_one(LongText)
        long_text.clear()
        set_titles(long_text, f"{one_line(item.category)} · condition and judge hidden")
        long_text.add("Task", "heading")
        long_text.add(item.task.strip(), "quiet")
        long_text.add("")
        long_text.add("Answer", "heading")
        long_text.add(item.answer or "(empty answer)")
        long_text.focus()
        self.query_one("#label-keys", Static).update(_keys(self.colours))

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Enable the keys that have an effect now."""
        if action in ("label", "skip"):
            return bool(self._item)
        return bool(self._labelled) if action == "undo" else True

    @work(group="write", exit_on_error=False)
    async def action_label(self, label: str) -> None:
        """Store the label and show the next answer."""
        item = self._item
        annotator = self._annotator
        if not item:
            return
        self._labelled.append(self._queue.pop(0))
        try:
            await self.session.with_store(
                lambda store: add_label(store, annotator, item, Label(label))
            )
        except SteertuiError as exc:
            self._queue.insert(0, self._labelled.pop())
            self.show_error(str(exc))
        self._show_next()

    @work(group="write", exit_on_error=False)
    async def action_undo(self) -> None:
        """Return to the last labelled answer; its next label replaces the old one."""
        if self._labelled:
            self._queue.insert(0, self._labelled.pop())
            self._show_next()

    @work(group="write", exit_on_error=False)
    async def action_skip(self) -> None:
        """Move the answer to the end of the queue."""
        if self._queue:
            self._queue.append(self._queue.pop(0))
            self._show_next()


def _keys(colours: Palette) -> Text:
    """Return the keys of the labels with their definitions, one per line."""
    lines = []
    for number, label in enumerate(Label, 1):
        line = Text(f" {number} ", f"bold {colours.blue}")
        line.append_text(colours.label_text(label))
        line.append(" " * (LABEL_WIDTH - len(label.words)) + label.definition, colours.quiet)
        lines.append(line)
    return Text("\n").join(lines)


def _system_user() -> str:
    """Return the judge id of the system's user."""
    try:
        return annotator_id(getpass.getuser())
    except (JudgeError, OSError, KeyError):
        return annotator_id("me")


def _first_judge(store: Store, experiment: str) -> str:
    """Return the id of the first judge that is not a person; "" for none."""
    judges = store.judges(experiment)
    return next((judge.id for judge in judges if judge.kind is not JudgeKind.HUMAN), "")


def _build(store: Store, experiment: str, annotator: str) -> list[QueueItem]:
    return build_queue(store, experiment, annotator, _first_judge(store, experiment))


def _progress(store: Store, experiment: str, annotator: str) -> LabelProgress:
    labelled = store.count_judged(experiment, annotator)
    answers = len(store.answered_keys(experiment))
    judge = _first_judge(store, experiment)
    agreement = _agreement(store, experiment, annotator, judge) if judge and labelled else ""
    return LabelProgress(labelled, answers, agreement)


def _agreement(store: Store, experiment: str, annotator: str, judge: str) -> str:
    """Return equal labels with their interval, and kappa, as text; "" if undefined."""
    pair = compare_judges(store, experiment, [annotator, judge]).comparisons[0]
    overall = pair.overall
    if overall.low is None or overall.high is None:
        return ""
    kappa = "" if overall.kappa is None else f", kappa {overall.kappa:.2f}"
    limits = f"[{100 * overall.low:.0f}, {100 * overall.high:.0f}] %"
    name = one_line(pair.second.name)
    return f"{overall.agreed} of {overall.items} labels as {name} {limits}{kappa}"
