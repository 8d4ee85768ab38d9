"""InstrumentalEval (arXiv 2502.12206): sha256 of its 76 tasks, and the 71 that the paper ran."""

import random
from collections.abc import Iterable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import TypeVar

PACK = "instrumentaleval"
"""Name of the benchmark's pack; no other pack may have it."""

Task = TypeVar("Task")

MAX_TASKS = 15
"""Largest number of tasks of one category in the paper's runs."""

SAMPLE_SEED = 123
"""Seed of the paper's sample of a category with more tasks than `MAX_TASKS`."""

# First 12 digits of each task's sha256, in the order of its file at commit
# 269678168cf0388bf5dd7d10dfaed4af07905c49. A task is what `scenario.load_pack` returns.
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


def scenario_id(category: str, index: int) -> str:
    """Return a scenario's id from its category and its index in the file, from 0."""
    return f"{category.lower().replace(' ', '-')}/{index:02d}"


def _parse_tasks() -> dict[str, dict[str, str]]:
    """Return by category the scenario ids by their tasks' digests."""
    by_category: dict[str, dict[str, str]] = {}
    for line in _TASKS.split("\n")[1:-1]:
        if not line.startswith(" "):
            category = line
            ids = by_category.setdefault(category, {})
        else:
            for digest in line.split():
                ids[digest] = scenario_id(category, len(ids))
    return by_category


_IDS = _parse_tasks()

CATEGORIES = tuple(_IDS)
"""The categories, in the order of the files' names."""


def benchmark_id(task: str) -> str | None:
    """Return the benchmark's scenario id of a task, exact to the byte; None for other tasks."""
    digest = sha256(task.encode()).hexdigest()[:12]
    return next((ids[digest] for ids in _IDS.values() if digest in ids), None)


def sample_tasks(tasks: Iterable[Task]) -> list[Task]:
    """Return the tasks of a category that the paper ran, in its order.

    Source: its public code, `random.Random(123).sample(tasks, 15)` for a file with more tasks.
    """
    all_tasks = list(tasks)
    if len(all_tasks) <= MAX_TASKS:
        return all_tasks
    return random.Random(SAMPLE_SEED).sample(all_tasks, MAX_TASKS)


PAPER_SCENARIOS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        category: tuple(f"{PACK}/{scenario}" for scenario in sample_tasks(ids.values()))
        for category, ids in _IDS.items()
    }
)
"""By category: names of the 71 scenarios that the paper ran, in its order."""


def covered_categories(scenarios: Iterable[str]) -> tuple[str, ...]:
    """Return the categories of which `scenarios` has every scenario that the paper ran."""
    names = set(scenarios)
    return tuple(category for category, own in PAPER_SCENARIOS.items() if names.issuperset(own))
