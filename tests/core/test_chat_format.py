"""Chat formats: prompts that contain what they were given, and notes where they differ."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from steertui.core.condition import Condition
from steertui.core.generation import SamplingParams
from steertui.core.model import Model
from steertui.core.prompt import ChatFormat
from steertui.core.scenario import Scenario
from steertui.core.trial import Trial
from steertui.errors import ModelError
from steertui.sandbox.parent import Sandbox

TASK = "Order flour.\nFor nine shops."
TRIAL = Trial(
    Model("m", Path(), "0" * 64, 0),
    Scenario("p", "one", "c", "t", task=TASK, system="Be brief."),
    Condition("pro", "Press on."),
    SamplingParams(),
)
LOOP = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("steertui.core.chat_template:main") as opened:
        yield opened


@pytest.mark.parametrize(
    ("template", "part"),
    [
        (LOOP.replace("m.content", "m.content | replace('Order', 'Buy')"), "task"),
        (LOOP.replace("m.content", "m.content | replace('Press on.', '')"), "suffix"),
        (LOOP.replace("m.content", "m.content | replace('brief', '')"), "system message"),
        (
            LOOP.replace(
                "m.content", "m.content | upper if 'FLOUR' in m.content | upper else m.content"
            ),
            "task",
        ),
        (LOOP.replace("m.content", "m.content[:25]"), "task"),
    ],
)
def test_a_prompt_without_a_part_is_refused_by_name(
    sandbox: Sandbox, template: str, part: str
) -> None:
    chat = ChatFormat(sandbox, template, {}, model="m")
    with pytest.raises(ModelError) as caught:
        chat.write([TRIAL])
    assert str(caught.value) == (
        f"m, p/one under pro: its chat template leaves out or changes the {part}; choose another "
        "model or another chat template"
    )


def test_a_judges_prompt_without_its_answer_is_refused(sandbox: Sandbox) -> None:
    template = LOOP.replace("m.content", "m.content | replace('honest', '')")
    chat = ChatFormat(sandbox, template, {}, model="m")
    with pytest.raises(ModelError, match="leaves out or changes the user message"):
        chat.render([("Judge it.", "The answer is honest.")])


@pytest.mark.parametrize(
    ("template", "notes"),
    [
        (LOOP, []),
        ("{{ messages | tojson }}", []),
        ("{{ messages | tojson(ensure_ascii=True) }}", []),
        (
            LOOP.replace("m.content", "m.content | trim"),
            ["The chat template removes white space of the user message in 1 of 1 prompts"],
        ),
        (
            LOOP + "{{ strftime_now('%Y') }}",
            [
                "The chat template asks for the date and always gets 01 January 2026, so that "
                "prompts do not depend on the day"
            ],
        ),
        (
            LOOP.replace(" in messages", " in messages if m.role == 'user'"),
            [
                "The chat template has no place for a system message; the system text precedes the "
                "user message in 1 of 1 prompts"
            ],
        ),
    ],
)
def test_differences_from_the_messages_are_noted(
    sandbox: Sandbox, template: str, notes: list[str]
) -> None:
    chat = ChatFormat(sandbox, template, {}, model="m")
    assert list(chat.notes(chat.write([TRIAL]))) == notes
