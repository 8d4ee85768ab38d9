"""What the numbers of a report do not say: the limits that apply to it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from steertui.analysis.caveats import caveats
from steertui.analysis.summary import ReportFilter, Summary, summarise
from steertui.analysis.table import Table, make_table
from steertui.core.condition import Condition
from steertui.core.experiment import Experiment
from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.rate import Policy
from steertui.store import JudgeInfo, ModelSetting, Store
from tests.fixtures import grouped, large, replica
from tests.fixtures.database import execute
from tests.fixtures.program import call


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
    assert lines(db)[0].startswith("Scenarios: the limit took the first 76 in turn")


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


def test_models_with_different_scenarios_are_not_called_incomplete() -> None:
    sizes = {"baseline": {"a": 71}, "pro": {"a": 71}}, {"baseline": {"a": 5}, "pro": {"a": 5}}
    tables = [made_table(name, own, "x") for name, own in zip(("one", "two"), sizes, strict=True)]
    assert caveats(Summary(("e",), tuple(tables)))[1] == (
        "Model settings have different scenarios, the same under all their conditions: one has "
        "71, two has 5; rates of two models can differ because their scenarios differ"
    )


def test_conditions_with_equal_prompts_and_unequal_answers_are_named(tmp_path: Path) -> None:
    """`attack` and none×attack-1 are one prompt; so are the plain task, none×none and dose 0."""
    conditions = [
        *grouped.contest_conditions(tmp_path),
        *grouped.dose_conditions(tmp_path, 0.4),
        Condition("plain"),
        Condition("attack", suffix="attack-1"),
    ]
    changed = ("attack", "plain")
    label = grouped.by_rate(lambda _: 0.5)
    grouped.write(
        tmp_path / "a.db",
        conditions,
        label,
        answer=lambda c: "y" if c.name in changed else "x",
        is_steered=True,
    )
    (line,) = [line for line in lines(tmp_path / "a.db") if line.startswith("Equal prompts")]
    assert line.endswith(
        "different answers to some scenarios: none×none and plain 40 of 40; none×attack-1 and "
        "attack 40 of 40"
    )
    grouped.write(tmp_path / "b.db", conditions, label, is_steered=True)
    with Store(tmp_path / "b.db") as store:
        (table,) = summarise(store, ReportFilter()).tables
    pairs = [(one.first, one.second, one.unequal) for one in table.repeated]
    assert sorted(pairs) == [
        ("none×attack-1", "attack", 0),
        ("none×none", "axis@0", 0),
        ("none×none", "plain", 0),
    ]
    assert not any(line.startswith("Equal prompts") for line in lines(tmp_path / "b.db"))


def test_vectors_that_sum_to_nothing_are_equal_steering(tmp_path: Path) -> None:
    """The attack is the negative of the defence, so both together are the plain task."""
    text = """
format = 1

[[condition]]
name = "anti"
vector = [{ name = "v", strength = -0.4 }]

[[condition]]
name = "half"
vector = [{ name = "v", strength = 0.2 }]

[[condition]]
name = "against"
vector = [{ name = "v", strength = 0.4 }]

[[contest]]
name = "game"
defences = ["anti", "half"]
attacks = ["against"]
"""
    conditions = grouped.load(tmp_path, text)
    label = grouped.by_rate(lambda _: 0.5)
    grouped.write(
        tmp_path / "a.db",
        conditions,
        label,
        answer=lambda c: "y" if c.name == "anti×against" else "x",
        is_steered=True,
    )
    (line,) = [line for line in lines(tmp_path / "a.db") if line.startswith("Equal prompts")]
    assert line.endswith("to some scenarios: none×none and anti×against 40 of 40")
    with Store(tmp_path / "a.db") as store:
        (table,) = summarise(store, ReportFilter()).tables
    assert [(one.first, one.second) for one in table.repeated] == [("none×none", "anti×against")]


@pytest.mark.parametrize("form", ["terminal", "markdown", "latex", "json", "html"])
def test_every_form_says_that_greedy_answers_depend_on_the_batch(tmp_path: Path, form: str) -> None:
    conditions = [*grouped.contest_conditions(tmp_path), Condition("attack", suffix="attack-1")]
    grouped.write(
        tmp_path / "a.db",
        conditions,
        grouped.by_rate(lambda _: 0.5),
        answer=lambda c: c.name if c.name == "attack" else "x",
    )
    code, _, err = call("report", "a.db", "--format", form, "-o", "report", cwd=tmp_path)
    assert code == 0, err
    text = " ".join((tmp_path / "report").read_text(encoding="utf-8").split())
    assert "apart from changes by the batch in which it is computed" in text
    assert "equal prompts and steering under two names" in text
    assert "40 of 40" in text
