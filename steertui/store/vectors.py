"""Steering vectors in the store: GGUF files by their sha256."""

from hashlib import sha256

from steertui.errors import StoreError
from steertui.store.batches import Batches
from steertui.store.rows import inserter, now

MAX_VECTOR_BYTES = 64 << 20
"""Largest file of a vector in bytes."""


class Vectors(Batches):
    """Reading and writing of steering vectors; equal files are one row."""

    def add_vector(self, name: str, raw: bytes) -> str:
        """Add the file of a vector, if it is new, and return its sha256.

        Raises StoreError for a file of more than `MAX_VECTOR_BYTES`.
        """
        if len(raw) > MAX_VECTOR_BYTES:
            raise StoreError(
                f"{name}: a vector of {len(raw):,} bytes, and at most {MAX_VECTOR_BYTES:,} are "
                "stored; use fewer layers"
            )
        identity = sha256(raw).hexdigest()
        with self._writing() as db:
            inserter(db)("vectors", [(identity, name, raw, now())])
        return identity

    def load_vector(self, identity: str) -> bytes:
        """Return the file of a vector by its sha256.

        Raises StoreError if there is none, or if its bytes have another sha256.
        """
        found = self.column("SELECT content FROM vectors WHERE sha256 = ?", [identity])
        if not found:
            raise StoreError(f"{self.path}: has no vector {identity[:12]}…; restore a copy")
        raw = bytes(found[0])
        if sha256(raw).hexdigest() != identity:
            raise StoreError(f"{self.path}: vector {identity[:12]}… is damaged; restore a copy")
        return raw

    def vector_names(self) -> dict[str, str]:
        """Return the name of every stored vector by its sha256."""
        return dict(self.tuples("SELECT sha256, name FROM vectors ORDER BY name, sha256"))
