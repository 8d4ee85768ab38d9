"""`steertui inspect`: what a received file holds and would do; the file and its folder stay."""

import lzma
from pathlib import Path

import numpy as np
import pytest

from steertui.core.condition_files import conditions_path
from steertui.core.experiment import Experiment
from steertui.errors import ExperimentError
from steertui.paths import package_data
from steertui.planning.inspection import inspect_file
from steertui.steering.vector import Provenance, SteeringVector
from steertui.steering.vector_file import Convention, encode_vector
from steertui.store import Store
from tests.fixtures.database import execute
from tests.fixtures.gguf_files import lora, write_adapter
from tests.fixtures.program import call
from tests.store.test_merge_conflicts import SERVER, plan
from tests.test_printable import HOSTILE, harmful

ROOT = Path(__file__).resolve().parents[2]


def contents(folder: Path) -> dict[Path, bytes]:
    """Return the files of a folder, without those that SQLite keeps beside an open database."""
    files = (file for file in folder.iterdir() if not file.name.endswith(("-wal", "-shm")))
    return {file: file.read_bytes() for file in files if file.is_file()}


def inspect(path: Path) -> str:
    """Return the description of a file; assert that nothing in its folder changes."""
    before = contents(path.parent)
    code, out, err = call("inspect", path.name, cwd=path.parent)
    assert (err, code) == ("", 0)
    assert contents(path.parent) == before
    assert not harmful(out)
    return out


def refuse(path: Path) -> str:
    code, out, err = call("inspect", path.name, cwd=path.parent)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert not harmful(err)
    return err


def test_an_experiment_is_described_with_its_hosts_downloads_files_and_trials(
    tmp_path: Path,
) -> None:
    pack = package_data("scenarios") / "starter.toml"
    (tmp_path / "pack.toml").write_bytes(pack.read_bytes())
    experiment = Experiment(
        models=["demo", "Qwen3-4B-Base", "server:m@http://198.51.100.7:8000/v1"],
        scenarios=["pack.toml"],
        judges=["openai:gpt-5.2@http://203.0.113.5/v1"],
        temperatures=[0.0, 1.0],
        samples=5,
    )
    (tmp_path / "received.toml").write_text(experiment.to_toml(), encoding="utf-8")
    out = inspect(tmp_path / "received.toml")
    assert "received.toml: experiment file\n" in out
    assert f"trials: {3 * 36 * 3 * 6:,}\n" in out
    assert "a run contacts http://198.51.100.7:8000/v1 (model m)" in out
    assert "a run contacts http://203.0.113.5/v1 (judge gpt-5.2)" in out
    assert "a run fetches" in out
    assert f"a run reads {tmp_path / 'pack.toml'}" in out


def test_the_shipped_texts_and_the_demo_checkpoint_are_described(tmp_path: Path) -> None:
    for name in ("starter", "conditions", "rubric"):
        source = package_data("scenarios") / f"{name}.toml"
        (tmp_path / source.name).write_bytes(source.read_bytes())
    (tmp_path / "demo.gguf").write_bytes((package_data("models") / "demo/demo.gguf").read_bytes())
    assert "scenario pack starter, 36 scenarios" in inspect(tmp_path / "starter.toml")
    assert "conditions file, 4 conditions" in inspect(tmp_path / "conditions.toml")
    assert "rubric steertui" in inspect(tmp_path / "rubric.toml")
    out = inspect(tmp_path / "demo.gguf")
    for part in (
        "architecture: qwen3",
        "parameters: 1,968,064",
        "context: 2,048",
        "default (212 characters)",
    ):
        assert part in out


def test_a_database_is_described_with_its_counts_and_the_files_it_names(tmp_path: Path) -> None:
    with Store(tmp_path / "received.db") as store:
        plan(store)
        store.add_judge(SERVER, "openai:m", {"title": ""})
    toml = Experiment(
        models=["server:m@http://198.51.100.7/v1"], rubric=f"/etc/{HOSTILE}"
    ).to_toml()
    execute(tmp_path / "received.db", "UPDATE experiment_plans SET toml = ?", [toml])
    out = inspect(tmp_path / "received.db")
    assert "database of steertui with 1 experiment; schema, values and hashes are intact" in out
    assert "trials: 2, answers: 0" in out
    assert "names the file /etc/" in out
    toml = Experiment(models=["server:m@http://198.51.100.7/v1"]).to_toml()
    execute(tmp_path / "received.db", "UPDATE experiment_plans SET toml = ?", [toml])
    assert "a run contacts http://198.51.100.7/v1 (model m)" in inspect(tmp_path / "received.db")


def test_a_database_of_an_older_version_is_described_and_not_migrated(tmp_path: Path) -> None:
    packed = (ROOT / "tests" / "data" / "before-rename.db.xz").read_bytes()
    (tmp_path / "old.db").write_bytes(lzma.decompress(packed))
    assert "judge " in inspect(tmp_path / "old.db")


def test_a_changed_database_and_a_damaged_gguf_are_refused_by_name(tmp_path: Path) -> None:
    Store(tmp_path / "received.db").close()
    execute(tmp_path / "received.db", "CREATE TABLE extra (x)")
    assert "table extra is not one of steertui's" in refuse(tmp_path / "received.db")
    (tmp_path / "model.gguf").write_bytes(b"GGUF" + b"\xff" * 100)
    assert "model.gguf" in refuse(tmp_path / "model.gguf")


@pytest.mark.parametrize("content", ["models = 3", f'"{"a" * 10}" = 1', "\x1b[2J", "[" * 9_999])
def test_any_other_file_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.toml").write_text(content, encoding="utf-8")
    assert "x.toml" in refuse(tmp_path / "x.toml")


def test_a_folder_and_a_large_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert "is not a file" in refuse(tmp_path / "folder")
    with (tmp_path / "large.toml").open("wb") as file:
        file.truncate(5 << 20)
    assert "large.toml" in refuse(tmp_path / "large.toml")


def test_a_control_vector_and_an_adapter_are_described(tmp_path: Path) -> None:
    rows = np.zeros((4, 8), np.float32)
    rows[1:3] = 0.5
    origin = Provenance(
        method="mean", model_name="demo", model_sha256="ab" * 32, positive="pro", negative="anti"
    )
    norms = np.ones(4, np.float32)
    vector = SteeringVector("qwen3", rows, norms, norms, origin)
    (tmp_path / "own.gguf").write_bytes(encode_vector(vector))
    (tmp_path / "other.gguf").write_bytes(encode_vector(vector, Convention.PREVIOUS))
    own, other = inspect(tmp_path / "own.gguf"), inspect(tmp_path / "other.gguf")
    for part in (
        "own.gguf: control vector, ",
        "made for the architecture: qwen3",
        "directions: direction.1, direction.2",
        "measured at block N\n",
        "method: mean",
        f"model: demo, sha256 {'ab' * 32}",
        "contrast: pro − anti",
    ):
        assert part in own
    assert "measured at block N − 1\n" in other
    assert "method: imported" in other
    write_adapter(tmp_path / "lora.gguf", lora("blk.1.ffn_down.weight"))
    adapter = inspect(tmp_path / "lora.gguf")
    assert "lora.gguf: adapter, " in adapter
    assert "kind: lora" in adapter
    assert "changes 1 tensor of the model" in adapter


def test_a_conditions_file_says_which_vectors_a_run_trains(tmp_path: Path) -> None:
    path = tmp_path / "demo-steering.toml"
    path.write_bytes(conditions_path("demo-steering").read_bytes())
    assert "a run trains the vector demo-steering (pro − anti)" in inspect(path)


def test_a_text_of_no_kind_is_answered_with_the_kinds(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    kinds = "not valid TOML: .*; correct it, or give a database, a GGUF file or a scenario pack"
    with pytest.raises(ExperimentError, match=kinds):
        list(inspect_file(tmp_path / "a.txt"))


@pytest.mark.parametrize(
    ("name", "kind"), [("a.gguf", "a GGUF file"), ("a.db", "a SQLite database")]
)
def test_a_file_of_another_kind_than_its_name_says_is_called_so(
    tmp_path: Path, name: str, kind: str
) -> None:
    (tmp_path / name).write_text("hello there\n")
    assert f"{name}: is not {kind}; give a database" in refuse(tmp_path / name)


@pytest.mark.parametrize("name", ["a.gguf", "a.db", "a.toml", "a.csv", "a"])
def test_an_empty_file_is_called_empty(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert f"{name}: is empty" in refuse(tmp_path / name)


@pytest.mark.parametrize(
    "options",
    [
        ("--experiment", "a.toml"),
        ("--demo", "--conditions-file", "a.toml"),
        ("--demo", "--scenarios", "a.toml"),
        ("--demo", "--rubric", "a.toml"),
        ("--model", "a.gguf"),
    ],
)
def test_an_empty_file_of_an_experiment_is_called_empty(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    """An empty file of --experiment had been planned as the default experiment."""
    (tmp_path / "a.toml").write_text("\n")
    (tmp_path / "a.gguf").touch()
    code, _, err = call("--plan", *options, cwd=tmp_path)
    assert code == 1
    assert f"{options[-1]}: is empty; " in err
