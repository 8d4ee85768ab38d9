"""SQLite store: experiments, trials, answers and verdicts. Only this package contains SQL."""

from steertui.store.batches import Batch
from steertui.store.checked import FileId
from steertui.store.records import (
    AnswerLoglik,
    AnswerParts,
    JudgeCost,
    JudgeInfo,
    JudgeReply,
    ModelFacts,
    ModelSetting,
    ServerAnswer,
    StoredExperiment,
    TrialStatus,
    UnjudgedAnswer,
)
from steertui.store.store import Store

__all__ = [
    "AnswerLoglik",
    "AnswerParts",
    "Batch",
    "FileId",
    "JudgeCost",
    "JudgeInfo",
    "JudgeReply",
    "ModelFacts",
    "ModelSetting",
    "ServerAnswer",
    "Store",
    "StoredExperiment",
    "TrialStatus",
    "UnjudgedAnswer",
]
