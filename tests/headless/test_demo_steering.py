"""The preset demo-steering: the run trains its vector; the database keeps it for other machines."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from steertui.core.condition_files import conditions_path, load_conditions
from steertui.planning.experiment_estimate import estimate_experiment
from steertui.planning.judges import DEFAULT_OPTIONS
from steertui.planning.presets import PRESETS
from steertui.steering.vector import Provenance, SteeringVector
from steertui.steering.vector_file import encode_vector
from steertui.store import Store
from steertui.tui.plan.plan_text import estimate_text
from steertui.tui.run.fetching import supply_in_stages
from steertui.tui.widgets.label_style import palette
from tests.fixtures.database import select
from tests.fixtures.program import call, records

RUN = ("--batch", "--preset", "demo-steering", "--max-tokens", "24", "--limit", "4", "--db")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A folder with the run a.db and the user's data, and the run's output."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATA", "CACHE", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))
        code, out, err = call(*RUN, "a.db", cwd=folder)
    assert code == 0, err
    return folder, out, err


@pytest.fixture
def folder(first: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder, with the homes in it."""
    copy = tmp_path / "copy"
    shutil.copytree(first[0], copy)
    for name in ("DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(copy / name.lower()))
    return copy


def vectors(folder: Path) -> list[Path]:
    found = (folder / "data").rglob("*.gguf")
    return sorted(found, key=lambda path: path.stem)


def test_a_run_trains_the_missing_vector_says_so_and_uses_it(
    first: tuple[Path, str, str],
) -> None:
    folder, out, err = first
    assert "Vectors training demo-steering on demo: 0 of 24 pairs" in err
    assert "Vectors trained: demo-steering on demo, 24 pairs" in err
    assert "Trials  24: 0 answered before, 24 to do" in out
    names = [path.stem for path in vectors(folder)]
    assert names == ["demo-steering", "demo-steering-random", "demo-steering-shuffled"]
    sql = """SELECT c.name, count(DISTINCT g.text) FROM trials AS t
        JOIN conditions AS c ON c.id = t.condition
        JOIN generations AS g ON g.trial = t.key GROUP BY c.name"""
    counts = {str(name): count for name, count in select(folder / "a.db", sql)}
    assert counts.keys() == {"baseline", "pro", "anti", "vector-pro", "vector-anti", "ablated"}
    assert min(int(str(count)) for count in counts.values()) > 1


def test_the_second_run_trains_nothing_and_generates_nothing(folder: Path) -> None:
    code, out, err = call(*RUN, "a.db", cwd=folder)
    assert code == 0, err
    assert "Vectors" not in err
    assert "24 answered before, 0 to do" in out


def test_the_vector_in_the_database_is_used_where_the_library_lacks_it(folder: Path) -> None:
    for path in vectors(folder):
        path.unlink()
    code, out, err = call(*RUN, "a.db", cwd=folder)
    assert code == 0, err
    assert "Vectors" not in err
    assert "24 answered before, 0 to do" in out
    assert vectors(folder) == []


def test_two_vectors_of_one_name_in_the_database_are_not_guessed(folder: Path) -> None:
    own, random, _ = vectors(folder)
    with Store(folder / "a.db") as store:
        store.add_vector("demo-steering", random.read_bytes())
    own.unlink()
    code, _, err = call(*RUN, "a.db", cwd=folder)
    assert code == 1
    assert "has 2 vectors demo-steering for demo" in err
    assert len(err.strip().splitlines()) == 1


def test_records_name_the_trained_vector(folder: Path) -> None:
    for path in vectors(folder):
        path.unlink()
    code, out, err = call(*RUN, "new.db", "--json", cwd=folder)
    assert code == 0, err
    trained = [row for row in records(out) if row["event"] == "vector_trained"]
    assert trained == [
        {"event": "vector_trained", "name": "demo-steering", "model": "demo", "pairs": 24}
    ]


def test_the_estimate_needs_no_vector(folder: Path) -> None:
    before = estimate_experiment(PRESETS["demo-steering"], folder / "none.db", DEFAULT_OPTIONS)
    for path in vectors(folder):
        path.unlink()
    after = estimate_experiment(PRESETS["demo-steering"], folder / "none.db", DEFAULT_OPTIONS)
    assert (before.error, after.error) == ("", "")
    assert before.size.trials == after.size.trials == 72
    assert before.trainings == ()
    assert after.trainings == (("demo-steering", "demo"),)
    text = estimate_text(after, 100, palette(dark=True)).plain
    assert "train    vector demo-steering on demo" in text


def test_the_suffixes_are_the_shipped_ones() -> None:
    shipped = load_conditions()
    own = load_conditions(conditions_path("demo-steering"))
    for name in ("baseline", "pro", "anti"):
        assert own[name].suffix == shipped[name].suffix


def test_a_saved_preset_runs_from_its_file(folder: Path) -> None:
    text = PRESETS["demo-steering"].to_toml()
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    run = ("--batch", "--experiment", "mine.toml", "--limit", "4", "--max-tokens", "24")
    code, out, err = call(*run, "--db", "a.db", cwd=folder)
    assert code == 0, err
    assert "24 answered before, 0 to do" in out


def test_the_screens_show_the_training_as_a_stage(folder: Path) -> None:
    for path in vectors(folder):
        path.unlink()
    stages = list(supply_in_stages(PRESETS["demo-steering"], folder / "none.db", lambda _: True))
    assert stages
    assert {name for stage in stages for name in stage} == {"train vector"}
    assert stages[-1]["train vector"].total == 24
    assert vectors(folder)


def test_a_vector_of_another_model_in_the_database_is_left_out(folder: Path) -> None:
    for path in vectors(folder):
        path.unlink()
    with Store(folder / "a.db") as store:
        store.add_vector("demo-steering", encode_vector(of_another_model()))
    code, out, err = call(*RUN, "a.db", cwd=folder)
    assert code == 0, err
    assert "24 answered before, 0 to do" in out


def of_another_model() -> SteeringVector:
    rows = np.ones((3, 8), np.float32)
    rows[0] = 0
    ones = np.ones(3, np.float32)
    return SteeringVector("llama", rows, ones, ones, Provenance("mean", model_sha256="cd" * 32))


def test_a_later_vector_named_after_the_model_does_not_replace_the_users_own(folder: Path) -> None:
    own, random, _ = vectors(folder)
    shutil.copy(random, own.with_name("demo-steering.demo.gguf"))
    code, out, err = call(*RUN, "a.db", cwd=folder)
    assert code == 0, err
    assert "24 answered before, 0 to do" in out


@pytest.mark.parametrize(
    "change",
    ['ablation = [{ name = "x", strength = nan }]', 'adapter = [{ file = "x.gguf", scale = inf }]'],
)
def test_a_strength_that_is_not_finite_is_refused(folder: Path, change: str) -> None:
    shutil.copy(vectors(folder)[0], vectors(folder)[0].with_name("x.gguf"))
    text = f'format = 1\n[[condition]]\nname = "mine"\n{change}\n'
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    run = ("--batch", "--model", "demo", "--limit", "1", "--conditions", "mine", "--db", "n.db")
    code, _, err = call(*run, "--conditions-file", "mine.toml", cwd=folder)
    assert code == 1
    assert "out of range; give -100 to 100" in err
    assert len(err.strip().splitlines()) == 1
