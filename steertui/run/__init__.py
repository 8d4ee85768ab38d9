"""A run fills in what the store lacks, and tells what it did."""

from steertui.run.events import (
    BatchProgress,
    EngineProgress,
    Event,
    Generated,
    Judged,
    JudgeProgress,
    JudgeReady,
    JudgeStopped,
    LabelOrdersMeasured,
    ModelLoaded,
    ModelLoading,
    ServerFound,
    ServerLost,
    ServerModelStopped,
    ServerProgress,
)
from steertui.run.run import judge, run

__all__ = [
    "BatchProgress",
    "EngineProgress",
    "Event",
    "Generated",
    "JudgeProgress",
    "JudgeReady",
    "JudgeStopped",
    "Judged",
    "LabelOrdersMeasured",
    "ModelLoaded",
    "ModelLoading",
    "ServerFound",
    "ServerLost",
    "ServerModelStopped",
    "ServerProgress",
    "judge",
    "run",
]
