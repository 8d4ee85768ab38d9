"""The lines above a run: how far each stage is, how fast and at what cost, and what went wrong."""

from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text

from steertui.run.progress import STAGES, dollars
from steertui.tui.run.run_messages import Kv, Notice, Queue, Stage
from steertui.tui.widgets.bars import progress_bar, sparkline
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import join_fitting
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.tui.widgets.sanitize import one_line
from steertui.units import size_text

MOST_NOTICES = 3
BAR = 6, 30
"""Columns of a stage's bar, at the least and at the most."""


class StageLine(ReflowingText):
    """One line: what is going on, and how far each stage is."""

    def show(self, state: str, stages: Mapping[str, Stage], colours: Palette) -> None:
        """Draw, as wide as there is room."""
        self.draw_with(lambda room: stage_line(state, stages, room.width, colours))


def stage_line(state: str, stages: Mapping[str, Stage], width: int, colours: Palette) -> Text:
    """Return what is going on, and a bar for each stage."""
    text = Text(end="", no_wrap=True).append(f"{state}   ", f"bold {colours.blue}")
    told = [_stage(name, stage, 0, colours) for name, stage in stages.items()]
    left = width - text.cell_len - sum(t.cell_len + 1 for t in told)
    bar = min(BAR[1], left // max(1, len(told)))
    for name, stage in stages.items():
        text.append_text(_stage(name, stage, bar if bar >= BAR[0] else 0, colours))
    text.truncate(max(1, width), overflow="ellipsis")
    return text


def _stage(name: str, stage: Stage, bar: int, colours: Palette) -> Text:
    text = Text(end="").append(f"{STAGES.get(name, name)} ", colours.quiet)
    if bar:
        text.append_text(progress_bar(stage.done, stage.total, bar, colours)).append(" ")
    text.append(f"{stage.done:,}/{stage.total:,}", f"bold {colours.strong}")
    return text.append(f"  {stage.pace}   " if stage.pace else "   ", colours.quiet)


class PulseLine(ReflowingText):
    """One line: failures, speed, the judge's queue and cost, slots and memory; or, at rest, what
    is stored. What there is no room for is left out, the last first.
    """

    def show(self, parts: Sequence[Text], colours: Palette) -> None:
        """Draw the parts that fit."""
        self.draw_with(lambda room: join_fitting(parts, Text(" · ", colours.faint), room.width))


def at_work(
    speeds: Sequence[float],
    queues: Mapping[str, Queue],
    failed: int,
    room: int,
    kv: Kv | None,
    colours: Palette,
) -> list[Text]:
    """Return a run's pulse, the most telling first."""  # fmt: skip
    c = colours
    parts = [failures(failed, c)] if failed else []
    if speeds:
        now = Text().append(f"{speeds[-1]:,.0f}", f"bold {c.strong}").append(" tokens/s ", c.quiet)
        parts.append(now.append(sparkline(list(speeds), 16), c.blue))
    waiting = sum(q.total - q.done for q in queues.values())
    if waiting:
        parts.append(_number(waiting, "for the judge" if len(queues) == 1 else "for judges", c))
    spent = cost(q.dollars for q in queues.values())
    if spent:
        parts.append(Text().append(spent, f"bold {c.strong}").append(" spent", c.quiet))
    if kv:
        share = f"{100 * kv.used / max(1, kv.cells):.0f} %"
        size = f" of {size_text(kv.size)}" if kv.size else ""
        parts.append(
            Text().append("KV ", c.quiet).append(share, f"bold {c.strong}").append(size, c.quiet)
        )
    if room:
        parts.append(_number(room, "slots", c))
    return parts


def at_rest(answers: int, left: int, judged: int, failed: int, spent: str,
            colours: Palette) -> list[Text]:  # fmt: skip
    """Return what is stored of an experiment, the most telling first."""
    c = colours
    parts = [failures(failed, c)] if failed else []
    parts.append(_number(answers, "answers stored", c))
    if left:
        parts.append(_number(left, "waiting", c))
    parts.append(_number(judged, "judged", c))
    if answers > judged:
        parts.append(_number(answers - judged, "not judged yet", c))
    if spent:
        parts.append(Text().append(spent, f"bold {c.strong}").append(" spent on judges", c.quiet))
    return parts


def failures(count: int, colours: Palette) -> Text:
    """Return how much failed, as nobody overlooks it."""
    return Text(f"! {count:,} failed", f"bold {colours.error}")


def cost(amounts: Iterable[float | None]) -> str:
    """Return the sum of what was paid: "$0.21"; "" for nothing."""
    return dollars(sum(a for a in amounts if a)).removeprefix(", ")


def _number(count: int, what: str, colours: Palette) -> Text:
    return Text().append(f"{count:,}", f"bold {colours.strong}").append(f" {what}", colours.quiet)


class NoticeLine(ReflowingText):
    """What went wrong, or has to be known: a line each, until the next run; hidden without any."""

    def show(self, notices: Sequence[Notice], colours: Palette) -> None:
        """Draw the last ones."""
        self.display = bool(notices)
        text = Text(end="")
        for notice in notices[-MOST_NOTICES:]:
            sign, style = ("! ", colours.error) if notice.is_bad else ("› ", colours.quiet)
            text.append("\n" if text else "").append(sign, f"bold {style}")
            text.append(one_line(notice.text), style if notice.is_bad else colours.quiet)
        if len(notices) > MOST_NOTICES:
            text.append(f"  ({len(notices) - MOST_NOTICES} more before)", colours.quiet)
        self.draw_with(lambda _: text)
