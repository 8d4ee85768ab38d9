"""Texts of the Plan screen: one line per field, the estimate, and the help of a field."""

from collections.abc import Iterator

from rich.text import Text

from steertui.core.experiment import Experiment
from steertui.execution.plan_lines import (
    answered_text,
    gap_text,
    judge_work_text,
    samples_text,
    time_text,
)
from steertui.execution.progress import dollars
from steertui.planning.estimate import Estimate, GridSize
from steertui.planning.footprint import Footprint
from steertui.planning.idle_plan import IMPORTED
from steertui.planning.judge_estimate import JudgeEstimate
from steertui.planning.reach import Sizes
from steertui.printable import one_line, printable
from steertui.tui.plan.fields import Field
from steertui.tui.widgets.download_question import total_text
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import hanging_indent
from steertui.tui.widgets.screen_words import in_screen_words
from steertui.units import quantity, size_text, verb

NAME_WIDTH = 20
"""Columns of a field's title."""

HEADING_WIDTH = 9
"""Columns of a heading in the estimate."""

DEFAULTS = Experiment()


def field_line(field: Field, experiment: Experiment, colours: Palette) -> Text:
    """Return a field's title and value; the value is bold if it differs from the default."""
    value = getattr(experiment, field.name)
    style = "" if value == getattr(DEFAULTS, field.name) else f"bold {colours.strong}"
    line = Text(end="").append(f"{field.title:{NAME_WIDTH}}", colours.quiet)
    return line.append(one_line(field.format(value)), style)


def estimate_text(
    estimate: Estimate | None,
    width: int,
    colours: Palette,
    footprint: Footprint | None = None,
    *,
    in_progress: str = "",
) -> Text:
    """Return the estimate and the memory, line by line; `estimate` is None while it is computed.

    `in_progress` says which run is in progress, which the key r then shows; "" for none.
    """
    c = colours
    text = Text().append(f"{in_progress}\n\n" if in_progress else "", f"bold {c.blue}")
    if estimate is None:
        return text.append("Estimating …", c.quiet)
    if estimate.error:
        text.append(f"! {one_line(in_screen_words(estimate.error))}.", c.error)
        what = "the models" if estimate.error == IMPORTED else "the field named above"
        until = "" if in_progress else "; r runs nothing until then"
        return text.append(f"\n\nChange {what}{until}.", c.quiet)
    for heading, line in _estimate_lines(estimate, footprint, c):
        heading_text = Text(f"{heading:{HEADING_WIDTH}}", c.quiet)
        text.append_text(hanging_indent(heading_text, line, width)).append("\n")
    if estimate.size.trials:
        text.append(f"\n{gap_text(estimate)}.\n")
    text.append("\n").append(" r ", f"bold {c.blue}")
    return text.append("shows the run in progress" if in_progress else _run_action(estimate))


def run_in_progress(experiment: Experiment, at_work: Experiment | None, *, elsewhere: bool) -> str:
    """Return which run is in progress while Plan shows this experiment; "" for none."""
    if at_work == experiment:
        return "A run of this plan is in progress."
    if at_work:
        return "A run of another plan is in progress, and keeps that plan."
    return "A run of another process is in progress on this database." if elsewhere else ""


def _run_action(estimate: Estimate) -> str:
    """Return what the key r does."""
    if estimate.needs_consent:
        return "asks whether to run this experiment"
    if estimate.downloads:
        return "downloads these files, then runs the experiment"
    if estimate.unanswered:
        return "runs the missing trials" if estimate.answered else "runs the experiment"
    if estimate.unscored:
        return "scores the answers that the unsteered model has not scored"
    if any(judge.unjudged for judge in estimate.judges):
        return "judges the answers without a label"
    return "shows the trials: everything is up to date"


def _estimate_lines(
    estimate: Estimate, footprint: Footprint | None, c: Palette
) -> Iterator[tuple[str, Text]]:
    if estimate.size.trials:
        yield from _trial_lines(estimate, c)
    yield from _download_lines(estimate.downloads, footprint, c)
    for index, (name, model) in enumerate(estimate.trainings):
        yield "" if index else "train", Text(f"vector {one_line(name)} on {one_line(model)}")
    if not estimate.size.trials:
        return
    yield "time", Text(time_text(estimate, estimate.unanswered) or "no answers to do", c.quiet)
    if footprint:
        yield from _memory_lines(footprint, c)
    if estimate.unscored:
        yield "score", Text(f"{quantity(estimate.unscored, 'answer')} by the unsteered model")
    for index, judge in enumerate(estimate.judges):
        yield "" if index else "judges", _judge_line(judge, c)
    if not estimate.judges:
        yield "judges", Text("! none: answers are stored without labels", c.warning)
    paid = [judge.dollars for judge in estimate.judges if judge.labels and judge.dollars]
    if len(paid) > 1:
        yield "cost", Text(f"about {dollars(sum(paid))[2:]} in all", c.warning)


def _download_lines(
    downloads: Sizes, footprint: Footprint | None, c: Palette
) -> Iterator[tuple[str, Text]]:
    """Yield one line per file to download, then their total and the free space."""
    for index, (name, size) in enumerate(downloads):
        size_or_unknown = size_text(size) if size else "size unknown"
        yield "" if index else "fetch", Text(f"↓ {one_line(name)}, {size_or_unknown}", c.warning)
    if downloads and footprint:
        sizes = [size for _, size in downloads]
        if any(sizes):
            yield "", Text(f"{total_text(sizes)} in all", c.quiet)
        yield "", _free_text("disk", footprint.disk, sum(sizes), c)


def _memory_lines(footprint: Footprint, c: Palette) -> Iterator[tuple[str, Text]]:
    """Yield the largest weights and the free memory."""
    name, size = one_line(footprint.name), size_text(footprint.weights)
    unknown = footprint.others_unknown
    text = f"{size} for the weights of {name}, and the KV cache"
    if unknown:
        text += f"; {quantity(unknown, 'other size')} {verb(unknown, 'is', 'are')} not known"
    yield "memory", Text(text, c.quiet)
    yield "", _free_text("memory", footprint.memory, footprint.weights, c)


def _free_text(what: str, free: int, needed: int, c: Palette) -> Text:
    return Text(f"free {what}: {size_text(free)}", "" if needed < free else c.error)


def _trial_lines(estimate: Estimate, c: Palette) -> Iterator[tuple[str, Text]]:
    trials = Text().append(f"{estimate.size.trials:,}", f"bold {c.strong}")
    yield "trials", trials.append(f" = {_grid_text(estimate.size)}", c.quiet)
    if estimate.answered is not None or estimate.needs_consent:
        answered = Text(answered_text(estimate), c.quiet)
        yield "", answered.append(f"{estimate.unanswered:,} to do", f"bold {c.strong}")


def _grid_text(size: GridSize) -> str:
    """Return "1 model × 36 scenarios × 4 conditions"; samples only if there are several."""
    axes = [
        quantity(size.models, "model"),
        quantity(size.scenarios, "scenario"),
        quantity(size.conditions, "condition"),
    ]
    if size.samples > 1:
        axes.append(samples_text(size))
    return " × ".join(axes)


def _judge_line(judge: JudgeEstimate, c: Palette) -> Text:
    text = Text().append(one_line(judge.name), f"bold {c.strong}")
    if judge.missing_key:
        hint = f"  ! no API key: set {judge.missing_key} and restart steertui"
        return text.append(hint, c.error)
    if judge.problem:
        return text.append(f"  ! {one_line(judge_work_text(judge))}", c.error)
    is_unpriced = judge.unjudged and not judge.is_local and judge.dollars is None
    return text.append(f"  {judge_work_text(judge)}", c.warning if is_unpriced else c.quiet)


def field_text(field: Field, estimate: Estimate | None, colours: Palette) -> Text:
    """Return the help of a field; for conditions also their texts."""
    c = colours
    text = Text().append(field.title, f"bold {c.strong}").append(f"  {field.about}\n", c.quiet)
    if field.hint:
        text.append(f"{field.hint}\n", c.quiet)
    if estimate and field.name == "categories":
        for name in estimate.categories:
            text.append(f"  {one_line(name)}\n")
    if estimate and field.name == "conditions":
        for condition in estimate.conditions:
            text.append(f"\n{one_line(condition.name)}", f"bold {c.strong}")
            text.append(f"  {one_line(condition.about)}\n", c.quiet)
            steering = printable(condition.text) or "(nothing added)"
            text.append(f"{steering}\n", f"italic {c.blue}")
    return text
