"""Texts of the Label screen: progress, end of a batch, keys of the labels."""

from rich.text import Text

from steertui.analysis.drift import WARNING_SHARE
from steertui.core.verdict import LABEL_KEYS, Label
from steertui.printable import one_line
from steertui.tui.label.batch import Agreement, LabelBatch, LabelCounts
from steertui.tui.widgets.bars import progress_bar
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.page import PAGES
from steertui.tui.widgets.screen_words import in_screen_words

HERE = PAGES["label"]

LABEL_WIDTH = 16
"""Columns of a label's name in the list of keys."""

MIN_BAR = 8
MAX_BAR = 24
"""Columns of the bar of the progress."""

NO_ANSWERS = "There are no answers yet: 2 opens Run, where r runs the experiment."

AT_WORK = "There are no answers yet: the run in progress generates them, and 2 shows it."

NO_JUDGE = "No judge labelled the answers of this experiment"

DRAWING = "Drawing a batch of the answers …"

NO_MARGINS = (
    "The judge gives no probabilities, so its uncertain answers are unknown: the batch is in "
    "random order."
)

JUDGING = "8 opens Judges, where l labels answers."

JUDGING_LATER = "a run or a judge is at work on this database, and judges can label after it."

RUN_LABELS = "the run in progress labels answers, and 2 shows it."

UNDO_LINE = "u      take the last label back"

KEPT_LINE = "u      label the last answer again; its label stays stored beside the new one"


def progress(
    batch: LabelBatch, counts: LabelCounts, name: str, width: int, colours: Palette
) -> Text:
    """Return the progress in one line; the bar gets the columns that the texts leave.

    While a batch is labelled, its answers and those that it was drawn from are of one time;
    answers that were stored since are named, since the batch is no random sample of all then.
    """
    answers = (batch.answers if batch.item else 0) or counts.answers
    done = len(batch.labelled)
    total = f"   {counts.labelled:,} of {answers:,} labelled by {one_line(name)}"
    count = Text(f" {done:,}/{batch.size:,}", "bold").append(total, f"not bold {colours.quiet}")
    order = Text(f"   {batch.drawn_order} order", colours.quiet)
    newer = counts.answers - answers
    if newer > 0:
        count.append(f"   {newer:,} newer: b draws anew", f"not bold {colours.warning}")
    elif len(" batch ") + MIN_BAR + count.cell_len + order.cell_len <= width:
        count.append_text(order)
    text = Text(" batch ", colours.quiet)
    bar = min(MAX_BAR, width - text.cell_len - count.cell_len)
    if bar >= MIN_BAR:
        text.append_text(progress_bar(done, batch.size, bar, colours))
    return text.append_text(count)


def end_lines(
    batch: LabelBatch,
    agreement: Agreement | None,
    counts: LabelCounts,
    no_answers: str,
    *,
    judging: str,
) -> list[str]:
    """Return the text below the progress when no answer of the batch is left.

    `no_answers` is for an experiment without answers, `judging` says how judges label some.
    """
    if batch.is_full:
        return [
            "The answer of this batch is labelled."
            if batch.size == 1
            else f"All {batch.size:,} answers of this batch are labelled.",
            "",
            "enter  end the batch and show the agreement with the judge",
            UNDO_LINE,
        ]
    if not batch.has_ended:
        lines = ["All answers have a label of yours." if counts.answers else no_answers]
        return [*lines, "", UNDO_LINE] if counts.labelled else lines
    agreement = agreement or Agreement()
    lines = [*_agreement_lines(agreement, judging), ""]
    if agreement.disagreements:
        lines.append(f"d      read the answers with different labels: {agreement.disagreements:,}")
    if counts.labelled < counts.answers:
        lines.append("enter  label the next batch")
    lines.append(KEPT_LINE if agreement.text else UNDO_LINE)
    return lines


def _agreement_lines(agreement: Agreement, judging: str) -> list[str]:
    """Return the agreement and its caveats, or why there is none."""
    if not agreement.judge:
        return [f"{NO_JUDGE}: {judging}"]
    if not agreement.text:
        return [f"{agreement.name} labelled none of the answers that you labelled: {judging}"]
    return [f"Agreement: {agreement.text}.", *map(_caveat, agreement.caveats)]


def _caveat(sentence: str) -> str:
    return f"{one_line(in_screen_words(sentence, here=HERE))}."


def replaced_text(label: Label, colours: Palette) -> Text:
    """Return the sentence on a label that stays stored beside the next one."""
    text = Text("Your label ", colours.warning).append_text(colours.label_text(label))
    return text.append(
        " was given before the agreement was shown. The next label replaces it in all numbers; "
        f"both stay in the database, and the report warns if more than {WARNING_SHARE * 100:.0f} % "
        "of your labels were changed.",
        colours.warning,
    )


def keys(colours: Palette) -> Text:
    """Return the keys of the labels with their definitions, one per line."""
    lines = []
    for label, key in LABEL_KEYS.items():
        line = Text(f" {key} ", f"bold {colours.blue}")
        line.apply_meta({"@click": f"app.simulate_key('{key}')"})
        line.append_text(colours.label_text(label))
        line.append(" " * (LABEL_WIDTH - len(label.words)) + label.definition, colours.quiet)
        lines.append(line)
    return Text("\n").join(lines)
