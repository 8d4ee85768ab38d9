"""Requests to servers, and parsing of their replies."""

from pathlib import Path

import pytest

from steertui.core.generation import SamplingParams, StopReason
from steertui.core.prompt import RenderedPrompt
from steertui.errors import ServerError
from steertui.server.completions import chat_messages, completion_request, parse_completion
from steertui.server.probe import ServerInfo, ServerKind
from steertui.server.protocol import sampling_settings
from steertui.server.reply import InvalidReply
from tests.fixtures.openai_server import Fake, Loopback
from tests.fixtures.server_runs import answer


def test_settings_that_a_server_may_ignore_are_errors(tmp_path: Path) -> None:
    third_party = ServerInfo("unknown", "one")
    with pytest.raises(ServerError, match="does not accept top_k"):
        sampling_settings(third_party, SamplingParams(temperature=0.7, top_k=20), 0)
    with pytest.raises(ServerError, match="does not accept repetition_penalty"):
        sampling_settings(
            ServerInfo("Ollama", "one"), SamplingParams(temperature=1.0, repetition_penalty=1.1), 0
        )
    with pytest.raises(ServerError, match='leave it at "any"'):
        sampling_settings(ServerInfo("vLLM", "one"), SamplingParams(stop_tokens="eos"), 0)
    assert "top_k" not in sampling_settings(third_party, SamplingParams(temperature=0.7), 0)
    greedy = sampling_settings(
        ServerInfo("SGLang", "one"), SamplingParams(top_k=20, top_p=0.5), 2**63 - 1
    )
    assert (greedy["top_k"], greedy["top_p"], greedy["seed"]) == (-1, 1.0, 2**31 - 1)

    with Loopback(Fake(owned_by="someone")) as server, pytest.raises(ServerError, match="top_k"):
        answer(tmp_path / "a.db", [f"server:one@{server.url}"], temperatures=[0.5], top_k=5)


def test_penalties_are_sent_for_greedy_answers_too() -> None:
    greedy = SamplingParams(repetition_penalty=1.1, presence_penalty=0.5)
    body = sampling_settings(ServerInfo("vLLM", "one"), greedy, 0)
    assert body["temperature"] == 0.0
    assert body["repetition_penalty"] == 1.1
    assert body["presence_penalty"] == 0.5
    with pytest.raises(ServerError, match="does not accept repetition_penalty"):
        sampling_settings(ServerInfo("Ollama", "one"), greedy, 0)


@pytest.mark.parametrize(
    ("kind", "setting", "reason"),
    [
        ("llama-server", {"presence_penalty": 0.5}, "also counts the prompt's tokens"),
        ("Ollama", {"presence_penalty": 0.5}, "the last 64 tokens"),
        ("SGLang", {"repetition_penalty": 1.1}, "does not count the prompt's tokens"),
    ],
)
def test_settings_that_a_server_defines_differently_are_errors(
    kind: ServerKind, setting: dict[str, float], reason: str
) -> None:
    with pytest.raises(ServerError, match=f"defines .* differently .*{reason}"):
        sampling_settings(ServerInfo(kind, "one"), SamplingParams(temperature=0.7, **setting), 0)  # type: ignore[arg-type]
    sampling_settings(ServerInfo("vLLM", "one"), SamplingParams(temperature=0.7, **setting), 0)  # type: ignore[arg-type]


def test_thinking_is_disabled_in_the_way_of_each_server() -> None:
    kinds: tuple[ServerKind, ...] = ("llama-server", "vLLM", "SGLang")
    for kind in kinds:
        request = chat_messages("", "Hi", thinking=False, info=ServerInfo(kind)).body
        assert request["chat_template_kwargs"] == {"enable_thinking": False}
    assert (
        chat_messages("", "Hi", thinking=False, info=ServerInfo("Ollama")).body["reasoning_effort"]
        == "none"
    )
    assert chat_messages("", "Hi", thinking=True, info=ServerInfo("Ollama")).body.keys() == {
        "messages"
    }


def test_rendered_prompt_is_sent_without_a_second_bos_token() -> None:
    prompt = RenderedPrompt("<s>Hello")
    info = ServerInfo("llama-server", "one", bos="<s>", adds_bos=True)
    assert completion_request(info, prompt, SamplingParams(), seed=0)["prompt"] == "Hello"
    info = ServerInfo("llama-server", "one", bos="<s>")
    assert completion_request(info, prompt, SamplingParams(), seed=0)["prompt"] == "<s>Hello"


def choice(**message: object) -> dict[str, object]:
    reason = message.pop("finish_reason", "stop")
    return {"choices": [{"message": message, "finish_reason": reason}]}


def test_reasoning_field_is_read_as_reasoning_in_the_text() -> None:
    for name in ("reasoning_content", "reasoning"):
        completion = parse_completion(choice(content="I stop.", **{name: "Shall I?"}), 64)
        assert completion.text == "<think>\nShall I?\n</think>\n\nI stop."
    cut = parse_completion(choice(content=None, reasoning="Shall I", finish_reason="length"), 64)
    assert (cut.text, cut.stop) == ("<think>\nShall I", StopReason.LENGTH)
    assert parse_completion(choice(content="", refusal="I cannot."), 64).text == "I cannot."


@pytest.mark.parametrize(
    ("data", "reason", "retryable"),
    [
        (None, "not the JSON", True),
        ([], "not the JSON", True),
        ({"choices": []}, "not the JSON", True),
        ({"choices": [{"text": 5, "finish_reason": "stop"}]}, "not the JSON", True),
        ({"error": {"message": "out of memory"}}, "out of memory", True),
        (choice(content="a", finish_reason="abort"), "unknown finish reason", True),
        (choice(content="a", finish_reason=None), "unknown finish reason", True),
        (choice(content="a", finish_reason="content_filter"), "content filter", False),
    ],
)
def test_incomplete_reply_is_invalid(data: object, reason: str, retryable: bool) -> None:
    with pytest.raises(InvalidReply, match=reason) as caught:
        parse_completion(data, 64)
    assert caught.value.retryable is retryable


def test_an_answer_longer_than_its_tokens_can_be_is_rejected() -> None:
    text = "x " * 3000
    assert parse_completion(choice(content=text), 2).text == text
    with pytest.raises(InvalidReply, match="6,000 characters, too many for 1 tokens"):
        parse_completion(choice(content=text), 1)
