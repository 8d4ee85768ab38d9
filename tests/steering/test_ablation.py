"""Ablation adapters on the demo checkpoint: the dose, and models for which they are refused."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from steertui.assets.weights import find_model
from steertui.core.interventions import Intervention, InterventionKind
from steertui.core.model import DEMO, demo_path
from steertui.engine.adapters import check_adapter
from steertui.engine.hidden_states_child import StateReader, StatesJob, StatesRequest
from steertui.engine.llama import LlamaModel
from steertui.engine.steering import SteeredModel, Steering
from steertui.errors import ModelError
from steertui.steering.ablation import ablation_adapter
from steertui.steering.applied import Applier
from steertui.steering.vector import Provenance, SteeringVector
from steertui.steering.vector_file import encode_vector
from tests.fixtures import tiny_models
from tests.fixtures.gguf_files import demo_header, write_gguf

LAYER = 2
REQUEST = StatesRequest(list(range(20, 120)), 60)


def direction(width: int = 192) -> NDArray[np.float32]:
    return np.random.default_rng(3).normal(0, 1, width).astype(np.float32)


def vector(width: int = 192) -> SteeringVector:
    rows = np.zeros((4, width), np.float32)
    rows[LAYER] = direction(width)
    empty = np.zeros(4, np.float32)
    return SteeringVector("qwen3", rows, empty, empty)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ablation") / "adapter.gguf"
    path.write_bytes(ablation_adapter(demo_path(), vector(), LAYER))
    return path


@pytest.fixture(scope="module")
def embedding() -> float:
    """Return the mean component of the tokens' embeddings, which an ablation does not change."""
    from gguf import GGUFReader
    from gguf.quants import dequantize

    (tensor,) = (t for t in GGUFReader(demo_path()).tensors if t.name == "token_embd.weight")
    rows = dequantize(tensor.data, tensor.tensor_type)[REQUEST.tokens[REQUEST.start :]]
    return float((rows @ (direction() / np.linalg.norm(direction()))).mean())


@pytest.fixture(scope="module")
def states(adapter: Path) -> Iterator[dict[float, NDArray[np.float32]]]:
    """Yield the mean states after each block by scale; -1 stands for no adapter."""
    model = LlamaModel(demo_path())
    steered = SteeredModel(model, [adapter])
    reader = StateReader(model, StatesJob(demo_path(), 128, 1))
    context = steered.context(reader.handle)
    found = {-1.0: reader.read(REQUEST)}
    for scale in (0.0, 0.5, 1.0, 2.0):
        context.apply(Steering(adapters=((adapter, scale),)))
        found[scale] = reader.read(REQUEST)
    yield found
    reader.close()
    model.close()


def test_scale_zero_changes_nothing(states: dict[float, NDArray[np.float32]]) -> None:
    assert np.array_equal(states[0.0], states[-1.0])


def test_the_scale_is_the_dose(states: dict[float, NDArray[np.float32]], embedding: float) -> None:
    unit = direction() / np.linalg.norm(direction())
    written = {scale: float(found[0] @ unit) - embedding for scale, found in states.items()}
    full = abs(written[0.0])
    assert full > 0.05
    assert abs(written[1.0]) < 0.05 * full
    # The feed-forward part of a block reads what its attention wrote, hence only about a half.
    assert 0.3 * full < abs(written[0.5]) < 0.7 * full
    assert written[2.0] * written[0.0] < 0


def test_scale_one_leaves_only_the_embedding_after_every_block(
    states: dict[float, NDArray[np.float32]], embedding: float
) -> None:
    unit = direction() / np.linalg.norm(direction())
    remaining = np.abs(states[1.0] @ unit - embedding)
    assert (remaining < 0.01 * np.linalg.norm(states[1.0], axis=1)).all()
    assert remaining.max() < 0.05 * np.abs(states[0.0] @ unit - embedding).max()


def test_the_adapter_passes_our_own_check(adapter: Path) -> None:
    info = check_adapter(demo_path(), adapter)
    assert (info.rank, info.alpha) == (1, 1.0)
    assert len(info.targets) == 2 * demo_header().layers


def test_a_layer_without_a_direction_is_refused() -> None:
    with pytest.raises(ModelError, match="layer 1: the vector has no direction"):
        ablation_adapter(demo_path(), vector(), 1)


def test_a_vector_of_another_width_is_refused() -> None:
    with pytest.raises(ModelError, match="192 values, and the direction has 64"):
        ablation_adapter(demo_path(), vector(64), LAYER)


@pytest.mark.parametrize(
    "architecture", ["gemma2", "gemma3", "gemma4", "olmo2", "glm4", "exaone4", "new"]
)
def test_a_norm_after_the_writers_is_refused(architecture: str, tmp_path: Path) -> None:
    norm = "blk.0.post_ffw_norm.weight" if architecture == "new" else "output_norm.weight"
    path = write_gguf(tmp_path / "model.gguf", architecture, {norm: np.ones(4, np.float32)})
    with pytest.raises(ModelError, match="normalises after") as caught:
        ablation_adapter(path, vector(), LAYER)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "reason"), [("mamba", "also writes into"), ("lfm2", "also writes into")]
)
def test_blocks_of_other_kinds_are_refused(kind: str, reason: str, tmp_path: Path) -> None:
    path = tiny_models.write(kind, tmp_path / "model.gguf")
    with pytest.raises(ModelError, match=reason):
        ablation_adapter(path, vector(), LAYER)


def test_a_block_without_a_known_writer_is_refused(tmp_path: Path) -> None:
    path = tiny_models.write("bert", tmp_path / "model.gguf")
    with pytest.raises(ModelError, match=r"block 0 has no attn_output\.weight"):
        ablation_adapter(path, vector(), LAYER)


def test_two_ablations_of_one_direction_are_applied_one_after_another() -> None:
    raw = encode_vector(replace(vector(), provenance=Provenance("mean")))
    applier = Applier(find_model(DEMO), lambda _: raw, {})
    kind = InterventionKind.ABLATION
    one, half = (Intervention(kind, "ab" * 32, s, str(LAYER)) for s in (1.0, 0.5))
    ((path, _),) = applier.steering((half,)).adapters
    assert applier.steering((half, half)).adapters == ((path, 0.75),)
    assert applier.steering((one, one)).adapters == ((path, 1.0),)


def test_the_scales_of_one_adapter_are_summed(tmp_path: Path) -> None:
    applier = Applier(find_model(DEMO), lambda _: b"", {"ab" * 32: tmp_path})
    half = Intervention(InterventionKind.ADAPTER, "ab" * 32, 0.5)
    assert applier.steering((half, half)).adapters == ((tmp_path, 1.0),)
