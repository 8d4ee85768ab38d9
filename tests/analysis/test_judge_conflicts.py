"""Judges with opposite conclusions: every comparison and form, pooled gaps, no finding anywhere."""

import html
import json
from pathlib import Path

import jsonschema
import pytest

from steertui.analysis.primary_gaps import pooled_gaps, pooled_sentence
from steertui.analysis.sentences import Finding
from steertui.analysis.summary import ReportFilter, Summary, summarise
from steertui.core.verdict import Label, Verdict
from steertui.paper.importing import import_runs, read_runs
from steertui.store import Store
from tests.analysis.test_model_series import SCHEMA
from tests.fixtures.program import call
from tests.fixtures.real import RUNS, needs_shared
from tests.fixtures.sized_models import JUDGE, Made, store_models

OTHER = "openai:other#1"
MODELS = {name: Made(1_000_000_000, "arch", 24, 27, 4) for name in ("first", "second")}
FORMS = ("terminal", "markdown", "html", "latex")


def label_none_convergent(store: Store) -> None:
    """Add a judge that labels every answer of the newest experiment as not convergent."""
    store.add_judge(OTHER, "openai:other", {"title": ""})
    for key in store.answered_keys(store.experiments()[-1].id):
        store.add_verdict(key, Verdict(OTHER, Label.NO_CONVERGENCE))


def summary_of(path: Path) -> Summary:
    with Store(path) as store:
        return summarise(store, ReportFilter())


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("conflicts") / "a.db"
    store_models(path, MODELS)
    with Store(path) as store:
        label_none_convergent(store)
    return path


def test_every_contradicted_comparison_is_no_finding(db: Path) -> None:
    summary = summary_of(db)
    assert len(summary.tables) == 4
    for table in summary.tables:
        found = {f"{c.gap.first} − {c.gap.second}": c for c in table.comparisons}
        contested = {name for name, c in found.items() if c.finding is Finding.CONTESTED}
        # pro − baseline is +7.5 points by one judge, within the other's interval of 0.
        assert contested == {"pro − anti", "baseline − anti"}
        rival = "other" if table.judge and table.judge.id == JUDGE else "judge"
        start = f"No finding (openai:{rival} leads to another conclusion): "
        assert all(found[name].sentence.startswith(start) for name in contested)
        warned = {
            w.text.split(" is no finding")[0] for w in table.warnings if "no finding" in w.text
        }
        categories = " and ".join(table.category_gaps)
        assert warned == contested | {f"the gap in each of {categories}"}


def test_judges_that_agree_have_findings(tmp_path: Path) -> None:
    store_models(tmp_path / "a.db", MODELS)
    findings = {c.finding for t in summary_of(tmp_path / "a.db").tables for c in t.comparisons}
    assert Finding.CONTESTED not in findings
    (pooled,) = pooled_gaps(summary_of(tmp_path / "a.db").complete)
    assert (pooled.contested, pooled.rivals) == (0, ())
    assert "finding" not in pooled_sentence(pooled)


def test_pooled_gaps_that_contradict_each_other_are_no_finding(db: Path) -> None:
    one, other = pooled_gaps(summary_of(db).complete)
    assert [one.gap.points, other.gap.points] == pytest.approx([57.5, 0.0])
    assert (one.contested, one.rivals) == (2, ("openai:other",))
    assert pooled_sentence(one).endswith(
        "; this is no finding, because the gap pooled by openai:other leads to another conclusion"
    )
    assert "pooled by openai:judge" in pooled_sentence(other)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_marks_primary_and_secondary_comparisons(db: Path, form: str) -> None:
    options = ("--detail", "--format", form, "-o", form)
    code, _, err = call("report", db.name, *options, cwd=db.parent)
    assert code == 0, err
    text = (db.parent / form).read_text(encoding="utf-8")
    shown = html.unescape(text).replace(r"$\neq$", "≠").replace("$-$", "−")
    assert shown.count("≠ pro − anti") >= 4
    assert shown.count("≠ baseline − anti") >= 4
    legend = (
        "no finding, because another judge leads to another conclusion (both judges show a "
        "difference, in opposite directions, or only one does, and its gap is outside the other's "
        "interval)"
    )
    assert legend in " ".join(shown.split())
    assert ("this is no finding, because the gap pooled" in shown) == (form != "latex")


def test_the_record_names_the_rivals(db: Path) -> None:
    code, text, err = call("report", db.name, "--format", "json", cwd=db.parent)
    assert code == 0, err
    record = json.loads(text)
    jsonschema.validate(record, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [pooled["rivals"] for pooled in record["pooled"]] == [["openai:other"], ["openai:judge"]]
    findings = [c["finding"] for table in record["tables"] for c in table["comparisons"]]
    assert findings.count("no finding: judges differ") == 8


@needs_shared
def test_a_judge_without_findings_contradicts_the_papers_labels(tmp_path: Path) -> None:
    with Store(tmp_path / "p.db") as store:
        import_runs(read_runs(RUNS), store)
        label_none_convergent(store)
    summary = summary_of(tmp_path / "p.db")
    paper = [table for table in summary.tables if table.judge and table.judge.id != OTHER]
    assert len(paper) == 3
    for table in paper:
        assert table.primary is not None
        assert table.primary.finding is Finding.CONTESTED
    pooled, _ = pooled_gaps(summary.complete)
    assert (pooled.contested, pooled.rivals) == (3, ("openai:other",))


def test_a_judge_with_one_label_is_a_kind_of_warning_of_its_own(db: Path) -> None:
    out = call("report", db.name, cwd=db.parent)[1]
    warnings = " ".join(out.split())
    one = warnings.index("openai:other gives one label, no convergence, to 100 % of all")
    assert "(and 1 more: judge with one label)" in warnings
    assert one < warnings.index("more: judge disagreement)")
