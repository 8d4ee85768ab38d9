"""The number of trials is limited before the grid is built."""

from pathlib import Path

import pytest

from steertui.core.experiment import Experiment
from steertui.errors import ExperimentError
from steertui.planning.experiment_estimate import estimate_experiment
from steertui.planning.judges import DEFAULT_OPTIONS
from steertui.planning.resolve import MAX_TRIALS, resolve, resolve_texts
from tests.fixtures.limited import run_limited

HUGE = Experiment(samples=10_000, temperatures=[place / 100 + 0.01 for place in range(500)])
COUNT = 36 * 3 * 10_000 * 500

PROGRAM = """
import sys
from steertui.cli.entry import main
sys.argv[1:] = ["--batch", "--experiment", sys.argv[1], "--db", sys.argv[2]]
main()
"""


def test_an_experiment_with_too_many_trials_is_refused_with_their_number(tmp_path: Path) -> None:
    file, db = tmp_path / "huge.toml", tmp_path / "new.db"
    file.write_text(HUGE.to_toml(), encoding="utf-8")
    code, out, err = run_limited(PROGRAM, str(file), str(db), seconds=10)
    assert (code, out) == (1, "")
    assert f"{COUNT:,} trials" in err
    assert len(err.splitlines()) == 1
    assert not db.exists()


def test_the_estimate_names_the_number_of_trials(tmp_path: Path) -> None:
    estimate = estimate_experiment(HUGE, tmp_path / "new.db", DEFAULT_OPTIONS)
    assert f"{COUNT:,} trials" in estimate.error
    with pytest.raises(ExperimentError, match=f"at most {MAX_TRIALS:,}"):
        resolve(HUGE)


def test_one_sample_counts_at_temperature_zero() -> None:
    scenarios, conditions = resolve_texts(Experiment(samples=10_000, temperatures=[0.0]))
    assert (len(scenarios), len(conditions)) == (36, 3)


def test_prompts_that_do_not_fit_memory_are_refused_before_they_are_built(tmp_path: Path) -> None:
    pack = tmp_path / "long.toml"
    pack.write_text(
        f'format = 1\nname = "long"\n[[category]]\nname = "c"\n[[category.scenario]]\n'
        f'id = "a"\ntitle = "t"\ntask = "{"word " * 200_000}"\n'
    )
    experiment = Experiment(scenarios=[str(pack)], temperatures=[1.0], samples=3000)
    with pytest.raises(ExperimentError, match="characters, and at most 1,000,000,000"):
        resolve_texts(experiment)
