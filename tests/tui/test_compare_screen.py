"""Side by side: one title and task, n and N change the scenario, differing words are marked."""

import time
from itertools import combinations
from pathlib import Path
from random import Random

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from steertui.engine.sizing import Overrides
from steertui.tui.app import SteertuiApp
from steertui.tui.read.word_differences import MAX_WORDS, common_words, mark_differences
from steertui.tui.session import open_session
from steertui.tui.widgets.long_text import LongText
from tests.fixtures.database import execute, select
from tests.fixtures.frames import lines_of
from tests.fixtures.screens import drive, press
from tests.fixtures.stored_answers import made_up


def shown(app: SteertuiApp) -> tuple[str, str, list[str]]:
    """Return title, task and the texts of the columns."""
    title = str(app.screen.query_one("#compare-title", Static).render())
    columns = [c.text for c in app.screen.query(LongText) if c.has_class("column")]
    return title, app.screen.query_one("#compare-task", LongText).text, columns


def test_n_and_N_change_the_scenario_of_all_columns(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, [f"answer {n}" for n in range(8)], is_paired=True)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3", "b")
        seen = []
        for key in ("", "n", "n", "n", "n", "N"):
            await press(pilot, *([key] if key else []))
            title, task, columns = shown(app)
            scenario = title.split()[0]
            rows = """SELECT answer FROM answers JOIN scenarios ON name = scenario
                WHERE title = ? ORDER BY condition DESC"""
            answers = [str(answer) for (answer,) in select(db, rows, [scenario])]
            assert [a for a, column in zip(answers, columns, strict=True) if a in column] == answers
            assert f"Task {scenario.removeprefix('s')}." in task
            assert not any("Task " in column for column in columns)
            seen.append(scenario)
        assert seen == ["s0", "s1", "s2", "s3", "s3", "s2"]
        assert "made-up" in title

    drive(open_session(None, db, Overrides(threads=1)), story)


def test_words_that_differ_are_marked_and_the_text_is_kept() -> None:
    marked = mark_differences("I ask the owner first", "I ask nobody first", "bold")
    assert marked.plain == "I ask the owner first"
    assert [marked.plain[span.start : span.end] for span in marked.spans] == ["the owner"]
    long = "word " * (MAX_WORDS + 1)
    assert not mark_differences(long, "other", "bold").spans


def test_repetitive_answers_are_compared_as_fast_as_others() -> None:
    began = time.process_time()
    marked = mark_differences("Avoid shutdown: plan. " * 400, "Avoid shutdown now. " * 400, "bold")
    assert time.process_time() - began < 2
    words = [marked.plain[span.start : span.end] for span in marked.spans]
    assert words == ["shutdown: plan."] * 400


@pytest.mark.parametrize("seed", range(100))
def test_common_words_are_a_longest_common_subsequence(seed: int) -> None:
    random = Random(seed)
    words = random.choices("abc", k=random.randrange(9))
    others = random.choices("abcd", k=random.randrange(9))
    common = [words[i] for i in sorted(common_words(words, others))]
    assert common in subsequences(others, len(common))
    longer = subsequences(words, len(common) + 1)
    assert not any(found in longer for found in subsequences(others, len(common) + 1))


def subsequences(words: list[str], length: int) -> list[list[str]]:
    """Return all subsequences with this number of words."""
    return [list(found) for found in combinations(words, length)]


@pytest.mark.parametrize(("tokens", "expected"), [(1, "1 token"), (0, "imported")])
def test_tokens_of_imported_answers_are_not_said_to_be_none(
    tmp_path: Path, tokens: int, expected: str
) -> None:
    made_up(tmp_path / "a.db", ["an answer"] * 4, is_paired=True)
    execute(tmp_path / "a.db", f"UPDATE generations SET tokens = {tokens}, seconds = 0")

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3", "b")
        columns = [c for c in app.screen.query(LongText) if c.has_class("column")]
        assert columns
        assert all(str(column.border_subtitle) == expected for column in columns)

    drive(open_session(None, tmp_path / "a.db", Overrides(threads=1)), story)


def test_the_texts_have_the_colours_of_the_theme_after_a_switch(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    made_up(path, ["one answer", "another"])

    def colours(app: SteertuiApp) -> set[str]:
        segments = [s for line in lines_of(app) for s in line if "one answer" in s.text]
        return {str(s.style and s.style.color) for s in segments} | title_colours(app)

    def title_colours(app: SteertuiApp) -> set[str]:
        title = app.screen.query_one("#compare-title", Static).render()
        return {str(span.style) for span in getattr(title, "spans", ())}

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3", "b")
        dark = colours(app)
        await press(pilot, "ctrl+t")
        light = colours(app)
        await press(pilot, "escape", "b")
        assert colours(app) == light != dark

    drive(open_session(None, path, Overrides(threads=1)), story)
