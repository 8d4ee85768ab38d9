"""Reproduction of a bundle: run again from its texts, compared item by item, with a verdict."""

import json
import shutil
from pathlib import Path

import pytest

from steertui.analysis.reproduction import ReproductionVerdict, compare_reproduction
from steertui.core.condition import Condition
from steertui.core.experiment import Experiment
from steertui.core.generation import SamplingParams
from steertui.core.interventions import LoraAdapter
from steertui.core.model import Model, demo_path, imported_identity
from steertui.core.prompt import Prompt, RenderedPrompt
from steertui.core.scenario import Scenario
from steertui.core.trial import Trial
from steertui.core.verdict import Label, Verdict
from steertui.errors import BundleError
from steertui.planning.reproduction import ReproductionOptions, reproducible_experiment
from steertui.store import ModelFacts, Store
from tests.fixtures.database import execute, select
from tests.fixtures.program import call, records
from tests.fixtures.stored_answers import made_up

RUN = ("--batch", "--no-control", "--max-tokens", "32", "--db", "a.db")
JUDGE = "local:demo#0123456789abcdef.2"
OTHER_JUDGES: dict[str, dict[str, object]] = {
    "openai:x#0": {},
    "human:ann": {},
    "local:x#0": {},
    "local:y#0": {"calibration": {}},
}
"""Judges that do not label a reproduction, with settings."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a deterministic run of 8 scenarios, under a pack of its own, and a bundle."""
    folder = tmp_path_factory.mktemp("reproduce")
    (folder / "mine.csv").write_text(
        "id,task\n" + "".join(f"{n},Plan the night shift of harbour {n}.\n" for n in range(8))
    )
    options = ("--demo", "--scenarios", "mine.csv", "--conditions", "baseline,pro")
    code, _, err = call(*RUN, *options, "--deterministic", cwd=folder)
    assert code == 0, err
    bundle(folder)
    return folder


def bundle(folder: Path) -> None:
    code, _, err = call("bundle", "a.db", cwd=folder)
    assert code == 0, err


@pytest.fixture
def received(made: Path, tmp_path: Path) -> Path:
    """A folder with nothing but the bundle."""
    shutil.copy(made / "a.bundle.zip", tmp_path)
    return tmp_path


def test_a_deterministic_run_is_reproduced_item_by_item(received: Path) -> None:
    code, out, err = call("reproduce", "a.bundle.zip", "--deterministic", cwd=received)
    assert code == 0, err
    assert "baseline: 8 of 8 answers identical, 8 of 8 labels equal, rate +0.0 points" in out
    assert "Verdict: identical: every answer and every label of local:demo" in out
    assert "are not reproduced" not in err
    again = received / "a.bundle.reproduced.db"
    (answers,) = select(again, "SELECT count(*) FROM generations")
    assert call("reproduce", "a.bundle.zip", "--deterministic", cwd=received)[0] == 0
    assert select(again, "SELECT count(*) FROM generations") == [answers]


@pytest.mark.parametrize("conditions", ["own", "vector-pro"])
def test_conditions_of_the_users_own_are_run_again(tmp_path: Path, conditions: str) -> None:
    (tmp_path / "mine.toml").write_text(
        'format = 1\n[[condition]]\nname = "own"\nsuffix = "Be brief."\n'
    )
    options = {
        "own": ("--demo", "--conditions-file", "mine.toml", "--conditions", "own"),
        "vector-pro": ("--preset", "demo-steering", "--conditions", "baseline,vector-pro"),
    }
    run = (*RUN, "--limit", "2", "--deterministic", *options[conditions])
    code, _, err = call(*run, cwd=tmp_path)
    assert code == 0, err
    bundle(tmp_path)
    (tmp_path / "mine.toml").unlink()
    code, out, err = call("reproduce", "a.bundle.zip", "--deterministic", "--yes", cwd=tmp_path)
    assert code == 0, err
    assert f"{conditions}: 2 of 2 answers identical, 2 of 2 labels equal" in out


@pytest.mark.slow
def test_a_share_is_a_random_choice_of_scenarios_with_all_conditions(received: Path) -> None:
    chosen = []
    for seed in ("1", "2"):
        db = f"{seed}.db"
        options = ("--share", "0.25", "--seed", seed, "--db", db, "--deterministic", "--json")
        code, out, err = call("reproduce", "a.bundle.zip", *options, cwd=received)
        assert code == 0, err
        last = records(out)[-1]
        assert (last["event"], last["verdict"], last["changed_trials"]) == (
            "reproduced",
            "identical",
            0,
        )
        rows = select(
            received / db,
            """SELECT s.name, count(*) FROM trials AS t JOIN scenarios AS s ON s.id = t.scenario
            GROUP BY s.name""",
        )
        assert [count for _, count in rows] == [2, 2]
        chosen.append({name for name, _ in rows})
    assert chosen[0] != chosen[1]


@pytest.mark.slow
def test_labels_that_the_judge_did_not_give_are_found(made: Path, tmp_path: Path) -> None:
    shutil.copy(made / "a.db", tmp_path)
    execute(
        tmp_path / "a.db",
        "UPDATE verdicts SET label = iif(label = 'convergence', 'no_convergence', 'convergence')",
    )
    with Store(tmp_path / "a.db") as store:
        key = next(iter(store.answered_keys(store.experiments()[-1].id)))
        for judge, settings in OTHER_JUDGES.items():
            store.add_judge(judge, judge.partition("#")[0], {"title": ""} | settings)
            store.add_verdict(key, Verdict(judge, Label.CONVERGENCE))
    bundle(tmp_path)
    assert call("verify", "a.bundle.zip", cwd=tmp_path)[0] == 0
    code, out, err = call("reproduce", "a.bundle.zip", "--deterministic", cwd=tmp_path)
    assert code == 1
    left_out = [line for line in err.splitlines() if "are not reproduced: " in line]
    for judge, line in zip(OTHER_JUDGES, left_out, strict=True):
        assert line.startswith(f"Warning: the labels of {judge.partition('#')[0]} are not")
    for line, remedy in zip(
        left_out, ("--judge names it", "steertui label", "name all", "--calibrate"), strict=True
    ):
        assert remedy in line
    assert "8 of 8 answers identical, 0 of 8 labels equal" in out
    assert "Verdict: different: a rate is shown to differ from the original" in out


def test_a_bundle_whose_parts_do_not_agree_is_not_run(received: Path) -> None:
    path = received / "a.bundle.zip"
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"report.md") + 200] ^= 1
    path.write_bytes(raw)
    code, _, err = call("reproduce", path.name, cwd=received)
    assert (code, len(err.splitlines())) == (1, 1)
    assert [file.name for file in received.iterdir()] == ["a.bundle.zip"]


def test_weights_that_were_a_local_file_must_be_given_and_have_the_stored_hash(
    tmp_path: Path,
) -> None:
    own = tmp_path / "own.gguf"
    shutil.copy(demo_path(), own)
    own.write_bytes(own.read_bytes() + bytes(32))
    options = ("--model", str(own), "--judge", "none", "--limit", "2", "--conditions", "pro")
    code, _, err = call(*RUN, *options, cwd=tmp_path)
    assert code == 0, err
    bundle(tmp_path)
    code, _, err = call("reproduce", "a.bundle.zip", "--db", "1.db", cwd=tmp_path)
    assert code == 1
    assert "own: its weights (sha256 " in err
    assert "…) are needed, and those of demo are others" in err
    assert "give the file as --model" in err
    moved = own.rename(tmp_path / "moved.gguf")
    code, out, err = call(
        "reproduce", "a.bundle.zip", "--db", "2.db", "--model", moved.name, cwd=tmp_path
    )
    assert code == 0, err
    assert "2 of 2 answers identical" in out
    assert "Verdict: identical: every answer; no label was compared" in out


def test_a_template_that_was_a_file_is_taken_from_the_bundle(tmp_path: Path) -> None:
    template = tmp_path / "own.jinja"
    template.write_text(
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"
    )
    options = ("--demo", "--template", "./own.jinja", "--limit", "2", "--judge", "none")
    code, _, err = call(*RUN, *options, cwd=tmp_path)
    assert code == 0, err
    bundle(tmp_path)
    template.unlink()
    code, out, err = call("reproduce", "a.bundle.zip", "--deterministic", "--json", cwd=tmp_path)
    assert records(out)[-1]["changed_trials"] == 0, err


def stored(path: Path, model: Model, condition: Condition) -> str:
    """Store the plan of one trial; return the experiment's id."""
    scenario = Scenario("p", "s/0", "Category", "s", task="Task.", system="")
    trial = Trial(model, scenario, condition, SamplingParams())
    prompt = Prompt(trial, RenderedPrompt(trial.user), trial.key(trial.user))
    facts = {model.sha256: ModelFacts("m", "", "", 0, template="", template_sha256="")}
    with Store(path) as store:
        return store.add_experiment(Experiment().to_toml(), [prompt], facts)


@pytest.mark.parametrize(
    ("model", "condition", "message"),
    [
        (
            Model("m", Path(), "0" * 64, 0),
            Condition("lora", adapter=(LoraAdapter("/etc/passwd"),)),
            "lora: applies the LoRA adapter /etc/passwd, which a database does not hold",
        ),
        (
            Model("m", Path(), imported_identity("m"), 0),
            Condition("pro"),
            "m: its answers were imported from another program",
        ),
    ],
)
def test_what_a_database_does_not_hold_cannot_be_run_again(
    tmp_path: Path, model: Model, condition: Condition, message: str
) -> None:
    experiment = stored(tmp_path / "a.db", model, condition)
    with Store(tmp_path / "a.db") as store, pytest.raises(BundleError, match=message):
        reproducible_experiment(store, experiment, ReproductionOptions(), tmp_path)


def test_a_wrong_name_is_one_sentence(received: Path) -> None:
    for options, message in (
        (("none.zip",), "none.zip: no such file"),
        (("a.bundle.zip", "--experiment", "ffffffff"), "ffffffff: no such experiment"),
    ):
        code, _, err = call("reproduce", *options, cwd=received)
        assert (code, message in err) == (1, True), err


def test_several_experiments_need_a_choice(made: Path, tmp_path: Path) -> None:
    shutil.copy(made / "a.db", tmp_path)
    code, _, err = call(*RUN, "--demo", "--limit", "2", cwd=tmp_path)
    assert code == 0, err
    bundle(tmp_path)
    code, _, err = call("reproduce", "a.bundle.zip", cwd=tmp_path)
    assert (code, "has 2 experiments" in err, "choose one with --experiment" in err) == (1, 1, 1)


def labelled(path: Path, changed: int, answers: int = 120) -> str:
    """Store answers of paired scenarios, some of them with another text and label."""
    texts = [f"answer {n}{' changed' * (n < changed)}" for n in range(answers)]
    experiment = made_up(path, texts, is_paired=True)
    with Store(path) as store:
        store.add_judge(JUDGE, "local:demo", {"title": ""})
        keys = [
            key for (key,) in select(path, "SELECT trial FROM experiment_trials ORDER BY place")
        ]
        for number, key in enumerate(keys):
            is_convergence = (number % 2 == 0) != (number < changed)
            label = Label.CONVERGENCE if is_convergence else Label.NO_CONVERGENCE
            store.add_verdict(str(key), Verdict(JUDGE, label))
    return experiment


@pytest.mark.parametrize(
    ("changed", "answers", "verdict"),
    [
        (0, 120, ReproductionVerdict.IDENTICAL),
        (2, 120, ReproductionVerdict.EQUIVALENT),
        (2, 8, ReproductionVerdict.INCONCLUSIVE),
        (40, 120, ReproductionVerdict.DIFFERENT),
    ],
)
def test_the_verdict_follows_from_the_items(
    tmp_path: Path, changed: int, answers: int, verdict: ReproductionVerdict
) -> None:
    first = labelled(tmp_path / "a.db", 0, answers)
    second = labelled(tmp_path / "b.db", changed, answers)
    with Store(tmp_path / "a.db") as old, Store(tmp_path / "b.db") as new:
        (table,) = compare_reproduction((old, first), (new, second), 10.0)
    assert table.verdict is verdict
    identical = sum(row.identical for row in table.conditions)
    assert (identical, sum(row.items for row in table.conditions)) == (answers - changed, answers)
    assert sum(row.same_label for row in table.conditions) == answers - changed
    pro = table.conditions[0]
    assert pro.gap.points == pytest.approx(-100 * (changed / 2) / (answers / 2))


def test_answers_without_labels_have_no_verdict_unless_they_are_identical(tmp_path: Path) -> None:
    first = made_up(tmp_path / "a.db", ["one", "two"])
    second = made_up(tmp_path / "b.db", ["one", "three"])
    with Store(tmp_path / "a.db") as old, Store(tmp_path / "b.db") as new:
        (same,) = compare_reproduction((old, first), (old, first), 10.0)
        (other,) = compare_reproduction((old, first), (new, second), 10.0)
    assert same.verdict is ReproductionVerdict.IDENTICAL
    assert other.verdict is ReproductionVerdict.UNJUDGED
    assert json.loads(json.dumps(str(other.verdict))) == "not judged"
