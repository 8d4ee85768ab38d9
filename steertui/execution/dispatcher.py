"""Dispatcher of one model's prompts to its servers, with retries and failover."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence

from steertui.core.generation import Generation
from steertui.core.prompt import Prompt
from steertui.engine.events import RequestFailed, SlotView
from steertui.execution.control import RunControl
from steertui.execution.endpoint import Endpoint, PromptJob
from steertui.execution.events import (
    Event,
    Generated,
    ModelStopped,
    ServerFound,
    ServerLost,
    ServerProgress,
)
from steertui.execution.generate import versions
from steertui.server.completions import (
    Completion,
    completion_request,
    parse_completion,
    request_path,
)
from steertui.server.failures import ConnectionFailed, RequestRejected
from steertui.server.limits import RetryPolicy
from steertui.server.model import ServerModel, key_rejected
from steertui.server.reply import InvalidReply
from steertui.store import ServerAnswer, Store

PROGRESS_INTERVAL = 0.25
"""Seconds between two progress events, and between two looks at the run control."""

MAX_VIEWS = 64
"""Requests in flight that a progress event lists."""

BUSY = frozenset({408, 409, 425, 429, 502, 503, 504})
"""HTTP statuses not caused by the prompt: the server or a proxy is busy or unavailable."""

LONG_WAIT = 10.0
"""Seconds that a busy server asks to wait from which on this is reported."""

TRIPPED_BACKOFF = 30.0
"""Seconds before a server whose circuit breaker tripped is probed."""


class Dispatcher:
    """One queue of prompts for all servers of a model.

    A prompt whose request fails returns to the queue, for whichever server has capacity. A prompt
    that may have caused `RetryPolicy.max_tries` failures itself is stored as failed. An answer is
    stored before its event is published. Late replies are discarded, and the store accepts one
    answer per trial.
    """

    def __init__(
        self,
        model: ServerModel,
        prompts: Sequence[Prompt],
        store: Store,
        experiment: str,
        *,
        policy: RetryPolicy,
        control: RunControl,
        publish: Callable[[Event], None],
    ) -> None:
        self._model = model
        self._store = store
        self._policy = policy
        self._control = control
        self._publish = publish
        self._queue = deque(PromptJob(prompt) for prompt in prompts)
        self._total = len(prompts)
        self._done = 0
        self._failed = 0
        self._tokens = 0
        share = len(prompts) // len(model.address.urls)
        self._endpoints = [Endpoint(model, url, policy, share) for url in model.address.urls]
        self._stop_reason = ""
        self._was_paused = False
        self._started_at = time.monotonic()
        self._run = self._register(experiment)

    def _register(self, experiment: str) -> int:
        """Add this run to the store with the server's metadata; return its id."""
        model = self._model
        settings: dict[str, object] = {
            "model": str(model.address),
            "form": model.prompt_mode,
            "server": model.info.description,
            "weights": dict(model.info.weights),
            "weights_id": model.sha256,
            "left_out": sorted(model.info.rejected_settings),
            "adaptations": list(model.info.adaptations),
        }
        device = f"{model.info.description} at {', '.join(model.address.urls)}"
        return self._store.add_run(experiment, versions(), device, settings | _stored(self._policy))

    async def work(self) -> None:
        """Send requests until every prompt is answered or failed, or no server is left."""
        for url, reason in self._model.unreachable:
            self._publish(ServerLost(self._model.name, url, reason))
        async with asyncio.TaskGroup() as group:
            for endpoint in self._endpoints:
                group.create_task(self._serve(endpoint))
            await self._watch()
        self._publish_progress()
        if self._left and self._stop_reason:
            self._publish(ModelStopped(self._model.name, self._stop_reason, self._left))

    def stop(self, reason: str = "the run was stopped") -> None:
        """Send no more requests; replies in flight are still awaited."""
        self._stop_reason = self._stop_reason or reason
        self._wake()

    @property
    def _left(self) -> int:
        return self._total - self._done - self._failed

    @property
    def _is_over(self) -> bool:
        return bool(self._stop_reason) or not self._left

    def _wake(self) -> None:
        for endpoint in self._endpoints:
            endpoint.wake.set()

    async def _watch(self) -> None:
        """Publish progress, follow the run control, and stop when no server is available."""
        while not self._is_over:
            self._publish_progress()
            if self._control.is_paused != self._was_paused:
                self._was_paused = self._control.is_paused
                self._wake()
            self._stop_if_unavailable()
            await asyncio.sleep(PROGRESS_INTERVAL)

    def _stop_if_unavailable(self) -> None:
        if all(e.disabled_reason for e in self._endpoints):
            self.stop(f"no server is left ({self._endpoints[-1].disabled_reason})")
            return
        now = time.monotonic()
        longest = self._policy.max_outage
        if all(
            e.disabled_reason or (e.failing_since and now - e.failing_since > longest)
            for e in self._endpoints
        ):
            problem = self._endpoints[-1].last_problem
            last = f", the last: {problem}" if problem else ""
            self.stop(f"no server answered for {longest:.0f} seconds{last}")

    async def _serve(self, endpoint: Endpoint) -> None:
        """Send requests to one server as long as it is used."""
        async with endpoint.client, asyncio.TaskGroup() as group:
            while not self._is_over and not endpoint.disabled_reason:
                if endpoint.backoff > 0:
                    await _wait(endpoint, endpoint.backoff)
                elif endpoint.needs_probe:
                    self._publish_probe(endpoint, await endpoint.probe())
                elif self._queue and endpoint.has_capacity and not self._control.is_paused:
                    job = self._queue.popleft()
                    endpoint.in_flight[job.prompt.key] = job
                    group.create_task(self._send(endpoint, job))
                else:
                    await _wait(endpoint, None)
        self._wake()

    def _publish_probe(self, endpoint: Endpoint, problem: str) -> None:
        """Publish that a server is lost or back, unless this is already known."""
        name = self._model.name
        if problem and (endpoint.disabled_reason or not endpoint.is_lost):
            self._publish(ServerLost(name, endpoint.url, problem, bool(endpoint.disabled_reason)))
        elif not problem and endpoint.is_lost:
            self._publish(ServerFound(name, endpoint.url))
        endpoint.is_lost = bool(problem)

    async def _send(self, endpoint: Endpoint, job: PromptJob) -> None:
        job.sent_at = time.monotonic()
        is_full = not endpoint.has_capacity
        prompt = job.prompt
        request = completion_request(
            self._model.info, prompt.content, prompt.trial.sampling, seed=prompt.seed
        )
        path = request_path(prompt.content)
        try:
            reply = await endpoint.client.post(path, request)
            completion = parse_completion(reply, prompt.trial.sampling.max_tokens)
        except RequestRejected as exc:
            self._on_rejected(endpoint, job, exc)
        except ConnectionFailed as exc:
            self._on_connection_failed(endpoint, job, exc)
        except InvalidReply as exc:
            self._on_failure(endpoint, job, exc.reason, retry=exc.retryable)
        else:
            self._on_completion(endpoint, job, completion, is_full=is_full)
        finally:
            del endpoint.in_flight[prompt.key]
            endpoint.wake.set()

    def _on_completion(
        self, endpoint: Endpoint, job: PromptJob, completion: Completion, *, is_full: bool
    ) -> None:
        if endpoint.may_be_replaced(completion):
            self._requeue_and_probe(endpoint, job)
            return
        now = time.monotonic()
        seconds = now - job.sent_at
        generation = Generation(
            completion.text,
            completion.stop,
            completion.prompt_tokens,
            completion.tokens,
            seconds=seconds,
            prefill=job.prompt.prefill,
        )
        answer = ServerAnswer(
            url=endpoint.url,
            prompt_mode=self._model.prompt_mode,
            model=completion.model,
            fingerprint=completion.fingerprint,
            request_id=completion.request,
            attempts=job.tries + 1,
        )
        self._store.add_generation(job.prompt.key, self._run, generation, answer)
        endpoint.record(failed=False)
        self._publish_probe(endpoint, "")
        endpoint.concurrency.answered(completion.tokens, seconds, now, full=is_full)
        self._done += 1
        self._tokens += completion.tokens
        self._publish(Generated(job.prompt, generation))
        self._check_end()

    def _on_rejected(self, endpoint: Endpoint, job: PromptJob, exc: RequestRejected) -> None:
        # A server that has answered with this key refuses the prompt, not the key.
        is_key_refused = exc.is_key_rejected and not (exc.status == 403 and endpoint.has_answered)
        if is_key_refused or exc.is_quota_exceeded or exc.is_unknown_model:
            reason = f"{endpoint.url} says: {exc.message}"
            if is_key_refused:
                reason = str(key_rejected(self._model.address.model, endpoint.url, exc.status))
            self._requeue(job)
            endpoint.disabled_reason = endpoint.disabled_reason or reason
            self._publish_probe(endpoint, reason)
        elif exc.status in BUSY:
            endpoint.rejected_busy(str(exc), exc.retry_after)
            self._requeue(job)
            self._publish_wait(endpoint, exc)
        else:
            self._on_failure(endpoint, job, str(exc), retry=exc.status >= 500)

    def _publish_wait(self, endpoint: Endpoint, exc: RequestRejected) -> None:
        """Publish that a server asks for a long wait, unless this is already known."""
        if endpoint.is_lost or (exc.retry_after or 0.0) < LONG_WAIT:
            return
        endpoint.is_lost = True
        reason = f"{exc}; it asks to wait {exc.retry_after:,.0f} s"
        self._publish(ServerLost(self._model.name, endpoint.url, reason))

    def _on_connection_failed(
        self, endpoint: Endpoint, job: PromptJob, exc: ConnectionFailed
    ) -> None:
        if not exc.was_sent:
            self._requeue_and_probe(endpoint, job)
            return
        if exc.timed_out:
            endpoint.concurrency.overloaded(time.monotonic())
        else:
            endpoint.needs_probe = True
        self._on_failure(endpoint, job, f"the connection failed ({exc.cause})", retry=True)

    def _on_failure(self, endpoint: Endpoint, job: PromptJob, reason: str, *, retry: bool) -> None:
        """Retry a prompt, or store it as failed; back off if the circuit breaker trips."""
        job.tries += 1
        if retry and job.tries < self._policy.max_tries:
            self._queue.append(job)
            self._wake()
        else:
            tries = f" ({job.tries} tries)" if retry else ""
            self._store.add_failure(job.prompt.key, self._run, f"{reason}{tries}")
            self._failed += 1
            self._publish(RequestFailed(job.prompt.key, f"{reason}{tries}"))
            self._check_end()
        problem = endpoint.record(failed=True)
        if problem:
            problem = f"{problem}, the last: {reason}"
            self._publish(ServerLost(self._model.name, endpoint.url, problem))
            endpoint.back_off(TRIPPED_BACKOFF)
            endpoint.needs_probe = True
            endpoint.is_lost = True

    def _requeue_and_probe(self, endpoint: Endpoint, job: PromptJob) -> None:
        self._requeue(job)
        endpoint.needs_probe = True

    def _requeue(self, job: PromptJob) -> None:
        self._queue.appendleft(job)
        self._wake()

    def _check_end(self) -> None:
        if not self._left:
            self._publish_progress()
            self._wake()

    def _publish_progress(self) -> None:
        now = time.monotonic()
        in_flight = [(e, job) for e in self._endpoints for job in e.in_flight.values()]
        views = tuple(
            SlotView(job.prompt.key, 0, f"{now - job.sent_at:.0f} s at {endpoint.url}")
            for endpoint, job in in_flight[:MAX_VIEWS]
        )
        available = sum(
            not (e.disabled_reason or e.needs_probe or e.backoff > 0) for e in self._endpoints
        )
        self._publish(
            ServerProgress(
                model=self._model.name,
                done=self._done,
                failed=self._failed,
                total=self._total,
                tokens=self._tokens,
                seconds=now - self._started_at,
                in_flight=len(in_flight),
                available=available,
                servers=len(self._endpoints),
                views=views,
            )
        )


def _stored(policy: RetryPolicy) -> dict[str, object]:
    """Return the policy as it is stored with a run."""
    return {
        "concurrency": policy.concurrency,
        "timeout": policy.timeout,
        "tries": policy.max_tries,
        "wait": policy.max_outage,
    }


async def _wait(endpoint: Endpoint, seconds: float | None) -> None:
    """Wait until the endpoint is woken, at most `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await endpoint.wake.wait()
    except TimeoutError:
        pass
    endpoint.wake.clear()
