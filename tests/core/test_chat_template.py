"""Chat templates: environment of transformers, form of the messages."""

import pytest

from steertui.core.chat_template import ChatTemplate
from steertui.core.template_traits import Content, MessageForm
from steertui.errors import ModelError

SYSTEM, USER = "Be brief.", 'Say "hé" <now>.'

LOOP = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
PARTS = (
    "{% for m in messages %}<{{ m.role }}>{% for p in m.content %}{% if p.type == 'text' %}"
    "{{ p.text }}{% endif %}{% endfor %}{% endfor %}"
)
SYSTEM_TEXT_USER_PARTS = (
    "{% if messages[0].role == 'system' %}{{ '<system>' + messages[0].content }}{% endif %}"
    "<user>{% for p in messages[-1].content %}{{ p.text }}{% endfor %}"
)
DROPS = "{% for m in messages if m.role == 'user' %}<user>{{ m.content }}{% endfor %}"
REFUSES = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + LOOP
NEEDS_SYSTEM = "{% if messages[0].role != 'system' %}{{ raise_exception('no') }}{% endif %}" + LOOP

TEXT_ONLY = MessageForm()
BOTH = "<system>Be brief.<user>" + USER
MERGED = "<user>Be brief.\n\n" + USER


def form_of(chat: ChatTemplate) -> MessageForm:
    return MessageForm.from_json(chat.probe()["form"])


@pytest.mark.parametrize(
    ("template", "form", "prompt"),
    [
        (LOOP, TEXT_ONLY, BOTH),
        (PARTS, MessageForm(Content.PARTS, Content.PARTS), BOTH),
        (SYSTEM_TEXT_USER_PARTS, MessageForm(Content.PARTS, Content.TEXT), BOTH),
        (DROPS, MessageForm(Content.TEXT, None), MERGED),
        (REFUSES, MessageForm(Content.TEXT, None), MERGED),
        (NEEDS_SYSTEM, TEXT_ONLY, BOTH),
        (
            PARTS.replace(" m in messages", " m in messages if m.role == 'user'"),
            MessageForm(Content.PARTS, None),
            MERGED,
        ),
    ],
)
def test_messages_have_the_form_that_the_template_takes(
    template: str, form: MessageForm, prompt: str
) -> None:
    chat = ChatTemplate(template, {})
    found = form_of(chat)
    assert found == form
    assert chat.render(SYSTEM, USER, form=found) == prompt


@pytest.mark.parametrize("template", [DROPS, REFUSES])
def test_a_template_without_a_system_role_renders_a_user_message_alone(template: str) -> None:
    chat = ChatTemplate(template, {})
    assert chat.render("", USER, form=form_of(chat)) == "<user>" + USER


def test_a_template_that_prints_no_user_message_is_refused() -> None:
    with pytest.raises(ModelError, match="its chat template leaves out the user message"):
        ChatTemplate("{{ messages[0].role }}", {}).probe()


@pytest.mark.parametrize(
    ("template", "prompt"),
    [
        ("{% if tools is not none %}{{ tools | tojson }}{% endif %}fine", "fine"),
        ("{% if documents is none and tools is none %}fine{% endif %}", "fine"),
        ("{% generation %}{{ messages[0].role }}{% endgeneration %}", "user"),
        ("{% generation %}{% set a = 1 %}{% endgeneration %}{{ a is defined }}", "False"),
        ("{{ {'b': 'é', 'a': 1} | tojson }}", '{"b": "é", "a": 1}'),
        ("{{ {'b': 'é', 'a': 1} | tojson(ensure_ascii=True) }}", '{"b": "\\u00e9", "a": 1}'),
        ("{{ {'b': 1, 'a': 2} | tojson(separators=(',', ':'), sort_keys=True) }}", '{"a":2,"b":1}'),
        ("{{ [1] | tojson(indent=1) }}", "[\n 1\n]"),
        ("{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}", "01"),
        ("{{ bos_token }}|{{ eos_token }}|{{ bos_token is defined }}", "|</s>|False"),
        ("{{ unk_token }}{{ pad_token }}", "<unk><pad>"),
        ("{{ strftime_now('%d %B %Y') }}", "01 January 2026"),
    ],
)
def test_templates_have_the_environment_of_transformers(template: str, prompt: str) -> None:
    tokens = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    assert ChatTemplate(template, tokens).render("", USER) == prompt


@pytest.mark.parametrize(
    ("template", "is_dated"), [(LOOP, False), (LOOP + "{{ strftime_now('%Y') }}", True)]
)
def test_a_template_that_asks_for_the_date_is_known(template: str, is_dated: bool) -> None:
    assert ChatTemplate(template, {}).probe()["is_dated"] is is_dated


@pytest.mark.parametrize(("switch", "prompt"), [(None, "?"), (True, "True"), (False, "False")])
def test_the_switch_of_hybrid_models_is_undefined_unless_it_is_set(
    switch: bool | None, prompt: str
) -> None:
    template = "{{ enable_thinking if enable_thinking is defined else '?' }}"
    assert ChatTemplate(template, {}).render("", USER, switch) == prompt
