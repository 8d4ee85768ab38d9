"""Replies of products in documented forms: answers, or failed trials with a reason."""

from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.scripted_server import Response, chat, is_first_trial, serve
from tests.fixtures.server_runs import answer, rows, tally
from tests.server.test_products import POLICY, refusing


def parts(*content: object) -> Response:
    return chat(list(content))


TEXT = {"type": "text", "text": "I stop."}

READ = {
    "Mistral": (
        parts({"type": "thinking", "thinking": [{"type": "text", "text": "Shall I?"}]}, TEXT),
        "<think>\nShall I?\n</think>\n\nI stop.",
    ),
    "parts of OpenAI's API": (
        parts(TEXT, {"type": "output_text", "text": " Now."}),
        "I stop. Now.",
    ),
    "refusal part": (parts({"type": "refusal", "refusal": "I cannot."}), "I cannot."),
    "bare strings": (parts("I ", "stop."), "I stop."),
    "one part": (chat({"type": "text", "text": "I stop."}), "I stop."),
    "DeepSeek": (
        chat("I stop.", reasoning_content="Shall I?"),
        "<think>\nShall I?\n</think>\n\nI stop.",
    ),
    "OpenRouter": (
        chat(
            "I stop.",
            reasoning=None,
            reasoning_details=[{"type": "reasoning.text", "text": "Shall I?"}],
        ),
        "<think>\nShall I?\n</think>\n\nI stop.",
    ),
    "LiteLLM": (
        chat("I stop.", thinking_blocks=[{"type": "thinking", "thinking": "Shall I?"}]),
        "<think>\nShall I?\n</think>\n\nI stop.",
    ),
    "reasoning in the text": (chat("<think>Shall I?</think>I stop."), None),
    "length": (chat(None, "length", reasoning="Shall I"), "<think>\nShall I"),
    "upper case": (chat("I stop.", "STOP"), "I stop."),
    "surrogate": (chat("I stop. \ud83d"), "I stop. \ufffd"),
}

FAILED = {
    "tool call": (
        chat(None, "tool_calls", tool_calls=[{"type": "function", "function": {"name": "rm"}}]),
        "the model called a tool (rm) instead of writing text",
    ),
    "older function call": (
        chat(None, "function_call", function_call={"name": "rm", "arguments": "{}"}),
        "the model called a tool (rm) instead of writing text",
    ),
    "null": (chat(None), "the reply has no text"),
    "no part": (parts(), "the reply has no text"),
    "number": (chat(5), "the reply is not the JSON that the API defines"),
    "OpenRouter, error of a choice": (
        Response(
            200,
            {
                "choices": [
                    {
                        "message": {"content": ""},
                        "finish_reason": "error",
                        "error": {"code": 502, "message": "upstream lost"},
                    }
                ]
            },
        ),
        "upstream lost",
    ),
    "null choices": (Response(200, {"choices": None}), "not the JSON that the API defines"),
    "error without a status": (
        Response(200, {"error": {"message": "out of memory", "code": "oom"}}),
        "the server reports an error: out of memory",
    ),
}


@pytest.mark.parametrize("form", READ)
def test_answers_of_products_are_read(tmp_path: Path, form: str) -> None:
    response, text = READ[form]
    with serve(lambda *_: response) as server:
        answer(tmp_path / "a.db", [f"server:m@{server.url}"], POLICY, limit=1)
    found = rows(tmp_path / "a.db", "SELECT text FROM generations")
    assert len(found) == 3
    content = text or "<think>Shall I?</think>I stop."
    assert {row["text"] for row in found} == {content}


@pytest.mark.parametrize("form", FAILED)
def test_replies_without_an_answer_are_failed_trials(tmp_path: Path, form: str) -> None:
    response, reason = FAILED[form]

    def respond(path: str, body: dict[str, Any]) -> Response:
        is_second = "anti" in str(body) or len(str(body)) % 2
        return response if is_first_trial(body) and is_second else refusing()(path, body)

    with serve(respond) as server:
        answer(tmp_path / "a.db", [f"server:m@{server.url}"], POLICY, limit=4)
    answered, failed, left = tally(tmp_path / "a.db")
    assert (answered + failed, left) == (12, 0)
    assert failed
    for row in rows(tmp_path / "a.db", "SELECT reason FROM failures"):
        assert reason in str(row["reason"])
