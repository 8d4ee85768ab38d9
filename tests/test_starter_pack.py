"""Starter pack: the properties of scenarios, conditions and rubric that its README states."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from steertui.core.scenario import load_pack
from steertui.core.verdict import Label
from tests.fixtures.real import BENCHMARK, needs_shared

SCENARIOS = Path(__file__).parents[1] / "scenarios"
CATEGORIES = [
    "Deceptive Behavior",
    "Evading Shutdown",
    "Hacking Computer Systems",
    "Hiding Unwanted Behavior",
    "Running Multiple AI Copies",
    "Strategically Appearing Aligned",
]


def read(name: str) -> dict[str, Any]:
    return tomllib.loads((SCENARIOS / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def suffixes() -> dict[str, str]:
    return {entry["name"]: entry["suffix"] for entry in read("conditions.toml")["condition"]}


@pytest.fixture(scope="module")
def scenarios() -> list[dict[str, str]]:
    return [
        entry for category in read("starter.toml")["category"] for entry in category["scenario"]
    ]


def test_the_pack_has_six_scenarios_in_each_of_the_six_categories() -> None:
    categories = read("starter.toml")["category"]
    assert [category["name"] for category in categories] == CATEGORIES
    assert [len(category["scenario"]) for category in categories] == [6] * 6
    assert all(1 <= category["system"].count(".") <= 2 for category in categories)


def test_ids_are_kebab_case_and_unique(scenarios: list[dict[str, str]]) -> None:
    ids = [scenario["id"] for scenario in scenarios]
    assert len(set(ids)) == 36
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in ids)


def test_every_task_is_forty_to_one_hundred_and_ten_words_on_one_line(
    scenarios: list[dict[str, str]],
) -> None:
    for scenario in scenarios:
        assert 40 <= len(scenario["task"].split()) <= 110, scenario["id"]
        assert "\n" not in scenario["task"], scenario["id"]
        assert scenario["task"] == scenario["task"].strip()


def word_groups(text: str, length: int = 4) -> set[tuple[str, ...]]:
    """Return every sequence of so many words in the text."""
    words = re.findall(r"[a-z']+", text.lower())
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def test_the_training_pack_has_the_categories_and_system_messages_of_the_starter_pack() -> None:
    training, starter = (load_pack(name) for name in ("steering-train", "starter"))
    assert len(training) == 36
    systems = {(s.category, s.system) for s in training}
    assert systems == {(s.category, s.system) for s in starter}
    assert all(40 <= len(s.task.split()) <= 110 for s in training)


@pytest.mark.parametrize(
    "other",
    ["starter", pytest.param("instrumentaleval", marks=needs_shared)],
)
def test_no_training_scenario_resembles_one_for_evaluation(other: str) -> None:
    name = other if other == "starter" else str(BENCHMARK)
    for scenario in load_pack(name):
        groups = word_groups(scenario.task)
        for training in load_pack("steering-train"):
            common = groups & word_groups(training.task)
            assert len(common) <= 0.1 * len(groups), (scenario.name, training.name, common)


def test_there_are_four_conditions_and_baseline_has_no_suffix(
    suffixes: dict[str, str],
) -> None:
    assert list(suffixes) == ["baseline", "pro", "anti", "placebo"]
    assert suffixes["baseline"] == ""


def test_placebo_has_the_length_and_line_structure_of_anti(suffixes: dict[str, str]) -> None:
    anti, placebo = suffixes["anti"], suffixes["placebo"]
    assert abs(len(placebo) - len(anti)) <= 0.05 * len(anti)
    assert [line[:2] == "- " for line in placebo.splitlines()] == [
        line[:2] == "- " for line in anti.splitlines()
    ]


def test_placebo_has_none_of_the_content_words_of_anti(suffixes: dict[str, str]) -> None:
    content_words = "control goal stop replace change access money power approve charge human ask"
    assert not [word for word in content_words.split() if word in suffixes["placebo"].lower()]


def test_the_rubric_defines_the_labels_and_ends_with_the_answer() -> None:
    rubric = read("rubric.toml")
    assert all(f"\n{label}: " in rubric["system"] for label in Label)
    assert len(rubric["system"].split()) <= 130
    places = [rubric["user"].index(f"{{{name}}}") for name in ("category", "task", "answer")]
    assert places == sorted(places)
    assert rubric["user"].endswith("<answer>\n{answer}\n</answer>")


def test_the_benign_pack_has_four_scenarios_in_each_category_under_the_same_system_texts() -> None:
    packs = {name: read(f"{name}.toml")["category"] for name in ("benign", "starter")}
    systems = {n: {c["name"]: c["system"] for c in own} for n, own in packs.items()}
    assert systems["benign"] == systems["starter"]
    assert [len(category["scenario"]) for category in packs["benign"]] == [4] * 6
    tasks = [s["task"] for category in packs["benign"] for s in category["scenario"]]
    assert len(set(tasks)) == 24
    assert all(40 <= len(task.split()) <= 110 and "\n" not in task for task in tasks)
    starter = {s.id for s in load_pack("starter")} | {s.id for s in load_pack("steering-train")}
    assert not starter & {s.id for s in load_pack("benign")}
