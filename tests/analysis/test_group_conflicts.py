"""Judges with opposite labels: slopes, verdicts, attacks and categories are no findings."""

from collections.abc import Callable
from pathlib import Path

import pytest

from steertui.analysis.sentences import Finding
from steertui.analysis.summary import ReportFilter, summarise
from steertui.analysis.table import Table
from steertui.core.verdict import Label, Verdict
from steertui.store import Store
from tests.analysis.test_random_factors import stored
from tests.fixtures.grouped import JUDGE, write_contest, write_dose
from tests.fixtures.sized_models import Made, store_models

OTHER = "openai:other#1"
START = "No finding (openai:{} leads to another conclusion): "
OPPOSITE = {
    Label.CONVERGENCE: Label.NO_CONVERGENCE,
    Label.NO_CONVERGENCE: Label.CONVERGENCE,
}


def judged_twice(path: Path, labels: dict[Label, Label] = OPPOSITE) -> dict[str, Table]:
    """Add a judge whose labels are mapped from the first one's; return the tables by judge."""
    with Store(path) as store:
        (experiment,) = store.experiments()
        store.add_judge(OTHER, "openai:other", {"title": ""})
        for key, label in store.tuples("SELECT trial, label FROM verdicts"):
            store.add_verdict(key, Verdict(OTHER, labels.get(Label(label), Label(label))))
        assert experiment
        summary = summarise(store, ReportFilter())
    return {table.judge.id: table for table in summary.tables if table.judge}


def warned(table: Table) -> list[str]:
    return [w.text for w in table.warnings if "is no finding: another judge" in w.text]


def test_a_slope_that_another_judge_contradicts_is_no_finding(tmp_path: Path) -> None:
    tables = judged_twice(write_dose(tmp_path))
    for judge, rival in ((JUDGE, "other"), (OTHER, "judge")):
        (axis,) = tables[judge].groups.axes
        assert axis.headline.startswith(START.format(rival) + "Convergence ")
        marked = [s for s in axis.sentences if s.startswith(START.format(rival))]
        assert len(marked) == 1
        assert warned(tables[judge])[0].startswith("the slope over axis is no finding")


def test_an_attack_that_another_judge_contradicts_is_open(tmp_path: Path) -> None:
    tables = judged_twice(write_contest(tmp_path))
    (result,) = tables[JUDGE].groups.contests
    start = START.format("other") + "Without a defence attack-1 steers"
    assert any(sentence.startswith(start) for sentence in result.evidence)
    assert result.marks["none", "attack-1"].value == "open"
    assert "the steering by attack-1 is no finding" in " ".join(warned(tables[JUDGE]))


def test_the_gap_of_a_category_that_another_judge_contradicts_is_no_finding(
    tmp_path: Path,
) -> None:
    store_models(tmp_path / "a.db", {"m": Made(0, "", 20, 38, 2)})
    for table in judged_twice(tmp_path / "a.db").values():
        found = [c.comparison.finding for c in table.categories if c.comparison]
        assert found == [Finding.CONTESTED] * 2
        names = " and ".join(c.name for c in table.categories)
        assert warned(table) == [
            f"the gap in each of {names} is no finding: another judge leads to another conclusion"
        ]


def test_a_gap_over_wordings_that_another_judge_contradicts_is_no_finding(tmp_path: Path) -> None:
    stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        (before, *_) = summarise(store, ReportFilter()).tables
    table = judged_twice(tmp_path / "a.db")["paper:x"]
    assert any(arm.sentence.startswith(START.format("other")) for arm in table.arms)
    assert not any("No finding" in arm.sentence for arm in before.arms)
    assert any(text.startswith("the gap over wordings, ") for text in warned(table))


@pytest.mark.parametrize("write", [write_dose, write_contest])
def test_judges_that_agree_change_no_conclusion(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    path = write(tmp_path)
    with Store(path) as store:
        (before,) = summarise(store, ReportFilter()).tables
    tables = judged_twice(path, {})
    assert tables[JUDGE].groups == before.groups
    assert warned(tables[JUDGE]) == []
