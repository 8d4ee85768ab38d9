"""Run control: pause, resume and stop of real runs; snapshots of the engine."""

import threading
import time
from itertools import pairwise
from pathlib import Path

from steertui.core.experiment import Experiment
from steertui.engine.sizing import Overrides
from steertui.execution import EngineProgress, Generated, RunControl, ServerProgress, run
from steertui.planning.judges import JudgeServerOptions
from steertui.planning.plan import make_plan
from steertui.planning.resolve import resolve
from steertui.server.limits import RetryPolicy
from steertui.store import Store
from tests.fixtures.openai_server import Fake, Loopback
from tests.fixtures.server_runs import experiment

PAUSE = 0.6


def test_clock_excludes_pauses() -> None:
    control = RunControl()
    start = control.clock()
    control.pause()
    control.pause()  # a second call changes nothing
    paused_at = control.clock()
    time.sleep(0.05)
    assert control.clock() == paused_at
    control.resume()
    assert control.clock() - start < 0.05
    assert 0.9 < control.seconds_at_work(1.0) < 0.96  # the last second, less the pause
    assert control.seconds_at_work(0.0) == 0.0


def test_stop_ends_a_pause_and_new_slots_stop_the_run() -> None:
    control = RunControl()
    control.pause()
    threading.Timer(0.05, control.change_slots, [8]).start()
    control.wait_while_paused()
    assert control.is_stopped
    assert control.new_slots == 8
    assert control.wait_for_stop(0)


def test_paused_engine_generates_nothing_and_finishes_after_resume(tmp_path: Path) -> None:
    control = RunControl()
    answered: list[float] = []
    seconds: list[float] = []
    with Store(tmp_path / "a.db") as store:
        plan = make_plan(resolve(Experiment(limit=4, max_tokens=16, judges=["none"])), store)
        resumed_at = 0.0
        for event in run(plan, store, Overrides(slots=2, threads=1), control=control):
            if isinstance(event, Generated):
                answered.append(time.monotonic())
                seconds.append(event.generation.seconds)
                if len(answered) == 2:
                    control.pause()
                    resumed_at = time.monotonic() + PAUSE
                    threading.Timer(PAUSE, control.resume).start()
    assert len(answered) == len(plan.prompts)
    # Answers of the step in which the pause began are still published.
    assert not [t for t in answered if answered[1] + PAUSE / 2 < t < resumed_at]
    assert answered[-1] >= resumed_at
    # The answers that were in progress during the pause began before it.
    in_progress = [(s, t) for s, t in zip(seconds, answered, strict=True) if t >= resumed_at]
    assert all(s < t - answered[1] - PAUSE / 2 for s, t in in_progress[:1])


def test_engine_snapshots_are_plain_data_at_most_ten_times_per_second(tmp_path: Path) -> None:
    times: list[float] = []
    last: EngineProgress | None = None
    with Store(tmp_path / "a.db") as store:
        plan = make_plan(resolve(Experiment(limit=4, max_tokens=16, judges=["none"])), store)
        for event in run(plan, store, Overrides(slots=2, threads=1)):
            if isinstance(event, EngineProgress):
                times.append(time.monotonic())
                last = event
    assert last
    assert (last.done, last.total) == (len(plan.prompts), len(plan.prompts))
    assert last.capacity.slots == 2
    assert last.snapshot.generated > 0
    # The last event comes at the end of the stage, which may be sooner.
    assert all(later - earlier > 0.09 for earlier, later in pairwise(times[:-1]))


def test_stopped_run_ends_and_the_next_run_continues(tmp_path: Path) -> None:
    control = RunControl()
    with Store(tmp_path / "a.db") as store:
        plan = make_plan(resolve(Experiment(limit=4, max_tokens=16, judges=["none"])), store)
        events = []
        for event in run(plan, store, Overrides(slots=2, threads=1), control=control):
            events.append(event)
            if isinstance(event, Generated):
                control.stop()
        assert isinstance(events[-1], Generated)
        again = make_plan(resolve(Experiment(limit=4, max_tokens=16, judges=["none"])), store)
        assert len(again.missing_here) < len(plan.prompts)


def test_paused_dispatcher_sends_no_requests(tmp_path: Path) -> None:
    control = RunControl()
    fake = Fake(delay=0.02)
    sent_during_pause: list[int] = []
    with Loopback(fake) as server, Store(tmp_path / "a.db") as store:
        plan = make_plan(resolve(experiment([f"server:one@{server.url}"], limit=6)), store)
        options = JudgeServerOptions(answers=RetryPolicy(concurrency=1, timeout=30.0))
        resume_at = 0.0
        in_pause = 0
        done = 0
        for event in run(plan, store, Overrides(), options, control=control):
            done += isinstance(event, Generated)
            if done == 3 and not resume_at:
                control.pause()
                resume_at = time.monotonic() + 4 * PAUSE
            elif control.is_paused and isinstance(event, ServerProgress):
                # The request that was in flight may still end; after that nothing is sent.
                in_pause += 1
                if in_pause > 2:
                    sent_during_pause.append(len(fake.bodies))
                if time.monotonic() > resume_at:
                    control.resume()
    assert done == 18
    assert len(sent_during_pause) > 2
    assert len(set(sent_during_pause)) == 1
