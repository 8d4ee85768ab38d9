"""The shipped demo model, opened by llama-cpp-python itself: is it what its card says?"""

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


def test_it_is_at_most_four_megabytes() -> None:
    assert DEMO.stat().st_size <= 4_000_000


def test_it_says_that_it_is_a_scripted_stand_in(llama: Llama) -> None:
    told = llama.metadata
    assert told["general.architecture"] == "qwen3"
    assert told["qwen3.context_length"] == "2048"
    assert told["general.license"] == "apache-2.0"
    assert "scripted stand-in" in told["general.name"]
    assert "mean nothing about real models" in told["general.description"]


@pytest.mark.parametrize("mark", ["<|endoftext|>", "<|im_start|>", END, "<think>", "</think>"])
def test_a_special_token_is_one_token(llama: Llama, mark: str) -> None:
    assert len(ids(llama, mark)) == 1


def test_an_answer_ends_at_the_end_of_a_turn(llama: Llama) -> None:
    assert [llama.token_eos()] == ids(llama, END)


@pytest.mark.parametrize("text", ["Grüße, 漢字 und 🙂\t!", 'a  "b"\n\n\nc', ""])
def test_any_text_comes_back_to_the_byte(llama: Llama, text: str) -> None:
    assert llama.detokenize(ids(llama, text)).decode() == text


def chat_template(llama: Llama) -> ChatTemplate:
    return ChatTemplate(llama.metadata["tokenizer.chat_template"], "", END)


def test_its_template_holds_the_system_message_and_the_user_message(llama: Llama) -> None:
    text = chat_template(llama).render("Be brief.", " Two\nlines ", thinking=True)
    assert text == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\n Two\nlines <|im_end|>\n<|im_start|>assistant\n"
    )


def test_its_template_does_without_a_system_message_and_without_thinking(llama: Llama) -> None:
    form = chat_template(llama)
    expected = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert form.render("", "Hi", thinking=True) == expected
    assert form.render("", "Hi", thinking=False) == expected
