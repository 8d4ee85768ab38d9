"""Numbers of the tables on Results: each opens as many trials as it says."""

from pathlib import Path

import pytest

from steertui.analysis.judge_agreement import compare_judges
from steertui.analysis.summary import summarise_experiment
from steertui.core.verdict import Label, Verdict
from steertui.stats.rate import Policy
from steertui.store import Store
from steertui.store.trial_filter import find_trials
from steertui.tui.results.tables import (
    ResultTable,
    agreement_table,
    drill_down_filter,
    rates_table,
)
from steertui.tui.widgets.label_style import palette
from tests.fixtures.database import execute, select
from tests.fixtures.stored_answers import made_up

COLOURS = palette(dark=True)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Return a database with labels, a failure, an unjudged answer, and labels given again."""
    path = tmp_path / "a.db"
    made_up(path, [f"answer {n}" for n in range(48)], is_paired=True)
    execute(path, "UPDATE generations SET stop = 'length' WHERE id IN (3, 4, 5)")
    keys = [str(key) for (key,) in select(path, "SELECT trial FROM generations ORDER BY id")]
    with Store(path) as store:
        store.add_judge("openai:one", "one", {"kind": "server", "title": ""})
        store.add_judge("human:ann", "ann", {"kind": "a person", "title": ""})
        for number, key in enumerate(keys[2:]):
            store.add_verdict(key, Verdict("openai:one", [*Label][number % 4]))
        store.add_verdict(keys[0], Verdict("openai:one", None, failure="no label"))
        for key in keys[:8]:
            store.add_verdict(key, Verdict("human:ann", Label.CONVERGENCE))
        for key in keys[:3]:
            store.add_verdict(key, Verdict("human:ann", Label.NONSENSICAL))
    return path


def numbers(shown: ResultTable) -> dict[tuple[int, int], int]:
    """Return the counts of the cells that open trials."""
    cells = {(y, x): shown.content.rows[y][x].plain for y, x in shown.drill_downs}
    return {place: int(text) for place, text in cells.items() if text.isdigit()}


@pytest.mark.parametrize("policy", Policy)
def test_every_number_of_the_rates_opens_as_many_trials(db: Path, policy: Policy) -> None:
    with Store(db) as store:
        for table in summarise_experiment(store, store.resolve_experiment(), policy).tables:
            shown = rates_table(table, COLOURS)
            assert len(numbers(shown)) == 2 * 7
            for place, number in numbers(shown).items():
                wanted = drill_down_filter(table, shown.drill_downs[place])
                assert len(find_trials(store, wanted)) == number, (table.judge, place)


def test_every_number_of_the_agreement_opens_as_many_trials(db: Path) -> None:
    with Store(db) as store:
        experiment = store.resolve_experiment()
        table = summarise_experiment(store, experiment).tables[0]
        shown = agreement_table(compare_judges(store, experiment), COLOURS)
        assert len(numbers(shown)) == len(Label) ** 2
        for place, number in numbers(shown).items():
            wanted = drill_down_filter(table, shown.drill_downs[place])
            assert len(find_trials(store, wanted)) == number, place
