"""Imports stay light, modules stay small, and no file names a registry or a path of a machine."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    program = "import sys, steertui.cli; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = set(done.stdout.split())
    heavy = {"textual", "llama_cpp", "openai", "scipy", "statsmodels", "numpy", "pydantic"}
    heavy |= {"httpx2", "huggingface_hub"}
    assert not heavy & loaded


def test_the_screens_open_without_what_only_servers_ask_for() -> None:
    program = (
        "import sys, steertui.tui.app; from steertui.tui.screens import import_screens; "
        "import_screens(); print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "steertui.server.client" in loaded
    assert not {"openai", "scipy", "statsmodels"} & loaded


def test_the_store_opens_without_pandas() -> None:
    program = "import sys, steertui.store; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "sqlite_utils" in loaded
    assert "pandas" not in loaded


def test_no_registry_and_no_path_of_a_machine_is_named() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    words = ("pypi" + ".org", "files.python" + "hosted", "/ro" + "ot/", "/wo" + "rk/")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".txt", ".cff", ".tcss", ""} and path.is_file():
            text = path.read_text(encoding="utf-8")
            assert not [w for w in words if w in text], name


def test_only_the_store_contains_sql() -> None:
    sql = re.compile(r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\w+\s+SET)\b", re.S)
    for path in (ROOT / "steertui").rglob("*.py"):
        if path.is_relative_to(ROOT / "steertui" / "store"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Constant(value=str(text)):
                    assert not sql.search(text), f"{path}:{node.lineno}"
                case ast.Import(names=names):
                    assert not {name.name for name in names} & {"sqlite3", "sqlite_utils"}, path
                case ast.ImportFrom(module=module):
                    assert module not in ("sqlite3", "sqlite_utils"), path
