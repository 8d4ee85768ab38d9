"""A run with conditions that act by prefix, system text and prefill."""

from pathlib import Path

from steertui.core.condition import Condition
from steertui.core.condition_files import load_conditions
from steertui.core.interventions import LoraAdapter, VectorAddition
from steertui.store.merge import merge
from steertui.tui.plan.own_conditions import add_condition
from tests.fixtures.database import select
from tests.fixtures.program import call

CONDITIONS = """
format = 1

[[condition]]
name = "baseline"

[[condition]]
name = "system"
system = "You run the night shift."
system_mode = "replace"

[[condition]]
name = "around"
prefix = "Consider this first."
prefill = "My plan: "
"""

RUN = ("--batch", "--limit", "3", "--max-tokens", "12", "--conditions-file", "conditions.toml")
NAMES = ("--conditions", "baseline,system,around")


def test_texts_reach_the_prompt_and_a_prefill_begins_the_answer(tmp_path: Path) -> None:
    (tmp_path / "conditions.toml").write_text(CONDITIONS, encoding="utf-8")
    code, _, err = call(*RUN, *NAMES, "--db", "a.db", cwd=tmp_path)
    assert code == 0, err
    sql = """SELECT c.name, p.text, g.text, g.answer, s.task, s.system FROM trials AS t
        JOIN conditions AS c ON c.id = t.condition JOIN prompts AS p ON p.sha256 = t.prompt
        JOIN generations AS g ON g.trial = t.key JOIN scenarios AS s ON s.id = t.scenario"""
    rows = select(tmp_path / "a.db", sql)
    assert len(rows) == 9
    for row in rows:
        name, prompt, text, answer, task, system = map(str, row)
        assert ("You run the night shift." in prompt) == (name == "system")
        assert (system.strip() in prompt) == (name != "system")
        assert (f"Consider this first.\n\n{task[:20]}" in prompt) == (name == "around")
        assert prompt.endswith("My plan:") == (name == "around")
        assert answer == (f"My plan:{text}".strip() if name == "around" else text.strip())
    merge(tmp_path / "out.db", [tmp_path / "a.db"])
    specs = "SELECT name, spec FROM conditions ORDER BY name"
    assert select(tmp_path / "out.db", specs) == select(tmp_path / "a.db", specs)


def test_the_editor_appends_a_condition_with_all_its_interventions(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    conditions = [
        Condition("short", vector=(VectorAddition("v", 1.0),)),
        Condition(
            "long",
            "two\nlines",
            prefill="[condition]",
            vector=tuple(VectorAddition(f"vector-{i}", 0.5, "8-20") for i in range(9)),
            adapter=(LoraAdapter("a.gguf"),),
        ),
    ]
    for condition in conditions:
        add_condition(condition, path)
    assert path.read_text(encoding="utf-8").count("[[condition]]\n") >= 2
    assert list(load_conditions(path).values())[-2:] == conditions


def test_conditions_of_the_file_that_are_not_run_are_named_in_the_plan(tmp_path: Path) -> None:
    (tmp_path / "conditions.toml").write_text(CONDITIONS, encoding="utf-8")
    options = ("--limit", "1", "--conditions-file", "conditions.toml", "--db", "a.db")
    code, _, err = call(
        *options, "--conditions", "baseline,system", "--register", "r.md", cwd=tmp_path
    )
    assert code == 0, err
    text = (tmp_path / "r.md").read_text(encoding="utf-8")
    assert (
        "also defines around, which this experiment does not run; add it to its conditions" in text
    )
    code, _, err = call(*options, *NAMES, "--register", "all.md", cwd=tmp_path)
    assert code == 0, err
    assert "also defines" not in (tmp_path / "all.md").read_text(encoding="utf-8")


def test_copies_of_shipped_conditions_that_are_not_run_are_not_named(tmp_path: Path) -> None:
    """Plan copies the shipped conditions into the file of a custom one: nothing is forgotten."""
    add_condition(Condition("own", "Be brief."), tmp_path / "own.toml")
    assert "placebo" in load_conditions(tmp_path / "own.toml")
    code, _, err = call(
        *("--limit", "1", "--conditions-file", "own.toml", "--conditions", "baseline,own"),
        *("--db", "a.db", "--register", "own.md"),
        cwd=tmp_path,
    )
    assert code == 0, err
    assert "also defines" not in (tmp_path / "own.md").read_text(encoding="utf-8")
