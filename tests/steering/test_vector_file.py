"""Vector files: round trip, conventions of other programs, and files that are refused."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from steertui.core.model import demo_path
from steertui.engine.steering import control_vector
from steertui.errors import ModelError
from steertui.steering.vector import Provenance, SteeringVector, parse_layers, task_digest
from steertui.steering.vector_file import (
    Convention,
    encode_vector,
    file_convention,
    moved,
    read_own_vector,
    read_vector,
)
from tests.fixtures.gguf_files import write_gguf

LAYERS, WIDTH = 4, 192


def vector() -> SteeringVector:
    random = np.random.default_rng(0)
    directions = random.normal(0, 1, (LAYERS, WIDTH)).astype(np.float32)
    directions[0] = 0
    return SteeringVector(
        architecture="qwen3",
        directions=directions,
        norms=np.array([10, 20, 30, 40], np.float32),
        separation=np.array([0.5, np.nan, 0.75, 1], np.float32),
        provenance=Provenance(
            method="mean",
            position="last",
            model_name="demo",
            model_sha256="a" * 64,
            positive="pro",
            negative="anti",
            pairs=2,
            pairs_sha256="b" * 64,
            scenarios=("p/1", "p/2"),
            tasks=(task_digest("one"), task_digest("two")),
            seed=7,
        ),
    )


def test_a_file_holds_the_whole_vector_and_equal_vectors_are_equal_files(tmp_path: Path) -> None:
    path = tmp_path / "v.gguf"
    path.write_bytes(encode_vector(vector()))
    for found in (read_own_vector(path), read_vector(path, demo_path())):
        assert np.array_equal(found.directions, vector().directions)
        assert np.array_equal(found.norms, vector().norms)
        assert np.array_equal(found.separation, vector().separation, equal_nan=True)
        assert found.provenance == vector().provenance
        assert found.architecture == "qwen3"
    assert encode_vector(vector()) == path.read_bytes()


def test_training_scenarios_are_known_by_name_and_by_text() -> None:
    assert vector().is_trained_on("p/1", "another text")
    assert vector().is_trained_on("renamed", " two\n")
    assert not vector().is_trained_on("p/3", "three")


def test_the_conventions_differ_by_one_layer(tmp_path: Path) -> None:
    path = tmp_path / "v.gguf"
    path.write_bytes(encode_vector(vector(), Convention.PREVIOUS))
    assert file_convention(path) is Convention.PREVIOUS
    found = read_vector(path, demo_path())
    assert found.layers == (2, 3)
    assert np.array_equal(found.directions[2], vector().directions[1])
    back = moved(found)
    assert back.layers == (1, 2)
    assert np.array_equal(back.directions[1:3], vector().directions[1:3])


def test_a_file_of_repeng_is_read_by_its_own_name_of_the_architecture(tmp_path: Path) -> None:
    directions = {f"direction.{i}": np.full(WIDTH, i, np.float32) for i in (1, 3)}
    metadata = {"controlvector.model_hint": "qwen3", "controlvector.layer_count": 2}
    path = write_gguf(tmp_path / "r.gguf", "controlvector", directions, metadata)
    assert file_convention(path) is Convention.SAME
    found = read_vector(path, demo_path())
    assert found.layers == (1, 3)
    assert found.provenance.method == "imported"
    with pytest.raises(ModelError, match="norm of the hidden states is unknown"):
        found.multipliers(1.0)


def test_strength_is_the_total_relative_norm_for_any_layers() -> None:
    own = vector()
    lengths = np.linalg.norm(own.directions, axis=1)
    for layers in ((), (1,), (2, 3)):
        factors = own.multipliers(-1.5, layers)
        added = [abs(f) * lengths[i] / own.norms[i] for i, f in factors.items()]
        assert sum(added) == pytest.approx(1.5)
        assert max(added) == pytest.approx(min(added))
        assert all(factor < 0 for factor in factors.values())
    assert control_vector(own.added(own.multipliers(0.0))) == b""
    buffer = np.frombuffer(control_vector(own.added({2: 2.0})), np.float32)
    buffer = buffer.reshape(LAYERS - 1, WIDTH)
    assert np.array_equal(buffer[1], 2 * own.directions[2])
    assert not buffer[[0, 2]].any()


@pytest.mark.parametrize("strength", [float("nan"), float("inf"), -1e9])
def test_a_strength_out_of_range_is_refused(strength: float) -> None:
    with pytest.raises(ModelError, match="out of range; give -100 to 100"):
        vector().multipliers(strength)


def test_a_layer_without_a_direction_is_refused() -> None:
    with pytest.raises(ModelError, match="layer 0: the vector has no direction; it has 1, 2, 3"):
        vector().multipliers(1.0, (0, 1))


@pytest.mark.parametrize(
    ("text", "layers"), [("", ()), ("8-11", (8, 9, 10, 11)), ("3, 1,5-6", (1, 3, 5, 6))]
)
def test_layers_are_written_as_ranges(text: str, layers: tuple[int, ...]) -> None:
    assert parse_layers(text) == layers


@pytest.mark.parametrize("text", ["a", "3-", "9-8", "-1", "1.5", "99999999"])
def test_other_texts_are_no_layers(text: str) -> None:
    with pytest.raises(ModelError, match="layer"):
        parse_layers(text)


def directions(width: int = WIDTH, layers: tuple[int, ...] = (1, 2)) -> dict[str, np.ndarray]:
    return {f"direction.{i}": np.ones(width, np.float32) for i in layers}


def changed(path: Path, hint: str = "qwen3", **tensors: np.ndarray) -> Path:
    named = {name.replace("_", "."): tensor for name, tensor in tensors.items()}
    metadata = {"controlvector.model_hint": hint}
    return write_gguf(path, "controlvector", directions() | named, metadata)


def newer(path: Path) -> Path:
    path.write_bytes(
        encode_vector(vector()).replace(b"\x03\0\0\0\0\0\0\0add", b"\x03\0\0\0\0\0\0\0new")
    )
    return path


def cut_off(path: Path) -> Path:
    path.write_bytes(encode_vector(vector())[:-500])
    return path


def endless(path: Path) -> Path:
    raw = bytearray(encode_vector(vector()))
    raw[8:16] = (1 << 62).to_bytes(8, "little")
    path.write_bytes(raw)
    return path


def with_value(value: float) -> Callable[[Path], Path]:
    return lambda path: changed(path, direction_2=np.full(WIDTH, value, np.float32))


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "model": (lambda _: demo_path(), r"not a control vector \(its architecture is qwen3\)"),
    "hint": (lambda p: changed(p, hint="llama"), "made for the architecture llama, and demo.gguf"),
    "no hint": (
        lambda p: write_gguf(p, "controlvector", directions()),
        "made for the architecture unknown",
    ),
    "width": (
        lambda p: write_gguf(
            p, "controlvector", directions(64), {"controlvector.model_hint": "qwen3"}
        ),
        "its directions have 64 values, and the hidden states of demo.gguf have 192",
    ),
    "layers": (lambda p: changed(p, direction_9=np.ones(WIDTH, np.float32)), "layers 1 to 3"),
    "layer 0": (lambda p: changed(p, direction_0=np.ones(WIDTH, np.float32)), "layer 0"),
    "nan": (with_value(np.nan), "not finite"),
    "infinite": (with_value(np.inf), "not finite"),
    "huge": (with_value(1e30), "norm above"),
    "type": (lambda p: changed(p, direction_2=np.ones(WIDTH, np.float16)), "float32"),
    "shape": (lambda p: changed(p, direction_2=np.ones((2, WIDTH), np.float32)), "not a list"),
    "lengths": (lambda p: changed(p, direction_3=np.ones(7, np.float32)), "different lengths"),
    "name": (lambda p: changed(p, direction_x=np.ones(WIDTH, np.float32)), "not a direction"),
    "stray": (lambda p: changed(p, weight=np.ones(WIDTH, np.float32)), "not a direction"),
    "newer": (newer, "newer steertui"),
    "truncated": (cut_off, "truncated"),
    "endless": (endless, "more keys or tensors"),
}


def test_a_small_file_that_claims_more_layers_than_any_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.gguf"
    metadata = {"controlvector.model_hint": "qwen3", "steertui.vector.norms": [1.0] * 4096}
    write_gguf(path, "controlvector", directions(1 << 17), metadata)
    with pytest.raises(ModelError, match="4,096 layers of 131,072 values, more than any model"):
        read_own_vector(path)


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_one_sentence(kind: str, tmp_path: Path) -> None:
    make, reason = BAD[kind]
    path = make(tmp_path / "bad.gguf")
    with pytest.raises(ModelError, match=reason) as caught:
        read_vector(path, demo_path())
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_every_cut_and_every_changed_byte_is_read_or_a_model_error(tmp_path: Path) -> None:
    raw = encode_vector(replace(vector(), directions=np.eye(LAYERS, WIDTH, 1, dtype=np.float32)))
    random = np.random.default_rng(5)
    for _ in range(12):
        changed_raw = bytearray(raw[: random.integers(1, len(raw))])
        changed_raw[random.integers(0, len(changed_raw))] = random.integers(0, 256)
        path = tmp_path / "mutated.gguf"
        path.write_bytes(changed_raw)
        with suppress(ModelError):
            read_vector(path, demo_path())
