"""Training of vectors: by command, and of those that a conditions file describes."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from steertui.assets.weights import find_model, locate_weights
from steertui.core.experiment import Experiment
from steertui.core.interventions import VectorRecipe
from steertui.core.model import Model, is_server
from steertui.planning.contrast_pairs import PairTexts, contrast_pairs
from steertui.planning.interventions import known_vector, own_name
from steertui.planning.resolve import resolve_texts, vector_recipes
from steertui.steering.library import StoredVector, check_new, save_vector
from steertui.steering.training import PairsRead, TrainingSettings, train
from steertui.steering.vector import CONTROLS
from steertui.store import Store


@dataclass(frozen=True, slots=True)
class VectorTraining:
    """Progress of a training: `done` of `total` pairs are read.

    Attributes:
        name: of the vector.
        model: name of the model.
        done: pairs whose hidden states are stored.
        total: number of pairs.
        is_stored: whether the vector is complete and in the library.
    """

    name: str
    model: str
    done: int
    total: int
    is_stored: bool = False


def vector_and_controls(name: str) -> tuple[str, ...]:
    """Return the names under which a training stores its vector and the two controls."""
    return (name, *(f"{name}-{control}" for control in CONTROLS))


def train_vector(
    name: str, model: Model, texts: PairTexts, settings: TrainingSettings
) -> Generator[PairsRead, None, tuple[StoredVector, ...]]:
    """Train a vector and its controls, store them in the library and return them.

    Raises ModelError if a name is taken, and the errors of `contrast_pairs` and `train`.
    """
    names = vector_and_controls(name)
    for each in names:
        check_new(each)
    pairs, shape = contrast_pairs(model, texts)
    trained = yield from train(model, shape, pairs, settings)
    vectors = (trained.vector, trained.random, trained.shuffled)
    return tuple(save_vector(each, vector) for each, vector in zip(names, vectors, strict=True))


def untrained(
    experiment: Experiment, store: Store | None
) -> Iterator[tuple[str, Model, VectorRecipe]]:
    """Yield name, model and recipe of each vector that a run would train.

    These are the vectors that the conditions use and the conditions file describes, of which
    neither the library nor the store has one for the model.
    """
    recipes = vector_recipes(experiment)
    if not recipes:
        return
    _, conditions = resolve_texts(experiment)
    used = {name for condition in conditions for name in condition.vector_names}
    models = [name for name in experiment.models if not is_server(name)]
    for model in [find_model(name) for name in models if locate_weights(name)]:
        for recipe in (recipe for recipe in recipes if recipe.name in used):
            found = known_vector(recipe.name, model, store)
            if found is None or found.vector.provenance.model_sha256 != model.sha256:
                name = own_name(recipe.name, model) if found else recipe.name
                yield name, model, recipe


def train_missing(
    experiment: Experiment, store: Store | None
) -> Generator[VectorTraining, None, None]:
    """Train the vectors that `untrained` yields; the last event of each says that it is stored.

    Closing the generator stops it; hidden states that were read are kept.
    """
    for name, model, recipe in untrained(experiment, store):
        texts = PairTexts(
            positive=recipe.positive,
            negative=recipe.negative,
            limit=recipe.limit,
            conditions_file=experiment.conditions_file,
            template=experiment.template,
        )
        total = 0
        for event in train_vector(name, model, texts, TrainingSettings(method=recipe.method)):
            total = event.total
            yield VectorTraining(name, model.name, event.done, total)
        yield VectorTraining(name, model.name, total, total, is_stored=True)
