"""Models behind servers: every trial answered once or listed as failed, whatever servers do."""

import json
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from steertui.assets.weights import find_model
from steertui.core.generation import SamplingParams, StopReason
from steertui.core.prompt import RenderedPrompt
from steertui.errors import ExperimentError, ServerError
from steertui.planning.plan import make_plan
from steertui.planning.resolve import resolve
from steertui.run import Generated, ServerFound, ServerLost, ServerModelStopped, ServerProgress
from steertui.run.plan_lines import plan_lines
from steertui.server.address import OPENAI, Address
from steertui.server.completions import chat_messages, completion_request, parse_completion
from steertui.server.limits import RetryPolicy
from steertui.server.model import ServerModel, find_server_model
from steertui.server.probe import ServerInfo, ServerKind
from steertui.server.protocol import InvalidReply, sampling_settings
from steertui.store import Store
from tests.fixtures.judge_server import TROUBLES, Fake, Loopback
from tests.fixtures.program import call, start
from tests.fixtures.server_runs import PATIENCE, answer, experiment, rows, tally


def test_every_trial_is_answered_once_and_the_store_says_how_it_came(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Loopback(Fake()) as server:
        events = answer(db, [f"server:one@{server.url}"])
    assert tally(db) == (108, 0, 0)
    assert len([e for e in events if isinstance(e, Generated)]) == 108
    last = [e for e in events if isinstance(e, ServerProgress)][-1]
    assert (last.done, last.failed, last.total, last.tokens) == (108, 0, 108, 108 * 30)
    assert rows(db, "SELECT DISTINCT url, form, model, tries FROM deliveries") == [
        {"url": server.url, "form": "messages", "model": "fake-2026-01-01", "tries": 1}
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


def test_chat_messages_are_stored_as_they_were_sent_each_with_its_own_seed(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Loopback(Fake()) as server:
        answer(db, [f"server:one@{server.url}"], temperatures=[0.7], top_k=20, limit=6)
    stored = {str(row["text"]) for row in rows(db, "SELECT text FROM prompts")}
    sent = server.fake.bodies[1:]  # the first is asked in advance
    assert {json.dumps({"messages": b["messages"]}, ensure_ascii=False) for b in sent} == stored
    assert len({b["seed"] for b in sent}) == 18
    assert all(0 <= b["seed"] < 2**31 for b in sent)
    drawn = {"temperature": 0.7, "top_p": 1.0, "top_k": 20, "min_p": 0.0, "presence_penalty": 0.0,
             "repetition_penalty": 1.0, "max_tokens": 64, "stream": False,
             "model": "one"}  # fmt: skip
    assert all(drawn.items() <= b.items() for b in sent)


@pytest.mark.parametrize("kind", TROUBLES)
def test_a_failing_server_costs_time_and_never_an_answer(tmp_path: Path, kind: str) -> None:
    db = tmp_path / "a.db"
    # Only here does a client lose its patience; a busy machine then takes more tries.
    patience = replace(PATIENCE, timeout=2.0, max_tries=30) if kind == "late" else PATIENCE
    with Loopback(Fake((kind,), share=0.2)) as server:
        answer(db, [f"server:one@{server.url}"], patience)
        assert tally(db) == (108, 0, 0)
        # What a server gave twice, since it came too late or was cut, is kept once.
        assert rows(db, "SELECT count(*) AS n FROM deliveries") == [{"n": 108}]
        assert max(server.fake.asked.values()) > 1


def test_what_fails_again_and_again_is_listed_and_asked_by_the_next_run(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    patience = RetryPolicy(concurrency=8, timeout=30.0, max_tries=2, max_outage=60.0)
    with Loopback(Fake(("html",), share=0.3)) as server:
        answer(db, [f"server:one@{server.url}"], patience)
        answered, failed, waiting = tally(db)
        assert failed > 0
        assert (answered + failed, waiting) == (108, 0)
        reasons = rows(db, "SELECT DISTINCT reason FROM failures")
        assert reasons == [{"reason": "the reply is not the JSON that the API defines (2 tries)"}]
        server.fake.failing = ()
        answer(db, [f"server:one@{server.url}"], patience)
    assert tally(db) == (108, 0, 0)


def test_a_refused_prompt_is_listed_with_what_the_server_said(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Loopback(Fake(refused=("backup",))) as server:
        answer(db, [f"server:one@{server.url}"], patience=PATIENCE)
    answered, failed, waiting = tally(db)
    assert 0 < failed < 60
    assert (answered + failed, waiting) == (108, 0)
    reasons = rows(db, "SELECT DISTINCT reason FROM failures")
    assert reasons == [{"reason": "HTTP 400: Unsupported parameter: backup [backup]"}]


def test_a_lost_servers_share_is_taken_by_the_other_and_it_is_found_when_it_is_back(
    tmp_path: Path,
) -> None:
    db = tmp_path / "a.db"
    first, second = Fake(delay=0.05), Fake(delay=0.05)
    patience = RetryPolicy(concurrency=2, timeout=30.0, max_outage=60.0)
    with Loopback(first) as stays, Loopback(second) as goes:
        name = f"server:one@{stays.url},{goes.url}"
        port, again = goes.port, threading.Event()

        def away() -> None:
            while len(second.bodies) < 8:
                time.sleep(0.01)
            goes.close()
            again.set()

        thread = threading.Thread(target=away)
        thread.start()
        back: list[Loopback] = []
        from steertui.engine.sizing import Overrides
        from steertui.planning.judges import JudgeServerOptions
        from steertui.run import run

        with Store(db) as store:
            plan = make_plan(resolve(experiment([name])), store)
            events = []
            for event in run(plan, store, Overrides(), JudgeServerOptions(answers=patience)):
                events.append(event)
                if isinstance(event, ServerLost) and not back:
                    back.append(Loopback(Fake(delay=0.05), port=port))
                    back[0].__enter__()
        thread.join()
        assert [e.url for e in events if isinstance(e, ServerLost)] == [goes.url]
        assert [e.url for e in events if isinstance(e, ServerFound)] == [goes.url]
        back[0].close()
    assert tally(db) == (108, 0, 0)
    by = rows(db, "SELECT url, count(*) AS n FROM deliveries GROUP BY url")
    assert len(by) == 2
    assert back[0].fake.bodies


def test_without_any_server_the_run_stops_and_the_same_command_goes_on(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    fake = Fake(delay=0.02)
    patience = RetryPolicy(concurrency=2, timeout=30.0, max_outage=1.0)
    with Loopback(fake) as server:
        name, port = f"server:one@{server.url}", server.port

        def away() -> None:
            while len(fake.bodies) < 20:
                time.sleep(0.01)
            server.close()

        thread = threading.Thread(target=away)
        thread.start()
        events = answer(db, [name], patience)
        thread.join()
    (stopped,) = [e for e in events if isinstance(e, ServerModelStopped)]
    assert stopped.reason == "no server answered for 1 seconds"
    answered, failed, waiting = tally(db)
    assert answered >= 15
    assert (failed, stopped.left) == (0, waiting)
    with Loopback(Fake(), port=port) as again:
        answer(db, [name], patience)
        assert sum(again.fake.asked.values()) == waiting + 1  # one in advance
    assert tally(db) == (108, 0, 0)


def test_a_server_that_was_changed_for_another_in_silence_is_asked_no_more(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    fake = Fake(delay=0.02)
    with Loopback(fake) as server:

        def change() -> None:
            while len(fake.bodies) < 20:
                time.sleep(0.01)
            server.close()
            other.append(Loopback(Fake(owner="sglang", marks=("fp_2",)), port=server.port))
            other[0].__enter__()

        other: list[Loopback] = []
        thread = threading.Thread(target=change)
        thread.start()
        events = answer(db, [f"server:one@{server.url}"], RetryPolicy(2, 30.0, max_outage=60.0))
        thread.join()
        other[0].close()
        assert len(other[0].fake.bodies) <= 2  # and of what it wrote nothing is kept
    assert rows(db, "SELECT DISTINCT fingerprint FROM deliveries") == [{"fingerprint": "fp_1"}]
    lost = [e for e in events if isinstance(e, ServerLost)]
    assert [(e.reason, e.for_good) for e in lost][-1] == ("it serves other weights now", True)
    assert [e.reason for e in events if isinstance(e, ServerModelStopped)] == [
        "no server is left (it serves other weights now)"
    ]


def test_a_model_that_the_server_does_not_have_is_told_before_anything_is_planned(
    tmp_path: Path,
) -> None:
    with Loopback(Fake(models=("qwen3-4b", "qwen3-8b"))) as server:
        options = ("--batch", "--model", f"server:qwen@{server.url}", "--db", "a.db")
        code, out, err = call(*options, cwd=tmp_path)
    assert (code, out) == (1, "")
    assert err == (
        f"steertui: server:qwen: {server.url} does not have this model; it has qwen3-4b, qwen3-8b\n"
    )
    assert rows(tmp_path / "a.db", "SELECT * FROM experiments") == []


@pytest.mark.parametrize(
    "name",
    ["server:one", "server:@http://a/v1", "server:one@ftp://a", "server:one@", "server:one@a:1",
     "server:one@http://a:x/v1", "server:one@http://a,http://a/v1"],
)  # fmt: skip
def test_a_wrong_address_is_one_sentence(name: str) -> None:
    with pytest.raises(ServerError, match=r"write server:MODEL@URL|stands there twice"):
        find_server_model(name)


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    with Loopback(Fake()) as server:
        url = server.url
    with pytest.raises(ServerError, match=f"no server responds at {url}"):
        find_server_model(f"server:one@{url}")


def test_servers_of_different_weights_are_not_one_model() -> None:
    with Loopback(Fake()) as one, Loopback(Fake(owner="sglang")) as other:
        with pytest.raises(ServerError, match="report different weights"):
            find_server_model(f"server:one@{one.url},{other.url}")
        same = find_server_model(f"server:one@{one.url}")
        moved = find_server_model(f"server:one@{one.url}/")
    assert same.sha256 == moved.sha256 != find_model("demo").sha256


def test_one_server_of_several_may_be_away_at_first(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Loopback(Fake()) as gone:
        pass
    with Loopback(Fake()) as here:
        events = answer(db, [f"server:one@{gone.url},{here.url}"], limit=6)
    assert [e.url for e in events if isinstance(e, ServerLost)] == [gone.url]
    assert tally(db) == (18, 0, 0)


def test_settings_that_a_server_is_not_known_to_heed_are_refused(tmp_path: Path) -> None:
    stranger = ServerInfo("unknown", "one")
    with pytest.raises(ServerError, match="does not accept top_k"):
        sampling_settings(stranger, SamplingParams(temperature=0.7, top_k=20), 0)
    with pytest.raises(ServerError, match="does not accept repetition_penalty"):
        sampling_settings(
            ServerInfo("Ollama", "one"), SamplingParams(temperature=1.0, repetition_penalty=1.1), 0
        )
    with pytest.raises(ServerError, match='leave it at "any"'):
        sampling_settings(ServerInfo("vLLM", "one"), SamplingParams(end="eos"), 0)
    assert "top_k" not in sampling_settings(stranger, SamplingParams(temperature=0.7), 0)
    greedy = sampling_settings(
        ServerInfo("SGLang", "one"), SamplingParams(top_k=20, top_p=0.5), 2**63 - 1
    )
    assert (greedy["top_k"], greedy["top_p"], greedy["seed"]) == (-1, 1.0, 2**31 - 1)

    with Loopback(Fake(owner="someone")) as server, pytest.raises(ServerError, match="top_k"):
        answer(tmp_path / "a.db", [f"server:one@{server.url}"], temperatures=[0.5], top_k=5)


def test_penalties_hold_for_greedy_answers_too_as_in_our_engine() -> None:
    greedy = SamplingParams(repetition_penalty=1.1, presence_penalty=0.5)
    body = sampling_settings(ServerInfo("vLLM", "one"), greedy, 0)
    assert (body["temperature"], body["repetition_penalty"], body["presence_penalty"]) == (
        0.0, 1.1, 0.5,
    )  # fmt: skip
    with pytest.raises(ServerError, match="does not accept repetition_penalty"):
        sampling_settings(ServerInfo("Ollama", "one"), greedy, 0)


@pytest.mark.parametrize(
    ("make", "own", "why"),
    [
        ("llama-server", {"presence_penalty": 0.5}, "also counts the prompt's tokens"),
        ("Ollama", {"presence_penalty": 0.5}, "the last 64 tokens"),
        ("SGLang", {"repetition_penalty": 1.1}, "does not count the prompt's tokens"),
    ],
)
def test_settings_that_a_server_takes_in_another_sense_are_refused(
    make: ServerKind, own: dict[str, float], why: str
) -> None:
    with pytest.raises(ServerError, match=f"defines .* differently .*{why}"):
        sampling_settings(ServerInfo(make, "one"), SamplingParams(temperature=0.7, **own), 0)  # type: ignore[arg-type]
    sampling_settings(ServerInfo("vLLM", "one"), SamplingParams(temperature=0.7, **own), 0)  # type: ignore[arg-type]


def test_a_model_is_asked_not_to_think_in_the_words_its_server_knows() -> None:
    for kind in ("llama-server", "vLLM", "SGLang"):
        asked = chat_messages("", "Hi", thinking=False, kind=kind).body
        assert asked["chat_template_kwargs"] == {"enable_thinking": False}
    assert chat_messages("", "Hi", thinking=False, kind="Ollama").body["reasoning_effort"] == "none"
    assert chat_messages("", "Hi", thinking=True, kind="Ollama").body.keys() == {"messages"}


def test_a_prompt_of_our_own_is_sent_without_a_second_beginning() -> None:
    prompt = RenderedPrompt("<s>Hello")
    info = ServerInfo("llama-server", "one", bos="<s>", adds_bos=True)
    assert completion_request(info, prompt, SamplingParams(), seed=0)["prompt"] == "Hello"
    info = ServerInfo("llama-server", "one", bos="<s>")
    assert completion_request(info, prompt, SamplingParams(), seed=0)["prompt"] == "<s>Hello"


def test_a_context_too_short_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    with Loopback(Fake()) as server, pytest.raises(ExperimentError, match="need 5000 tokens"):
        answer(tmp_path / "a.db", [f"server:one@{server.url}"], max_tokens=4000)
    assert rows(tmp_path / "a.db", "SELECT * FROM experiments") == []


def choice(**message: object) -> dict[str, object]:
    reason = message.pop("finish_reason", "stop")
    return {"choices": [{"message": message, "finish_reason": reason}]}


def test_reasoning_in_its_own_field_is_read_like_reasoning_in_the_text() -> None:
    for name in ("reasoning_content", "reasoning"):
        found = parse_completion(choice(content="I stop.", **{name: "Shall I?"}))
        assert found.text == "<think>\nShall I?\n</think>\n\nI stop."
    cut = parse_completion(choice(content=None, reasoning="Shall I", finish_reason="length"))
    assert (cut.text, cut.stop) == ("<think>\nShall I", StopReason.LENGTH)
    assert parse_completion(choice(content="", refusal="I cannot.")).text == "I cannot."


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
def test_a_reply_that_is_no_whole_answer_is_never_stored_as_one(
    data: object, reason: str, retryable: bool
) -> None:
    with pytest.raises(InvalidReply, match=reason) as caught:
        parse_completion(data)
    assert caught.value.retryable is retryable


def test_the_key_comes_from_the_environment_and_goes_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-very-secret-0123456789"
    monkeypatch.setenv("STEERTUI_SERVER_KEY", f"127.0.0.1={key}")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another-one-0123456789")
    with Loopback(Fake()) as server:
        answer(tmp_path / "a.db", [f"server:one@{server.url}"], limit=6)
        assert set(server.fake.keys) == {f"Bearer {key}"}
        server.fake.status = 401
        server.fake.said = {"error": {"message": f"Incorrect API key provided: {key}"}}
        with pytest.raises(ServerError, match="put a valid one into STEERTUI_SERVER_KEY") as caught:
            find_server_model(f"server:one@{server.url}")
    assert key not in str(caught.value)
    with pytest.raises(ServerError, match="holds a password") as caught:
        find_server_model("server:one@http://me:hush@host/v1")
    assert "hush" not in str(caught.value)
    for path in tmp_path.iterdir():
        assert b"very-secret" not in path.read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="kills")
def test_after_kill_9_no_stored_answer_is_asked_again(tmp_path: Path) -> None:
    with Loopback(Fake(delay=0.02)) as server:
        options = ("--batch", "--model", f"server:one@{server.url}", "--db", "a.db",
                   "--server-concurrency", "2")  # fmt: skip
        process = start(*options, cwd=tmp_path)
        while len(server.fake.bodies) < 30:
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        answered, _, left = tally(tmp_path / "a.db")
        assert answered >= 27
        before = len(server.fake.bodies)
        code, out, err = call(*options, cwd=tmp_path)
        assert code == 0, err
        assert len(server.fake.bodies) - before == left + 1
        assert f"{answered} answered before" in out
    assert tally(tmp_path / "a.db") == (108, 0, 0)


def test_a_model_of_this_machine_and_one_behind_a_server_answer_in_one_run(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Loopback(Fake()) as server:
        names = ["demo", f"server:one@{server.url}"]
        events = answer(db, names, limit=6, max_tokens=8)
    assert tally(db) == (36, 0, 0)
    assert len([e for e in events if isinstance(e, Generated)]) == 36
    assert rows(db, "SELECT count(*) AS n FROM deliveries") == [{"n": 18}]


def test_a_template_of_ones_own_makes_our_prompts_for_a_server_that_tells_none(
    tmp_path: Path,
) -> None:
    template = tmp_path / "chat.jinja"
    template.write_text("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<answer>")
    db = tmp_path / "a.db"
    with Loopback(Fake(apis=("completions", "chat"))) as server:
        answer(db, [f"server:one@{server.url}"], limit=6, server_template=str(template))
        assert rows(db, "SELECT DISTINCT form FROM deliveries") == [{"form": "prompt"}]
        stored = {str(row["text"]) for row in rows(db, "SELECT text FROM prompts")}
        sent = [b["prompt"] for b in server.fake.bodies if b["max_tokens"] == 64]
        assert set(sent) == stored
        assert all("<user>" in p and p.endswith("<answer>") for p in sent)
        with pytest.raises(ExperimentError, match="give a Jinja file"):
            answer(db, [f"server:one@{server.url}"], server_template="nowhere.jinja")
    with Loopback(Fake(apis=("chat",))) as server:  # takes messages only, whatever the template
        answer(tmp_path / "b.db", [f"server:one@{server.url}"], limit=6,
               server_template=str(template))  # fmt: skip
    assert rows(tmp_path / "b.db", "SELECT DISTINCT form FROM deliveries") == [{"form": "messages"}]


def test_exact_is_refused_where_a_server_answers(tmp_path: Path) -> None:
    with Loopback(Fake()) as server:
        options = ("--batch", "--model", f"server:one@{server.url}", "--exact", "--db", "a.db")
        code, _, err = call(*options, cwd=tmp_path)
    assert code == 1
    assert "--exact: cannot control how a server batches requests" in err


def test_a_judged_run_of_a_server_is_reported_and_exported_like_any_other(tmp_path: Path) -> None:
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
    assert "what its server tells of its weights" in page
    code, _, err = call("export", "a.db", "--inspect", "logs", cwd=tmp_path)
    assert code == 0, err
    assert len(list((tmp_path / "logs").iterdir())) == 3


def test_a_stranger_that_refuses_a_neutral_setting_is_asked_without_it_and_that_is_said(
    tmp_path: Path,
) -> None:
    db = tmp_path / "a.db"
    fake = Fake(owner="someone", refused=("seed", "presence_penalty"))
    with Loopback(fake) as server:
        name = f"server:one@{server.url}"
        answer(db, [name], limit=6)
        assert find_server_model(name).description == (
            "a server of unknown kind at 1 address, given chat messages, which it renders itself; "
            "not accepted: presence_penalty, seed"
        )
        assert not any({"seed", "presence_penalty"} & b.keys() for b in fake.bodies)
        with pytest.raises(ServerError, match="does not accept presence_penalty"):
            answer(db, [name], limit=6, temperatures=[0.7], presence_penalty=0.5)
    assert tally(db) == (18, 0, 0)
    (run,) = rows(db, "SELECT settings FROM runs")
    assert json.loads(str(run["settings"]))["left_out"] == ["presence_penalty", "seed"]


def test_servers_that_take_turns_behind_one_address_cost_a_look_each(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    fake = Fake(marks=("fp_1", "fp_2", "fp_3"))
    with Loopback(fake) as server:
        answer(db, [f"server:one@{server.url}"])
    assert tally(db) == (108, 0, 0)
    assert rows(db, "SELECT count(DISTINCT fingerprint) AS n FROM deliveries") == [{"n": 3}]
    assert sum(fake.asked.values()) <= 108 + 1 + 2 * PATIENCE.concurrency


def test_the_plan_says_what_a_server_with_a_key_may_charge_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Loopback(Fake()) as server, Store(tmp_path / "a.db") as store:
        asked = resolve(experiment([f"server:one@{server.url}"], limit=6))
        plan = make_plan(asked, store)
        assert not [line for line in plan_lines(plan, tmp_path) if line.startswith("Cost")]
        monkeypatch.setenv("STEERTUI_SERVER_KEY", "127.0.0.1=a key")
        (said,) = [line for line in plan_lines(plan, tmp_path) if line.startswith("Cost")]
    read = sum(len(prompt.text) for prompt in plan.prompts) // 4
    assert said == (
        f"Cost    server:one: about {read:,} prompt tokens and at most 1,152 new tokens; "
        "--max-cost does not cover it"
    )
    paid = plan.design.models[0]
    assert isinstance(paid, ServerModel)
    monkeypatch.setenv("OPENAI_API_KEY", "a key")
    openai = replace(paid, address=Address("gpt-5-mini", (OPENAI,)))
    prompts = tuple(replace(p, trial=replace(p.trial, model=openai)) for p in plan.prompts)
    priced = replace(plan, design=replace(plan.design, models=(openai,)), prompts=prompts)
    (said,) = [line for line in plan_lines(priced, tmp_path) if line.startswith("Cost")]
    assert f", ${(read * 0.25 + 1152 * 2) / 1e6:.2f} in all" in said
