"""Runs: generate missing answers, judge them, and yield events."""

from steertui.execution.control import RunControl
from steertui.execution.events import (
    BatchProgress,
    EngineProgress,
    Event,
    Generated,
    Incident,
    Judged,
    JudgeProgress,
    JudgeReady,
    JudgeStopped,
    JudgeWaiting,
    LabelOrdersMeasured,
    ModelLoaded,
    ModelLoading,
    ModelStopped,
    ServerFound,
    ServerLost,
    ServerProgress,
)
from steertui.execution.run import judge, run

__all__ = [
    "BatchProgress",
    "EngineProgress",
    "Event",
    "Generated",
    "Incident",
    "JudgeProgress",
    "JudgeReady",
    "JudgeStopped",
    "JudgeWaiting",
    "Judged",
    "LabelOrdersMeasured",
    "ModelLoaded",
    "ModelLoading",
    "ModelStopped",
    "RunControl",
    "ServerFound",
    "ServerLost",
    "ServerProgress",
    "judge",
    "run",
]
