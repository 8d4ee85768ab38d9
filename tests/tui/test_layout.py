"""Layout of narrow panels: no line of rates wraps, names that differ at the end stay apart."""

from pathlib import Path

import pytest

from steertui.analysis.summary import summarise_experiment
from steertui.report.figures import paper_rates
from steertui.store import Store
from steertui.tui.results.rates import draw_table
from steertui.tui.widgets.label_style import ON_DARK
from steertui.tui.widgets.layout import shorten_middle
from tests.fixtures.real import RUNS
from tests.fixtures.stored_answers import paper


@pytest.mark.skipif(not RUNS.exists(), reason="the paper's runs are not on this machine")
@pytest.mark.parametrize("width", [48, 54, 58, 62, 70, 90, 130])
def test_no_line_of_the_rates_is_wider_than_its_panel(tmp_path: Path, width: int) -> None:
    db = tmp_path / "a.db"
    experiment = paper(db)
    with Store(db) as store:
        table = summarise_experiment(store, experiment).tables[0]
    published = paper_rates(table)
    lines = draw_table(table, width, ON_DARK).plain.splitlines()
    rows = [line for line in lines if line.startswith(tuple(row.condition for row in table.rows))]
    assert len(rows) == len(table.rows)
    assert max(map(len, rows)) <= width
    for row, line in zip(table.rows, rows, strict=True):
        value = published[row.condition].value
        assert value is not None
        assert line.endswith(f"{100 * value:.1f}")


def test_names_are_shortened_in_the_middle() -> None:
    assert shorten_middle("SmolLM2-135M-Instruct", 40) == "SmolLM2-135M-Instruct"
    names = [shorten_middle(f"SmolLM2-{size} t0", 11) for size in ("135M", "360M", "1.7B")]
    assert len(set(names)) == 3
    assert all(len(name) == 11 for name in names)
