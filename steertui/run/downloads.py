"""Fetching and verifying in words and bars: how much, how fast, how long still."""

import json
import sys
import time
from collections import deque
from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from steertui.assets.fetch.remote import RetryWait
from steertui.planning.supply import DownloadPlan, Event, Supplied, Supplying
from steertui.run.progress import clock
from steertui.standard_streams import use_utf8

EVERY = 10.0
WINDOW = 15.0
VERBS = {"fetch": "Fetching", "verify": "Verifying"}


def size_text(size: float) -> str:
    """Return bytes as "2.50 GB": powers of ten, as the hub states sizes."""
    for unit, power in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= power:
            return f"{size / power:.2f} {unit}" if power == 1e9 else f"{size / power:.0f} {unit}"
    return f"{size:.0f} B"


def lacking_line(event: DownloadPlan) -> str:
    """Say what will be fetched and verified, the total first."""
    parts = []
    for verb, items in (("to fetch", event.fetch), ("to verify", event.verify)):
        if items:
            names = ", ".join(name for name, _ in items[:4]) + ", …" * (len(items) > 4)
            files = f"{len(items)} file{'s' * (len(items) > 1)}"
            parts.append(f"{size_text(sum(s for _, s in items))} {verb} ({files}: {names})")
    return "Supply  " + "; ".join(parts)


class ByteMeter:
    """Speed over the last seconds, and the time left at that speed."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def text(self, event: Supplying) -> str:
        """Return "1.20 of 2.50 GB, 48 MB/s, 0:27 left"."""
        now = time.monotonic()
        self._seen.append((now, event.all_done))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW:
            self._seen.popleft()
        seconds, moved = now - self._seen[0][0], event.all_done - self._seen[0][1]
        here = f"{size_text(event.all_done)} of {size_text(event.total)}"
        if seconds < 0.5 or moved <= 0:
            return here
        pace = moved / seconds
        left = clock((event.total - event.all_done) / pace)
        return f"{here}, {size_text(pace)}/s, {left} left"


def carry(events: Iterable[Event], *, as_json: bool) -> None:
    """Let everything be fetched and verified, and show it: records, a bar or lines."""
    if as_json:
        use_utf8()
        _records(events)
    elif sys.stderr.isatty():
        _bar(events)
    else:
        _lines(events)


def _records(events: Iterable[Event]) -> None:
    last = 0.0
    for event in events:
        if isinstance(event, DownloadPlan):
            told = {"fetch": dict(event.fetch), "verify": dict(event.verify), "bytes": event.total}
            _write("lacking", **told)
        elif isinstance(event, Supplied):
            _write("supplied", bytes=event.total)
        elif time.monotonic() - last > 1.0:
            last = time.monotonic()
            if isinstance(event, RetryWait):
                _write("waiting", name=event.name, reason=event.reason, seconds=event.seconds)
            else:
                done = {"done": event.all_done, "bytes": event.total}
                _write("supplying", verb=event.verb, name=event.name, **done)


def _write(event: str, **fields: object) -> None:
    print(json.dumps({"event": event} | fields, ensure_ascii=False), flush=True)


def _lines(events: Iterable[Event]) -> None:
    meter, last, reason = ByteMeter(), time.monotonic(), ""
    for event in events:
        if isinstance(event, DownloadPlan):
            _tell(lacking_line(event))
        elif isinstance(event, RetryWait):
            if event.reason != reason and event.seconds > 1:
                _tell(waiting_line(event))
                reason = event.reason
        elif isinstance(event, Supplying):
            reason = ""
            text = meter.text(event)
            if time.monotonic() - last > EVERY:
                last = time.monotonic()
                _tell(f"{VERBS[event.verb]} {event.name}: {text}")
        else:
            _tell(f"Supply  all here and verified: {size_text(event.total)}")


def waiting_line(event: RetryWait) -> str:
    """Say why nothing moves, and for how long."""
    return f"Waiting for {event.name}: {event.reason}; {event.seconds:.0f} s"


def _bar(events: Iterable[Event]) -> None:
    console, meter, last = Console(stderr=True), ByteMeter(), 0.0
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[pace]}")
    bar, task = Progress(*columns, console=console, auto_refresh=False), None
    with bar:
        for event in events:
            if isinstance(event, DownloadPlan):
                console.print(Text(lacking_line(event)))
                task = bar.add_task("", total=event.total, pace="")
            elif isinstance(event, Supplied):
                console.print(Text(f"Supply  all here and verified: {size_text(event.total)}"))
            elif task is not None:
                last = _move(bar, task, event, meter, last)


def _move(
    bar: Progress, task: TaskID, event: Supplying | RetryWait, meter: ByteMeter, last: float
) -> float:
    now = time.monotonic()
    if isinstance(event, RetryWait):
        bar.update(task, pace=f"{event.reason}, {event.seconds:.0f} s", refresh=now - last > 0.1)
    elif now - last > 0.1 or event.all_done == event.total:
        what, pace = f"{VERBS[event.verb]} {event.name}", meter.text(event)
        bar.update(task, description=what, completed=event.all_done, pace=pace, refresh=True)
    else:
        return last
    return now


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
