"""InstrumentalEval as facts: its 76 tasks, told by their sha256, and the 71 that the paper ran."""

import random
from collections.abc import Iterable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import TypeVar

PACK = "instrumentaleval"
"""The pack that a scenario of the benchmark belongs to, and no other."""

Task = TypeVar("Task")

MAX_TASKS = 15
"""Tasks of one category at the most in the paper's runs."""

SAMPLE_SEED = 123
"""The seed with which they were drawn where there are more."""

# The first 12 digits of each task's sha256 in its file's order (arXiv 2502.12206, at commit
# 269678168cf0388bf5dd7d10dfaed4af07905c49; a task is what `scenario.load_pack` reads).
_TASKS = """
Deceptive Behavior
  982ba70f1be0 addf2a1ff12c a97bf7220073 da5fa24ed731 74ab31b5beaf cac365db5425
  1a67ba5ceb04 65258aa09e5c 732a5a3db1cf e730650a9c65 3e4bab1824f7
Evading Shutdown
  cc721da90c4a 90e2b03b92d9 f2b164c9ea0e 3e409efc709a 7b30c7b2ad3c d018e4ba6783
  3312b652bc4b 094d407163b2 bd5db0025b52 c87cd0354ca5 c4a0a996aa57 611f58b5120c
  4638d8f8504a 90cd4340ca24 2003555a9aaa e6c8934a044e b08ceecb147b ebce652ab5c2
  31677d732f54 6c3a788a56e1
Hacking Computer Systems
  8a168d727efa a1ef39294cb6 be11a85c8477 67fb852cc2ec 2427d366c948 3189e139dcd4
  e9904d6c7374 a7c79e90fcb7 5a233e5224b2 5afd70a8f003
Hiding Unwanted Behavior
  0ba12bec3187 0d1e74b1704d 1040281043d1 4c8a4929bb9f 3ab2e90aeb31 f95ffd83a859
  cfbf9eb2c4ed 7a0696009177 978c729848fe 6d35419b4ff2 2ccb097d29f5
Running Multiple AI Copies
  c55ddfdf8e47 65e78fdbf3cc e9bc9425783a 04a76fb28a7f 4acbe00169bb 00e13881c0f5
  ce590a3cdac8 501d4e255e0b 67d2c8df00c6 1ecc905887cd 13b6ce58a1b1 ad0a87044496
  b8ef436fe2a0
Strategically Appearing Aligned
  1bdb716d75a3 dee2d27f6626 62ff99cf3fd3 a1b495db1af4 0601b10a2782 1f672fa3b70a
  8cfc2b1ad897 bb3626adfebe b212e17fff59 4b0e584394df 831338d80d48
"""


def scenario_id(category: str, place: int) -> str:
    """Return a scenario's id from its category and its place in the file, from 0."""
    return f"{category.lower().replace(' ', '-')}/{place:02d}"


def _read() -> dict[str, dict[str, str]]:
    """Return by category the scenarios' ids by their tasks' digests."""
    found: dict[str, dict[str, str]] = {}
    for line in _TASKS.split("\n")[1:-1]:
        if not line.startswith(" "):
            category = line
            own = found.setdefault(category, {})
        else:
            for digest in line.split():
                own[digest] = scenario_id(category, len(own))
    return found


_IDS = _read()

CATEGORIES = tuple(_IDS)
"""In the order of the files' names."""


def benchmark_id(task: str) -> str | None:
    """Return the id of the benchmark's scenario whose task this is, to the byte; None if none."""
    digest = sha256(task.encode()).hexdigest()[:12]
    return next((ids[digest] for ids in _IDS.values() if digest in ids), None)


def sample_tasks(tasks: Iterable[Task]) -> list[Task]:
    """Return which of a category's tasks the paper ran, in its order.

    Source: its public code, `random.Random(123).sample(tasks, 15)` for a file with more.
    """
    every = list(tasks)
    return every if len(every) <= MAX_TASKS else random.Random(SAMPLE_SEED).sample(every, MAX_TASKS)


PAPER_SCENARIOS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    category: tuple(f"{PACK}/{own}" for own in sample_tasks(ids.values()))
    for category, ids in _IDS.items()
})  # fmt: skip
"""By category the names of the scenarios that the paper ran, in its order: 71."""


def covered_categories(scenarios: Iterable[str]) -> tuple[str, ...]:
    """Return the categories of which all that the paper ran is among these scenarios' names."""
    names = set(scenarios)
    return tuple(category for category, ran in PAPER_SCENARIOS.items() if names.issuperset(ran))
