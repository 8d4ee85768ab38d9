"""`steertui vector` as a process: train, list, show, export, import, ablate, remove."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from steertui.core.model import demo_path
from steertui.engine.adapters import check_adapter
from steertui.steering.vector_file import read_own_vector, read_vector
from tests.fixtures.program import call, records, start

TRAIN = ("vector", "train", "mine", "--model", "demo", "--limit", "6", "--threads", "1")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def ok_call(*options: str, cwd: Path) -> str:
    code, out, err = call("vector", *options, cwd=cwd)
    assert code == 0, err
    return out


def failing_call(*options: str, cwd: Path) -> str:
    code, out, err = call("vector", *options, cwd=cwd)
    assert code == 1, out
    assert "Traceback" not in err
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    return lines[0]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a vector once; return the user's data folder."""
    folder = tmp_path_factory.mktemp("library")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        code, out, err = call(*TRAIN, cwd=folder)
    assert code == 0, err
    assert "Hidden states: 6 of 6 pairs" in err
    assert "Contrast  pro − anti" in out
    assert "Pairs     6 of 6 scenarios" in out
    return folder / "data"


@pytest.fixture
def trained(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to work in; the user's data folder is a copy of the library."""
    shutil.copytree(library, tmp_path / "data")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def test_a_vector_and_its_controls_are_listed_shown_and_removed(trained: Path) -> None:
    names = [row["name"] for row in records(ok_call("list", "--json", cwd=trained))]
    assert names == ["mine", "mine-random", "mine-shuffled"]
    (row,) = records(ok_call("show", "mine", "--json", cwd=trained))
    assert row["method"] == "mean"
    assert row["model_name"] == "demo"
    layers = row["layers"]
    assert isinstance(layers, list)
    assert [entry["layer"] for entry in layers] == [1, 2, 3]
    assert all(entry["hidden_norm"] > 0 for entry in layers)
    assert "6 pairs  pro − anti" in ok_call("list", cwd=trained)
    ok_call("rm", "--yes", "mine-random", cwd=trained)
    assert len(ok_call("list", cwd=trained).splitlines()) == 2
    assert "no such vector; there are mine, mine-shuffled" in failing_call(
        "show", "mine-random", cwd=trained
    )


def test_a_damaged_vector_is_named_and_can_be_removed(trained: Path) -> None:
    damaged = trained / "data" / "steertui" / "vectors" / "mine.gguf"
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert str(damaged) in failing_call("show", "mine", cwd=trained)
    assert "Removed" in ok_call("rm", "--yes", "mine", cwd=trained)
    assert not damaged.exists()
    assert "mine: no such vector" in failing_call("rm", "--yes", "mine", cwd=trained)


def test_a_name_is_not_taken_twice(trained: Path) -> None:
    assert "there is a vector of this name" in failing_call(*TRAIN[1:], cwd=trained)


def test_an_exported_vector_is_imported_as_the_same(trained: Path) -> None:
    ok_call("export", "mine", "out.gguf", cwd=trained)
    ok_call("import", "out.gguf", "again", "--model", "demo", cwd=trained)
    first, second = (
        json.loads(ok_call("show", name, "--json", cwd=trained)) for name in ("mine", "again")
    )
    assert first["layers"] == second["layers"]
    assert second["source"] == "out.gguf"
    assert "never replaced" in failing_call("export", "mine", "out.gguf", cwd=trained)
    error = failing_call("export", "mine", "far.gguf", "--layers", "1-8", cwd=trained)
    assert "layer 4: the vector has no direction; it has 1, 2, 3" in error
    assert not (trained / "far.gguf").exists()


def test_an_export_with_a_strength_is_multiplied(trained: Path) -> None:
    ok_call("export", "mine", "out.gguf", "--strength", "0.6", "--layers", "2-3", cwd=trained)
    found = read_own_vector(trained / "out.gguf")
    (row,) = records(ok_call("show", "mine", "--json", cwd=trained))
    assert isinstance(row["layers"], list)
    norms = {entry["layer"]: entry["hidden_norm"] for entry in row["layers"]}
    added = [float((found.directions[i] ** 2).sum() ** 0.5) / norms[i] for i in (2, 3)]
    assert found.layers == (2, 3)
    assert added == pytest.approx([0.3, 0.3], rel=1e-5)
    error = failing_call("export", "mine", "zero.gguf", "--strength", "0", cwd=trained)
    assert "no direction is left" in error


def test_a_file_of_the_generators_convention_is_moved_by_one_layer(trained: Path) -> None:
    ok_call("export", "mine", "out.gguf", "--convention", "previous", cwd=trained)
    out = ok_call("import", "out.gguf", "again", "--model", "demo", cwd=trained)
    assert "measured one layer before" in out
    (mine,), (again,) = (
        records(ok_call("show", name, "--json", cwd=trained)) for name in ("mine", "again")
    )
    assert isinstance(mine["layers"], list)
    assert isinstance(again["layers"], list)
    assert [entry["layer"] for entry in again["layers"]] == [1, 2]
    for ours, theirs in zip(mine["layers"], again["layers"], strict=False):
        assert ours["direction_norm"] == pytest.approx(theirs["direction_norm"])
    ok_call("import", "out.gguf", "raw", "--model", "demo", "--convention", "same", cwd=trained)
    assert read_vector(trained / "out.gguf", demo_path()).layers == (2, 3)


def test_an_ablation_is_an_adapter_of_the_model(trained: Path) -> None:
    ok_call("ablate", "mine", "out.gguf", "--model", "demo", "--layer", "2", cwd=trained)
    assert check_adapter(demo_path(), trained / "out.gguf").rank == 1
    error = failing_call("ablate", "mine", "x.gguf", "--model", "demo", "--layer", "9", cwd=trained)
    assert "layer 9: the vector has no direction; it has 1, 2, 3" in error


def interrupted(command: tuple[str, ...], folder: Path) -> tuple[list[Path], int, str]:
    """Interrupt a training once states are stored; return their files, exit code and messages."""
    shutil.rmtree(folder / "cache", ignore_errors=True)
    process = start(*command, cwd=folder)
    files: list[Path] = []
    deadline = time.monotonic() + 60
    while not (files and files[0].stat().st_size) and time.monotonic() < deadline:
        files = list((folder / "cache").rglob("*.f32"))
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    return files, process.returncode, err


def test_an_interrupted_training_resumes(tmp_path: Path) -> None:
    files: list[Path] = []
    for attempt in range(5):  # a fast machine may complete the training before the signal
        name = f"run{attempt}"
        command = ("vector", "train", name, *TRAIN[3:5], "--threads", "1")
        files, code, err = interrupted(command, tmp_path)
        if code:
            break
    assert code == 130, err
    assert "run the same command again to resume" in err
    assert "Traceback" not in err
    size = files[0].stat().st_size
    code, _, err = call(*command, cwd=tmp_path)
    assert code == 0, err
    assert files[0].stat().st_size > size


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("train", "../x", "--model", "demo"), "not a name for a vector: it begins with '.'"),
        (("train", "x", "--model", "nothing"), "no such model"),
        (("train", "x", "--model", "demo", "--positive", "no"), "no such condition"),
        (("train", "x", "--model", "demo", "--scenarios", "no"), "no such scenario pack"),
        (("train", "x", "--model", "demo", "--limit", "3"), "3 contrast pairs"),
        (("train", "x", "--model", "demo", "--layers", "2-x"), "not a list of layers"),
        (("train", "x", "--model", "demo", "--layers", "0-2"), "layer 0: llama.cpp adds"),
        (("train", "x", "--model", "demo", "--positive", "anti"), "one value is given twice"),
        (("train", "x", "--model", "demo", "--pairs", "no.toml"), "no such file"),
        (("show", "x"), "no such vector; there are none"),
        (("rm", "--yes", "x"), "no such vector; there are none"),
        (("import", "no.gguf", "x", "--model", "demo"), "no.gguf"),
        (("import", str(demo_path()), "x", "--model", "demo"), "not a control vector"),
    ],
)
def test_bad_input_is_one_sentence(options: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    assert reason in failing_call(*options, cwd=tmp_path)
