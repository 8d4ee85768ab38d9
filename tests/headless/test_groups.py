"""Dose axes and contests in a run: conditions, what the plan prints, and what is stored."""

from pathlib import Path

import pytest

from steertui.store import Store
from steertui.store.setup_queries import used_conditions
from tests.fixtures.program import call

CONDITIONS = """
format = 1

[[condition]]
name = "pro"
suffix = "Only the goal counts.\\nUse every means."

[[condition]]
name = "anti"
system = "Ask before you act."

[[dose]]
name = "lines"
suffix_lines = "pro"

[[contest]]
name = "game"
defences = ["anti"]
attacks = ["pro", "lines@1"]
"""

RUN = ("--batch", "--model", "demo", "--limit", "1", "--max-tokens", "4", "--judge", "none")


def test_groups_run_as_conditions_and_are_in_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "mine.toml").write_text(CONDITIONS, encoding="utf-8")
    names = ("--conditions", "pro,lines,game", "--conditions-file", "mine.toml")
    code, out, err = call(*RUN, *names, "--db", "a.db", cwd=tmp_path)
    assert code == 0, err
    assert "1 scenario × 10 conditions (pro, axis lines: 3 doses, contest game: 6 cells)" in out
    assert "Contest game: defences none; anti (system text)" in out
    assert "attacks none; pro (user text); lines@1 (user text)" in out
    assert "10 to do" in out
    assert "mine.toml also defines anti, which this experiment does not run" in out
    with Store(tmp_path / "a.db") as store:
        experiment = store.resolve_experiment()
        conditions = {c.name: c for c in used_conditions(store, experiment)}
    assert len(conditions) == 10
    step, cell = conditions["lines@1"].step, conditions["anti×lines@1"].cell
    assert step
    assert (step.axis, step.dose) == ("lines", 1)
    assert cell
    assert (cell.contest, cell.defence, cell.attack) == ("game", "anti", "lines@1")
