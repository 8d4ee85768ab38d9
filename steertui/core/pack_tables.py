"""Scenario packs as tables (CSV, TSV) and as records (JSON, JSON Lines).

Both name the same fields. A file is read completely or rejected by line: no unknown field, open
quote or missing value is skipped.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steertui.errors import ScenarioError, shorten
from steertui.toml_files import MAX_TEXT, read_text
from steertui.units import quantity
from steertui.untrusted import InvalidJsonError, parse_json, storable

FORMS = (
    "accepted are a TOML pack; a table (.csv, .tsv) with the header id,category,task[,system,"
    "title]; records (.json, .jsonl) with these names; and InstrumentalEval's CSV, whose first "
    "record is the system message and every later one a task (docs/reference/packs.md)"
)
"""The accepted forms, for messages."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    "id": ("id",),
    "category": ("category",),
    "task": ("task", "prompt", "input", "question", "instruction", "messages"),
    "system": ("system", "system_prompt", "system_message"),
    "title": ("title",),
}
"""Names of each field in a header or record, in any case."""

INDEX = ("", "unnamed: 0", "__index_level_0__")
"""Names of a column of row numbers, as pandas writes it."""

DELIMITERS = (",", ";", "\t", "|")

LISTS = ("data", "rows", "scenarios")
"""Names of the list of records in a JSON table."""

MAX_NAME = 32
"""Longest text with white space, in characters, that can be the name of a column."""

_SENTENCE = re.compile(r"[.:!?…。：！？]")
"""Punctuation that texts have and names of columns do not."""


@dataclass(frozen=True, slots=True)
class PackRow:
    """One scenario of a table or record.

    Attributes:
        where: "file: line 3" or "file: record 3".
        fields: its non-empty values by field (`FIELDS`).
    """

    where: str
    fields: Mapping[str, str]


def read_records(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line at which each record of a CSV begins, and its values.

    Raises ScenarioError, with the line, for a quote that is not closed.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader, None)
        except csv.Error as exc:
            raise ScenarioError(
                f"{path}: line {line}: not a record of a CSV ({exc}); close the quote, and write a "
                "quote inside a value twice"
            ) from None
        if record is None:
            return
        yield line, record


def read_table(path: Path, text: str) -> list[PackRow] | None:
    """Return the scenarios of a table; None for a file in InstrumentalEval's form.

    Raises ScenarioError for a header or row that cannot be used, and for a first record that is
    neither a header nor a system message.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first, _, rest = text.partition("\n")
    marks_delimiter = first.lower().startswith("sep=") and len(first) == len("sep=;")
    delimiter = first[-1] if marks_delimiter else _delimiter(text)
    if delimiter is None:
        _require_system_message(path, text)
        return None
    before = 1 if marks_delimiter else 0
    records = list(read_records(path, rest if marks_delimiter else text, delimiter))
    lines = [(line + before, values) for line, values in records if any(v.strip() for v in values)]
    if not lines:
        return []
    (_, header), *rows = lines
    names = [name.strip().lower() for name in header]
    for line, values in rows:
        if len(values) != len(header):
            raise ScenarioError(
                f"{path}: line {line}: {quantity(len(values), 'value')}, but the header names "
                f"{quantity(len(header), 'column')}; quote values that contain {delimiter!r}"
            )
    kept = [i for i, name in enumerate(names) if not _is_index(name, [r[i] for _, r in rows])]
    fields = field_names(str(path), [names[i] for i in kept])
    return [
        PackRow(f"{path}: line {line}", _texts(zip(fields, (values[i] for i in kept), strict=True)))
        for line, values in rows
    ]


def _delimiter(text: str) -> str | None:
    """Return the delimiter of a header with a column of tasks; None for any other first record."""
    for delimiter in DELIMITERS:
        names = {name.lower() for name in _first_values(text, delimiter)}
        if not names.isdisjoint(FIELDS["task"]):
            return delimiter
    return None


def _first_values(text: str, delimiter: str) -> list[str]:
    """Return the values of the first record that has any, without empty ones; [] for none."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    with suppress(csv.Error):  # a value of more than 128 KiB
        for record in reader:
            if values := [value.strip() for value in record if value.strip()]:
                return values
    return []


def _require_system_message(path: Path, text: str) -> None:
    """Raise ScenarioError unless the first record is one text that is not the name of a column.

    InstrumentalEval's files are recognised by this form, as they have no header. In other files the
    name of a column would become the system message, and the first row a task.
    """
    headers = [_first_values(text, delimiter) for delimiter in DELIMITERS]
    header = max((names for names in headers if all(map(_is_name, names))), key=len, default=[])
    if header:
        columns = "column" if len(header) == 1 else "columns"
        raise ScenarioError(
            f"{path}: the header has the {columns} {shorten(', '.join(header))} but no column "
            f"'task'; rename the column that holds the tasks; {FORMS}"
        )
    _, first = next(read_records(path, text, ","), (1, []))
    count = sum(bool(value.strip()) for value in first)
    if count != 1:
        raise ScenarioError(
            f"{path}: the first record has {quantity(count, 'value')} and is neither a header with "
            f"the column 'task' nor one system message; quote a text that has commas; {FORMS}"
        )


def _is_name(value: str) -> bool:
    is_short = len(value) <= MAX_NAME or not any(map(str.isspace, value))
    return is_short and not _SENTENCE.search(value)


def _is_index(name: str, values: Sequence[str]) -> bool:
    return name in INDEX and all(not v.strip() or v.strip().isdecimal() for v in values)


def field_names(where: str, names: Sequence[str]) -> list[str]:
    """Return the field of each name; raises ScenarioError for an unknown or repeated one."""
    fields = {name: field for field, aliases in FIELDS.items() for name in aliases}
    for name in names:
        if name not in fields:
            raise ScenarioError(
                f"{where}: unknown field {shorten(name)!r}; remove it, or rename it: {FORMS}"
            )
    found = [fields[name] for name in names]
    for field in found:
        if found.count(field) > 1:
            both = ", ".join(name for name in names if fields[name] == field)
            raise ScenarioError(f"{where}: several fields for '{field}' ({both}); keep one")
    return found


def _texts(pairs: Iterator[tuple[str, str]]) -> dict[str, str]:
    return {field: text.strip() for field, text in pairs if text.strip()}


def read_json(path: Path) -> list[PackRow]:
    """Return the scenarios of a JSON or JSON Lines file.

    JSON is a list of records, columns of equal length, a table with one list ("data", "rows",
    "scenarios"), or rows as Hugging Face's dataset viewer gives them. Raises ScenarioError.
    """
    text = read_text(path, ScenarioError)
    if path.suffix.lower() == ".json":
        found = enumerate(_list_of_records(path, _parse(str(path), text)), 1)
        records = [(f"{path}: record {i}", record) for i, record in found]
    else:
        lines = enumerate(text.split("\n"), 1)
        numbered = [(f"{path}: line {i}", line) for i, line in lines if line.strip()]
        records = [(where, _parse(where, line)) for where, line in numbered]
    return [PackRow(where, _record(where, record)) for where, record in records]


def _parse(where: str, text: str) -> Any:
    try:
        return parse_json(text, max_bytes=MAX_TEXT, pairs_hook=_members)
    except InvalidJsonError as exc:
        raise ScenarioError(f"{where}: {exc}; correct it") from None


def _members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of its members; no name is repeated, and no text would be changed."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise InvalidJsonError("an object has a name twice")
    values = (
        v for value in members.values() for v in (value if isinstance(value, list) else [value])
    )
    if any(isinstance(v, str) and v != storable(v) for v in values):
        raise InvalidJsonError("a text has NUL or half of a surrogate pair")
    return members


def _list_of_records(path: Path, value: Any) -> list[Any]:
    if isinstance(value, dict):
        lists = [
            name for name in ("data", "rows", "scenarios") if isinstance(value.get(name), list)
        ]
        if len(lists) == 1:
            return [_unwrapped(path, record) for record in value[lists[0]]]
        if value and all(isinstance(column, list) for column in value.values()):
            return _transposed(path, value)
    if not isinstance(value, list):
        raise ScenarioError(f"{path}: not a list of records; {FORMS}")
    return value


def _unwrapped(path: Path, record: Any) -> Any:
    """Return the row of a record of the dataset viewer; any other record unchanged."""
    if not isinstance(record, dict) or not isinstance(record.get("row"), dict):
        return record
    if record.get("truncated_cells"):
        raise ScenarioError(
            f"{path}: row {shorten(str(record.get('row_idx')))}: its texts are truncated; export "
            "the data set itself"
        )
    return record["row"]


def _transposed(path: Path, columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    if len({len(values) for values in columns.values()}) > 1:
        raise ScenarioError(f"{path}: columns of different lengths; export them again")
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _record(where: str, record: Any) -> dict[str, str]:
    if not isinstance(record, dict):
        raise ScenarioError(f"{where}: not a record with the fields of a scenario; {FORMS}")
    values = {name.strip().lower(): value for name, value in record.items()}
    if len(values) < len(record):
        raise ScenarioError(f"{where}: two fields of one name, apart from upper case; keep one")
    given = {name: value for name, value in values.items() if name not in INDEX and value != ""}
    given = {name: value for name, value in given.items() if value is not None}
    fields = dict(zip(field_names(where, list(given)), given.values(), strict=True))
    if isinstance(fields.get("task"), list):
        fields = _from_messages(where, fields)
    for field, value in fields.items():
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not isinstance(value, str) and not (field == "id" and is_number):
            raise ScenarioError(f"{where}: '{field}' is not a text; give a text")
    return _texts((field, str(value)) for field, value in fields.items())


def _from_messages(where: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with a conversation replaced by its system and its one user message."""
    roles = [m.get("role") if isinstance(m, dict) else None for m in fields["task"]]
    if roles not in (["user"], ["system", "user"]) or ("system" in roles and "system" in fields):
        raise ScenarioError(
            f"{where}: a conversation must be one user message, with at most one system message "
            "before it; give the task as one text"
        )
    texts = {"system": "system", "user": "task"}
    contents = {texts[m["role"]]: m.get("content") for m in fields["task"]}
    return fields | contents
