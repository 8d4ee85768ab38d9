"""A trial's texts in a Flow: verdicts, answer, reasoning, and the prompt with its suffix marked."""

from rich.text import Text

from steertui.core.verdict import SIGNS, Label
from steertui.store.trials import StoredVerdict, TrialText
from steertui.tui.widgets.label_style import FAILED, Palette
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.sanitize import one_line

MOST_WORDS = 2_000
"""Characters of a judge's reason or failure that are shown; a sentence is asked for."""

DOUBTFUL = 0.2
"""Margin between the two likeliest labels below which a verdict is called doubtful."""


def verdict_line(reading: StoredVerdict, colours: Palette) -> Text:
    """Return one judge's verdict: sign, label, likelihood, reason."""
    if reading.label is None:
        text = Text().append(f"{FAILED} failed", f"bold {colours.error}")
        text.append(f"  {one_line(reading.judge)}", colours.quiet)
        return text.append(f"  {one_line(reading.failure[:MOST_WORDS])}")
    text = Text().append_text(colours.label_text(reading.label))
    text.append(f"  {one_line(reading.judge)}", colours.quiet)
    if reading.probabilities:
        best, second = sorted(reading.probabilities, reverse=True)[:2]
        chance = reading.probabilities[list(Label).index(reading.label)]
        text.append(f"  p {chance:.2f}", colours.quiet)
        if best - second < DOUBTFUL:
            text.append("  doubtful", colours.warning)
    if reading.reason:
        text.append(f"  “{one_line(reading.reason[:MOST_WORDS])}”", "italic")
    return text


def chances_line(reading: StoredVerdict, colours: Palette) -> Text:
    """Return the four labels' probabilities with their signs."""
    text = Text("   ")
    for label, chance in zip(Label, reading.probabilities or (), strict=False):
        text.append(f"{SIGNS[label]} ", colours.label(label))
        text.append(f"{chance:.3f}   ", colours.quiet)
    return text


def show_trial(flow: LongText, trial: TrialText, colours: Palette, *, unfolded: bool) -> None:
    """Show one trial in full, with where it belongs and how it was drawn around it."""
    place = f"{one_line(trial.title)} · {one_line(trial.condition)} · {one_line(trial.model)}"
    drawn = f"temperature {trial.temperature:g}" if trial.temperature else "greedy"
    wrote = f" · {trial.tokens} tokens · {trial.seconds:.1f} s" if trial.answer is not None else ""
    set_titles(flow, place, drawn + wrote)
    flow.clear()
    add_head(flow, trial, colours, chances=True)
    add_answer(flow, trial, reasoning=unfolded)
    flow.add("")
    add_prompt(flow, trial)


def add_head(flow: LongText, trial: TrialText, colours: Palette, *, chances: bool = False) -> None:
    """Add every judge's verdict."""
    for reading in trial.readings:
        flow.add(verdict_line(reading, colours))
        if chances and reading.probabilities:
            flow.add(chances_line(reading, colours))
    if trial.answer is not None and not trial.readings:
        flow.add(Text("not judged yet", colours.quiet))
    flow.add("")


def add_answer(flow: LongText, trial: TrialText, *, reasoning: bool = False) -> None:
    """Add the answer, under its reasoning if that is unfolded."""
    if trial.reasoning and reasoning:
        flow.add("Reasoning", "heading")
        flow.add(trial.reasoning, "quiet")
        flow.add("")
        flow.add("Answer", "heading")
    elif trial.reasoning:
        count = len(trial.reasoning.split())
        flow.add(f"reasoning of {count:,} words, folded", "quiet")
        flow.add("")
    if trial.answer is None:
        flow.add("This trial waits for its answer.", "quiet")
    else:
        flow.add(trial.answer or "(an empty answer)")
    if trial.stop == "length":
        flow.add("")
        flow.add("cut off at the token limit", "quiet")


def add_prompt(flow: LongText, trial: TrialText) -> None:
    """Add what the model was told, the suffix in a style of its own."""
    if trial.system:
        flow.add("System", "heading")
        flow.add(trial.system.strip(), "quiet")
        flow.add("")
    flow.add("Task", "heading")
    flow.add(trial.task.rstrip(), "quiet")
    if trial.suffix.strip():
        flow.add("")
        flow.add(f"Suffix of {one_line(trial.condition)}", "heading")
        flow.add(trial.suffix.strip(), "suffix")
