"""Descriptions of tables and columns, from the file that the documentation of the database uses."""

import tomllib
from dataclasses import dataclass
from functools import cache

from steertui.paths import package_data


@dataclass(frozen=True, slots=True)
class TableDescription:
    """A table or view: what a row is, and what its columns hold, in Markdown.

    Attributes:
        about: sentences on the table.
        columns: sentences by column; columns that mean the same in every table are included.
    """

    about: str
    columns: dict[str, str]


@cache
def table_descriptions() -> dict[str, TableDescription]:
    """Return the descriptions of the database's tables and views by their names."""
    path = package_data("docs/reference") / "tables.toml"
    described = tomllib.loads(path.read_text(encoding="utf-8"))
    common = described.pop("common")
    return {
        name: TableDescription(entry["about"], common | entry.get("columns", {}))
        for name, entry in described.items()
    }
