"""CSV, Parquet, pictures, logs and pages, also of degenerate databases."""

import csv
import json
import re
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from steertui.analysis.formatting import POLICY_DESCRIPTIONS
from steertui.analysis.summary import ReportFilter
from steertui.errors import ExperimentError
from steertui.report.command import write_report
from steertui.report.rows import GAP_COLUMNS
from steertui.stats.rate import Policy
from steertui.store import Store
from tests.fixtures import large
from tests.fixtures.program import call
from tests.fixtures.rehashing import rehash

FORMS = ("terminal", "markdown", "json", "trials-csv", "rates-csv", "html")
INSPECT = Path(__file__).resolve().parents[2] / ".venv/inspect/bin/python"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("forms")
    large.write(path / "a.db", models=2, samples=2, judges=2, words=12)
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    csv.field_size_limit(10**7)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_rates_in_csv_match_the_trials_in_csv(folder: Path) -> None:
    for form in ("trials-csv", "rates-csv"):
        done = call("report", "a.db", "--format", form, "-o", f"{form}.csv", cwd=folder)
        assert (done[0], done[1]) == (0, "")
    trials, rates = rows_of(folder / "trials-csv.csv"), rows_of(folder / "rates-csv.csv")
    assert len(trials) == 2 * 76 * 4 * 2 * 2
    assert len(rates) == 2 * 2 * 4 * 7
    for rate in rates:
        own = [
            t
            for t in trials
            if (t["model"], t["condition"]) == (rate["model"], rate["condition"])
            and t["judge"].startswith(f"local:made-{rate['judge'][-1]}")
            and rate["category"] in ("", t["category"])
        ]
        assert len(own) == int(rate["planned"])
        valid = [t for t in own if t["label"] not in ("", "nonsensical")]
        converged = sum(t["label"] == "convergence" for t in valid)
        assert (converged, len(valid)) == (int(rate["convergence"]), int(rate["valid"]))
        assert float(rate["convergence_rate"]) == pytest.approx(converged / len(valid))


def test_valid_is_the_denominator_of_the_rate_under_a_policy_in_every_form(tmp_path: Path) -> None:
    """The page of these tables has no figure of all rates, and names the policy nevertheless."""
    large.write(tmp_path / "a.db", models=1, samples=1, judges=8, words=5)
    for form in ("rates-csv", "json", "markdown", "html"):
        chosen = ReportFilter(policy=Policy.ALL)
        write_report(tmp_path / "a.db", form, chosen, tmp_path / f"all.{form}")
    rates = rows_of(tmp_path / "all.rates-csv")
    assert any(int(rate["nonsensical"]) for rate in rates)
    for rate in rates:
        share = int(rate["convergence"]) / int(rate["valid"])
        assert float(rate["convergence_rate"]) == pytest.approx(share)
    own = [
        row for t in json.loads((tmp_path / "all.json").read_text())["tables"] for row in t["rows"]
    ]
    assert all(row["counts"]["valid"] == row["convergence"]["total"] for row in own)
    text, page = ((tmp_path / f"all.{form}").read_text() for form in ("markdown", "html"))
    counts = re.findall(r"^\| (?:baseline|pro|anti|placebo) \|(?: \d+ \|){11}$", text, re.MULTILINE)
    numbers = [line.split(" | ") for line in counts]
    assert [row[11].strip(" |") for row in numbers] == [row[4] for row in numbers] != []
    assert (page.count('id="rates"'), page.count(POLICY_DESCRIPTIONS[Policy.ALL])) == (0, 1)


def test_gaps_in_csv_are_those_of_the_json_report(folder: Path) -> None:
    for form in ("gaps-csv", "json"):
        assert call("report", "a.db", "--format", form, "-o", f"a.{form}", cwd=folder)[0] == 0
    tables = json.loads((folder / "a.json").read_text())["tables"]
    expected = [gap for table in tables for gap in table["comparisons"]]
    rows = rows_of(folder / "a.gaps-csv")
    assert len(rows) == len(expected) > 8
    for row, gap in zip(rows, expected, strict=True):
        assert (row["first"], row["second"], int(row["pairs"])) == (
            gap["first"],
            gap["second"],
            gap["pairs"],
        )
        assert float(row["points"]) == pytest.approx(gap["points"])
        assert float(row["p"]) == pytest.approx(gap["p"])
        assert float(row["level"]) == pytest.approx(gap["test_level"])
        assert float(row["shared"]) == pytest.approx(gap["shared"])
        assert float(row["marginal"]) == pytest.approx(gap["sensitivity"]["marginal"]["points"])
    assert any(row["marginal"] != row["shared"] for row in rows)


def test_gaps_in_csv_have_a_head_without_any_label(tmp_path: Path) -> None:
    run = ("--batch", "--demo", "--limit", "1", "--max-tokens", "4", "--judge", "none")
    assert call(*run, "--db", "a.db", cwd=tmp_path)[0] == 0
    code, out, _ = call("report", "a.db", "--format", "gaps-csv", cwd=tmp_path)
    assert code == 0
    assert out.splitlines() == [",".join(GAP_COLUMNS)]


def test_parquet_has_the_same_rows(folder: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    assert call("report", "a.db", "--format", "parquet", "-o", "a.parquet", cwd=folder)[0] == 0
    assert call("report", "a.db", "--format", "trials-csv", "-o", "b.csv", cwd=folder)[0] == 0
    table = parquet.read_table(folder / "a.parquet").to_pylist()
    as_csv = rows_of(folder / "b.csv")
    assert [row["key"] for row in table] == [row["key"] for row in as_csv]
    assert [row["label"] or "" for row in table] == [row["label"] for row in as_csv]
    assert {type(row["tokens"]) for row in table} == {int}


def test_pictures_are_valid_files(folder: Path) -> None:
    assert call("report", "a.db", "--format", "svg", "-o", "drawn", cwd=folder)[0] == 0
    drawn = sorted((folder / "drawn").glob("*.svg"))
    assert {"rates.svg", "gaps.svg", "categories-1.svg"} <= {path.name for path in drawn}
    for path in drawn:
        text = path.read_text(encoding="utf-8")
        assert "var(" not in text
        assert not re.search(r"\bnan\b|None", text)
        picture = ET.fromstring(text)
        assert float(picture.attrib["height"]) > 60
    pytest.importorskip("resvg_py", reason="resvg-py is not installed")
    assert call("report", "a.db", "--format", "png", "-o", "drawn", cwd=folder)[0] == 0
    found = (folder / "drawn" / "rates.png").read_bytes()
    assert found.startswith(b"\x89PNG")
    assert int.from_bytes(found[16:20]) == 3 * 860


def test_json_matches_its_schema(folder: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads((ROOT / "steertui/report/schema.json").read_text(encoding="utf-8"))
    record = json.loads(call("report", "a.db", "--format", "json", cwd=folder)[1])
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(record, schema)
    del record["tables"][0]["rows"][0]["counts"]["valid"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, schema)


PRO = """SELECT t.key FROM trials AS t JOIN conditions AS c ON c.id = t.condition
    WHERE c.name = 'pro'"""

DEGENERATE = {
    "empty": "",
    "one condition": f"DELETE FROM experiment_trials WHERE trial NOT IN ({PRO})",
    "all nonsensical": "UPDATE verdicts SET label = 'nonsensical'",
    "no verdicts": "DELETE FROM verdicts",
    "all failed": "UPDATE verdicts SET label = NULL, failure = 'no reply'",
    "no answers": "DELETE FROM verdicts; DELETE FROM generations",
    "one scenario": "DELETE FROM experiment_trials WHERE trial NOT IN (SELECT t.key "
    "FROM trials AS t JOIN scenarios AS s ON s.id = t.scenario WHERE s.title = 'Task 0.0')",
    "judges who disagree wholly": "UPDATE verdicts SET label = CASE judge WHEN 'local:made-0' "
    "THEN 'convergence' ELSE 'no_convergence' END",
    "pro all nonsensical": f"UPDATE verdicts SET label = 'nonsensical' WHERE trial IN ({PRO})",
}


@pytest.mark.parametrize("kind", DEGENERATE)
def test_a_degenerate_database_gives_a_report_with_the_reason(tmp_path: Path, kind: str) -> None:
    db = tmp_path / "d.db"
    if kind == "empty":
        Store(db).close()
    else:
        large.write(db, models=1, samples=1, judges=2, words=6)
        connection = sqlite3.connect(db)
        connection.executescript(DEGENERATE[kind])
        connection.commit()
        connection.close()
        rehash(db)
    for form in FORMS:
        out = tmp_path / f"out.{form}"
        write_report(db, form, ReportFilter(), out, detail=True)
        text = out.read_text(encoding="utf-8")
        assert not re.search(r"\b[Nn]a[Nn]\b|\bNone\b|\binf\b", text), form
        assert text or (kind, form) == ("empty", "rates-csv")
    if kind in ("empty", "no verdicts", "no answers"):
        with pytest.raises(ExperimentError, match="no answer is labelled yet"):
            write_report(db, "svg", ReportFilter(), tmp_path / "drawn")
    else:
        write_report(db, "svg", ReportFilter(), tmp_path / "drawn")
    for path in (tmp_path / "drawn").glob("*.svg"):
        assert not re.search(r"\bnan\b|None", path.read_text(encoding="utf-8"))
    code, _, err = call("export", "d.db", "--inspect", "logs", cwd=tmp_path)
    assert (code, err.count("\n")) in ((0, 1), (1, 1)), err
    text = (tmp_path / "out.terminal").read_text(encoding="utf-8")
    expected = {
        "empty": "has no experiment",
        "one condition": "pro",
        "all nonsensical": "cannot be compared: no valid answer",
        "no verdicts": "no judge has labelled them",
        "all failed": "failed at the judge",
        "no answers": "There are no answers yet",
        "one scenario": "with fewer than 6 scenarios no difference can be shown",
        "judges who disagree wholly": "Krippendorff's alpha over 2 judges: -1.00",
        "pro all nonsensical": "pro and anti cannot be compared",
    }
    assert expected[kind] in text


def test_pictures_need_a_judge(tmp_path: Path) -> None:
    Store(tmp_path / "e.db").close()
    code, _, err = call("report", "e.db", "--format", "svg", cwd=tmp_path)
    assert code == 1
    assert "no answer is labelled yet" in err


@pytest.mark.slow
def test_inspect_ai_computes_the_same_rates_from_the_log(folder: Path) -> None:
    if not INSPECT.is_file():
        pytest.skip("inspect_ai is not installed (python -m venv .venv/inspect, then pip install)")
    code, _, err = call("export", "a.db", "--inspect", "logs", cwd=folder)
    assert code == 0, err
    program = """
import json, sys
from pathlib import Path
from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries
from inspect_ai.scorer import SampleScore, mean
found = []
for path in sorted(Path("logs").glob("*.eval")):
    log = read_eval_log(str(path))
    assert log.status == "success"
    assert len(read_eval_log_sample_summaries(str(path))) == len(log.samples)
    for result in log.results.scores:
        own = [s.scores[result.name] for s in log.samples if result.name in s.scores]
        scores = [SampleScore(score=score) for score in own]
        found.append([log.eval.model.split("/")[1], log.eval.task_args["condition"], result.name,
                      float(mean()(scores)), result.metrics["convergence"].value,
                      len(log.samples), log.samples[0].output.completion])
print(json.dumps(found))
"""
    done = subprocess.run([INSPECT, "-c", program], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    report = json.loads(call("report", "a.db", "--format", "json", cwd=folder)[1])
    expected = {
        (table["model"], row["condition"], f"{table['judge']} convergence"): row["convergence"][
            "value"
        ]
        for table in report["tables"]
        for row in table["rows"]
    }
    assert len(found) == len(expected) == 2 * 4 * 2
    for model, condition, name, theirs, stored, samples, answer in found:
        assert theirs == pytest.approx(expected[model, condition, name], abs=1e-12)
        assert stored == pytest.approx(expected[model, condition, name], abs=1e-12)
        assert samples == 152
        assert f"|{condition}|" in answer


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory from /proc")
def test_a_hundred_thousand_trials_are_reported_in_half_a_gigabyte(tmp_path: Path) -> None:
    assert large.write(tmp_path / "l.db") > 100_000
    program = (
        # An installation has no pandas, which sqlite_utils imports if it is there.
        "import re, sys; sys.modules['pandas'] = None\n"
        "from steertui.cli import cli\n"
        "try: cli(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        # getrusage would count the memory of the process that started this one.
        "peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]\n"
        "print(int(peak) // 1024, file=sys.stderr)"
    )
    for form in ("terminal", "html", "trials-csv"):
        options = ["report", "l.db", "--format", form, "-o", f"l.{form}"]
        done = subprocess.run(
            [sys.executable, "-c", program, *options], cwd=tmp_path, capture_output=True, text=True
        )
        peak = float(done.stderr.splitlines()[-1])
        assert peak < 500, (form, peak)
    assert (tmp_path / "l.html").stat().st_size < 2_000_000
    assert (tmp_path / "l-texts").is_dir()
