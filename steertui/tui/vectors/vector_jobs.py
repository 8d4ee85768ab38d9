"""Jobs of the Vectors screen: training, sweep and import, with their forms."""

from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from typing import TypeVar

from steertui.assets.weights import find_model, locate_weights
from steertui.engine.gguf_files import GgufFiles
from steertui.engine.sizing import Overrides
from steertui.errors import ModelError, SteertuiError
from steertui.execution.sweep_choice import (
    choice_lines,
    require_own_model,
    sweep_lines,
    write_choice,
)
from steertui.execution.vector_sweep import SweepProgress, SweepSettings, sweep
from steertui.output_files import check_output
from steertui.paths import expand_home
from steertui.planning.contrast_pairs import TRAINING_PACK, PairTexts, require_texts
from steertui.planning.vector_files import chosen_convention, import_vector
from steertui.planning.vector_training import train_vector, vector_and_controls
from steertui.steering.library import check_new, find_vector
from steertui.steering.sweep import STRENGTHS, Limits, grid, layer_bands
from steertui.steering.training import PairsRead, TrainingSettings, choose_layers
from steertui.steering.vector import MAX_STRENGTH, METHODS, parse_layers
from steertui.tui.widgets.form_dialog import FormLine, Values
from steertui.tui.widgets.job_page import Job, JobProgress
from steertui.units import quantity

T = TypeVar("T")

TRAIN_LIMIT = "24"
"""Scenarios of a training at first; a sweep needs some of the pack that the training left."""

IMPORT_PAIRS = 12
"""Scenarios whose prompts measure the norms of an imported vector's model."""


def train_lines(model: str) -> list[FormLine]:
    """Return the form of a training; `model` is its model at first."""
    return [
        FormLine("name", "name", hint="name of the vector"),
        FormLine("model", "model", model, "catalogue name or GGUF file"),
        FormLine("positive", "toward", "pro", "condition that the vector points to"),
        FormLine("negative", "away from", "anti", "condition that it points away from"),
        FormLine("file", "conditions file", hint="shipped conditions", is_path=True),
        FormLine("scenarios", "scenario packs", TRAINING_PACK, "packs, separated by commas"),
        FormLine("limit", "scenarios", TRAIN_LIMIT, "maximum number, 0 for all"),
        FormLine("method", "method", METHODS[0], ", ".join(METHODS)),
        FormLine("layers", "layers", hint="such as 8-20; empty: all but layer 0"),
    ]


def check_train(values: Values) -> str:
    """Return what is wrong with the form of a training; "" for nothing."""
    if values["method"] not in METHODS:
        return f"method: {values['method']} is none of {', '.join(METHODS)}"
    return problem(
        *(partial(check_new, name) for name in vector_and_controls(values["name"])),
        lambda: require_local(values["model"]),
        lambda: parse_layers(values["layers"]),
    ) or (
        not_a_count(values["limit"], "scenarios")
        or problem(
            lambda: require_texts(_texts(values)),
            lambda: _require_layers(parse_layers(values["layers"]), values["model"]),
        )
    )


def train_job(values: Values) -> Job:
    """Train a vector and its controls, and store them in the library."""
    texts = _texts(values)
    settings = TrainingSettings(method=values["method"], layers=parse_layers(values["layers"]))
    model = find_model(values["model"])
    stored = yield from _pairs(train_vector(values["name"], model, texts, settings), "training")
    names = ", ".join(vector.name for vector in stored[1:])
    return f"{stored[0].name}: trained; controls of the same norms: {names}"


def _require_layers(layers: tuple[int, ...], model: str) -> None:
    """Raise ModelError if a local model does not have the layers; its weights are not verified."""
    located = locate_weights(model)
    if layers and located:
        with GgufFiles() as files:
            choose_layers(layers, files.header(located.paths[0]).layers, model)


def _texts(values: Values) -> PairTexts:
    return PairTexts(
        positive=values["positive"],
        negative=values["negative"],
        scenarios=[name.strip() for name in values["scenarios"].split(",") if name.strip()],
        limit=int(values["limit"]),
        conditions_file=values["file"],
    )


def sweep_lines_of(name: str) -> list[FormLine]:
    """Return the form of a sweep of the vector `name`."""
    stored = find_vector(name)
    return [
        FormLine("model", "model", stored.vector.provenance.model_name, "model of the vector"),
        FormLine("layers", "layers", " ".join(layer_bands(stored.vector)), "ranges, by spaces"),
        FormLine("strengths", "strengths", " ".join(f"{s:g}" for s in STRENGTHS), "by spaces"),
        FormLine("limit", "scenarios", "8", "maximum number for validation, 0 for all"),
        FormLine("tokens", "maximum tokens", "48", "new tokens per answer"),
        FormLine("file", "conditions file", f"{name}-conditions.toml", "the best is written here"),
    ]


def check_sweep(values: Values) -> str:
    """Return what is wrong with the form of a sweep; "" for nothing."""
    return (
        problem(
            lambda: require_local(values["model"]),
            *(partial(parse_layers, part) for part in values["layers"].split()),
            lambda: check_output(expand_home(values["file"] or "none.toml"), "conditions"),
        )
        or not_a_count(values["limit"], "scenarios")
        or not_a_count(values["tokens"], "maximum tokens", low=1)
        or next(filter(None, map(_not_a_strength, values["strengths"].split())), "")
    )


def sweep_job(
    name: str, values: Values, overrides: Overrides, show: Callable[[list[str]], None]
) -> Job:
    """Sweep layers and strengths; `show` gets the table and the best cells as lines."""
    stored, model = find_vector(name), find_model(values["model"])
    require_own_model(stored, model)
    settings = SweepSettings(
        cells=tuple(
            grid(values["layers"].split(), [float(s) for s in values["strengths"].split()])
        ),
        limits=Limits(),
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


def import_lines() -> list[FormLine]:
    """Return the form of an import."""
    return [
        FormLine("file", "GGUF file", "", "control vector of repeng or llama.cpp", is_path=True),
        FormLine("name", "name", hint="name in the library"),
        FormLine("model", "model", hint="model that it was made for"),
    ]


def check_import(values: Values) -> str:
    """Return what is wrong with the form of an import; "" for nothing."""
    return problem(
        lambda: chosen_convention(expand_home(values["file"]), None),
        lambda: check_new(values["name"]),
        lambda: require_local(values["model"]),
    )


def import_job(values: Values) -> Job:
    """Check a foreign file against its model, and store it in the library."""
    file, name = expand_home(values["file"]), values["name"]
    work = import_vector(
        file, name, values["model"], chosen_convention(file, None), PairTexts(limit=IMPORT_PAIRS)
    )
    stored = yield from _pairs(work, "measuring the norms")
    return f"{stored.name}: imported"


def problem(*checks: Callable[[], object]) -> str:
    """Return the first error of the checks, "" without one."""
    try:
        for check in checks:
            check()
    except SteertuiError as exc:
        return str(exc)
    return ""


def require_local(model: str) -> None:
    """Raise ModelError if a model's weights are not on this machine."""
    if not model or locate_weights(model) is None:
        raise ModelError(f"{model or 'model'}: not on this machine; give a model that 6 Models has")


def not_a_count(text: str, title: str, *, low: int = 0) -> str:
    """Return a sentence unless the text is an integer from `low`."""
    is_valid = text.isascii() and text.isdecimal() and int(text) >= low
    return "" if is_valid else f"{title}: {text!r} is not an integer from {low}; enter one"


def _not_a_strength(text: str) -> str:
    try:
        is_valid = 0 < float(text) <= MAX_STRENGTH
    except ValueError:
        is_valid = False
    return "" if is_valid else f"strengths: {text} is not above 0 and at most {MAX_STRENGTH:g}"


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
