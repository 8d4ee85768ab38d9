"""Dose axes and contests on the Results screen, at two sizes, with and without colours."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from steertui.analysis.summary import summarise_experiment
from steertui.engine.sizing import Overrides
from steertui.planning.presets import PRESETS
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.plan.field_choices import condition_choices
from steertui.tui.results.groups import draw_groups
from steertui.tui.session import open_session
from steertui.tui.widgets.label_style import palette
from steertui.tui.widgets.reflowing_text import ReflowingText
from tests.fixtures import grouped
from tests.fixtures.screens import drive, press, wait_until


@pytest.mark.parametrize("no_color", [False, True])
@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
def test_a_large_contest_and_axis_fit_the_results_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], no_color: bool
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    conditions = grouped.contest_conditions(tmp_path, 6, 6)
    doses = [-0.8, -0.6, -0.4, -0.2, 0.2, 0.4, 0.6, 0.8]
    conditions += grouped.dose_conditions(tmp_path, *doses)
    label = grouped.by_rate(lambda c: 0.5 + 0.4 * (c.step.dose if c.step else 0.5))
    grouped.write(tmp_path / "a.db", conditions, label, 12)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4")
        shown = app.screen.query_one("#sentences", ReflowingText)
        await wait_until(pilot, lambda: "Contest game" in str(shown.render()))
        lines = str(shown.render()).splitlines()
        matrix = next(i for i, line in enumerate(lines) if line.startswith("Contest game"))
        assert len([line for line in lines[matrix:] if line.startswith("defence-")]) >= 12
        axis = next(i for i, line in enumerate(lines) if line.startswith("Dose axis"))
        assert len(lines[axis + 2].split()) >= 6
        assert max(map(len, lines)) <= shown.content_size.width

    drive(open_session(None, tmp_path / "a.db", Overrides(threads=1)), story, size)


def test_names_of_attacks_are_whole_where_they_fit(tmp_path: Path) -> None:
    conditions = grouped.contest_conditions(tmp_path, 2, 2)
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(lambda _: 0.5), 12)
    with Store(tmp_path / "a.db") as store:
        groups = summarise_experiment(store, store.resolve_experiment()).tables[0].groups
    attacks = [*groups.contests[0].sides.attacks][1:]
    colours = palette(dark=True)
    assert all(attack in draw_groups(groups, 100, colours).plain for attack in attacks)
    head = draw_groups(groups, 30, colours).plain.splitlines()[1]
    assert not any(attack in head for attack in attacks)


def test_unjudged_answers_of_axes_are_counted_and_the_others_too(tmp_path: Path) -> None:
    conditions = grouped.dose_conditions(tmp_path, -0.4, 0.4)
    grouped.write(tmp_path / "a.db", conditions, lambda *_: None, 12)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4")
        text = str(app.screen.query_one("#sentences", ReflowingText).render())
        assert f"{12 * len(conditions)} answers are stored and no judge" in text
        assert len(re.findall(r"\d+ answers", text)) == 1

    drive(open_session(None, tmp_path / "a.db", Overrides(threads=1)), story)


def test_a_group_is_one_choice_of_the_plan_screen() -> None:
    preset = PRESETS["demo-contest"]
    names = [name for name, _ in condition_choices(preset)]
    assert names == ["pro", "anti", "vector-pro", "vector-anti", "methods"]
    chosen = replace(preset, conditions=["none×pro", "pro"])
    assert "none×pro" in [name for name, _ in condition_choices(chosen)]
