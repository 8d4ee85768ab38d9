"""Consent to a received experiment covers the content of its files, not only their names."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from steertui.core.condition import Condition
from steertui.core.experiment import Experiment
from steertui.errors import ConsentError
from steertui.planning.consent import open_question, reach_lines, remember, require_consent
from steertui.planning.experiment_files import load_experiment
from steertui.planning.origin import origin_of
from steertui.tui.plan.own_conditions import add_condition, replace_condition
from tests.fixtures.program import call
from tests.planning.test_trust import CONDITIONS, written

HERE = Path(__file__).resolve().parents[2]


def edit_text(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")


def add_csv(folder: Path) -> None:
    (folder / "b.csv").write_text("title,task\nx,y\n", encoding="utf-8")


def rename_csv(folder: Path) -> None:
    (folder / "a.csv").rename(folder / "z.csv")


FILES: list[tuple[str, str, Callable[[Path], None]]] = [
    ("conditions_file", "mine.toml", edit_text),
    ("rubric", "rubric.toml", edit_text),
    ("template", "template.jinja", edit_text),
    ("scenarios", "pack.toml", edit_text),
    ("scenarios", "pack", add_csv),
    ("scenarios", "pack", rename_csv),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A received folder with a file of every kind."""
    folder = tmp_path / "received"
    (folder / "pack").mkdir(parents=True)
    (folder / "pack" / "a.csv").write_text("title,task\na,b\n", encoding="utf-8")
    (folder / "mine.toml").write_text(CONDITIONS, encoding="utf-8")
    (folder / "template.jinja").write_text("{{ messages }}", encoding="utf-8")
    for name, source in (("rubric.toml", "rubric.toml"), ("pack.toml", "starter.toml")):
        shutil.copy(HERE / "scenarios" / source, folder / name)
    return folder


def received(folder: Path, field: str, name: str) -> Experiment:
    value = [name] if field == "scenarios" else name
    return load_experiment(written(folder, **{field: value}))


@pytest.mark.parametrize(("field", "name", "change"), FILES)
def test_a_changed_file_asks_again_and_is_named(
    folder: Path, field: str, name: str, change: Callable[[Path], None]
) -> None:
    experiment = received(folder, field, name)
    origin = origin_of(experiment, str(folder / "plan.toml"), is_database=False)
    first = open_question(experiment, origin)
    assert first is not None
    assert first.changed == ()
    remember(experiment, origin)
    assert open_question(experiment, origin) is None
    change(folder / name)
    again = open_question(experiment, origin)
    assert again is not None
    assert again.changed == (str(folder / name),)
    with pytest.raises(ConsentError, match=rf"{name}, which has changed since you agreed to it"):
        require_consent(experiment, origin, is_sure=False)
    require_consent(experiment, origin, is_sure=True)
    assert open_question(experiment, origin) is None


def test_what_the_form_of_conditions_writes_into_an_agreed_file_is_agreed_to(folder: Path) -> None:
    experiment = received(folder, "conditions_file", "mine.toml")
    origin = origin_of(experiment, str(folder / "plan.toml"), is_database=False)
    file = folder / "mine.toml"
    add_condition(Condition("unagreed", "\n\nX"), file)
    assert open_question(experiment, origin) is not None
    remember(experiment, origin)
    add_condition(Condition("typed", "\n\nY"), file)
    replace_condition("typed", Condition("typed", "\n\nZ"), file)
    assert open_question(experiment, origin) is None
    edit_text(file)
    add_condition(Condition("later", "\n\nA"), file)
    assert open_question(experiment, origin) is not None


def test_the_program_asks_again_and_names_only_the_changed_file(folder: Path) -> None:
    written(
        folder,
        conditions_file="mine.toml",
        conditions=["baseline", "mine"],
        scenarios=["pack.toml"],
        judges=["none"],
    )
    options = ("--batch", "--experiment", "received/plan.toml", "--db", "a.db")
    assert call(*options, "--yes", cwd=folder.parent)[0] == 0
    assert call(*options, cwd=folder.parent)[0] == 0
    edit_text(folder / "mine.toml")
    code, _, err = call(*options, cwd=folder.parent)
    assert (code, err.count("\n")) == (2, 1)
    assert "mine.toml, which has changed since you agreed to it" in err
    assert "pack.toml, which" not in err
    assert "nothing was done" in err


STEERED = """
format = 1

[[training]]
name = "planted"
positive = "one"
negative = "two"

[[condition]]
name = "one"
suffix = "Go on."

[[condition]]
name = "two"
suffix = "Stop."

[[condition]]
name = "mine"
adapter = [{ file = "/srv/private.gguf" }, { file = "beside.gguf" }]
"""


def test_adapters_and_trainings_of_a_received_conditions_file_are_listed(folder: Path) -> None:
    (folder / "steered.toml").write_text(STEERED, encoding="utf-8")
    path = written(folder, conditions_file="steered.toml", conditions=["one", "mine"])
    experiment = load_experiment(path)
    question = open_question(experiment, origin_of(experiment, str(path), is_database=False))
    assert question is not None
    lines = list(reach_lines(question))
    assert "reads /srv/private.gguf" in lines
    assert f"reads {folder / 'beside.gguf'}" in lines
    assert "trains the vector planted into your library, where it is missing" in lines
