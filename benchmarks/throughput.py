"""How fast is the engine? `python -m benchmarks.throughput --model FILE.gguf`

On the same prompts (28 scenarios × 3 conditions of the starter pack) and the same number of new
tokens, in one run, in an order that turns round from round to round:

  engine N   this engine at N slots
  loop       a plain loop over llama-cpp-python's `Llama`, one prompt at a time
  server     llama-server as packaged in xllamacpp, with as many slots, a client thread a slot
  ceiling    bare `llama_decode` calls of the batches that the engine made at the most slots: the
             same tokens, positions and slots, no sampling and no bookkeeping

The model has random weights (benchmarks/shapes.py), so every answer has the full length. Prints
seconds, generated tokens a second, and ratios of medians. A line a measurement goes to --log, and a
call that finds lines there counts them in, so rounds may be run one by one.
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
    options = _options()
    if options.log.exists() and options.log.read_bytes()[:2] not in (b"", b'{"'):
        sys.exit(f"{options.log}: is no log of this benchmark; give another --log")
    shapes.write(options.shape, options.model)
    ways = [f"engine {n}" for n in options.slots] + options.peers
    for turn in range(options.rounds):
        for way in ways if turn % 2 == 0 else ways[::-1]:
            # A process of its own for each: no way warms or litters another's memory.
            command = [sys.executable, "-m", "benchmarks.throughput", *sys.argv[1:], "--one", way]
            line = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            print(line, end="", flush=True)
            with options.log.open("a", encoding="utf-8") as log:
                log.write(line)
    summarise(options.log, max(options.slots))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="made if it is not there")
    parser.add_argument("--shape", choices=shapes.SHAPES, default="qwen3-0.6b")
    parser.add_argument("--slots", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--peers", nargs="*", default=["loop", "server", "ceiling"])
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--copies", type=int, default=1, help="of each prompt, for many slots")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layout", choices=["streams", "unified"], default="streams")
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
    """Measure one way and print it as a line of JSON."""
    from benchmarks import ways

    job = ways.Job(
        model=options.model,
        tokens=options.tokens,
        threads=options.threads,
        is_unified=options.layout == "unified",
        flash=not options.no_flash,
        scenarios=SCENARIOS,
        copies=options.copies,
    )
    way, _, slots = options.one.partition(" ")
    most = max(options.slots)
    calls: dict[str, Callable[[], ways.Measured]] = {
        "engine": lambda: ways.engine(job, int(slots)),
        "loop": lambda: ways.loop(job),
        "server": lambda: ways.server(job, most),
        "ceiling": lambda: ways.ceiling(job, most),
    }
    found = calls[way]()
    speed = {"tokens_per_second": round(found.tokens / found.seconds, 1)}
    told = {"way": options.one, "seconds": round(found.seconds, 1), "tokens": found.tokens}
    if way == "engine":
        found.more["machine"] = ways.machine(job, found)
    print(json.dumps(told | speed | found.more | {"at": time.strftime("%H:%M")}))


def summarise(log: Path, most: int) -> None:
    """Print medians, and the ratios of the engine at the most slots to its peers."""
    seconds: dict[str, list[float]] = {}
    machine: dict[str, str] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        seconds.setdefault(told["way"], []).append(told["seconds"])
        if "machine" in told:
            machine[told["way"]] = told["machine"]
    ours = median(seconds[f"engine {most}"])
    for way, times in seconds.items():
        print(
            f"{way:10} median of {len(times)}: {median(times):7.1f} s "
            f"({min(times):.1f} to {max(times):.1f}); "
            f"engine {most} is {median(times) / ours:.2f} times as fast"
        )
    for way, line in machine.items():
        print(f"{way:10} {line}")


if __name__ == "__main__":
    main()
