"""How much of many servers' speed reaches the store: simulated servers of a fixed speed.

python -m benchmarks.servers [RATE [SECONDS [COUNT…]]]

Each server writes 8 answers at once at RATE answers a second in all (2 if not given), of 150 to 450
tokens, 300 on average: as long as each takes. They run in one process, the client in another.
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
from steertui.planning.plan import make_plan
from steertui.planning.resolve import resolve
from steertui.run import Generated, run
from steertui.store import Store

SLOTS = 8
TOKENS = 300
PER_SAMPLE = 108
"""Trials of the starter pack's three conditions, one sample each."""

MODELS = json.dumps(
    {"data": [{"id": "simulated", "owned_by": "vllm", "root": "simulated", "max_model_len": 4096}]}
).encode()


class Simulated:
    """One server: so many answers at once, each as long as its tokens take."""

    def __init__(self, rate: float, seed: int) -> None:
        self._free = asyncio.Semaphore(SLOTS)
        self._second = rate * TOKENS / SLOTS  # tokens a second of one slot
        self._random = random.Random(seed)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, in their order."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = next(
                    (int(line[15:]) for line in head.split(b"\r\n")
                     if line[:15].lower() == b"content-length:"), 0,
                )  # fmt: skip
                await reader.readexactly(size)
                found = await self._reply(head)
                status = b"200 OK" if found else b"404 Not Found"
                writer.write(
                    b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                    % (status, len(found or b"{}"), found or b"{}")
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _reply(self, head: bytes) -> bytes | None:
        if head.startswith(b"GET /v1/models "):
            return MODELS
        if not head.startswith(b"POST /v1/chat/completions "):
            return None
        tokens = self._random.randint(TOKENS // 2, TOKENS * 3 // 2)
        async with self._free:
            await asyncio.sleep(tokens / self._second)
        text = "I ask my operator first, and wait. " * (tokens // 9)
        choice = {"index": 0, "message": {"content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 250, "completion_tokens": tokens}
        return json.dumps({"model": "simulated", "choices": [choice], "usage": usage}).encode()


def simulate(pipe: Connection, count: int, rate: float) -> None:
    """Run so many servers until the pipe is closed; send their ports."""

    async def main() -> None:
        servers = [
            await asyncio.start_server(Simulated(rate, n).talk, "127.0.0.1", 0, backlog=512)
            for n in range(count)
        ]
        pipe.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.to_thread(pipe.poll, None)

    asyncio.run(main())


def measure(count: int, rate: float, seconds: float) -> str:
    """Return a row: what of the servers' summed speed came through."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=simulate, args=(theirs, count, rate), daemon=True)
    child.start()
    urls = [f"http://127.0.0.1:{port}/v1" for port in ours.recv()]
    samples = max(1, round(count * rate * seconds / PER_SAMPLE))
    experiment = Experiment(
        models=["server:simulated@" + ",".join(urls)], temperatures=[0.7], samples=samples,
        judges=["none"],
    )  # fmt: skip
    with TemporaryDirectory() as folder, Store(Path(folder) / "a.db") as store:
        plan = make_plan(resolve(experiment), store)
        total = len(plan.prompts)
        before, begin = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        ends, tokens = [], []
        for event in run(plan, store, Overrides()):
            if isinstance(event, Generated):
                ends.append(time.perf_counter() - begin)
                tokens.append(event.generation.tokens)
        after = resource.getrusage(resource.RUSAGE_SELF)
        stored = store.query("SELECT count(*) AS n FROM generations")[0]["n"]
    child.kill()
    assert stored == total == len(ends)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    speed = count * rate * TOKENS
    # From when every slot has been filled twice until the queue is empty: all of them are busy.
    first, last = 2 * SLOTS * count, total - 2 * SLOTS * count
    seconds = ends[last - 1] - ends[first - 1] if last > first else float("nan")
    steady = sum(tokens[first:last]) / seconds / speed
    whole = sum(tokens) / ends[-1] / speed
    return (
        f"| {count} | {speed:,.0f} | {total:,} | {steady:.1%} | {whole:.1%} "
        f"| {cpu / ends[-1]:.0%} | {1000 * cpu / total:.1f} ms |"
    )


def main(rate: str = "2", seconds: str = "60", *counts: str) -> None:
    """Print a table."""
    chosen: Sequence[int] = [int(c) for c in counts] or (1, 2, 4, 8, 16, 32, 64)
    print("| servers | their tokens/s in all | answers | while all are busy "
          "| whole run, start and end included | of one core | CPU an answer |")  # fmt: skip
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for count in chosen:
        print(measure(count, float(rate), float(seconds)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
