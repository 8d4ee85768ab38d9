"""Settings of a run, shared by all its stages."""

from dataclasses import dataclass, field

from steertui.engine.sizing import Overrides
from steertui.execution.control import RunControl
from steertui.planning.judges import DEFAULT_OPTIONS, JudgeServerOptions


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Settings shared by all stages of a run.

    Attributes:
        overrides: engine settings chosen by the user.
        servers: how models and judges on servers are called.
        reasons: whether local judges also write a reason for each label.
        control: pause, stop and slot count.
        removes_weights: whether a model's weights are removed after use, if a run downloaded them.
    """

    overrides: Overrides = field(default_factory=Overrides)
    servers: JudgeServerOptions = DEFAULT_OPTIONS
    reasons: bool = False
    control: RunControl = field(default_factory=RunControl)
    removes_weights: bool = False
