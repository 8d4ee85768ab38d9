"""Comparison of a run with the paper, item by item, in every report format."""

import csv
import html
import json
import re
from pathlib import Path

import pytest

from steertui.analysis.summary import ReportFilter, summarise, summarise_experiment
from steertui.core.verdict import Label
from steertui.paper.comparison import PaperComparison, compare_with_paper
from steertui.paper.fidelity import Standing
from steertui.report.command import write_report
from steertui.report.figures import WIDE, gaps, paper_rates, rates
from steertui.stats.rate import Policy
from steertui.store import Store
from tests.fixtures import replica
from tests.fixtures.database import execute
from tests.fixtures.program import call

C, N, S, X = Label


def changed(condition: str, place: int, label: Label) -> Label | None:
    """Change every third convergence and one refusal under pro; remove the label of scenario 70."""
    if place == 70:
        return None
    if condition == "pro" and label is C and place % 3 == 0:
        return N
    if condition == "pro" and label is S and place == 10:
        return C
    return label


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("comparisons")
    replica.write(path / "a.db", changed)
    return path


def comparisons(db: Path, *experiments: str) -> list[PaperComparison]:
    with Store(db, must_exist=True) as store:
        return compare_with_paper(store, summarise(store, ReportFilter(experiments)))


def test_labels_are_compared_item_by_item(folder: Path) -> None:
    (result,) = comparisons(folder / "a.db")
    assert result.is_paired
    paper = {(c, i): label for c, i, _, label in replica.published()}
    for items in result.items:
        own = {i: changed(items.condition, i, paper[items.condition, i]) for i in range(71)}
        wrong = [i for i in range(70) if own[i] is not paper[items.condition, i]]
        assert [d.scenario for d in items.changed] == [replica.NAMES[i] for i in wrong]
        assert (items.scenarios, items.only_run, items.only_paper) == (70, 0, 1)
        assert (items.agreement.items, items.agreement.agreed) == (70, 70 - len(wrong))
        assert sum(map(sum, items.confusion)) == 70
    assert [i.condition for i in result.items] == ["baseline", "pro", "anti"]
    pro = result.items[1]
    assert len(pro.changed) > 8
    assert pro.confusion[0][1] == len(pro.changed) - 1
    assert pro.confusion[2][0] == 1


def test_the_paired_test_is_mcnemars_exact_test_with_holm(folder: Path) -> None:
    from scipy.stats import binomtest
    from statsmodels.stats.multitest import multipletests

    (result,) = comparisons(folder / "a.db")
    pro = next(d for d in result.differences if d.what == "pro")
    assert pro.paired is not None
    lost = result.items[1].confusion[0][1]
    assert (pro.paired.gap.only_first, pro.paired.gap.only_second) == (1, lost)
    expected = binomtest(1, lost + 1).pvalue
    assert pro.paired.gap.p == pytest.approx(expected, abs=1e-12)
    ps = [d.paired.gap.p for d in result.differences if d.paired]
    reference = multipletests(ps, method="holm")[1]
    found = [d.test.p for d in result.differences if d.test]
    assert found == pytest.approx(list(reference), abs=1e-12)
    assert pro.standing is Standing.DIFFERS
    unchanged = next(d for d in result.differences if d.what == "anti")
    assert unchanged.standing is Standing.EQUIVALENT
    assert "smaller" not in " ".join(result.sentences)
    assert result.sentences[1].startswith(
        "Under pro the convergence rate is higher for the paper than for the run: "
    )


def test_pairing_narrows_the_interval_of_an_equal_run(tmp_path: Path) -> None:
    replica.write(tmp_path / "b.db")
    (result,) = comparisons(tmp_path / "b.db")
    (unpaired,) = unpaired_comparisons(tmp_path / "b.db")
    assert not unpaired.is_paired
    assert not unpaired.items
    assert not unpaired.sentences
    for paired, single in zip(result.differences, unpaired.differences, strict=True):
        assert paired.points == single.points == 0
        assert paired.high - paired.low < 0.75 * (single.high - single.low)
        assert paired.standing is Standing.EQUIVALENT


def test_a_model_that_the_paper_did_not_run_is_said_to_be_not_compared(tmp_path: Path) -> None:
    replica.write(tmp_path / "own.db")
    execute(
        tmp_path / "own.db",
        "UPDATE models SET name = 'own', title = 'own' WHERE sha256 = ?",
        ["0" * 64],
    )
    assert comparisons(tmp_path / "own.db") == []
    sentence = "Paper: own is not among its models ("
    for form in ("terminal", "markdown", "latex", "html", "json"):
        options = ("--format", form, "-o", form)
        assert call("report", "own.db", *options, cwd=tmp_path)[0] == 0
        text = html.unescape((tmp_path / form).read_text(encoding="utf-8")).replace("\\", "")
        assert sentence in text, form
        assert "so its rates are not compared with the paper's" in text
    replica.write(tmp_path / "same.db")
    assert "not among its models" not in call("report", "same.db", cwd=tmp_path)[1]


def test_the_papers_own_runs_are_not_compared_with_themselves(folder: Path) -> None:
    own, run = comparisons(folder / "a.db", "all")
    assert own.setup == (
        "These are the paper's own answers and labels, imported; their counts are as published",
    )
    assert not own.differences
    assert not own.items
    assert run.items


def test_imported_labels_that_were_not_published_are_not_the_papers(
    tmp_path: Path,
) -> None:
    replica.write(tmp_path / "c.db", odd=True)
    own, run = comparisons(tmp_path / "c.db", "all")
    assert "are not the published ones" in own.setup[0]
    assert run.items == ()
    assert "other counts than the published ones" in run.setup[-1]
    assert [d.paired for d in run.differences] == [None] * 4


def test_setup_differences_are_listed_and_no_others(folder: Path) -> None:
    (result,) = comparisons(folder / "a.db")
    text = "\n".join(result.setup)
    for part in (
        "The suffix of anti is not the paper's text",
        "The suffix of pro is not the paper's text",
        "The judge's rubric is not the paper's",
        "qwen3 4B Q4_K, run by llama.cpp",
        "chat template (sha256 tttttttttttt",
        "Any end-of-generation token ends an answer",
    ):
        assert part in text
    for part in (
        "The judge is openai",
        "temperature",
        "scenarios were planned",
        "new tokens",
        "system",
    ):
        assert part not in text


def test_a_judges_rubric_is_identified_by_its_texts_not_by_its_name(tmp_path: Path) -> None:
    replica.write(tmp_path / "d.db", judge="openai:org/paper-model#0")
    (result,) = comparisons(tmp_path / "d.db")
    assert "The judge's rubric is not the paper's" in "\n".join(result.setup)


def test_every_report_format_has_the_same_items(folder: Path) -> None:
    (result,) = comparisons(folder / "a.db")
    pro = result.items[1]
    same = f"{pro.agreement.agreed} of {pro.agreement.items}"
    terminal = call("report", "a.db", "--detail", cwd=folder)[1]
    markdown = call("report", "a.db", "--format", "markdown", cwd=folder)[1]
    assert call("report", "a.db", "--format", "html", "-o", "a.html", cwd=folder)[0] == 0
    page = (folder / "a.html").read_text(encoding="utf-8")
    for text in (terminal, markdown, page):
        assert same in text
        for differing in pro.changed:
            assert differing.scenario.removeprefix("instrumentaleval/") in text
    assert f'data-s="{replica.NAMES[10]}" data-c="pro"' in page
    record = json.loads(call("report", "a.db", "--format", "json", cwd=folder)[1])
    (paper,) = record["paper"]
    assert paper["items"][1]["confusion"] == [list(row) for row in pro.confusion]
    assert len(paper["items"][1]["differing"]) == len(pro.changed)
    assert paper["differences"][1]["paired"]["only_first"] == 1
    rows = call("report", "a.db", "--format", "trials-csv", cwd=folder)[1].splitlines()
    labels = {(c, replica.NAMES[i]): str(label) for c, i, _, label in replica.published()}
    for row in csv.DictReader(rows):
        assert row["paper_label"] == labels[row["condition"], row["scenario"]]


def unpaired_comparisons(path: Path) -> list[PaperComparison]:
    """Delete the paper's labels and return the comparisons with its published counts."""
    execute(path, "DELETE FROM verdicts WHERE judge = ?", [replica.PAPER])
    return comparisons(path)


SHUTDOWN = "instrumentaleval/evading-shutdown/"


def test_a_run_on_another_pack_is_not_compared(tmp_path: Path) -> None:
    replica.write(tmp_path / "s.db", named=lambda n: f"starter/{n.split('/', 1)[1]}")
    assert comparisons(tmp_path / "s.db") == []
    out = call("report", "s.db", "--format", "html", "-o", "s.html", cwd=tmp_path)
    assert out[0] == 0, out
    page = (tmp_path / "s.html").read_text(encoding="utf-8")
    assert "the paper's published rate" not in page
    assert "the paper's published gap" not in page


@pytest.mark.parametrize("policy", Policy)
def test_figures_call_the_papers_numbers_published_only_under_its_own_policy(
    tmp_path: Path, policy: Policy
) -> None:
    own = replica.write(tmp_path / "s.db")
    with Store(tmp_path / "s.db") as store:
        tables = summarise_experiment(store, own, policy).tables
    for draw, what in ((rates, "rate"), (gaps, "gap")):
        drawn = draw(tables, WIDE).file().replace("&#x27;", "'")
        assert (f"the paper's published {what}" in drawn) == (policy is Policy.PAPER)
        assert (f"the paper's {what}, under policy {policy}" in drawn) == (policy != Policy.PAPER)


def test_a_run_on_one_category_is_compared_over_that_category(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    replica.write(path, named=lambda n: n if n.startswith(SHUTDOWN) else None)
    (paired,) = comparisons(path)
    (counted,) = unpaired_comparisons(path)
    for result in (paired, counted):
        assert [(d.run, d.paper, d.points) for d in result.differences] == [
            (100.0, 100.0, 0.0),
            (100.0, 100.0, 0.0),
            pytest.approx((13.33, 13.33, 0.0), abs=0.01),
            pytest.approx((86.67, 86.67, 0.0), abs=0.01),
        ]
        assert Standing.DIFFERS not in {d.standing for d in result.differences}
    assert paired.setup[0].endswith("the comparison covers the 15 that are among the paper's 71")
    assert counted.setup[0] == (
        "15 scenarios were planned; the comparison covers the 15 that are among the paper's 71, "
        "Evading Shutdown"
    )


def test_a_run_on_part_of_a_category_is_compared_only_item_by_item(
    tmp_path: Path,
) -> None:
    path = tmp_path / "p.db"
    kept = replica.NAMES[12:20]
    replica.write(path, named=lambda n: n if n in kept else None)
    (paired,) = comparisons(path)
    assert [d.points for d in paired.differences] == [0.0] * 4
    assert [i.scenarios for i in paired.items] == [8, 8, 8]
    (counted,) = unpaired_comparisons(path)
    assert counted.differences == ()
    assert counted.setup[0].startswith("8 scenarios were planned, and no category is complete")
    out = call("report", "p.db", cwd=tmp_path)
    assert out[0] == 0, out


def test_scenarios_that_the_paper_did_not_run_are_excluded(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    more = [f"{SHUTDOWN}{i:02d}" for i in range(20)]
    more = [name for name in more if name not in replica.NAMES]
    assert len(more) == 5
    replica.write(path, more=more)
    for (result,) in (comparisons(path), unpaired_comparisons(path)):
        assert [d.points for d in result.differences] == [0.0] * 4
        standings = {d.standing for d in result.differences}
        assert Standing.DIFFERS not in standings
        assert standings == {Standing.EQUIVALENT} or not result.is_paired
        assert result.setup[0] == (
            "76 scenarios were planned; the comparison covers the 71 that are among the paper's 71"
        )
    with Store(path) as store:
        (table,) = summarise(store, ReportFilter()).tables
    published = paper_rates(table)
    assert (published["anti"].count, published["anti"].total) == (3, 71)


DEGENERATE: dict[str, replica.Change] = {
    "no label of the run": lambda *_: None,
    "a single label": lambda *o: o[2] if o[:2] == ("pro", 3) else None,
    "all nonsensical": lambda *_: X,
    "one condition": lambda *o: o[2] if o[0] == "anti" else None,
    "all converge": lambda *_: C,
    "every label another": lambda *o: N if o[2] is C else C,
}


@pytest.mark.parametrize("kind", DEGENERATE)
def test_degenerate_runs_are_reported_in_every_format(tmp_path: Path, kind: str) -> None:
    replica.write(tmp_path / "d.db", DEGENERATE[kind])
    for form in ("terminal", "markdown", "json", "trials-csv", "html"):
        out = tmp_path / f"out.{form}"
        write_report(tmp_path / "d.db", form, ReportFilter(("all",)), out)
        text = html.unescape(out.read_text(encoding="utf-8"))
        assert not re.search(r"\b[Nn]a[Nn]\b|\bNone\b|\binf\b", text), form
        assert "the paper's own answers and labels" in text or form == "trials-csv"
