"""Weights of a run's models: fetched one model ahead, and removed after use on request."""

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from steertui.assets.fetch.download import BytesReceived, RetryWait
from steertui.core.model import Model, RemoteModel
from steertui.execution.control import RunControl
from steertui.execution.events import Event, WeightsFetched, WeightsProgress, WeightsRemoved
from steertui.planning.remote_models import (
    fetch_weights,
    local_copy,
    missing_bytes,
    owner_of,
    remove_owned,
)

POLL = 0.2
"""Seconds between two looks at a download."""

STOP_GRACE = 3.0
"""Seconds to wait for a download to stop; the received bytes are kept in any case."""


class Weights:
    """Weights of the models that a run computes with, in their order; a context manager.

    While one model computes, a thread downloads the next model's weights. Leaving the context stops
    the download; the received bytes are kept.
    """

    def __init__(
        self, models: Sequence[Model], db: Path, control: RunControl, *, removes: bool
    ) -> None:
        """Prepare the weights of `models`; weights downloaded for `db` are removed if `removes`."""
        self._models = list(models)
        self._owner = owner_of(db)
        self._control = control
        self._removes = removes
        self._removals = 0
        self._fetch: _Fetch | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._fetch:
            self._fetch.stop()

    def ready(self, model: Model) -> Generator[Event, None, Model | None]:
        """Return the model with its weights on this machine; begin to fetch the next one's.

        Yields events while the weights are fetched, and returns None if the run is stopped. Raises
        FetchError or ModelError if they cannot be fetched; then the next one's are not begun. A
        failure before weights were removed is tried again: the disk has more space now.
        """
        if isinstance(model, RemoteModel):
            fetch = self._begin(model)
            yield from self._wait(fetch)
            if fetch.failure and fetch.removals < self._removals:
                self._fetch = None
                fetch = self._begin(model)
                yield from self._wait(fetch)
            if self._control.is_stopped:
                return None
            if fetch.failure:
                raise fetch.failure
            yield WeightsFetched(model.name, fetch.size, fetch.seconds)
        local = local_copy(model)
        following = self._models[self._models.index(model) + 1 :]
        if following and isinstance(following[0], RemoteModel):
            self._begin(following[0])
        return local

    def watch(
        self, model: Model, events: Generator[Event, None, None]
    ) -> Generator[Event, None, None]:
        """Yield the events of a model that computes, and the progress of the next one's download.

        Closing it closes `events`.
        """
        shown_at = 0.0
        fetch = self._fetch if self._fetch and self._fetch.model != model else None
        with closing(events):
            for event in events:
                yield event
                now = time.monotonic()
                if fetch and now - shown_at >= POLL:
                    shown_at = now
                    is_over = not fetch.is_running
                    yield replace(fetch.state, is_ahead=True)
                    fetch = None if is_over else fetch

    def release(self, model: Model) -> Iterator[Event]:
        """Remove the weights of a model if the run downloaded them and is to remove them."""
        freed = remove_owned(model, self._owner) if self._removes else 0
        if freed:
            self._removals += 1
            yield WeightsRemoved(model.name, freed)

    def _begin(self, model: RemoteModel) -> "_Fetch":
        """Return the download of a model's weights, which is begun if it is not in progress."""
        if self._fetch is None or self._fetch.model != model:
            if self._fetch:
                self._fetch.stop()
            self._fetch = _Fetch(model, self._owner, self._removals)
        return self._fetch

    def _wait(self, fetch: "_Fetch") -> Iterator[Event]:
        while fetch.is_running and not self._control.is_stopped:
            yield fetch.progress
            fetch.wait(POLL)


class _Fetch:
    """Download of one model's weights in a thread, which begins at once.

    Attributes:
        model: whose weights they are.
        removals: number of removals of weights before it began.
        size: bytes that were missing.
        seconds: time that it took.
        failure: why it failed; None while it runs.
        progress: its newest state.
    """

    def __init__(self, model: RemoteModel, owner: str, removals: int) -> None:
        self.model = model
        self.removals = removals
        self.size = missing_bytes(model)
        self.seconds = 0.0
        self.failure: BaseException | None = None
        self.progress = WeightsProgress(model.name, 0, model.size)
        self._owner = owner
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="weights", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether bytes are still to come."""
        return self._thread.is_alive()

    @property
    def state(self) -> WeightsProgress:
        """Its newest state, with the reason of a failure."""
        return replace(self.progress, reason=str(self.failure)) if self.failure else self.progress

    def wait(self, seconds: float) -> None:
        """Wait until it ends, at most for `seconds`."""
        self._thread.join(seconds)

    def stop(self) -> None:
        """Stop after the current block of bytes; a server that sends none is not waited for."""
        self._is_stopped.set()
        self._thread.join(STOP_GRACE)

    # In the thread

    def _run(self) -> None:
        start = time.monotonic()
        try:
            self._receive()
        except BaseException as exc:  # raised again in the run's thread
            self.failure = exc
        self.seconds = time.monotonic() - start

    def _receive(self) -> None:
        done: dict[str, int] = {}
        with closing(fetch_weights(self.model, self._owner)) as events:
            for event in events:
                if self._is_stopped.is_set():
                    return
                if isinstance(event, BytesReceived):
                    done[event.name] = event.done
                self.progress = WeightsProgress(
                    self.model.name,
                    sum(done.values()),
                    self.model.size,
                    reason=event.reason if isinstance(event, RetryWait) else "",
                )
