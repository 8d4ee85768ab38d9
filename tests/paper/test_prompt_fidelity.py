"""Prompts from the loader and the conditions equal those of the paper's runs to the byte."""

import json
from pathlib import Path

import pytest

from steertui.core.condition import steer
from steertui.core.scenario import load_pack
from steertui.paper.published import CONDITIONS
from steertui.paper.run_log import read_log
from tests.fixtures.real import BENCHMARK, RUNS, SUFFIXES, needs_shared


@needs_shared
def test_all_639_logged_tasks_and_steered_prompts_are_what_we_would_send() -> None:
    scenarios = {(s.category, s.task): s for s in load_pack(str(BENCHMARK))}
    texts = json.loads(SUFFIXES.read_text(encoding="utf-8"))
    items = [item for run in sorted(RUNS.iterdir()) for item in read_log(run / "stdout.log")]
    assert len(items) == 639
    for item in items:
        scenario = scenarios[item.category, item.task_prompt]
        suffix = texts.get(CONDITIONS[item.mode], "")
        assert steer(scenario.task, suffix) == item.steered_prompt


@needs_shared
def test_a_conditions_file_of_ones_own_carries_the_papers_suffixes_to_the_byte(
    tmp_path: Path,
) -> None:
    import tomli_w

    from steertui.core.condition_files import load_conditions

    texts = json.loads(SUFFIXES.read_text(encoding="utf-8"))
    path = tmp_path / "paper.toml"
    table = [{"name": name, "suffix": text} for name, text in texts.items()]
    path.write_text(tomli_w.dumps({"format": 1, "condition": table}), encoding="utf-8")
    found = load_conditions(path)
    assert {name: found[name].suffix for name in texts} == texts
    with pytest.raises(KeyError):
        found["baseline"]
