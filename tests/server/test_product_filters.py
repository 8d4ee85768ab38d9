"""Content filters of products: a filtered prompt is one failed trial, not the end of a run."""

import json
from pathlib import Path
from typing import Any

import pytest

from steertui.server.limits import RetryPolicy
from tests.fixtures.scripted_server import Response, chat, is_first_trial, serve
from tests.fixtures.server_runs import answer, rows, tally
from tests.server.test_products import POLICY, refusing

FILTERED = {
    "Azure": Response(
        400,
        {
            "error": {
                "message": "The response was filtered due to the prompt triggering Azure OpenAI's "
                "content management policy.",
                "type": None,
                "param": "prompt",
                "code": "content_filter",
                "status": 400,
                "innererror": {"code": "ResponsibleAIPolicyViolation"},
            }
        },
    ),
    "Azure AI Foundry": Response(
        400,
        {
            "object": "chat.completion",
            "choices": [
                {
                    "message": {"role": "assistant", "content": ""},
                    "finish_reason": "content_filter",
                    "content_filter_results": {
                        "error": {"code": "content_filter", "message": "blocked by the label V"}
                    },
                }
            ],
        },
    ),
    "OpenRouter": Response(
        403,
        {
            "error": {
                "code": 403,
                "message": "m requires moderation on Provider. Your input was flagged",
                "metadata": {"reasons": ["violence"], "flagged_input": "…"},
            }
        },
    ),
    "LiteLLM": Response(
        400,
        {
            "error": {
                "message": "litellm.ContentPolicyViolationError: AzureException - filtered",
                "type": None,
                "param": None,
                "code": "400",
            }
        },
    ),
    "DeepSeek": Response(400, {"error": {"message": "Content Exists Risk", "code": "invalid"}}),
    "finish reason": chat("", "content_filter"),
    "Gemini": chat(None, "SAFETY"),
    "empty choices": Response(200, {"choices": [], "prompt_filter_results": [{}]}),
}


@pytest.mark.parametrize("product", FILTERED)
def test_a_filtered_first_prompt_is_one_failed_trial(tmp_path: Path, product: str) -> None:
    longest: list[int] = []

    def respond(path: str, body: dict[str, Any]) -> Response:
        if path == "/chat/completions" and is_first_trial(body):
            size = len(json.dumps(body["messages"]))
            longest.append(max([size, *longest]))
            if size == longest[0]:  # the preflight's prompt, and the same prompt in the run
                return FILTERED[product]
        return refusing()(path, body)

    with serve(respond) as server:
        answer(tmp_path / "a.db", [f"server:m@{server.url}"], POLICY, limit=2)
    answered, failed, left = tally(tmp_path / "a.db")
    assert (left, answered + failed) == (0, 6)
    assert failed >= 1
    assert answered >= 3
    (reason, *_) = rows(tmp_path / "a.db", "SELECT reason FROM failures")
    named = ("filter", "moderation", "ContentPolicy", "Content Exists Risk", "blocked")
    assert any(word in str(reason["reason"]) for word in named)


def test_403_after_an_answer_is_about_the_prompt(tmp_path: Path) -> None:
    count: list[str] = []

    def respond(path: str, body: dict[str, Any]) -> Response:
        if path == "/chat/completions" and is_first_trial(body):
            count.append(path)
            if len(count) == 4:
                return Response(403, b"<html><title>Request blocked</title></html>")
        return refusing()(path, body)

    policy = RetryPolicy(concurrency=1, timeout=30.0)
    with serve(respond) as server:
        answer(tmp_path / "a.db", [f"server:m@{server.url}"], policy, limit=2)
    assert tally(tmp_path / "a.db") == (5, 1, 0)
    (row,) = rows(tmp_path / "a.db", "SELECT reason FROM failures")
    assert row["reason"] == "HTTP 403: a web page with the title Request blocked"
