"""Steering vectors in a database: stored once, merged, and checked by their hash."""

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from steertui.errors import StoreError
from steertui.store import Store
from steertui.store.merge import merge
from steertui.store.vectors import MAX_VECTOR_BYTES

CONTENT = b"GGUF" + bytes(range(256))


def test_a_vector_is_stored_once_and_read_back(tmp_path: Path) -> None:
    with Store(tmp_path / "a.db") as store:
        identity = store.add_vector("mine", CONTENT)
        assert store.add_vector("again", CONTENT) == identity == sha256(CONTENT).hexdigest()
        assert store.load_vector(identity) == CONTENT
        assert store.vector_names() == {identity: "mine"}
        with pytest.raises(StoreError, match="has no vector 0000"):
            store.load_vector("0" * 64)
        with pytest.raises(StoreError, match="use fewer layers"):
            store.add_vector("large", bytes(MAX_VECTOR_BYTES + 1))


def test_vectors_are_merged(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with Store(tmp_path / f"{name}.db") as store:
            store.add_vector("both", CONTENT)
            store.add_vector(name, CONTENT + name.encode())
    result = merge(tmp_path / "a.db", [tmp_path / "b.db"])
    assert result.inputs[0].added == {"vectors": 1}
    with Store(tmp_path / "a.db") as store:
        assert sorted(store.vector_names().values()) == ["a", "b", "both"]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("content", b"changed", "does not match its id"),
        ("content", "text", "another type than its column"),
        ("name", b"\xff", "not UTF-8"),
    ],
)
def test_a_changed_vector_is_not_merged(
    column: str, value: object, reason: str, tmp_path: Path
) -> None:
    with Store(tmp_path / "b.db") as store:
        store.add_vector("mine", CONTENT)
    with closing(sqlite3.connect(tmp_path / "b.db")) as db, db:
        db.execute(f"UPDATE vectors SET {column} = ?", [value])
    with pytest.raises(StoreError, match=reason) as caught:
        merge(tmp_path / "a.db", [tmp_path / "b.db"])
    assert "\n" not in str(caught.value)
    with pytest.raises(StoreError, match=reason):
        Store(tmp_path / "b.db")
