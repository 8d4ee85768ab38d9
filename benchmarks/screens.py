"""How fast the screens are: `python -m benchmarks.screens [paint|large|keys|cost] [--rounds N]`.

paint: from the command to the first text. large: 100,000 trials: the first screen, every filter
and search. keys: how long a key waits while the engine runs at 32 slots. cost: a run with its
screen open against the same run with --batch, in turn. Without a word all four, in a folder of
their own; everything is timed in a real pseudo-terminal of 120 x 40, but for the queries.
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
from steertui.store.trial_filter import TrialFilter, find_trials, rows_of
from steertui.store.trials import list_trials
from steertui.tui.theme import DARK
from tests.fixtures import large

COMMAND = [sys.executable, "-m", "steertui"]
SIZE = (40, 120)

T = TypeVar("T")


class Terminal:
    """The program in a pseudo-terminal; a context manager that ends it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        env = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.begin = time.perf_counter()
        self._process = subprocess.Popen(
            [*COMMAND, *options], cwd=folder, env=env, stdin=terminal, stdout=terminal,
            stderr=terminal, start_new_session=True,
        )  # fmt: skip
        os.close(terminal)
        self._seen = b""

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
        self._seen = b""
        os.write(self._master, keys)

    def wait(self, mark: bytes, seconds: float = 600) -> float:
        """Return when the mark was written since the last key."""
        end = time.perf_counter() + seconds
        while mark not in self._seen:
            if not self._read(end - time.perf_counter()):
                raise TimeoutError(f"{mark!r} did not come: {self._seen[-500:]!r}")
        return time.perf_counter()

    def drain(self, seconds: float) -> bytes:
        """Read for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._read(left)
        return self._seen

    def _read(self, seconds: float) -> bool:
        try:
            if not select.select([self._master], [], [], max(0.0, seconds))[0]:
                return False
            self._seen += os.read(self._master, 1 << 16)
        except OSError:
            return False
        return True


def paint(folder: Path, rounds: int) -> None:
    """Time from the command to the first text of the first screen, and to the last of it."""
    for name, options in (("start", ()), ("start, 100,000 trials", ("--db", "large.db"))):
        times = []
        for _ in range(rounds):
            with Terminal(folder, *options) as terminal:
                times.append(terminal.wait(b"How far does") - terminal.begin)
        show(f"command to first paint: {name}", times, "s")


QUERIES = {
    "nothing": {},
    "condition": {"condition": "pro"},
    "model": {"model": f"{1:064d}"},
    "temperature": {"temperature": "0.7"},
    "category": {"category": "Category 3"},
    "stop: cut": {"stop": "length"},
    "stop: by itself": {"stop": "stop"},
    "label: convergence": {"label": "convergence"},
    "not judged": {"label": "unlabelled"},
    "judge failed": {"label": "failed"},
    "waiting": {"label": "waiting"},
    "a word in 91 % of the answers": {"search": "tells"},
    "the beginning of many words": {"search": "th"},
    "two words": {"search": "parcels machine"},
    "five at once": {"condition": "pro", "category": "Category 3", "label": "convergence",
                     "stop": "stop", "search": "tells"},
}  # fmt: skip


def big(folder: Path, rounds: int) -> None:
    """Time every filter over 100,000 trials, all and a third of them judged; then the screens."""
    for db in ("large.db", "half.db"):
        with Store(folder / db) as store:
            own = timed(lambda: frozenset(rows_of(store, "large")), rounds, f"{db}: first list")
            for name, wanted in QUERIES.items():
                known = {f.name for f in fields(TrialFilter)}
                assert wanted.keys() <= known
                asked = TrialFilter(experiment="large", judge="local:made-0/x", **wanted)

                def search(asked: TrialFilter = asked, own: Set[int] = own) -> int:
                    rows = find_trials(store, asked, own)
                    list_trials(store, rows[:100], asked.judge)
                    return len(rows)

                timed(search, rounds, f"{db}: {name}")
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        with Terminal(folder, "--db", "large.db") as terminal:
            terminal.wait(b"read what")
            for key, mark, name in (
                (b"3", b"100,928 trials", "Read"), (b"2", b"answers stored", "Run"),
                (b"4", b"gap", "Results"),
            ):  # fmt: skip
                terminal.drain(2.5)
                terminal.press(key)
                begin = time.perf_counter()
                times.setdefault(name, []).append(terminal.wait(mark) - begin)
    for name, found in times.items():
        show(f"100,928 trials, key to screen: {name}", found, "s")


def halve(folder: Path) -> None:
    """Copy the large database with a third of its trials waiting and a third not judged."""
    with (
        closing(sqlite3.connect(folder / "large.db")) as source,
        closing(sqlite3.connect(folder / "half.db")) as copy,
    ):
        source.backup(copy)
        copy.execute("DELETE FROM verdicts WHERE id % 3 > 0")
        copy.execute("DELETE FROM generations WHERE id % 3 = 2")
        copy.commit()


def timed(work: Callable[[], T], rounds: int, name: str) -> T:
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        found = work()
        times.append(1000 * (time.perf_counter() - begin))
    show(name, times, "ms")
    return found


def keys(folder: Path, rounds: int) -> None:
    """Time a cursor key on the matrix while 32 slots write: from the key to its line drawn."""
    options = ("--demo", "--db", "keys.db", "--temperature", "1", "--samples", "40")
    red, green, blue = (int(DARK.variables["block-cursor-background"][i : i + 2], 16)
                        for i in (1, 3, 5))  # fmt: skip
    mark = f"48;2;{red};{green};{blue}m".encode()
    with Terminal(folder, *options, "--slots", "32") as terminal:
        terminal.wait(b"tokens/s")
        times = []
        for number in range(50 * rounds):
            terminal.drain(0.07 + 0.013 * (number % 7))
            terminal.press(b"\x1b[B" if number % 20 < 10 else b"\x1b[A")
            begin = time.perf_counter()
            times.append(1000 * (terminal.wait(mark) - begin))
    show("key while 32 slots write", times, "ms")
    late = sorted(t for t in times if t > 100)
    ninety_nine = sorted(times)[len(times) * 99 // 100]
    print(
        f"of {len(times)} keys 99 % within {ninety_nine:.0f} ms, later than 100 ms: "
        f"{' '.join(f'{t:.0f}' for t in late) or 'none'}",
        flush=True,
    )


def cost(folder: Path, rounds: int) -> None:
    """Time the same run in turn with --batch and with its screen: start of the run to its end."""
    options = ("--demo", "--temperature", "1", "--samples", "6")
    found: dict[str, list[float]] = {"--batch": [], "screen": []}
    for number in range(rounds):
        for way in ("--batch", "screen") if number % 2 else ("screen", "--batch"):
            db = f"{way.strip('-')}{number}.db"
            if way == "--batch":
                subprocess.run([*COMMAND, "--batch", *options, "--db", db], cwd=folder, check=True,
                               capture_output=True)  # fmt: skip
            else:
                with Terminal(folder, *options, "--db", db) as terminal:
                    terminal.wait(b"4 shows the results")
            found[way].append(lasted(folder / db))
    for way, times in found.items():
        show(f"864 answers and verdicts, {way}", times, "s")
    ratios = [s / b for s, b in zip(found["screen"], found["--batch"], strict=True)]
    middle, spread = statistics.mean(ratios), statistics.stdev(ratios) / len(ratios) ** 0.5
    print(f"screen / --batch: {middle:.4f} ± {spread:.4f} (standard error, {len(ratios)} pairs)")


def lasted(db: Path) -> float:
    """Return the seconds from the start of a run to its last verdict."""
    sql = """SELECT 86400 * (julianday((SELECT max(created_at) FROM verdicts))
        - julianday((SELECT min(started_at) FROM runs)))"""
    with closing(sqlite3.connect(db)) as found:
        return float(found.execute(sql).fetchone()[0])


def show(name: str, times: list[float], unit: str) -> None:
    listed = " ".join(f"{t:.2f}" if unit == "s" else f"{t:.0f}" for t in times[:12])
    middle, most = statistics.median(times), max(times)
    digits = 2 if unit == "s" else 0
    print(f"{name}: median {middle:.{digits}f} {unit}, most {most:.{digits}f} {unit} ({listed})",
          flush=True)  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=["paint", "large", "keys", "cost", []])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    parts = {"paint": paint, "large": big, "keys": keys, "cost": cost}
    with tempfile.TemporaryDirectory() as place:
        wanted = given.what or list(parts)
        if {"paint", "large"} & set(wanted):
            large.write(Path(place) / "large.db")
            halve(Path(place))
        for part in wanted:
            parts[part](Path(place), given.rounds)
