"""What the numbers of a report do not say: the limits that apply to it."""

from pathlib import Path

from steertui.analysis.caveats import caveats
from steertui.analysis.summary import ReportFilter, summarise
from steertui.core.experiment import Experiment
from steertui.store import Store
from tests.fixtures import large, replica
from tests.fixtures.database import execute


def lines(db: Path, *conditions: str) -> list[str]:
    with Store(db) as store:
        return caveats(summarise(store, ReportFilter(conditions=conditions)))


def test_limits_are_chosen_by_what_applies(tmp_path: Path) -> None:
    replica.write(tmp_path / "greedy.db")
    greedy = lines(tmp_path / "greedy.db")
    assert [line.split(":")[0] for line in greedy[:4]] == [
        "Scenarios",
        "Wordings",
        "Judges",
        "Greedy decoding",
    ]
    assert "scenarios like these 71" in greedy[0]
    large.write(tmp_path / "sampled.db", models=1, samples=1, words=4)
    sampled = lines(tmp_path / "sampled.db")
    assert not any(line.startswith("Greedy") for line in sampled)
    assert any(line.startswith("No difference shown is not equality") for line in sampled)
    shown = lines(tmp_path / "sampled.db", "pro", "anti")
    assert not any(line.startswith("No difference") for line in shown)


def test_a_limited_experiment_has_no_random_sample(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    large.write(db, models=1, samples=1, words=4)
    execute(db, "UPDATE experiment_plans SET toml = ?", [Experiment(limit=76).to_toml()])
    assert lines(db)[0].startswith("Scenarios: --limit took the first 76 in turn")


def test_answers_without_labels_need_no_limits(tmp_path: Path) -> None:
    large.write(tmp_path / "a.db", models=1, samples=1, judges=0, words=4)
    assert lines(tmp_path / "a.db") == []
