"""Training on the demo checkpoint: agreement with plain formulas, resuming, faults."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from steertui.assets.weights import find_model
from steertui.core.condition_files import load_conditions
from steertui.core.generation import SamplingParams
from steertui.core.model import DEMO, Model
from steertui.core.scenario import load_pack
from steertui.core.trial import Trial
from steertui.engine.hidden_states import HiddenStates, fitted_job
from steertui.engine.hidden_states_child import StatesJob
from steertui.engine.vocabulary import vocabulary
from steertui.errors import EngineError, ExperimentError, ModelError, OutputError
from steertui.paths import user_cache
from steertui.planning.chat_formats import chat_format
from steertui.planning.contrast_pairs import ModelShape, PairTexts, contrast_pairs
from steertui.steering.pairs import Pair, PairSet, last_token
from steertui.steering.states_file import open_states
from steertui.steering.training import PairsRead, Trained, TrainingSettings, measured_norms, train
from steertui.steering.vector_file import encode_vector
from tests.steering.test_directions import cosine, generator_direction, repeng_direction

T = TypeVar("T")
TEXTS = PairTexts(limit=8)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def model() -> Model:
    return find_model(DEMO)


@pytest.fixture(scope="module")
def pairs(model: Model) -> tuple[PairSet, ModelShape]:
    return contrast_pairs(model, TEXTS)


def finish(
    model: Model, pairs: tuple[PairSet, ModelShape], settings: TrainingSettings | None = None
) -> Trained:
    return result(train(model, pairs[1], pairs[0], settings or TrainingSettings(threads=1)))


def result(work: Generator[PairsRead, None, T]) -> T:
    while True:
        try:
            next(work)
        except StopIteration as end:
            value: T = end.value
            return value


def states(model: Model, pairs: PairSet) -> np.ndarray:
    """Return the hidden states of all texts, shape (pairs, 2, layers, width), each read alone."""
    requests = [replace(r, shared=0) for pair in pairs.pairs for r in pair.requests]
    with HiddenStates(fitted_job(StatesJob(model.path, 0, 1), requests)) as reader:
        found = np.stack(list(reader.read(requests)))
    return found.reshape(len(pairs.pairs), 2, *found.shape[1:])


def test_the_directions_are_those_of_repeng_and_llama_on_the_same_pairs(
    model: Model, pairs: tuple[PairSet, ModelShape]
) -> None:
    read = states(model, pairs[0]).astype(np.float64)
    own = finish(model, pairs).vector
    principal = finish(model, pairs, TrainingSettings("pca", threads=1)).vector
    assert own.layers == principal.layers == (1, 2, 3)
    for layer in own.layers:
        sides = read[:, 0, layer], read[:, 1, layer]
        mean = (sides[0] - sides[1]).mean(axis=0)
        row = own.directions[layer].astype(np.float64)
        assert cosine(row, mean) > 0.999
        assert np.linalg.norm(row) == pytest.approx(np.linalg.norm(mean), rel=1e-2)
        row = principal.directions[layer].astype(np.float64)
        assert cosine(row, repeng_direction(*sides)) > 0.99
        assert abs(cosine(row, generator_direction(*sides))) > 0.99
        lengths = np.linalg.norm(np.concatenate(sides), axis=1)
        assert own.norms[layer] == pytest.approx(np.median(lengths), rel=1e-2)


def test_the_provenance_names_all_that_determines_the_vector(
    model: Model, pairs: tuple[PairSet, ModelShape]
) -> None:
    trained = finish(model, pairs, TrainingSettings(layers=(1, 3), seed=5, threads=1))
    origin = trained.vector.provenance
    assert (origin.method, origin.position, origin.positive, origin.negative) == (
        "mean",
        "last",
        "pro",
        "anti",
    )
    assert (origin.model_sha256, origin.pairs, origin.seed) == (model.sha256, 8, 5)
    assert len(origin.scenarios) == len(origin.tasks) == 8
    assert all(name.startswith("steering-train/") for name in origin.scenarios)
    assert trained.vector.is_trained_on(origin.scenarios[0], "")
    assert trained.vector.layers == trained.random.layers == trained.shuffled.layers == (1, 3)


def test_controls_have_the_norms_of_the_vector_and_other_directions(
    model: Model, pairs: tuple[PairSet, ModelShape]
) -> None:
    trained = finish(model, pairs)
    for control, method in ((trained.random, "random"), (trained.shuffled, "shuffled")):
        assert control.provenance.method == method
        assert np.isnan(control.separation).all()
        for layer in trained.vector.layers:
            own, other = trained.vector.directions[layer], control.directions[layer]
            assert np.linalg.norm(other) == pytest.approx(np.linalg.norm(own), rel=1e-5)
            assert abs(cosine(own.astype(np.float64), other.astype(np.float64))) < 0.9


def test_a_stopped_training_resumes_to_the_same_file(
    model: Model, pairs: tuple[PairSet, ModelShape], cache: Path
) -> None:
    work = train(model, pairs[1], pairs[0], TrainingSettings(threads=1))
    seen = [next(work) for _ in range(4)]
    work.close()
    assert seen[-1] == PairsRead(3, 8)
    (file,) = cache.rglob("*.f32")
    file.write_bytes(file.read_bytes()[:-5])  # a record that a crash cut off
    resumed = train(model, pairs[1], pairs[0], TrainingSettings(threads=1))
    assert next(resumed) == PairsRead(2, 8)
    resumed.close()
    again = encode_vector(finish(model, pairs).vector)
    file.unlink()
    assert encode_vector(finish(model, pairs).vector) == again


def test_another_method_takes_no_new_pass_over_the_model(
    model: Model, pairs: tuple[PairSet, ModelShape]
) -> None:
    finish(model, pairs)
    events = list(train(model, pairs[1], pairs[0], TrainingSettings("probe", threads=1)))
    assert events == [PairsRead(8, 8)]


def test_only_the_newest_files_of_states_remain(
    model: Model, pairs: tuple[PairSet, ModelShape], cache: Path
) -> None:
    for number in range(6):
        with open_states(str(number), 2, 3) as file:
            file.append(np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32))
    assert len(list(cache.rglob("*.f32"))) == 4


def test_two_trainings_on_the_same_pairs_do_not_mix(
    model: Model, pairs: tuple[PairSet, ModelShape]
) -> None:
    first = train(model, pairs[1], pairs[0], TrainingSettings(threads=1))
    next(first)
    with pytest.raises(OutputError, match="another process trains"):
        next(train(model, pairs[1], pairs[0], TrainingSettings(threads=1)))
    first.close()


def test_norms_are_those_of_a_training(model: Model, pairs: tuple[PairSet, ModelShape]) -> None:
    work = measured_norms(model, pairs[0], TrainingSettings(threads=1), pairs[1])
    assert np.array_equal(result(work), finish(model, pairs).vector.norms)


def test_a_layer_that_the_model_does_not_have_is_refused(
    model: Model, pairs: tuple[PairSet, ModelShape]
) -> None:
    for layer in (0, 4):
        with pytest.raises(ModelError, match=f"layer {layer}: llama.cpp adds vectors to layers 1"):
            next(train(model, pairs[1], pairs[0], TrainingSettings(layers=(layer,))))


def test_a_crash_keeps_the_states_that_were_read(
    model: Model, pairs: tuple[PairSet, ModelShape], tmp_path: Path
) -> None:
    work = train(model, pairs[1], pairs[0], TrainingSettings(threads=1))
    next(work)
    next(work)
    broken = replace(model, path=tmp_path / "missing.gguf")
    work.close()
    with pytest.raises((ModelError, EngineError), match=r"missing\.gguf"):
        list(train(broken, pairs[1], pairs[0], TrainingSettings(threads=1)))
    assert next(train(model, pairs[1], pairs[0], TrainingSettings(threads=1))).done == 1


def test_too_few_and_equal_pairs_are_refused() -> None:
    pair = Pair("one", last_token([1, 2]), last_token([1, 3]))
    with pytest.raises(ExperimentError, match="3 contrast pairs: a direction is trained on 4 to"):
        PairSet((pair,) * 3, "last", "p", "n")
    equal = Pair("same", last_token([1]), last_token([1]))
    with pytest.raises(ExperimentError, match="same: both texts of this pair are equal"):
        PairSet((pair, pair, pair, equal), "last", "p", "n")


CONDITIONS = """
format = 1

[[condition]]
name = "plain"

[[condition]]
name = "all"
prefix = "Read this first."
system = "You are bold."
suffix = "Be bold."
prefill = "I will"

[[condition]]
name = "adapted"
adapter = [{ file = "x.gguf", scale = 1.0 }]
"""


def test_the_texts_are_the_prompts_of_an_experiment(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "conditions.toml"
    path.write_text(CONDITIONS, encoding="utf-8")
    texts = PairTexts("all", "plain", limit=4, conditions_file=str(path))
    found, _ = contrast_pairs(model, texts)
    scenario = load_pack("steering-train")[0]
    condition = load_conditions(path)["all"]
    with vocabulary(model.path) as gguf:
        trial = Trial(model, scenario, condition, SamplingParams())
        (prompt,) = chat_format(gguf, model.name).write([trial])
        assert prompt.text.endswith("I will")
        assert found.pairs[0].positive == last_token(gguf.tokenize([prompt.text])[0])
    with pytest.raises(ExperimentError, match=r"^adapted: .*adapters|^adapted: acts on"):
        contrast_pairs(model, replace(texts, positive="adapted"))


def test_the_template_of_the_run_renders_the_pairs(model: Model) -> None:
    own, _ = contrast_pairs(model, TEXTS)
    other, _ = contrast_pairs(model, replace(TEXTS, template="gemma"))
    scenario = load_pack("steering-train")[0]
    trial = Trial(model, scenario, load_conditions()["pro"], SamplingParams())
    with vocabulary(model.path) as gguf:
        (prompt,) = chat_format(gguf, model.name, "gemma").write([trial])
        assert other.pairs[0].positive == last_token(gguf.tokenize([prompt.text])[0])
    assert own.sha256 != other.sha256


def write_pairs(path: Path, pairs: int, **fields: str) -> Path:
    entry = "".join(f'{key} = "{value}"\n' for key, value in fields.items())
    texts = "".join(f"\n[[pair]]\n{entry.format(i=i)}" for i in range(pairs))
    path.write_text(f"format = 1\n{texts}", encoding="utf-8")
    return path


def test_pairs_of_messages_are_read_at_the_last_token(model: Model, tmp_path: Path) -> None:
    path = write_pairs(tmp_path / "p.toml", 5, positive="Be bold {i}.", negative="Be shy {i}.")
    found, _ = contrast_pairs(model, PairTexts(pairs_file=path))
    assert found.position == "last"
    assert all(p.positive.start == len(p.positive.tokens) - 1 for p in found.pairs)
    assert found.groups == ("pair 1", "pair 2", "pair 3", "pair 4", "pair 5")


def test_pairs_of_answers_are_read_over_the_answer(model: Model, tmp_path: Path) -> None:
    path = write_pairs(
        tmp_path / "p.toml",
        4,
        prompt="What do you do on day {i}?",
        positive="I ask the owner first.",
        negative="I do it in secret.",
        scenario="day",
    )
    found, shape = contrast_pairs(model, PairTexts(pairs_file=path))
    assert found.position == "answer"
    assert set(found.groups) == {"day"}
    text = found.pairs[0].positive
    assert 0 < text.start < len(text.tokens) - 1
    assert finish(model, (found, shape)).vector.is_trained_on("any", "What do you do on day 2?")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"positive": "a {i}"}, r"key 'pair\[1\].negative' is missing"),
        ({"positive": "a", "negative": "b", "extra": "c"}, "unknown key"),
        ({"positive": "a", "negative": "a"}, "both texts of this pair are equal"),
        ({"prompt": "q", "positive": " ", "negative": "b"}, "an answer of this pair is empty"),
    ],
)
def test_bad_files_of_pairs_are_one_sentence(
    fields: dict[str, str], reason: str, model: Model, tmp_path: Path
) -> None:
    path = write_pairs(tmp_path / "p.toml", 4, **fields)
    with pytest.raises(Exception, match=reason) as caught:
        contrast_pairs(model, PairTexts(pairs_file=path))
    assert "\n" not in str(caught.value)


def test_the_files_are_in_the_users_cache(cache: Path) -> None:
    assert user_cache("hidden-states").is_relative_to(cache)
