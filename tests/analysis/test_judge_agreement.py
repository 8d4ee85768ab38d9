"""Judge agreement in one database: published labels and a server judge."""

from pathlib import Path

from steertui.analysis.judge_agreement import compare_judges
from steertui.core.verdict import Label, Verdict
from steertui.store import Store
from tests.fixtures.program import call
from tests.fixtures.stored_answers import made_up


def test_two_judges_are_compared_by_condition_and_item(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, [f"a{i}" for i in range(20)])
    with Store(db) as store:
        for name in ("paper:x", "openai:y"):
            store.add_judge(name, name, {"title": ""})
        for i, answer in enumerate(store.unjudged_answers(experiment, "paper:x")):
            true = Label.CONVERGENCE if i % 2 == 0 else Label.NO_CONVERGENCE
            store.add_verdict(answer.key, Verdict("paper:x", true))
            if i < 18:
                label = Label.NONSENSICAL if i == 4 else true
                store.add_verdict(answer.key, Verdict("openai:y", label))
        result = compare_judges(store, experiment)
    assert [r.name for r in result.judges] == ["paper:x", "openai:y"]
    (one,) = result.comparisons
    assert (one.overall.items, one.overall.agreed) == (18, 17)
    assert (one.by_condition["pro"].agreed, one.by_condition["anti"].agreed) == (8, 9)
    assert one.labels[Label.CONVERGENCE].recall == 8 / 9
    (disagreement,) = one.disagreements
    assert (disagreement.scenario, disagreement.condition) == ("p/s/004", "pro")
    assert one.corrections[0].rates["pro"].value == 1.0
    code, out, err = call("agree", "a.db", "--disagreements", cwd=tmp_path)
    assert code == 0, err
    assert out.startswith("openai:y has not read the control set: what its labels are worth is not")
    assert "openai:y against paper:x" in out
    assert "all 18 17 94.4" in " ".join(out.split())
    assert "made-up p/s/004 pro: convergence / nonsensical" in out


def test_one_judge_alone_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    made_up(tmp_path / "a.db", ["a"])
    code, _, err = call("agree", "a.db", cwd=tmp_path)
    assert code == 1
    assert err == (
        "steertui: agreement needs the labels of two judges; add a judge with `steertui judge`\n"
    )
