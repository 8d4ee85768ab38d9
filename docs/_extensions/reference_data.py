"""What the generated reference pages contain, read from the program; needs no Sphinx."""

import re
import sqlite3
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

DESCRIPTIONS = Path(__file__).resolve().parents[1] / "reference" / "tables.toml"
INTERNAL = re.compile(r"_sqlite_migrations|sqlite_.*|.*_fts(_.*)?")


def attribute_texts(docstring: str) -> dict[str, str]:
    """Return the texts of a docstring's `Attributes:` section by name."""
    _, _, section = docstring.partition("Attributes:\n")
    texts: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        entry = re.match(r" {8}(\w+): (.*)", line)
        if entry:
            name = entry[1]
            texts[name] = entry[2]
        elif name and line.strip():
            texts[name] += f" {line.strip()}"
    return texts


def key_texts() -> dict[str, str]:
    """Return what each key of an experiment file means: its docstring, else its option's help."""
    from steertui.cli.root import Experiment, cli

    described = attribute_texts(Experiment.__doc__ or "")
    helps = {option.name: getattr(option, "help", "") for option in cli.params}
    texts = {
        field.name: described.get(field.name) or helps[field.name] for field in fields(Experiment)
    }
    return texts | {
        f"{table}.{name}": text
        for table, shape in tables_of(Experiment).items()
        for name, text in attribute_texts(shape.__doc__ or "").items()
    }


def tables_of(shape: type) -> dict[str, type]:
    """Return the dataclasses of the keys that are tables of their own."""
    return {name: hint for name, hint in get_type_hints(shape).items() if is_dataclass(hint)}


def read_descriptions() -> dict[str, Any]:
    """Return tables.toml by table name."""
    described: dict[str, Any] = tomllib.loads(DESCRIPTIONS.read_text(encoding="utf-8"))
    common = described.pop("common")
    for entry in described.values():
        entry["columns"] = common | entry.get("columns", {})
    return described


def read_schema(path: Path) -> list[tuple[str, str, list[tuple[str, ...]]]]:
    """Create a database at `path`; return kind, name and columns of its tables, then its views."""
    from steertui.store import Store

    with Store(path):
        connection = sqlite3.connect(path)
        try:
            found = connection.execute(
                "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') "
                "ORDER BY type, rowid"
            ).fetchall()
            return [
                (kind, name, _columns(connection, name))
                for kind, name in found
                if not INTERNAL.fullmatch(name)
            ]
        finally:
            connection.close()


def _columns(connection: sqlite3.Connection, table: str) -> list[tuple[str, ...]]:
    """Return name, type and key of each column."""
    references = {
        row[3]: f"→ `{row[2]}`" for row in connection.execute(f"PRAGMA foreign_key_list('{table}')")
    }
    return [
        (name, kind, " ".join(filter(None, ["key" if key else "", references.get(name, "")])))
        for _, name, kind, _, _, key in connection.execute(f"PRAGMA table_info('{table}')")
    ]


def column_table(columns: list[tuple[str, ...]], notes: dict[str, str]) -> Iterator[str]:
    """Yield a Markdown table of a table's columns."""
    yield "| column | type | key | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, kind, key in columns:
        yield f"| `{name}` | {kind} | {key} | {notes.get(name, '')} |"


def type_name(hint: Any) -> str:
    """Return a type as a reader of TOML names it."""
    if is_dataclass(hint):
        return "table"
    if get_origin(hint) is Literal:
        return " or ".join(f'`"{value}"`' for value in get_args(hint))
    if get_origin(hint) is list:
        return f"list of {type_name(get_args(hint)[0])}s"
    return {str: "string", int: "integer", float: "number", bool: "true or false"}[hint]


def default_text(field: "Field[Any]") -> str:
    """Return a field's default as TOML."""
    value = field.default_factory() if field.default_factory is not MISSING else field.default
    if is_dataclass(value):
        return "every key at its default"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).replace("'", '"')


def sentence(text: str) -> str:
    """Return the text with a capital letter and a full stop."""
    text = text.rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."
