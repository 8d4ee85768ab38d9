"""Known chat templates: equal to llama.cpp's own of the same name."""

import ctypes

import llama_cpp.llama_cpp as ll
import pytest

from steertui.core.chat_template import ChatTemplate
from steertui.core.known_templates import KNOWN_TEMPLATES
from steertui.core.template_traits import DEFAULT_FORM


def of_llama_cpp(name: str, messages: list[tuple[str, str]]) -> str:
    """Return the prompt of llama.cpp's built-in template, which writes no first token."""
    array = (ll.llama_chat_message * len(messages))(
        *(ll.llama_chat_message(role.encode(), content.encode()) for role, content in messages)
    )
    buffer = ctypes.create_string_buffer(10_000)
    size = ll.llama_chat_apply_template(
        name.encode(), array, len(messages), True, buffer, len(buffer)
    )
    assert size > 0
    return buffer.raw[:size].decode()


@pytest.mark.parametrize("name", KNOWN_TEMPLATES)
@pytest.mark.parametrize("system", ["", "Be brief."])
def test_a_known_template_is_llama_cpps(name: str, system: str) -> None:
    user = "Order flour.\n\nGrößer, 'now'.\n"
    messages = [("system", system)] * bool(system) + [("user", user)]
    chat = ChatTemplate(KNOWN_TEMPLATES[name], {"eos_token": "</s>"})
    assert chat.probe()["form"] == DEFAULT_FORM.as_json
    assert chat.render(system, user) == of_llama_cpp(name, messages)


@pytest.mark.parametrize("name", ["gemma", "llama3", "mistral-v3", "vicuna"])
def test_the_first_token_is_in_the_template(name: str) -> None:
    chat = ChatTemplate(KNOWN_TEMPLATES[name], {"bos_token": "<s>"})
    assert chat.render("", "Hi").startswith("<s>")
