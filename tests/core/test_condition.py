"""Conditions: texts around the task, interventions, and their form in TOML and in the store."""

import json
from pathlib import Path

import pytest

from steertui.core.condition import Condition, stored_condition
from steertui.core.condition_files import load_conditions
from steertui.core.interventions import (
    DirectionalAblation,
    Intervention,
    InterventionKind,
    LoraAdapter,
    VectorAddition,
    interventions_json,
    parse_interventions,
)
from steertui.errors import ScenarioError

TOML = """
format = 1

[[condition]]
name = "everything"
about = "All kinds of interventions."
arm = "pro"
prefix = "Consider this first."
suffix = "Consider this last."
system = "You are an agent."
system_mode = "replace"
prefill = "My plan:"
vector = [{ name = "convergence", strength = 4.0, layers = "8-20" }]
ablation = [{ name = "refusal", strength = 0.5 }]
adapter = [{ file = "my-lora.gguf", scale = 0.8 }]
"""


def load(folder: Path, text: str) -> dict[str, Condition]:
    path = folder / "conditions.toml"
    path.write_text(text, encoding="utf-8")
    return load_conditions(path)


def test_a_table_may_have_every_kind_of_intervention(tmp_path: Path) -> None:
    (condition,) = load(tmp_path, TOML).values()
    assert condition.vector == (VectorAddition("convergence", 4.0, "8-20"),)
    assert condition.ablation == (DirectionalAblation("refusal", 0.5),)
    assert condition.adapter == (LoraAdapter("my-lora.gguf", 0.8),)
    assert condition.needs_weights
    assert condition.steer("The task.\n") == (
        "Consider this first.\n\nThe task.\n\nConsider this last.\n"
    )


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('system_mode = "prepend"', "system_mode"),
        ('vector = [{ name = "convergence" }]', r"vector\[1\].strength"),
        ('vector = [{ name = "convergence", strength = 1, scale = 2 }]', r"vector\[1\].scale"),
        ("adapter = 1", "adapter"),
    ],
)
def test_an_invalid_intervention_is_refused_by_its_key(tmp_path: Path, line: str, key: str) -> None:
    with pytest.raises(ScenarioError, match=f"key '.*{key}"):
        load(tmp_path, f'format = 1\n[[condition]]\nname = "x"\n{line}\n')


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Condition("x"), "of the scenario"),
        (Condition("x", system="added\n"), "of the scenario\n\nadded"),
        (Condition("x", system="instead", system_mode="replace"), "instead"),
        (Condition("x", system_mode="replace"), ""),
    ],
)
def test_system_text_is_appended_or_replaces(condition: Condition, expected: str) -> None:
    assert condition.system_message("of the scenario\r\n") == expected


def test_a_condition_is_stored_and_read_without_loss(tmp_path: Path) -> None:
    (condition,) = load(tmp_path, TOML).values()
    stored = (condition.name, condition.suffix, condition.about, condition.spec)
    assert stored_condition(*stored) == condition


def test_a_condition_with_a_suffix_only_has_no_further_columns() -> None:
    assert Condition("pro", "a suffix", "about").spec == ""
    assert Condition("pro", "a suffix").text == "a suffix"
    assert Condition("pro", "a suffix", prefill="Yes").text == (
        "[Suffix]\na suffix\n\n[Prefill of the answer]\nYes"
    )


@pytest.mark.parametrize("spec", ["[]", "{", '{"name": "y"}', '{"vector": 1}', '{"colour": 1}'])
def test_unreadable_stored_interventions_are_one_sentence(spec: str) -> None:
    with pytest.raises(ScenarioError, match="condition x: "):
        stored_condition("x", "", "", spec)


def test_interventions_are_read_back_from_its_json() -> None:
    interventions = (
        Intervention(InterventionKind.VECTOR, "ab" * 32, -2.5, "8-20"),
        Intervention(InterventionKind.ADAPTER, "cd" * 32, 1.0),
    )
    assert parse_interventions(interventions_json(interventions)) == interventions
    assert interventions_json(()) == ""
    assert parse_interventions("") == ()


def vector_json(**changes: object) -> str:
    members = {"kind": "vector", "layers": "8", "sha256": "ab" * 32, "strength": 1.0, **changes}
    return json.dumps([members], sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize(
    "text",
    [
        vector_json(strength=10**350),
        vector_json(strength=float("nan")),
        vector_json(strength=1),
        vector_json(sha256="../../private"),
        vector_json(layers="\x1b[2J"),
        vector_json(kind="code"),
        vector_json(more=1),
        vector_json().replace(",", ", "),
        "[]",
        "5",
        "[" * 100_000,
    ],
)
def test_stored_interventions_of_another_form_are_an_error(text: str) -> None:
    assert parse_interventions(vector_json())
    with pytest.raises((ValueError, TypeError, KeyError, OverflowError)):
        parse_interventions(text)


@pytest.mark.parametrize(
    "line", ['suffix = "a\\u0000b"', 'vector = [{ name = "\\u0000", strength = 1 }]']
)
def test_a_text_with_nul_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ScenarioError, match=r"conditions\.toml: a text has the character NUL"):
        load(tmp_path, f'format = 1\n[[condition]]\nname = "x"\n{line}\n')


def test_an_error_counts_tables_from_1(tmp_path: Path) -> None:
    text = 'format = 1\n[[condition]]\nname = "one"\n[[condition]]\nname = "two"\nprefix = 3\n'
    with pytest.raises(ScenarioError, match=r"key 'condition\[2\]\.prefix': "):
        load(tmp_path, text)
