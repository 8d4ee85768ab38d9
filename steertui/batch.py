"""The headless face: runs an experiment, prints the plan first and the results last."""

import shlex
import signal
import sys
from pathlib import Path
from types import FrameType

from steertui.carrying import carry
from steertui.engine.sizing import Overrides
from steertui.experiment import Experiment, design
from steertui.faces import choose
from steertui.plan import Plan, make_plan
from steertui.report.summary import summarise
from steertui.run import run
from steertui.shard import Shard
from steertui.store import Store
from steertui.supply import supply_experiment

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Stop:
    """Hears the signals that ask to stop.

    The signal raises KeyboardInterrupt where it is heard, which ends even the loading of a model.
    Python swallows an exception raised inside a callback of llama.cpp, so `number` is kept, too,
    and looked at after every event.
    """

    def __init__(self) -> None:
        self.number = 0
        for number in SIGNALS:
            signal.signal(number, self._hear)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal was heard."""
        if self.number:
            raise KeyboardInterrupt


def run_batch(
    experiment: Experiment, db: Path, wish: Overrides, *, as_json: bool, shard: Shard
) -> int:
    """Run what is missing of an experiment, show the results, return the exit code.

    Ctrl-C, SIGTERM and a closed terminal stop it within one step; what is done stays.
    """
    stop = Stop()
    try:
        carry(supply_experiment(experiment), as_json=as_json)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. What was fetched stays; to go on, run the same again.\n")
        return 128 + (stop.number or signal.SIGINT)
    with Store(db) as store:
        plan = make_plan(design(experiment, shard), store)
        face = choose(as_json=as_json)
        face.planned(plan, db)
        events = run(plan, store, wish)
        try:
            for event in events:
                face.show(event)
                stop.check()
        except KeyboardInterrupt:
            events.close()
            _say_how_to_go_on(store, plan, db)
            return 128 + (stop.number or signal.SIGINT)
        face.results(summarise(store, plan.id))
    return 0


def _say_how_to_go_on(store: Store, plan: Plan, db: Path) -> None:
    done, total = len(store.answered(plan.id)), len(plan.prompts)
    again = shlex.join(["steertui", *sys.argv[1:]])
    sys.stderr.write(
        f"\nStopped. {done} of {total} answers are stored in {db}. To go on, run the same again:\n"
        f"  {again}\n"
    )
