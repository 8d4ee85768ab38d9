"""Missing answers and labels on Results: named beside the rates, and why a table has no rows."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from steertui.analysis.judge_agreement import compare_judges
from steertui.analysis.missing_trials import left_out_sentence
from steertui.analysis.summary import summarise_experiment
from steertui.core.verdict import Label, Verdict
from steertui.report.terminal import draw
from steertui.store import Store
from steertui.tui.results.missing import AT_WORK, empty_reason
from steertui.tui.results.table_text import draw_table_text
from steertui.tui.results.tables import agreement_table
from steertui.tui.widgets.label_style import palette
from tests.fixtures.database import execute, select
from tests.fixtures.stored_answers import made_up

ANSWERS = 40


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    made_up(path, [f"answer {n}" for n in range(ANSWERS)])
    return path


def label(db: Path, judge: str, numbers: range, *, failed: int = -1) -> None:
    """Store labels of a judge for the answers with these numbers; it fails at one of them."""
    keys = [str(key) for (key,) in select(db, "SELECT trial FROM generations ORDER BY id")]
    with Store(db) as store:
        store.add_judge(judge, judge, {"kind": "server", "title": ""})
        for number in numbers:
            verdict = Verdict(judge, Label.CONVERGENCE)
            if number == failed:
                verdict = Verdict(judge, None, failure="no label")
            store.add_verdict(keys[number], verdict)


def test_any_number_of_trials_outside_the_rates_is_named_beside_them(db: Path) -> None:
    label(db, "openai:one", range(1, ANSWERS - 1), failed=2)
    execute(db, "DELETE FROM generations WHERE id = 1")
    with Store(db) as store:
        summary = summarise_experiment(store, store.resolve_experiment())
    expected = (
        "Not in these rates: 1 trial without an answer (pro 1), 1 answer without a label because "
        "the judge failed (pro 1), 1 answer unjudged (anti 1)"
    )
    assert left_out_sentence(summary.tables[0]) == expected
    shown = draw_table_text(summary, 0, 400, palette(dark=True)).plain
    assert expected in shown
    for detail in (False, True):
        text = StringIO()
        Console(width=400, file=text).print(*draw(summary, detail=detail), sep="\n")
        assert f"! {expected}." in text.getvalue()


def test_a_missing_gap_names_the_condition_and_whether_labels_may_follow(db: Path) -> None:
    label(db, "openai:one", range(ANSWERS))
    execute(
        db,
        "UPDATE verdicts SET label = 'nonsensical' WHERE trial IN (SELECT t.key FROM trials AS t "
        "JOIN conditions AS c ON c.id = t.condition WHERE c.name = 'anti')",
    )
    shown = []
    for _ in range(2):
        with Store(db) as store:
            summary = summarise_experiment(store, store.resolve_experiment())
        shown.append(draw_table_text(summary, 0, 400, palette(dark=True)).plain)
        execute(db, "DELETE FROM verdicts WHERE label = 'nonsensical'")
    assert "gap pro − anti: no valid answer under anti\n" in shown[0]
    assert "gap pro − anti: no valid answer under anti yet\n" in shown[1]


def test_nothing_is_named_if_every_trial_is_in_the_rates(db: Path) -> None:
    label(db, "openai:one", range(ANSWERS))
    with Store(db) as store:
        (table,) = summarise_experiment(store, store.resolve_experiment()).tables
    assert left_out_sentence(table) == ""


def test_two_judges_of_different_answers_are_not_called_one_judge(db: Path) -> None:
    def reason(*, is_at_work: bool = False, planned: int = 0) -> str:
        with Store(db) as store:
            experiment = store.resolve_experiment()
            has_pair = len(store.judges(experiment)) > 1
            agreement = compare_judges(store, experiment) if has_pair else None
            table = summarise_experiment(store, experiment).tables[0]
        assert not agreement_table(agreement, palette(dark=True)).content.rows
        return empty_reason(
            "agreement", table, has_pair=has_pair, is_at_work=is_at_work, planned_judges=planned
        )

    assert reason(is_at_work=True) == f"no answer is labelled yet: {AT_WORK}"
    assert "the run in progress labels them" in reason(is_at_work=True, planned=1)
    label(db, "openai:one", range(ANSWERS // 2))
    assert "the run in progress labels them" in reason(is_at_work=True, planned=2)
    assert AT_WORK in reason(is_at_work=True, planned=1)
    assert "only one judge" in reason()
    assert "8 opens Judges" not in reason(is_at_work=True)
    label(db, "openai:two", range(ANSWERS // 2, ANSWERS))
    assert reason() == "no answer is labelled by two judges"
