"""Conventions of the code base that no linter checks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|PRAGMA|WITH)\s[^a-z]*\b", re.A)
STRING_KIND = re.compile(r"""(startswith|removeprefix)\(["'](human|openai|local|paper|behind)\b""")

MOST_LINES = 400
"""Of a module: one that is longer holds two things."""

MOST_FUNCTION_LINES = 45

MOST_POSITIONAL = 5
"""Arguments of a call without their names."""

VARIADIC = re.compile(r"(option_group|section|call|keyed|side|written|running|press|\bll\.\w+)$")
"""Functions that take any number of arguments, and those of the C library."""

PUBLIC = {"_asdict", "_replace", "_compositor"}
"""Methods of named tuples, and the one part of Textual that has the widths of a drawn screen."""

MOST_FMT_SKIP = 5
"""True tables in the whole tree that the formatter would pull apart."""


def modules(*folders: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every module in the folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


PACKAGE = dict(modules("steertui"))
TESTS = dict(modules("tests"))


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and value of every string that is not a docstring."""
    docstrings = {
        id(node.value)
        for parent in ast.walk(tree)
        if isinstance(body := getattr(parent, "body", None), list)
        for node in body
        if isinstance(node, ast.Expr)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text), lineno=line) if id(node) not in docstrings:
                yield line, text


def test_only_the_store_contains_sql() -> None:
    found = [
        f"{path}:{line}: {text.strip().splitlines()[0]}"
        for path, source in PACKAGE.items()
        if not path.startswith("steertui/store/")
        for line, text in texts(ast.parse(source))
        if SQL.match(text)
    ]
    assert not found, "\n".join(found)


def test_kinds_are_never_read_out_of_strings() -> None:
    found = [
        f"{path}: {match[0]}"
        for path, source in PACKAGE.items()
        for match in STRING_KIND.finditer(source)
    ]
    assert not found, "\n".join(found)


def test_modules_and_functions_stay_short() -> None:
    found = [
        f"{path}: {lines} lines"
        for path, source in PACKAGE.items()
        if (lines := source.count("\n")) > MOST_LINES
    ]
    for path, source in PACKAGE.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MOST_FUNCTION_LINES:
                    found.append(f"{path}:{node.lineno}: {node.name} has {length} lines")
    assert not found, "\n".join(found)


def test_calls_name_their_arguments_from_the_sixth_on() -> None:
    found = [
        f"{path}:{node.lineno}: {ast.unparse(node.func)} gets {len(node.args)}"
        for path, source in (PACKAGE | TESTS | dict(modules("benchmarks"))).items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and len(node.args) > MOST_POSITIONAL
        if not VARIADIC.search(ast.unparse(node.func))
    ]
    assert not found, "\n".join(found)


def test_code_is_formatted_by_the_formatter() -> None:
    skip = "fmt: " + "skip"
    everything = PACKAGE | TESTS | dict(modules("benchmarks", "models", "docs"))
    found = [path for path, source in everything.items() for _ in range(source.count(skip))]
    assert len(found) <= MOST_FMT_SKIP, "\n".join(found)


@pytest.mark.parametrize("path", sorted(TESTS))
def test_tests_reach_no_private_members(path: str) -> None:
    found = []
    for node in ast.walk(ast.parse(TESTS[path])):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("steertui"):
            found += [f"{node.lineno}: {a.name}" for a in node.names if a.name.startswith("_")]
        elif isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr):
            is_own = ast.unparse(node.value) in ("self", "cls", "super()")
            if not is_own and node.attr not in PUBLIC:
                found.append(f"{node.lineno}: {ast.unparse(node)}")
    assert not found, "\n".join(found)
