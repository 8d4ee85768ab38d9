"""Reproduction of a bundle: verified, run again, and compared item by item."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from steertui.analysis.reproduction import (
    ReproducedCondition,
    ReproducedTable,
    ReproductionVerdict,
    compare_reproduction,
)
from steertui.engine.sizing import Overrides
from steertui.errors import BundleError, ExperimentError
from steertui.execution import run
from steertui.headless.batch import SignalHandler, consume, exit_code, supply_files
from steertui.headless.bundle_commands import verify
from steertui.headless.reporters import choose_reporter
from steertui.output_files import check_database
from steertui.planning.consent import require_consent
from steertui.planning.judges import JudgeServerOptions
from steertui.planning.plan import Plan, make_plan
from steertui.planning.reproduction import (
    ReproductionOptions,
    left_out_judges,
    reproducible_experiment,
    reproduction_design,
    reproduction_origin,
)
from steertui.planning.supply import requirements_of, supply
from steertui.printable import print_json, print_line
from steertui.report.bundle.archive import open_archive
from steertui.report.bundle.verifier import open_database
from steertui.standard_streams import closed_pipe_named
from steertui.stats.simultaneous import MIN_PAIRS
from steertui.store import Store
from steertui.store.run_lock import run_lock
from steertui.store.setup_queries import planned_keys
from steertui.units import quantity

SHOWN = (ReproductionVerdict.IDENTICAL, ReproductionVerdict.EQUIVALENT)
"""Verdicts that reproduce the original."""


@dataclass(frozen=True, slots=True)
class ReproductionRun:
    """How a bundle is run again.

    Attributes:
        bundle: the file.
        db: database of the reproduction; it is created, or resumed.
        experiment: id or prefix; "" for the only one.
        margin: of equivalence in percentage points; None for that of the declared analysis.
        is_sure: whether the user agrees to downloads and hosts in advance.
        as_json: whether to print JSON records.
    """

    bundle: Path
    db: Path
    experiment: str
    margin: float | None
    is_sure: bool
    as_json: bool


@closed_pipe_named()
def reproduce(how: ReproductionRun, options: ReproductionOptions, overrides: Overrides) -> int:
    """Run a bundle's experiment again and compare; return 0 if it is reproduced, else 1.

    Raises BundleError if the bundle's parts do not agree or the experiment cannot be run again, and
    ConsentError if the user does not agree to what it contacts and downloads.
    """
    if verify(how.bundle, digest="", as_json=how.as_json):
        raise BundleError(f"{how.bundle}: its parts do not agree; nothing was run")
    check_database(how.db, [how.bundle])
    with (
        open_archive(how.bundle) as archive,
        open_database(archive) as original,
        tempfile.TemporaryDirectory(prefix="steertui-") as folder,
    ):
        experiment = _chosen(original, how)
        runnable = reproducible_experiment(original, experiment, options, Path(folder))
        given = (*options.models, *options.judges)
        origin = reproduction_origin(runnable, how.bundle, given)
        require_consent(runnable, origin, is_sure=how.is_sure)
        handler = SignalHandler()
        # Its texts and vectors are in the bundle: only weights are supplied.
        weights = supply(requirements_of(runnable))
        if not supply_files(runnable, weights, as_json=how.as_json):
            return handler.exit_code
        design = reproduction_design(original, experiment, runnable, options)
        with run_lock(how.db) as set_experiment, Store(how.db) as store:
            plan = make_plan(design, store)
            set_experiment(plan.id)
            own = {judge.id for judge in plan.judges}
            _print_left_out(left_out_judges(original, experiment, own), as_json=how.as_json)
            reporter = choose_reporter(as_json=how.as_json)
            reporter.planned(plan, how.db)
            events = run(plan, store, overrides, JudgeServerOptions(), control=handler.control)
            stopped = consume(events, reporter, handler)
            if stopped is None:
                print_line("Stopped. Run the same command again to resume.", to_stderr=True)
                return handler.exit_code
            changed = _changed_prompts(plan, planned_keys(original, experiment))
            margin = runnable.analysis.margin if how.margin is None else how.margin
            tables = compare_reproduction((original, experiment), (store, plan.id), margin)
        return exit_code(stopped) or _report(tables, changed, as_json=how.as_json)


def _print_left_out(judges: Iterable[tuple[str, str]], *, as_json: bool) -> None:
    """Print which judges of the original's labels do not judge the reproduction, and why."""
    for name, reason in judges:
        if as_json:
            print_json({"event": "judge_left_out", "judge": name, "reason": reason})
        else:
            line = f"Warning: the labels of {name} are not reproduced: {reason}"
            print_line(line, to_stderr=True)


def _chosen(store: Store, how: ReproductionRun) -> str:
    ids = [known.id for known in store.experiments()]
    if how.experiment:
        return store.resolve_experiment(how.experiment)
    if len(ids) > 1:
        raise ExperimentError(
            f"{how.bundle}: has {quantity(len(ids), 'experiment')} ({', '.join(ids)}); choose one "
            "with --experiment"
        )
    return ids[0]


def _changed_prompts(plan: Plan, keys: set[str]) -> int:
    """Return the number of planned trials that the original does not have."""
    return sum(prompt.key not in keys for prompt in plan.prompts)


def _report(tables: Sequence[ReproducedTable], changed: int, *, as_json: bool) -> int:
    """Print the comparison; return 0 if all tables are reproduced."""
    if changed:
        print_line(
            f"Warning: {quantity(changed, 'trial')} of this run are none of the original: a "
            "prompt, a vector or a setting differs, such as through another version of steertui",
            to_stderr=True,
        )
    for table in tables:
        if as_json:
            print_json(_record(table, changed))
        else:
            for line in _lines(table):
                print_line(line)
    is_reproduced = bool(tables) and all(table.verdict in SHOWN for table in tables)
    return int(changed > 0 or not is_reproduced)


def _lines(table: ReproducedTable) -> list[str]:
    judge = f", judge {table.judge}" if table.judge else ""
    lines = [f"{table.setting.name} at temperature {table.setting.temperature:g}{judge}"]
    lines += [f"  {_condition_line(row)}" for row in table.conditions]
    return [*lines, f"  Verdict: {_verdict_text(table)}"]


def _condition_line(row: ReproducedCondition) -> str:
    parts = [f"{row.condition}: {row.identical} of {row.items} answers identical"]
    if row.missing:
        parts.append(f"{row.missing} without an answer on one side")
    if row.labelled:
        parts.append(f"{row.same_label} of {row.labelled} labels equal")
    gap = row.gap
    if gap.points is not None:
        has_limits = gap.low is not None and gap.pairs >= MIN_PAIRS
        limits = f" [{gap.low:+.1f}, {gap.high:+.1f}]" if has_limits else ""
        parts.append(f"rate {gap.points:+.1f} points{limits}")
    return ", ".join(parts)


def _verdict_text(table: ReproducedTable) -> str:
    margin = f"{table.margin:g} points"
    scenarios = min((row.gap.pairs for row in table.conditions), default=0)
    match table.verdict:
        case ReproductionVerdict.IDENTICAL:
            if any(row.labelled for row in table.conditions):
                return f"identical: every answer and every label of {table.judge}"
            return "identical: every answer; no label was compared, --judge names a judge"
        case ReproductionVerdict.EQUIVALENT:
            return f"equivalent: every rate is shown to be within {margin} of the original"
        case ReproductionVerdict.DIFFERENT:
            return "different: a rate is shown to differ from the original"
        case ReproductionVerdict.UNJUDGED:
            return "answers differ, and no judge labelled both; --judge names one"
        case ReproductionVerdict.INCONCLUSIVE:
            return (
                f"inconclusive: neither a difference nor equivalence within {margin} is shown with "
                f"{quantity(scenarios, 'scenario')}; run a larger share"
            )


def _record(table: ReproducedTable, changed: int) -> dict[str, object]:
    return {
        "event": "reproduced",
        "model": table.setting.name,
        "model_sha256": table.setting.model,
        "temperature": table.setting.temperature,
        "judge": table.judge or None,
        "margin": table.margin,
        "changed_trials": changed,
        "verdict": str(table.verdict),
        "conditions": [asdict(row) for row in table.conditions],
    }
