"""How often a run whose labels differ at random is called equivalent to the paper in its gap.

Usage: python -m benchmarks.gap_equivalence DATABASE, a database that `steertui import-paper` wrote.
"""

import random
import sys
from pathlib import Path

from steertui.analysis.condition_gaps import convergence_counts
from steertui.analysis.summary import ReportFilter, summarise
from steertui.paper.fidelity import Standing, paper_differences
from steertui.stats.rate import ScenarioCounts
from steertui.store import Store

SHARES = (0.01, 0.03, 0.05)
"""Probabilities that a label changes between convergence and no convergence."""

RUNS = 200
"""Simulated runs per model and share."""


def changed(counts: ScenarioCounts, share: float, rng: random.Random) -> ScenarioCounts:
    """Return the counts of one sample per scenario with each label changed at random."""
    return {
        name: (1 - count if rng.random() < share else count, total)
        for name, (count, total) in counts.items()
    }


def equivalent_share(paper: dict[str, ScenarioCounts], share: float, rng: random.Random) -> float:
    """Return the share of simulated runs whose gap is called equivalent to the paper's."""
    equivalent = 0
    for _ in range(RUNS):
        run = {name: changed(counts, share, rng) for name, counts in paper.items()}
        gap = next(d for d in paper_differences(run, paper, paired=True) if d.what == "gap")
        equivalent += gap.standing is Standing.EQUIVALENT
    return equivalent / RUNS


def main() -> None:
    """Print one line per model."""
    rng = random.Random(1)
    with Store(Path(sys.argv[1]), must_exist=True) as store:
        tables = summarise(store, ReportFilter(("all",))).tables
    for table in tables:
        paper = convergence_counts(table.outcomes, table.policy)
        shares = [equivalent_share(paper, share, rng) for share in SHARES]
        print(table.setting.name, *(f"{100 * share:.0f} %" for share in shares))


if __name__ == "__main__":
    main()
