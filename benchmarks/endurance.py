"""Does the engine stay as fast and as small? `python -m benchmarks.endurance [--trials 20000]`

Trials of the demo checkpoint through the engine's child process, sampled, 16 new tokens each. At
every tenth of the way: resident memory of parent and child, and milliseconds a trial.
"""

import argparse
import time

import psutil

from steertui.core.experiment import Experiment, resolve
from steertui.core.generation import SamplingParams
from steertui.core.model import demo_path
from steertui.engine.context import ContextParams
from steertui.engine.events import Completed
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest
from steertui.engine.vocabulary import vocabulary
from steertui.planning.judges import chat_format

MIB = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20_000)
    trials = parser.parse_args().trials
    with vocabulary(demo_path()) as gguf:
        written = chat_format(gguf, "demo").write(list(resolve(Experiment()).trials))
        prompts = gguf.tokenize([prompt.text for prompt in written])
    sampling = SamplingParams(temperature=0.7, max_tokens=16)
    marks = sorted({200, *(trials * i // 10 for i in range(1, 11))})
    with Pool(demo_path(), [ContextParams(32, 320, 512, 2)]) as engine:
        for _ in engine.load():
            pass
        for i in range(trials):
            engine.add(GenerateRequest(str(i), prompts[i % len(prompts)], sampling, i))
        done, last, since = 0, 0, time.perf_counter()
        while not engine.is_idle:
            done += sum(isinstance(event, Completed) for event in engine.step())
            while marks and done >= marks[0]:
                now = time.perf_counter()
                pace = 1000 * (now - since) / max(1, done - last)
                ours, child = (
                    psutil.Process(pid).memory_info().rss / MIB for pid in (None, *engine.pids)
                )
                print(f"{done:6} trials: {pace:.2f} ms each, {ours:.0f} + {child:.0f} MiB")
                marks.pop(0)
                last, since = done, now


if __name__ == "__main__":
    main()
