"""Headless runs: print the plan, run what is missing, print the results."""

import shlex
import signal
import sys
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from types import FrameType

from steertui.analysis.summary import summarise_experiment
from steertui.core.experiment import Experiment
from steertui.engine.sizing import Overrides
from steertui.errors import BudgetError
from steertui.execution import (
    Event,
    JudgeStopped,
    ModelLeftOut,
    ModelStopped,
    RunControl,
    judge,
    run,
)
from steertui.execution.derived_judges import NO_DERIVATION, Derivation
from steertui.execution.judge_worths import next_command, with_worths
from steertui.execution.judging_plan import plan_judging
from steertui.execution.left_out import left_out_models
from steertui.execution.plan_lines import judge_plan_line, note_line
from steertui.execution.progress import incident_line
from steertui.headless.batch_options import BatchOptions
from steertui.headless.budget import BudgetMeter, require_prices, with_cost_limit
from steertui.headless.downloads import DOWNLOAD_STOPPED, report_supply
from steertui.headless.reporters import Reporter, choose_reporter
from steertui.headless.run_summary import SUMMARY, RunWatch, write_summary
from steertui.output_files import check_output
from steertui.planning.consent import require_consent
from steertui.planning.judges import (
    Judge,
    JudgeServerOptions,
    require_judges_or_none,
)
from steertui.planning.left_out import LeftOut, without_missing_files
from steertui.planning.new_database import resolve_before_creation
from steertui.planning.origin import Origin
from steertui.planning.plan import Plan, make_plan, require_keys, withdrawn_on_error
from steertui.planning.remote_models import Supplied, supply_plan
from steertui.planning.resolve import resolve
from steertui.planning.run_space import require_run_space
from steertui.planning.supply import Event as DownloadEvent
from steertui.planning.supply import supply_experiment
from steertui.printable import print_line, print_text
from steertui.report.registration import REGISTRATION, write_registration
from steertui.standard_streams import closed_pipe_named
from steertui.store import Store
from steertui.store.judge_queries import count_without_reason
from steertui.store.run_lock import run_lock
from steertui.units import quantity

Incomplete = JudgeStopped | ModelStopped | ModelLeftOut
"""Events after which a run is not complete."""

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


@closed_pipe_named()
def run_batch(
    experiment: Experiment,
    db: Path,
    overrides: Overrides,
    server_options: JudgeServerOptions,
    *,
    origin: Origin,
    how: BatchOptions,
) -> int:
    """Run what is missing of an experiment, print the results and return the exit code.

    Signals stop the run within one step; finished work is stored. Raises ConsentError if the user
    declines a received experiment, FetchError if the disk is too small, BudgetError at its end.
    """
    experiment, missing = _agreed(experiment, db, origin, how)
    handler = SignalHandler()
    meter = BudgetMeter(how.budget) if how.budget else None
    supplied = _supply_plan(experiment, db, how)
    if supplied is None:
        return handler.exit_code
    server_options = with_cost_limit(server_options, how.budget)
    found = resolve_before_creation(
        db, supplied.experiment, server_options, shard=how.shard, leaves_out=True
    )
    with run_lock(db) as set_experiment, Store(db) as store:
        design = found or resolve(supplied.experiment, how.shard, store=store, leaves_out=True)
        plan = make_plan(design, store, server_options, leaves_out=True)
        set_experiment(plan.id)
        left_out = left_out_models(*missing, *supplied.left_out, *plan.left_out)
        reporter = choose_reporter(as_json=how.as_json)
        reporter.planned(plan, db)
        _require_means(plan, store, how)
        watch = RunWatch(handler.control, meter)
        events = run(
            plan,
            store,
            overrides,
            server_options,
            control=handler.control,
            removes_weights=how.removes_weights,
        )
        observed = watch.observe(left_out, events)
        code = _report(observed, reporter, handler, store, experiment=plan.id)
        _end(plan, store, how, watch, ended=_ending(handler, watch, code))
        return code


def _agreed(
    experiment: Experiment, db: Path, origin: Origin, how: BatchOptions
) -> tuple[Experiment, tuple[LeftOut, ...]]:
    """Return the experiment to which the user agreed, and the models without a local file."""
    require_judges_or_none(experiment.judges)
    if how.summary:
        check_output(how.summary, SUMMARY, [db])
    experiment, missing = without_missing_files(experiment)
    require_consent(experiment, origin, is_sure=how.is_sure)
    return experiment, missing


def _end(plan: Plan, store: Store, how: BatchOptions, watch: RunWatch, *, ended: str) -> None:
    """Write the summary; raise BudgetError if the budget stopped the run."""
    if how.summary:
        write_summary(how.summary, store, plan.id, watch.notes, ended=ended)
    if how.budget and watch.is_spent:
        raise BudgetError(
            f"the budget of {how.budget.text} is spent, and {_left_text(plan, store)} are left; "
            "run the same command again to resume"
        )


def _require_means(plan: Plan, store: Store, how: BatchOptions) -> None:
    """Raise an error if a key is missing, the disk too small, or a limit has no price."""
    with withdrawn_on_error(plan, store):
        require_keys(plan)
        if how.budget:
            require_prices(how.budget, plan)
        require_run_space(plan, store.path, removes=how.removes_weights)


def _ending(handler: SignalHandler, watch: RunWatch, code: int) -> str:
    """Return in words why a run ended."""
    if watch.is_spent:
        return "its budget is spent"
    if handler.number:
        return f"signal {handler.number} stopped it"
    return "a model or judge was stopped or left out" if code else "everything is done"


def _left_text(plan: Plan, store: Store) -> str:
    """Return what a run has not done, in words."""
    answers = len(plan.missing_here) - len(
        {p.key for p in plan.missing_here} & store.answered_keys(plan.id)
    )
    labels = sum(len(list(store.unjudged_answers(plan.id, judge.id))) for judge in plan.judges)
    return f"{quantity(answers, 'answer')} and {quantity(labels + answers, 'label')}"


def _supply_plan(experiment: Experiment, db: Path, how: BatchOptions) -> Supplied | None:
    """Fetch what the plan needs; return None if a signal stopped it."""
    supplied: list[Supplied] = []

    def events() -> Iterator[DownloadEvent]:
        supplied.append((yield from supply_plan(experiment, db, removes=how.removes_weights)))

    try:
        report_supply(events(), experiment, as_json=how.as_json)
    except KeyboardInterrupt:
        print_text(DOWNLOAD_STOPPED, to_stderr=True)
        return None
    return supplied[0]


def supply_files(experiment: Experiment, events: Iterator[DownloadEvent], *, as_json: bool) -> bool:
    """Fetch what an experiment lacks by `events`; return False if a signal stopped it."""
    try:
        report_supply(events, experiment, as_json=as_json)
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
    if not supply_files(experiment, supply_experiment(experiment, db), as_json=False):
        return handler.exit_code
    found = resolve_before_creation(db, experiment)
    with Store(db) as store:
        plan = make_plan(found or resolve(experiment, store=store), store, server_options)
        digest = write_registration(store, plan, output)
    print_line(f"Written: {output} (plan {digest}); the plan is stored in {db}", to_stderr=True)
    return 0


@closed_pipe_named()
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
    with run_lock(db) as set_experiment, Store(db, must_exist=True) as store:
        chosen = store.resolve_experiment(experiment)
        set_experiment(chosen)
        plan = plan_judging(store, chosen, judges, server_options)
        for work, notes in zip(with_worths(plan.work, db), plan.notes, strict=True):
            print_line(judge_plan_line(work), to_stderr=True)
            for note in notes:
                print_line(note_line(f"{work.name}: {note}"), to_stderr=True)
        for one in plan.judges if reasons else ():
            _print_missing_reasons(store, chosen, one)
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


def _print_missing_reasons(store: Store, experiment: str, judge: Judge) -> None:
    """Print how many labels of a judge keep having no reason, since a verdict is not edited."""
    count = count_without_reason(store, experiment, judge.id)
    if count:
        print_line(
            f"! {judge.name}: {quantity(count, 'label')} from earlier runs without a reason stay "
            "so, because reasons are stored with their labels; judge a new database with --reasons "
            "from the start",
            to_stderr=True,
        )


def _report(
    events: Generator[Event, None, None],
    reporter: Reporter,
    handler: SignalHandler,
    store: Store,
    *,
    experiment: str,
) -> int:
    stopped = consume(events, reporter, handler)
    if stopped is None:
        _print_resume_command(store, experiment)
        return handler.exit_code
    summary = summarise_experiment(store, experiment)
    reporter.results(summary)
    if any(table.judge is None for table in summary.tables):
        print_line(next_command(store.path), to_stderr=True)
    return exit_code(stopped)


def consume(
    events: Generator[Event, None, None],
    reporter: Reporter,
    handler: SignalHandler,
) -> list[Incomplete] | None:
    """Show the events; return the judges and models that were stopped or left out.

    None after a signal. The caller holds the lock of the database, since otherwise two processes
    would pay for the same label.
    """
    stopped: list[Incomplete] = []
    is_interrupted = False
    try:
        for event in events:
            reporter.show(event)
            if isinstance(event, Incomplete):
                stopped.append(event)
    except KeyboardInterrupt:
        events.close()
        is_interrupted = True
    return None if is_interrupted or handler.control.is_stopped else stopped


def exit_code(stopped: Sequence[Incomplete]) -> int:
    """Return 0; 1 if a judge or a model was stopped or left out, with a sentence each on stderr."""
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
