"""Response times of the screens, and their cost during a run.

    python -m benchmarks.screens [paint|large|keys|cost|output] [--rounds N]

paint: time from the command to the first text. large: with 100,000 trials, time to each screen and
of every filter and search. keys: time from a key to its effect while the engine runs with 32 slots.
cost: duration of a run with its screen open compared with `--batch`, in alternating order. output:
bytes per second that the screen sends during a run. By default all are measured, in a temporary
folder. All but queries are measured in a pseudo-terminal of 120 x 40.
"""

import argparse
import fcntl
import os
import pty
import select
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Set
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from steertui.store import Store
from steertui.store.trial_filter import TrialFilter, find_trials, trial_rows
from steertui.store.trials import list_trials
from steertui.tui.run.run_screen import DONE
from steertui.tui.theme import DARK
from tests.fixtures import large

OUTPUT_SECONDS = 12.0
"""Seconds of a run for which its output is counted."""

COMMAND = [sys.executable, "-m", "steertui"]

FIRST_TEXT = b"How far does"
"""Text of the screen at the start."""

SIZE = (40, 120)
"""Lines and columns of the terminal."""

T = TypeVar("T")


class Terminal:
    """The program in a pseudo-terminal.

    A context manager: leaving it ends the program.

    Attributes:
        start: time.perf_counter() at the start of the program.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self._master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        # The state of whoever measures (theme, recent experiments) would change what is drawn.
        env = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        env["XDG_STATE_HOME"] = str(folder / "state")
        self.start = time.perf_counter()
        self._process = subprocess.Popen(
            [*COMMAND, *options],
            cwd=folder,
            env=env,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        self._output = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._process.terminate()
        while self._read(0.5):
            pass
        self._process.wait()
        os.close(self._master)

    def press(self, keys: bytes) -> None:
        """Send keys, and forget the output so far."""
        self._output = b""
        os.write(self._master, keys)

    def wait(self, mark: bytes, seconds: float = 120) -> float:
        """Wait until `mark` is in the output since the last key; return time.perf_counter()."""
        end = time.perf_counter() + seconds
        while mark not in self._output:
            if not self._read(end - time.perf_counter()):
                raise TimeoutError(f"{mark!r} is not in the output: {self._output[-500:]!r}")
        return time.perf_counter()

    def drain(self, seconds: float) -> bytes:
        """Read for `seconds`; return the output since the last key."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._read(left)
        return self._output

    def _read(self, seconds: float) -> bool:
        """Read once; return False if there is nothing to read within `seconds`."""
        try:
            if not select.select([self._master], [], [], max(0.0, seconds))[0]:
                return False
            self._output += os.read(self._master, 1 << 16)
        except OSError:
            return False
        return True


def paint(folder: Path, rounds: int) -> None:
    """Measure the time from the command to the text of the first screen."""
    runs: dict[str, tuple[str, ...]] = {
        "start": (),
        "start, 100,000 trials": ("--db", "large.db"),
    }
    for name, options in runs.items():
        times = []
        for _ in range(rounds):
            with Terminal(folder, *options) as terminal:
                times.append(terminal.wait(FIRST_TEXT) - terminal.start)
        show(f"command to first paint: {name}", times, "s")


QUERIES: dict[str, dict[str, str]] = {
    "no filter": {},
    "condition": {"condition": "pro"},
    "model": {"model": f"{1:064d}"},
    "temperature": {"temperature": "0.7"},
    "category": {"category": "Category 3"},
    "stop: truncated": {"stop": "length"},
    "stop: end token": {"stop": "stop"},
    "label: convergence": {"label": "convergence"},
    "unjudged": {"label": "unlabelled"},
    "judge failed": {"label": "failed"},
    "unanswered": {"label": "waiting"},
    "search: word in 91 % of the answers": {"search": "tells"},
    "search: prefix of many words": {"search": "th"},
    "search: two words": {"search": "parcels machine"},
    "five filters": {
        "condition": "pro",
        "category": "Category 3",
        "label": "convergence",
        "stop": "stop",
        "search": "tells",
    },
}
"""Filters of the Read screen, by name."""


def large_database(folder: Path, rounds: int) -> None:
    """Measure filters and screens with 100,000 trials."""
    time_queries(folder, rounds)
    time_screens(folder, rounds)


def time_queries(folder: Path, rounds: int) -> None:
    """Measure every filter, with all trials judged and with a third of them judged."""
    for db in ("large.db", "half.db"):
        with Store(folder / db) as store:
            experiment = store.resolve_experiment()

            def first_list(store: Store = store, experiment: str = experiment) -> Set[int]:
                return frozenset(trial_rows(store, experiment))

            rows = timed(first_list, rounds, f"{db}: first list")
            for name, filters in QUERIES.items():
                assert filters.keys() <= {f.name for f in fields(TrialFilter)}
                query = TrialFilter(experiment=experiment, judge=large.judge_id(0), **filters)

                def search(query: TrialFilter = query, rows: Set[int] = rows) -> int:
                    matches = find_trials(store, query, rows)
                    list_trials(store, matches[:100], query.judge)
                    return len(matches)

                timed(search, rounds, f"{db}: {name}")


def time_screens(folder: Path, rounds: int) -> None:
    """Measure the time from a key to the screen that it opens."""
    screens = (
        ("Read", b"3", b"100,928 trials"),
        ("Run", b"2", DONE.encode()),
        ("Results", b"4", b"primary comparison"),
    )
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        with Terminal(folder, "--db", "large.db") as terminal:
            terminal.wait(FIRST_TEXT)
            for name, key, mark in screens:
                terminal.drain(2.5)
                terminal.press(key)
                start = time.perf_counter()
                times.setdefault(name, []).append(terminal.wait(mark) - start)
    for name, measured in times.items():
        show(f"100,928 trials, key to screen: {name}", measured, "s")


def halve(folder: Path) -> None:
    """Write half.db: large.db with a third of the trials unanswered and a third unjudged."""
    with (
        closing(sqlite3.connect(folder / "large.db")) as source,
        closing(sqlite3.connect(folder / "half.db")) as copy,
    ):
        source.backup(copy)
        copy.execute("DELETE FROM verdicts WHERE id % 3 > 0")
        copy.execute("DELETE FROM generations WHERE id % 3 = 2")
        copy.commit()


def timed(work: Callable[[], T], rounds: int, name: str) -> T:
    """Call `work` several times, print the milliseconds, and return its last result."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        result = work()
        times.append(1000 * (time.perf_counter() - start))
    show(name, times, "ms")
    return result


def keys(folder: Path, rounds: int) -> None:
    """Measure a cursor key on the matrix while 32 slots generate, until its line is drawn."""
    options = ("--demo", "--db", "keys.db", "--temperature", "1", "--samples", "40")
    colour = DARK.variables["block-cursor-background"]
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    mark = f"48;2;{red};{green};{blue}m".encode()
    with Terminal(folder, *options, "--slots", "32") as terminal:
        terminal.wait(b"tokens/s")
        times = []
        for number in range(50 * rounds):
            terminal.drain(0.07 + 0.013 * (number % 7))
            terminal.press(b"\x1b[B" if number % 20 < 10 else b"\x1b[A")
            start = time.perf_counter()
            times.append(1000 * (terminal.wait(mark) - start))
    show("key while 32 slots generate", times, "ms")
    late = sorted(t for t in times if t > 100)
    percentile = sorted(times)[len(times) * 99 // 100]
    print(
        f"of {len(times)} keys 99 % within {percentile:.0f} ms, later than 100 ms: "
        f"{' '.join(f'{t:.0f}' for t in late) or 'none'}",
        flush=True,
    )


def cost(folder: Path, rounds: int) -> None:
    """Measure the same run with --batch and with its screen, in alternating order."""
    options = ("--demo", "--temperature", "1", "--samples", "6")
    durations: dict[str, list[float]] = {"--batch": [], "screen": []}
    for number in range(rounds):
        for mode in ("--batch", "screen") if number % 2 else ("screen", "--batch"):
            db = f"{mode.strip('-')}{number}.db"
            if mode == "--batch":
                command = [*COMMAND, "--batch", *options, "--db", db]
                subprocess.run(command, cwd=folder, check=True, capture_output=True)
            else:
                with Terminal(folder, *options, "--db", db) as terminal:
                    terminal.wait(DONE.encode(), 600)
            durations[mode].append(duration(folder / db))
    for mode, times in durations.items():
        show(f"864 answers and verdicts, {mode}", times, "s")
    ratios = [s / b for s, b in zip(durations["screen"], durations["--batch"], strict=True)]
    mean = statistics.mean(ratios)
    error = statistics.stdev(ratios) / len(ratios) ** 0.5
    print(f"screen / --batch: {mean:.4f} ± {error:.4f} (standard error, {len(ratios)} pairs)")


def output(folder: Path, rounds: int) -> None:
    """Measure the bytes per second that the Run screen sends to the terminal during a run."""
    options = ("--demo", "--temperature", "1", "--samples", "6", "--slots", "32")
    rates = []
    for number in range(rounds):
        with Terminal(folder, *options, "--db", f"output{number}.db") as terminal:
            terminal.wait(b"tokens/s")
            terminal.press(b"")
            sent = terminal.drain(OUTPUT_SECONDS)
            rates.append(len(sent) / OUTPUT_SECONDS / 1000)
    show("output while 32 slots generate", rates, "kB/s")


def duration(db: Path) -> float:
    """Return the seconds from the start of a run to its last verdict."""
    sql = """SELECT 86400 * (julianday((SELECT max(created_at) FROM verdicts))
        - julianday((SELECT min(started_at) FROM runs)))"""
    with closing(sqlite3.connect(db)) as connection:
        return float(connection.execute(sql).fetchone()[0])


def show(name: str, times: list[float], unit: str) -> None:
    """Print median, maximum and the first twelve of several times."""
    digits = 0 if unit == "ms" else 2
    listed = " ".join(f"{t:.{digits}f}" for t in times[:12])
    median = statistics.median(times)
    print(
        f"{name}: median {median:.{digits}f} {unit}, maximum {max(times):.{digits}f} {unit} "
        f"({listed})",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=["paint", "large", "keys", "cost", "output", []])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    measurements = {
        "paint": paint,
        "large": large_database,
        "keys": keys,
        "cost": cost,
        "output": output,
    }
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        selected = arguments.what or list(measurements)
        if {"paint", "large"} & set(selected):
            large.write(directory / "large.db")
            halve(directory)
        for measurement in selected:
            measurements[measurement](directory, arguments.rounds)
