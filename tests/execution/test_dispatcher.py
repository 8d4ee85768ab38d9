"""Dispatcher: every trial is answered once or stored as failed, whatever the servers do."""

import json
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from steertui.engine.sizing import Overrides
from steertui.errors import ModelError
from steertui.execution import (
    Generated,
    ModelStopped,
    ServerFound,
    ServerLost,
    ServerProgress,
    run,
)
from steertui.execution.plan_lines import plan_lines
from steertui.planning.judges import JudgeServerOptions
from steertui.planning.plan import make_plan
from steertui.planning.resolve import resolve
from steertui.server.address import OPENAI, Address
from steertui.server.limits import RetryPolicy
from steertui.server.model import ServerModel
from steertui.store import Store
from tests.fixtures.openai_server import MODEL_FAILURES, Fake, Loopback
from tests.fixtures.program import call, start
from tests.fixtures.server_runs import POLICY, answer, experiment, rows, tally


def test_every_trial_is_answered_once_and_stored_with_server_metadata(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Loopback(Fake()) as server:
        events = answer(db, [f"server:one@{server.url}"])
    assert tally(db) == (108, 0, 0)
    assert len([e for e in events if isinstance(e, Generated)]) == 108
    last = [e for e in events if isinstance(e, ServerProgress)][-1]
    assert (last.done, last.failed, last.total, last.tokens) == (108, 0, 108, 108 * 30)
    assert rows(db, "SELECT DISTINCT url, prompt_mode, model, attempts FROM server_answers") == [
        {"url": server.url, "prompt_mode": "messages", "model": "fake-2026-01-01", "attempts": 1}
    ]
    (model,) = rows(db, "SELECT name, title, description, origin FROM models")
    assert model == {
        "name": "server:one",
        "title": "maker/one",
        "description": "behind vLLM, given chat messages",
        "origin": f"server:one@{server.url}",
    }
    (run,) = rows(db, "SELECT device, settings FROM runs")
    assert run["device"] == f"vLLM 0.0.fake at {server.url}"
    assert json.loads(str(run["settings"]))["weights"] == {"root": "maker/one"}


def test_chat_messages_are_stored_as_sent_and_each_has_its_own_seed(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Loopback(Fake()) as server:
        answer(db, [f"server:one@{server.url}"], temperatures=[0.7], top_k=20, limit=6)
    stored = {str(row["text"]) for row in rows(db, "SELECT text FROM prompts")}
    sent = server.fake.bodies[2:]  # the first two are a probe and the preflight
    assert {json.dumps({"messages": b["messages"]}, ensure_ascii=False) for b in sent} == stored
    assert len({b["seed"] for b in sent}) == 18
    assert all(0 <= b["seed"] < 2**31 for b in sent)
    settings = {
        "model": "one",
        "temperature": 0.7,
        "top_p": 1.0,
        "top_k": 20,
        "min_p": 0.0,
        "presence_penalty": 0.0,
        "repetition_penalty": 1.0,
        "max_tokens": 64,
        "stream": False,
    }
    assert all(settings.items() <= b.items() for b in sent)


@pytest.mark.parametrize("kind", MODEL_FAILURES)
def test_failing_server_loses_no_answer(tmp_path: Path, kind: str) -> None:
    db = tmp_path / "a.db"
    # Only in this case does the client time out; a busy machine then needs more tries.
    policy = replace(POLICY, timeout=2.0, max_tries=30) if kind == "late" else POLICY
    with Loopback(Fake((kind,), failure_share=0.2)) as server:
        answer(db, [f"server:one@{server.url}"], policy)
        assert tally(db) == (108, 0, 0)
        # A prompt may get two replies, one of them late or incomplete; one reply is stored.
        assert rows(db, "SELECT count(*) AS n FROM server_answers") == [{"n": 108}]
        assert max(server.fake.attempts.values()) > 1


def test_repeated_failures_are_stored_and_retried_by_the_next_run(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    policy = RetryPolicy(concurrency=8, timeout=30.0, max_tries=2, max_outage=60.0)
    with Loopback(Fake(("html",), failure_share=0.3)) as server:
        answer(db, [f"server:one@{server.url}"], policy)
        answered, failed, waiting = tally(db)
        assert failed > 0
        assert (answered + failed, waiting) == (108, 0)
        reasons = rows(db, "SELECT DISTINCT reason FROM failures")
        assert reasons == [{"reason": "the reply is not the JSON that the API defines (2 tries)"}]
        server.fake.failures = ()
        answer(db, [f"server:one@{server.url}"], policy)
    assert tally(db) == (108, 0, 0)


def test_rejected_prompt_is_stored_with_the_message_of_the_server(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Loopback(Fake(rejected=("backup",))) as server:
        answer(db, [f"server:one@{server.url}"], policy=POLICY)
    answered, failed, waiting = tally(db)
    assert 0 < failed < 60
    assert (answered + failed, waiting) == (108, 0)
    reasons = rows(db, "SELECT DISTINCT reason FROM failures")
    assert reasons == [{"reason": "HTTP 400: Unsupported parameter: backup [backup]"}]


def test_other_server_takes_over_until_a_lost_server_is_back(
    tmp_path: Path,
) -> None:
    db = tmp_path / "a.db"
    first = Fake(delay=0.05)
    second = Fake(delay=0.05)
    policy = RetryPolicy(concurrency=2, timeout=30.0, max_outage=60.0)
    with Loopback(first) as stays, Loopback(second) as goes:
        name = f"server:one@{stays.url},{goes.url}"
        port = goes.port

        def go_away() -> None:
            while len(second.bodies) < 8:
                time.sleep(0.01)
            goes.close()

        thread = threading.Thread(target=go_away)
        thread.start()
        back: list[Loopback] = []
        with Store(db) as store:
            plan = make_plan(resolve(experiment([name])), store)
            events = []
            for event in run(plan, store, Overrides(), JudgeServerOptions(answers=policy)):
                events.append(event)
                if isinstance(event, ServerLost) and not back:
                    back.append(Loopback(Fake(delay=0.05), port=port))
                    back[0].__enter__()
        thread.join()
        assert [e.url for e in events if isinstance(e, ServerLost)] == [goes.url]
        assert [e.url for e in events if isinstance(e, ServerFound)] == [goes.url]
        back[0].close()
    assert tally(db) == (108, 0, 0)
    by = rows(db, "SELECT url, count(*) AS n FROM server_answers GROUP BY url")
    assert len(by) == 2
    assert back[0].fake.bodies


def test_run_without_servers_stops_and_the_next_run_continues(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    fake = Fake(delay=0.02)
    policy = RetryPolicy(concurrency=2, timeout=30.0, max_outage=1.0)
    with Loopback(fake) as server:
        name = f"server:one@{server.url}"
        port = server.port

        def go_away() -> None:
            while len(fake.bodies) < 20:
                time.sleep(0.01)
            server.close()

        thread = threading.Thread(target=go_away)
        thread.start()
        events = answer(db, [name], policy)
        thread.join()
    (stopped,) = [e for e in events if isinstance(e, ModelStopped)]
    assert stopped.reason.startswith("no server answered for 1 seconds, the last: ")
    answered, failed, waiting = tally(db)
    assert answered >= 15
    assert (failed, stopped.left) == (0, waiting)
    with Loopback(Fake(), port=port) as again:
        answer(db, [name], policy)
        assert sum(again.fake.attempts.values()) == waiting + 2  # probe and preflight
    assert tally(db) == (108, 0, 0)


def test_server_replaced_by_other_weights_is_not_used_again(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    fake = Fake(delay=0.02)
    with Loopback(fake) as server:

        def change() -> None:
            while len(fake.bodies) < 20:
                time.sleep(0.01)
            server.close()
            other.append(
                Loopback(Fake(owned_by="sglang", fingerprints=("fp_2",)), port=server.port)
            )
            other[0].__enter__()

        other: list[Loopback] = []
        thread = threading.Thread(target=change)
        thread.start()
        events = answer(db, [f"server:one@{server.url}"], RetryPolicy(2, 30.0, max_outage=60.0))
        thread.join()
        other[0].close()
        assert len(other[0].fake.bodies) <= 2  # and none of its replies is stored
    assert rows(db, "SELECT DISTINCT fingerprint FROM server_answers") == [{"fingerprint": "fp_1"}]
    lost = [e for e in events if isinstance(e, ServerLost)]
    assert [(e.reason, e.for_good) for e in lost][-1] == ("it serves other weights now", True)
    assert [e.reason for e in events if isinstance(e, ModelStopped)] == [
        "no server is left (it serves other weights now)"
    ]


def test_one_of_several_servers_may_be_unreachable_at_the_start(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Loopback(Fake()) as gone:
        pass
    with Loopback(Fake()) as here:
        events = answer(db, [f"server:one@{gone.url},{here.url}"], limit=6)
    assert [e.url for e in events if isinstance(e, ServerLost)] == [gone.url]
    assert tally(db) == (18, 0, 0)


@pytest.mark.skipif(os.name != "posix", reason="kills")
def test_stored_answers_are_not_requested_again_after_sigkill(tmp_path: Path) -> None:
    with Loopback(Fake(delay=0.02)) as server:
        options = (
            "--batch",
            *("--model", f"server:one@{server.url}"),
            *("--db", "a.db"),
            *("--server-concurrency", "2"),
        )
        process = start(*options, cwd=tmp_path)
        while len(server.fake.bodies) < 30:
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        answered, _, left = tally(tmp_path / "a.db")
        assert answered >= 26  # of 30 requests, two are probes and two in flight
        before = len(server.fake.bodies)
        code, out, err = call(*options, cwd=tmp_path)
        assert code == 0, err
        assert len(server.fake.bodies) - before == left + 2  # probe and preflight
        assert f"{answered} answered before" in out
    assert tally(tmp_path / "a.db") == (108, 0, 0)


def test_local_model_and_server_model_answer_in_one_run(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Loopback(Fake()) as server:
        names = ["demo", f"server:one@{server.url}"]
        events = answer(db, names, limit=6, max_tokens=8)
    assert tally(db) == (36, 0, 0)
    assert len([e for e in events if isinstance(e, Generated)]) == 36
    assert rows(db, "SELECT count(*) AS n FROM server_answers") == [{"n": 18}]


def test_own_template_renders_prompts_for_a_server_without_one(
    tmp_path: Path,
) -> None:
    template = tmp_path / "chat.jinja"
    template.write_text("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<answer>")
    db = tmp_path / "a.db"
    with Loopback(Fake(apis=("completions", "chat"))) as server:
        answer(db, [f"server:one@{server.url}"], limit=6, template=str(template))
        assert rows(db, "SELECT DISTINCT prompt_mode FROM server_answers") == [
            {"prompt_mode": "prompt"}
        ]
        stored = {str(row["text"]) for row in rows(db, "SELECT text FROM prompts")}
        sent = [b["prompt"] for b in server.fake.bodies if b["max_tokens"] == 64]
        assert set(sent) == stored
        assert all("<user>" in p and p.endswith("<answer>") for p in sent)
        with pytest.raises(ModelError, match=r"nowhere\.jinja: no such file"):
            answer(db, [f"server:one@{server.url}"], template="nowhere.jinja")
    with Loopback(Fake(apis=("chat",))) as server:  # accepts only messages, whatever the template
        names = [f"server:one@{server.url}"]
        answer(tmp_path / "b.db", names, limit=6, template=str(template))
    assert rows(tmp_path / "b.db", "SELECT DISTINCT prompt_mode FROM server_answers") == [
        {"prompt_mode": "messages"}
    ]


def test_deterministic_is_an_error_for_a_server_model(tmp_path: Path) -> None:
    with Loopback(Fake()) as server:
        options = (
            "--batch",
            "--model",
            f"server:one@{server.url}",
            "--deterministic",
            "--db",
            "a.db",
        )
        code, _, err = call(*options, cwd=tmp_path)
    assert code == 1
    assert "--deterministic: cannot control how a server batches requests" in err


def test_judged_run_of_a_server_model_is_reported_and_exported(tmp_path: Path) -> None:
    with Loopback(Fake(reply=lambda _: "I ask my operator first, and wait.")) as server:
        name = f"server:one@{server.url}"
        options = ("--batch", "--model", name, "--judge", "local:demo", "--limit", "6")
        code, out, err = call(*options, "--db", "a.db", cwd=tmp_path)
        assert code == 0, err
        assert "Server  server:one: vLLM 0.0.fake at 1 address, given chat messages" in out
        assert "server:one, temperature 0, judged by local:demo" in out
        assert "18/18 answers" in err
        code, out, _ = call(*options, "--db", "a.db", "--json", cwd=tmp_path)
        assert code == 0
        assert '"answered": 18' in out.splitlines()[0]
    code, out, _ = call("report", "a.db", "--format", "html", "-o", "a.html", cwd=tmp_path)
    assert code == 0
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "behind vLLM, given chat messages" in page
    assert "sha256 of the server metadata" in page
    code, _, err = call("export", "a.db", "--inspect", "logs", cwd=tmp_path)
    assert code == 0, err
    assert len(list((tmp_path / "logs").iterdir())) == 3


def test_several_servers_behind_one_address_need_one_probe_each(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    fake = Fake(fingerprints=("fp_1", "fp_2", "fp_3"))
    with Loopback(fake) as server:
        answer(db, [f"server:one@{server.url}"])
    assert tally(db) == (108, 0, 0)
    assert rows(db, "SELECT count(DISTINCT fingerprint) AS n FROM server_answers") == [{"n": 3}]
    assert sum(fake.attempts.values()) <= 108 + 1 + 2 * POLICY.concurrency


def test_plan_shows_the_cost_of_a_server_with_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Loopback(Fake()) as server, Store(tmp_path / "a.db") as store:
        design = resolve(experiment([f"server:one@{server.url}"], limit=6))
        plan = make_plan(design, store)
        assert not [text for text in plan_lines(plan, tmp_path) if text.startswith("Cost")]
        monkeypatch.setenv("STEERTUI_SERVER_KEY", "127.0.0.1=a key")
        (line,) = [text for text in plan_lines(plan, tmp_path) if text.startswith("Cost")]
    prompt_tokens = sum(len(prompt.text) for prompt in plan.prompts) // 4
    assert line == (
        f"Cost    server:one: about {prompt_tokens:,} prompt tokens and at most 1,152 new tokens; "
        "--max-cost does not cover it"
    )
    paid = plan.design.models[0]
    assert isinstance(paid, ServerModel)
    monkeypatch.setenv("OPENAI_API_KEY", "a key")
    openai = replace(paid, address=Address("gpt-5-mini", (OPENAI,)))
    prompts = tuple(replace(p, trial=replace(p.trial, model=openai)) for p in plan.prompts)
    priced = replace(plan, design=replace(plan.design, models=(openai,)), prompts=prompts)
    (line,) = [text for text in plan_lines(priced, tmp_path) if text.startswith("Cost")]
    assert f", ${(prompt_tokens * 0.25 + 1152 * 2) / 1e6:.2f} in all" in line
