"""Throughput of the engine, compared with a loop over `Llama`, llama-server and bare llama_decode.

    python -m benchmarks.throughput --model FILE.gguf

All use the same prompts (28 scenarios × 3 conditions of the starter pack) and the same number of
new tokens, in one run, in an order that alternates from round to round:

  engine N   this engine with N slots
  loop       a loop over llama-cpp-python's `Llama`, one prompt at a time
  server     llama-server as packaged in xllamacpp, with as many slots, one client thread per slot
  ceiling    `llama_decode` alone, with the batches of the engine at the largest number of slots:
             the same tokens, positions and slots, without sampling and scheduling

The model has random weights (benchmarks/shapes.py), so every answer has the full length. Prints
seconds, new tokens per second, and ratios of medians. Each measurement appends a line to --log;
lines that are already there are included, so that rounds may be run one by one.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import shapes

SCENARIOS = 28


def main() -> None:
    """Measure all methods and print a summary."""
    options = _options()
    if options.log.exists() and options.log.read_bytes()[:2] not in (b"", b'{"'):
        sys.exit(f"{options.log}: is no log of this benchmark; give another --log")
    shapes.write(options.shape, options.model)
    methods = [f"engine {n}" for n in options.slots] + options.peers
    for number in range(options.rounds):
        for method in methods if number % 2 == 0 else methods[::-1]:
            # Each method runs in its own process, so that none changes the memory of another.
            arguments = [*sys.argv[1:], "--one", method]
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
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--copies", type=int, default=1, help="copies of each prompt")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layout", choices=["per-slot", "unified"], default="per-slot")
    parser.add_argument("--no-flash", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--log", type=Path, default=Path("throughput.jsonl"))
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(options)
        sys.exit()
    return options


def measure(options: argparse.Namespace) -> None:
    """Measure one method and print the result as a line of JSON."""
    from benchmarks import methods

    job = methods.Job(
        model=options.model,
        tokens=options.tokens,
        threads=options.threads,
        is_unified=options.layout == "unified",
        flash=not options.no_flash,
        scenarios=SCENARIOS,
        copies=options.copies,
    )
    method, _, slots = options.one.partition(" ")
    max_slots = max(options.slots)
    calls: dict[str, Callable[[], methods.Measurement]] = {
        "engine": lambda: methods.engine(job, int(slots)),
        "loop": lambda: methods.loop(job),
        "server": lambda: methods.server(job, max_slots),
        "ceiling": lambda: methods.ceiling(job, max_slots),
    }
    measurement = calls[method]()
    if method == "engine":
        measurement.details["machine"] = methods.machine(job, measurement)
    record = {
        "way": options.one,
        "seconds": round(measurement.seconds, 1),
        "tokens": measurement.tokens,
        "tokens_per_second": round(measurement.tokens / measurement.seconds, 1),
        **measurement.details,
        "at": time.strftime("%H:%M"),
    }
    print(json.dumps(record))


def summarise(log: Path, max_slots: int) -> None:
    """Print medians, and how much faster the engine is at the largest number of slots."""
    seconds: dict[str, list[float]] = {}
    machine: dict[str, str] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        seconds.setdefault(record["way"], []).append(record["seconds"])
        if "machine" in record:
            machine[record["way"]] = record["machine"]
    engine = median(seconds[f"engine {max_slots}"])
    for method, times in seconds.items():
        print(
            f"{method:10} median of {len(times)}: {median(times):7.1f} s "
            f"({min(times):.1f} to {max(times):.1f}); "
            f"engine {max_slots} is {median(times) / engine:.2f} times as fast"
        )
    for method, line in machine.items():
        print(f"{method:10} {line}")


if __name__ == "__main__":
    main()
