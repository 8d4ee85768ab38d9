"""TOML texts that exceed the parser's limits: one sentence, for every kind of file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from steertui.core.condition_files import load_conditions
from steertui.core.experiment import parse_experiment
from steertui.core.scenario import load_pack
from steertui.errors import SteertuiError
from steertui.judge.rubric import load_rubric
from steertui.planning.experiment_files import load_experiment
from steertui.store.plain_names_migration import renamed_toml
from tests.fixtures.program import call

TEXTS = {
    "arrays": "models = " + "[" * 5_000 + "]" * 5_000,
    "tables": "models = " + "{a=" * 5_000 + "1" + "}" * 5_000,
    "a number": "samples = " + "1" * 5_000,
    "a date": "samples = 2026-02-30",
}

LOADERS: dict[str, Callable[[Path], object]] = {
    "experiment": load_experiment,
    "stored experiment": lambda path: parse_experiment(path.read_text(encoding="utf-8")),
    "pack": lambda path: load_pack(str(path)),
    "conditions": load_conditions,
    "rubric": lambda path: load_rubric(str(path)),
}


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize("name", TEXTS)
def test_a_toml_text_that_cannot_be_parsed_is_one_sentence(
    tmp_path: Path, kind: str, name: str
) -> None:
    path = tmp_path / "deep.toml"
    path.write_text(TEXTS[name], encoding="utf-8")
    with pytest.raises(SteertuiError) as info:
        LOADERS[kind](path)
    assert "correct it" in str(info.value)
    assert len(str(info.value)) < 500


def test_a_stored_text_that_cannot_be_parsed_is_kept_by_the_migration() -> None:
    assert [renamed_toml(text) for text in TEXTS.values()] == [*TEXTS.values()]


def test_the_program_ends_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "deep.toml").write_text(TEXTS["arrays"], encoding="utf-8")
    code, out, err = call("--batch", "--experiment", "deep.toml", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert err == "steertui: deep.toml: values are nested too deeply; correct it\n"
