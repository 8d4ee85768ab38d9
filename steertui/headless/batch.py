"""The headless face: runs an experiment, prints the plan first and the results last."""

import shlex
import signal
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from types import FrameType

from steertui.analysis.summary import summarise_experiment
from steertui.core.experiment import Experiment
from steertui.core.shard import Shard
from steertui.engine.sizing import Overrides
from steertui.headless.downloads import report_downloads
from steertui.headless.reporters import Reporter
from steertui.headless.reporters import choose_reporter as choose_face
from steertui.planning.consent import require_consent
from steertui.planning.estimate import judge_estimate
from steertui.planning.judge_cost import estimate_cost
from steertui.planning.judges import (
    Judge,
    JudgeServerOptions,
    check_context,
    judge_title,
    register_judges,
)
from steertui.planning.origin import Origin
from steertui.planning.plan import make_plan
from steertui.planning.resolve import resolve
from steertui.planning.supply import supply_experiment
from steertui.run import Event, JudgeStopped, RunControl, ServerModelStopped, judge, run
from steertui.run.plan_lines import judge_plan_line
from steertui.run.progress import incident_line
from steertui.store import Store
from steertui.store.run_lock import run_lock

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class SignalHandler:
    """Handler of the signals that end a run.

    A signal raises KeyboardInterrupt in the main thread, which ends even the loading of a model.
    Python discards an exception that is raised inside a callback of llama.cpp; therefore the signal
    also stops the run through `control`.

    Attributes:
        number: of the last signal; 0 if there was none.
        control: of the run.
    """

    def __init__(self) -> None:
        self.number = 0
        self.control = RunControl()
        for number in SIGNALS:
            signal.signal(number, self._handle)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        is_first = not self.number
        self.number = number
        if is_first:
            self.control.stop()
        raise KeyboardInterrupt

    @property
    def exit_code(self) -> int:
        """Exit code of a program that a signal ended."""
        return 128 + (self.number or signal.SIGINT)


def run_batch(
    experiment: Experiment,
    db: Path,
    wish: Overrides,
    terms: JudgeServerOptions,
    *,
    origin: Origin,
    is_sure: bool,
    as_json: bool,
    shard: Shard,
) -> int:
    """Run what is missing of an experiment, show the results, return the exit code.

    Ctrl-C, SIGTERM and a closed terminal stop it within one step; what is done stays. Raises
    ConsentError before anything is done if the user does not agree to what `origin` reaches.
    """
    require_consent(experiment, origin, is_sure=is_sure)
    handler = SignalHandler()
    try:
        report_downloads(supply_experiment(experiment), as_json=as_json)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. What was fetched stays; to go on, run the same again.\n")
        return handler.exit_code
    with Store(db) as store:
        plan = make_plan(resolve(experiment, shard), store, terms)
        face = choose_face(as_json=as_json)
        face.planned(plan, db)
        events = run(plan, store, wish, terms, control=handler.control)
        return _follow(events, face, handler, store, experiment=plan.id)


def judge_stored(
    db: Path,
    experiment: str | None,
    judges: Sequence[Judge],
    wish: Overrides,
    terms: JudgeServerOptions,
    *,
    reasons: bool,
    as_json: bool,
) -> int:
    """Let judges read stored answers; show the results and return the exit code, as `run_batch`."""
    handler = SignalHandler()
    titles = [judge_title(judge) for judge in judges]
    with Store(db, must_exist=True) as store:
        chosen = store.resolve_experiment(experiment)
        unjudged = {judge.id: store.unjudged_answers(chosen, judge.id) for judge in judges}
        check_context(judges, unjudged)
        register_judges(judges, titles, store)
        for reader in judges:
            answers = unjudged[reader.id]
            work = judge_estimate(reader, len(answers), estimate_cost(reader, answers))
            print(judge_plan_line(work), file=sys.stderr)
        events = judge(
            store,
            chosen,
            judges,
            wish,
            terms,
            reasons=reasons,
            control=handler.control,
            unjudged=unjudged,
        )
        return _follow(events, choose_face(as_json=as_json), handler, store, experiment=chosen)


def _follow(
    events: Generator[Event, None, None],
    face: Reporter,
    handler: SignalHandler,
    store: Store,
    *,
    experiment: str,
) -> int:
    stopped: list[JudgeStopped | ServerModelStopped] = []
    is_interrupted = False
    try:
        with run_lock(store.path):  # two processes would pay for one verdict twice
            for event in events:
                face.show(event)
                if isinstance(event, JudgeStopped | ServerModelStopped):
                    stopped.append(event)
    except KeyboardInterrupt:
        events.close()
        is_interrupted = True
    if is_interrupted or handler.control.is_stopped:
        _say_how_to_go_on(store, experiment)
        return handler.exit_code
    face.results(summarise_experiment(store, experiment))
    return exit_code(stopped)


def exit_code(stopped: Sequence[JudgeStopped | ServerModelStopped]) -> int:
    """Return 0, or 1 with a sentence on stderr where a judge or a model's servers were stopped."""
    for event in stopped:
        sys.stderr.write(f"{incident_line(event).removeprefix('! ')}\n")
    return 1 if stopped else 0


def _say_how_to_go_on(store: Store, experiment: str) -> None:
    done, total = len(store.answered_keys(experiment)), store.count_trials(experiment)
    again = shlex.join(["steertui", *sys.argv[1:]])
    sys.stderr.write(
        f"\nStopped. {done} of {total} answers are stored in {store.path}. To go on, run the same "
        f"again:\n  {again}\n"
    )
