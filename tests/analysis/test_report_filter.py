"""Report filter: selection of tables by name, also by ambiguous names."""

import json
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest

from steertui.analysis.comparisons import compare_tables
from steertui.analysis.judge_agreement import compare_judges
from steertui.analysis.summary import ReportFilter, Summary, summarise
from steertui.core.condition import Condition
from steertui.core.experiment import Experiment
from steertui.core.generation import Generation, SamplingParams, StopReason
from steertui.core.model import Model
from steertui.core.prompt import Prompt, RenderedPrompt
from steertui.core.scenario import Scenario
from steertui.core.trial import Trial
from steertui.core.verdict import Label, Verdict
from steertui.errors import ExperimentError
from steertui.report.page.content import page_values
from steertui.store import ModelFacts, Store
from steertui.store.progress_queries import survey
from tests.fixtures import replica
from tests.fixtures.program import call, call_anew

C, N = Label.CONVERGENCE, Label.NO_CONVERGENCE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    replica.write(tmp_path / "a.db")
    return tmp_path


def summary_of(folder: Path, selection: ReportFilter) -> Summary:
    with Store(folder / "a.db") as store:
        return summarise(store, selection)


def test_an_experiment_is_selected_by_its_id_or_a_prefix(folder: Path) -> None:
    with Store(folder / "a.db") as store:
        older, newer = (known.id for known in store.experiments())
        assert store.resolve_experiment(older[:8]) == older
    for word, experiment in ((older, older), (older[:8], older), (newer[:12], newer)):
        assert summary_of(folder, ReportFilter((word,))).experiments == (experiment,)
    with pytest.raises(ExperimentError, match=f"{older[:3]}: no such experiment; there are"):
        summary_of(folder, ReportFilter((older[:3],)))


def test_other_names_have_no_prefixes(folder: Path) -> None:
    for word, selection in (
        ("Qwen3-4B-Instruct-2507-Q4_K", ReportFilter(models=("Qwen3-4B-Instruct-2507-Q4_K",))),
        ("imported", ReportFilter(("all",), models=("imported",))),
        ("openai:gpt", ReportFilter(judges=("openai:gpt",))),
        ("baselin", ReportFilter(conditions=("baselin",))),
    ):
        with pytest.raises(ExperimentError, match=f"{word}: no such .*; there are"):
            summary_of(folder, selection)
    assert len(summary_of(folder, ReportFilter(models=("00000000",))).tables) == 1
    assert len(summary_of(folder, ReportFilter(judges=("openai:gpt-5.2",))).tables) == 1


def test_an_ambiguous_prefix_raises_experiment_error(tmp_path: Path) -> None:
    two_of_one_name(tmp_path / "a.db", "3" * 32)
    with pytest.raises(ExperimentError, match="33333333: more than one model starts with it: 3"):
        summary_of(tmp_path, ReportFilter(models=("33333333",)))


def two_of_one_name(path: Path, begin: str = "") -> str:
    """Store the answers of two files with one name, labelled by two judges.

    The judges agree on the first file's answers only.
    """
    models = [Model("m", Path(f"{end}/m.gguf"), (begin + end * 64)[:64], 0) for end in ("3", "4")]
    prompts = [
        Prompt(trial, RenderedPrompt(trial.user), trial.key(trial.user))
        for model in models
        for i in range(12)
        for name, suffix in replica.SUFFIXES.items()
        for trial in [
            Trial(
                model,
                Scenario(
                    pack="p",
                    id=f"s/{i:02d}",
                    category="A",
                    title=f"s{i}",
                    task=f"Task {i}.",
                    system="",
                ),
                Condition(name, suffix),
                SamplingParams(),
            )
        ]
    ]
    with Store(path) as store:
        facts = {
            m.sha256: ModelFacts(
                title="m",
                architecture="",
                description="",
                parameters=0,
                template="",
                template_sha256="",
            )
            for m in models
        }
        experiment = store.add_experiment("", prompts, facts)
        run = store.add_run(experiment, {}, "", {})
        for judge in ("openai:a#1", "openai:b#2"):
            store.add_judge(judge, judge.partition("#")[0], {"title": ""})
        for prompt in prompts:
            store.add_generation(prompt.key, run, Generation("x", StopReason.STOP, 1, 1, 0.0))
            label = C if prompt.trial.model is models[0] else N
            store.add_verdict(prompt.key, Verdict("openai:a#1", label))
            store.add_verdict(prompt.key, Verdict("openai:b#2", C))
    return experiment


def test_models_with_the_same_name_are_counted_separately(tmp_path: Path) -> None:
    experiment = two_of_one_name(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        whole = compare_judges(store, experiment).comparisons[0].overall
        assert (whole.items, whole.agreed) == (72, 36)
        groups = {place.group for place in survey(store, experiment, "")[0]}
        assert groups == {"m 33333333 t0", "m 44444444 t0"}
        tags = {table.tag for table in summarise(store, ReportFilter()).tables}
        assert tags == {"weights 33333333", "weights 44444444"}


def test_a_report_does_not_depend_on_the_order_of_sets(folder: Path) -> None:
    options = ("report", "a.db", "--experiment", "all", "--format", "json")
    label = {call_anew(*options, cwd=folder, seed=seed) for seed in ("0", "1", "2")}
    assert len(label) == 1
    assert label.pop()[0] == 0


def answered(
    path: Path,
    model: str,
    scenarios: int,
    *,
    max_tokens: int = 1024,
    names: Sequence[str] = ("baseline", "pro", "anti"),
    stop: StopReason = StopReason.STOP,
) -> str:
    """Store a model's answers to `scenarios` scenarios; return the experiment."""
    toml = Experiment(max_tokens=max_tokens).to_toml()
    file, prompts = Model(model, Path(), model * 64, 0), []
    for i in range(scenarios):
        for name in names:
            scenario = Scenario(
                pack="p", id=f"s/{i:02d}", category="A", title=f"s{i}", task=f"Task {i}.", system=""
            )
            condition = Condition(name, replica.SUFFIXES[name])
            trial = Trial(file, scenario, condition, SamplingParams(max_tokens=max_tokens))
            prompts.append(Prompt(trial, RenderedPrompt(trial.user), trial.key(trial.user)))
    with Store(path) as store:
        facts = {
            file.sha256: ModelFacts(
                title=model,
                architecture="",
                description="",
                parameters=0,
                template="",
                template_sha256="",
            )
        }
        experiment = store.add_experiment(toml, prompts, facts)
        run = store.add_run(experiment, {}, "", {})
        store.add_judge("openai:a#1", "openai:a", {"title": ""})
        done = store.answered_keys(experiment)
        for prompt in prompts:
            if prompt.key not in done:
                store.add_generation(prompt.key, run, Generation("x", stop, 1, 1, 0.0))
                store.add_verdict(prompt.key, Verdict("openai:a#1", C))
    return experiment


def test_experiments_are_compared_only_if_they_differ_in_their_models(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    answered(db, "1", 12)
    answered(db, "2", 12)
    answered(db, "1", 8)
    answered(db, "3", 12, max_tokens=99)
    summary = summary_of(tmp_path, ReportFilter(("all",)))
    (comparison,) = compare_tables(summary)
    assert comparison.title.startswith("Models compared, judged by openai:a, experiments ")
    assert {(g.first, g.second) for line in comparison.lines for g in [line.comparison.gap]} == {
        ("1", "2")
    }
    assert summary.remarks == (
        "The experiments differ in max_tokens, the scenarios; models are compared only if "
        "nothing else differs.",
    )


def test_the_heading_names_no_pair_if_the_pairs_differ(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    answered(db, "1", 8)
    answered(db, "2", 8, names=("baseline", "anti"))
    with Store(db) as store:
        heading = str(page_values(store, summarise(store, ReportFilter(("all",))), [])["heading"])
    assert heading == "2 gaps between conditions of +0.0 to +0.0 points"


def test_an_unknown_reference_judge_is_an_error(folder: Path) -> None:
    code, _, err = call("label", "a.db", "--annotator", "ann", "--reference", "opnai", cwd=folder)
    assert (code, err) == (
        1,
        "steertui: opnai: no such judge; there are openai:gpt-5.2\n",
    )


def test_an_answer_with_an_unknown_stop_reason_is_exported_to_an_inspect_log(
    tmp_path: Path,
) -> None:
    answered(tmp_path / "a.db", "1", 2, stop=StopReason.UNKNOWN)
    code, _, err = call("export", "a.db", "--inspect", "logs", cwd=tmp_path)
    assert code == 0, err
    for log in (tmp_path / "logs").glob("*.eval"):
        with ZipFile(log) as file:
            samples = [json.loads(file.read(n)) for n in file.namelist() if "samples/" in n]
        assert {s["output"]["choices"][0]["stop_reason"] for s in samples} == {"unknown"}
        assert len(samples) == 2
