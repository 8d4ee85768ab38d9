"""The only door to SQLite: what is planned, what is missing, rows in and out."""

from steertui.store.rows import Arm, Cell, ModelFacts, Reader, Unjudged
from steertui.store.store import Store

__all__ = ["Arm", "Cell", "ModelFacts", "Reader", "Store", "Unjudged"]
