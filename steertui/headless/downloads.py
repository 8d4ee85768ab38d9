"""Downloads and verification reported without screens: JSON records, lines or a bar."""

import json
import sys
import time
from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from steertui.assets.fetch.download import RetryWait
from steertui.planning.supply import DownloadPlan, Event, Supplied, Supplying
from steertui.run.downloads import ByteMeter, download_line, waiting_line
from steertui.standard_streams import use_utf8
from steertui.units import size_text

LINE_INTERVAL = 10.0
"""Seconds between two progress lines."""

VERBS = {"fetch": "Fetching", "verify": "Verifying"}


def report_downloads(events: Iterable[Event], *, as_json: bool) -> None:
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
            _tell(download_line(event))
        elif isinstance(event, RetryWait):
            if event.reason != reason and event.seconds > 1:
                _tell(waiting_line(event))
                reason = event.reason
        elif isinstance(event, Supplying):
            reason = ""
            text = meter.text(event)
            if time.monotonic() - last > LINE_INTERVAL:
                last = time.monotonic()
                _tell(f"{VERBS[event.verb]} {event.name}: {text}")
        else:
            _tell(f"Supply  all here and verified: {size_text(event.total)}")


def _bar(events: Iterable[Event]) -> None:
    console, meter, last = Console(stderr=True), ByteMeter(), 0.0
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[pace]}")
    bar, task = Progress(*columns, console=console, auto_refresh=False), None
    with bar:
        for event in events:
            if isinstance(event, DownloadPlan):
                console.print(Text(download_line(event)))
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
