"""Speed of a local judge on this machine: seconds per label, and the share of reused prefixes."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from steertui.engine.pool import Pool
from steertui.engine.sizing import Overrides, choose_shapes
from steertui.engine.vocabulary import vocabulary
from steertui.engine.workload import workload_of
from steertui.execution.control import RunControl
from steertui.execution.engine_loop import run_until_idle
from steertui.execution.events import RunStage
from steertui.execution.local_judge import ROTATION_TOKENS, JudgeRequests
from steertui.execution.remaining_work import StageWork
from steertui.judge.control import ControlSet
from steertui.judge.local import LocalJudge
from steertui.planning.control_answers import control_answers


@dataclass(frozen=True, slots=True)
class JudgeSpeed:
    """Measured speed of a local judge.

    Attributes:
        labels: control answers judged.
        seconds: wall time of all of them, without loading the model.
        prompt_tokens: tokens of all prompts.
        distinct_tokens: tokens that are computed; shared prefixes once.
    """

    labels: int
    seconds: float
    prompt_tokens: int
    distinct_tokens: int

    @property
    def seconds_per_label(self) -> float:
        """Mean wall time of a label in seconds."""
        return self.seconds / self.labels

    @property
    def reused(self) -> float:
        """Share of the prompt tokens that are shared prefixes, 0 to 1."""
        return 1 - self.distinct_tokens / self.prompt_tokens


def measure_judging(
    judge: LocalJudge,
    control_set: ControlSet,
    overrides: Overrides,
    *,
    timer: Callable[[], float] = time.perf_counter,
) -> JudgeSpeed:
    """Return the speed of a judge on the control set; nothing is stored."""
    with vocabulary(judge.model.path) as gguf:
        requests = JudgeRequests(judge, gguf, control_answers(control_set), 0)
        scoring = [*requests.first.values()]
        workload = workload_of(scoring, ROTATION_TOKENS, share=gguf.can_truncate)
        shapes = choose_shapes(gguf, judge.model.size, workload, overrides)
    with Pool(judge.model.path, shapes) as engine:
        for _ in engine.load():
            pass
        start = timer()
        work = StageWork(workload.distinct_tokens, 0, 0, engine.snapshot())
        for _ in run_until_idle(engine, RunStage.JUDGE, scoring, RunControl(), work=work):
            pass
        seconds = timer() - start
    return JudgeSpeed(len(scoring), seconds, workload.prompt_tokens, workload.distinct_tokens)
