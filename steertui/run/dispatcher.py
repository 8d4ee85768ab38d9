"""A Serving: one model's prompts, handed out to its servers until each is answered or failed."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from steertui.core.generation import Generation
from steertui.core.prompt import Prompt
from steertui.engine.events import RequestFailed, SlotView
from steertui.run.endpoint import Endpoint, PromptJob
from steertui.run.events import (
    Event,
    Generated,
    ServerFound,
    ServerLost,
    ServerModelStopped,
    ServerProgress,
)
from steertui.run.generate import versions
from steertui.server.client import ConnectionFailed, RequestRejected
from steertui.server.completions import (
    Completion,
    completion_request,
    parse_completion,
    request_path,
)
from steertui.server.limits import RetryPolicy
from steertui.server.model import ServerModel, key_rejected
from steertui.server.protocol import InvalidReply
from steertui.store import ServerAnswer, Store

TICK = 0.25
"""Seconds between two reports."""

MOST_VIEWS = 64

BUSY = frozenset({408, 409, 425, 429, 502, 503, 504})
"""Statuses that say nothing of the question: the server, or one before it, is busy or away."""


class Dispatcher:
    """Shares one queue out to all servers of a model; each answer is stored before it is told.

    A prompt goes back to the queue whenever its server fails it, for whichever server has room: of
    what comes back too late nothing is kept, and the store takes one answer a trial. After
    `max_tries` failures that may be the prompt's own it is listed as failed.
    """

    def __init__(
        self,
        model: ServerModel,
        prompts: Sequence[Prompt],
        store: Store,
        experiment: str,
        patience: RetryPolicy,
        tell: Callable[[Event], None],
    ) -> None:
        self.model = model
        self._store, self._patience, self._tell = store, patience, tell
        self._queue = deque(PromptJob(prompt) for prompt in prompts)
        self._total, self._done, self._failed, self._tokens = len(prompts), 0, 0, 0
        share = len(prompts) // len(model.address.urls)
        self._stations = [Endpoint(model, url, patience, share) for url in model.address.urls]
        self._loop = asyncio.get_running_loop()
        self._stopped = ""
        self._held = False
        self._begun = time.monotonic()
        told: dict[str, object] = {
            "model": str(model.address),
            "form": model.prompt_mode,
            "server": model.info.description,
        }
        told |= {
            "weights": dict(model.info.weights),
            "left_out": sorted(model.info.rejected_settings),
        }
        device = f"{model.info.description} at {', '.join(model.address.urls)}"
        self._run = store.start(experiment, versions(), device, told | _stored_policy(patience))

    async def work(self) -> None:
        """Ask until every prompt has its answer or its failure, or nobody is left to ask."""
        for url, why in self.model.unreachable:
            self._tell(ServerLost(self.model.name, url, why))
        async with asyncio.TaskGroup() as group:
            for station in self._stations:
                group.create_task(self._serve(station))
            await self._watch()
        self._report()
        if self._left and self._stopped:
            self._tell(ServerModelStopped(self.model.name, self._stopped, self._left))

    def stop(self, reason: str = "asked to stop") -> None:
        """Ask nothing more; what is in flight is still awaited."""
        self._stopped = self._stopped or reason
        self._wake()

    def hold(self, *, held: bool) -> None:
        """Ask nothing more for a while, or go on; from any thread."""
        self._held = held
        with suppress(RuntimeError):  # its loop is closed: it is over, and asks nothing
            self._loop.call_soon_threadsafe(self._wake)

    @property
    def _left(self) -> int:
        return self._total - self._done - self._failed

    @property
    def _is_over(self) -> bool:
        return bool(self._stopped) or not self._left

    def _wake(self) -> None:
        for station in self._stations:
            station.wake.set()

    async def _watch(self) -> None:
        """Report now and then; stop where no server has been there for too long."""
        while not self._is_over:
            self._report()
            now = time.monotonic()
            silent = [s for s in self._stations if s.out or s.silent_since]
            patience = self._patience.max_outage
            if all(s.out for s in self._stations):
                self.stop(f"no server is left ({self._stations[-1].out})")
            elif len(silent) == len(self._stations) and all(
                s.out or now - s.silent_since > patience for s in silent
            ):
                self.stop(f"no server answered for {patience:.0f} seconds")
            await asyncio.sleep(TICK)

    async def _serve(self, station: Endpoint) -> None:
        async with station.client, asyncio.TaskGroup() as group:
            while not self._is_over and not station.out:
                if station.rest > 0:
                    await _pause(station, station.rest)
                elif station.in_doubt:
                    self._looked(station, await station.look())
                elif self._queue and station.has_room and not self._held:
                    job = self._queue.popleft()
                    station.at_work[job.prompt.key] = job
                    group.create_task(self._ask(station, job))
                else:
                    await _pause(station, None)
        self._wake()

    def _looked(self, station: Endpoint, wrong: str) -> None:
        """Tell what a look at a server in doubt has shown, if it is news."""
        if wrong:
            if station.out or not station.is_lost:
                self._tell(ServerLost(self.model.name, station.url, wrong, bool(station.out)))
        elif station.is_lost:
            self._tell(ServerFound(self.model.name, station.url))
        station.is_lost = bool(wrong)

    async def _ask(self, station: Endpoint, job: PromptJob) -> None:
        job.begun = time.monotonic()
        full = not station.has_room
        prompt = job.prompt
        request = completion_request(
            self.model.info, prompt.content, prompt.trial.sampling, seed=prompt.seed
        )
        path = request_path(prompt.content)
        try:
            answer = parse_completion(await station.client.post(path, request))
        except RequestRejected as exc:
            self._refused(station, job, exc)
        except ConnectionFailed as exc:
            self._unreachable(station, job, exc)
        except InvalidReply as exc:
            self._fail(station, job, exc.reason, again=exc.retryable)
        else:
            self._keep(station, job, answer, full=full)
        finally:
            del station.at_work[job.prompt.key]
            station.wake.set()

    def _keep(self, station: Endpoint, job: PromptJob, answer: Completion, *, full: bool) -> None:
        if station.is_another(answer):
            self._doubt(station, job)
            return
        now, key = time.monotonic(), job.prompt.key
        counts = answer.prompt_tokens, answer.tokens
        generation = Generation(answer.text, answer.stop, *counts, now - job.begun)
        names = answer.model, answer.fingerprint, answer.request
        delivery = ServerAnswer(station.url, self.model.prompt_mode, *names, job.tries + 1)
        self._store.add_generation(key, self._run, generation, delivery)
        station.note(failed=False)
        station.pace.answered(answer.tokens, now - job.begun, now, full=full)
        self._done, self._tokens = self._done + 1, self._tokens + answer.tokens
        self._tell(Generated(job.prompt, generation))
        self._end()

    def _refused(self, station: Endpoint, job: PromptJob, exc: RequestRejected) -> None:
        if exc.status in (401, 403) or exc.is_quota or exc.is_unknown_model:
            name, url = self.model.address.model, station.url
            key = exc.status in (401, 403)
            reason = str(key_rejected(name, url, exc.status)) if key else f"{url} says: {exc.said}"
            self._put_back(job)
            station.out = station.out or reason
            self._looked(station, reason)
        elif exc.status in BUSY:
            station.busy(exc.wait)
            self._put_back(job)
        else:
            self._fail(station, job, str(exc), again=exc.status >= 500)

    def _unreachable(self, station: Endpoint, job: PromptJob, exc: ConnectionFailed) -> None:
        if not exc.sent:
            self._doubt(station, job)
            return
        if exc.late:
            station.pace.overloaded(time.monotonic())
        else:
            station.in_doubt = True
        self._fail(station, job, f"the connection failed ({exc.cause})", again=True)

    def _doubt(self, station: Endpoint, job: PromptJob) -> None:
        """Put the prompt back, and look at the server before it is asked again."""
        self._put_back(job)
        station.in_doubt = True

    def _fail(self, station: Endpoint, job: PromptJob, reason: str, *, again: bool) -> None:
        job.tries += 1
        if again and job.tries < self._patience.max_tries:
            self._queue.append(job)
            self._wake()
        else:
            tried = f" ({job.tries} tries)" if again else ""
            self._store.add_failure(job.prompt.key, self._run, f"{reason}{tried}")
            self._failed += 1
            self._tell(RequestFailed(job.prompt.key, f"{reason}{tried}"))
            self._end()
        wrong = station.note(failed=True)
        if wrong:
            self._tell(ServerLost(self.model.name, station.url, f"{wrong}, the last: {reason}"))
            station.take_rest(30.0)
            station.in_doubt = station.is_lost = True

    def _put_back(self, job: PromptJob) -> None:
        self._queue.appendleft(job)
        self._wake()

    def _end(self) -> None:
        if not self._left:
            self._report()
            self._wake()

    def _report(self) -> None:
        now = time.monotonic()
        at_work = [(s, j) for s in self._stations for j in s.at_work.values()]
        views = tuple(
            SlotView(j.prompt.key, 0, f"{now - j.begun:.0f} s at {s.url}")
            for s, j in at_work[:MOST_VIEWS]
        )
        up = sum(not (s.out or s.in_doubt or s.rest > 0) for s in self._stations)
        self._tell(
            ServerProgress(
                self.model.name, self._done, self._failed, self._total, self._tokens,
                now - self._begun, len(at_work), up, len(self._stations), views, self,
            )
        )  # fmt: skip


def _stored_policy(policy: RetryPolicy) -> dict[str, object]:
    """Return the policy as it is stored with a run."""
    return {
        "concurrency": policy.concurrency,
        "timeout": policy.timeout,
        "tries": policy.max_tries,
        "wait": policy.max_outage,
    }


async def _pause(station: Endpoint, seconds: float | None) -> None:
    """Wait until the station is woken, or so long."""
    try:
        async with asyncio.timeout(seconds):
            await station.wake.wait()
    except TimeoutError:
        pass
    station.wake.clear()
