"""Reports of dose axes and contests: the same numbers in every form, and what is said of them."""

import csv
import html
import io
import json
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from steertui.analysis.category_rows import category_columns, category_row
from steertui.analysis.groups import Groups, group_results
from steertui.analysis.summary import ReportFilter, Summary, summarise
from steertui.core.condition import Condition
from steertui.core.verdict import Label
from steertui.report import figures, terminal
from steertui.report.contest_figure import contest_matrix, contest_parts
from steertui.report.latex_tables import escape
from steertui.store import Store
from steertui.store.setup_queries import used_conditions
from tests.fixtures import grouped
from tests.fixtures.database import execute
from tests.fixtures.program import call

SCHEMA = Path(__file__).parents[2] / "steertui/report/schema.json"


def rising(condition: Condition) -> float:
    if condition.step:
        return 0.3 + 0.5 * condition.step.dose
    return 0.6


def held(condition: Condition) -> float:
    """Attacks steer by 40 points, except under defence 1, which alone takes away 20."""
    assert condition.cell
    attacked = condition.cell.attack != "none"
    match condition.cell.defence:
        case "defence-1":
            return 0.3
        case "none":
            return 0.9 if attacked else 0.5
        case _:
            return 0.8 if attacked else 0.4


def groups(path: Path) -> Groups:
    with Store(path) as store:
        (table,) = summarise(store, ReportFilter()).tables
    return table.groups


@pytest.fixture
def dose(tmp_path: Path) -> Path:
    conditions = grouped.dose_conditions(tmp_path, 0.2, 0.4, 0.8)
    grouped.write(tmp_path / "dose.db", conditions, grouped.by_rate(rising))
    return tmp_path / "dose.db"


@pytest.fixture
def contest(tmp_path: Path) -> Path:
    conditions = grouped.contest_conditions(tmp_path, 2, 2)
    grouped.write(tmp_path / "contest.db", conditions, grouped.by_rate(held))
    return tmp_path / "contest.db"


def report(db: Path, *options: str) -> str:
    code, out, err = call("report", db.name, *options, cwd=db.parent)
    assert code == 0, err
    return out


def test_a_dose_axis_is_read_from_the_database_alone(dose: Path) -> None:
    (axis,) = groups(dose).axes
    rates = [point.rate.value for point in axis.curve.points]
    assert rates == pytest.approx([0.3, 0.4, 0.5, 0.7])
    assert axis.curve.slope
    assert axis.curve.slope.points == pytest.approx(50)
    (match,) = axis.matches
    assert match.condition == "pro"
    assert match.matched
    assert match.matched.dose == pytest.approx(0.6)


def test_the_sentences_of_an_axis_say_slope_best_dose_and_matched_strength(dose: Path) -> None:
    text = " ".join(groups(dose).axes[0].sentences)
    assert "Convergence rises with axis: +5.0 points per 0.1 of strength from 0 to 0.8" in text
    assert "0 of 40 (0 %, 95 % interval 0 to 9 %) scenarios move the other way" in text
    assert "0.8 has the largest estimated effect toward more convergence: +40.0 points" in text
    assert "is matched by axis at 0.6, interpolated between 0.4 and 0.8 (95 % interval" in text


def test_an_axis_without_effect_claims_none(tmp_path: Path) -> None:
    conditions = grouped.dose_conditions(tmp_path, 0.2, 0.4)
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(lambda _: 0.95))
    (axis,) = groups(tmp_path / "a.db").axes
    assert axis.curve.slope
    effect = axis.matches[0].effect
    assert axis.sentences == (
        "95 % converge without steering, so axis axis can add 5 points at most",
        "No mean slope over axis is shown: +0.0 points per 0.1 of strength from 0 to 0.4 (95 "
        f"% interval {axis.curve.slope.low / 10:+.1f} to {axis.curve.slope.high / 10:+.1f}; exact "
        "randomisation test over 40 scenarios, p = 1.0)",
        f"pro: no effect is shown (+0.0 points (95 % interval {effect.low:+.1f} to "
        f"{effect.high:+.1f}) above dose 0), so there is no strength to match",
    )


def test_nonsense_at_every_scenario_of_a_dose_leaves_no_slope(tmp_path: Path) -> None:
    def label(condition: Condition, number: int) -> Label:
        if condition.step and condition.step.dose == 0.4:
            return Label.NONSENSICAL
        return grouped.by_rate(rising)(condition, number)

    grouped.write(tmp_path / "a.db", grouped.dose_conditions(tmp_path, 0.2, 0.4), label)
    (axis,) = groups(tmp_path / "a.db").axes
    assert axis.curve.slope is None
    assert not axis.curve.points[-1].is_coherent
    assert any("no slope, since fewer than 4 scenarios have a valid" in s for s in axis.sentences)


def test_a_match_at_an_incoherent_dose_is_said(tmp_path: Path) -> None:
    def label(condition: Condition, number: int) -> Label:
        if condition.step and condition.step.dose == 0.8 and number % 4 == 0:
            return Label.NONSENSICAL
        return grouped.by_rate(rising)(condition, number)

    grouped.write(tmp_path / "a.db", grouped.dose_conditions(tmp_path, 0.4, 0.8), label)
    (axis,) = groups(tmp_path / "a.db").axes
    text = " ".join(axis.sentences)
    assert "axis is not coherent there" in text
    assert "not coherent: 0.8" in text


def test_the_slope_without_the_doses_that_are_not_coherent_is_said(tmp_path: Path) -> None:
    """Dose 0.4 has 25 % nonsense: only the other doses give the slope of 50 points per unit."""

    def label(condition: Condition, number: int) -> Label:
        if condition.step and condition.step.dose == 0.4:
            return Label.NONSENSICAL if number % 4 == 0 else Label.CONVERGENCE
        return grouped.by_rate(rising)(condition, number)

    grouped.write(tmp_path / "a.db", grouped.dose_conditions(tmp_path, 0.2, 0.4), label)
    (axis,) = groups(tmp_path / "a.db").axes
    assert axis.curve.slope
    assert axis.curve.slope.scenarios == 30
    assert axis.curve.coherent_slope
    assert axis.curve.coherent_slope.points == pytest.approx(50)
    assert axis.curve.coherent_slope.scenarios == 40
    assert (
        "not coherent: 0.4 (nonsense), without which the slope is +5.0 points per 0.1 of strength"
        in (" ".join(axis.sentences))
    )


def test_the_doses_between_which_none_matches_are_said(tmp_path: Path) -> None:
    def rate(condition: Condition) -> float:
        return 0.3 if condition.step else 0.9

    conditions = grouped.dose_conditions(tmp_path, -0.2, 0.4)
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(rate))
    (axis,) = groups(tmp_path / "a.db").axes
    assert "No dose of axis from -0.2 to 0.4 has the rate of pro" in " ".join(axis.sentences)


def test_attacks_of_the_same_rate_are_all_the_worst(tmp_path: Path) -> None:
    def rate(condition: Condition) -> float:
        assert condition.cell
        is_third = condition.cell.attack == "attack-3"
        return held(condition) - (0.1 if is_third else 0)

    conditions = grouped.contest_conditions(tmp_path, 1, 3)
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(held))
    (result,) = groups(tmp_path / "a.db").contests
    assert result.estimates.defences[0].worst == ("attack-1", "attack-2", "attack-3")
    same = "Against defence-1, attack-1, attack-2 and attack-3 give the same rate"
    assert same in result.evidence
    grouped.write(tmp_path / "b.db", conditions, grouped.by_rate(rate))
    (result,) = groups(tmp_path / "b.db").contests
    assert result.estimates.defences[0].worst == ("attack-1", "attack-2")
    text = " ".join(result.evidence)
    assert "Against defence-1, attack-1 and attack-2 give the same rate, the highest" in text
    assert "Worst attack" not in text


def test_what_no_attack_is_shown_to_do_is_said_of_each(tmp_path: Path) -> None:
    """Residuals of 5 points are not shown to be below the margin of 10."""

    def rate(condition: Condition) -> float:
        assert condition.cell
        is_defended = condition.cell.defence == "defence-1"
        return held(condition) + 0.05 * (is_defended and condition.cell.attack != "none")

    for attacks, words in (
        (1, "it is not shown that attack-1 adds less than the margin"),
        (2, "for neither attack-1 nor attack-2 is it shown that it adds less than the margin"),
        (3, "for none of attack-1, attack-2 and attack-3 is it shown that it adds less than"),
    ):
        conditions = grouped.contest_conditions(tmp_path, 1, attacks)
        db = tmp_path / f"{attacks}.db"
        grouped.write(db, conditions, grouped.by_rate(rate))
        (result,) = groups(db).contests
        assert words in result.verdicts[-1]


def test_intervals_of_a_family_hold_at_once_and_agree_with_its_tests(
    contest: Path, dose: Path, tmp_path: Path
) -> None:
    (result,) = groups(contest).contests
    gap = result.estimates.unauthorised["attack-1"]
    test = result.estimates.tests["attack-1"]
    assert test.level == 0.975
    assert test.low is not None
    assert gap.low is not None
    assert test.low < gap.low
    words = f"(97.5 % interval {test.low:+.1f} to {test.high:+.1f}), p < 0.001 after Holm over 2"
    assert words in " ".join(result.sentences)
    (axis,) = groups(dose).axes
    tests = [
        *result.estimates.tests.values(),
        *result.refusals.tests.values(),
        *(d.test for d in result.estimates.defences),
        *(duel.test for d in result.estimates.defences for duel in d.duels),
        *(point.test for point in axis.curve.points if point.test),
        *(match.test for match in axis.matches),
    ]
    assert len(tests) == 14
    for each in tests:
        assert each.low is not None
        assert each.high is not None
        excludes_zero = each.low >= 0 or each.high <= 0
        assert excludes_zero is each.is_significant
    assert "98.3 % each, hold at once with about 95 %" in report(dose)
    duel = result.estimates.defences[0].duels[0].protection
    assert (
        f"estimated protection, not tested: {duel.points:+.1f} points (95 % interval "
        f"{duel.low:+.1f} to {duel.high:+.1f})"
    ) in " ".join(result.sentences)
    single = grouped.contest_conditions(tmp_path, 1, 1)
    grouped.write(tmp_path / "a.db", single, grouped.by_rate(held))
    (result,) = groups(tmp_path / "a.db").contests
    assert {d.test.level for d in result.estimates.defences} == {0.95}


def test_three_scenarios_give_no_interval_of_a_contest_or_a_dose(tmp_path: Path) -> None:
    def steered(condition: Condition) -> float:
        is_attacked = condition.cell and condition.cell.attack != "none"
        return float(bool(is_attacked or (condition.step and condition.step.dose)))

    label = grouped.by_rate(steered, 3)
    grouped.write(tmp_path / "a.db", grouped.contest_conditions(tmp_path), label, 3)
    grouped.write(tmp_path / "b.db", grouped.dose_conditions(tmp_path, 0.2), label, 3)
    few = "+100.0 points (no interval with fewer than 4 pairs)"
    (result,) = groups(tmp_path / "a.db").contests
    assert f"attack-1 is not shown to steer: {few}" in " ".join(result.evidence)
    record = json.loads(report(tmp_path / "b.db", "--format", "json"))
    point = record["tables"][0]["axes"][0]["points"][1]
    assert (point["effect"]["points"], point["effect"]["low"]) == (100, None)
    assert point["effect"]["test_low"] is None


def test_categories_without_a_primary_comparison_have_no_columns_of_a_gap(contest: Path) -> None:
    with Store(contest) as store:
        (table,) = summarise(store, ReportFilter()).tables
    assert category_columns(table, table.conditions) == tuple(table.conditions)
    rows = [category_row(category, table.conditions) for category in table.categories]
    assert {len(row) for row in rows} == {1 + len(table.conditions)}
    for text in (report(contest, "--detail"), report(contest, "--format", "markdown")):
        assert "by category" in text
        assert "P(gap" not in text


def test_a_contest_is_decomposed_and_each_defence_gets_a_verdict(contest: Path) -> None:
    (result,) = groups(contest).contests
    verdicts = {d.name: str(d.verdict) for d in result.estimates.defences}
    assert verdicts == {"defence-1": "decoupled", "defence-2": "not decoupled"}
    marks = {cell: str(mark) for cell, mark in result.marks.items()}
    assert marks["none", "attack-1"] == "steers"
    assert marks["defence-1", "attack-1"] == "resisted"
    assert marks["defence-2", "attack-2"] == "steers"
    text = " ".join(result.sentences)
    assert "defence-1 is decoupled at the margin of 10 points: alone it lowers convergence" in text
    assert (
        "defence-2 is not decoupled at the margin of 10 points: attack-1, attack-2 each add" in text
    )


def test_an_attack_that_is_shown_to_add_nothing_is_marked_without_a_defence(
    tmp_path: Path,
) -> None:
    """Of 24 pairs one moves up and one down: Tango's one-sided p at 15 points is 0.037."""

    def label(condition: Condition, number: int) -> Label:
        assert condition.cell
        hits = {*range(1, 11)} if condition.cell.attack == "attack-1" else {*range(10)}
        return Label.CONVERGENCE if number in hits else Label.NO_CONVERGENCE

    text = f"{grouped.contest_toml(1, 1)}margin = 0.15\n"
    grouped.write(tmp_path / "a.db", grouped.load(tmp_path, text), label, 24)
    (result,) = groups(tmp_path / "a.db").contests
    assert str(result.marks["none", "attack-1"]) == "resisted"
    assert result.marks["none", "attack-1"] is result.marks["defence-1", "attack-1"]
    for form in ("terminal", "markdown"):
        assert "42 =" in report(tmp_path / "a.db", "--format", form).partition("defence-1")[0]
    record = json.loads(report(tmp_path / "a.db", "--format", "json"))
    cells = record["tables"][0]["contests"][0]["cells"]
    marks = {(cell["defence"], cell["attack"]): cell["mark"] for cell in cells}
    assert marks["none", "attack-1"] == "resisted"


def test_a_part_of_a_contest_is_not_analysed(tmp_path: Path) -> None:
    conditions = grouped.contest_conditions(tmp_path, 2, 2)[:-1]
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(held))
    assert groups(tmp_path / "a.db").contests == ()


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
    grouped.write(tmp_path / "contest.db", conditions, grouped.by_rate(held), 12)
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


def test_defences_alone_are_compared_by_their_refusals(tmp_path: Path) -> None:
    def label(condition: Condition, number: int) -> Label:
        assert condition.cell
        is_refusal = condition.cell.defence == "defence-1" and number < 20
        return Label.SAFETY_REFUSAL if is_refusal else Label.NO_CONVERGENCE

    conditions = grouped.contest_conditions(tmp_path, 2, 2)
    alone = [c for c in conditions if c.cell and c.cell.attack == "none"]
    grouped.write(tmp_path / "a.db", alone, label)
    (found,) = groups(tmp_path / "a.db").refusals
    assert found.rates["defence-1"].value == 0.5
    assert found.gaps["defence-1"].points == 50
    sentence = "Refusals under defence-1 alone, minus without it: +50.0 points"
    assert found.sentences[0].startswith(sentence)
    assert sentence in report(tmp_path / "a.db")
    record = json.loads(report(tmp_path / "a.db", "--format", "json"))
    jsonschema.validate(record, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert record["tables"][0]["over_refusals"][0]["results"][0]["refusals"]["points"] == 50


def test_repetition_is_that_of_the_stored_answers(tmp_path: Path) -> None:
    def answer(condition: Condition) -> str:
        return "a b c d a b c d a b c d" if condition.name == "axis@0.8" else "a b c d e"

    conditions = grouped.dose_conditions(tmp_path, 0.4, 0.8)
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(rising), answer=answer)
    (axis,) = groups(tmp_path / "a.db").axes
    shares = {point.dose: point.means.repetition for point in axis.curve.points}
    assert shares == {0.0: 0.0, 0.4: 0.0, 0.8: pytest.approx(5 / 9)}
    assert "repeated" in report(tmp_path / "a.db")


def test_log_likelihoods_are_in_every_form_of_the_report(tmp_path: Path) -> None:
    def loglik(condition: Condition, number: int) -> float:
        fall = condition.step.dose if condition.step else 0.5
        return -1.25 - fall - number / 1000

    text = grouped.DOSE.replace("STRENGTHS", "0.4, 0.8") + "max_loss = 0.5\n"
    conditions = grouped.load(tmp_path, text)
    db = tmp_path / "a.db"
    grouped.write(db, conditions, grouped.by_rate(rising), loglik=loglik)
    (axis,) = groups(db).axes
    means = [point.means.loglik for point in axis.curve.points]
    assert means == pytest.approx([-1.2695, -1.6695, -2.0695])
    assert [point.is_coherent for point in axis.curve.points] == [True, True, False]
    assert "not coherent: 0.8 (log-likelihood)" in " ".join(axis.sentences)
    limits = "at most 10 points more nonsense and 10 points more repetition than dose 0"
    loss = "log-likelihood at most 0.5 nats per token lower"
    assert f"{limits}, {loss}), 0.4 has the largest estimated effect" in " ".join(axis.sentences)
    for form in ("terminal", "markdown", "latex"):
        assert "-2.07!" in report(db, "--format", form).replace("$-$", "-")
    record = json.loads(report(db, "--format", "json"))
    jsonschema.validate(record, json.loads(SCHEMA.read_text(encoding="utf-8")))
    (written,) = record["tables"][0]["axes"]
    assert [point["loglik"] for point in written["points"]] == means
    assert [point["exceeded"] for point in written["points"]] == [[], [], ["log-likelihood"]]
    assert (written["max_repetition"], written["max_loss"]) == (0.1, 0.5)
    rows = [*csv.DictReader(report(db, "--format", "trials-csv").splitlines())]
    assert float(rows[0]["loglik"]) / int(rows[0]["loglik_tokens"]) == pytest.approx(-1.75)


@pytest.mark.parametrize(
    ("fall", "words", "dose"),
    [
        (0.5, "axis costs as much at 0.5, interpolated between 0.4 and 0.8 (95 % interval", 0.5),
        (0.4, "axis costs as much at 0.4 (95 % interval 0.4 to 0.4", 0.4),
        (0.9, "no dose of axis from 0 to 0.8 costs as much, nor in 100 %", None),
        (0.0, "pro: no fall of the log-likelihood below dose 0 is shown", None),
        (-0.5, "pro: no fall of the log-likelihood below dose 0 is shown", None),
    ],
)
def test_the_dose_that_costs_as_much_as_a_suffix_is_said(
    tmp_path: Path, fall: float, words: str, dose: float | None
) -> None:
    def loglik(condition: Condition, number: int) -> float:
        return -1.25 - (condition.step.dose if condition.step else fall) - number / 1000

    db = tmp_path / "a.db"
    conditions = grouped.dose_conditions(tmp_path, 0.4, 0.8)
    grouped.write(db, conditions, grouped.by_rate(rising), loglik=loglik)
    (axis,) = groups(db).axes
    assert words in axis.sentences[-1]
    (written,) = json.loads(report(db, "--format", "json"))["tables"][0]["axes"]
    cost = written["matches"][0]["cost"]
    assert cost["loss"]["mean"] == pytest.approx(fall)
    matched = [one["dose"] for one in cost["matched"]]
    assert matched == ([] if fall <= 0 else [pytest.approx(dose) if dose else None])


def test_coherence_is_reported_before_any_answer_is_judged(tmp_path: Path) -> None:
    def loglik(condition: Condition, number: int) -> float:
        return -1.25 - (condition.step.dose if condition.step else 0.5) - number / 1000

    def answer(condition: Condition) -> str:
        return "a b c d a b c d" if condition.step and condition.step.dose == 0.8 else "a b c d e"

    db = tmp_path / "a.db"
    conditions = grouped.dose_conditions(tmp_path, 0.4, 0.8)
    grouped.write(db, conditions, grouped.by_rate(rising), answer=answer, loglik=loglik)
    execute(db, "DELETE FROM verdicts")
    shown = report(db)
    assert "dose repeated  nats" in shown
    assert "0.8       20! -2.07" in shown
    assert (
        "Without labels convergence and nonsense over axis are unknown; beyond the other limits of "
        "coherence (at most 10 points more repetition than dose 0): 0.8 (repetition)"
    ) in shown
    assert "axis costs as much at 0.5" in shown
    assert "convergence rises" not in shown.lower()
    record = json.loads(report(db, "--format", "json"))
    jsonschema.validate(record, json.loads(SCHEMA.read_text(encoding="utf-8")))
    (written,) = record["tables"][0]["axes"]
    assert written["max_nonsense"] is None
    assert [point["is_coherent"] for point in written["points"]] == [True, True, False]
    report(db, "--format", "html", "-o", "a.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Without labels convergence and nonsense over axis are unknown" in page
    assert "Answers without a comparison yet" in page
    assert "Coherence by dose" in page
    assert report(db, "--format", "markdown").count("| 0.8 | 20! | -2.07 |") == 1


def test_a_contest_without_labels_is_not_reported(contest: Path) -> None:
    execute(contest, "DELETE FROM verdicts")
    assert "defences × attacks" not in report(contest)


def test_a_limited_measure_that_is_unknown_makes_no_dose_coherent(tmp_path: Path) -> None:
    text = grouped.DOSE.replace("STRENGTHS", "0.4, 0.8") + "max_loss = 0.5\n"
    grouped.write(tmp_path / "a.db", grouped.load(tmp_path, text), grouped.by_rate(rising))
    (axis,) = groups(tmp_path / "a.db").axes
    assert not any(point.is_coherent for point in axis.curve.points)
    sentences = " ".join(axis.sentences)
    assert "is limited but was not measured, so no dose is called coherent" in sentences
    assert "largest estimated effect" not in sentences
    assert "nats:" not in report(tmp_path / "a.db")


def test_labels_that_are_not_reliable_give_no_verdict_and_no_mark(contest: Path) -> None:
    with Store(contest) as store:
        (table,) = summarise(store, ReportFilter()).tables
        conditions = used_conditions(store, table.experiment)
    withheld = group_results(
        conditions, table.outcomes, table.policy, is_reliable=False, measures={}
    )
    (result,) = withheld.contests
    assert {str(defence.verdict) for defence in result.estimates.defences} == {"withheld"}
    assert {str(mark) for mark in result.marks.values()} == {"withheld"}
    assert result.sentences == ("nothing is concluded on contest game from these labels",)
    assert withheld.refusals == ()
