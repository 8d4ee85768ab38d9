"""Layout of narrow panels: no line of rates wraps, names that differ at the end stay apart."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Size

from steertui.analysis.summary import summarise_experiment
from steertui.core.experiment import Experiment
from steertui.core.verdict import Label
from steertui.engine.events import SlotView
from steertui.planning.estimate import Estimate, GridSize
from steertui.planning.experiment_estimate import estimate_experiment
from steertui.planning.footprint import Footprint
from steertui.planning.judge_estimate import JudgeEstimate
from steertui.planning.judges import DEFAULT_OPTIONS
from steertui.report.figures import paper_rates
from steertui.store import Store
from steertui.store.progress_queries import TrialPlace
from steertui.tui.plan.plan_text import estimate_text
from steertui.tui.results.rates import draw_table
from steertui.tui.run.grid import MAX_TITLE_WIDTH, fit_groups, make_grid
from steertui.tui.run.matrix import Matrix
from steertui.tui.run.panels import slot_lines
from steertui.tui.widgets.label_style import ON_DARK
from steertui.tui.widgets.layout import shorten_apart, shorten_middle, shorten_path
from tests.fixtures import grouped, large
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
    assert max(map(len, lines)) <= width
    missing = {"refusal", "nonsense"}.difference(lines[0].split())
    notes = [line for line in lines if line.startswith("too narrow for: ")]
    assert missing == {name for note in notes for name in note[16:].split(", ")}
    for row, line in zip(table.rows, rows, strict=True):
        value = published[row.condition].value
        assert value is not None
        assert line.endswith(f"{100 * value:.1f}")


def test_long_names_of_conditions_leave_room_for_the_rates(tmp_path: Path) -> None:
    conditions = grouped.contest_conditions(tmp_path)
    longest = max(condition.name for condition in conditions) + "-with-a-name-that-is-long"
    conditions[-1] = replace(conditions[-1], name=longest)
    grouped.write(tmp_path / "a.db", conditions, lambda *_: Label.CONVERGENCE, 6)
    with Store(tmp_path / "a.db") as store:
        table = summarise_experiment(store, store.resolve_experiment()).tables[0]
    for width in (48, 56, 76):
        lines = draw_table(table, width, ON_DARK).plain.splitlines()
        assert max(map(len, lines)) <= width
        assert all("100.0" in line for line in lines[1 : 1 + len(table.rows)])


def test_names_are_shortened_in_the_middle() -> None:
    assert shorten_middle("SmolLM2-135M-Instruct", 40) == "SmolLM2-135M-Instruct"
    names = [shorten_middle(f"SmolLM2-{size} t0", 11) for size in ("135M", "360M", "1.7B")]
    assert len(set(names)) == 3
    assert all(len(name) == 11 for name in names)


@pytest.mark.parametrize("width", range(9, 40))
def test_shortened_names_of_two_models_differ(width: int) -> None:
    names = [f"Qwen2.5-Coder-{size}-Instruct.Q4_K_M t0" for size in ("0.5B", "1.5B", "14B")]
    shown = [shorten_apart(name, names, width) for name in names]
    assert len(set(shown)) == 3
    assert all(len(name) <= width for name in shown)
    assert shorten_apart(names[0], [], width) == shorten_middle(names[0], width)


def test_rates_show_all_and_valid_answers_and_one_minus_sign(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    large.write(db, models=1, samples=1, words=1)
    with Store(db) as store:
        table = summarise_experiment(store, large.experiment_of(db)).tables[0]
    assert any(row.counts.judged != row.convergence.total for row in table.rows)
    text = draw_table(table, 90, ON_DARK).plain
    head, *rows = text.splitlines()
    assert head.split()[:2] == ["valid/n", "convergence"]
    for row, line in zip(table.rows, rows, strict=False):
        assert line.split()[1] == f"{row.convergence.total}/{row.counts.judged}"
    assert not re.search(r"−\d", text)


def test_samples_are_named_by_temperature(tmp_path: Path) -> None:
    experiment = Experiment(temperatures=[0.0, 1.0], samples=3, limit=4)
    estimate = estimate_experiment(experiment, tmp_path / "a.db", DEFAULT_OPTIONS)
    text = estimate_text(estimate, 100, ON_DARK).plain
    assert "× 4 samples (1 at temperature 0, 3 at 1)" in text


def test_answers_to_score_are_part_of_the_work(tmp_path: Path) -> None:
    experiment = Experiment(limit=2, coherence="all", judges=["none"])
    estimate = estimate_experiment(experiment, tmp_path / "a.db", DEFAULT_OPTIONS)
    assert (
        "score    6 answers by the unsteered model" in estimate_text(estimate, 100, ON_DARK).plain
    )
    answered = replace(estimate, answered=6)
    action = "r scores the answers that the unsteered model has not scored"
    assert action in estimate_text(answered, 100, ON_DARK).plain
    scored = replace(answered, unscored=0)
    assert "score" not in estimate_text(scored, 100, ON_DARK).plain


def test_the_plan_shows_totals_of_downloads_disk_memory_and_cost() -> None:
    paid = JudgeEstimate("one", 6, 0.2, is_local=False)
    estimate = Estimate(
        size=GridSize(1, 2, 3, ((0.0, 1),)),
        judges=(paid, replace(paid, name="two", dollars=0.3)),
        downloads=(("a", 3_000_000_000), ("b", 1_000_000_000)),
    )
    text = estimate_text(estimate, 100, ON_DARK, Footprint("a", 3 * 10**9, 0, 2 * 10**9, 5 * 10**9))
    for part in (
        "4.00 GB in all",
        "free disk: 5.00 GB",
        "3.00 GB for the weights of a, and the KV cache",
        "free memory: 2.00 GB",
        "about $0.5",
    ):
        assert part in text.plain
    red = [span for span in text.spans if span.style == ON_DARK.error]
    assert [text.plain[span.start : span.end] for span in red] == ["free memory: 2.00 GB"]


@pytest.mark.parametrize(
    ("size", "total"), [(0, ""), (3_000_000_000, "3.00 GB and files of unknown size in all")]
)
def test_the_plan_gives_no_total_of_downloads_of_unknown_size(size: int, total: str) -> None:
    estimate = Estimate(size=GridSize(1, 2, 3, ((0.0, 1),)), downloads=(("a", size), ("b", 0)))
    text = estimate_text(estimate, 100, ON_DARK, Footprint("a", 1, 2, 1, 5 * 10**9)).plain
    assert "and the KV cache; 2 other sizes are not known" in " ".join(text.split())
    assert "b, size unknown" in text
    assert [line.strip() for line in text.splitlines() if "in all" in line] == [total] * bool(total)


@pytest.mark.parametrize(
    ("width", "expected"),
    [(20, "/data/runs/full.db"), (14, "…/full.db"), (8, "full.db"), (5, "fu…db")],
)
def test_a_path_without_room_keeps_the_name_of_its_file(width: int, expected: str) -> None:
    assert shorten_path("/data/runs/full.db", width) == expected


MODELS = ("SmolLM2-135M-Instruct t0", "SmolLM2-135M-Instruct t0.8")


def places(groups: Sequence[str], conditions: Sequence[str]) -> list[TrialPlace]:
    """Return one trial per group and condition, of a scenario with a long title."""
    return [
        TrialPlace(
            key=f"{group} {name}",
            category="shutdown",
            scenario="s",
            title="a long title of a scenario",
            group=group,
            condition=name,
        )
        for group in groups
        for name in conditions
    ]


@pytest.mark.parametrize(("room", "is_whole"), [(30, False), (80, True)])
def test_models_of_one_condition_are_told_apart_in_the_matrix(room: int, is_whole: bool) -> None:
    columns = fit_groups(make_grid(places(MODELS, ["pro"])).columns, room)
    names = [shorten_middle(column.group, column.width - 1) for column in columns]
    assert len({*names}) == 2
    assert (names == [*MODELS]) == is_whole
    assert is_whole or all(len(name) >= 10 for name in names)


def test_scenario_names_make_room_for_the_last_condition() -> None:
    conditions = ("baseline", "pro", "anti", "light", "medium", "full")

    class OneMatrix(App[None]):
        def compose(self) -> ComposeResult:
            yield Matrix()

    async def heads() -> str:
        app = OneMatrix()
        async with app.run_test(size=(62, 10)) as pilot:
            matrix = app.query_one(Matrix)
            matrix.fill(make_grid(places(MODELS[:1], conditions)))
            await pilot.pause()
            return matrix.render_line(0).text

    assert tuple(asyncio.run(heads()).split()) == conditions


def test_conditions_with_long_names_are_told_apart_in_matrix_and_slots() -> None:
    """Neither a name of 64 characters nor wide letters hide the other columns."""
    names = [f"steering-with-a-rather-long-name-{number}-of-two-conditions" for number in (1, 2)]
    stored = places(MODELS[:1], [*names, "条件" * 20])
    columns = make_grid(stored).columns
    assert len({column.title for column in columns}) == 3
    assert all(cell_len(column.title) <= MAX_TITLE_WIDTH == column.width - 2 for column in columns)
    slots = [SlotView(place.key, 3, "text") for place in stored[:2]]
    lines = slot_lines(slots, {p.key: p for p in stored}, "", Size(70, 4), ON_DARK)
    first, second = lines.plain.split("\n")
    assert first[3:] != second[3:]
