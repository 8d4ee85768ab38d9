"""Speed and memory of the engine over many trials.

    python -m benchmarks.endurance [--trials 20000]

Runs trials of the demo checkpoint through an engine process, sampled, 16 new tokens each. At each
tenth it prints the resident memory of parent and child in MiB, and the milliseconds per trial.
"""

import argparse
import time

import psutil

from steertui.core.experiment import Experiment
from steertui.core.generation import SamplingParams
from steertui.core.model import demo_path
from steertui.engine.context import ContextParams
from steertui.engine.events import Completed
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest
from steertui.engine.vocabulary import vocabulary
from steertui.planning.chat_formats import chat_format
from steertui.planning.resolve import resolve

MIB = 2**20


def main() -> None:
    """Print memory and speed at each tenth of the trials."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20_000)
    trials = parser.parse_args().trials
    with vocabulary(demo_path()) as gguf:
        written = chat_format(gguf, "demo").write(list(resolve(Experiment()).trials))
        prompts = gguf.tokenize([prompt.text for prompt in written])
    sampling = SamplingParams(temperature=0.7, max_tokens=16)
    with Pool(demo_path(), [ContextParams(32, 320, 512, 2)]) as engine:
        for _ in engine.load():
            pass
        for i in range(trials):
            engine.add(GenerateRequest(str(i), prompts[i % len(prompts)], sampling, i))
        _run(engine, trials)


def _run(engine: Pool, trials: int) -> None:
    marks = sorted({200, *(trials * i // 10 for i in range(1, 11))})
    done = 0
    last_done = 0
    last_time = time.perf_counter()
    while not engine.is_idle:
        done += sum(isinstance(event, Completed) for event in engine.step())
        while marks and done >= marks[0]:
            now = time.perf_counter()
            milliseconds = 1000 * (now - last_time) / max(1, done - last_done)
            parent, child = (
                psutil.Process(pid).memory_info().rss / MIB for pid in (None, *engine.pids)
            )
            print(f"{done:6} trials: {milliseconds:.2f} ms each, {parent:.0f} + {child:.0f} MiB")
            marks.pop(0)
            last_done = done
            last_time = now


if __name__ == "__main__":
    main()
