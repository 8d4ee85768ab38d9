"""Results of an experiment of which nothing is left to do, without weights, network or consent."""

from contextlib import suppress
from pathlib import Path

from steertui.analysis.summary import summarise_experiment
from steertui.core.experiment import Experiment
from steertui.core.model import is_server
from steertui.errors import SteertuiError
from steertui.headless.batch_options import BatchOptions
from steertui.headless.reporters import choose_reporter
from steertui.headless.run_summary import SUMMARY, RunNotes, write_summary
from steertui.output_files import check_output
from steertui.paths import exists
from steertui.planning.complete_plan import newest_plan
from steertui.planning.idle_plan import idle_reason
from steertui.planning.judges import JudgeServerOptions
from steertui.planning.origin import Origin
from steertui.printable import print_line
from steertui.store import Store


def show_if_complete(
    experiment: Experiment,
    db: Path,
    options: JudgeServerOptions,
    origin: Origin,
    how: BatchOptions,
) -> bool:
    """Print the results if a run would only download weights; return whether it would.

    Models on servers and missing files are left to the run, which contacts or names them.
    """
    if not exists(db) or any(map(is_server, experiment.models)):
        return False
    reason = ""
    with suppress(SteertuiError):  # the run raises it, or leaves the model out
        reason = idle_reason(experiment, db, options, origin)
    if reason:
        print_line(f"{db}: {reason}", to_stderr=True)
        _show(experiment, db, how)
    return bool(reason)


def _show(experiment: Experiment, db: Path, how: BatchOptions) -> None:
    if how.summary:
        check_output(how.summary, SUMMARY, [db])
    with Store(db, must_exist=True) as store:
        stored = newest_plan(store, experiment)
        assert stored is not None
        choose_reporter(as_json=how.as_json).results(summarise_experiment(store, stored.id))
        if how.summary:
            write_summary(how.summary, store, stored.id, RunNotes(), ended="everything is done")
