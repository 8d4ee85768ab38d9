"""Status lines of a run: stages, throughput and cost, notices."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from rich.text import Text

from steertui.execution.progress import STAGES, dollars
from steertui.printable import one_line
from steertui.tui.run.run_messages import KvUsage, Notice, Stage
from steertui.tui.run.run_state import RunState
from steertui.tui.widgets.bars import progress_bar, sparkline
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import join_fitting
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.tui.widgets.screen_words import in_screen_words
from steertui.units import counted, size_text

MAX_NOTICES = 3
MIN_BAR_WIDTH = 6
MAX_BAR_WIDTH = 30

SPARKLINE_WIDTH = 16


class StageLine(ReflowingText):
    """One line: state of the run, and progress of each stage."""

    def show(self, state: str, stages: Mapping[str, Stage], colours: Palette) -> None:
        """Show the line, fitted to the width."""
        self.draw_with(lambda room: stage_line(state, stages, room.width, colours))


def stage_line(state: str, stages: Mapping[str, Stage], width: int, colours: Palette) -> Text:
    """Return the state and a progress bar per stage; bars are left out if they do not fit."""
    text = Text(end="", no_wrap=True).append(f"{state}   ", f"bold {colours.blue}")
    without_bars = [_stage(name, stage, 0, colours) for name, stage in stages.items()]
    room = width - text.cell_len - sum(part.cell_len + 1 for part in without_bars)
    bar = min(MAX_BAR_WIDTH, room // max(1, len(stages)))
    for name, stage in stages.items():
        text.append_text(_stage(name, stage, bar if bar >= MIN_BAR_WIDTH else 0, colours))
    text.truncate(max(1, width), overflow="ellipsis")
    return text


def _stage(name: str, stage: Stage, bar: int, colours: Palette) -> Text:
    text = Text(end="").append(f"{STAGES.get(name, name)} ", colours.quiet)
    if bar:
        text.append_text(progress_bar(stage.done, stage.total, bar, colours)).append(" ")
    text.append(f"{stage.done:,}/{stage.total:,}", f"bold {colours.strong}")
    return text.append(f"  {stage.rate}   " if stage.rate else "   ", colours.quiet)


class ActivityLine(ReflowingText):
    """One line: throughput, labels pending, cost and memory of a run, or what is stored.

    Parts that do not fit are left out, the last first.
    """

    def show(self, parts: Sequence[Text], colours: Palette) -> None:
        """Show the parts that fit."""
        self.draw_with(lambda room: join_fitting(parts, Text(" · ", colours.faint), room.width))


def activity_parts(run: RunState, c: Palette, *, is_paused: bool) -> list[Text]:
    """Return throughput, labels pending, cost, memory and slots, the most important first.

    The throughput is the mean of the drawn seconds: on a slow machine a batch takes several.
    A paused run has none.
    """
    parts = [_failures(run.failed, c)] if run.failed else []
    if run.throughputs and not is_paused:
        shown = run.throughputs[-SPARKLINE_WIDTH:]
        rate = Text().append(f"{fmean(shown):,.0f}", f"bold {c.strong}")
        rate.append(" tokens/s ", c.quiet)
        parts.append(rate.append(sparkline(shown, SPARKLINE_WIDTH), c.blue))
    if run.pending:
        parts.append(_number(run.pending, f"{counted(run.pending, 'label')} pending", c))
    spent = _cost(queue.dollars for queue in run.queues.values())
    if spent:
        parts.append(Text().append(spent, f"bold {c.strong}").append(" spent", c.quiet))
    if run.later:
        parts.append(Text("then ", c.quiet).append(one_line(run.later), c.quiet))
    if run.kv:
        parts.append(_kv_part(run.kv, c))
    if run.slot_count:
        parts.append(_number(run.slot_count, counted(run.slot_count, "slot"), c))
    return parts


def stored_parts(run: RunState, c: Palette) -> list[Text]:
    """Return the numbers of answers and labels and the judges' cost, the most important first."""
    parts = [_failures(run.failed, c)] if run.failed else []
    parts.append(_number(run.answered, counted(run.answered, "answer"), c))
    if run.unanswered:
        parts.append(_number(run.unanswered, "unanswered", c))
    parts.append(_number(run.labelled, counted(run.labelled, "label"), c))
    if run.pending:
        parts.append(_number(run.pending, f"{counted(run.pending, 'label')} pending", c))
    elif run.unjudged:
        parts.append(_number(run.unjudged, "unjudged", c))
    if run.unscored and not run.unanswered:
        parts.append(_number(run.unscored, "unscored", c))
    spent = _cost([run.dollars])
    if spent:
        parts.append(Text().append(spent, f"bold {c.strong}").append(" spent on judges", c.quiet))
    return parts


def _kv_part(kv: KvUsage, c: Palette) -> Text:
    share = f"{100 * kv.used / max(1, kv.cells):.0f} %"
    size = f" of {size_text(kv.size)}" if kv.size else ""
    return Text().append("KV ", c.quiet).append(share, f"bold {c.strong}").append(size, c.quiet)


def _failures(count: int, c: Palette) -> Text:
    return Text(f"! {count:,} failed", f"bold {c.error}")


def _cost(amounts: Iterable[float | None]) -> str:
    """Return the sum of the amounts, such as "$0.21"; "" for nothing."""
    return dollars(sum(amount for amount in amounts if amount)).removeprefix(", ")


def _number(count: int, noun: str, c: Palette) -> Text:
    return Text().append(f"{count:,}", f"bold {c.strong}").append(f" {noun}", c.quiet)


class NoticeLine(ReflowingText):
    """One line per notice until the next run; hidden if there are none."""

    def show(self, notices: Sequence[Notice], colours: Palette) -> None:
        """Show the notices."""
        self.display = bool(notices)
        text = notices_text(notices, colours)
        self.draw_with(lambda _: text)


def notices_text(notices: Sequence[Notice], colours: Palette) -> Text:
    """Return the last `MAX_NOTICES` notices: those of failures first, and the newest first.

    The newest failure is why a run has ended, and the lines may have room for it alone.
    """
    text = Text(end="")
    by_weight = sorted(notices, key=lambda notice: notice.is_bad)
    for notice in reversed(by_weight[-MAX_NOTICES:]):
        sign, style = ("! ", colours.error) if notice.is_bad else ("› ", colours.quiet)
        text.append("\n" if text else "").append(sign, f"bold {style}")
        words = one_line(in_screen_words(notice.text))
        text.append(words, style if notice.is_bad else colours.quiet)
    more = len(notices) - MAX_NOTICES
    return text.append(
        f"  ({more} other {counted(more, 'notice')})" if more > 0 else "", colours.quiet
    )
