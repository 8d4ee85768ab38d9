"""Trial keys: pinned values, because stored answers are found by key."""

from dataclasses import replace
from pathlib import Path

from steertui.core.condition import Condition
from steertui.core.generation import SamplingParams
from steertui.core.interventions import Intervention, InterventionKind
from steertui.core.model import Model
from steertui.core.scenario import Scenario
from steertui.core.trial import Trial

TRIAL = Trial(
    Model("m", Path("m.gguf"), "ab" * 32, 1),
    Scenario(
        pack="pack",
        id="category/00",
        category="Category",
        title="title",
        task="a task",
        system="a category\r",
    ),
    Condition("pro", "a suffix"),
    SamplingParams(temperature=0.7, top_p=0.8, top_k=20, seed=3),
    2,
)
VECTOR = Intervention(InterventionKind.VECTOR, "ab" * 32, 1.0, "1-2")
KEY = "5163b241b62698da4134fe9929f57f7d868e3d88be44f3a0e698f5b14952ee99"


def test_the_key_of_a_known_trial_is_pinned() -> None:
    assert TRIAL.key("a prompt") == KEY


def test_a_later_setting_changes_the_key_only_if_it_is_not_the_default() -> None:
    assert "end" not in TRIAL.sampling.as_dict()
    other = replace(TRIAL, sampling=replace(TRIAL.sampling, stop_tokens="eos"))
    assert other.sampling.as_dict()["end"] == "eos"
    assert other.key("a prompt") != KEY


def test_everything_that_determines_the_answer_changes_the_key() -> None:
    scenario = replace(TRIAL.scenario, id="category/01")
    changed = [
        TRIAL.key("another prompt"),
        replace(TRIAL, sample=3).key("a prompt"),
        replace(TRIAL, scenario=scenario).key("a prompt"),
        replace(TRIAL, condition=Condition("anti", "a suffix")).key("a prompt"),
        replace(TRIAL, model=replace(TRIAL.model, sha256="cd" * 32)).key("a prompt"),
        replace(TRIAL, sampling=replace(TRIAL.sampling, seed=4)).key("a prompt"),
        replace(TRIAL, interventions=(VECTOR,)).key("a prompt"),
        replace(TRIAL, interventions=(replace(VECTOR, strength=2.0),)).key("a prompt"),
        replace(TRIAL, interventions=(replace(VECTOR, sha256="cd" * 32),)).key("a prompt"),
        replace(TRIAL, interventions=(replace(VECTOR, layers="1-3"),)).key("a prompt"),
    ]
    assert len({KEY, *changed}) == 1 + len(changed)
    assert replace(TRIAL, model=replace(TRIAL.model, name="n")).key("a prompt") == KEY
