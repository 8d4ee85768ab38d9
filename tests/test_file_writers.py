"""Modules that write files, and texts that are appended to files of the user."""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from steertui.core.model import demo_path
from steertui.errors import OutputError, ScenarioError
from steertui.output_files import append_text, check_output

ROOT = Path(__file__).resolve().parents[1]


def test_text_is_added_to_a_file_and_every_byte_of_it_stays(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(b"# mine\r\n")
    append_text(file, "more\n")
    assert file.read_bytes() == b"# mine\r\nmore\n"
    (tmp_path / "link.toml").symlink_to("own.toml")
    shutil.copy(demo_path(), tmp_path / "model.gguf")
    for name in ("link.toml", "model.gguf"):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(OutputError, match=name):
            append_text(tmp_path / name, "x")
        assert (tmp_path / name).read_bytes() == before
    with pytest.raises(OutputError, match="exists"):
        check_output(file, "trials-csv")


WRITERS = {
    "paths.py": "the private folder for temporary files",
    "planning/consent.py": "a record of what the user agreed to, in the state folder",
    "output_files.py": "the one way",
    "standard_streams.py": "standard output",
    "engine/process.py": "removes that log",
    "assets/fetch/partial_file.py": "a partial download, in the cache",
    "assets/fetch/transfer.py": "the folder of a download, in the cache",
    "assets/hub/cache.py": "removes weights from the cache",
    "assets/hub/headers.py": "headers of weights, in the cache; removes them",
    "assets/hub/repository.py": "a folder of the cache",
    "assets/sources.py": "removes a damaged file from the cache",
    "file_notes.py": "a note on a file, in the cache or the state folder",
    "steering/applied.py": "the folder of ablation adapters, in the cache",
    "steering/library.py": "the folder of the user's vectors; removes one of them",
    "steering/states_file.py": "hidden states of a training, in the cache",
    "steering/vector_file.py": "a vector in a temporary folder",
    "tui/plan/own_conditions.py": "a copy of a conditions file, in a temporary folder",
    "tui/preferences.py": "what was chosen on the screens, in the state folder",
    "tui/recent.py": "the list of recent experiments, in the state folder",
    "planning/adapters.py": "removes an adapter that the user deletes",
    "planning/rates.py": "the rates of models, in the state folder",
    "planning/reproduction.py": "a chat template, in a temporary folder",
    "report/bundle/archive.py": "a file within an archive that is written",
    "report/bundle/verifier.py": "a received database, in a temporary folder",
    "report/page/writer.py": "packs in a temporary folder; removes texts of its own",
}
"""Modules that may create, replace or remove files, and which."""


def writes(path: Path) -> Iterator[str]:
    """Yield every call in a module that creates, replaces or removes a file or folder."""
    names = {
        "write_text",
        "write_bytes",
        "mkdir",
        "makedirs",
        "unlink",
        "rmtree",
        "rmdir",
        "touch",
        "rename",
        "renames",
        "symlink_to",
        "hardlink_to",
        "copyfile",
        "copy2",
        "copytree",
        "move",
        "remove_file",
        "mkstemp",
        "fdopen",
    }
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        modes = [a.value for a in node.args if isinstance(a, ast.Constant)]
        modes += [k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)]
        opened = name == "open" and any(set(str(m)) & set("wax+") for m in modes if len(str(m)) < 4)
        system = name == "open" and ast.unparse(node.func) == "os.open"
        if name in names or opened or system:
            yield f"{path.name}:{node.lineno} {ast.unparse(node.func)}"


def test_no_other_module_writes_files() -> None:
    package = ROOT / "steertui"
    found = {
        path.relative_to(package).as_posix(): list(writes(path))
        for path in package.rglob("*.py")
        if "store" not in path.parts
    }
    assert {name: calls for name, calls in found.items() if calls and name not in WRITERS} == {}
    assert [name for name in WRITERS if not found[name]] == []


def test_a_condition_is_added_to_a_file_and_replaces_none(tmp_path: Path) -> None:
    from steertui.core.condition import Condition
    from steertui.core.condition_files import load_conditions
    from steertui.tui.plan.own_conditions import add_condition

    file = tmp_path / "own.toml"
    for name in ("pro", "baseline"):
        with pytest.raises(ScenarioError, match=f"{name}: is the name of a shipped condition"):
            add_condition(Condition(name, "other"), file)
    assert not file.exists()
    mine = b"# my notes\nformat = 1\n\n[[condition]]\nname = 'x'\nsuffix = 'kept'  # why\n"
    file.write_bytes(mine)
    add_condition(Condition("y", 'a\n"""b\\\n'), file)
    assert file.read_bytes().startswith(mine)
    found = load_conditions(file)
    assert (found["x"].suffix, found["y"].suffix) == ("kept", 'a\n"""b\\\n')
    assert {"baseline", "pro", "anti", "placebo"} < set(found)
    before = file.read_bytes()
    with pytest.raises(ScenarioError, match="already has a condition y"):
        add_condition(Condition("y", "other"), file)
    file.write_bytes(b"format = 1\ncondition = [{name = 'x'}]\n")
    with pytest.raises(ScenarioError, match="no condition can be appended"):
        add_condition(Condition("z"), file)
    assert file.read_bytes() == b"format = 1\ncondition = [{name = 'x'}]\n"
    assert before
