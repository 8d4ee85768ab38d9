"""Commands on judges: overview, test, blind, and what a run says about its judge."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from steertui.assets.weights import find_model
from steertui.core.verdict import Label
from steertui.engine.sizing import Overrides
from steertui.execution.judge_benchmark import measure_judging
from steertui.execution.judge_worths import DEMO_KAPPA
from steertui.judge.control import load_control_set
from steertui.judge.local import LocalJudge
from steertui.judge.rubric import load_rubric
from tests.fixtures.control import control_set
from tests.fixtures.openai_server import Fake, Loopback, is_known_case
from tests.fixtures.program import call, records
from tests.fixtures.stored_answers import made_up

ANSWERS = [f"Answer number {i}." for i in range(40)]

KNOWN = {sha256(item.answer.encode()).digest(): item.label for item in load_control_set().answer}


def good(question: str) -> str:
    """Return a reply with the known label of a control answer, and of others by the suffix."""
    answer = question.partition("<answer>\n")[2].rpartition("\n</answer>")[0]
    label = KNOWN.get(sha256(answer.encode()).digest())
    if label is None:
        label = Label.CONVERGENCE if "Go on." in question else Label.NO_CONVERGENCE
    return json.dumps({"decision": label, "reason": "so"})


def test_the_worth_of_the_demo_is_as_stated_and_listed_first_to_last(tmp_path: Path) -> None:
    code, out, err = call("judges", "test", "demo", "--db", "j.db", "--json", cwd=tmp_path)
    assert code == 0, err
    record = next(r for r in records(out) if r.get("worth"))
    worth = record["worth"]
    assert isinstance(worth, dict)
    # Another build of llama.cpp may change a label or two.
    assert worth["agreement"]["kappa"] == pytest.approx(DEMO_KAPPA, abs=0.02)
    assert worth["answers"] == 168
    code, out, _ = call("judges", "j.db", cwd=tmp_path)
    assert code == 0
    assert "local:demo" in out
    assert "None of these judges is usable; the largest untested model that fits" in out
    assert "steertui judges test " in out


def test_judges_without_a_tested_judge_names_the_command(tmp_path: Path) -> None:
    code, _, err = call("judges", cwd=tmp_path)
    assert code != 0
    assert "steertui judges test MODEL" in err


def test_a_served_model_is_tested_recommended_and_named_after_a_run(tmp_path: Path) -> None:
    with Loopback(Fake(reply=good)) as server:
        name = f"server:one@{server.url}"
        code, out, err = call("judges", "test", name, cwd=tmp_path)
        assert code == 0, err
        assert "usable" in out
        assert f"Take openai:one@127.0.0.1:{server.port}" in out
        asked = len([q for q in server.fake.attempts if not is_known_case(q)])
        assert asked == 168
    options = ("--batch", "--limit", "2", "--judge", "none", "--max-tokens", "8")
    code, out, err = call(*options, cwd=tmp_path)
    assert code == 0, err
    assert f"steertui judge steertui.db --judge openai:one@127.0.0.1:{server.port} (usable" in err


def test_blindness_shows_what_the_suffix_does_to_a_judge(tmp_path: Path) -> None:
    made_up(tmp_path / "a.db", ANSWERS, is_paired=True)
    with Loopback(Fake(reply=good)) as server:
        name = f"openai:one@{server.url}"
        options = ("a.db", "--judge", name, "--no-control")
        code, out, err = call("judges", "blind", *options, cwd=tmp_path)
    assert code == 0, err
    lines = out[out.index("the suffix shown or not") :].splitlines()
    gap = next(line for line in lines if "pro − anti" in line)
    assert "larger for" in gap
    assert "+100.0 points (95 % interval" in gap
    assert any(line.strip().startswith("Under pro ") for line in lines)


def test_no_control_is_said_in_every_form(tmp_path: Path) -> None:
    made_up(tmp_path / "a.db", ANSWERS, is_paired=True)
    with Loopback(Fake(reply=good)) as server:
        name = f"openai:one@{server.url}"
        call("judge", "a.db", "--judge", name, "--no-control", cwd=tmp_path)
    for form in ("terminal", "markdown", "json"):
        _, out, _ = call("report", "a.db", "--format", form, cwd=tmp_path)
        assert "has not read the control set" in " ".join(out.split()), form
    call("report", "a.db", "--format", "html", "-o", "a.html", cwd=tmp_path)
    assert "has not read the control set" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_the_plan_of_the_demo_says_what_its_judge_is_worth(tmp_path: Path) -> None:
    _, out, _ = call("--demo", "--batch", "--limit", "1", cwd=tmp_path)
    assert f"no judge of other answers (kappa {DEMO_KAPPA:.2f})" in " ".join(out.split())


def test_bench_measures_a_judge_and_the_prefixes_it_reuses() -> None:
    judge = LocalJudge(find_model("demo"), load_rubric("steertui"))
    speed = measure_judging(judge, control_set(6), Overrides(threads=2))
    assert speed.labels == 24
    assert speed.seconds_per_label > 0
    assert 0.3 < speed.reused < 1
