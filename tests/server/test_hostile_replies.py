"""Hostile replies of servers end as failed trials, failed verdicts or one sentence."""

import ast
import asyncio
import base64
import gzip
import json
import random
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from steertui.errors import SteertuiError
from steertui.judge.batch import parse_batch_file, parse_batch_state
from steertui.judge.request_format import RawReply, RequestFormat
from steertui.judge.rubric import load_rubric
from steertui.judge.server import parse_server_judge
from steertui.server.client import MAX_MESSAGE, Client
from steertui.server.completions import Completion, parse_completion
from steertui.server.error_body import read_error
from steertui.server.failures import ConnectionFailed, RequestRejected
from steertui.server.limits import RetryPolicy
from steertui.server.probe import ServerInfo, probe_server
from steertui.server.rejected_settings import adapted
from steertui.server.reply import InvalidReply
from steertui.untrusted import (
    MAX_COUNT,
    InvalidJsonError,
    count,
    one_line,
    parse_json,
    seconds,
    storable,
)
from tests.fixtures.hostile import (
    HOSTILE_VALUES,
    SURROGATE,
    WHOLE,
    DrippingHandler,
    ExactHandler,
    HostileHandler,
    mutated,
)
from tests.fixtures.openai_server import Fake, Loopback, reply_json
from tests.fixtures.server_runs import answer, rows, tally
from tests.fixtures.stored_answers import made_up
from tests.judge.test_server_judges import OPTIONS, ask
from tests.server.test_probe import FakeConnection

ROOT = Path(__file__).resolve().parents[2] / "steertui"
KEY = "secret/key+of-this-process=0123"
POLICY = RetryPolicy(concurrency=16, timeout=30.0, max_tries=2, max_outage=60.0)

CHAT = RequestFormat("chat", has_schema=True, is_openai=False)
RESPONSES = RequestFormat("responses", has_schema=True, is_openai=False)

LISTING: dict[str, Any] = {
    "data": [
        {
            "id": "m",
            "aliases": ["n"],
            "root": "a/m",
            "parent": "p",
            "max_model_len": 4096,
            "meta": {"n_params": 4, "size": 9, "n_vocab": 7},
        }
    ]
}
PROPS: dict[str, Any] = {
    "model_path": "/a.gguf",
    "total_slots": 4,
    "build_info": "b1",
    "chat_template": "x",
    "bos_token": "<s>",
    "default_generation_settings": {"n_ctx": 2048},
    "version": "1",
    "models": [{"name": "m", "digest": "d", "context_length": 5}],
}
BATCH: dict[str, Any] = {
    "id": "b",
    "status": "completed",
    "request_counts": {"total": 2, "completed": 1, "failed": 1},
    "output_file_id": "f",
    "errors": {"data": [{"code": "c", "message": "m"}]},
}
LINE: dict[str, Any] = {
    "custom_id": "k",
    "response": {"status_code": 200, "body": reply_json("chat", "text", "")},
    "error": None,
}


ERRORS: tuple[object, ...] = (
    {"error": {"message": "no 'seed'", "param": "seed", "code": "unsupported_parameter"}},
    {"error": {"message": "m", "code": 403, "metadata": {"reasons": ["r"], "raw": '{"a": 1}'}}},
    {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]},
    {"object": "error", "message": {"detail": [{"loc": ["body", "max_tokens"]}]}, "code": 400},
    [{"error": {"code": 400, "message": "System role not supported", "status": "INVALID"}}],
    {"error": "'response_format.type' must be 'json_schema'", "error_type": "validation"},
    {
        "choices": [
            {
                "finish_reason": "content_filter",
                "content_filter_results": {"error": {"code": "content_filter", "message": "m"}},
            }
        ]
    },
)


def check_text(*texts: str) -> None:
    for text in texts:
        assert isinstance(text, str)
        text.encode()
        assert "\x00" not in text


def check_reply(reply: RawReply) -> None:
    judge = parse_server_judge(
        "openai:m@http://127.0.0.1:1/v1", load_rubric("steertui"), hide_suffix=False
    )
    verdict = judge.verdict(reply, 0.0)
    assert verdict.label or verdict.failure
    check_text(reply.text, reply.failure, reply.model, reply.request, verdict.reason)
    for tokens in (reply.input_tokens, reply.cached_tokens, reply.output_tokens):
        assert 0 <= tokens <= MAX_COUNT


def check_completion(completion: Completion) -> None:
    check_text(completion.text, completion.model, completion.fingerprint, completion.request)
    for tokens in (completion.tokens, completion.prompt_tokens):
        assert 0 <= tokens <= MAX_COUNT


def check_info(info: ServerInfo) -> None:
    texts = (info.id, info.source, info.version, info.template, info.title, info.bos)
    check_text(*texts)
    assert len(info.identity) == 64
    assert 0 <= info.context <= MAX_COUNT
    assert 0 <= info.slots <= MAX_COUNT


def read_as_completion(source: random.Random) -> None:
    api = source.choice(("chat", "completions"))
    text = source.choice(("I stop.", '{"decision": "convergence", "reason": "x"}'))
    check_completion(parse_completion(parse_json(mutated(reply_json(api, text, ""), source)), 8))


def read_as_parts(source: random.Random) -> None:
    """Read a mutated reply with parts, reasoning in several fields, a tool call and an error."""
    message = {
        "content": [{"type": "thinking", "thinking": [{"text": "hm"}]}, {"text": "I stop."}],
        "reasoning": {"content": "hm"},
        "reasoning_details": [{"summary": "hm"}],
        "refusal": None,
        "tool_calls": [{"function": {"name": "f"}}],
    }
    usage = {"completion_tokens_details": {"reasoning_tokens": "5"}}
    choice = {"message": message, "finish_reason": "stop", "error": {"message": "m", "code": 5}}
    data = {"choices": [choice], "usage": usage}
    parsed = parse_json(mutated(data, source))
    check_reply(CHAT.parse(parsed))
    check_completion(parse_completion(parsed, 8))


def read_as_error(source: random.Random) -> None:
    """Read a mutated error body; adapt the settings of a model and of a judge to it."""
    error = parse_json(mutated(source.choice(ERRORS), source))
    body = read_error(error)
    if body is None:
        return
    check_text(body.message, body.code, body.parameter)
    assert body.status == 0 or 400 <= body.status < 600
    message = one_line(body.message, MAX_MESSAGE)
    rejection = RequestRejected(source.choice((400, 403, 404, 422, 500)), message, body)
    request = {"messages": [{}, {}], "seed": 1, "max_tokens": 5}
    info = adapted(ServerInfo(), request, rejection)
    if info:
        check_text(*info.adaptations)
    request_format = CHAT.adapted(rejection)
    if request_format:
        check_text(request_format.description)


def read_as_verdict(source: random.Random) -> None:
    way = source.choice((CHAT, RESPONSES))
    text = mutated({"decision": "convergence", "reason": "x"}, source).decode(errors="replace")
    data = reply_json(way.api, text, "")
    is_whole = source.random() < 0.5
    check_reply(way.parse(parse_json(json.dumps(data) if is_whole else mutated(data, source))))


def read_as_batch(source: random.Random) -> None:
    content = b"\n".join(mutated(LINE, source) for _ in range(3))
    for reply in parse_batch_file(content, CHAT).values():
        check_reply(reply)
    state = parse_batch_state(parse_json(mutated(BATCH, source)))
    check_text(state.id, state.status, state.error, *state.files)
    assert 0 <= state.done <= state.total + 2 * MAX_COUNT


def read_as_metadata(source: random.Random) -> None:
    owner = source.choice(("llamacpp", "vllm", "sglang", "library", "someone"))
    listing = json.loads(json.dumps(LISTING))
    listing["data"][0]["owned_by"] = owner
    replies = {"/models": mutated(listing, source) if source.random() < 0.5 else b""}
    replies["/models"] = replies["/models"] or json.dumps(listing).encode()
    for path in ("/props", "/tokenize", "/version", "/model_info", "/server_info"):
        replies[path] = mutated(PROPS, source)
    for path in ("/api/version", "/api/tags", "/api/ps"):
        replies[path] = mutated(PROPS, source)
    parsed = {path: _parsed(raw) for path, raw in replies.items()}
    check_info(asyncio.run(probe_server(FakeConnection(parsed), "m")))


def _parsed(raw: bytes) -> object:
    try:
        return parse_json(raw)
    except InvalidJsonError:
        return None


def read_mutated_replies(number: int, seed: int) -> None:
    readers = (
        read_as_completion,
        read_as_parts,
        read_as_error,
        read_as_verdict,
        read_as_batch,
        read_as_metadata,
    )
    for case in range(number):
        try:
            readers[case % len(readers)](random.Random(f"{seed} {case}"))
        except (InvalidJsonError, InvalidReply, SteertuiError) as exc:
            message = str(exc)
        else:
            continue
        check_text(message)
        assert len(message) < 2500


def test_mutated_replies_raise_only_our_own_errors() -> None:
    read_mutated_replies(2000, 1)


@pytest.mark.slow
def test_many_mutated_replies_raise_only_our_own_errors() -> None:
    read_mutated_replies(20_000, 2)


def test_models_hostile_replies_become_failed_trials(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Loopback(Fake(), handler=HostileHandler) as server:
        answer(db, [f"server:one@{server.url}"], POLICY)
    answered, failed, left = tally(db)
    assert left == 0
    assert answered
    assert failed
    assert not rows(db, "SELECT * FROM failures WHERE reason = '' OR length(reason) > 500")


def test_judges_hostile_replies_become_failed_verdicts(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, [f"Answer {number}." for number in range(40)])
    with Loopback(Fake(), handler=HostileHandler) as server:
        ask(db, experiment, [f"openai:one@{server.url}"], OPTIONS)
    found = rows(db, "SELECT label, failure FROM verdicts")
    assert found
    assert all(bool(row["label"]) != bool(row["failure"]) for row in found)


def send(url: str, timeout: float = 10.0) -> object:
    async def post() -> object:
        async with Client(url, KEY, timeout=timeout, retries=0) as client:
            body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
            return await client.post("/chat/completions", body)

    return asyncio.run(post())


def test_a_response_that_expands_beyond_the_limit_is_not_read_to_its_end() -> None:
    body = gzip.compress(b" " * 300_000_000)
    fake = Fake(error={"body": body, "headers": {"Content-Encoding": "gzip"}})
    with (
        Loopback(fake, handler=ExactHandler) as server,
        pytest.raises(ConnectionFailed, match="larger than 16 MiB"),
    ):
        send(server.url)
    fake.error = {"body": b"x", "headers": {"Content-Encoding": "gzip, gzip"}}
    with (
        Loopback(fake, handler=ExactHandler) as server,
        pytest.raises(ConnectionFailed, match="has the encoding gzip, gzip"),
    ):
        send(server.url)


def test_a_response_of_one_byte_at_a_time_ends_at_the_deadline() -> None:
    start = time.monotonic()
    with Loopback(Fake(), handler=DrippingHandler) as server:
        with pytest.raises(ConnectionFailed) as caught:
            send(server.url, timeout=1.0)
        assert time.monotonic() - start < 10
    assert caught.value.timed_out


FORMS = [
    KEY,
    quote(KEY, safe=""),
    base64.b64encode(KEY.encode()).decode(),
    base64.b64encode(f":{KEY}".encode()).decode(),
]


@pytest.mark.parametrize("form", FORMS)
def test_an_echoed_key_is_removed_before_a_message_is_shortened(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEERTUI_SERVER_KEY", f"127.0.0.1={KEY}")
    for padding in range(150, 200, 7):
        body = json.dumps({"error": {"message": f"{'x' * padding}{form}", "param": form}}).encode()
        fake = Fake(status=400, error={"body": body})
        with Loopback(fake, handler=ExactHandler) as server, pytest.raises(RequestRejected) as exc:
            send(server.url)
        assert form[:8] not in str(exc.value)
    fake = Fake(status=302, error={"body": b"", "headers": {"Location": f"/{'x' * 100}{form}"}})
    with Loopback(fake, handler=ExactHandler) as server, pytest.raises(RequestRejected) as exc:
        send(server.url)
    assert form[:8] not in str(exc.value)


def test_echoed_keys_are_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = "another-long-key-0123"
    monkeypatch.setenv("STEERTUI_SERVER_KEY", f"127.0.0.1={KEY}")
    monkeypatch.setenv("STEERTUI_JUDGE_KEY", f"127.0.0.1={other}")
    reason = f"{'x' * 60}{KEY} {quote(KEY, safe='')} {other}"
    text = json.dumps({"decision": "convergence", "reason": reason})
    fake = Fake(reply=lambda _: text)
    db = tmp_path / "a.db"
    with Loopback(fake) as server:
        answer(db, [f"server:one@{server.url}"], limit=3)
        experiment = made_up(tmp_path / "b.db", ["An answer."])
        ask(tmp_path / "b.db", experiment, [f"openai:one@{server.url}"], OPTIONS)
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        for part in (KEY, quote(KEY, safe=""), other, KEY[:12]):
            assert part.encode() not in content


def test_numbers_text_and_delays_from_outside_are_limited() -> None:
    values: list[object] = [5, 5.9, "7", True, None, [], "\u00b2", -1, float("nan")]
    assert [count(value) for value in values] == [5, 5, 7, 0, 0, 0, 0, 0, 0]
    assert count(10**26) == count(float("inf")) == count("9" * 5000) == MAX_COUNT < 2**63
    delays = [seconds(text) for text in ("2", "0.5", "\u00b2", "nan", "-1", "", None, "9" * 400)]
    assert delays == [2.0, 0.5, None, None, None, None, None, None]
    assert seconds("999999999") == 86_400.0
    assert seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert parse_json(SURROGATE) == "Lone \ufffd surrogate and NUL \ufffd."
    assert storable("\U0001f600") == parse_json('"\\ud83d\\ude00"') == "\U0001f600"
    assert one_line("a\x1b[2J\nb\x00") == "a\ufffd[2J b\ufffd"
    with pytest.raises(InvalidJsonError, match="64 deep"):
        parse_json(WHOLE[5])
    with pytest.raises(InvalidJsonError, match="5,000 digits"):
        parse_json(HOSTILE_VALUES[8])


def test_json_from_outside_is_parsed_in_one_place() -> None:
    own_files = {
        "untrusted.py",
        "sandbox/child.py",
        "sandbox/parent.py",
        "file_notes.py",
        "planning/consent.py",
        "report/bundle/verifier.py",
        "report/reproduce.py",
        "paper/importing.py",
    }
    for path in ROOT.rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        is_own = name in own_files or name.startswith("store/")
        from_outside = name.startswith(("server/", "judge/", "assets/fetch/", "assets/hub/"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name("json"), attr="loads" | "load")):
                    assert is_own, f"{name}:{node.lineno}: use untrusted.parse_json"
                case ast.Call(func=ast.Attribute(attr="json"), args=[], keywords=[]):
                    raise AssertionError(f"{name}:{node.lineno}: use untrusted.parse_json")
                case ast.ImportFrom(module="steertui.errors", names=names) if from_outside:
                    imported = {alias.name for alias in names}
                    assert "shorten" not in imported, f"{name}: use untrusted.one_line"
                case ast.ImportFrom(module="json"):
                    raise AssertionError(f"{name}: import json as a module")
