"""Label screen: one answer at a time, with condition and judges' labels hidden."""

import asyncio
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from steertui.analysis.label_queue import (
    AlreadyLabelledError,
    QueueItem,
    QueueOrder,
    add_label,
)
from steertui.core.verdict import LABEL_KEYS, Label
from steertui.errors import SteertuiError
from steertui.printable import one_line
from steertui.store.trial_filter import TrialFilter
from steertui.tui.label.batch import (
    Agreement,
    LabelBatch,
    LabelCounts,
    count_labels,
    draw_batch,
    show_agreement,
    take_back,
)
from steertui.tui.label.batch_form import batch_form, load_settings, read_settings, save_settings
from steertui.tui.label.label_text import (
    AT_WORK,
    DRAWING,
    JUDGING,
    JUDGING_LATER,
    NO_ANSWERS,
    NO_MARGINS,
    RUN_LABELS,
    end_lines,
    keys,
    progress,
    replaced_text,
)
from steertui.tui.pending_labels import labelling_judges
from steertui.tui.widgets.form_dialog import FormDialog
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.live_page import LivePage
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.reflowing_text import ReflowingText

HELP = """
Label answers yourself: read the task and the answer, and press the letter of the label that fits.
The next answer follows at once; a key that is held labels one answer. The condition, its suffix and
the labels of other judges stay hidden, so that they do not influence you. The agreement with the
judge is shown when the batch has ended.

A batch is drawn at random by default, in turn from each condition and each label of the judge: only
such a stratified random sample can correct the judge's rates. **b** starts another batch with
another number of answers, with the answers first on which the judge is least certain (in turn from
every condition and label; a judge without probabilities has none), or under another name; number
and name are kept for the next start. **space** moves an answer to the end of the batch.

**u** takes your last label in this experiment back and shows its answer again, then the label
before it and so on, those of earlier batches and days, too. The label is removed from the database.
Only a label that is older than the last agreement that this screen has shown you stays there: the
next label of its answer replaces it in all numbers. The report warns if you replaced more than 10 %
of your labels.

Your labels are stored with the judges' labels, under the name above the answer: that of the
system's user, until **b** changes it. The Results screen shows them like those of any judge. Two
people with one name count as one person: an answer that the other has labelled since your batch was
drawn takes no label of yours.

A batch is drawn from the answers that exist then. If a run stores more meanwhile, the line says how
many are newer: they are in no batch until **b** draws a new one, and labels of a batch that was
drawn early are no random sample of all answers.
"""


class LabelScreen(LivePage):
    """Screen that shows the next answer of the batch."""

    NAME = "label"
    HELP = HELP
    ONCE = frozenset({*LABEL_KEYS.values(), "enter", "u", "ctrl+z", "space"})
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                key,
                f"label('{label.value}')",
                label.words,
                id=f"label.{label.value}",
                show=False,
                tooltip=label.definition,
            )
            for label, key in LABEL_KEYS.items()
        ),
        Binding(
            "enter",
            "end",
            "End batch",
            id="label.end",
            tooltip="Show the agreement",
        ),
        Binding("enter", "next", "Next batch", id="label.next", tooltip="Label the next batch"),
        Binding("u,ctrl+z", "undo", "Undo", id="label.undo", tooltip="Take the last label back"),
        Binding("space", "skip", "Skip", id="label.skip", tooltip="Label it at the end"),
        Binding("b", "batch", "Batch", id="label.batch", tooltip="Choose size, order, your name"),
        Binding("d", "disagreements", "Disagreements", id="label.differs", tooltip="Read them"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._settings = load_settings()
        self._batch = LabelBatch()
        self._agreement: Agreement | None = None
        self._judging = JUDGING
        self._counts = LabelCounts(0, 0)
        self._is_reopening = False
        self._writing = asyncio.Lock()  # labels and their removal are stored in order
        self._drawn: QueueItem | None = None
        self._version = -1

    def body(self) -> ComposeResult:
        """Yield the progress, the answer and the keys."""
        yield ReflowingText(id="label-head")
        yield LongText(id="label-text")
        yield Static(id="label-keys", markup=False)

    @property
    def is_loading(self) -> bool:
        """Whether the screen's keys wait: it reads its first data, or the answer is not drawn."""
        item = self._batch.item
        return super().is_loading or (item is not None and item is not self._drawn)

    def reload(self) -> None:
        """Show the batch; draw one if there is none or another experiment was opened."""
        if self._version != self.session.version or not self._batch.size:
            self._version = self.session.version
            self._settings = self._settings._replace(order=QueueOrder.RANDOM)
            self._draw_batch()
        elif self._batch.has_ended:
            self._show_agreement()
        else:
            self._show_next()

    def read_again(self) -> None:
        """Show the progress; the answer that is being labelled stays."""
        if self._batch.item:
            self._show_progress()
        else:
            self.reload()

    def show_noted(self) -> None:
        """Draw a batch if there is none, or the end of one, since a run has stored more."""
        lacks_agreement = self._batch.has_ended and not (self._agreement and self._agreement.text)
        if not self._batch.size or lacks_agreement:
            self.reload()
        elif self._batch.has_ended:
            self._show_progress()

    @work(exclusive=True, group="queue", exit_on_error=False)
    async def _draw_batch(self) -> None:
        experiment = self.session.id
        size, annotator, order = self._settings
        self._batch = LabelBatch(order)  # no key labels an answer of another experiment
        self._agreement = None
        self._counts = LabelCounts(0, 0)
        self.refresh_bindings()
        if not experiment:
            self.show_empty(f"No answers to label: {self.session.unplanned}.")
            return
        self.show_empty()
        self._show_drawing()
        async with self._writing:
            self._batch = await self.session.with_store(
                lambda store: draw_batch(store, experiment, annotator, size, order)
            )
        if self._batch.size and self._batch.drawn_order is not order:
            self.notify(NO_MARGINS, severity="warning", timeout=15, markup=False)
        self._show_next()

    def _show_drawing(self) -> None:
        """Say that the batch is drawn, which takes seconds of 100,000 answers."""
        long_text = self.query_one(LongText)
        long_text.clear()
        long_text.add(DRAWING, "quiet")

    def _show_next(self) -> None:
        """Show the next answer of the batch and the progress."""
        if self._batch.item:
            self._draw_item(self._batch.item)
        self.refresh_bindings()
        self._show_progress()

    @work(exclusive=True, group="count", exit_on_error=False)
    async def _show_progress(self) -> None:
        # Exclusive: a key pressed meanwhile cancels this and starts its own.
        experiment = self.session.id
        annotator = self._settings.annotator
        async with self._writing:
            counts = await self.session.with_store(
                lambda store: count_labels(store, experiment, annotator)
            )
        self._counts = counts
        self.refresh_bindings()
        self._draw_head(counts)
        if not self._batch.item:
            self._draw_end(counts)

    def _draw_head(self, counts: LabelCounts) -> None:
        batch, colours, name = self._batch, self.colours, self._settings.name
        self.query_one("#label-head", ReflowingText).draw_with(
            lambda size: progress(batch, counts, name, size.width, colours)
        )

    def _draw_item(self, item: QueueItem) -> None:
        long_text = self.query_one(LongText)
        long_text.clear()
        set_titles(long_text, f"{one_line(item.category)} · condition and judge hidden")
        if self._batch.replaced:
            long_text.add(replaced_text(self._batch.replaced, self.colours))
            long_text.add("")
        long_text.add("Task", "heading")
        long_text.add(item.task.strip(), "quiet")
        long_text.add("")
        long_text.add("Answer", "heading")
        long_text.add(item.answer or "(empty answer)")
        long_text.focus()
        self.query_one("#label-keys", Static).update(keys(self.colours))
        self.call_after_refresh(self._note_drawn, item)

    def _note_drawn(self, item: QueueItem) -> None:
        """Let keys label an answer that the terminal shows."""
        self._drawn = item

    def _draw_end(self, counts: LabelCounts) -> None:
        long_text = self.query_one(LongText)
        long_text.clear()
        set_titles(long_text, "batch")
        no_answers = AT_WORK if self.host.is_at_work else NO_ANSWERS
        lines = end_lines(self._batch, self._agreement, counts, no_answers, judging=self._judging)
        for line in lines:
            long_text.add(line)
        self.query_one("#label-keys", Static).update("")

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Enable the keys that have an effect now."""
        batch = self._batch
        if action in ("label", "skip"):
            return bool(batch.item) and not self._is_reopening
        if action == "batch":
            return bool(batch.item or self._counts.answers)
        if action == "end":
            return batch.is_full
        if action == "next":
            return batch.has_ended and self._counts.labelled < self._counts.answers
        if action == "disagreements":
            return bool(self._agreement and self._agreement.disagreements)
        if action == "undo":
            has_label = bool(batch.labelled) or self._counts.labelled > batch.reopened
            return has_label and not self._is_reopening
        return True

    def action_label(self, label: str) -> None:
        """Store the label and show the next answer."""
        item = self._batch.item
        if item:
            self._batch.advance()
            self._store(self._batch, item, Label(label))
            self._show_next()  # after it, so that the progress counts the label

    @work(group="write", exit_on_error=False)
    async def _store(self, batch: LabelBatch, item: QueueItem, label: Label) -> None:
        annotator = self._settings.annotator
        try:
            async with self._writing:
                await self.session.with_store(
                    lambda store: add_label(store, annotator, item, label)
                )
        except AlreadyLabelledError as exc:
            batch.drop(item)
            self.show_error(str(exc))
            self._show_next()
        except SteertuiError as exc:
            batch.go_back(item)
            self.show_error(str(exc))
            self._show_next()

    @work(group="write", exit_on_error=False)
    async def action_undo(self) -> None:
        """Take the last label back, and show its answer again."""
        batch = self._batch
        annotator = self._settings.annotator
        if batch.has_ended or not batch.labelled:
            await self._reopen_stored()
            return
        # At once, so that a letter typed next labels this answer.
        item = batch.labelled[-1]
        batch.go_back(item)
        async with self._writing:
            await self.session.with_store(
                lambda store: store.remove_label(annotator, item.key, item.former)
            )
        self._show_next()

    async def _reopen_stored(self) -> None:
        """Take back the last label that is stored; letters have no effect until it is."""
        batch = self._batch
        experiment, annotator = self.session.id, self._settings.annotator
        self._is_reopening = True
        try:
            async with self._writing:
                found = await self.session.with_store(
                    lambda store: take_back(store, experiment, annotator, batch)
                )
        finally:
            self._is_reopening = False
        if found and self._batch is batch:
            if batch.has_ended:
                self._batch = LabelBatch(batch.order)
                self._agreement = None
            self._batch.reopen(found.item, found.kept)
            self._show_next()

    def action_skip(self) -> None:
        """Move the answer to the end of the batch."""
        if self._batch.item:
            self._batch.skip()
            self._show_next()

    def action_end(self) -> None:
        """End a batch that is labelled and show the agreement."""
        self._batch.has_ended = True
        self._show_agreement()

    def action_next(self) -> None:
        """Draw the next batch."""
        self._draw_batch()

    @work(exclusive=True, group="end", exit_on_error=False)
    async def _show_agreement(self) -> None:
        """Show the agreement of the batch that has ended, with the labels that are stored now."""
        batch, experiment, annotator = self._batch, self.session.id, self._settings.annotator
        async with self._writing:
            agreement = await self.session.with_store(
                lambda store: show_agreement(store, experiment, annotator)
            )
        judging = await self._judges_at_work()
        if batch is self._batch and batch.has_ended:
            self._agreement, self._judging = agreement, judging
            self._show_next()

    async def _judges_at_work(self) -> str:
        """Return how judges label the answers: now in the run of the experiment, or when."""
        at_work = (
            self.session.id if self.host.is_at_work else await self.host.experiment_elsewhere()
        )
        if at_work is None:
            return JUDGING
        is_own_run = at_work == self.session.id and not self.host.labelling_task
        labels = is_own_run and labelling_judges(self.session.experiment)
        return RUN_LABELS if labels else JUDGING_LATER

    @work(exit_on_error=False)
    async def action_batch(self) -> None:
        """Choose order, size and annotator of the next batch, and draw it."""
        values = await self.app.push_screen_wait(FormDialog(batch_form(self._settings)))
        if values is not None:
            self._settings = read_settings(values)
            save_settings(self._settings)
            self._draw_batch()

    async def action_disagreements(self) -> None:
        """Read the answers to which the judge gave another label."""
        if self._agreement:
            wanted = TrialFilter(
                experiment=self.session.id,
                judge=self._agreement.judge,
                differs_from=self._settings.annotator,
            )
            await self.host.show_trials(wanted)
