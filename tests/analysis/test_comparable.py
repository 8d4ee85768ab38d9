"""What hampers a comparison of experiments is said where it is so, and nowhere else."""

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
    scenario = Scenario("p", "s/00", "C", "s", "A task.", system)
    condition = Condition("pro", suffix, about)
    trial = Trial(Model(model, Path(), model, 0), scenario, condition, SamplingParams())
    prompt = Prompt(
        trial, RenderedPrompt(trial.user), trial.key(trial.user + model + suffix + system)
    )
    store.plan(f'models = ["{model}"]', [prompt], {model: ModelFacts(model, "", "", 0, "", "")})


@pytest.mark.parametrize(
    ("suffix", "about", "system", "said"),
    [
        ("Go on.\n", "As imported.", "About.\n", []),
        ("Go on!", "", "About.", ["one condition's name (pro)"]),
        ("Go on.", "", "About it.", ["one scenario's name (p/s/00)"]),
    ],
)
def test_texts_differ_where_a_model_would_read_another(
    tmp_path: Path, suffix: str, about: str, system: str, said: list[str]
) -> None:
    with Store(tmp_path / "a.db") as store:
        plan(store, "one", "Go on.", "", "About.")
        plan(store, "two", suffix, about, system)
        remarks = summarise(store, ReportFilter(("all",))).remarks
    assert len(remarks) == len(said)
    assert all(part in remark for part, remark in zip(said, remarks, strict=True))
