"""Run control: pause, resume, stop and slot count of a run, shared by threads."""

import threading
import time
from collections.abc import Callable, Generator

from steertui.execution.events import Event


class RunControl:
    """Requests to a run that is in progress; every method may be called from any thread.

    The owner (a screen, the headless mode) calls `pause`, `resume`, `stop` and `change_slots`. The
    run reads the state between engine steps, and the dispatchers before they send a request.

    Attributes:
        new_slots: slots per engine for the run that replaces this one; None unless `change_slots`
            was called.
        before_wait: called in the thread of the run when a pause has suspended the engines, so that
            the run's owner can show what was computed up to it.
    """

    def __init__(self) -> None:
        self.new_slots: int | None = None
        self.before_wait: Callable[[], object] = lambda: None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._unblocked = threading.Event()
        self._unblocked.set()
        self._waiting = threading.Event()
        self._paused_since: float | None = None
        self._pauses: list[tuple[float, float]] = []

    @property
    def is_paused(self) -> bool:
        """Whether the run is paused, or is to pause after the current step."""
        return self._paused_since is not None

    @property
    def is_stopped(self) -> bool:
        """Whether the run is stopped, or is to stop after the current step."""
        return self._stopped.is_set()

    def pause(self) -> None:
        """Suspend the engines after the current step, and send no more requests to servers."""
        with self._lock:
            if self._paused_since is None and not self.is_stopped:
                self._paused_since = time.monotonic()
                self._unblocked.clear()

    def resume(self) -> None:
        """End a pause."""
        with self._lock:
            if self._paused_since is not None:
                self._pauses.append((self._paused_since, time.monotonic()))
                self._paused_since = None
            self._unblocked.set()

    def stop(self) -> None:
        """End the run after the current step, paused or not."""
        self._stopped.set()
        self._unblocked.set()

    def change_slots(self, slots: int) -> None:
        """Stop the run so that its owner can start it again with this number of slots.

        An engine's KV cache is allocated once, so the number cannot change while it runs.
        """
        self.new_slots = slots
        self.stop()

    def wait_while_paused(self) -> None:
        """Call `before_wait`, and block until the run is resumed or stopped."""
        self._waiting.set()
        self.before_wait()
        self._unblocked.wait()
        self._waiting.clear()

    def wait_until_waiting(self, seconds: float) -> bool:
        """Block at most `seconds` until a paused run computes nothing; return whether it does."""
        return self._waiting.wait(seconds)

    def wait_for_stop(self, seconds: float) -> bool:
        """Block for `seconds` or until the run is stopped; return whether it is stopped."""
        return self._stopped.wait(seconds)

    def clock(self) -> float:
        """Return a monotonic time in seconds that does not advance during a pause."""
        with self._lock:
            now = self._paused_since if self._paused_since is not None else time.monotonic()
            return now - sum(end - begin for begin, end in self._pauses)

    def seconds_at_work(self, seconds: float) -> float:
        """Return how much of the last `seconds` was outside of pauses that have ended."""
        begin = time.monotonic() - seconds
        with self._lock:
            return seconds - sum(max(0.0, end - max(begin, start)) for start, end in self._pauses)


def until_stopped(
    events: Generator[Event, None, None], control: RunControl
) -> Generator[Event, None, None]:
    """Yield the events of a run, and end it once `control` is stopped."""
    try:
        for event in events:
            yield event
            if control.is_stopped:
                return
    finally:
        events.close()
