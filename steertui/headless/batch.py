"""Headless runs: print the plan, run what is missing, print the results."""

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
from steertui.execution import Event, JudgeStopped, ModelStopped, RunControl, judge, run
from steertui.execution.derived_judges import NO_DERIVATION, Derivation
from steertui.execution.judge_worths import next_command
from steertui.execution.judging_plan import plan_judging
from steertui.execution.plan_lines import judge_plan_line, note_line
from steertui.execution.progress import incident_line
from steertui.headless.downloads import DOWNLOAD_STOPPED, report_downloads
from steertui.headless.reporters import Reporter, choose_reporter
from steertui.output_files import check_output
from steertui.planning.consent import require_consent
from steertui.planning.judges import (
    Judge,
    JudgeServerOptions,
)
from steertui.planning.origin import Origin
from steertui.planning.plan import make_plan
from steertui.planning.resolve import resolve
from steertui.planning.supply import supply_experiment
from steertui.printable import print_line, print_text
from steertui.report.registration import REGISTRATION, write_registration
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
    overrides: Overrides,
    server_options: JudgeServerOptions,
    *,
    origin: Origin,
    is_sure: bool,
    as_json: bool,
    shard: Shard,
) -> int:
    """Run what is missing of an experiment, print the results and return the exit code.

    Ctrl-C, SIGTERM and a closed terminal stop the run within one step; finished work is stored.
    Raises ConsentError before anything is done if the user does not agree to a received experiment.
    """
    require_consent(experiment, origin, is_sure=is_sure)
    handler = SignalHandler()
    if not supply_files(experiment, db, as_json=as_json):
        return handler.exit_code
    with Store(db) as store:
        plan = make_plan(resolve(experiment, shard, store=store), store, server_options)
        reporter = choose_reporter(as_json=as_json)
        reporter.planned(plan, db)
        events = run(plan, store, overrides, server_options, control=handler.control)
        return _report(events, reporter, handler, store, experiment=plan.id)


def supply_files(experiment: Experiment, db: Path, *, as_json: bool) -> bool:
    """Fetch what is missing; return False if a signal stopped it."""
    try:
        report_downloads(supply_experiment(experiment, db), as_json=as_json)
    except KeyboardInterrupt:
        print_text(DOWNLOAD_STOPPED, to_stderr=True)
        return False
    return True


def register(
    experiment: Experiment,
    db: Path,
    server_options: JudgeServerOptions,
    output: Path,
    *,
    origin: Origin,
    is_sure: bool,
) -> int:
    """Store the plan of an experiment, write its preregistration, and return the exit code.

    Raises ConsentError before anything is done if the user does not agree to a received experiment,
    and OutputError if `output` cannot be written or must not be replaced.
    """
    check_output(output, REGISTRATION, [db])
    require_consent(experiment, origin, is_sure=is_sure)
    handler = SignalHandler()
    if not supply_files(experiment, db, as_json=False):
        return handler.exit_code
    with Store(db) as store:
        plan = make_plan(resolve(experiment, store=store), store, server_options)
        digest = write_registration(store, plan, output)
    print_line(f"Written: {output} (plan {digest}); the plan is stored in {db}", to_stderr=True)
    return 0


def judge_stored(
    db: Path,
    experiment: str | None,
    judges: Sequence[Judge],
    overrides: Overrides,
    server_options: JudgeServerOptions,
    *,
    reasons: bool,
    as_json: bool,
    derivation: Derivation = NO_DERIVATION,
) -> int:
    """Judge stored answers, print the results and return the exit code, as `run_batch` does."""
    handler = SignalHandler()
    with Store(db, must_exist=True) as store:
        chosen = store.resolve_experiment(experiment)
        plan = plan_judging(store, chosen, judges, server_options)
        for work, notes in zip(plan.work, plan.notes, strict=True):
            print_line(judge_plan_line(work), to_stderr=True)
            for note in notes:
                print_line(note_line(f"{work.name}: {note}"), to_stderr=True)
        events = judge(
            store,
            chosen,
            plan.judges,
            overrides,
            server_options,
            reasons=reasons,
            control=handler.control,
            unjudged=plan.unjudged,
            derivation=derivation,
        )
        reporter = choose_reporter(as_json=as_json)
        return _report(events, reporter, handler, store, experiment=chosen)


def _report(
    events: Generator[Event, None, None],
    reporter: Reporter,
    handler: SignalHandler,
    store: Store,
    *,
    experiment: str,
) -> int:
    stopped = consume(events, reporter, handler, store.path)
    if stopped is None:
        _print_resume_command(store, experiment)
        return handler.exit_code
    summary = summarise_experiment(store, experiment)
    reporter.results(summary)
    if any(table.judge is None for table in summary.tables):
        print_line(next_command(store.path), to_stderr=True)
    return exit_code(stopped)


def consume(
    events: Generator[Event, None, None], reporter: Reporter, handler: SignalHandler, db: Path
) -> list[JudgeStopped | ModelStopped] | None:
    """Show the events; return the judges and models that were stopped, None after a signal."""
    stopped: list[JudgeStopped | ModelStopped] = []
    is_interrupted = False
    try:
        with run_lock(db):  # otherwise two processes pay for the same label
            for event in events:
                reporter.show(event)
                if isinstance(event, JudgeStopped | ModelStopped):
                    stopped.append(event)
    except KeyboardInterrupt:
        events.close()
        is_interrupted = True
    return None if is_interrupted or handler.control.is_stopped else stopped


def exit_code(stopped: Sequence[JudgeStopped | ModelStopped]) -> int:
    """Return 0; 1 if a judge or a server model was stopped, with one sentence each on stderr."""
    for event in stopped:
        print_line(incident_line(event).removeprefix("! "), to_stderr=True)
    return 1 if stopped else 0


def _print_resume_command(store: Store, experiment: str) -> None:
    answered = len(store.answered_keys(experiment))
    trials = store.count_trials(experiment)
    command = shlex.join(["steertui", *sys.argv[1:]])
    print_text(
        f"\nStopped. {answered} of {trials} answers are stored in {store.path}. To resume, run the "
        f"same command again:\n  {command}",
        to_stderr=True,
    )
