"""The only door to SQLite: what is planned, what is missing, rows in and out."""

from steertui.store.batches import Batch
from steertui.store.rows import (
    JudgeCost,
    JudgeInfo,
    JudgeReply,
    ModelFacts,
    ModelSetting,
    ServerAnswer,
    TrialStatus,
    UnjudgedAnswer,
)
from steertui.store.store import Store

__all__ = [
    "Batch",
    "JudgeCost",
    "JudgeInfo",
    "JudgeReply",
    "ModelFacts",
    "ModelSetting",
    "ServerAnswer",
    "Store",
    "TrialStatus",
    "UnjudgedAnswer",
]
