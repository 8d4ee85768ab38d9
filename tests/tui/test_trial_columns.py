"""Columns of the list of trials: nothing is shortened while there is room."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot

from steertui.engine.sizing import Overrides
from steertui.tui.app import SteertuiApp
from steertui.tui.read.trial_columns import MIN_ANSWER, SIGN, LongestNames, column_widths
from steertui.tui.read.trial_list import TrialList
from steertui.tui.session import open_session
from tests.fixtures import large
from tests.fixtures.screens import drive, press, wait_idle
from tests.fixtures.stored_answers import made_up


def answer_width(width: int, names: LongestNames) -> int:
    return width - SIGN - sum(each + 1 for each in column_widths(width, names, 48).values() if each)


def test_a_wide_list_shortens_nothing_and_the_answer_gets_the_rest() -> None:
    names = LongestNames(condition=14, model=30)
    assert column_widths(120, names, 48) == {"condition": 14, "model": 30, "title": 48}
    assert answer_width(150, names) == answer_width(120, names) + 30


@pytest.mark.parametrize("width", range(56, 160))
def test_no_text_is_shortened_for_an_answer_that_has_more_than_its_least(width: int) -> None:
    names = LongestNames(condition=20, model=24)
    widths = column_widths(width, names, 48)
    is_short = widths != {"condition": 20, "model": 24, "title": 48}
    assert not is_short or answer_width(width, names) <= MIN_ANSWER


def test_titles_are_shortened_before_models_and_models_before_conditions() -> None:
    names = LongestNames(condition=20, model=24)
    shortened = [
        {
            name
            for name, full in (("title", 48), ("model", 24), ("condition", 20))
            if column_widths(width, names, 48)[name] < full
        }
        for width in range(130, 60, -1)
    ]
    order = [set(each) for each in dict.fromkeys(map(frozenset, shortened))]
    assert order == [set(), {"title"}, {"title", "model"}, {"title", "model", "condition"}]


def test_read_shows_whole_names_of_models_at_200_columns(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    large.write(db, models=2, samples=1, words=30)
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("UPDATE models SET name = 'a-model-with-a-long-name-' || name")

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3")
        trials = app.screen.query_one(TrialList)
        assert trials.line
        assert trials.line.model in trials.render_line(0).text

    drive(open_session(None, db, Overrides(threads=1)), story, (200, 40))


def test_the_frame_of_a_trial_has_as_much_of_the_title_as_there_is_room_for(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    title = f"A title {'that is long ' * 8}and ends here"
    made_up(db, ["an answer"], title=title)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3")
        frame = app.screen.query_one("#text")
        assert "…" in str(frame.border_title)
        assert str(frame.border_title).endswith("made-up")
        await pilot.resize_terminal(320, 40)
        await wait_idle(pilot)
        assert title in str(frame.border_title)

    drive(open_session(None, db, Overrides(threads=1)), story)
