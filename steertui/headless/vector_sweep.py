"""`steertui vector sweep`: table of layers and strengths, and the chosen conditions as TOML."""

import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path

from steertui.assets.weights import find_model
from steertui.engine.sizing import Overrides
from steertui.execution.sweep_choice import (
    choice_lines,
    require_own_model,
    sweep_lines,
    write_choice,
)
from steertui.execution.vector_sweep import SweepProgress, SweepResult, SweepSettings, sweep
from steertui.printable import print_json, print_line
from steertui.steering.library import find_vector
from steertui.steering.sweep import SweepRow

INTERVAL = 5.0
"""Seconds between two lines of progress."""

INTERRUPTED = 130
"""Exit code after Ctrl-C."""


@dataclass(frozen=True, slots=True)
class SweepOutput:
    """Form of the output: records instead of a table, and a file for the chosen conditions."""

    as_json: bool = False
    file: Path | None = None


def sweep_command(
    name: str, model_name: str, settings: SweepSettings, overrides: Overrides, form: SweepOutput
) -> int:
    """Run a sweep, print its table and the best cells, and write these; return the exit code.

    Raises ModelError if no cell is within the limits of coherence.
    """
    stored = find_vector(name)
    model = find_model(model_name)
    require_own_model(stored, model)
    try:
        result = _exhaust(sweep(model, stored, settings, overrides))
    except KeyboardInterrupt:
        print_line("Stopped. Nothing is kept; run the same command again.", to_stderr=True)
        return INTERRUPTED
    if form.as_json:
        for row in result.rows:
            print_json(_record(row))
    else:
        for line in sweep_lines(result, settings):
            print_line(line)
    choices = choice_lines(stored, result)
    if not form.as_json:
        for line in choices:
            print_line(line)
    if form.file:
        write_choice(form.file, stored, result)
        print_line(f"Written: {form.file}", to_stderr=True)
    return 0


def _exhaust(work: Generator[SweepProgress, None, SweepResult]) -> SweepResult:
    """Exhaust the work, print its progress to stderr, and return its result."""
    last = time.monotonic()
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            result: SweepResult = end.value
            return result
        if time.monotonic() - last > INTERVAL:
            last = time.monotonic()
            print_line(f"Sweep: {event.done} of {event.total} requests", to_stderr=True)


def _record(row: SweepRow) -> dict[str, object]:
    """Return a row as a JSON record; unknown values are null."""
    members = asdict(row.cell) | {k: v for k, v in asdict(row).items() if k != "cell"}
    return {k: None if v != v else v for k, v in members.items()}
