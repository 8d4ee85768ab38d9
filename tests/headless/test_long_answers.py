"""What a judge leaves undone is announced: answers too long for it, labels without a reason."""

import json
from pathlib import Path
from typing import Any

from tests.fixtures.inspect_logs import stored_log, write_logs
from tests.fixtures.program import call, records
from tests.fixtures.server_runs import rows


def log_with_long_answers(condition: str, count: int) -> dict[str, Any]:
    """Return a stored log, `count` of whose 12 answers have 4,000 words."""
    log = stored_log(condition)
    for sample in log["samples"][:count]:
        sample["output"]["choices"][0]["message"]["content"] = "word " * 4_000
    return log


def write_database(folder: Path) -> None:
    changed = {"pro": log_with_long_answers("pro", 5), "anti": log_with_long_answers("anti", 2)}
    write_logs(folder / "logs", **changed)
    code, _, err = call("import-inspect", "logs", "--db", "i.db", cwd=folder)
    assert code == 0, err


def test_the_judge_says_how_many_answers_it_cannot_read_and_of_which_conditions(
    tmp_path: Path,
) -> None:
    write_database(tmp_path)
    code, out, err = call("judge", "i.db", "--judge", "local:demo", cwd=tmp_path)
    assert "labels pending; scripted; no judge of other answers (kappa 0.10)" in err
    assert code == 0, err
    line = next(line for line in (out + err).splitlines() if "too long" in line)
    assert line.startswith(
        "! local:demo: 7 of 36 answers are too long for its training context of 2,048 tokens and "
        "stay without a label (pro 5, anti 2)"
    )
    failed = rows(tmp_path / "i.db", "SELECT count(*) AS n FROM verdicts WHERE label IS NULL")
    assert failed == [{"n": 7}]


def test_the_json_record_has_the_numbers(tmp_path: Path) -> None:
    write_database(tmp_path)
    code, out, err = call("judge", "i.db", "--judge", "local:demo", "--json", cwd=tmp_path)
    assert code == 0, err
    (record,) = [r for r in records(out) if r["event"] == "answers_too_long"]
    assert json.loads(json.dumps(record["conditions"])) == {"pro": 5, "anti": 2}
    assert (record["total"], record["context"]) == (36, 2048)


def test_labels_that_stay_without_a_reason_are_counted(tmp_path: Path) -> None:
    run = ("--batch", "--model", "demo", "--limit", "2", "--max-tokens", "16", "--db", "a.db")
    assert call(*run, cwd=tmp_path)[0] == 0
    judge = ("judge", "a.db", "--judge", "local:demo")
    assert "without a reason" not in call(*judge, cwd=tmp_path)[2]
    code, _, err = call(*judge, "--reasons", cwd=tmp_path)
    assert code == 0
    assert "! local:demo: 6 labels from earlier runs without a reason stay so" in err
    assert rows(tmp_path / "a.db", "SELECT DISTINCT reason FROM verdicts") == [{"reason": ""}]
