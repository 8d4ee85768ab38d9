"""Presets: the paper's settings, and their TOML form."""

from dataclasses import replace
from pathlib import Path

import pytest

from steertui.assets.catalogue import catalogue, catalogue_model
from steertui.core.condition import Condition
from steertui.core.condition_files import conditions_path, load_conditions
from steertui.core.experiment import Experiment, parse_experiment
from steertui.core.generation import SamplingParams
from steertui.core.model import Model, ModelKind
from steertui.core.prompt import ChatFormat
from steertui.core.scenario import Scenario
from steertui.core.trial import Trial
from steertui.paper.published import PUBLISHED
from steertui.planning.experiment_files import load_experiment
from steertui.planning.presets import PRESETS
from steertui.planning.resolve import Design, resolve_texts
from steertui.sandbox.parent import Sandbox
from tests.fixtures.program import call

SCENARIO = Scenario(
    pack="p", id="c/00", category="C", title="t", task="a task", system="a system text\r\n"
)
START = "<|im_start|>"
TEMPLATE = (
    "{% for m in messages %}" + START + "{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}" + START + "assistant\n{% endif %}"
)


def model(kind: ModelKind) -> Model:
    return Model("m", Path("m.gguf"), "ab" * 32, 1, kind=kind)


def test_paper_presets_have_the_settings_of_the_paper() -> None:
    paper = PRESETS["paper"]
    assert {name for name, _ in PUBLISHED} == set(paper.models)
    assert PRESETS["paper-4b"] == replace(paper, models=paper.models[:3])
    assert all("4B" in name for name in PRESETS["paper-4b"].models)
    assert (paper.scenarios, paper.conditions) == (["paper-71"], ["baseline", "pro", "anti"])
    assert (paper.temperatures, paper.samples, paper.limit) == ([0.0], 1, 0)
    assert (paper.max_tokens, paper.max_tokens_thinking) == (1024, 8096)
    assert (paper.stop_tokens, paper.thinking) == ("eos", "force")
    assert (paper.judges, paper.rubric, paper.hide_suffix) == (["openai:gpt-5.2"], "paper", False)
    assert paper.conditions_file == "paper"


def test_models_of_presets_are_in_the_catalogue_with_their_kind() -> None:
    for preset in ("paper", "quick", "contest-prompts"):
        for name in PRESETS[preset].models:
            found = catalogue_model(name)
            assert found is not None
            kinds = {"Base": "base", "Instruct": "instruct", "Thinking": "thinking"}
            expected = next((k for mark, k in kinds.items() if mark in name), "hybrid")
            assert found[0].kind == expected
    assert len({m.name.lower() for m in catalogue()}) == len(catalogue())


@pytest.mark.parametrize(
    ("kind", "tokens"),
    [("base", 1024), ("instruct", 1024), ("", 1024), ("thinking", 8096), ("hybrid", 8096)],
)
def test_thinking_models_have_their_own_token_limit(kind: ModelKind, tokens: int) -> None:
    design = Design(PRESETS["paper"], (model(kind),), (SCENARIO,), (Condition("baseline"),))
    (trial,) = design.trials
    assert (trial.sampling.max_tokens, trial.sampling.stop_tokens) == (tokens, "eos")


@pytest.mark.parametrize("mode", ["", "<think>\n"])
def test_forced_thinking_gives_the_same_prompt_with_any_publishers_template(mode: str) -> None:
    template = TEMPLATE.replace("assistant\n", f"assistant\n{mode}")
    thinking = Trial(model("thinking"), SCENARIO, Condition("baseline"), SamplingParams())
    base = replace(thinking, model=model("base"))
    with Sandbox("steertui.core.chat_template:main") as sandbox:
        chat = ChatFormat(sandbox, template, {}, model="m")
        opened, other = chat.write([thinking, base], "force")
        (as_is,) = chat.write([thinking])
    assert opened.text == (
        f"{START}system\na system text<|im_end|>\n{START}user\na task<|im_end|>\n"
        f"{START}assistant\n<think>\n"
    )
    assert as_is.text.endswith(f"assistant\n{mode}")
    assert other.text.endswith(f"assistant\n{mode}")


def test_presets_can_be_saved_and_loaded(tmp_path: Path) -> None:
    for preset in PRESETS.values():
        assert parse_experiment(preset.to_toml()) == preset
    for name in ("demo-contest", "paper"):
        code, out, err = call(
            "--preset", name, "--samples", "3", "--print-experiment", cwd=tmp_path
        )
        assert (code, err) == (0, "")
        (tmp_path / "mine.toml").write_text(out, encoding="utf-8")
        assert load_experiment(tmp_path / "mine.toml") == replace(PRESETS[name], samples=3)
    code, _, err = call("--preset", "papre", cwd=tmp_path)
    assert code == 2
    assert "choose from demo, demo-steering, demo-dose, demo-contest, contest-prompts" in err


def test_experiments_without_newer_settings_get_their_defaults() -> None:
    old = parse_experiment('models = ["demo"]\nmax_tokens = 9')
    assert old == Experiment(max_tokens=9)
    assert (old.stop_tokens, old.thinking, old.max_tokens_thinking) == ("any", "template", 0)


@pytest.mark.parametrize(
    ("preset", "cells"), [("demo-contest", 9), ("contest-prompts", 16), ("contest-methods", 16)]
)
def test_contests_of_presets_have_every_pair_and_the_shipped_suffixes(
    preset: str, cells: int
) -> None:
    experiment = replace(PRESETS[preset], models=["demo"])
    _, conditions = resolve_texts(experiment)
    assert len(conditions) == cells
    assert all(condition.cell for condition in conditions)
    known = load_conditions(conditions_path(preset))
    for name, shipped in load_conditions().items():
        if name in known:
            assert known[name].suffix == shipped.suffix
