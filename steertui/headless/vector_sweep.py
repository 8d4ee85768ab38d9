"""`steertui vector sweep`: table of layers and strengths, and the chosen conditions as TOML."""

import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path

import tomli_w

from steertui.assets.weights import find_model
from steertui.core.condition import Condition
from steertui.core.interventions import VectorAddition
from steertui.engine.sizing import Overrides
from steertui.errors import ModelError
from steertui.execution.vector_sweep import SweepProgress, SweepResult, SweepSettings, sweep
from steertui.output_files import text_output
from steertui.printable import print_json, print_line
from steertui.steering.library import StoredVector, find_vector
from steertui.steering.sweep import SweepRow, best_rows
from steertui.steering.vector import Provenance

INTERVAL = 5.0
"""Seconds between two lines of progress."""

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

HEADER = "layers    strength  effect (nats/token)  against  loss (nats/token)  repetition  coherent"

ARMS = {1: "pro", -1: "anti"}
"""Arm of a direction by the sign of its strength, unless the contrast has names."""


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
    if stored.vector.provenance.model_sha256 != model.sha256:
        raise ModelError(
            f"{name}: trained on {stored.vector.provenance.model_name or 'an unknown model'}, and "
            f"a direction belongs to one model's weights; train one on {model.name}"
        )
    try:
        result = _exhaust(sweep(model, stored, settings, overrides))
    except KeyboardInterrupt:
        print_line("Stopped. Nothing is kept; run the same command again.", to_stderr=True)
        return INTERRUPTED
    if form.as_json:
        for row in result.rows:
            print_json(_record(row))
    else:
        _print_table(result, settings)
    best = best_rows(result.rows)
    if not form.as_json:
        for sign in ARMS:
            arm = _arm(stored.vector.provenance, sign)
            print_line(f"Best {arm}: {_describe(best.get(sign))}")
    if form.file:
        _write(form.file, stored, best, result)
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


def _print_table(result: SweepResult, settings: SweepSettings) -> None:
    limits = settings.limits
    print_line(
        f"{len(result.scenarios)} validation scenarios; coherent: loss at most {limits.loss:g} "
        f"nats/token, repetition at most {limits.repetition:g} above that of unsteered answers"
    )
    print_line(HEADER)
    for row in result.rows:
        effect = f"{row.effect:+.3f} ± {row.error:.3f}"
        print_line(
            f"{row.cell.layers:8}  {row.cell.strength:+8g}  {effect:>19}  {row.opposite:7.0%}  "
            f"{row.loss:+17.3f}  {row.repetition:10.0%}  {'yes' if row.is_coherent else 'no':>8}"
        )


def _record(row: SweepRow) -> dict[str, object]:
    """Return a row as a JSON record; unknown values are null."""
    members = asdict(row.cell) | {k: v for k, v in asdict(row).items() if k != "cell"}
    return {k: None if v != v else v for k, v in members.items()}


def _describe(row: SweepRow | None) -> str:
    if row is None:
        return "none; no coherent effect exceeds two standard errors"
    return (
        f"layers {row.cell.layers}, strength {row.cell.strength:+g}: effect {row.effect:+.3f} "
        "nats/token on the validation scenarios, which chose it; measure it on others"
    )


def _write(
    file: Path, stored: StoredVector, best: dict[int, SweepRow], result: SweepResult
) -> None:
    """Write the best cells as a conditions file, with a baseline."""
    conditions = [
        Condition("baseline", about="The task as it is, with nothing added."),
        *(_condition(stored, sign, row, result) for sign, row in best.items()),
    ]
    tables = [condition.members for condition in conditions]
    with text_output(file, "conditions", [stored.path]) as target:
        target.write(tomli_w.dumps({"format": 1, "name": file.stem, "condition": tables}))
    print_line(f"Written: {file}", to_stderr=True)


def _condition(stored: StoredVector, sign: int, row: SweepRow, result: SweepResult) -> Condition:
    arm = _arm(stored.vector.provenance, sign)
    about = (
        f"{stored.name} at the strength chosen on {len(result.scenarios)} validation scenarios: "
        f"effect {row.effect:+.3f} nats/token there."
    )
    addition = VectorAddition(stored.name, row.cell.strength, row.cell.layers)
    return Condition(f"vector-{arm}", about=about, arm=arm, vector=(addition,))


def _arm(origin: Provenance, sign: int) -> str:
    return (origin.positive if sign > 0 else origin.negative) or ARMS[sign]
