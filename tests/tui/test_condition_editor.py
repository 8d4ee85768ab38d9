"""Editor of conditions: every field is shown, saved and read back; a wrong text changes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input, Static, TextArea

from steertui.core.condition import Condition
from steertui.core.condition_files import conditions_path, load_conditions, load_recipes
from steertui.core.experiment import Experiment
from steertui.core.interventions import (
    DirectionalAblation,
    LoraAdapter,
    VectorAddition,
    VectorRecipe,
)
from steertui.errors import ScenarioError
from steertui.tui.app import SteertuiApp
from steertui.tui.plan.condition_editor import ConditionEditor, editable_text, parse_condition
from steertui.tui.plan.own_conditions import add_condition
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.session import Session
from steertui.tui.widgets.prompts import Confirm
from tests.fixtures.screens import Story, drive, press, type_at_once, wait_idle

FULL = Condition(
    name="full",
    suffix='First line.\n- second "line" \\ back',
    about="Everything at once.",
    arm="pro",
    prefix="Before.",
    system="Say it.",
    system_mode="replace",
    prefill="My plan:",
    vector=(VectorAddition("a", 0.4, "8-16"), VectorAddition("b", -1.5)),
    ablation=(DirectionalAblation("a", 2.0, 12),),
    adapter=(LoraAdapter('own, "lora".gguf', 0.5),),
)


@pytest.mark.parametrize("condition", [FULL, Condition("empty", about="custom condition")])
def test_no_field_is_lost_between_text_and_condition(condition: Condition, tmp_path: Path) -> None:
    text = editable_text(condition)
    assert parse_condition(condition.name, text) == condition
    add_condition(condition, tmp_path / "own.toml")
    assert load_conditions(tmp_path / "own.toml")[condition.name] == condition


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("suffix = ", "condition x: not valid TOML"),
        ('sufix = "a"', "condition x: unknown key 'sufix'"),
        ('name = "y"', "the key name is above the text"),
        ('vector = [{ name = "v" }]', "condition x: "),
        ('system_mode = "before"', "condition x: "),
    ],
)
def test_a_wrong_text_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ScenarioError, match=sentence):
        parse_condition("x", text)


@pytest.mark.parametrize(
    "text", ["Be careful.", "  Two lines:\n- one = 1, two\n- [three]\n", "# 1 in 10\nask first"]
)
def test_a_text_without_a_key_is_the_suffix(text: str, tmp_path: Path) -> None:
    condition = parse_condition("x", text)
    assert condition == Condition("x", suffix=text, about="custom condition")
    add_condition(condition, tmp_path / "own.toml")
    assert load_conditions(tmp_path / "own.toml")["x"].suffix.strip() == text.strip()


@pytest.mark.parametrize("text", ["suffix = Be careful.", 'suffix = """Be', "[Be careful.]x"])
def test_a_text_that_is_no_toml_is_answered_with_an_example(text: str) -> None:
    with pytest.raises(ScenarioError, match=r'such as suffix = "Be careful\."'):
        parse_condition("x", text)


def test_the_conditions_in_use_are_copied_with_the_new_one(tmp_path: Path) -> None:
    add_condition(Condition("mine"), tmp_path / "own.toml", [FULL])
    assert load_conditions(tmp_path / "own.toml")["full"] == FULL


@pytest.mark.parametrize("suffix", ["Win at any price.", "\r\nTwo\r\n lines \n", 'A """ and \\'])
def test_own_texts_of_shipped_names_are_copied_as_they_are(tmp_path: Path, suffix: str) -> None:
    """The file had the shipped text of pro, and the next run measured it in place of the own."""
    own, pro = tmp_path / "own.toml", Condition("pro", suffix=suffix, about="My text.")
    add_condition(Condition("mine"), own, [pro])
    add_condition(Condition("second"), own, [replace(pro, about="")])
    assert load_conditions(own)["pro"] == pro
    assert load_conditions(own)["anti"] == load_conditions()["anti"]
    before = own.read_bytes()
    for other in (load_conditions()["pro"], replace(pro, arm="other")):
        with pytest.raises(ScenarioError, match=r"own\.toml: its condition pro differs from the"):
            add_condition(Condition("third"), own, [other])
    assert own.read_bytes() == before


def test_the_trainings_of_copied_vectors_are_copied_once(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    shipped = conditions_path("demo-steering")
    recipes = load_recipes(shipped)
    others = [*load_conditions(shipped).values()]
    add_condition(Condition("mine"), own, others, recipes)
    assert load_recipes(own) == recipes
    add_condition(Condition("second"), own, others, recipes)
    assert load_recipes(own) == recipes
    assert {*load_conditions(own)} >= {"mine", "second", *(c.name for c in others)}


def test_a_training_whose_contrast_or_use_is_absent_is_left_out(tmp_path: Path) -> None:
    used, unknown = VectorRecipe("a"), VectorRecipe("b", positive="bold")
    add_condition(
        Condition("mine"), tmp_path / "o.toml", [FULL], [used, unknown, VectorRecipe("c")]
    )
    assert load_recipes(tmp_path / "o.toml") == (used,)


def test_the_editor_saves_a_vector_and_keeps_a_wrong_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "steertui-conditions.toml"

    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1")
        await press(pilot, "a")
        area = app.screen.query_one(TextArea)
        assert area.text.startswith("suffix = ")
        area.text = area.text.replace("vector = []", "vector = [{ name = 3 }]")
        app.screen.query_one(Input).focus()
        await press(pilot, "ctrl+a", *"steered")  # the footer's key acts on the name, too
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, ConditionEditor)
        assert not own.exists()
        area.text = area.text.replace("{ name = 3 }", '{ name = "v", strength = 0.4 }')
        await press(pilot, "ctrl+s")
        assert not isinstance(app.screen, ConditionEditor)
        assert load_conditions(own)["steered"].vector == (VectorAddition("v", 0.4),)
        assert "no such vector" in str(app.screen.query_one("#estimate", Static).render())
        await press(pilot, "a")  # the condition with the wrong name is corrected
        assert app.screen.query_one(Input).value == "steered"
        area = app.screen.query_one(TextArea)
        area.text = area.text.replace('name = "v"', 'name = "w"')
        await press(pilot, "ctrl+s")
        assert not isinstance(app.screen, ConditionEditor)

    drive(Session(tmp_path / "steertui.db"), steps)
    assert list(load_conditions(own)).count("steered") == 1
    saved = load_conditions(own)["steered"]
    assert saved.vector == (VectorAddition("w", 0.4),)
    assert saved.suffix.strip() == load_conditions()["pro"].suffix.strip()


def edit(folder: Path, story: Story, size: tuple[int, int] = (120, 40)) -> None:
    """Open the editor of a new condition and run the story."""

    async def on_editor(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1", "a")
        assert isinstance(app.screen, ConditionEditor)
        await story(pilot, app)

    drive(Session(folder / "a.db"), on_editor, size)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_unchanged_text_is_refused_and_names_its_condition(folder: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        area = app.screen.query_one(TextArea)
        before = area.text
        other_arm = before.replace('arm = ""', 'arm = "x"')
        for text, twin in ((before, "pro"), ("", "baseline"), (other_arm, "pro")):
            area.text = text
            await press(pilot, "ctrl+s")
            problem = str(app.screen.query_one("#problem", Static).render())
            assert f"steers as {twin} does; change the text" in problem
        assert not (folder / "steertui-conditions.toml").exists()

    edit(folder, story)


def test_a_second_condition_is_offered_a_free_name(folder: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        for name in ("my-condition", "my-condition-2", "my-condition-3"):
            assert app.screen.query_one(Input).value == name
            app.screen.query_one(TextArea).text = f'suffix = "{name}"'
            await press(pilot, "ctrl+s", "a")

    edit(folder, story)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_suffix_replaces_the_whole_text_by_keys(folder: Path, size: tuple[int, int]) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "tab", "ctrl+a")
        for character in typed:
            app.post_message(Key(character, character))
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, PlanScreen)

    typed = "a\u3000s\u200c\u200dk"  # a wide space and joiners, as keyboards have them
    edit(folder, story, size)
    assert load_conditions(folder / "steertui-conditions.toml")["my-condition"].suffix == typed


def test_escape_closes_an_unchanged_editor_and_asks_about_a_changed_one(folder: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "escape")
        assert isinstance(app.screen, PlanScreen)
        await press(pilot, "a")
        editor = app.screen
        editor.query_one(TextArea).text = 'suffix = "half an hour of work"'
        await press(pilot, "escape")
        assert isinstance(app.screen, Confirm)
        await press(pilot, "escape")
        assert app.screen is editor
        assert "half an hour" in editor.query_one(TextArea).text
        await press(pilot, "escape", "enter")
        assert isinstance(app.screen, PlanScreen)

    edit(folder, story)


@pytest.mark.parametrize(
    "plan",
    [
        Experiment(),
        Experiment(models=["no-such-model"]),
        Experiment(conditions=["baseline", "absent"]),
    ],
)
def test_the_editor_starts_from_pro_before_the_estimate_and_beside_an_error(
    folder: Path, plan: Experiment
) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        for keys in ("1 a", "escape", "a"):
            type_at_once(app, keys)
            await wait_idle(pilot)
            if keys != "escape":
                typed = parse_condition("x", app.screen.query_one(TextArea).text)
                assert typed.suffix.strip() == load_conditions()["pro"].suffix.strip()

    drive(Session(folder / "a.db", plan), story)


def test_conditions_typed_before_the_estimate_keep_the_own_texts_of_the_plan(folder: Path) -> None:
    """The former plan's conditions had been copied, or none."""
    own = Condition("pro", suffix="Win at any price.", about="My text.")
    add_condition(Condition("first", suffix="One."), folder / "mine.toml", [own])
    plan = Experiment(conditions=["first"], conditions_file="mine.toml")

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        type_at_once(app, "1 a")
        await wait_idle(pilot)
        area = app.screen.query_one(TextArea)
        assert "Win at any price." in area.text
        area.text = 'suffix = "Two."'
        await press(pilot, "ctrl+s")

    drive(Session(folder / "a.db", plan), story)
    assert load_conditions(folder / "steertui-conditions.toml")["first"].suffix.strip() == "One."
