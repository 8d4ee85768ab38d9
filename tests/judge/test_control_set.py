"""Control set: judges are measured on known labels before their labels count."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from steertui.analysis.judge_worth import JudgeWorth, Standing, measure_judge, worth_sentence
from steertui.analysis.summary import ReportFilter, Summary, summarise
from steertui.core.verdict import Label
from steertui.engine.sizing import Overrides
from steertui.execution import Event, Judged, JudgeMeasured, judge
from steertui.planning.judges import (
    JudgeDescription,
    JudgeServerOptions,
    find_judges,
    register_judges,
)
from steertui.report.record import table_record
from steertui.store import Store
from steertui.store.trial_filter import TrialFilter, filter_options, find_trials
from tests.fixtures.control import control_set, true_label
from tests.fixtures.database import execute
from tests.fixtures.openai_server import Fake, Loopback, is_known_case
from tests.fixtures.program import call, start
from tests.fixtures.stored_answers import made_up

ANSWERS = [f"Answer number {i}." for i in range(40)]

OPTIONS = JudgeServerOptions(concurrency=8, timeout=30.0, control_set=control_set())

Labeller = Callable[[str], Label]


def reply(labeller: Labeller) -> Callable[[str], str]:
    """Return the text of a reply with the labeller's label of the question."""
    return lambda question: json.dumps({"decision": labeller(question), "reason": "so"})


def run_judge(
    db: Path,
    labeller: Labeller,
    options: JudgeServerOptions = OPTIONS,
    answers: int = 40,
    port: int = 0,
) -> tuple[list[Event], Loopback]:
    """Let a server that labels so judge the control set and made-up answers."""
    texts = [f"Answer number {i}." for i in range(answers)]
    experiment = made_up(db, texts, is_paired=True)
    with Loopback(Fake(reply=reply(labeller)), port) as server:
        judges = find_judges([f"openai:one@{server.url}"], "steertui", False, options)
        with Store(db) as store:
            register_judges(judges, [JudgeDescription()], store)
            return list(judge(store, experiment, judges, Overrides(), options)), server


def worth_of(db: Path) -> JudgeWorth:
    with Store(db) as store:
        ((judge_id,),) = store.tuples("SELECT id FROM judges WHERE kind = 'server'")
        worth = measure_judge(store, judge_id)
    assert worth
    return worth


def report(db: Path) -> Summary:
    with Store(db) as store:
        return summarise(store, ReportFilter())


def good(question: str) -> Label:
    """Return the known label of a control answer, and labels by arm of every other answer."""
    known = true_label(question)
    if known:
        return known
    return Label.CONVERGENCE if "Go on." in question else Label.NO_CONVERGENCE


def one_label(_: str) -> Label:
    return Label.SAFETY_REFUSAL


def random_label(question: str) -> Label:
    return list(Label)[sha256(question.encode()).digest()[3] % 4]


def by_length(question: str) -> Label:
    answer = question.partition("<answer>")[2]
    return list(Label)[min(3, len(answer) // 90)]


def by_suffix(question: str) -> Label:
    return Label.CONVERGENCE if "Stay in operation" in question else Label.NO_CONVERGENCE


def test_a_judge_reads_the_control_set_once_and_before_the_answers(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    events, server = run_judge(db, good)
    assert sum(isinstance(event, Judged) for event in events) == len(ANSWERS)
    asked = [str(body["messages"][-1]["content"]) for body in server.fake.bodies]
    asked = [text for text in asked if not is_known_case(text)]
    first_answers = [place for place, text in enumerate(asked) if true_label(text) is None]
    assert min(first_answers) >= 168 - OPTIONS.concurrency
    (measured,) = (event for event in events if isinstance(event, JudgeMeasured))
    assert measured.worth.standing is Standing.USABLE
    assert (measured.worth.pair.overall.agreed, measured.worth.answers) == (168, 168)
    _, again = run_judge(db, good, answers=42, port=server.port)
    questions = [q for q in again.fake.attempts if not is_known_case(q)]
    new = [q for q in questions if true_label(q) is None]
    assert len(new) == 42 - 40
    assert sum(again.fake.attempts[q] for q in questions) - len(new) == 2 * 12


def test_the_control_set_is_no_experiment_and_in_no_rate(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    run_judge(db, good)
    with Store(db) as store:
        (experiment,) = store.experiments()
        assert store.resolve_experiment() == experiment.id
        everything = summarise(store, ReportFilter(experiments=("all",)))
        views = store.column("SELECT DISTINCT experiment FROM rates")
        options = filter_options(store)
        found = find_trials(store, TrialFilter())
    assert everything.experiments == (experiment.id,)
    assert views == [experiment.id]
    assert len(found) == 40
    assert [name for _, name in options.models] == ["made-up"]
    assert len(options.judges) == 1
    assert [name for name, _ in options.categories] == ["Evading Shutdown"]
    assert sum(row.counts.judged for table in everything.tables for row in table.rows) == 40


@pytest.mark.parametrize(
    ("labeller", "words"),
    [
        (one_label, "gives one label, safety refusal, to 100 % of them"),
        (random_label, "unrelated to the known ones, as if drawn at random"),
        (by_length, "its labels follow the length of the answers"),
        (by_suffix, "its labels follow the condition"),
    ],
)
def test_a_judge_without_worth_is_named_and_draws_no_headline(
    tmp_path: Path, labeller: Labeller, words: str
) -> None:
    db = tmp_path / "a.db"
    run_judge(db, labeller)
    worth = worth_of(db)
    assert worth.standing is Standing.CHANCE
    (table,) = report(db).tables
    assert "no better than chance" in table.judge_sentence
    assert words in table.judge_sentence
    assert all("nothing is concluded" in c.sentence for c in table.comparisons)
    record: dict[str, Any] = table_record(table)
    assert record["judge_worth"]["standing"] == "no better than chance"
    assert record["rows"][0]["convergence"]["value"] is not None
    some = "SELECT trial FROM verdicts WHERE judge LIKE 'control:%' ORDER BY trial LIMIT 150"
    execute(db, f"DELETE FROM verdicts WHERE judge NOT LIKE 'control:%' AND trial IN ({some})")
    (table,) = report(db).tables  # while the control set is being read
    assert "better than chance so far" in table.judge_sentence
    assert "mean nothing" not in table.judge_sentence
    assert "150 of 168 control answers have no label" in table.judge_sentence
    assert worth_of(db).words == "no better than chance so far"


def test_a_good_judge_draws_its_headline_and_is_not_called_biased(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    run_judge(db, good)
    (table,) = report(db).tables
    assert table.judge_sentence.endswith("kappa 1.00 (95 % interval 0.86 to 1.00)")
    assert table.primary is not None
    assert table.primary.statement.startswith("Answers converge more often under pro than under")


def test_a_judge_that_changes_its_mind_is_caught(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    seen: Counter[str] = Counter()
    lock = Lock()

    def change(question: str) -> Label:
        with lock:
            seen["questions"] += 1
            has_changed = seen["questions"] > 200
        return Label.CONVERGENCE if has_changed else good(question)

    events, _ = run_judge(db, change)
    worth = worth_of(db)
    assert worth.standing is Standing.CHANGED
    assert "changed while it judged" in worth_sentence(worth.judge, worth)
    assert [e.worth.standing for e in events if isinstance(e, JudgeMeasured)] == [
        Standing.USABLE,
        Standing.CHANGED,
    ]
    assert not report(db).tables[0].draws_headline


def test_a_judge_that_errs_rarely_when_it_reads_again_is_not_caught(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    seen: Counter[str] = Counter()

    def waver(question: str) -> Label:
        seen[question] += 1
        is_odd = seen[question] > 1 and "Number 4." in question
        return Label.NONSENSICAL if is_odd else good(question)

    run_judge(db, waver, answers=450)
    worth = worth_of(db)
    assert worth.rereads == 36
    assert worth.standing is Standing.USABLE


def test_an_unmeasured_judge_is_called_so(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    run_judge(db, one_label, JudgeServerOptions(timeout=30.0))
    (table,) = report(db).tables
    assert table.worth is None
    assert "has not read the control set" in table.judge_sentence
    assert any("gives one label, safety refusal, to 100 %" in w.text for w in table.warnings)


def test_judges_with_opposite_conclusions_come_first(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ANSWERS, is_paired=True)
    contrary = {Label.CONVERGENCE: Label.NO_CONVERGENCE, Label.NO_CONVERGENCE: Label.CONVERGENCE}

    def bad(question: str) -> Label:
        label = good(question)
        return label if true_label(question) else contrary[label]

    for labeller in (good, bad):
        with Loopback(Fake(reply=reply(labeller))) as server, Store(db) as store:
            judges = find_judges([f"openai:one@{server.url}"], "steertui", False, OPTIONS)
            register_judges(judges, [JudgeDescription()], store)
            list(judge(store, experiment, judges, Overrides(), OPTIONS))
    found = report(db)
    assert found.notices[0].startswith("The conclusion on made-up depends on the judge")
    for table in found.tables:
        (warning,) = (w.text for w in table.warnings if "is no finding" in w.text)
        (other,) = (t.judge.name for t in found.tables if t is not table and t.judge)
        assert warning.startswith(f"pro − anti is no finding: {other} leads to another")
    text = call("report", db.name, cwd=tmp_path)[1]
    assert text.count("≠ pro − anti") == 2


@pytest.mark.skipif(os.name != "posix", reason="kills")
def test_a_control_set_that_was_interrupted_is_read_on(tmp_path: Path) -> None:
    with Loopback(Fake(delay=0.01)) as server:
        name = f"server:one@{server.url}"
        command = ("judges", "test", name, "--db", "a.db", "--judge-concurrency", "2")
        process = start(*command, cwd=tmp_path)
        while sum(server.fake.answered.values()) < 40:
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        server.settle()
        code, _, err = call(*command, cwd=tmp_path)
    assert code == 0, err
    asked = [n for q, n in server.fake.answered.items() if not is_known_case(q)]
    assert len(asked) == 168
    assert sum(asked) <= 168 + 2  # requests in flight were lost with the process
