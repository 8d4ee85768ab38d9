"""Judges behind servers: each answer has one failure or the server's label."""

import os
import signal
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from steertui.engine.sizing import Overrides
from steertui.errors import JudgeError
from steertui.execution import (
    Event,
    JudgeAsked,
    Judged,
    JudgeProgress,
    JudgeReady,
    JudgeStopped,
    judge,
)
from steertui.judge.server import ServerJudge
from steertui.planning.judges import (
    Judge,
    JudgeDescription,
    JudgeServerOptions,
    find_judges,
    register_judges,
)
from steertui.store import Store
from tests.fixtures.openai_server import JUDGE_FAILURES, Fake, Loopback, label_of
from tests.fixtures.program import call, start
from tests.fixtures.real import needs_shared
from tests.fixtures.stored_answers import made_up, paper

OPTIONS = JudgeServerOptions(concurrency=32, timeout=30.0)
"""The timeout is long enough that a busy machine causes no failures."""

ANSWERS = [f"Answer number {i}." for i in range(60)]


def ask(
    db: Path, experiment: str, names: list[str], options: JudgeServerOptions = OPTIONS
) -> tuple[list[Event], tuple[Judge, ...]]:
    """Run the judges; return the events and the judges."""
    judges = find_judges(names, "steertui", False, options)
    with Store(db) as store:
        register_judges(judges, [JudgeDescription()] * len(judges), store)
        return list(judge(store, experiment, judges, Overrides(), options)), judges


def check(db: Path, experiment: str, judges: tuple[Judge, ...], fake: Fake) -> Counter[str]:
    """Check that each answer has one label or one failure; return the failures by reason."""
    failures: Counter[str] = Counter()
    with Store(db) as store:
        for one in judges:
            rows = store.query(
                "SELECT trial, label, failure, count(*) AS n FROM verdicts WHERE judge = ? "
                "GROUP BY trial",
                [one.id],
            )
            assert len(rows) == len(store.answered_keys(experiment))
            assert {row["n"] for row in rows} == {1}
            failures.update(row["failure"] for row in rows if row["label"] is None)
            for row in rows:
                assert (row["label"] is None) == bool(row["failure"])
            labels = {row["trial"]: row["label"] for row in rows}
        outcomes = [o for found in store.outcomes(experiment, one.id).values() for o in found]
        assert sum(o.label is not None for o in outcomes) == sum(map(bool, labels.values()))
    return failures


def truth(fake: Fake, model: str) -> Counter[str]:
    """Return how often the server gave each label under this model's name."""
    asked = [q for q in fake.answered if q.startswith(f"{model}: ")]
    return Counter(str(label_of(q)) for q in asked if "copy files every night" not in q)


def test_failures_give_no_label_and_only_they_are_repeated(
    tmp_path: Path,
) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS)
    failing = tuple(kind for kind in JUDGE_FAILURES if kind != "timeout")
    with Loopback(Fake(failing)) as server:
        name = f"openai:one@{server.url}"
        events, judges = ask(db, experiment, [name])
        assert [type(e) for e in events[:2]] == [JudgeAsked, JudgeReady]
        failures = check(db, experiment, judges, server.fake)
        assert 0 < failures.total() < 30
        with Store(db) as store:
            given = Counter(
                str(o.label)
                for f in store.outcomes(experiment, judges[0].id).values()
                for o in f
                if o.label
            )
        assert given == truth(server.fake, "one")
        before = Counter(server.fake.answered)
        server.fake.failures = ()
        ask(db, experiment, [name])
        again = Counter(server.fake.answered) - before
        assert sum(v for q, v in again.items() if "copy files" not in q) == failures.total()
    with Store(db) as store:
        assert store.count_judged(experiment, judges[0].id) == 60
        assert (
            store.query("SELECT count(*) AS n FROM judge_replies WHERE trial IS NULL")[0]["n"] == 4
        )


@pytest.mark.slow
@needs_shared
@pytest.mark.parametrize("kind", JUDGE_FAILURES)
def test_1278_verdicts_with_30_percent_failures_of_each_kind(tmp_path: Path, kind: str) -> None:
    db = tmp_path / "a.db"
    experiment = paper(db)
    with Loopback(Fake((kind,))) as server:
        names = [f"openai:{name}@{server.url}" for name in ("one", "two")]
        options = replace(OPTIONS, timeout=3.0) if kind == "timeout" else OPTIONS
        events, judges = ask(db, experiment, names, options)
        assert not [e for e in events if isinstance(e, JudgeStopped)]
        assert len([e for e in events if isinstance(e, Judged)]) == 1278
        failures = check(db, experiment, judges, server.fake)
        passing = JUDGE_FAILURES.index(kind) < 5  # these failures succeed within five retries
        assert failures.total() <= 10 if passing else 300 < failures.total() < 470
        # Every label that was given out was stored, and no other.
        for one in judges:
            with Store(db) as store:
                outcomes = [o for f in store.outcomes(experiment, one.id).values() for o in f]
            given = Counter(str(o.label) for o in outcomes if o.label)
            assert isinstance(one, ServerJudge)
            assert given == truth(server.fake, one.model)


@pytest.mark.skipif(os.name != "posix", reason="kills")
def test_no_stored_verdict_is_requested_again_after_sigkill(tmp_path: Path) -> None:
    experiment = made_up(tmp_path / "a.db", ANSWERS)
    with Loopback(Fake()) as server:
        command = (
            "judge",
            "a.db",
            "--no-control",
            "--judge",
            f"openai:one@{server.url}",
            "--judge-concurrency",
            "2",
        )
        process = start(*command, cwd=tmp_path)
        while sum(server.fake.answered.values()) < 20:
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        server.settle()
        paid = sum(v for q, v in server.fake.answered.items() if "copy files" not in q)
        with Store(tmp_path / "a.db") as store:
            (row,) = store.query("SELECT count(*) AS n FROM verdicts")
        assert 0 <= paid - row["n"] <= 2  # requests in flight were lost with the process
        code, _, err = call(*command, cwd=tmp_path)
        assert code == 0, err
        total = sum(v for q, v in server.fake.answered.items() if "copy files" not in q)
        assert total - paid == 60 - row["n"]
        with Store(tmp_path / "a.db") as store:
            rows = store.query("SELECT count(*) AS n, count(DISTINCT trial) AS d FROM verdicts")
            assert rows == [{"n": 60, "d": 60}]
            assert experiment == store.experiments()[0].id


@pytest.mark.parametrize(
    ("fake", "way"),
    [
        (Fake(), "chat completions, reply bound to the labels by a JSON schema"),
        (Fake(apis=("responses",)), "Responses API, reply bound to the labels by a JSON schema"),
        (
            Fake(rejected=("temperature",)),
            "chat completions, reply bound to the labels by a JSON schema; not taken: temperature",
        ),
        (
            Fake(schema_apis=("responses",)),
            "Responses API, reply bound to the labels by a JSON schema",
        ),
        (Fake(schema_apis=()), "chat completions, reply free, and parsed"),
        (Fake(apis=("chat",), accepts_schema=False), "chat completions, reply free, and parsed"),
        (
            Fake(thinks=True),
            "chat completions, reply bound to the labels by a JSON schema; reasoning effort none",
        ),
    ],
)
def test_best_request_format_that_a_server_accepts_is_used_and_reported(
    tmp_path: Path, fake: Fake, way: str
) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS[:4])
    with Loopback(fake) as server:
        events, judges = ask(db, experiment, [f"openai:one@{server.url}"])
    assert [e.request_format for e in events if isinstance(e, JudgeReady)] == [way]
    with Store(db) as store:
        assert store.count_judged(experiment, judges[0].id) == 4
        assert store.query("SELECT DISTINCT request_format, model FROM judge_replies") == [
            {"request_format": way, "model": "fake-2026-01-01"}
        ]


def test_key_from_the_environment_is_sent_only_to_its_server_and_never_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-very-secret-0123456789"
    monkeypatch.setenv("STEERTUI_JUDGE_KEY", f"127.0.0.1={key}")
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS[:4])
    with Loopback(Fake()) as server:
        ask(db, experiment, [f"openai:one@{server.url}"])
        assert set(server.fake.keys) == {f"Bearer {key}"}
        server.fake.status = 401
        server.fake.error = {"error": {"message": f"Incorrect API key provided: {key}"}}
        with pytest.raises(JudgeError) as caught:
            ask(db, experiment, [f"openai:two@{server.url}"])
    assert "put a valid one into STEERTUI_JUDGE_KEY" in str(caught.value)
    assert key not in str(caught.value)
    for path in tmp_path.iterdir():
        assert key.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (429, {"message": "quota", "code": "insufficient_quota"}, "quota is used up; add credit"),
        (
            404,
            {"message": "The model `one` does not exist", "code": "model_not_found"},
            "the server does not know the model",
        ),
        (400, {"message": "no"}, "does not label the known case"),
    ],
)
def test_errors_of_the_setup_are_raised_before_any_answer_is_judged(
    tmp_path: Path, status: int, error: dict[str, str], message: str
) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS[:4])
    fake = Fake(status=status, error={"error": error})
    options = JudgeServerOptions(timeout=30.0, retries=0)
    with Loopback(fake) as server, pytest.raises(JudgeError, match=message):
        ask(db, experiment, [f"openai:one@{server.url}"], options)
    with pytest.raises(JudgeError, match="no server responds at"):
        ask(db, experiment, [f"openai:one@{server.url}"], options)
    with Store(db) as store:
        assert store.query("SELECT * FROM verdicts") == []


def test_openai_needs_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS[:1])
    with pytest.raises(JudgeError, match="needs a key; put it into OPENAI_API_KEY"):
        ask(db, experiment, ["openai:gpt-5.2"])


def test_cost_limit_is_kept(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS)
    options = JudgeServerOptions(concurrency=4, timeout=30.0, max_cost=0.01, price="1,0.1,10")
    with Loopback(Fake()) as server:
        events, judges = ask(db, experiment, [f"openai:one@{server.url}"], options)
    (stopped,) = [e for e in events if isinstance(e, JudgeStopped)]
    assert "--max-cost 0.01" in stopped.reason
    with Store(db) as store:
        spent = store.judge_cost(judges[0].id)
        assert spent.dollars == pytest.approx(spent.replies * (600 + 400 * 0.1 + 30 * 10) / 1e6)
        assert 0.005 < (spent.dollars or 0) <= 0.01
        assert stopped.left == 60 - store.count_judged(experiment, judges[0].id)


def test_judge_with_failing_replies_is_stopped_early(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS)
    with Loopback(Fake(("wrong label",), failure_share=1.0)) as server:
        events, _ = ask(
            db, experiment, [f"openai:one@{server.url}"], JudgeServerOptions(concurrency=2)
        )
    (stopped,) = [e for e in events if isinstance(e, JudgeStopped)]
    assert "20 of the last 20 replies were failures" in stopped.reason
    assert stopped.left >= 38
    assert [e.dollars for e in events if isinstance(e, JudgeProgress)][-1] == 0.0


def test_stopped_run_stores_requests_in_flight_and_sends_no_more(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS)
    hold = threading.Event()
    with Loopback(Fake(gate=hold)) as server:
        judges = find_judges([f"openai:one@{server.url}"], "steertui", False, OPTIONS)
        options = JudgeServerOptions(concurrency=4)
        with Store(db) as store:
            register_judges(judges, [JudgeDescription()], store)
            events = judge(store, experiment, judges, Overrides(), options)
            threading.Timer(0.5, hold.set).start()
            assert any(isinstance(event, Judged) for event in events)
            events.close()
            assert store.count_judged(experiment, judges[0].id) == len(server.fake.answered) - 1
    assert 1 <= len(server.fake.answered) - 1 <= 60


def test_wrong_label_for_the_known_case_is_reported(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS[:1])
    with Loopback(Fake(reply=lambda _: '{"decision": "nonsensical", "reason": ""}')) as server:
        events, _ = ask(db, experiment, [f"openai:one@{server.url}"])
    assert [e.is_correct for e in events if isinstance(e, JudgeReady)] == [False]
