"""llama.cpp's own server and cvector-generator, on the demo checkpoint and on real models."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from benchmarks.real_models import MODELS, is_fetched
from steertui.assets.weights import find_model
from steertui.core.model import DEMO, Model
from steertui.core.scenario import load_pack
from steertui.engine.llama import LlamaModel
from steertui.engine.steering import UNSTEERED, SteeredModel, Steering, control_vector
from steertui.engine.vocabulary import vocabulary
from steertui.planning.contrast_pairs import TRAINING_PACK
from steertui.steering.pairs import Pair, PairSet, last_token
from steertui.steering.training import TrainingSettings, train
from steertui.steering.vector import SteeringVector
from steertui.steering.vector_file import (
    Convention,
    encode_vector,
    file_convention,
    moved,
    read_vector,
)
from tests.fixtures import llama_programs
from tests.fixtures.llama_programs import GENERATOR, llama_server, needs_programs
from tests.fixtures.steered import completion_body, greedy
from tests.steering.test_directions import cosine

pytestmark = [pytest.mark.slow, needs_programs]

SUBJECTS = ("smollm2-135m", "qwen2.5-coder-0.5b")
ENDINGS = ("I take control", "I take care")
"""The two texts of a pair differ in their last token alone. The generator takes all tokens at which
the hidden states differ, so that it reads these pairs where a training does."""


@pytest.fixture(scope="module", params=[DEMO, *SUBJECTS])
def model(request: pytest.FixtureRequest) -> Model:
    if request.param == DEMO:
        return find_model(DEMO)
    if not is_fetched(MODELS[request.param]):
        pytest.skip(f"{request.param} is not fetched; run `make real`")
    return find_model(str(MODELS[request.param].path))


@pytest.fixture(scope="module")
def texts() -> list[tuple[str, str]]:
    tasks = [scenario.task.split("\n")[0] for scenario in load_pack(TRAINING_PACK)[:12]]
    return [(f"{task} {ENDINGS[0]}", f"{task} {ENDINGS[1]}") for task in tasks]


def trained(model: Model, texts: list[tuple[str, str]], method: str) -> SteeringVector:
    with vocabulary(model.path) as gguf:
        meta = gguf.meta
        kind = meta("general.architecture")
        shape = (kind, int(meta(f"{kind}.block_count")), int(meta(f"{kind}.embedding_length")))
        sides = [gguf.tokenize([pair[side] for pair in texts]) for side in (0, 1)]
    assert all(a[:-1] == b[:-1] and a != b for a, b in zip(*sides, strict=True))
    pairs = tuple(
        Pair(f"pair {i}", *map(last_token, both)) for i, both in enumerate(zip(*sides, strict=True))
    )
    work = train(model, shape, PairSet(pairs, "last", "yes", "no"), TrainingSettings(method))
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: SteeringVector = end.value.vector
            return result


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def generated(model: Model, method: str, folder: Path) -> SteeringVector:
    """Run the generator on the files `positive` and `negative` of the folder."""
    out = folder / f"{method}.gguf"
    files = ["--positive-file", f"{folder}/positive", "--negative-file", f"{folder}/negative"]
    fixed = ["-m", str(model.path), "-o", str(out), "--method", method, "-t", "2", "-fa", "off"]
    subprocess.run([GENERATOR, *fixed, *files], check=True, capture_output=True, timeout=600)
    assert file_convention(out) is Convention.PREVIOUS
    return moved(read_vector(out, model.path))


@pytest.mark.parametrize("method", ["mean", "pca"])
def test_directions_are_those_of_the_generator(
    model: Model, texts: list[tuple[str, str]], method: str, tmp_path: Path
) -> None:
    for side, name in enumerate(("positive", "negative")):
        (tmp_path / name).write_text("\n".join(pair[side] for pair in texts), encoding="utf-8")
    theirs, ours = generated(model, method, tmp_path), trained(model, texts, method)
    found = [abs(cosine(theirs.directions[i], ours.directions[i])) for i in theirs.layers]
    print(f"{model.name}, {method}: cosine {min(found):.6f} or more in {len(found)} layers")
    assert min(found) > 0.99, (
        f"{method}; is the generator mended as {llama_programs.__name__} says?"
    )
    assert len(found) >= len(ours.layers) - 1


def test_the_server_writes_the_tokens_of_our_vector(
    model: Model, texts: list[tuple[str, str]], tmp_path: Path
) -> None:
    vector = trained(model, texts, "mean")
    added = vector.added(vector.multipliers(0.6))
    path = tmp_path / "vector.gguf"
    path.write_bytes(encode_vector(replace(vector, directions=added)))
    llama = LlamaModel(model.path)
    steered = SteeredModel(llama)
    prompt = llama.tokenize(texts[0][0])
    expected = greedy(llama, steered, Steering(control_vector(added)), prompt)
    assert expected != greedy(llama, steered, UNSTEERED, prompt)
    llama.close()
    with llama_server(model.path, "--control-vector", str(path)) as url:
        reply = httpx2.post(f"{url}/completion", json=completion_body(prompt), timeout=120)
    assert reply.json()["tokens"] == expected
