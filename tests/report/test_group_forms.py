"""Dose axes and contests in every form of the report: the same numbers, names and sentences."""

import csv
import html
import io
import json
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from steertui.analysis.summary import ReportFilter, Summary, summarise
from steertui.report import figures, terminal
from steertui.report.contest_figure import contest_matrix, contest_parts
from steertui.report.latex_tables import escape
from steertui.store import Store
from tests.analysis.test_groups import SCHEMA, groups, report
from tests.fixtures import grouped


def test_json_matches_the_schema_and_the_terminal_has_its_numbers(
    dose: Path, contest: Path
) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for db in (dose, contest):
        record = json.loads(report(db, "--format", "json"))
        jsonschema.validate(record, schema)
        (table,) = record["tables"]
        for text in (report(db), report(db, "--format", "markdown")):
            for axis in table["axes"]:
                for point in axis["points"]:
                    assert f"{100 * point['convergence']['value']:.1f}" in text
                    assert point["effect"] is None or f"{point['effect']['points']:+.1f}" in text
            for found in table["contests"]:
                for cell in found["cells"]:
                    assert f"{100 * cell['convergence']['value']:.0f}" in text
                assert all(row["verdict"] in text for row in found["results"])


@pytest.mark.parametrize("width", [80, 200])
def test_large_groups_fit_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    conditions = grouped.contest_conditions(tmp_path, 6, 6)
    grouped.write(tmp_path / "contest.db", conditions, grouped.by_rate(grouped.held), 12)
    doses = [-0.8, -0.6, -0.4, -0.2, 0.2, 0.4, 0.6, 0.8]
    grouped.write(
        tmp_path / "dose.db",
        grouped.dose_conditions(tmp_path, *doses),
        grouped.by_rate(lambda _: 0.5),
        12,
    )
    for name in ("contest.db", "dose.db"):
        lines = report(tmp_path / name).splitlines()
        tables = [line for line in lines if not line.startswith("  ") and "." not in line[-1:]]
        assert max(map(len, tables)) <= width
        assert not [line for line in tables if "…" in line and "defence" not in line]


def test_trials_name_their_axis_and_cell(dose: Path, contest: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(report(dose, "--format", "trials-csv"))))
    assert {(r["axis"], r["dose"]) for r in rows} == {
        ("", ""),
        ("axis", "0.0"),
        ("axis", "0.2"),
        ("axis", "0.4"),
        ("axis", "0.8"),
    }
    rows = list(csv.DictReader(io.StringIO(report(contest, "--format", "rates-csv"))))
    assert {(r["defence"], r["attack"]) for r in rows} >= {("none", "none"), ("defence-2", "none")}


def test_a_selection_of_conditions_changes_no_number_of_a_group(contest: Path) -> None:
    whole = json.loads(report(contest, "--format", "json"))["tables"][0]["contests"]
    part = json.loads(report(contest, "--format", "json", "--condition", "none×none"))
    assert part["tables"][0]["contests"] == whole


LONG = ("system-message-that-warns-of", "role-play-wrapper")


@pytest.fixture
def large(tmp_path: Path) -> Summary:
    """A contest of 6 × 6 with long names that begin alike."""
    text = grouped.contest_toml(6, 6).replace("defence-", f"{LONG[0]}-")
    text = text.replace("attack-", f"{LONG[1]}-")
    grouped.write(
        tmp_path / "large.db", grouped.load(tmp_path, text), grouped.by_rate(lambda _: 0.5)
    )
    with Store(tmp_path / "large.db") as store:
        return summarise(store, ReportFilter())


def drawn(summary: Summary, width: int) -> str:
    file = io.StringIO()
    console = Console(width=width, file=file, color_system=None)
    for part in terminal.draw(summary):
        console.print(part)
    return file.getvalue()


def test_a_contest_of_6_by_6_is_readable_in_80_columns(large: Summary) -> None:
    matrix = drawn(large, 80).partition("defences × attacks\n")[2].partition("convergence in")[0]
    names = "".join(line[:14].strip() for line in matrix.splitlines())
    for number in range(1, 7):
        assert f"{LONG[0]}-{number}" in names
        assert f"{number} role-p…" in matrix
    assert "…" not in names
    assert matrix.count("50 ·") + matrix.count("50 =") == 42


def test_figures_of_a_contest_keep_every_name_and_verdict(large: Summary) -> None:
    (contest,) = large.tables[0].groups.contests
    matrix = contest_matrix(contest, figures.NARROW).inline()
    parts = contest_parts(contest, figures.NARROW).inline()
    for number in range(1, 7):
        assert f">D{number}</text>" in matrix
        assert f">D{number} {LONG[0]}-{number}</text>" in matrix
        assert f">{number} {LONG[1]}-{number}</text>" in matrix
    verdicts = [str(defence.verdict) for defence in contest.estimates.defences]
    assert all(f": {verdict}</text>" in parts for verdict in verdicts)


def test_an_axis_of_9_doses_is_whole_in_80_columns(tmp_path: Path) -> None:
    strengths = [sign * each for each in (0.25, 0.5, 0.75, 0.875) for sign in (1, -1)]
    conditions = grouped.dose_conditions(tmp_path, *strengths)
    grouped.write(
        tmp_path / "a.db",
        conditions,
        grouped.by_rate(lambda c: 0.5 + 0.5 * c.step.dose if c.step else 0.5),
        loglik=lambda c, _: -10.0 - abs(c.step.dose if c.step else 0),
    )
    with Store(tmp_path / "a.db") as store:
        lines = drawn(summarise(store, ReportFilter()), 80).splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:2] == ["dose", "rate"])
    assert lines[start].rstrip().endswith("nats")
    for line, dose in zip(lines[start + 1 :], sorted([*strengths, 0]), strict=False):
        assert line.split()[0] == f"{dose:g}"
        assert line.rstrip().endswith(f"{-10 - abs(dose):.2f}")


def test_page_and_pictures_show_the_groups(dose: Path, contest: Path) -> None:
    for db, names in (
        (dose, {"rates.svg", "dose-1-axis.svg"}),
        (contest, {"contest-1-game.svg", "contest-parts-1-game.svg"}),
    ):
        report(db, "--format", "svg", "-o", "pictures")
        files = {path.name for path in (db.parent / "pictures").iterdir()}
        assert names <= files
        assert "gaps.svg" not in files  # no two conditions outside of the groups
        report(db, "--format", "html", "-o", f"{db.stem}.html")
        page = db.with_suffix(".html").read_text(encoding="utf-8")
        found = groups(db)
        sentences = [sentence for axis in found.axes for sentence in axis.sentences]
        sentences += [sentence for each in found.contests for sentence in each.sentences]
        assert len(sentences) > 3
        assert all(html.escape(sentence) in page for sentence in sentences)
    drawn = (contest.parent / "pictures/contest-1-game.svg").read_text(encoding="utf-8")
    assert ">80 ▲</text>" in drawn
    page = dose.with_suffix(".html").read_text(encoding="utf-8")
    heading = page.partition('<h1 id="heading">')[2].partition("</h1>")[0]
    assert heading.startswith("Convergence rises with axis: +5.0 points per 0.1 of strength (95 %")
    assert len(heading) < 120
    assert 'id="gaps"' not in page
    page = contest.with_suffix(".html").read_text(encoding="utf-8")
    assert "1 of 2 defences shown to be decoupled at the margin of 10 points" in page
    assert 'id="gaps"' not in page  # no condition outside of the contest
    assert ">30 =</text>" in drawn


def test_latex_has_the_tables_and_the_sentences_of_the_groups(dose: Path, contest: Path) -> None:
    for db, captions, row in (
        (dose, ["Dose axis axis"], r"0.8 & 70.0 & "),
        (contest, ["Contest game", "Contest game: parts"], r"defence-1$\times$attack-1 & "),
    ):
        source = report(db, "--format", "latex")
        assert all(rf"\caption{{{caption}" in source for caption in captions)
        assert row in source
        found = groups(db)
        sentences = [sentence for axis in found.axes for sentence in axis.sentences]
        sentences += [sentence for each in found.contests for sentence in each.sentences]
        assert len(sentences) > 3
        assert all(f"{escape(sentence)}." in source for sentence in sentences)


def test_the_methods_paragraph_describes_the_analysis_of_groups(dose: Path, contest: Path) -> None:
    source = report(dose, "--format", "latex").replace("~", " ")
    slopes = r"tested by sign flips of the scenarios' slopes, two-sided at 5 \% \cite{fisher1935}"
    assert slopes in source
    assert "Each dose was compared with dose 0 by McNemar's exact test" in source
    assert "log-likelihood of an answer" not in source
    source = report(contest, "--format", "latex")
    assert "In contests the effects of attacks and of defences were tested by McNemar's" in source
    for db, keys in ((dose, ("welleck2020", "owen2001")), (contest, ("berger1982", "holm1979"))):
        entries = report(db, "--format", "bibtex")
        assert all(f"{{{key}," in entries for key in keys)
