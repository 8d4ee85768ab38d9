"""The only door to SQLite: what is planned, what is missing, rows in and out."""

from steertui.store.batches import Batch
from steertui.store.rows import Arm, Cell, Delivery, Exchange, ModelFacts, Reader, Spent, Unjudged
from steertui.store.store import Store

__all__ = [
    "Arm",
    "Batch",
    "Cell",
    "Delivery",
    "Exchange",
    "ModelFacts",
    "Reader",
    "Spent",
    "Store",
    "Unjudged",
]
