"""Old and new names of an experiment's fields, and hashes that do not depend on the names."""

from dataclasses import asdict, replace

import pytest

from steertui.core.experiment import Experiment, rename_keys
from steertui.core.generation import SamplingParams
from steertui.core.verdict import Debias
from steertui.judge.local import LocalJudge
from steertui.judge.rubric import load_rubric
from steertui.judge.server import ServerJudge
from tests.core.test_trial import TRIAL


def test_old_keys_and_values_are_renamed() -> None:
    old = {"models": ["m"], "end": "eos", "blind": True, "label_order": "sampled", "samples": 2}
    assert rename_keys(old | {"thinking": "open"}) == {
        "models": ["m"],
        "stop_tokens": "eos",
        "hide_suffix": True,
        "debias": "estimate",
        "samples": 2,
        "thinking": "force",
    }
    new = asdict(Experiment(debias="permute", thinking="off", stop_tokens="eos"))
    assert rename_keys(new) == new


def test_stop_tokens_are_hashed_into_a_trials_key_under_their_first_name() -> None:
    other = replace(TRIAL, sampling=SamplingParams(stop_tokens="eos"))
    assert other.sampling.as_dict()["end"] == "eos"
    assert other.key("p") == "1a61faa15e0155c933e5caa4162208c2af06e3c0eb67ff65b30b10f95c003dd7"


@pytest.mark.parametrize(
    ("debias", "judge_id"),
    [
        ("none", "local:m/blind#abababababab6ec66c86e5d9.2"),
        ("estimate", "local:m/blind/order:sampled#abababababab6ec66c86e5d9.2"),
        ("permute", "local:m/blind/order:all#abababababab6ec66c86e5d9.2"),
    ],
)
def test_the_id_of_a_local_judge_keeps_the_first_names(debias: Debias, judge_id: str) -> None:
    judge = LocalJudge(TRIAL.model, load_rubric("steertui"), hide_suffix=True, debias=debias)
    assert judge.id == judge_id


def test_the_id_of_a_server_judge_keeps_the_first_names() -> None:
    judge = ServerJudge("m", "http://h/v1", load_rubric("steertui"), hide_suffix=True)
    assert judge.id == "openai:m@h/blind#b167cca46ec66c86e5d9"
