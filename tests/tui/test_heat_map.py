"""Heat map on Results: numbers of the summary, signs beside colours, heads of models, a key."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from steertui.analysis.summary import Summary, summarise_experiment
from steertui.engine.sizing import Overrides
from steertui.report.palette import DARK, LIGHT
from steertui.stats.rate import Policy
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.results.heat_map import SIGNS, draw_heat_map, has_heat_map, shade
from steertui.tui.results.results_screen import ResultsScreen
from steertui.tui.session import open_session
from steertui.tui.widgets.label_style import ON_DARK, ON_LIGHT
from steertui.tui.widgets.reflowing_text import ReflowingText
from tests.fixtures import large
from tests.fixtures.screens import drive, press, wait_until
from tests.fixtures.stored_answers import made_up

CELL = re.compile(rf"(\d+)\*?([{SIGNS}]) +(\d+)")


def summary_of(db: Path, policy: Policy = Policy.PAPER) -> Summary:
    with Store(db) as store:
        return summarise_experiment(store, store.resolve_experiment(), policy)


@pytest.mark.parametrize("policy", Policy)
def test_every_cell_has_rate_sign_and_valid_answers(tmp_path: Path, policy: Policy) -> None:
    db = tmp_path / "a.db"
    large.write(db, models=1, samples=2, words=1)
    tables = summary_of(db, policy).tables
    lines = draw_heat_map(tables[0], tables, 100, ON_DARK).plain.splitlines()
    assert lines[0].split() == tables[0].conditions
    rows = [category.rows for category in tables[0].categories] + [tables[0].rows]
    for line, own in zip(lines[1:], rows, strict=False):
        cells = CELL.findall(line)
        assert len(cells) == len(own)
        for (percent, sign, valid), row in zip(cells, own, strict=True):
            value = row.convergence.value
            assert value is not None
            assert percent == f"{100 * value:.0f}"
            assert int(valid) == row.convergence.total
            assert abs(SIGNS.index(sign) / len(SIGNS) - value) <= 1 / len(SIGNS)


@pytest.mark.parametrize("width", [60, 76, 100, 200])
def test_models_are_heads_over_their_conditions_and_no_line_is_too_wide(
    tmp_path: Path, width: int
) -> None:
    db = tmp_path / "a.db"
    large.write(db, models=3, samples=1, words=1)
    tables = summary_of(db).tables
    lines = draw_heat_map(tables[1], tables, width, ON_DARK).plain.splitlines()
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for table in tables:
        assert text.count(f"{table.setting.name} t{table.setting.temperature:g}") >= 1
    assert len(CELL.findall(text)) == sum(
        len(table.rows) + sum(len(c.rows) for c in table.categories) for table in tables
    )


def test_many_models_show_the_chosen_one(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    large.write(db, models=9, samples=1, words=1)
    tables = summary_of(db).tables
    text = draw_heat_map(tables[8], tables, 100, ON_DARK).plain
    cells = sum(len(category.rows) for category in tables[8].categories) + len(tables[8].rows)
    assert len(CELL.findall(text)) == cells


def test_conditions_have_the_colours_of_the_page(tmp_path: Path) -> None:
    for colours, page in ((ON_DARK, DARK), (ON_LIGHT, LIGHT)):
        for name in ("baseline", "pro", "anti", "placebo"):
            assert colours.condition(name) == page[name]
        assert colours.condition("of-my-own") == page["other"]
        assert shade(0.0, colours).bgcolor != shade(1.0, colours).bgcolor


@pytest.mark.parametrize(("size", "is_beside"), [((80, 24), False), ((200, 60), True)])
@pytest.mark.parametrize("no_color", [False, True])
def test_a_key_scrolls_to_the_heat_map_at_every_size(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    is_beside: bool,
    no_color: bool,
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    db = tmp_path / "a.db"
    large.write(db, models=1, samples=1, words=1)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4")
        heat_map = app.screen.query_one("#heat-map", ReflowingText)
        await wait_until(pilot, lambda: bool(heat_map.region.height))
        sentences = app.screen.query_one("#sentences", ReflowingText)
        assert (heat_map.region.x > sentences.region.x) == is_beside
        await press(pilot, "h")
        await wait_until(pilot, lambda: 0 < heat_map.region.y < size[1] - 8)
        assert CELL.search(str(heat_map.render()))

    drive(open_session(None, db, Overrides(threads=1)), story, size)


def test_unjudged_answers_and_a_single_category_have_no_heat_map(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["an answer"] * 4)
    assert not has_heat_map(summary_of(db).tables[0])

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4", "h")
        assert isinstance(app.screen, ResultsScreen)
        assert not app.screen.query_one("#heat-map").display

    drive(open_session(None, db, Overrides(threads=1)), story)


@pytest.mark.parametrize("width", [60, 120])
def test_shortened_heads_of_models_differ(tmp_path: Path, width: int) -> None:
    db = tmp_path / "a.db"
    large.write(db, models=2, samples=1, conditions=3, words=1)
    name = "A-family-with-a-long-name-{}-Instruct-of-the-second-generation.Q4_K_M"
    names = [name.format(size) for size in ("0.5B", "1.5B")]
    tables = [
        replace(table, setting=replace(table.setting, name=name))
        for table, name in zip(summary_of(db).tables, names, strict=True)
    ]
    text = draw_heat_map(tables[0], tables, width, ON_DARK).plain
    heads = [head for head in re.split(r"\s{2,}", text) if "…" in head]
    assert len(heads) == len(set(heads)) == 2
