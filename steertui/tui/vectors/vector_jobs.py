"""Jobs of the Vectors screen: they do the work of its forms."""

from collections.abc import Callable, Generator
from contextlib import closing
from typing import TypeVar

from steertui.assets.weights import find_model
from steertui.engine.sizing import Overrides
from steertui.execution.sweep_choice import (
    choice_lines,
    require_own_model,
    sweep_lines,
    write_choice,
)
from steertui.execution.vector_sweep import SweepProgress, SweepSettings, sweep
from steertui.paths import expand_home
from steertui.planning.contrast_pairs import PairTexts
from steertui.planning.inspection import inspect_file
from steertui.planning.vector_files import (
    chosen_convention,
    export_ablation,
    export_vector,
    import_vector,
)
from steertui.planning.vector_training import train_vector
from steertui.steering.library import find_vector
from steertui.steering.sweep import Limits, grid
from steertui.steering.training import PairsRead, TrainingSettings
from steertui.steering.vector import parse_layers
from steertui.steering.vector_file import Convention
from steertui.tui.vectors.vector_forms import BY_FILE, pair_texts
from steertui.tui.widgets.form import Values, numbers
from steertui.tui.widgets.job_page import Job, JobProgress
from steertui.units import quantity

T = TypeVar("T")

IMPORT_PAIRS = 12
"""Scenarios whose prompts measure the norms of an imported vector's model."""

NO_STEPS: tuple[JobProgress, ...] = ()
"""Steps of a job that can refuse the values until its end."""

Show = Callable[[list[str]], None]
"""Function that shows lines in place of the description."""


def train_job(values: Values) -> Job:
    """Train a vector and its controls, and store them in the library."""
    settings = TrainingSettings(method=values["method"], layers=parse_layers(values["layers"]))
    model = find_model(values["model"])
    work = train_vector(values["name"], model, pair_texts(values), settings)
    stored = yield from _pairs(work, "training")
    names = ", ".join(vector.name for vector in stored[1:])
    return f"{stored[0].name}: trained; controls of the same norms: {names}"


def sweep_job(name: str, values: Values, overrides: Overrides, show: Show) -> Job:
    """Sweep layers and strengths; `show` gets the table and the best cells as lines."""
    stored, model = find_vector(name), find_model(values["model"])
    require_own_model(stored, model)
    settings = SweepSettings(
        cells=tuple(grid(values["layers"].split(), numbers(values["strengths"]))),
        limits=Limits(float(values["loss"]), float(values["repetition"])),
        conditions_file=values["conditions"],
        scenarios=int(values["limit"]),
        max_tokens=int(values["tokens"]),
    )
    result = yield from _steps(
        sweep(model, stored, settings, overrides),
        lambda event: JobProgress(
            f"sweep of {name}", event.done, event.total, f"{event.done} of {event.total} requests"
        ),
    )
    table = sweep_lines(result, settings)
    show(table)  # before the choice, which fails if nothing is coherent
    show([*table, "", *choice_lines(stored, result)])
    if not values["file"]:
        return f"{name}: swept"
    write_choice(expand_home(values["file"]), stored, result)
    return f"{name}: swept; the best of each direction is written to {values['file']}"


def import_job(values: Values) -> Job:
    """Check a foreign file against its model, and store it in the library."""
    file, name = expand_home(values["file"]), values["name"]
    chosen = values["convention"]
    convention = chosen_convention(file, None if chosen == BY_FILE else Convention(chosen))
    work = import_vector(file, name, values["model"], convention, PairTexts(limit=IMPORT_PAIRS))
    stored = yield from _pairs(work, "measuring the norms")
    return f"{stored.name}: imported"


def export_job(name: str, values: Values) -> Job:
    """Write a vector as a GGUF file."""
    yield from NO_STEPS
    file = expand_home(values["file"])
    export_vector(
        name,
        file,
        Convention(values["convention"]),
        float(values["strength"]) if values["strength"] else None,
        parse_layers(values["layers"]),
    )
    return f"Written: {file.resolve()}"


def ablation_job(name: str, values: Values) -> Job:
    """Write an adapter that removes a direction of a vector from every block."""
    yield from NO_STEPS
    file = expand_home(values["file"])
    export_ablation(name, file, values["model"], int(values["layer"]))
    return f"Written: {file.resolve()}"


def inspection_job(values: Values, show: Show) -> Job:
    """Describe a file; `show` gets the lines."""
    yield from NO_STEPS
    show([*inspect_file(expand_home(values["file"]))])
    return f"{values['file']}: described"


def _pairs(work: Generator[PairsRead, None, T], text: str) -> Generator[JobProgress, None, T]:
    return _steps(
        work,
        lambda event: JobProgress(
            text, event.done, event.total, f"{event.done} of {quantity(event.total, 'pair')}"
        ),
    )


E = TypeVar("E", PairsRead, SweepProgress)


def _steps(
    work: Generator[E, None, T], progress: Callable[[E], JobProgress]
) -> Generator[JobProgress, None, T]:
    """Yield the progress of the work and return its result; closing it closes the work."""
    with closing(work):
        while True:
            try:
                event = next(work)
            except StopIteration as end:
                result: T = end.value
                return result
            yield progress(event)
