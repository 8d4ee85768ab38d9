"""Arms of several wordings, variance splits and pooled gaps in the analysis of a database."""

import html
import json
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from steertui.analysis.arms import arm_results, compared_arms, text_arms
from steertui.analysis.primary_gaps import pooled_gaps, pooled_sentence
from steertui.analysis.summary import Summary, summarise_experiment
from steertui.analysis.variance import factor_sentences, variance_sentence
from steertui.core.condition import Condition
from steertui.core.generation import Generation, SamplingParams, StopReason
from steertui.core.interventions import DirectionalAblation
from steertui.core.model import Model
from steertui.core.prompt import Prompt, RenderedPrompt
from steertui.core.scenario import Scenario
from steertui.core.trial import Trial
from steertui.core.verdict import Label, Verdict
from steertui.stats.variance_split import VarianceSplit
from steertui.store import ModelFacts, Store
from tests.fixtures.program import call

CONDITIONS = (
    Condition("baseline"),
    *(Condition(f"pro-{i}", f"Go on {i}.", arm="pro") for i in range(3)),
    *(Condition(f"anti-{i}", f"Stop {i}.", arm="anti") for i in range(2)),
)
RATES = {"baseline": 0.4, "pro-0": 0.8, "pro-1": 0.5, "pro-2": 0.9, "anti-0": 0.2, "anti-1": 0.1}
SCENARIOS = 40


def stored(db: Path, *, samples: int = 1, temperatures: Mapping[float, int] | None = None) -> str:
    """Store labelled answers of two models under the conditions; return the experiment's id.

    With `temperatures`, numbers of samples by temperature, they are those of one model.
    """
    rng = random.Random(3)
    prompts = []
    labels = []
    models = [Model(name, Path(), digit * 64, 0) for name, digit in (("one", "1"), ("two", "2"))]
    models = models[:1] if temperatures else models
    numbers = temperatures or {1.0: samples}
    settings = [SamplingParams(temperature=t) for t, count in numbers.items() for _ in range(count)]
    positions = [position for count in numbers.values() for position in range(count)]
    for model in models:
        for number in range(SCENARIOS):
            scenario = Scenario(
                "p", f"s/{number:03d}", "Systems", f"s{number}", task=f"Task {number}.", system=""
            )
            for condition in CONDITIONS:
                for sampling, sample in zip(settings, positions, strict=True):
                    trial = Trial(model, scenario, condition, sampling, sample)
                    rendered = RenderedPrompt(trial.user)
                    prompts.append(Prompt(trial, rendered, trial.key(trial.user)))
                    converges = rng.random() < RATES[condition.name]
                    labels.append(Label.CONVERGENCE if converges else Label.NO_CONVERGENCE)
    facts = {
        m.sha256: ModelFacts(m.name, "", "", 0, template="", template_sha256="") for m in models
    }
    with Store(db) as store:
        experiment = store.add_experiment("", prompts, facts)
        run = store.add_run(experiment, {}, "", {})
        store.add_judge("paper:x", "paper:x", {"title": ""})
        for number, (prompt, label) in enumerate(zip(prompts, labels, strict=True)):
            answer = Generation(f"answer {number}", StopReason.STOP, 1, 1, 0.0)
            store.add_generation(prompt.key, run, answer)
            store.add_verdict(prompt.key, Verdict("paper:x", label))
    return experiment


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("arms") / "a.db"
    stored(path)
    return path


@pytest.fixture(scope="module")
def summary(db: Path) -> Summary:
    with Store(db) as store:
        return summarise_experiment(store, store.experiments()[-1].id)


def test_arms_are_compared_by_name_with_an_interval_over_wordings(summary: Summary) -> None:
    table = summary.tables[0]
    pairs = [(arm.gap.texts.first, arm.gap.texts.second) for arm in table.arms]
    assert pairs == [("pro", "anti"), ("pro", "baseline"), ("baseline", "anti")]
    first = table.arms[0]
    assert first.gap.wordings == (3, 2)
    assert first.gap.over is not None
    assert first.gap.texts.low is not None
    assert first.gap.over.low < first.gap.texts.low
    assert first.sentence.startswith("3 wordings of pro and 2 wordings of anti: +")
    assert "baseline is one text, taken as fixed" in table.arms[1].sentence


def test_the_primary_condition_stands_for_its_arm_in_the_variance_split(summary: Summary) -> None:
    table = summary.tables[0]
    assert table.primary is not None
    assert table.split is not None
    assert table.split.wordings is not None
    (sentence,) = factor_sentences(table)
    assert "wordings" in sentence
    assert "with twice as many wordings" in sentence


def test_arms_are_hidden_with_a_condition_and_keep_their_numbers(summary: Summary) -> None:
    table = summary.tables[0]
    shown = table.only([name for name in table.conditions if name != "anti-1"])
    assert [arm.gap.texts.second for arm in shown.arms] == ["baseline"]
    assert shown.arms[0] == table.arms[1]


def test_models_are_pooled_under_their_judge(summary: Summary) -> None:
    (pooled,) = pooled_gaps(summary.complete)
    assert (pooled.settings, pooled.judge) == (2, "paper:x")
    points = [table.primary.gap.points or 0.0 for table in summary.complete if table.primary]
    assert pooled.gap.points == pytest.approx(sum(points) / 2)
    assert pooled.gap.pairs == SCENARIOS


def test_a_pool_of_one_and_of_several_samples_says_what_counts_once(
    summary: Summary, tmp_path: Path
) -> None:
    (single,) = pooled_gaps(summary.complete)
    assert single.answers == 2 * single.pairs == 4 * SCENARIOS
    assert f"each of the {single.pairs} valid pairs counts once" in pooled_sentence(single)
    assert pooled_sentence(single).endswith("speaks of these models")
    stored(tmp_path / "a.db", temperatures={0.0: 1, 0.9: 2})
    with Store(tmp_path / "a.db") as store:
        several = summarise_experiment(store, store.experiments()[-1].id)
    (pooled,) = pooled_gaps(several.complete)
    answers = 0
    for table in several.complete:
        assert table.primary
        compared = {table.primary.gap.first, table.primary.gap.second}
        answers += sum(outcome.condition in compared for outcome in table.outcomes)
    words = pooled_sentence(pooled)
    assert f"each of the {answers} valid answers of {pooled.pairs} pairs counts once" in words
    assert "a setting with more samples weighs more" in words
    assert words.endswith("the gap speaks of this model at these temperatures")
    code, _, err = call("report", "a.db", "--format", "html", "-o", "a.html", cwd=tmp_path)
    assert code == 0, err
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    names = re.findall(r'href="#table-\d">([^<]*)</a>', page)
    assert names == ["one at 0 · paper:x", "one at 0.9 · paper:x"]


def test_every_form_shows_wordings_split_and_pooled_gap(db: Path, summary: Summary) -> None:
    table = summary.tables[0]
    arm = table.arms[0].sentence
    for form in ("terminal", "markdown", "html"):
        options = ("--detail", "--format", form, "-o", form)
        code, _, err = call("report", db.name, *options, cwd=db.parent)
        assert code == 0, err
        text = (db.parent / form).read_text(encoding="utf-8")
        text = " ".join(html.unescape(text).replace("\\", "").split())
        assert arm in text, form
        assert "Estimated standard error of" in text, form
    short = " ".join(call("report", db.name, cwd=db.parent)[1].split())
    assert arm in short
    assert "pooled over the 2 model settings" in short
    assert "intervals between arms are about wordings like these" in short
    record = json.loads(call("report", db.name, "--format", "json", cwd=db.parent)[1])
    own = record["tables"][0]
    assert own["arms"][0]["wordings"] == [3, 2]
    assert own["variance"]["error_with_twice"]["wordings"] < own["variance"]["standard_error"]
    assert record["pooled"][0]["settings"] == 2


def test_two_wordings_of_one_arm_stand_for_themselves() -> None:
    arms = {"pro": ["p1", "p2"], "anti": ["a1", "a2", "a3"], "plain": ["baseline"]}
    assert compared_arms(("p2", "p1"), arms) == (("p2", ["p2"]), ("p1", ["p1"]))
    assert compared_arms(("p1", "a2"), arms) == (("pro", arms["pro"]), ("anti", arms["anti"]))
    assert compared_arms(("baseline", "a1"), arms) == (
        ("baseline", ["baseline"]),
        ("anti", arms["anti"]),
    )
    assert compared_arms(("x", "y"), arms) == (("x", ["x"]), ("y", ["y"]))


def test_the_standard_error_is_named_after_the_arms_that_it_is_of(summary: Summary) -> None:
    table = summary.tables[0]
    assert table.primary
    (sentence,) = factor_sentences(table)
    assert table.split_between == ("pro", "baseline")
    assert sentence.startswith("Estimated standard error of pro − baseline: ")
    assert (table.primary.gap.first, table.primary.gap.second) != table.split_between


def test_methods_and_labels_without_worth_have_no_conclusion_on_wordings() -> None:
    ablated = replace(CONDITIONS[1], ablation=(DirectionalAblation("v", 1.0),))
    assert set(text_arms([ablated, *CONDITIONS[2:]])) == {"anti"}
    assert set(text_arms(CONDITIONS)) == {"baseline", "pro", "anti"}
    counts = {c.name: {"a": (1, 1), "b": (i % 2, 1)} for i, c in enumerate(CONDITIONS)}
    results = arm_results(text_arms(CONDITIONS), counts, is_reliable=False)
    assert all(result.sentence.startswith("nothing is concluded") for result in results)


def label_again(store: Store, experiment: str, judge: str, period: int) -> None:
    """Store labels of another judge: each answer converges but every `period`-th."""
    store.add_judge(judge, judge, {"title": ""})
    for number, answer in enumerate(store.unjudged_answers(experiment, judge)):
        label = Label.CONVERGENCE if number % period else Label.NO_CONVERGENCE
        store.add_verdict(answer.key, Verdict(judge, label))


def test_judges_and_samples_enter_the_split(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "b.db", samples=3)
    with Store(tmp_path / "b.db") as store:
        label_again(store, experiment, "paper:y", 3)
        two = summarise_experiment(store, experiment).tables[0]
        label_again(store, experiment, "paper:z", 5)
        table = summarise_experiment(store, experiment).tables[0]
    assert two.split is not None
    assert two.split.judges is None
    (sentence,) = factor_sentences(table)
    assert " by paper:x as an estimate for judges like these: " in sentence
    assert table.split is not None
    assert table.split.samples is not None
    assert table.split.samples > 0
    assert table.split.judges is not None
    assert table.split.judges > 0


def test_a_variance_split_states_how_uncertain_it_is() -> None:
    split = VarianceSplit(18, 0, None, 42, None, number=12, scenario_limits=(0.0, 0.76))
    assert variance_sentence(split, "pro − anti") == (
        "Estimated standard error of pro − anti: 7.7 points (scenarios 30 %, samples 70 %); 5.5 "
        "with twice as many scenarios, 6.2 with twice as many samples; the split is estimated from "
        "12 scenarios: the 95 % limits of their share are about 0 and 76 %"
    )
    judged = replace(split, judges=5.0)
    assert variance_sentence(judged, "pro − anti").endswith(
        "; the split is estimated from 12 scenarios and is uncertain"
    )
