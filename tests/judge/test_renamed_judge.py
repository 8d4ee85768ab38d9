"""A judge is its weights and rubric: a renamed file labels nothing again."""

import shutil
from pathlib import Path

import pytest

from steertui.core.model import demo_path
from tests.fixtures.database import select
from tests.fixtures.program import call, records

RUN = (
    "--batch",
    "--demo",
    "--limit",
    "2",
    "--conditions",
    "pro",
    "--max-tokens",
    "24",
    "--no-control",
)
JUDGES = "SELECT name FROM judges WHERE kind = 'local' ORDER BY rowid"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with answers that a judge has labelled, whose file is then renamed."""
    shutil.copy(demo_path(), tmp_path / "first.gguf")
    code, _, err = call(*RUN, "--db", "a.db", "--judge", "local:first.gguf", cwd=tmp_path)
    assert code == 0, err
    (tmp_path / "first.gguf").rename(tmp_path / "second.gguf")
    return tmp_path


def test_the_labels_of_a_renamed_judge_are_found(folder: Path) -> None:
    before = select(folder / "a.db", "SELECT * FROM verdicts")
    renamed = ("--db", "a.db", "--judge", "local:second.gguf")
    code, out, _ = call(*RUN[1:], *renamed, "--plan", "--json", cwd=folder)
    judges = records(out)[0]["judges"]
    assert isinstance(judges, list)
    assert [(one["name"], one["unjudged"]) for one in judges] == [("local:first", 0)]
    assert code == 0
    code, out, err = call(*RUN, *renamed, "--json", cwd=folder)
    assert code == 0, err
    assert not [record for record in records(out) if record["event"] == "judged"]
    code, _, err = call("judge", "a.db", "--judge", "local:second.gguf", "--no-control", cwd=folder)
    assert (code, "local:first: up to date" in err) == (0, True), err
    assert select(folder / "a.db", "SELECT * FROM verdicts") == before
    assert select(folder / "a.db", JUDGES) == [("local:first",)]


def test_another_view_or_rubric_is_another_judge(folder: Path) -> None:
    options = ("--db", "a.db", "--judge", "local:second.gguf", "--hide-suffix")
    assert call(*RUN, *options, cwd=folder)[0] == 0
    assert select(folder / "a.db", JUDGES) == [("local:first",), ("local:second/blind",)]


def test_a_jury_of_renamed_judges_finds_their_labels(folder: Path) -> None:
    shutil.copy(folder / "second.gguf", folder / "third.gguf")
    other = (folder / "third.gguf").read_bytes() + bytes(32)
    (folder / "third.gguf").write_bytes(other)
    options = ("--jury", "local:second.gguf,local:third.gguf", "--no-control")
    code, _, err = call("judge", "a.db", *options, cwd=folder)
    assert code == 0, err
    names = [name for (name,) in select(folder / "a.db", "SELECT name FROM judges ORDER BY rowid")]
    assert names[:2] == ["local:first", "local:third"]
    assert len(names) == 3
    labels = select(folder / "a.db", "SELECT judge, count(*) FROM verdicts GROUP BY judge")
    assert [count for _, count in labels] == [2, 2, 2]
