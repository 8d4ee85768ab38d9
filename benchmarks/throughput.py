"""Throughput of the engine, compared with a loop over `Llama`, llama-server and bare llama_decode.

    python -m benchmarks.throughput --model FILE.gguf

All use the same prompts (84 of the starter pack in three conditions, by default) and the same
sampling, in one run, in an order that alternates from round to round:

  engine N   this engine with N slots
  pool ExS   E engines in processes of their own, with S slots each
  loop       a loop over llama-cpp-python's `Llama`, one prompt at a time
  server     llama-server as packaged in xllamacpp, or the program given with --llama-server, with
             as many slots, one client thread per slot
  ceiling    `llama_decode` alone, with the batches of the engine at the largest number of slots:
             the same tokens, positions and slots, without sampling and scheduling

By default the model has random weights (benchmarks/shapes.py) and every answer has the full length;
with --natural an end token ends an answer. A setting is a method and a name of --sampling. Prints
the median of the new tokens per second of each setting, its ratio to the engine with the same
sampling and to the engine's greedy decoding, and the engine's share of time outside llama_decode.
Each measurement appends a line to --log; lines that are already there are included, so that rounds
may be run one by one. With --threads 1 time is CPU time, which other load hardly changes.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from math import nan
from pathlib import Path
from statistics import median

from benchmarks import shapes
from benchmarks.sampling import RECOMMENDED, SAMPLINGS

CHOICES = SAMPLINGS | RECOMMENDED


def main() -> None:
    """Measure all settings and print a summary."""
    options = _options()
    if options.log.exists() and options.log.read_bytes()[:2] not in (b"", b'{"'):
        sys.exit(f"{options.log}: is no log of this benchmark; give another --log")
    shapes.write(options.shape, options.model)
    methods = [f"engine {n}" for n in options.slots]
    methods += [f"pool {pool}" for pool in options.pools] + options.peers
    settings = list(product(options.sampling, methods))
    for number in range(options.rounds):
        for sampling, method in settings if number % 2 == 0 else settings[::-1]:
            # Each setting runs in its own process, so that none changes the memory of another.
            arguments = [*sys.argv[1:], "--one", method, sampling]
            command = [sys.executable, "-m", "benchmarks.throughput", *arguments]
            line = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            print(line, end="", flush=True)
            with options.log.open("a", encoding="utf-8") as log:
                log.write(line)
    summarise(options.log, max(options.slots))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file; written if missing")
    parser.add_argument("--shape", choices=shapes.SHAPES, default="qwen3-0.6b")
    parser.add_argument("--slots", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--peers", nargs="*", default=["loop", "server", "ceiling"])
    parser.add_argument("--sampling", nargs="+", choices=CHOICES, default=["greedy"])
    parser.add_argument("--tokens", type=int, default=256, help="maximum new tokens per answer")
    parser.add_argument("--natural", action="store_true", help="an end token ends an answer")
    parser.add_argument("--pack", default="starter", help="scenario pack")
    parser.add_argument("--prompts", type=int, default=84, help="maximum number; 0 for all")
    parser.add_argument("--copies", type=int, default=1, help="copies of each prompt")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pools", nargs="*", default=[], help="engines × slots, such as 4x32")
    parser.add_argument("--batch", type=int, default=512, help="maximum tokens per decode call")
    parser.add_argument("--llama-server", type=Path, help="program to compare with")
    parser.add_argument("--layout", choices=["per-slot", "unified"], default="per-slot")
    parser.add_argument("--no-flash", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--log", type=Path, default=Path("throughput.jsonl"))
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(options, *options.one)
        sys.exit()
    return options


def measure(options: argparse.Namespace, method: str, sampling: str) -> None:
    """Measure one setting and print the result as a line of JSON."""
    from benchmarks import llama_server, methods

    job = methods.Job(
        model=options.model,
        sampling=replace(CHOICES[sampling], max_tokens=options.tokens),
        is_natural=options.natural,
        threads=options.threads,
        is_unified=options.layout == "unified",
        flash=not options.no_flash,
        pack=options.pack,
        prompts_limit=options.prompts,
        copies=options.copies,
        batch=options.batch,
        program=options.llama_server,
    )
    kind, _, slots = method.partition(" ")
    max_slots = max(options.slots)
    calls: dict[str, Callable[[], methods.Measurement]] = {
        "engine": lambda: methods.engine(job, int(slots)),
        "pool": lambda: methods.pool(job, *map(int, slots.split("x"))),
        "loop": lambda: methods.loop(job),
        "server": lambda: llama_server.server(job, max_slots),
        "ceiling": lambda: methods.ceiling(job, max_slots),
    }
    measurement = calls[kind]()
    if kind == "engine":
        measurement.details["machine"] = methods.machine(job, measurement)
    record = {
        "method": method,
        "sampling": sampling,
        "seconds": round(measurement.seconds, 1),
        "tokens": measurement.tokens,
        "tokens_per_second": round(measurement.tokens / measurement.seconds, 1),
        **measurement.details,
        "at": time.strftime("%H:%M"),
    }
    print(json.dumps(record))


def summarise(log: Path, max_slots: int) -> None:
    """Print a table of medians with their ratios, then the use of the machine."""
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    speeds: dict[tuple[str, str], list[float]] = {}
    outside: dict[tuple[str, str], list[float]] = {}
    for record in records:
        key = record["method"], record["sampling"]
        speeds.setdefault(key, []).append(record["tokens_per_second"])
        outside.setdefault(key, []).append(record.get("outside", nan))
    medians = {key: median(values) for key, values in speeds.items()}
    engine = f"engine {max_slots}"
    print("| method | sampling | rounds | tokens/s (range) | engine is | of greedy | outside |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for (method, sampling), values in speeds.items():
        speed = medians[method, sampling]
        share = median(outside[method, sampling])
        print(
            f"| {method} | {sampling} | {len(values)} "
            f"| {speed:.1f} ({min(values):.1f} to {max(values):.1f}) "
            f"| {medians.get((engine, sampling), nan) / speed:.2f} "
            f"| {speed / medians.get((method, 'greedy'), nan):.3f} | {share:.1%} |"
        )
    for record in records:
        if "machine" in record:
            print(f"{record['method']}, {record['sampling']}: {record['machine']}")


if __name__ == "__main__":
    main()
