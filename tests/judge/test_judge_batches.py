"""Batch API: half the price, resumed after a kill, each answer has a label or a failure."""

import os
import signal
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from steertui.errors import JudgeError
from steertui.execution import BatchProgress, JudgeStopped, judge_batches
from steertui.judge.batch import parse_batch_file
from steertui.judge.request_format import RequestFormat
from steertui.planning.judge_cost import estimate_cost
from steertui.planning.judges import JudgeServerOptions, find_judges
from steertui.store import Store
from tests.fixtures.batch_server import BatchFake, BatchLoopback
from tests.fixtures.openai_server import JUDGE_FAILURES, Fake, Loopback, is_known_case
from tests.fixtures.program import start
from tests.fixtures.stored_answers import made_up
from tests.judge.test_server_judges import ANSWERS, ask, check, truth

OPTIONS = JudgeServerOptions(timeout=30.0, batches=True)


def paid(fake: Fake) -> Counter[str]:
    """Return how often each question was answered with a label, without the known case."""
    return Counter({q: n for q, n in fake.answered.items() if not is_known_case(q)})


def test_batch_labels_every_answer_at_half_the_price(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS)
    options = replace(OPTIONS, price="1,0.1,10")
    with BatchLoopback(BatchFake()) as server:
        events, judges = ask(db, experiment, [f"openai:one@{server.url}"], options)
        assert not check(db, experiment, judges, server.fake)
        assert server.fake.batch_sizes == [60]
        assert [e.status for e in events if isinstance(e, BatchProgress)][-1] == "completed"
        whole = find_judges(
            [f"openai:one@{server.url}"], "steertui", False, replace(options, batches=False)
        )
        with Store(db) as store:
            every = store.unjudged_answers(experiment, "nobody")
            assert estimate_cost(judges[0], every) == pytest.approx(
                0.5 * (estimate_cost(whole[0], every) or 0)
            )
            rows = store.query(
                "SELECT request_format, sum(dollars) AS d, count(*) AS n "
                "FROM judge_replies GROUP BY 1"
            )
            assert store.query("SELECT state, requests FROM batches") == [
                {"state": "completed", "requests": 60}
            ]
    one = (600 + 400 * 0.1 + 30 * 10) / 1e6
    found = {row["request_format"].partition(",")[0]: (row["n"], row["d"]) for row in rows}
    assert found["Batch API"] == (60, pytest.approx(60 * one / 2))
    # The schema probe and the known case were not sent in the batch.
    assert found["chat completions"] == (2, pytest.approx(2 * one))


@pytest.mark.parametrize("api", ["responses", "chat"])
def test_failed_requests_are_failures_and_only_they_are_sent_again(
    tmp_path: Path, api: str
) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS)
    with BatchLoopback(BatchFake(JUDGE_FAILURES, apis=(api,))) as server:
        name = f"openai:one@{server.url}"
        _, judges = ask(db, experiment, [name], OPTIONS)
        failures = check(db, experiment, judges, server.fake)
        assert 5 < failures.total() < 35
        assert sum(truth(server.fake, "one").values()) == 60 - failures.total()
        server.fake.failures = ()
        ask(db, experiment, [name], OPTIONS)
        assert server.fake.batch_sizes == [60, failures.total()]
        assert set(paid(server.fake).values()) == {1}
    with Store(db) as store:
        assert store.count_judged(experiment, judges[0].id) == 60


def test_requests_of_an_expired_batch_are_failures_and_sent_again(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS)
    with BatchLoopback(BatchFake(final_status="expired")) as server:
        name = f"openai:one@{server.url}"
        _, judges = ask(db, experiment, [name], OPTIONS)
        failures = check(db, experiment, judges, server.fake)
        assert failures == {
            "the batch reports batch_expired: This request could not be executed in time.": 30
        }
        server.fake.final_status = "completed"
        ask(db, experiment, [name], OPTIONS)
        assert server.fake.batch_sizes == [60, 30]
        assert set(paid(server.fake).values()) == {1}


def test_failed_batch_reports_its_error_and_gives_no_labels(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS[:4])
    with BatchLoopback(BatchFake(final_status="failed")) as server:
        events, judges = ask(db, experiment, [f"openai:one@{server.url}"], OPTIONS)
        (stopped,) = [e for e in events if isinstance(e, JudgeStopped)]
        assert "token_limit_exceeded: too much is enqueued" in stopped.reason
        assert check(db, experiment, judges, server.fake).total() == 4


@pytest.mark.skipif(os.name != "posix", reason="kills")
@pytest.mark.parametrize("moment", ["starting", "waiting"])
def test_batch_is_resumed_after_sigkill_and_nothing_is_paid_twice(
    tmp_path: Path, moment: str
) -> None:
    experiment = made_up(tmp_path / "a.db", ANSWERS)
    hanging = threading.Event() if moment == "starting" else None
    with BatchLoopback(BatchFake(polls=10**6, start_gate=hanging)) as server:
        name = f"openai:one@{server.url}"
        command = ("judge", "a.db", "--no-control", "--judge", name, "--judge-batch")
        process = start(*command, cwd=tmp_path)
        while not any(b["polls"] or hanging for b in server.fake.batches.values()):
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with Store(tmp_path / "a.db") as store:
            (row,) = store.query("SELECT id, state FROM batches")
            assert (row["state"], bool(row["id"])) == (
                ("planned", False) if hanging else ("sent", True)
            )
        # Without --judge-batch its answers are not requested, and a message says so.
        events, judges = ask(tmp_path / "a.db", experiment, [name])
        (stopped,) = [e for e in events if isinstance(e, JudgeStopped)]
        assert "--judge-batch fetches it" in stopped.reason
        assert stopped.left == 60
        if hanging:
            hanging.set()
        server.fake.polls = 2
        ask(tmp_path / "a.db", experiment, [name], OPTIONS)
        assert server.fake.batch_sizes == [60]
        assert not check(tmp_path / "a.db", experiment, judges, server.fake)
        assert set(paid(server.fake).values()) == {1}


def test_planned_batch_that_was_never_created_is_sent(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS)
    with BatchLoopback(BatchFake()) as server:
        name = f"openai:one@{server.url}"
        judges = find_judges([name], "steertui", False, OPTIONS)
        with Store(db) as store:
            keys = [u.key for u in store.unjudged_answers(experiment, judges[0].id)]
            store.add_judge(judges[0].id, judges[0].name, judges[0].settings | {"title": ""})
            store.add_batch(
                "a mark", judges[0].id, experiment, api="responses", request_format="", keys=keys
            )
        with closing(sqlite3.connect(db)) as connection, connection:
            connection.execute("UPDATE batches SET created_at = '2026-01-01T00:00:00.000+00:00'")
        ask(db, experiment, [name], OPTIONS)
        assert server.fake.batch_sizes == [60]
        assert not check(db, experiment, judges, server.fake)


def test_cost_limit_restricts_the_batch(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS)
    options = replace(OPTIONS, max_cost=0.02, price="1,0.1,10")
    with BatchLoopback(BatchFake()) as server:
        events, judges = ask(db, experiment, [f"openai:one@{server.url}"], options)
        (stopped,) = [e for e in events if isinstance(e, JudgeStopped)]
        assert "--max-cost 0.02" in stopped.reason
        assert 5 < server.fake.batch_sizes[0] < 60
        assert stopped.left == 60 - server.fake.batch_sizes[0]
    with Store(db) as store:
        assert 0 < (store.judge_cost(judges[0].id).dollars or 0) <= 0.02


def test_server_without_batch_api_is_an_error(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS[:2])
    with Loopback(Fake()) as server, pytest.raises(JudgeError, match="has no Batch API"):
        ask(db, experiment, [f"openai:one@{server.url}"], OPTIONS)


def test_requests_are_split_into_batches_of_limited_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steertui.execution.judge_batches.MAX_REQUESTS", 25)
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS)
    with BatchLoopback(BatchFake()) as server:
        _, judges = ask(db, experiment, [f"openai:one@{server.url}"], OPTIONS)
        assert server.fake.batch_sizes == [25, 25, 10]
        assert not check(db, experiment, judges, server.fake)


@pytest.mark.parametrize("junk", [[], {"id": "batch_0"}, {"junk": "x" * (17 << 20)}])
def test_polls_that_receive_junk_end_and_the_batch_is_fetched_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, junk: object
) -> None:
    monkeypatch.setattr(judge_batches, "FIRST_POLL", 0.01)
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS)
    with BatchLoopback(BatchFake(junk=junk)) as server:
        name = f"openai:one@{server.url}"
        events, _ = ask(db, experiment, [name], OPTIONS)
        (stopped,) = [e for e in events if isinstance(e, JudgeStopped)]
        assert "8 replies in a row do not give the state of its batch" in stopped.reason
        assert stopped.reason.endswith("the batch continues there, try again")
        assert stopped.left == 60
        server.fake.junk = None
        _, judges = ask(db, experiment, [name], OPTIONS)
        assert server.fake.batch_sizes == [60]
    with Store(db) as store:
        assert store.count_judged(experiment, judges[0].id) == 60


def test_malformed_lines_of_a_batch_file_are_skipped_and_u2028_is_no_line_end() -> None:
    request_format = RequestFormat("chat", True, False)
    line = '{"custom_id": "a", "error": {"code": "x", "message": "one\u2028two"}}'
    text = f"{line}\n\nnonsense\n[]\n" + '{"custom_id": "b", "response": 7}'
    replies = parse_batch_file(text.encode(), request_format)
    assert replies["a"].failure == "the batch reports x: one two"
    assert set(replies) == {"a"}
