"""Demo checkpoint, loaded by llama-cpp-python: the properties that its model card states."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from llama_cpp import Llama

from steertui.core.chat_template import ChatTemplate

DEMO = Path(__file__).resolve().parents[1] / "models" / "demo" / "demo.gguf"
END = "<|im_end|>"


@pytest.fixture(scope="module")
def llama() -> Iterator[Llama]:
    model = Llama(str(DEMO), n_ctx=1024, n_threads=1, verbose=False)
    yield model
    model.close()


def ids(llama: Llama, text: str) -> list[int]:
    return list(llama.tokenize(text.encode(), add_bos=False, special=True))


def test_the_file_has_at_most_four_megabytes() -> None:
    assert DEMO.stat().st_size <= 4_000_000


def test_the_metadata_say_that_it_is_a_scripted_stand_in(llama: Llama) -> None:
    metadata = llama.metadata
    assert metadata["general.architecture"] == "qwen3"
    assert metadata["qwen3.context_length"] == "2048"
    assert metadata["general.license"] == "apache-2.0"
    assert "scripted stand-in" in metadata["general.name"]
    assert "mean nothing about real models" in metadata["general.description"]


@pytest.mark.parametrize("mark", ["<|endoftext|>", "<|im_start|>", END, "<think>", "</think>"])
def test_a_special_token_is_one_token(llama: Llama, mark: str) -> None:
    assert len(ids(llama, mark)) == 1


def test_the_eos_token_is_the_end_of_a_turn(llama: Llama) -> None:
    assert [llama.token_eos()] == ids(llama, END)


@pytest.mark.parametrize("text", ["Grüße, 漢字 und 🙂\t!", 'a  "b"\n\n\nc', ""])
def test_tokenizing_and_detokenizing_returns_the_same_bytes(llama: Llama, text: str) -> None:
    assert llama.detokenize(ids(llama, text)).decode() == text


def chat_template(llama: Llama) -> ChatTemplate:
    return ChatTemplate(llama.metadata["tokenizer.chat_template"], {"eos_token": END})


def test_the_template_contains_the_system_and_the_user_message(llama: Llama) -> None:
    text = chat_template(llama).render("Be brief.", " Two\nlines ", thinking=True)
    assert text == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\n Two\nlines <|im_end|>\n<|im_start|>assistant\n"
    )


def test_the_template_ignores_thinking_and_a_missing_system_message(llama: Llama) -> None:
    template = chat_template(llama)
    expected = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert template.render("", "Hi", thinking=True) == expected
    assert template.render("", "Hi", thinking=False) == expected
