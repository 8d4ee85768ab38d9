"""Remarks on experiments whose texts differ under one name."""

from pathlib import Path

import pytest

from steertui.analysis.summary import ReportFilter, summarise
from steertui.core.condition import Condition
from steertui.core.generation import SamplingParams
from steertui.core.model import Model
from steertui.core.prompt import Prompt, RenderedPrompt
from steertui.core.scenario import Scenario
from steertui.core.trial import Trial
from steertui.store import ModelFacts, Store


def plan(store: Store, model: str, suffix: str, about: str, system: str) -> None:
    scenario = Scenario(pack="p", id="s/00", category="C", title="s", task="A task.", system=system)
    condition = Condition("pro", suffix, about)
    trial = Trial(Model(model, Path(), model, 0), scenario, condition, SamplingParams())
    prompt = Prompt(
        trial, RenderedPrompt(trial.user), trial.key(trial.user + model + suffix + system)
    )
    store.add_experiment(
        f'models = ["{model}"]',
        [prompt],
        {
            model: ModelFacts(
                title=model,
                architecture="",
                description="",
                parameters=0,
                template="",
                template_sha256="",
            )
        },
    )


@pytest.mark.parametrize(
    ("suffix", "about", "system", "parts"),
    [
        ("Go on.\n", "As imported.", "About.\n", []),
        ("Go on!", "", "About.", ["the same condition name (pro)"]),
        ("Go on.", "", "About it.", ["the same scenario name (p/s/00)"]),
    ],
)
def test_a_remark_if_a_model_gets_a_different_text(
    tmp_path: Path, suffix: str, about: str, system: str, parts: list[str]
) -> None:
    with Store(tmp_path / "a.db") as store:
        plan(store, "one", "Go on.", "", "About.")
        plan(store, "two", suffix, about, system)
        remarks = summarise(store, ReportFilter(("all",))).remarks
    assert len(remarks) == len(parts)
    assert all(part in remark for part, remark in zip(parts, remarks, strict=True))
