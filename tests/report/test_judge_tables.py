"""Judges in the report: agreement, alpha and corrected rates, equal in every format."""

import html
import json
from collections import Counter
from pathlib import Path

import pytest

from steertui.analysis.judge_panels import judge_panels
from steertui.analysis.label_queue import QueueOrder, add_label, build_queue
from steertui.analysis.summary import ReportFilter, summarise
from steertui.core.verdict import Label
from steertui.stats.misclassification import JudgedAnswer, corrected_gap, corrected_rate
from steertui.store import Store
from tests.fixtures import replica
from tests.fixtures.program import call

C, N, S, X = Label
ROOT = Path(__file__).resolve().parents[2]


def lenient(condition: str, place: int, label: Label) -> Label | None:
    """Return the label of a judge that calls every fourth item under anti convergent."""
    return C if condition == "anti" and place % 4 == 0 else label


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person labels 24 answers per condition, drawn at random from each of the judge's labels.

    The person's labels are the paper's.
    """
    path = tmp_path_factory.mktemp("judges")
    experiment = replica.write(path / "a.db", lenient)
    paper = {(c, i): label for c, i, _, label in replica.published()}
    with Store(path / "a.db") as store:
        read: Counter[str] = Counter()
        for item in build_queue(store, experiment, "human:ann", replica.JUDGE, QueueOrder.RANDOM):
            if read[item.condition] < 24:
                read[item.condition] += 1
                place = replica.place_of(item.task)
                add_label(store, "human:ann", item, paper[item.condition, place])
    return path


def test_rates_and_gap_are_corrected_to_a_persons_labels(folder: Path) -> None:
    paper = {(c, i): label for c, i, _, label in replica.published()}
    with Store(folder / "a.db") as store:
        (panel,) = judge_panels(summarise(store, ReportFilter()))
        outcomes = next(iter(store.outcomes(panel.experiment, "human:ann").values()))
    read = {(o.condition, replica.NAMES.index(o.scenario)) for o in outcomes if o.label}
    (pair,) = panel.agreement.comparisons
    assert (pair.first.name, pair.second.name) == ("human:ann", "openai:gpt-5.2")
    answers = {}
    for condition in ("pro", "anti"):
        answers[condition] = [
            JudgedAnswer(
                scenario=replica.NAMES[i],
                label=lenient(condition, i, paper[condition, i]) or X,
                reference=paper[condition, i] if (condition, i) in read else None,
            )
            for i in range(71)
        ]
        assert sum(answer.reference is not None for answer in answers[condition]) == 24
        rate = corrected_rate(answers[condition], C, frozenset({C, N, S}))
        assert pair.corrections[0].rates[condition] == rate
    anti = pair.corrections[0].rates["anti"]
    assert anti.value is not None
    assert anti.value < anti.raw - 0.1
    valid = frozenset({C, N, S})
    assert pair.corrections[0].gap == corrected_gap(answers["pro"], answers["anti"], C, valid)
    assert pair.by_condition["baseline"].agreed == pair.by_condition["baseline"].items == 24
    assert pair.by_condition["anti"].agreed < 24


def test_every_format_shows_agreement_alpha_and_corrected_rates(folder: Path) -> None:
    with Store(folder / "a.db") as store:
        (panel,) = judge_panels(summarise(store, ReportFilter()))
    (pair,) = panel.agreement.comparisons
    (correction,) = pair.corrections
    rate, gap = correction.rates["anti"], correction.gap
    assert rate.value is not None
    assert gap is not None
    kappa, points = f"{pair.overall.kappa:.2f}", f"{gap[0]:+.1f}"
    for form in ("terminal", "markdown", "html"):
        options = ("--detail", "--format", form, "-o", form)
        assert call("report", "a.db", *options, cwd=folder)[0] == 0
        text = html.unescape((folder / form).read_text(encoding="utf-8"))
        assert "openai:gpt-5.2 against human:ann" in text
        assert f"Krippendorff's alpha over 2 judges: {panel.agreement.alpha:.2f}" in text
        for number in (kappa, points, f"{100 * rate.value:.1f}", "24 of 71", "drawn at random"):
            assert number in text, (form, number)
    agree = call("agree", "a.db", "--experiment", panel.experiment, cwd=folder)[1]
    assert points in agree
    record = json.loads(call("report", "a.db", "--format", "json", cwd=folder)[1])
    (judges,) = record["judges"]
    assert judges["pairs"][0]["corrected_gap"] == list(gap)
    assert judges["pairs"][0]["agreement"]["kappa"] == pair.overall.kappa
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads((ROOT / "steertui/report/schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(record, schema)
    assert record["paper"][0]["items"]


def test_a_persons_stratified_labels_are_in_no_comparison_of_rates(folder: Path) -> None:
    record = json.loads(call("report", "a.db", "--format", "json", cwd=folder)[1])
    assert not [c for c in record["comparisons"] if c["title"].startswith("Judges compared")]
    (person,) = [t for t in record["tables"] if t["judge"] == "human:ann"]
    assert "labelled 72 of 213 answers" in person["judge_sentence"]
