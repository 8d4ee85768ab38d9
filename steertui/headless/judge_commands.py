"""Commands on judges: overview, and measuring on the control set."""

from collections.abc import Sequence
from pathlib import Path

from steertui.analysis.judge_blindness import Blindness, measure_blindness
from steertui.analysis.judge_overview import JudgeOverview, combined_overviews, judge_overviews
from steertui.engine.sizing import Overrides
from steertui.execution import judge
from steertui.execution.judging_plan import plan_test
from steertui.headless.batch import SignalHandler, consume, exit_code, judge_stored
from steertui.headless.reporters import choose_reporter
from steertui.planning.inventory import judge_candidates
from steertui.planning.judges import Judge, JudgeServerOptions, with_stored_names
from steertui.printable import print_json, print_line
from steertui.report import judge_tables
from steertui.report.command import show
from steertui.report.record import comparison_line_record
from steertui.standard_streams import closed_pipe_named
from steertui.store import Store
from steertui.store.run_lock import run_lock


def show_judges(paths: Sequence[Path], *, as_json: bool) -> None:
    """Print the judges of the databases side by side, best first."""
    found: list[JudgeOverview] = []
    for path in dict.fromkeys(path.resolve() for path in paths):
        with Store(path, must_exist=True) as store:
            found += judge_overviews(store)
    _print(combined_overviews(found), as_json=as_json, detail=False)


@closed_pipe_named()
def test_judges(
    db: Path,
    judges: Sequence[Judge],
    overrides: Overrides,
    options: JudgeServerOptions,
    *,
    as_json: bool,
) -> int:
    """Let judges read the control set, print what they are worth and return the exit code."""
    handler = SignalHandler()
    with run_lock(db) as set_experiment, Store(db) as store:
        plan = plan_test(store, judges, options)
        set_experiment(plan.experiment)
        for work in plan.work:
            print_line(f"{work.name}: {work.unjudged} control answers to read", to_stderr=True)
        events = judge(
            store,
            plan.experiment,
            plan.judges,
            overrides,
            options,
            control=handler.control,
            unjudged=plan.unjudged,
        )
        reporter = choose_reporter(as_json=as_json)
        stopped = consume(events, reporter, handler)
        if stopped is None:
            return handler.exit_code
        ids = {one.id for one in plan.judges}
        tested = [overview for overview in judge_overviews(store) if overview.judge.id in ids]
        _print(tested, as_json=as_json, detail=True)
    return exit_code(stopped)


@closed_pipe_named()
def study_blindness(
    db: Path,
    experiment: str | None,
    judges: Sequence[Judge],
    overrides: Overrides,
    options: JudgeServerOptions,
    *,
    as_json: bool,
) -> int:
    """Judge stored answers with and without the suffix, and print the differences.

    `judges` are the judge that sees the suffix and the one that does not.
    """
    code = judge_stored(db, experiment, judges, overrides, options, reasons=False, as_json=as_json)
    if code:
        return code
    with Store(db, must_exist=True) as store:
        chosen = store.resolve_experiment(experiment)
        seeing, blind = (one.id for one in with_stored_names(judges, store))
        found = measure_blindness(store, chosen, seeing, blind)
    for each in found:
        _print_differences(each, as_json=as_json)
    return 0


def _print_differences(found: Blindness, *, as_json: bool) -> None:
    if as_json:
        for line in found.lines:
            print_json({"event": "blindness", **comparison_line_record(line)})
        return
    print_line(f"\n{found.title}")
    for line in found.lines:
        print_line(f"  {line.comparison.sentence}.")


def _print(overviews: Sequence[JudgeOverview], *, as_json: bool, detail: bool) -> None:
    if as_json:
        for record in judge_tables.overview_records(overviews):
            print_json(record)
    else:
        show(judge_tables.draw(overviews, judge_candidates(), detail=detail))
