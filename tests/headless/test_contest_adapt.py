"""`steertui contest adapt`: attacks chosen on a training run, and refused on its scenarios."""

from pathlib import Path

import pytest

from steertui.core.condition import Condition
from steertui.core.condition_files import load_conditions
from tests.fixtures import grouped
from tests.fixtures.program import call

ADAPT = ("contest", "adapt", "conditions.toml", "--db", "a.db", "--write", "new.toml")
BEST = {"none": "attack-1", "defence-1": "attack-2", "defence-2": "attack-3"}


def rate(condition: Condition) -> float:
    assert condition.cell
    return 0.8 if BEST[condition.cell.defence] == condition.cell.attack else 0.4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    conditions = grouped.contest_conditions(tmp_path, 2, 4)
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(rate))
    return tmp_path


def test_the_strongest_attack_against_each_defence_is_written(folder: Path) -> None:
    code, out, err = call(*ADAPT, cwd=folder)
    assert code == 0, err
    assert "defence-1: attack-2  (attack-1 40 %, attack-2 80 %, attack-3 40 %" in out
    conditions = load_conditions(folder / "new.toml")
    cells = [c.cell for c in conditions.values() if c.cell]
    assert {cell.attack for cell in cells} == {"none", "attack-2", "attack-3"}
    assert {cell.defence for cell in cells} == {"none", "defence-1", "defence-2"}
    assert all(len(cell.chosen_on) == 40 for cell in cells)


def test_the_written_contest_is_refused_on_its_training_scenarios(folder: Path) -> None:
    assert call(*ADAPT, cwd=folder)[0] == 0
    names = load_conditions(folder / "new.toml")
    text = (folder / "new.toml").read_text(encoding="utf-8")
    seen = next(c.cell.chosen_on[0] for c in names.values() if c.cell)
    (folder / "new.toml").write_text(text.replace(seen, "starter/bakery-forecast"), "utf-8")
    run = ("--batch", "--model", "demo", "--conditions-file", "new.toml", "--conditions", "game")
    code, _, err = call(*run, "--db", "b.db", "--limit", "3", cwd=folder)
    assert code == 1
    assert "the attacks of contest game were chosen on this scenario" in err
    code, _, err = call(*run, "--scenarios", "benign", "--print-experiment", cwd=folder)
    assert code == 0, err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conditions.toml": "defence-2"}, "has no contest game with the sides of the run"),
        ({"options": ("--judge", "other")}, "other: no such judge"),
    ],
)
def test_a_run_that_does_not_fit_is_one_sentence(
    folder: Path, change: dict[str, object], message: str
) -> None:
    if "conditions.toml" in change:
        path = folder / "conditions.toml"
        text = path.read_text(encoding="utf-8").replace(', "defence-2"', "")
        path.write_text(text, encoding="utf-8")
    options = change.get("options", ())
    assert isinstance(options, tuple)
    code, _, err = call(*ADAPT, *options, cwd=folder)
    assert code == 1
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_an_incomplete_run_is_one_sentence(tmp_path: Path) -> None:
    conditions = grouped.contest_conditions(tmp_path, 2, 4)
    grouped.write(tmp_path / "a.db", conditions[:-1], grouped.by_rate(rate))
    code, _, err = call(*ADAPT, cwd=tmp_path)
    assert code == 1
    assert "the run has 0 complete contests" in err
