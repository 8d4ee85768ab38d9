"""Names of experiments: stored with the plan, listed, and found by every command."""

from pathlib import Path

import pytest

from steertui.core.experiment import Experiment, parse_experiment, stored_name
from steertui.errors import ExperimentError
from steertui.store import Store
from tests.fixtures.database import execute
from tests.fixtures.program import call

SHORT = ("--demo", "--limit", "2", "--db", "a.db")


@pytest.fixture
def named(tmp_path: Path) -> tuple[Path, list[str]]:
    """A folder with two planned experiments, the first of them named, and their ids."""
    for options in (("--name", "first look"), ("--conditions", "baseline,pro")):
        output = f"{len(options[1])}.md"
        code, _, err = call(*SHORT, *options, "--register", output, cwd=tmp_path)
        assert code == 0, err
    with Store(tmp_path / "a.db") as store:
        return tmp_path, [known.id for known in store.experiments()]


def test_a_list_has_name_progress_and_axes(named: tuple[Path, list[str]]) -> None:
    folder, (first, second) = named
    code, out, _ = call("report", "a.db", "--list-experiments", cwd=folder)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith(f"{first} first look  20")
    assert lines[0].endswith(" UTC  0 of 8 trials answered")
    assert lines[1:4] == [
        "    demo at temperature 0",
        "    2 scenarios of starter; 4 conditions: baseline, pro, anti, placebo",
        "    judges: none",
    ]
    assert lines[4].startswith(f"{second}  20")
    assert "0 of 4 trials answered" in lines[4]


def test_name_and_first_digits_find_an_experiment(named: tuple[Path, list[str]]) -> None:
    folder, (first, second) = named
    with Store(folder / "a.db") as store:
        assert store.resolve_experiment() == second
        for word in ("first look", first, first[:4], first[:9]):
            assert store.resolve_experiment(word) == first
        for word in ("first", first[:3], "ffff0000"):
            with pytest.raises(ExperimentError, match=f"{word}: no such experiment; there are"):
                store.resolve_experiment(word)
    code, out, _ = call("report", "a.db", "--experiment", "first look", cwd=folder)
    assert (code, "placebo" in out) == (0, True)


def test_the_newest_name_counts_and_two_of_one_name_are_told_apart(
    named: tuple[Path, list[str]],
) -> None:
    folder, (first, second) = named
    assert call(*SHORT, "--register", "again.md", cwd=folder)[0] == 0
    with Store(folder / "a.db") as store:
        assert store.experiment_names() == {second: (), first: ("first look",)}
    renamed = (*SHORT, "--name", "pilot", "--register", "renamed.md")
    assert call(*renamed, cwd=folder)[0] == 0
    other = ("--conditions", "baseline,pro", "--name", "pilot", "--register", "other.md")
    assert call(*SHORT, *other, cwd=folder)[0] == 0
    with Store(folder / "a.db") as store:
        assert set(store.experiment_names().values()) == {("pilot",)}
        with pytest.raises(ExperimentError, match="pilot: more than one experiment has this name"):
            store.resolve_experiment("pilot")
    assert call("report", "a.db", "--experiment", "pilot", cwd=folder)[0] == 0


@pytest.mark.parametrize(
    "name", ["abcd", "0123456789abcdef", "all", "a\nb", " a", "-a", "a" * 61, "\x1b[2J"]
)
def test_what_is_no_name_is_refused_and_never_read_from_a_database(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(ExperimentError, match=r"is no name: it .*; give at most 60"):
        Experiment(name=name)
    with Store(tmp_path / "a.db"):
        pass
    assert stored_name(Experiment().to_toml()) == ""
    escaped = name.encode("unicode_escape").decode().replace("\\x1b", "\\u001b")
    assert stored_name(f'name = "{escaped}"\n') == ""


def test_a_name_is_a_key_of_the_file_and_no_part_of_the_experiments_id(
    named: tuple[Path, list[str]],
) -> None:
    folder, (first, _) = named
    toml = Experiment(name="my run").to_toml()
    assert parse_experiment(toml).name == "my run"
    assert "name" not in Experiment().to_toml().split("[analysis]")[0].split("\n")[0]
    execute(folder / "a.db", "UPDATE experiment_plans SET toml = 'name = 5'")
    with Store(folder / "a.db") as store:
        assert first in store.experiment_names()
        assert set(store.experiment_names().values()) == {()}
