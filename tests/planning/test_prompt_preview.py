"""Prompts before a run: those that the run sends, with the condition's texts marked."""

from dataclasses import replace
from pathlib import Path

import pytest

from steertui.core.condition import Condition
from steertui.core.experiment import Experiment
from steertui.core.model import demo_path
from steertui.core.scenario import Scenario
from steertui.errors import ExperimentError
from steertui.planning.origin import TYPED, origin_of
from steertui.planning.plan import make_plan
from steertui.planning.prompt_preview import added_spans, messages_of, preview_prompts
from steertui.planning.resolve import resolve
from steertui.store import Store

SMALL = Experiment(limit=3, samples=2, temperatures=[0.0, 0.7], max_tokens=64)
TASK = Scenario("p", "c/00", "c", "t", task="Do it. Now", system="Be brief.")
FULL = Condition(
    "full", suffix="Now", prefix="Do", system="Be", prefill="Be brief: Now", system_mode="append"
)


def test_the_previewed_prompts_are_those_of_the_plan(tmp_path: Path) -> None:
    preview = preview_prompts(SMALL, "demo", TYPED)
    with Store(tmp_path / "a.db") as store:
        prompts = make_plan(resolve(SMALL), store).prompts
    planned = {(p.trial.scenario.name, p.trial.condition.name): p.text for p in prompts}
    assert preview.rendered == planned
    assert len(planned) == 9
    assert preview.max_tokens == 64
    assert all(64 < preview.tokens[text] < preview.context for text in planned.values())
    assert "<|im_start|>" in preview.control


def test_spans_are_the_texts_of_the_condition_and_not_equal_words_of_the_task() -> None:
    user = "Do\n\nDo it. Now\n\nNow\n"
    prompt = f"<s>Be brief.\n\nBe</s><u>{user.strip()}</u>\nBe brief: Now"
    spans = added_spans(prompt, TASK, FULL)
    assert [prompt[start:end] for start, end in spans] == ["Be", "Do", "Now", "Be brief: Now"]
    assert prompt[: spans[0][0]] == "<s>Be brief.\n\n"
    assert prompt[: spans[1][0]].endswith("<u>")
    assert prompt[spans[2][1] :].startswith("</u>")
    assert added_spans(prompt.replace("Do it", "Did it"), TASK, replace(FULL, prefill="")) == [
        spans[0]
    ]
    (system, user_part, prefill) = messages_of(TASK, FULL)
    assert (system[1], user_part[1], prefill[1]) == ("Be brief.\n\nBe", user, "Be brief: Now")
    assert [[text[a:b] for a, b in s] for _, text, s in (system, user_part, prefill)] == [
        ["Be"],
        ["Do", "Now"],
        ["Be brief: Now"],
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("server:x@http://127.0.0.1:9/v1", "applies the chat template"),
        ("Qwen3-0.6B", "not on this machine"),
        ("missing.gguf", "cannot be rendered: "),
    ],
)
def test_without_a_template_there_are_messages_and_the_reason(name: str, reason: str) -> None:
    preview = preview_prompts(replace(SMALL, models=[name]), name, TYPED)
    assert not preview.rendered
    assert len(preview.scenarios) == 3
    assert reason in preview.notes[0]


def test_the_weights_of_a_received_experiment_are_not_opened(tmp_path: Path) -> None:
    copy = tmp_path / "other.gguf"
    copy.write_bytes(demo_path().read_bytes() + b"\0" * 32)
    experiment = replace(SMALL, models=[str(copy)], judges=["none"])
    received = origin_of(experiment, "a.db", is_database=True)
    assert "after you agreed" in preview_prompts(experiment, str(copy), received).notes[0]
    assert preview_prompts(experiment, str(copy), TYPED).rendered


def test_a_wrong_condition_is_an_error_and_no_empty_preview() -> None:
    with pytest.raises(ExperimentError, match="bold"):
        preview_prompts(replace(SMALL, conditions=["bold"]), "demo", TYPED)
