"""Result of a sweep as text, and the chosen layers and strengths as a conditions file."""

from pathlib import Path

import tomli_w

from steertui.core.condition import Condition
from steertui.core.interventions import VectorAddition
from steertui.core.model import Model
from steertui.errors import ModelError
from steertui.execution.vector_sweep import SweepResult, SweepSettings
from steertui.output_files import text_output
from steertui.steering.library import StoredVector
from steertui.steering.sweep import SweepRow, best_rows
from steertui.steering.vector import Provenance

HEADER = "layers    strength  effect (nats/token)  against  loss (nats/token)  repetition  coherent"

ARMS = {1: "pro", -1: "anti"}
"""Arm of a direction by the sign of its strength, unless the contrast has names."""


def require_own_model(stored: StoredVector, model: Model) -> None:
    """Raise ModelError if the vector was trained on another model."""
    origin = stored.vector.provenance
    if origin.model_sha256 != model.sha256:
        raise ModelError(
            f"{stored.name}: trained on {origin.model_name or 'an unknown model'}, and a direction "
            f"belongs to one model's weights; train one on {model.name}"
        )


def sweep_lines(result: SweepResult, settings: SweepSettings) -> list[str]:
    """Return the scenarios and limits, and a table with one line per cell."""
    limits = settings.limits
    head = (
        f"{len(result.scenarios)} validation scenarios; coherent: loss at most {limits.loss:g} "
        f"nats/token, repetition at most {limits.repetition:g} above that of unsteered answers"
    )
    return [head, HEADER, *map(_line, result.rows)]


def _line(row: SweepRow) -> str:
    effect = f"{row.effect:+.3f} ± {row.error:.3f}"
    return (
        f"{row.cell.layers:8}  {row.cell.strength:+8g}  {effect:>19}  {row.opposite:7.0%}  "
        f"{row.loss:+17.3f}  {row.repetition:10.0%}  {'yes' if row.is_coherent else 'no':>8}"
    )


def choice_lines(stored: StoredVector, result: SweepResult) -> list[str]:
    """Return the best cell of each direction in words.

    Raises ModelError if no cell is within the limits of coherence.
    """
    best = best_rows(result.rows)
    origin = stored.vector.provenance
    return [f"Best {_arm(origin, sign)}: {_describe(best.get(sign))}" for sign in ARMS]


def write_choice(file: Path, stored: StoredVector, result: SweepResult) -> None:
    """Write the best cell of each direction as a conditions file, with a baseline."""
    best = best_rows(result.rows)
    conditions = [
        Condition("baseline", about="The task as it is, with nothing added."),
        *(_condition(stored, sign, row, result) for sign, row in best.items()),
    ]
    tables = [condition.members for condition in conditions]
    with text_output(file, "conditions", [stored.path]) as target:
        target.write(tomli_w.dumps({"format": 1, "name": file.stem, "condition": tables}))


def _describe(row: SweepRow | None) -> str:
    if row is None:
        return "none; no coherent effect exceeds two standard errors"
    return (
        f"layers {row.cell.layers}, strength {row.cell.strength:+g}: effect {row.effect:+.3f} "
        "nats/token on the validation scenarios, which chose it; measure it on others"
    )


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
