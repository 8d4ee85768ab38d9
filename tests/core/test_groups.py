"""Dose axes and contests of a conditions file: expansion to conditions, access, and bad input."""

from pathlib import Path

import pytest

from steertui.core.condition import Condition, stored_condition, suffix_lines
from steertui.core.condition_files import expand_groups, load_conditions
from steertui.core.contest import merge
from steertui.core.grouping import Access, CoherenceLimits, ContestCell, DoseStep, DoseUnit
from steertui.core.interventions import DirectionalAblation, LoraAdapter, VectorAddition
from steertui.errors import ScenarioError

HEAD = """
format = 1

[[condition]]
name = "pro"
suffix = "First.\\n- one\\n\\n- two"

[[condition]]
name = "anti"
system = "Ask first."
"""


def load(folder: Path, text: str) -> dict[str, Condition]:
    path = folder / "conditions.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load_conditions(path)


def axis(lines: str) -> str:
    return f'[[dose]]\nname = "axis"\n{lines}\n'


def contest(lines: str) -> str:
    return f'[[contest]]\nname = "game"\n{lines}\n'


def test_a_dose_axis_is_one_condition_per_strength_with_zero_as_anchor(tmp_path: Path) -> None:
    text = axis('base = "anti"\nvector = { name = "v", layers = "1-2" }\nstrengths = [0.4, -0.2]')
    conditions = load(tmp_path, text)
    names = ["axis@-0.2", "axis@0", "axis@0.4"]
    assert [*conditions][2:] == names
    for name, dose in zip(names, (-0.2, 0, 0.4), strict=True):
        assert conditions[name].vector == (VectorAddition("v", dose, "1-2"),)
        assert conditions[name].system == "Ask first."
        assert conditions[name].step == DoseStep("axis", dose, DoseUnit.VECTOR, max_repetition=0.1)


def test_the_limits_of_an_axis_are_stored_with_its_conditions(tmp_path: Path) -> None:
    lines = 'suffix_lines = "pro"\nmax_nonsense = 0.2\nmax_repetition = 0.3\nmax_loss = 0.5'
    condition = load(tmp_path, axis(lines))["axis@1"]
    again = stored_condition(condition.name, condition.suffix, condition.about, condition.spec)
    assert again == condition
    assert again.step
    assert again.step.limits == CoherenceLimits(0.2, 0.3, 0.5)


def test_a_step_of_an_earlier_version_keeps_its_text_and_has_no_later_limit() -> None:
    spec = '{"step":{"axis":"a","dose":1.0,"max_nonsense":0.1,"unit":"lines","without":0}}'
    condition = stored_condition("a@1", "One line.", "", spec)
    assert condition.spec == spec
    assert condition.step
    assert condition.step.limits == CoherenceLimits(0.1, None, None)


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ('ablation = { name = "v", layer = 3 }', "ablation", DirectionalAblation("v", 0.5, 3)),
        ('adapter = { file = "a.gguf" }', "adapter", LoraAdapter("a.gguf", 0.5)),
    ],
)
def test_ablations_and_adapters_have_doses(
    tmp_path: Path, line: str, field: str, value: object
) -> None:
    conditions = load(tmp_path, axis(f"{line}\nstrengths = [0.5]"))
    assert getattr(conditions["axis@0.5"], field) == (value,)


def test_a_ladder_has_the_first_lines_and_every_line_left_out_in_turn(tmp_path: Path) -> None:
    conditions = load(tmp_path, axis('suffix_lines = "pro"\nleave_one_out = true'))
    suffixes = {name: c.suffix for name, c in conditions.items() if c.step}
    assert suffixes == {
        "axis@0": "",
        "axis@1": "First.",
        "axis@2": "First.\n- one",
        "axis@3": "First.\n- one\n\n- two",
        "axis without line 1": "- one\n\n- two",
        "axis without line 2": "First.\n\n- two",
        "axis without line 3": "First.\n- one",
    }
    assert conditions["axis@3"].steer("Task") == conditions["pro"].steer("Task")
    assert suffix_lines("\n a\n\nb\n") == ["a", "\nb"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("strengths = [1]", "give exactly one of"),
        ('suffix_lines = "pro"\nablation = { name = "v" }', "give exactly one of"),
        ('vector = { name = "v" }', "strengths: give 1 to 99 besides 0"),
        ('vector = { name = "v" }\nstrengths = [inf]', "not a finite number"),
        ('vector = { name = "v" }\nstrengths = [1, 1.0000001]', "first six digits"),
        ('vector = { name = "v" }\nstrengths = [1]\nleave_one_out = true', "leave_one_out is for"),
        ('vector = { name = "v" }\nstrengths = [1]\nbase = "x"', "no condition x; there are pro"),
        ('suffix_lines = "anti"', "anti has no suffix"),
        ('suffix_lines = "pro"\nstrengths = [4]', "4 lines; give whole numbers up to 3"),
        ('suffix_lines = "pro"\nmax_nonsense = 2', "max_nonsense: 2"),
        ('suffix_lines = "pro"\nmax_repetition = -1', "max_repetition: -1"),
        ('suffix_lines = "pro"\nmax_loss = nan', "max_loss: nan"),
        ('suffix_lines = "pro"\nmax_loss = -0.5', "max_loss: -0.5 is out of range; give nats"),
        ('suffix_lines = "pro"\ncolour = 2', r"unknown key 'dose\[1\].colour'"),
    ],
)
def test_a_bad_axis_is_one_sentence(tmp_path: Path, lines: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        load(tmp_path, axis(lines))
    assert "conditions.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_contest_is_one_condition_per_pair_with_none_on_both_sides(tmp_path: Path) -> None:
    conditions = load(tmp_path, contest('defences = ["anti"]\nattacks = ["pro"]\nmargin = 0.05'))
    cells = {name: c.cell for name, c in conditions.items() if c.cell}
    assert [*cells] == ["none×none", "none×pro", "anti×none", "anti×pro"]
    assert cells["anti×pro"] == ContestCell("game", "anti", "pro", margin=0.05)
    both = conditions["anti×pro"]
    assert (both.system, both.suffix) == ("Ask first.", conditions["pro"].suffix)
    assert conditions["none×pro"].steer("Task") == conditions["pro"].steer("Task")
    assert conditions["none×none"].steer("Task") == "Task"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('defences = []\nattacks = ["pro"]', "defences: name 1 to 30"),
        ('defences = ["anti"]\nattacks = ["pro", "pro"]', "attacks: name 1 to 30"),
        ('defences = ["x"]\nattacks = ["pro"]', "no condition x"),
        ('defences = ["anti"]\nattacks = ["pro"]\nmargin = 0', "margin: 0"),
        ('defences = ["anti"]\nattacks = ["pro"]\nreference = "pro"', "pro is no defence"),
    ],
)
def test_a_bad_contest_is_one_sentence(tmp_path: Path, lines: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        load(tmp_path, contest(lines))


def test_two_groups_with_one_name_of_a_condition_are_refused(tmp_path: Path) -> None:
    sides = 'defences = ["anti"]\nattacks = ["pro"]'
    with pytest.raises(ScenarioError, match="the same name, none×none"):
        load(tmp_path, contest(sides) + contest(sides))


def test_a_defence_encloses_the_attack_and_is_first_in_system_and_prefill() -> None:
    both = merge(
        Condition("d", "d suffix", prefix="d prefix", system="d system", prefill="d:"),
        Condition("a", "a suffix", prefix="a prefix", system="a system", prefill="a:"),
    )
    assert both.steer("Task") == "d prefix\n\na prefix\n\nTask\n\na suffix\n\nd suffix\n"
    assert both.system == "d system\n\na system"
    assert both.prefill == "d: a:"


def test_an_attack_that_replaces_the_system_message_removes_the_defence() -> None:
    attack = Condition("a", system="a system", system_mode="replace")
    defence = Condition("d", system="d system", system_mode="replace")
    both = merge(defence, attack)
    assert both.system_message("scenario") == "a system"
    alone = merge(defence, Condition(""))
    assert alone.system_message("scenario") == "d system"


def test_interventions_of_both_sides_are_applied() -> None:
    vectors = [VectorAddition("v", 1.0), VectorAddition("v", -1.0)]
    sides = [Condition("", vector=(vector,)) for vector in vectors]
    assert merge(*sides).vector == tuple(vectors)


@pytest.mark.parametrize(
    ("condition", "access"),
    [
        (Condition("x"), ()),
        (Condition("x", "s"), (Access.USER_TEXT,)),
        (Condition("x", prefix="p"), (Access.USER_TEXT,)),
        (Condition("x", system="s"), (Access.SYSTEM_TEXT,)),
        (Condition("x", "s", prefill="p"), (Access.USER_TEXT, Access.WHOLE_PROMPT)),
        (Condition("x", system="s", system_mode="replace"), (Access.WHOLE_PROMPT,)),
        (Condition("x", vector=(VectorAddition("v", 1),)), (Access.ACTIVATIONS,)),
        (Condition("x", ablation=(DirectionalAblation("v"),)), (Access.WEIGHTS,)),
        (Condition("x", adapter=(LoraAdapter("f"),)), (Access.WEIGHTS,)),
    ],
)
def test_the_access_of_a_condition_follows_from_what_it_changes(
    condition: Condition, access: tuple[Access, ...]
) -> None:
    assert condition.access == access


def test_the_groups_are_stored_with_the_condition(tmp_path: Path) -> None:
    text = axis('suffix_lines = "pro"') + contest('defences = ["axis@2"]\nattacks = ["pro"]')
    for condition in load(tmp_path, text).values():
        stored = (condition.name, condition.suffix, condition.about, condition.spec)
        assert stored_condition(*stored) == condition


def test_a_step_that_contradicts_its_condition_is_refused() -> None:
    step = DoseStep("axis", 0.4, DoseUnit.VECTOR)
    with pytest.raises(ScenarioError, match=r"dose 0\.4, and its vector has another"):
        Condition("x", vector=(VectorAddition("v", 0.5),), step=step)


def test_the_name_of_a_group_stands_for_its_conditions(tmp_path: Path) -> None:
    text = axis('suffix_lines = "pro"') + contest('defences = ["anti"]\nattacks = ["pro"]')
    known = load(tmp_path, text)
    assert expand_groups(["axis@1", "axis", "pro", "x"], known) == [
        "axis@1",
        "axis@0",
        "axis@2",
        "axis@3",
        "pro",
        "x",
    ]
    assert len(expand_groups(["game"], known)) == 4
