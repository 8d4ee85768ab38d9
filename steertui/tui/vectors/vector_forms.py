"""Forms of the Vectors screen: training, sweep, import, export, ablation and inspection."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import chain

from steertui.assets.catalogue import catalogue
from steertui.assets.hub.cache import all_cached_weights
from steertui.assets.weights import locate_weights
from steertui.core.model import DEMO, is_server
from steertui.engine.gguf_files import GgufFiles
from steertui.errors import ModelError
from steertui.output_files import check_output
from steertui.paths import expand_home
from steertui.planning.contrast_pairs import TRAINING_PACK, PairTexts, require_texts
from steertui.planning.vector_files import chosen_convention
from steertui.planning.vector_training import vector_and_controls
from steertui.steering.library import StoredVector, check_new
from steertui.steering.sweep import STRENGTHS, Limits, layer_bands
from steertui.steering.training import choose_layers
from steertui.steering.vector import MAX_STRENGTH, METHODS, SteeringVector, parse_layers
from steertui.steering.vector_file import Convention
from steertui.tui.widgets.form import (
    Form,
    FormLine,
    Values,
    first_problem,
    integer,
    number,
    numbers,
)
from steertui.typed_lists import split_names

TRAIN_LIMIT = "24"
"""Scenarios of a training at first; a sweep needs some of the pack that the training left."""

BY_FILE = "file"
"""Convention of an import: that of the file."""

_LIMITS = Limits()


def train_form(model: str) -> Form:
    """Return the form of a training; `model` is its model at first."""
    lines = [
        FormLine("name", "name", hint="name of the vector", is_required=True, check=_check_names),
        _model_line(model),
        _condition_line("positive", "toward", "pro", "condition that the vector points to"),
        _condition_line("negative", "away from", "anti", "condition that it points away from"),
        FormLine("file", "conditions file", hint="empty: shipped conditions", is_path=True),
        FormLine("scenarios", "scenario packs", TRAINING_PACK, "packs, separated by commas"),
        _count_line("limit", "scenarios", TRAIN_LIMIT, "maximum number, 0 for all"),
        FormLine(
            "pairs",
            "pairs file",
            hint="TOML file, in place of conditions and scenarios",
            is_path=True,
        ),
        FormLine("method", "method", METHODS[0], choices=METHODS),
        _layers_line("all but layer 0"),
    ]
    return Form("Train a vector and two controls from two conditions", lines, _check_train)


def pair_texts(values: Values) -> PairTexts:
    """Return the texts of a training."""
    return PairTexts(
        positive=values["positive"],
        negative=values["negative"],
        scenarios=split_names(values["scenarios"]),
        limit=int(values["limit"]),
        conditions_file=values["file"],
        pairs_file=expand_home(values["pairs"]) if values["pairs"] else None,
    )


def sweep_form(stored: StoredVector, models: Sequence[str] = ()) -> Form:
    """Return the form of a sweep of a vector; its model is looked for among `models` first."""
    name, vector = stored.name, stored.vector
    lines = [
        _model_line(name_of_model(vector, models)),
        *_cell_lines(vector),
        _count_line("limit", "scenarios", "8", "maximum number for validation, 0 for all"),
        _count_line("tokens", "maximum tokens", "48", "new tokens per answer", low=1),
        *_limit_lines(),
        FormLine(
            "conditions", "conditions file", hint="of the contrast; empty: shipped", is_path=True
        ),
        FormLine(
            "file",
            "write to",
            f"{name}-conditions.toml",
            "conditions file for the best of each direction; empty: none",
            is_path=True,
            check=lambda text: check_output(expand_home(text), "conditions"),
        ),
    ]
    return Form(f"Sweep {name}: layers and strengths, each in both directions", lines)


def _cell_lines(vector: SteeringVector) -> list[FormLine]:
    """Return the lines for the grid of a sweep."""
    return [
        FormLine(
            "layers",
            "layers",
            " ".join(layer_bands(vector)),
            "ranges, by spaces",
            is_required=True,
            check=lambda text: [parse_layers(part) for part in text.split()],
        ),
        FormLine(
            "strengths",
            "strengths",
            " ".join(f"{s:g}" for s in STRENGTHS),
            f"by spaces, above 0 and at most {MAX_STRENGTH:g}; each is tried in both directions",
            is_required=True,
            check=_strengths,
        ),
    ]


def _limit_lines() -> list[FormLine]:
    """Return the lines for the limits of coherence of a sweep."""
    return [
        FormLine(
            "loss",
            "max. loss",
            f"{_LIMITS.loss:g}",
            "limit of coherence: fall of the unsteered log-likelihood, nats per token",
            is_required=True,
            check=partial(number, low=0),
        ),
        FormLine(
            "repetition",
            "max. repetition",
            f"{_LIMITS.repetition:g}",
            "limit of coherence: rise of the share of repeated sequences, from 0 to 1",
            is_required=True,
            check=partial(number, low=0, high=1),
        ),
    ]


def import_form() -> Form:
    """Return the form of an import."""
    lines = [
        FormLine(
            "file",
            "GGUF file",
            hint="control vector of repeng or llama.cpp",
            is_path=True,
            is_required=True,
            check=lambda text: chosen_convention(expand_home(text), None),
        ),
        FormLine("name", "name", hint="name in the library", is_required=True, check=check_new),
        _model_line("", "model that it was made for"),
        _convention_line((BY_FILE, *map(str, Convention)), f"{BY_FILE}: as the file states; "),
    ]
    return Form("Import a control vector", lines)


def export_form(name: str) -> Form:
    """Return the form of an export of the vector `name`."""
    lines = [
        _output_line(f"{name}.gguf"),
        _convention_line(tuple(map(str, Convention))),
        FormLine(
            "strength",
            "strength",
            hint="factor of the directions; empty: as stored",
            check=number,
        ),
        _layers_line("all of the vector"),
    ]
    return Form(f"Export {name} as a GGUF file for llama.cpp and repeng", lines)


def ablation_form(stored: StoredVector, models: Sequence[str] = ()) -> Form:
    """Return the form of an ablation adapter; the model is looked for among `models` first."""
    vector = stored.vector
    layers = f"{vector.layers[0]} to {vector.layers[-1]}" if vector.layers else "none"
    lines = [
        _output_line(f"{stored.name}-ablation.gguf"),
        _model_line(name_of_model(vector, models)),
        FormLine(
            "layer",
            "layer",
            str(vector.best_layer),
            f"{layers}; {vector.best_layer} separates best",
            is_required=True,
            check=integer,
        ),
    ]
    question = f"Write an adapter that removes a direction of {stored.name} from every block"
    return Form(question, lines)


def inspection_form() -> Form:
    """Return the form of an inspection."""
    hint = "vector, adapter or model, as GGUF"
    line = FormLine("file", "file", hint=hint, is_path=True, is_required=True)
    return Form("Describe which file?", [line])


def name_of_model(vector: SteeringVector, models: Sequence[str]) -> str:
    """Return a name by which the vector's model is found on this machine; "" for none.

    It is one of `models`, of the catalogue or of the hub's cache. A vector states the model's short
    name, under which no file is found.
    """
    known = (f"{model.name}:{each.quant}" for model in catalogue() for each in model.weights)
    cached = (f"{each.repo}/{each.files[0]}" for each in all_cached_weights())
    for name in chain(models, (DEMO,), known, cached):
        with suppress(ModelError):
            located = None if is_server(name) else locate_weights(name)
            if located and located.name == vector.provenance.model_name:
                return name
    return ""


def _check_names(name: str) -> None:
    for each in vector_and_controls(name):
        check_new(each)


def _check_train(values: Values) -> str:
    """Return what is wrong with the values of a training; "" for nothing."""
    texts = pair_texts(values)
    if not texts.pairs_file and texts.positive == texts.negative:
        return f"away from: {texts.negative} is also in the line toward; give another condition"
    return first_problem(
        lambda: texts.pairs_file or require_texts(texts),
        lambda: _require_layers(parse_layers(values["layers"]), values["model"]),
    )


def _require_layers(layers: tuple[int, ...], model: str) -> None:
    """Raise ModelError if a local model does not have the layers; its weights are not verified."""
    located = locate_weights(model)
    if layers and located:
        with GgufFiles() as files:
            choose_layers(layers, files.header(located.paths[0]).layers, model)


def _require_local(model: str) -> None:
    """Raise ModelError if a model's weights are not on this machine."""
    if locate_weights(model) is None:
        raise ModelError(f"{model} is not on this machine; give a model that 6 Models has")


def _strengths(text: str) -> None:
    """Raise SteertuiError for a text with a strength that is out of range."""
    for value in numbers(text):
        if not 0 < value <= MAX_STRENGTH:
            raise ModelError(
                f"{value:g} is not above 0 and at most {MAX_STRENGTH:g}; enter another one"
            )


def _count_line(name: str, title: str, value: str, hint: str, *, low: int = 0) -> FormLine:
    check = partial(integer, low=low)
    return FormLine(name, title, value, hint, is_required=True, check=check)


def _condition_line(name: str, title: str, value: str, hint: str) -> FormLine:
    return FormLine(name, title, value, hint, is_required=True)


def _model_line(model: str, hint: str = "catalogue name or GGUF file") -> FormLine:
    return FormLine("model", "model", model, hint, is_required=True, check=_require_local)


def _layers_line(default: str) -> FormLine:
    return FormLine("layers", "layers", hint=f"such as 8-20; empty: {default}", check=parse_layers)


def _convention_line(choices: tuple[str, ...], about: str = "") -> FormLine:
    hint = (
        f"{about}{Convention.SAME}: direction N was measured at layer N (repeng); "
        f"{Convention.PREVIOUS}: one layer before (llama.cpp's cvector-generator)"
    )
    return FormLine("convention", "convention", choices[0], hint, choices=choices)


def _output_line(file: str) -> FormLine:
    return FormLine(
        "file",
        "GGUF file",
        file,
        is_path=True,
        is_required=True,
        check=lambda text: check_output(expand_home(text), "vector"),
    )
