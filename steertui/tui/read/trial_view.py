"""Texts of a trial: verdicts, answer, reasoning, and the prompt with its suffix marked."""

from rich.cells import cell_len
from rich.text import Text
from textual.widget import Widget

from steertui.core.scenario import first_words, full_title
from steertui.core.verdict import SIGNS, Label
from steertui.printable import one_line
from steertui.store.trials import StoredVerdict, TrialText
from steertui.tui.widgets.label_style import FAILED, Palette
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.screen_words import in_screen_words
from steertui.units import counted, quantity, verb

MAX_REASON = 2_000
"""Maximum characters of a judge's reason or failure that are shown."""

UNCERTAIN_MARGIN = 0.2
"""Margin between the two largest label probabilities below which a verdict is marked uncertain."""


STEERING_LENGTH = 90
"""Characters of a suffix or other intervention that are shown of one that is folded."""


MIN_TITLE = 20
"""Columns that a scenario's title has at least in the frame, if it is that long."""

FRAME = 4
"""Columns of a frame beside its title."""


def shortened(text: str, length: int) -> str:
    """Return the text, or its beginning with an ellipsis."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def verdict_line(verdict: StoredVerdict, colours: Palette) -> Text:
    """Return one judge's verdict: label, judge, probability and reason."""
    if verdict.label is None:
        text = Text().append(f"{FAILED} failed", f"bold {colours.error}")
        text.append(f"  {one_line(verdict.judge)}", colours.quiet)
        return text.append(f"  {one_line(in_screen_words(verdict.failure[:MAX_REASON]))}")
    text = Text().append_text(colours.label_text(verdict.label))
    text.append(f"  {one_line(verdict.judge)}", colours.quiet)
    if verdict.probabilities:
        largest, second = sorted(verdict.probabilities, reverse=True)[:2]
        probability = verdict.probabilities[list(Label).index(verdict.label)]
        text.append(f"  p {probability:.2f}", colours.quiet)
        if largest - second < UNCERTAIN_MARGIN:
            text.append("  uncertain", colours.warning)
    if verdict.reason:
        text.append(f"  “{one_line(verdict.reason[:MAX_REASON])}”", "italic")
    return text


def probabilities_line(verdict: StoredVerdict, colours: Palette) -> Text:
    """Return the probabilities of the four labels with their signs."""
    text = Text("   ")
    for label, probability in zip(Label, verdict.probabilities or (), strict=False):
        text.append(f"{SIGNS[label]} ", colours.label(label))
        text.append(f"{probability:.3f}   ", colours.quiet)
    return text


def length_text(trial: TrialText) -> str:
    """Return the tokens of an answer; "imported" if they are not known, "" without an answer."""
    if trial.answer is None:
        return ""
    is_measured = trial.tokens or trial.seconds
    return quantity(trial.tokens, "token") if is_measured else "imported"


def show_trial(
    long_text: LongText, trial: TrialText, colours: Palette, *, shows_reasoning: bool
) -> None:
    """Show a trial in full, with its scenario, model and sampling in the frame."""
    set_trial_titles(long_text, trial)
    long_text.clear()
    add_verdicts(long_text, trial, colours, shows_probabilities=True)
    add_answer(long_text, trial, shows_reasoning=shows_reasoning)
    long_text.add("")
    add_prompt(long_text, trial)


def set_trial_titles(panel: Widget, trial: TrialText) -> None:
    """Show scenario, condition, model, sampling and length in the frame of a panel.

    The title of the scenario has the columns that the others leave, at least `MIN_TITLE`.
    """
    others = f" · {one_line(trial.condition)} · {one_line(trial.model)}"
    room = max(MIN_TITLE, panel.outer_size.width - FRAME - cell_len(others))
    title = first_words(one_line(full_title(trial.title, trial.task)), room)
    subtitle = f"temperature {trial.temperature:g}" if trial.temperature else "greedy"
    if trial.answer is not None:
        seconds = f" · {trial.seconds:.1f} s" if trial.seconds else ""
        subtitle += f" · {length_text(trial)}{seconds}"
    set_titles(panel, title + others, subtitle)


def add_verdicts(
    long_text: LongText, trial: TrialText, colours: Palette, *, shows_probabilities: bool = False
) -> None:
    """Add the verdicts of all judges."""
    for verdict in trial.verdicts:
        long_text.add(verdict_line(verdict, colours))
        if shows_probabilities and verdict.probabilities:
            long_text.add(probabilities_line(verdict, colours))
    if trial.answer is not None and not trial.verdicts:
        long_text.add(Text("unjudged", colours.quiet))
    long_text.add("")


def add_answer(long_text: LongText, trial: TrialText, *, shows_reasoning: bool = False) -> None:
    """Add the answer, and the reasoning or its length before it."""
    if trial.reasoning and shows_reasoning:
        long_text.add("Reasoning", "heading")
        long_text.add(trial.reasoning, "quiet")
        long_text.add("")
        long_text.add("Answer", "heading")
    elif trial.reasoning:
        words = len(trial.reasoning.split())
        hidden = f"{words:,} {counted(words, 'word')}, u shows {verb(words, 'it', 'them')}"
        long_text.add(f"reasoning hidden: {hidden}", "quiet")
        long_text.add("")
    if trial.answer is None:
        long_text.add("This trial has no answer yet.", "quiet")
    else:
        long_text.add(trial.answer or "(empty answer)")
    if trial.stop == "length":
        long_text.add("")
        long_text.add("truncated at the token limit", "quiet")


def add_prompt(long_text: LongText, trial: TrialText) -> None:
    """Add system message, task and the condition's interventions, these in their own style."""
    add_task(long_text, trial)
    for title, text in trial.steered_by.parts:
        long_text.add("")
        long_text.add(f"{title} of {one_line(trial.condition)}", "heading")
        long_text.add(text, "suffix")


def add_task(long_text: LongText, trial: TrialText) -> None:
    """Add system message and task."""
    if trial.system:
        long_text.add("System", "heading")
        long_text.add(trial.system.strip(), "quiet")
        long_text.add("")
    long_text.add("Task", "heading")
    long_text.add(trial.task.rstrip(), "quiet")


def add_steering(long_text: LongText, trial: TrialText, *, is_whole: bool) -> None:
    """Add what the condition adds to the prompt or changes in the model, or its beginning."""
    for title, text in trial.steered_by.parts:
        shown = text.strip() if is_whole else shortened(one_line(text.strip()), STEERING_LENGTH)
        long_text.add(f"{title}: {shown}", "suffix")
    if not trial.steered_by.parts:
        long_text.add("nothing added", "quiet")
    long_text.add("")
