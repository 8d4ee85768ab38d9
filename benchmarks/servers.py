"""Throughput of runs on many servers, with simulated servers of a fixed speed.

    python -m benchmarks.servers [RATE [SECONDS [COUNT…]]]

Each server generates 8 answers at once, RATE answers per second in all (2 by default), of 150 to
450 tokens (mean 300), each as long as its tokens take. The servers run in one process, the client
in another.
"""

import asyncio
import json
import multiprocessing
import random
import resource
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from steertui.core.experiment import Experiment
from steertui.engine.sizing import Overrides
from steertui.execution import Generated, run
from steertui.planning.plan import make_plan
from steertui.planning.resolve import resolve
from steertui.store import Store

SLOTS = 8
"""Answers at once per server."""

MEAN_TOKENS = 300
"""Mean new tokens per answer."""

TRIALS_PER_SAMPLE = 108
"""Trials of the starter pack's three conditions, one sample each."""

MODELS = json.dumps(
    {"data": [{"id": "simulated", "owned_by": "vllm", "root": "simulated", "max_model_len": 4096}]}
).encode()


class SimulatedServer:
    """A server with `SLOTS` answers at once, each as long as its tokens take."""

    def __init__(self, rate: float, seed: int) -> None:
        """Generate `rate` answers per second in all."""
        self._slots = asyncio.Semaphore(SLOTS)
        self._tokens_per_second = rate * MEAN_TOKENS / SLOTS  # of one slot
        self._random = random.Random(seed)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection in their order."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(_content_length(head))
                body = await self._reply(head)
                status = b"200 OK" if body else b"404 Not Found"
                writer.write(
                    b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                    % (status, len(body or b"{}"), body or b"{}")
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _reply(self, head: bytes) -> bytes | None:
        if head.startswith(b"GET /v1/models "):
            return MODELS
        if not head.startswith(b"POST /v1/chat/completions "):
            return None
        tokens = self._random.randint(MEAN_TOKENS // 2, MEAN_TOKENS * 3 // 2)
        async with self._slots:
            await asyncio.sleep(tokens / self._tokens_per_second)
        text = "I ask my operator first, and wait. " * (tokens // 9)
        choice = {"index": 0, "message": {"content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 250, "completion_tokens": tokens}
        return json.dumps({"model": "simulated", "choices": [choice], "usage": usage}).encode()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def simulate(pipe: Connection, count: int, rate: float) -> None:
    """Run `count` servers until the pipe is closed; send their ports."""

    async def main() -> None:
        servers = [
            await asyncio.start_server(
                SimulatedServer(rate, seed).handle, "127.0.0.1", 0, backlog=512
            )
            for seed in range(count)
        ]
        pipe.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.to_thread(pipe.poll, None)

    asyncio.run(main())


def measure(count: int, rate: float, seconds: float) -> str:
    """Return a table row with the share of the servers' total speed that the run reaches."""
    context = multiprocessing.get_context("spawn")
    pipe, child_pipe = context.Pipe()
    child = context.Process(target=simulate, args=(child_pipe, count, rate), daemon=True)
    child.start()
    urls = [f"http://127.0.0.1:{port}/v1" for port in pipe.recv()]
    experiment = Experiment(
        models=["server:simulated@" + ",".join(urls)],
        temperatures=[0.7],
        samples=max(1, round(count * rate * seconds / TRIALS_PER_SAMPLE)),
        judges=["none"],
    )
    try:
        return _row(experiment, count, count * rate * MEAN_TOKENS)
    finally:
        child.kill()


def _row(experiment: Experiment, count: int, speed: float) -> str:
    """Run the experiment; `speed` is that of all servers in tokens per second."""
    ends: list[float] = []
    tokens: list[int] = []
    with TemporaryDirectory() as folder, Store(Path(folder) / "a.db") as store:
        plan = make_plan(resolve(experiment), store)
        total = len(plan.prompts)
        cpu_start = _cpu_seconds()
        start = time.perf_counter()
        for event in run(plan, store, Overrides()):
            if isinstance(event, Generated):
                ends.append(time.perf_counter() - start)
                tokens.append(event.generation.tokens)
        cpu = _cpu_seconds() - cpu_start
        stored = store.query("SELECT count(*) AS n FROM generations")[0]["n"]
    assert stored == total == len(ends)
    # All slots are occupied from their second refill until the queue is empty.
    first = 2 * SLOTS * count
    last = total - 2 * SLOTS * count
    steady_seconds = ends[last - 1] - ends[first - 1] if last > first else float("nan")
    steady = sum(tokens[first:last]) / steady_seconds / speed
    whole = sum(tokens) / ends[-1] / speed
    return (
        f"| {count} | {speed:,.0f} | {total:,} | {steady:.1%} | {whole:.1%} "
        f"| {cpu / ends[-1]:.0%} | {1000 * cpu / total:.1f} ms |"
    )


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(rate: str = "2", seconds: str = "60", *counts: str) -> None:
    """Print a table with one row per number of servers."""
    numbers: Sequence[int] = [int(count) for count in counts] or (1, 2, 4, 8, 16, 32, 64)
    print(
        "| servers | tokens/s of all servers | answers | share reached, all slots occupied "
        "| share reached, whole run | CPU of one core | CPU per answer |"
    )
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for count in numbers:
        print(measure(count, float(rate), float(seconds)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
