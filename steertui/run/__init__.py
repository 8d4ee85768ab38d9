"""Runs: generate and judge what the store lacks, and yield events."""

from steertui.run.control import RunControl
from steertui.run.events import (
    BatchProgress,
    EngineProgress,
    Event,
    Generated,
    Incident,
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
    "Incident",
    "JudgeProgress",
    "JudgeReady",
    "JudgeStopped",
    "Judged",
    "LabelOrdersMeasured",
    "ModelLoaded",
    "ModelLoading",
    "RunControl",
    "ServerFound",
    "ServerLost",
    "ServerModelStopped",
    "ServerProgress",
    "judge",
    "run",
]
