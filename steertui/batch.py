"""The headless face: runs an experiment, prints the plan first and the results last."""

import shlex
import signal
import sys
from pathlib import Path
from types import FrameType

from steertui.engine.sizing import Overrides
from steertui.experiment import Experiment, design
from steertui.faces import choose
from steertui.plan import Plan, make_plan
from steertui.report.summary import summarise
from steertui.run import run
from steertui.store import Store


def run_batch(experiment: Experiment, db: Path, wish: Overrides, *, as_json: bool) -> int:
    """Run what is missing of an experiment, show the results, return the exit code.

    Ctrl-C, SIGTERM and a closed terminal stop it within one step; what is done stays.
    """
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, _stop)
    with Store(db) as store:
        plan = make_plan(design(experiment), store)
        face = choose(as_json=as_json)
        face.planned(plan, db)
        events = run(plan, store, wish)
        try:
            for event in events:
                face.show(event)
        except KeyboardInterrupt as exc:
            events.close()
            _say_how_to_go_on(store, plan, db)
            return 128 + (exc.args[0] if exc.args else signal.SIGINT)
        face.results(summarise(store, plan.id))
    return 0


def _stop(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(number)


def _say_how_to_go_on(store: Store, plan: Plan, db: Path) -> None:
    done, total = len(store.answered(plan.id)), len(plan.prompts)
    again = shlex.join(["steertui", *sys.argv[1:]])
    sys.stderr.write(
        f"\nStopped. {done} of {total} answers are stored in {db}. To go on, run the same again:\n"
        f"  {again}\n"
    )
