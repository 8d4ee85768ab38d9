"""Reuse of answers that another limit or seed would not change, and the dry run with reasons."""

import json
import shutil
from pathlib import Path

import pytest

from tests.fixtures.database import execute, select
from tests.fixtures.program import call, records

RUN = ("--demo", "--limit", "8", "--conditions", "baseline,pro", "--db", "a.db", "--no-control")
ANSWERS = """SELECT t.scenario, t.condition, json_extract(t.sampling, '$.max_tokens'),
    json_extract(t.sampling, '$.seed'), g.stop, g.tokens, g.text, g.id, g.run
    FROM trials AS t LEFT JOIN generations AS g ON g.trial = t.key
    JOIN models AS m ON m.sha256 = t.model WHERE m.backend = 'gguf'"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A greedy run of at most 40 new tokens, some of whose answers are truncated."""
    folder = tmp_path_factory.mktemp("reuse")
    code, _, err = call("--batch", *RUN, "--max-tokens", "40", "--deterministic", cwd=folder)
    assert code == 0, err
    stops = [row[4] for row in select(folder / "a.db", ANSWERS)]
    assert len(stops) == 16
    assert set(stops) == {"stop", "length"}
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A folder with a copy of the run."""
    shutil.copy(made / "a.db", tmp_path)
    return tmp_path


def plan(folder: Path, *options: str) -> dict[str, object]:
    before = select(folder / "a.db", "SELECT count(*) FROM trials, generations")
    code, out, err = call(*RUN, *options, "--plan", "--json", cwd=folder)
    assert (code, err) == (0, "")
    assert select(folder / "a.db", "SELECT count(*) FROM trials, generations") == before
    (record,) = records(out)
    return record


@pytest.mark.slow
def test_answers_that_ended_below_both_limits_are_reused_with_their_labels(run: Path) -> None:
    before = {row[:2]: row for row in select(run / "a.db", ANSWERS)}
    ended = {place for place, row in before.items() if row[4] == "stop"}
    expected = plan(run, "--max-tokens", "60")
    assert (expected["answered"], expected["reused"]) == (len(ended), len(ended))
    assert expected["reasons"] == [["changed setting max_tokens 40 → 60", 16 - len(ended)]]
    judges = expected["judges"]
    assert isinstance(judges, list)
    assert [judge["unjudged"] for judge in judges] == [16 - len(ended)]
    options = ("--max-tokens", "60", "--deterministic", "--json")
    code, out, err = call("--batch", *RUN, *options, cwd=run)
    assert code == 0, err
    planned = next(r for r in records(out) if r["event"] == "planned")
    assert (planned["answered"], planned["reused"]) == (len(ended), len(ended))
    assert sum(r["event"] == "judged" for r in records(out)) == 16 - len(ended)
    after = {row[:2]: row for row in select(run / "a.db", ANSWERS) if row[2] == 60}
    for place, row in after.items():
        if place in ended:
            assert row[4:7] == before[place][4:7]
            assert row[8] == before[place][8]
        else:
            assert str(row[6]).startswith(str(before[place][6]))


@pytest.mark.slow
def test_reused_answers_equal_those_of_a_run_of_its_own(run: Path, tmp_path: Path) -> None:
    for db in ("a.db", "fresh.db"):
        options = ("--max-tokens", "60", "--deterministic")
        code, _, err = call("--batch", *RUN[:-3], "--db", db, "--no-control", *options, cwd=run)
        assert code == 0, err
    texts = [
        sorted(str(row[:2] + row[4:7]) for row in select(run / db, ANSWERS) if row[2] == 60)
        for db in ("a.db", "fresh.db")
    ]
    assert texts[0] == texts[1]
    labels = """SELECT t.key, v.label, v.p_convergence FROM trials AS t JOIN verdicts AS v
        ON v.trial = t.key WHERE json_extract(t.sampling, '$.max_tokens') = 60 ORDER BY t.key"""
    ours, theirs = (select(run / db, labels) for db in ("a.db", "fresh.db"))
    assert [row[:2] for row in ours] == [row[:2] for row in theirs]
    assert [row[2] for row in ours] == pytest.approx([row[2] for row in theirs], abs=0.05)


def test_a_greedy_answer_does_not_depend_on_the_seed_or_the_filters(run: Path) -> None:
    for option in (("--seed", "7"), ("--top-p", "0.5", "--min-p", "0.1")):
        found = plan(run, "--max-tokens", "40", *option)
        assert (found["answered"], found["reused"], found["reasons"]) == (16, 16, [])
    code, out, err = call("--batch", *RUN, "--max-tokens", "40", "--seed", "7", "--json", cwd=run)
    assert code == 0, err
    events = [record["event"] for record in records(out)]
    assert "answered" not in events
    assert "judged" not in events


@pytest.mark.parametrize(
    ("options", "reasons"),
    [
        (("--max-tokens", "5"), {"changed setting max_tokens 40 → 5": 16}),
        (("--repetition-penalty", "1.1"), {"changed setting repetition_penalty 1.0 → 1.1": 16}),
        (("--stop-tokens", "eos"), {"changed setting end any → eos": 16}),
        (("--temperature", "0.7"), {"changed setting temperature 0.0 → 0.7": 16}),
        (("--template", "llama3"), {"changed prompt: a text, the template or thinking": 16}),
        (("--conditions", "pro,anti"), {"new condition: anti": 8}),
        (("--limit", "10"), {"new scenario": 4}),
    ],
)
def test_what_changes_an_answer_is_computed_again_with_its_reason(
    run: Path, options: tuple[str, ...], reasons: dict[str, int]
) -> None:
    limit = () if "--max-tokens" in options else ("--max-tokens", "40")
    found = plan(run, *limit, *options)
    listed = found["reasons"]
    assert isinstance(listed, list)
    counts = {str(text): count for text, count in listed}
    if "--limit" in options:
        ((text, count),) = counts.items()
        assert (text.startswith("new scenario: starter/"), count) == (True, 4)
    else:
        assert counts == reasons
    assert found["reused"] == 0


def test_samples_above_temperature_0_are_not_reused(tmp_path: Path) -> None:
    sampled = ("--temperature", "0.7", "--samples", "2")
    assert call("--batch", *RUN, *sampled, "--max-tokens", "40", cwd=tmp_path)[0] == 0
    found = plan(tmp_path, *sampled, "--max-tokens", "60")
    assert (found["answered"], found["reused"]) == (0, 0)
    sampled = ("--temperature", "0.7", "--samples", "3")
    more = plan(tmp_path, *sampled, "--max-tokens", "40")
    assert more["reasons"] == [["another sample", 16]]


def test_a_persons_labels_are_not_copied(run: Path) -> None:
    (key,) = select(run / "a.db", "SELECT trial FROM generations WHERE stop = 'stop' LIMIT 1")
    execute(
        run / "a.db",
        """INSERT INTO judges (id, name, settings, kind, rubric_sha256)
        VALUES ('human:ann', 'human:ann', '{"title": "ann"}', 'human', '')""",
    )
    execute(
        run / "a.db",
        """INSERT INTO verdicts (trial, judge, label, failure, reason, seconds, created_at)
        VALUES (?, 'human:ann', 'convergence', '', '', 0, '2026-01-01T00:00:00+00:00')""",
        key,
    )
    assert call("--batch", *RUN, "--max-tokens", "60", cwd=run)[0] == 0
    people = "SELECT count(*) FROM verdicts WHERE judge = 'human:ann'"
    assert select(run / "a.db", people) == [(1,)]


def test_trials_that_failed_or_were_only_planned_say_so(run: Path) -> None:
    execute(
        run / "a.db",
        """DELETE FROM verdicts WHERE trial IN
        (SELECT trial FROM generations WHERE id <= 3)""",
    )
    execute(
        run / "a.db",
        """INSERT INTO failures (trial, run, reason, created_at)
        SELECT trial, run, 'lost', created_at FROM generations WHERE id = 1""",
    )
    execute(run / "a.db", "DELETE FROM generations WHERE id <= 3")
    reasons = plan(run, "--max-tokens", "40")["reasons"]
    assert isinstance(reasons, list)
    assert dict(map(tuple, reasons)) == {"failed before": 1, "planned before, not answered": 2}


def test_a_dry_run_needs_no_weights_no_network_and_no_database(tmp_path: Path) -> None:
    code, out, err = call(
        "--plan", "--model", "Qwen3-0.6B", "--limit", "2", "--judge", "openai:gpt-5.2", cwd=tmp_path
    )
    assert (code, err) == (0, "")
    assert "Fetch   397 MB: Qwen3-0.6B (model, 397 MB)" in out
    assert "unknown: prompts cannot be rendered before weights" in out
    assert "gpt-5.2: 6 labels pending and 168 control answers" in out
    assert [file.name for file in tmp_path.iterdir()] == []
    file = tmp_path / "received.toml"
    file.write_text(
        'models = ["Qwen3-0.6B"]\njudges = ["openai:j@http://10.0.0.1/v1"]\nlimit = 2\n'
    )
    code, out, err = call("--plan", "--experiment", file.name, cwd=tmp_path)
    assert code == 0, err
    assert "Consent a run contacts http://10.0.0.1/v1 (judge j)" in out
    code, out, err = call("--plan", "--preset", "quick", cwd=tmp_path)
    assert (code, "Trials  unknown before these texts" in out) == (0, True)
    code, out, err = call("--plan", "--conditions", "nothing", cwd=tmp_path)
    assert (code, out, "nothing: no such condition" in err) == (1, "", True)
    assert json.loads(call("--plan", "--demo", "--json", cwd=tmp_path)[1])["answered"] == 0
