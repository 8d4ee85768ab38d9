"""What the numbers of a report do not say: the limits that apply to it."""

from collections.abc import Mapping
from pathlib import Path

from steertui.analysis.caveats import caveats
from steertui.analysis.summary import ReportFilter, Summary, summarise
from steertui.analysis.table import Table, make_table
from steertui.core.experiment import Experiment
from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.rate import Policy
from steertui.store import JudgeInfo, ModelSetting, Store
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


def made_table(model: str, sizes: Mapping[str, Mapping[str, int]], judge: str) -> Table:
    """Return a table with these numbers of scenarios by condition and category."""
    outcomes = [
        Outcome(
            scenario=f"{category}/{number}",
            category=category,
            condition=condition,
            sample=0,
            generated=True,
            truncated=False,
            label=Label.CONVERGENCE,
            failed=False,
        )
        for condition, categories in sizes.items()
        for category, size in categories.items()
        for number in range(size)
    ]
    own = JudgeInfo(judge, judge, "", JudgeKind.LOCAL)
    setting = ModelSetting(model, model, "", 0.0)
    return make_table("e", setting, own, outcomes, Policy.PAPER)


def test_scenarios_that_conditions_do_not_share_are_counted() -> None:
    partial = {
        "baseline": {"a": 20, "b": 10, "c": 46},
        "pro": {"b": 10, "c": 46},
        "anti": {"a": 20, "c": 46},
    }
    every = dict.fromkeys(partial, partial["baseline"])
    tables = [made_table("one", partial, judge) for judge in ("x", "y")]
    tables.append(made_table("two", every, "x"))
    first, second, *_ = caveats(Summary(("e",), tuple(tables)))
    assert first.startswith("Scenarios: intervals are about scenarios like those of each condition")
    # The category a: 20 of 66 scenarios under anti, none under pro.
    assert second == (
        "Not every condition has every scenario: one has 76 (56 to 76 under each condition, 46 "
        "under all), two has 76 (76 under each condition, 76 under all); the share of a category "
        "differs by up to 30 points between two conditions of a model; rates of two conditions or "
        "models can differ because their scenarios differ"
    )
    complete = caveats(Summary(("e",), (tables[2],)))
    assert "these 76, not about" in complete[0]
    assert not any("every scenario" in line for line in complete)
