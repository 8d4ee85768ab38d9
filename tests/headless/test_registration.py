"""Preregistration: the stored plan, its hash, and what the report says about it later."""

import json
import sqlite3
from hashlib import sha256
from pathlib import Path

from tests.fixtures.program import call

SHORT = ("--limit", "6", "--max-tokens", "24", "--db", "a.db")


def declared(cwd: Path) -> dict[str, object]:
    found = json.loads(call("report", "a.db", "--format", "json", cwd=cwd)[1])
    (declaration,) = found["declarations"]
    assert isinstance(declaration, dict)
    return declaration


def test_a_preregistration_has_the_plans_hash_and_the_report_refers_to_it(tmp_path: Path) -> None:
    code, out, err = call(*SHORT, "--register", "plan.md", cwd=tmp_path)
    assert (code, out) == (0, "")
    text = (tmp_path / "plan.md").read_text(encoding="utf-8")
    with sqlite3.connect(tmp_path / "a.db") as db:
        keys = [key for (key,) in db.execute("SELECT trial FROM experiment_trials ORDER BY place")]
        ((toml,),) = db.execute("SELECT toml FROM experiment_plans")
        assert db.execute("SELECT count(*) FROM generations").fetchone() == (0,)
    digest = sha256("\0".join([*keys, toml]).encode()).hexdigest()
    assert digest in err
    assert f"- plan: `{digest}`" in text
    assert toml in text
    assert "| pro − anti | primary, 5 % |" in text
    assert "- trials: 18" in text
    assert "no preregistration" not in text
    code, out, err = call("--batch", *SHORT, cwd=tmp_path)
    assert code == 0, err
    assert f"before the first answer (plan {digest[:12]})" in " ".join(out.split())
    later = "is not that of the plan, whose rates exclude nonsensical answers alone (policy paper)"
    assert "(policy `paper`)" in text
    assert later not in " ".join(out.split())
    for form in ((), ("--format", "markdown"), ("--format", "json")):
        out = call("report", "a.db", "--policy", "exclude-refusals", *form, cwd=tmp_path)[1]
        assert later in " ".join(out.replace("\\", "").split()), form
    assert declared(tmp_path)["digest"] == digest
    assert declared(tmp_path)["answers_before"] == 0


def test_an_analysis_that_is_changed_after_answers_is_called_so(tmp_path: Path) -> None:
    assert call("--batch", *SHORT, cwd=tmp_path)[0] == 0
    (tmp_path / "e.toml").write_text('[analysis]\nprimary = ["pro", "baseline"]\n')
    code, _, err = call("--experiment", "e.toml", *SHORT, "--register", "late.md", cwd=tmp_path)
    assert code == 0, err
    late = (tmp_path / "late.md").read_text(encoding="utf-8")
    assert "**18 answers of this experiment had been stored by then" in late
    text = " ".join(call("report", "a.db", cwd=tmp_path)[1].split())
    assert "after 18 answers had been stored" in text
    assert "declared before: primary comparison pro − anti at 5 %" in text
    declaration = declared(tmp_path)
    assert (declaration["primary"], declaration["answers_before"]) == (["pro", "baseline"], 18)
    assert call("--batch", *SHORT, cwd=tmp_path)[0] == 0
    text = " ".join(call("report", "a.db", cwd=tmp_path)[1].split())
    assert "before the first answer (plan" in text
    assert "; another analysis was planned after it, and then this one again" in text


def test_a_registration_replaces_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "plan.md").write_text("my notes")
    code, _, err = call(*SHORT, "--register", "plan.md", cwd=tmp_path)
    assert (code, err.startswith("steertui: plan.md: exists, and is not an unchanged")) == (1, True)
    assert (tmp_path / "plan.md").read_text() == "my notes"
