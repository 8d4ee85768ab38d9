"""Judges behind servers that answer as products do, in their documented forms."""

import json
from pathlib import Path
from typing import Any

import pytest

from steertui.errors import JudgeError
from steertui.execution import JudgeReady, JudgeStopped, JudgeWaiting
from steertui.judge.rubric import load_rubric
from steertui.judge.sampling import JudgeSampling
from steertui.judge.server import ServerJudge, parse_server_judge
from steertui.planning.judges import JudgeServerOptions
from steertui.store import Store
from tests.fixtures.program import call
from tests.fixtures.scripted_server import (
    LABEL,
    NO_PATH,
    Respond,
    Response,
    chat,
    labelled,
    requests_of,
    serve,
)
from tests.fixtures.server_runs import rows
from tests.fixtures.stored_answers import made_up
from tests.judge.test_server_judges import ask

OPTIONS = JudgeServerOptions(concurrency=4, timeout=30.0, retries=0)


def judge_of(url: str, sampling: JudgeSampling) -> ServerJudge:
    return parse_server_judge(
        f"openai:m@{url}", load_rubric("steertui"), hide_suffix=False, sampling=sampling
    )


def error(message: str, param: str = "", status: int = 400, **fields: object) -> Response:
    return Response(status, {"error": {"message": message, "param": param or None} | fields})


def refusing(name: str, response: Response, then: Respond = labelled) -> Respond:
    def respond(path: str, body: dict[str, Any]) -> Response:
        return response if path == "/chat/completions" and name in body else then(path, body)

    return respond


@pytest.mark.parametrize(
    ("respond", "way"),
    [
        (
            refusing(
                "max_tokens",
                error("'max_tokens' is not supported; use 'max_completion_tokens'", "max_tokens"),
            ),
            "token limit sent as max_completion_tokens",
        ),
        (
            refusing("temperature", error("Unsupported value: 'temperature'", "temperature")),
            "not taken: temperature",
        ),
        (
            refusing(
                "chat_template_kwargs",
                Response(422, {"detail": [{"loc": ["body", "chat_template_kwargs"]}]}),
            ),
            "not taken: chat_template_kwargs",
        ),
        (
            refusing(
                "response_format",
                Response(400, {"error": "'response_format.type' must be 'json_schema' or 'text'"}),
            ),
            "chat completions, reply free, and parsed",
        ),
    ],
)
def test_a_rejected_setting_is_learned_and_reported(
    tmp_path: Path, respond: Respond, way: str
) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ["I stop.", "I go on."])
    with serve(respond) as server:
        events, _ = ask(db, experiment, [f"openai:m@{server.url}"], OPTIONS)
    (ready,) = [event for event in events if isinstance(event, JudgeReady)]
    assert ready.is_correct
    assert way in ready.request_format
    assert "temperature" in way or "not taken: temperature" not in ready.request_format
    labels = rows(db, "SELECT label, failure FROM verdicts")
    assert [row["label"] for row in labels] == ["no_convergence"] * 2
    stored = rows(db, "SELECT DISTINCT request_format FROM judge_replies")
    assert stored == [{"request_format": ready.request_format}]


def test_the_instruction_is_merged_where_the_model_takes_no_system_message(tmp_path: Path) -> None:
    def respond(path: str, body: dict[str, Any]) -> Response:
        is_refused = "messages" in body and body["messages"][0]["role"] == "system"
        return error("System role not supported") if is_refused else labelled(path, body)

    db = tmp_path / "a.db"
    experiment = made_up(db, ["I stop."])
    with serve(respond) as server:
        events, _ = ask(db, experiment, [f"openai:m@{server.url}"], OPTIONS)
        (turn,) = requests_of(server)[-1]["messages"]
    (ready,) = [event for event in events if isinstance(event, JudgeReady)]
    assert ready.request_format.endswith("instruction sent at the start of the user message")
    assert "convergence" in turn["content"]


def thinking(path: str, body: dict[str, Any]) -> Response:
    """Respond as a model that reasons for 500 tokens before its label."""
    if path != "/chat/completions":
        return NO_PATH
    if body["max_tokens"] >= 500:
        return chat(LABEL, reasoning_content="first I weigh it")
    reply = chat(None, "length", reasoning_content="first I weigh it")
    details = {"completion_tokens_details": {"reasoning_tokens": "120"}}
    assert isinstance(reply.body, dict)
    return Response(200, reply.body | {"usage": {"completion_tokens": 120} | details})


def test_reasoning_that_uses_up_the_limit_is_named_with_the_remedy(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["I stop."])
    with serve(thinking) as server:
        name = f"openai:m@{server.url}"
        code, _, err = call("judge", "a.db", "--no-control", "--judge", name, cwd=tmp_path)
        assert code == 1
        assert (
            "chat completions: the reply was truncated at 120 tokens, 120 of them reasoning "
            "(length); raise the judge's maximum tokens; Responses API: HTTP 404: Unknown path"
            in err
        )
        options = ("--no-control", "--judge", name, "--judge-max-tokens", "600")
        code, out, err = call("judge", "a.db", *options, cwd=tmp_path)
    assert code == 0, err
    assert "/max tokens 600" in out
    (row,) = rows(db, "SELECT settings FROM judges WHERE name LIKE '%max tokens 600'")
    assert json.loads(str(row["settings"]))["max_tokens"] == 600


def test_settings_of_the_replies_are_sent_and_make_another_judge(tmp_path: Path) -> None:
    made_up(tmp_path / "a.db", ["I stop."])
    with serve() as server:
        options = ["--judge-temperature", "0.5", "--judge-reasoning-effort", "low"]
        command = ("judge", "a.db", "--judge", f"openai:m@{server.url}", *options)
        code, out, err = call(*command, cwd=tmp_path)
        assert code == 0, err
        body = requests_of(server)[-1]
    assert (body["temperature"], body["reasoning_effort"]) == (0.5, "low")
    assert "chat_template_kwargs" not in body
    assert "/temperature 0.5/reasoning effort low" in out
    url = "http://127.0.0.1:1/v1"
    judges = [
        judge_of(url, sampling)
        for sampling in (
            JudgeSampling(),
            JudgeSampling(max_tokens=600),
            JudgeSampling(temperature=0.5),
            JudgeSampling(reasoning_effort="low"),
        )
    ]
    assert len({judge.id for judge in judges}) == 4
    assert judges[0].settings.keys().isdisjoint({"temperature", "reasoning_effort"})


@pytest.mark.parametrize(
    "options",
    [
        ["--judge-max-tokens", "0"],
        ["--judge-temperature", "nan"],
        ["--judge-temperature", "6"],
        ["--judge-reasoning-effort", "most"],
    ],
)
def test_values_out_of_range_are_refused(tmp_path: Path, options: list[str]) -> None:
    code, _, err = call("judge", "a.db", "--judge", "openai:m", *options, cwd=tmp_path)
    assert code == 2
    assert options[0] in err


def test_a_filter_that_refuses_the_known_answer_does_not_end_the_run(tmp_path: Path) -> None:
    def respond(path: str, body: dict[str, Any]) -> Response:
        is_known = "copy files every night" in json.dumps(body)
        filtered = error("stopped by the policy", code="content_filter")
        return filtered if is_known else labelled(path, body)

    db = tmp_path / "a.db"
    experiment = made_up(db, ["I stop."])
    with serve(respond) as server:
        events, _ = ask(db, experiment, [f"openai:m@{server.url}"], OPTIONS)
    (ready,) = [event for event in events if isinstance(event, JudgeReady)]
    assert not ready.is_correct
    assert ready.failure == "HTTP 400: stopped by the policy"
    assert rows(db, "SELECT label FROM verdicts") == [{"label": "no_convergence"}]


def test_a_busy_judge_is_said_and_asked_again(tmp_path: Path) -> None:
    count: list[str] = []

    def respond(path: str, body: dict[str, Any]) -> Response:
        count.append(path)
        if len(count) < 3:
            return error("Rate limit reached", status=429)._replace(headers={"Retry-After": "1"})
        return labelled(path, body)

    db = tmp_path / "a.db"
    experiment = made_up(db, ["I stop."])
    with serve(respond) as server:
        events, judges = ask(db, experiment, [f"openai:m@{server.url}"], OPTIONS)
    waits = [event for event in events if isinstance(event, JudgeWaiting)]
    assert [event.seconds for event in waits] == [1.0, 1.0]
    assert "HTTP 429: Rate limit reached" in waits[0].reason
    with Store(db) as store:
        assert store.count_judged(experiment, judges[0].id) == 1


def test_verdicts_before_a_moderation_are_kept(tmp_path: Path) -> None:
    """OpenRouter: 403 with the reasons of its moderation is about one prompt, not the key."""

    def respond(path: str, body: dict[str, Any]) -> Response:
        if "Answer 3." in json.dumps(body):
            reasons = {"reasons": ["violence"]}
            return error("Your input was flagged", status=403, code=403, metadata=reasons)
        return labelled(path, body)

    db = tmp_path / "a.db"
    experiment = made_up(db, [f"Answer {number}." for number in range(6)])
    with serve(respond) as server:
        events, _ = ask(db, experiment, [f"openai:m@{server.url}"], OPTIONS)
    assert not [event for event in events if isinstance(event, JudgeStopped)]
    failures = rows(db, "SELECT failure FROM verdicts WHERE label IS NULL")
    assert failures == [{"failure": "HTTP 403: Your input was flagged"}]
    assert len(rows(db, "SELECT * FROM verdicts")) == 6


READ = {
    "parts": [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": LABEL},
    ],
    "reasoning in the text": f"<think>hm</think>{LABEL}",
}


@pytest.mark.parametrize("form", READ)
def test_replies_in_parts_are_read(tmp_path: Path, form: str) -> None:
    def respond(path: str, body: dict[str, Any]) -> Response:
        return chat(READ[form]) if path == "/chat/completions" and body else NO_PATH

    db = tmp_path / "a.db"
    experiment = made_up(db, ["I stop."])
    with serve(respond) as server:
        ask(db, experiment, [f"openai:m@{server.url}"], OPTIONS)
    assert rows(db, "SELECT label FROM verdicts") == [{"label": "no_convergence"}]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("openai:qwen3-8b@q4_k_m@http://localhost:1234/v1", "qwen3-8b@q4_k_m"),
        ("openai:qwen3:4b@http://localhost:11434/v1", "qwen3:4b"),
        ("openai:gpt-5.2", "gpt-5.2"),
    ],
)
def test_the_last_at_sign_before_the_url_separates(name: str, model: str) -> None:
    judge = parse_server_judge(name, load_rubric("steertui"), hide_suffix=False)
    assert judge.model == model


def test_a_name_without_a_url_scheme_is_not_sent_to_openai() -> None:
    with pytest.raises(JudgeError, match="no such judge"):
        parse_server_judge("openai:m@localhost:8080", load_rubric("steertui"), hide_suffix=False)
