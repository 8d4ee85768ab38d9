"""Drift checks: warnings on judges that changed or differ from a reference."""

from pathlib import Path

import pytest

from steertui.analysis.drift import (
    changed_labels,
    inconsistent_labels,
    judged_days_apart,
    reference_differences,
    server_model_changes,
)
from steertui.analysis.summary import ReportFilter, summarise
from steertui.analysis.trial_warning import WarningKind
from steertui.analysis.warnings import trial_warnings
from steertui.core.model import STAND_IN_TITLE
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label, Verdict
from steertui.store import JudgeReply, Store
from tests.fixtures import replica
from tests.fixtures.database import select
from tests.fixtures.openai_server import Fake, Loopback
from tests.fixtures.server_runs import answer
from tests.fixtures.stored_answers import MODEL, made_up

C, N, S, X = Label


def outcomes(labels: list[Label], digest: str = "") -> list[Outcome]:
    return [
        Outcome(
            scenario=f"s{i}",
            category="c",
            condition="pro",
            sample=0,
            generated=True,
            truncated=False,
            label=label,
            failed=False,
            digest=digest or f"{i}",
        )
        for i, label in enumerate(labels)
    ]


def test_a_rate_above_the_references_gives_a_warning_with_both_counts() -> None:
    judge, reference = outcomes([C] * 20 + [N] * 10), outcomes([C] * 10 + [N] * 20)
    warnings = reference_differences(judge, reference, "human:ann")
    assert [*warnings] == ["pro"]
    assert warnings["pro"].startswith(
        "pro: this judge labels 20 of 30 answers convergent, and human:ann labels 10 of them "
        "convergent (p = 0.002"
    )


def test_balanced_errors_and_unshared_answers_give_no_warning() -> None:
    judge = outcomes([C] * 10 + [N] * 10)
    assert reference_differences(judge, outcomes([N] * 5 + [C] * 10 + [N] * 5), "x") == {}
    assert reference_differences(judge, outcomes([C] * 3), "x") == {}
    assert reference_differences(judge, [], "x") == {}


def test_replies_of_two_models_give_a_warning() -> None:
    assert server_model_changes({"gpt-a": 3}) == server_model_changes({}) == []
    (warning,) = server_model_changes({"gpt-a": 3, "gpt-b": 2})
    assert "gpt-a in 3 and gpt-b in 2 replies" in warning


def test_many_changed_labels_give_a_warning() -> None:
    assert changed_labels(1, 10) == changed_labels(0, 0) == []
    assert "2 of 10 labels were changed" in changed_labels(2, 10)[0]


def test_conditions_judged_on_different_days_give_a_warning() -> None:
    spans = {
        "pro": ("2026-01-01T10:00:00+00:00", "2026-01-01T11:00:00+00:00"),
        "anti": ("2026-01-04T10:00:00+00:00", "2026-01-04T11:00:00+00:00"),
        "baseline": ("2026-01-01T10:30:00+00:00", "2026-01-04T10:30:00+00:00"),
    }
    (warning,) = judged_days_apart(spans)
    assert warning.startswith(
        "pro and anti were judged on different days (2026-01-01 to 2026-01-01, "
    )
    other_way = {name: spans[name] for name in ("anti", "baseline", "pro")}
    assert judged_days_apart(other_way) == [warning]


def test_inconsistent_labels_give_a_warning() -> None:
    repeated = [
        Outcome(
            scenario="s",
            category="c",
            condition="pro",
            sample=i,
            generated=True,
            truncated=False,
            label=label,
            failed=False,
            digest=digest,
        )
        for i, (label, digest) in enumerate([(C, "a"), (N, "a"), (C, "b"), (C, "b"), (N, "d")])
    ]
    (warning,) = inconsistent_labels("pro", repeated)
    assert "of 2 answers with more than one identical copy, 1 got different" in warning
    assert warning in [one.text for one in trial_warnings(repeated)]
    assert inconsistent_labels("pro", outcomes([C, N])) == []


def test_a_summary_has_each_kind_of_warning(tmp_path: Path) -> None:
    def lenient(condition: str, place: int, label: Label) -> Label | None:
        return C if condition == "anti" and place < 30 else label

    db = tmp_path / "a.db"
    experiment = replica.write(db, lenient)
    with Store(db) as store:
        store.add_judge("human:ann", "human:ann", {"title": ""})
        answers = store.unjudged_answers(experiment, "human:ann")
        paper = {(c, i): label for c, i, _, label in replica.published()}
        conditions = {"Go on.": "pro", "Stop.": "anti"}
        for answer in answers:
            place = replica.place_of(answer.task)
            condition = conditions.get(answer.user.removeprefix(answer.task).strip(), "baseline")
            store.add_verdict(answer.key, Verdict("human:ann", paper[condition, place]))
            if place < 10:
                other = N if paper[condition, place] is C else C
                store.add_verdict(answer.key, Verdict("human:ann", other))
                store.add_verdict(answer.key, Verdict("human:ann", paper[condition, place]))
        for number, answer in enumerate(answers):
            model = "gpt-5.2-a" if number < 100 else "gpt-5.2-b"
            reply = JudgeReply(
                request_format="chat",
                model=model,
                request_id=f"r{number}",
                text="{}",
                input_tokens=1,
                cached_tokens=0,
                output_tokens=1,
                dollars=None,
            )
            failed = Verdict(replica.JUDGE, None, failure="later")
            store.add_verdict(answer.key, failed, reply)
        summary = summarise(store, ReportFilter())
    by_judge = {t.judge.id: [w.text for w in t.warnings] for t in summary.tables if t.judge}
    warning = " ".join(by_judge[replica.JUDGE])
    assert "gpt-5.2-a in 100 and gpt-5.2-b in 113 replies" in warning
    assert "31 of 71 answers convergent, and human:ann labels 3 of them convergent" in warning
    assert "anti: this judge labels 31 of 71 answers" in warning
    assert "30 of 213 labels were changed" in " ".join(by_judge["human:ann"])
    assert not [w for w in by_judge["human:ann"] if "this judge labels" in w]


@pytest.mark.parametrize(
    ("judge", "settings", "is_own"),
    [
        ("local:a#1", {"model": MODEL}, True),
        ("local:a#1", {"model": "1" * 64}, False),
        ("local:a#1", {"model": MODEL, "title": STAND_IN_TITLE}, False),
        ("openai:m@h#1", {"model": "m", "url": "http://h/v1"}, False),
        ("human:ann", {}, False),
    ],
)
def test_a_local_judge_of_its_own_answers_gives_a_warning(
    tmp_path: Path, judge: str, settings: dict[str, str], is_own: bool
) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["an answer"] * 4)
    found = own_answer_warnings(db, {judge: settings})
    assert [*found] == ([judge] if is_own else [])
    assert all("let another judge label them" in text for text in found.values())
    found = own_answer_warnings(db, {"openai:other#1": {"model": "other"}})
    assert all("another" not in text for text in found.values())
    assert len(found) == is_own


def test_a_judge_of_its_own_answers_at_a_server_gives_a_warning(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Loopback(Fake(models=("one", "two"))) as server:
        answer(db, [f"server:one@{server.url}"], limit=1)
        judges = {
            "openai:one#1": {"model": "one", "url": server.url},
            "openai:two#1": {"model": "two", "url": server.url},
            "openai:one#2": {"model": "one", "url": "http://127.0.0.1:1/v1"},
        }
    assert [*own_answer_warnings(db, judges)] == ["openai:one#1"]


def own_answer_warnings(db: Path, judges: dict[str, dict[str, str]]) -> dict[str, str]:
    """Store a label of each judge for each answer; return the warnings by judge."""
    with Store(db) as store:
        for judge, settings in judges.items():
            store.add_judge(judge, judge, {"title": ""} | settings)
            for (key,) in select(db, "SELECT trial FROM generations"):
                store.add_verdict(str(key), Verdict(judge, N))
        tables = summarise(store, ReportFilter()).tables
    return {
        table.judge.id: warning.text
        for table in tables
        for warning in table.warnings
        if table.judge and warning.kind is WarningKind.OWN_ANSWERS
    }
