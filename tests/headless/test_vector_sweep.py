"""`steertui vector sweep` on the demo checkpoint: table, choice, conditions file, refusals."""

import tomllib
from pathlib import Path

import pytest

from steertui.core.scenario import load_pack
from steertui.steering.library import find_vector
from tests.fixtures.program import call, records

SWEEP = ("vector", "sweep", "mine", "--model", "demo", "--limit", "8", "--max-tokens", "32")
GRID = ("--layers", "3", "--strength", "0.4", "--strength", "4")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the vectors mine, of 24 scenarios, and whole, of all 36."""
    folder = tmp_path_factory.mktemp("sweep")
    with pytest.MonkeyPatch.context() as patch:
        homes(folder, patch)
        for name, limit in (("mine", "24"), ("whole", "0")):
            train = ("vector", "train", name, "--model", "demo", "--limit", limit)
            code, _, err = call(*train, cwd=folder)
            assert code == 0, err
    return folder


def homes(folder: Path, patch: pytest.MonkeyPatch) -> None:
    for name in ("DATA", "CACHE", "STATE"):
        patch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))


@pytest.fixture(autouse=True)
def use_homes(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    homes(data, monkeypatch)


@pytest.mark.slow
def test_the_best_coherent_strength_is_written_and_can_be_run(data: Path, tmp_path: Path) -> None:
    code, out, err = call(*SWEEP, *GRID, "--write", "best.toml", cwd=tmp_path)
    assert code == 0, err
    assert "8 validation scenarios; coherent: loss at most 0.5 nats/token" in out
    strong = next(line for line in out.splitlines() if line.startswith("3") and "+4 " in line)
    assert strong.endswith("no")
    assert "Best pro: layers 3, strength +0.4: effect +0." in out
    conditions = tomllib.loads((tmp_path / "best.toml").read_text(encoding="utf-8"))["condition"]
    chosen = next(c for c in conditions if c["name"] == "vector-pro")
    assert chosen["vector"] == [{"name": "mine", "strength": 0.4, "layers": "3"}]
    assert chosen["arm"] == "pro"
    run = ("--batch", "--conditions-file", "best.toml", "--conditions", "baseline,vector-pro")
    code, out, err = call(*run, "--limit", "2", "--max-tokens", "8", "--db", "a.db", cwd=tmp_path)
    assert code == 0, err
    assert "4/4" in out + err


@pytest.mark.slow
def test_the_records_have_one_row_per_cell_and_repeat_exactly(data: Path, tmp_path: Path) -> None:
    run = (*SWEEP, *GRID, "--json", "--slots", "1")
    code, out, err = call(*run, cwd=tmp_path)
    assert code == 0, err
    rows = records(out)
    assert [row["strength"] for row in rows] == [-4.0, -0.4, 0.4, 4.0]
    assert {row["layers"] for row in rows} == {"3"}
    assert [row["is_coherent"] for row in rows if row["strength"] in (-4.0, 4.0)] == [False] * 2
    assert call(*run, cwd=tmp_path)[1] == out


def test_training_and_evaluation_scenarios_are_not_used(data: Path) -> None:
    vector = find_vector("mine").vector
    pack = load_pack("steering-train")
    unseen = [s for s in pack if not vector.is_trained_on(s.name, s.task)]
    assert len(unseen) == 12
    evaluation = {s.name for s in load_pack("starter")}
    assert not evaluation & {s.name for s in pack}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("whole", "--model", "demo"), "0 of 36 scenarios of steering-train are left"),
        (("mine", "--model", "demo", "--layers", "90"), "layer 90: the vector has no direction"),
        (("nothing", "--model", "demo"), "nothing: no such vector"),
        (
            ("mine", "--model", "demo", "--strength", "9", "--layers", "1", "--limit", "3"),
            "within the limits of coherence",
        ),
    ],
)
def test_what_cannot_be_chosen_is_one_sentence(
    data: Path, tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    code, _, err = call(
        "vector", "sweep", *options, "--max-tokens", "8", "--write", "best.toml", cwd=tmp_path
    )
    assert code == 1
    assert sentence in err
    assert "Traceback" not in err
    assert not (tmp_path / "best.toml").exists()


@pytest.mark.parametrize("option", [("--limit", "-1"), ("--max-tokens", "0"), ("--max-loss", "-1")])
def test_a_number_out_of_range_is_a_wrong_usage(data: Path, option: tuple[str, str]) -> None:
    code, _, err = call("vector", "sweep", "mine", "--model", "demo", *option, cwd=data)
    assert code == 2
    assert option[0] in err
