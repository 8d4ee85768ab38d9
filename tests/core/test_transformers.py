"""Prompts and tokens equal to transformers', for templates and GGUF files on this machine.

Files of other people are read where they are: `STEERTUI_TEMPLATES` names a folder of chat templates
and `STEERTUI_GGUF` a folder of GGUF files.
"""

import os
from pathlib import Path

import pytest

from steertui.core.model import demo_path
from steertui.engine.vocabulary import vocabulary
from steertui.planning.chat_formats import chat_format
from tests.fixtures.transformers_templates import FOLDER, SYSTEM, USER, compare, templates
from tests.fixtures.transformers_tokenizer import read_tokenizer

pytest.importorskip("transformers", reason="transformers is not installed")

GGUF_FOLDER = "STEERTUI_GGUF"


@pytest.mark.skipif(not templates(), reason=f"{FOLDER} names no folder of chat templates")
def test_prompts_are_those_of_transformers() -> None:
    found = [comparison for path in templates() for comparison in compare(path)]
    assert [c for c in found if not c.is_equal] == []
    assert sum(not c.failed for c in found) > len(found) / 2


def ggufs() -> list[Path]:
    folder = os.environ.get(GGUF_FOLDER)
    return [demo_path(), *(sorted(Path(folder).glob("*.gguf")) if folder else [])]


@pytest.mark.parametrize("path", ggufs(), ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("system", "user"), [(SYSTEM, USER), ("", USER), ("", "<|im_end|> 12345  x"), ("", "\n\n日本")]
)
def test_tokens_are_those_of_transformers(path: Path, system: str, user: str) -> None:
    theirs = read_tokenizer(path)
    with vocabulary(path) as gguf:
        chat = chat_format(gguf, "m")
        messages = chat.traits.form.messages(system, user)
        (text,) = chat.render([(system, user)])
        (tokens,) = gguf.tokenize([text])
        special = gguf.special_tokens
    assert special == theirs.special_tokens_map
    assert text == theirs.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    expected = theirs.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    assert tokens == list(expected)
