"""The Plan screen's texts: the fields as lines, and what would follow from them."""

from collections.abc import Iterator

from rich.text import Text

from steertui.analysis.sentences import quantity
from steertui.core.experiment import Experiment
from steertui.run.progress import dollars
from steertui.tui.plan.estimate import Estimate, Reader
from steertui.tui.plan.fields import Field
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import hanging
from steertui.tui.widgets.sanitize import one_line, plain
from steertui.units import size_text

NAMES = 20
USUAL = Experiment()


def field_line(field: Field, experiment: Experiment, colours: Palette) -> Text:
    """Return a field and its value, bold where it is not the usual one."""
    value = getattr(experiment, field.name)
    style = "" if value == getattr(USUAL, field.name) else f"bold {colours.strong}"
    line = Text(end="").append(f"{field.title:{NAMES}}", colours.quiet)
    return line.append(one_line(field.shown(value)), style)


def estimate_text(estimate: Estimate, width: int, colours: Palette) -> Text:
    """Return what an experiment would do and take, line by line."""
    c, e = colours, estimate
    if e.trouble:
        text = Text().append(f"! {one_line(e.trouble)}.", c.error)
        return text.append("\n\nChange the field that it names; nothing runs before.", c.quiet)
    if not e.trials and not e.fetch:
        return Text("reckoning …", c.quiet)
    text = Text()
    for name, told in _lines(e, c):
        text.append_text(hanging(Text(f"{name:9}", c.quiet), told, width)).append("\n")
    if e.gap:
        text.append(f"\n{e.gap}.\n")
    text.append("\n").append(" r ", f"bold {c.blue}")
    return text.append(_call(e))


def _call(e: Estimate) -> str:
    """Say what r does."""
    if e.fetch:
        return "fetches that, then runs it"
    if e.done != e.trials:
        return "runs it" if not e.done else "runs what is new"
    return "judges what has no label yet" if any(j.left for j in e.judges) else "shows it: all done"


def _lines(e: Estimate, c: Palette) -> Iterator[tuple[str, Text]]:
    bold = f"bold {c.strong}"
    if e.trials:
        nouns = zip(e.grid, ("model", "scenario", "condition", "sample"), strict=True)
        grid = " × ".join(quantity(n, noun) for n, noun in nouns if noun != "sample" or n > 1)
        yield "trials", Text().append(f"{e.trials:,}", bold).append(f" = {grid}", c.quiet)
        if e.done is not None:
            text = Text().append(f"{e.trials - e.done:,} new", bold)
            yield "", text.append(f", {e.done:,} answered before", c.quiet)
    for place, (name, size) in enumerate(e.fetch):
        told = size_text(size) if size else "size not known yet"
        yield "" if place else "to fetch", Text(f"↓ {one_line(name)}, {told}", c.warning)
    if e.trials:
        yield "time", Text(e.time or "nothing is left to be answered", c.quiet)
        if not e.judges:
            yield "judge", Text("! none: answers are stored and stay unlabelled", c.warning)
    for place, judge in enumerate(e.judges):
        yield "" if place else "judge", _judge(judge, c)


def _judge(judge: Reader, c: Palette) -> Text:
    text = Text().append(one_line(judge.name), f"bold {c.strong}")
    if judge.lacks:
        return text.append(f"  ! no key: put it into {judge.lacks} and start anew", c.error)
    text.append(f"  {judge.left:,} labels to give" if judge.left else "  has read all", c.quiet)
    if judge.is_local or not judge.left:
        return text
    if judge.dollars is None:
        return text.append(", at a cost that is not known", c.warning)
    return text.append(f", about {dollars(judge.dollars)[2:]}" if judge.dollars else ", free")


def field_text(field: Field, estimate: Estimate, colours: Palette) -> Text:
    """Return what a field means; conditions with their texts."""
    c = colours
    text = Text().append(field.title, f"bold {c.strong}").append(f"  {field.about}\n", c.quiet)
    if field.hint:
        text.append(f"{field.hint}\n", c.quiet)
    if field.name == "categories":
        for name in estimate.categories:
            text.append(f"  {one_line(name)}\n")
    if field.name == "conditions":
        for condition in estimate.conditions:
            text.append(f"\n{one_line(condition.name)}", f"bold {c.strong}")
            text.append(f"  {one_line(condition.about)}\n", c.quiet)
            added = plain(condition.suffix.strip()) or "(nothing is added)"
            text.append(f"{added}\n", f"italic {c.blue}")
    return text
