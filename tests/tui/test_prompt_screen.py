"""Prompt screen: every prompt of the plan, with keys, at every size."""

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from steertui.core.experiment import Experiment
from steertui.planning.origin import TYPED
from steertui.planning.prompt_preview import preview_prompts
from steertui.tui.app import SteertuiApp
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.plan.prompt_screen import PromptScreen
from steertui.tui.plan.prompt_text import marked_lines
from steertui.tui.session import Session
from steertui.tui.widgets.label_style import ON_DARK
from steertui.tui.widgets.long_text import CHUNK, LongText
from tests.fixtures.screens import drive, press, wait_idle

EXPERIMENT = Experiment(models=["demo", "Qwen3-0.6B"], limit=2, judges=["none"])


@pytest.mark.parametrize("size", [pytest.param((80, 24), marks=pytest.mark.slow), (120, 40)])
def test_keys_lead_to_every_prompt_of_the_plan(tmp_path: Path, size: tuple[int, int]) -> None:
    preview = preview_prompts(EXPERIMENT, "demo", TYPED)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1")
        plan = app.screen
        assert isinstance(plan, PlanScreen)
        plan.change(EXPERIMENT)
        await wait_idle(pilot)
        await press(pilot, "p")
        screen = app.screen
        assert isinstance(screen, PromptScreen)
        view = screen.query_one(LongText)
        assert screen.query_one(OptionList).highlighted == 1  # pro, the first with a text
        assert view.size.height > 6
        await press(pilot, "k")
        for scenario in preview.scenarios:
            for condition in preview.conditions:
                text = preview.rendered[scenario.name, condition.name]
                assert view.text == text
                assert f"{preview.tokens[text]:,} tokens" in str(view.border_subtitle)
                assert condition.name in str(view.border_title)
                await press(pilot, "j")
            await press(pilot, "g", "n")
        assert "2 of 2 scenarios" in str(screen.query_one("#prompt-title", Static).content)
        await press(pilot, "m")
        assert "not on this machine" in view.text
        assert "User message" in view.text
        await press(pilot, "N", "escape")
        assert app.screen is plan

    drive(Session(tmp_path / "a.db"), story, size)


def test_an_unknown_condition_is_named_on_the_prompt_screen(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        app.push_screen(PromptScreen(replace(EXPERIMENT, conditions=["bold"]), TYPED))
        await wait_idle(pilot)
        assert "! bold: no such condition" in app.screen.query_one(LongText).text
        await press(pilot, "m", "n", "escape")

    drive(Session(tmp_path / "a.db"), story)


def test_marks_are_on_added_texts_and_control_tokens_only() -> None:
    text = "<|im|>\x1b[2J [b]a[/b]\npro: b<|im|>\n" + "x" * (CHUNK + 5)
    start = text.index("pro")
    lines = marked_lines(text, [(start, start + len("pro: b"))], {"<|im|>", "<|other|>"}, ON_DARK)
    assert [len(line) for line in lines[2:]] == [CHUNK, 5]
    assert [line.plain for line in lines[:2]] == ["<|im|>\ufffd[2J [b]a[/b]", "pro: b<|im|>"]
    marks = [
        [(line.plain[span.start : span.end], span.style) for span in line.spans]
        for line in lines[:2]
    ]
    token = ("<|im|>", f"bold {ON_DARK.quiet}")
    assert marks == [[token], [("pro: b", f"italic {ON_DARK.blue}"), token]]
