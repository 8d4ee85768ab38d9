"""Metadata for Datasette: titles, descriptions of tables and columns, and queries."""

from pathlib import Path
from typing import Any

from steertui.output_files import text_output
from steertui.printable import to_json
from steertui.report.descriptions import table_descriptions
from steertui.store import Store
from steertui.store.datasette_queries import QUERIES, public_tables

METADATA = "Datasette metadata"
"""Kind of the output file."""


def write_metadata(store: Store, path: Path) -> None:
    """Write the metadata of a database; raises OutputError if the file cannot be written.

    Datasette finds the database by its file name without the ending.
    """
    metadata = {
        "title": "Steering towards instrumental convergence",
        "description": (
            "Answers of language models under prompt suffixes and other interventions, with the "
            "labels of judges. Rates and gaps here have no intervals: take those from "
            "steertui report."
        ),
        "databases": {
            store.path.stem: {
                "tables": {name: _table(store, name) for name in public_tables(store)},
                "queries": QUERIES,
            }
        },
    }
    with text_output(path, METADATA, [store.path]) as file:
        file.write(f"{to_json(metadata, indent=1)}\n")


def _table(store: Store, name: str) -> dict[str, Any]:
    described = table_descriptions().get(name)
    if described is None:  # a table of SQLite's full-text index
        return {"hidden": True}
    columns = public_tables(store)[name]
    return {
        "description": described.about,
        "columns": {c: described.columns[c] for c in columns if c in described.columns},
    }
