"""Downloads and verification reported without screens: JSON records, lines or a bar."""

import sys
import time
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from steertui.assets.fetch.download import RetryWait
from steertui.core.experiment import Experiment
from steertui.errors import HubUnreachableError
from steertui.execution.downloads import (
    ByteMeter,
    complete_text,
    download_line,
    training_line,
    waiting_line,
)
from steertui.execution.plan_lines import missing_text
from steertui.planning.reach import missing_sizes
from steertui.planning.supply import (
    DownloadPlan,
    DownloadProgress,
    DownloadsComplete,
    Event,
    parts_of,
    requirements_of,
)
from steertui.planning.vector_training import VectorTraining
from steertui.printable import print_json, print_line, printable_line
from steertui.report.rich_tables import line_text
from steertui.standard_streams import use_utf8
from steertui.units import size_text

DOWNLOAD_STOPPED = "\nStopped. Downloaded bytes stay; run the same command again to resume."
"""Message on stderr after an interrupted download."""

RECORD_INTERVAL = 1.0
"""Seconds between two progress records."""

LINE_INTERVAL = 10.0
"""Seconds between two progress lines."""

BAR_INTERVAL = 0.1
"""Seconds between two redraws of the bar."""

VERBS = {"fetch": "Downloading", "verify": "Verifying"}


def report_downloads(events: Iterable[Event], *, as_json: bool) -> None:
    """Consume the events and report them as records, as a bar or as lines."""
    if as_json:
        use_utf8()
        _records(events)
    elif sys.stderr.isatty():
        _bar(events)
    else:
        _lines(events)


def report_supply(events: Iterable[Event], experiment: Experiment, *, as_json: bool) -> None:
    """Report the downloads of an experiment, as `report_downloads` does.

    Before the first wait for a hub, and if the hub cannot be reached, the missing files are listed
    with what needs them: a model, a judge, scenarios, conditions or the rubric.
    """
    report_downloads(_with_missing_files(events, experiment, as_json=as_json), as_json=as_json)


def _with_missing_files(
    events: Iterable[Event], experiment: Experiment, *, as_json: bool
) -> Iterator[Event]:
    is_listed = False
    try:
        for event in events:
            if isinstance(event, RetryWait) and not is_listed:
                is_listed = True
                _list_missing(experiment, as_json=as_json)
            yield event
    except HubUnreachableError:
        if not is_listed:
            _list_missing(experiment, as_json=as_json)
        raise


def _list_missing(experiment: Experiment, *, as_json: bool) -> None:
    sources, weights = missing_sizes(requirements_of(experiment))
    files = sources + weights
    if not files:
        return
    if as_json:
        parts = parts_of(experiment)
        listed = [{"name": n, "part": parts[n], "bytes": size} for n, size in files]
        _write("missing_files", files=listed)
    else:
        _print(f"Missing {missing_text(files, experiment)}")


def _records(events: Iterable[Event]) -> None:
    last = 0.0
    for event in events:
        if isinstance(event, DownloadPlan):
            plan = {"fetch": dict(event.fetch), "verify": dict(event.verify), "bytes": event.total}
            _write("download_plan", **plan)
        elif isinstance(event, DownloadsComplete):
            _write("downloaded", bytes=event.total)
        elif isinstance(event, VectorTraining):
            if event.is_stored:
                _write("vector_trained", name=event.name, model=event.model, pairs=event.total)
        elif time.monotonic() - last > RECORD_INTERVAL:
            last = time.monotonic()
            if isinstance(event, RetryWait):
                _write(
                    "download_waiting", name=event.name, reason=event.reason, seconds=event.seconds
                )
            else:
                done = {"done": event.all_done, "bytes": event.total}
                _write("downloading", verb=event.verb, name=event.name, **done)


def _write(event: str, **fields: object) -> None:
    print_json({"event": event} | fields)


def _lines(events: Iterable[Event]) -> None:
    meter = ByteMeter()
    last = time.monotonic()
    reason = ""
    for event in events:
        if isinstance(event, DownloadPlan):
            _print(download_line(event))
        elif isinstance(event, RetryWait):
            if event.reason != reason and event.seconds > 1:
                _print(waiting_line(event))
                reason = event.reason
        elif isinstance(event, VectorTraining):
            last = _print_training(event, last)
        elif isinstance(event, DownloadProgress):
            reason = ""
            text = meter.text(event)
            if time.monotonic() - last > LINE_INTERVAL:
                last = time.monotonic()
                _print(f"{VERBS[event.verb]} {event.name}: {text}")
        else:
            _print(_complete_line(event))


def _bar(events: Iterable[Event]) -> None:
    console = Console(stderr=True)
    meter = ByteMeter()
    last = 0.0
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        console=console,
        auto_refresh=False,
    )
    task = None
    with bar:
        for event in events:
            if isinstance(event, DownloadPlan):
                console.print(line_text(download_line(event)))
                task = bar.add_task("", total=event.total, rate="")
            elif isinstance(event, DownloadsComplete):
                console.print(line_text(_complete_line(event)))
            elif isinstance(event, VectorTraining):
                last = _print_training(event, last)
            elif task is not None:
                last = _update_bar(bar, task, event, meter, last)


def _update_bar(
    bar: Progress, task: TaskID, event: DownloadProgress | RetryWait, meter: ByteMeter, last: float
) -> float:
    """Update the bar if it is due; return the time of the last update, `last` if there was none."""
    now = time.monotonic()
    if isinstance(event, RetryWait):
        is_due = now - last > BAR_INTERVAL
        bar.update(
            task, rate=printable_line(f"{event.reason}, {event.seconds:.0f} s"), refresh=is_due
        )
    elif now - last > BAR_INTERVAL or event.all_done == event.total:
        bar.update(
            task,
            description=printable_line(f"{VERBS[event.verb]} {event.name}"),
            completed=event.all_done,
            rate=meter.text(event),
            refresh=True,
        )
    else:
        return last
    return now


def _print_training(event: VectorTraining, last: float) -> float:
    """Print the first line of a training, the last, and others if due; return the new `last`."""
    now = time.monotonic()
    if event.done and not event.is_stored and now - last < LINE_INTERVAL:
        return last
    _print(training_line(event))
    return now


def _print(line: str) -> None:
    print_line(line, to_stderr=True)


def _complete_line(event: DownloadsComplete) -> str:
    return f"Files   {complete_text(event)}: {size_text(event.total)}"
