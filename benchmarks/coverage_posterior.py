"""Calibration of the paired posterior, and coverage of the matched odds ratio.

    python benchmarks/coverage_posterior.py >> benchmarks/COVERAGE.md

A table has the numbers of scenarios that converge under both, the first, the second or no
condition. In the first part the four probabilities are drawn from the posterior's prior, so that
its statements must be true as often as they say. In the second part they are fixed.
"""

import argparse
from functools import cache

import numpy as np
from simulation import cell, covers

from steertui.stats.gap import gap_estimate
from steertui.stats.matched_pairs import (
    PairedCells,
    PairedPosterior,
    matched_odds_ratio,
    paired_posterior,
)
from steertui.stats.rate import Estimate

COMMAND = "python benchmarks/coverage_posterior.py >> benchmarks/COVERAGE.md"
SIZES = (11, 36)
BANDS = ((0.0, 0.025), (0.025, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.975), (0.975, 1.0))
FIXED = (
    (0.25, 0.25, 0.25, 0.25),
    (0.45, 0.05, 0.05, 0.45),
    (0.10, 0.50, 0.10, 0.30),
    (0.05, 0.60, 0.01, 0.34),
    (0.02, 0.04, 0.02, 0.92),
    (0.01, 0.02, 0.02, 0.95),
)


@cache
def posterior(cells: PairedCells) -> PairedPosterior:
    return paired_posterior(cells)


@cache
def square_and_add(cells: PairedCells) -> Estimate | None:
    pairs = [(1, 1)] * cells.both + [(1, 0)] * cells.only_first
    pairs += [(0, 1)] * cells.only_second + [(0, 0)] * cells.neither
    one, two = ({str(i): (pair[side], 1) for i, pair in enumerate(pairs)} for side in (0, 1))
    return gap_estimate((one, two))


def calibration(size: int, runs: int, seed: int) -> tuple[float, list[str]]:
    """Return the coverage of the credible interval, and by band the share of gaps above 0."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet([0.5] * 4, runs)
    covered = 0
    stated: list[float] = []
    for share in shares:
        own = posterior(PairedCells(*rng.multinomial(size, share).tolist()))
        covered += covers(own.gap.low, own.gap.high, 100 * (share[1] - share[2]))
        stated.append(own.above_zero)
    probability = np.array(stated)
    above = shares[:, 1] > shares[:, 2]
    columns = []
    for low, high in BANDS:
        inside = (probability >= low) & (probability <= high if high == 1 else probability < high)
        columns.append(f"{100 * probability[inside].mean():.1f} / {100 * above[inside].mean():.1f}")
    return 100 * covered / runs, columns


def fixed(size: int, shares: tuple[float, ...], runs: int, seed: int) -> tuple[float, ...]:
    """Return per cent: coverage of posterior, square-and-add, odds ratio; P(gap > 0) >= 0.975.

    The odds ratio does not exist without a scenario that changes; such tables are left out.
    """
    rng = np.random.default_rng(seed)
    gap = 100 * (shares[1] - shares[2])
    odds = shares[1] / shares[2]
    found = np.full((runs, 4), np.nan)
    for run, table in enumerate(rng.multinomial(size, shares, runs).tolist()):
        cells = PairedCells(*table)
        own = posterior(cells)
        usual = square_and_add(cells)
        ratio = matched_odds_ratio(cells.only_first, cells.only_second)
        assert usual is not None
        found[run, 0] = covers(own.gap.low, own.gap.high, gap)
        found[run, 1] = covers(usual.low, usual.high, gap)
        found[run, 2] = covers(ratio.low, ratio.high, odds) if ratio else np.nan
        found[run, 3] = own.above_zero >= 0.975
    return tuple(float(value) for value in 100 * np.nanmean(found, axis=0))


NOTES = """
Columns with two numbers: the mean of the stated probabilities that the gap is above 0, and the per
cent of gaps above 0 among these tables, by the stated probability. In the second table, "posterior"
is the coverage of the 95 % credible interval at fixed probabilities.

- The posterior is calibrated: among tables drawn from its prior the stated probabilities are true
  to 1 %, and the credible interval covers 95.0 %.
- At fixed probabilities it covers 95 to 100 % with 11 and with 36 scenarios; it never covers less
  than 95 %, and at equal rates P(gap > 0) is 0.975 or more in at most 2.1 %.
- It says more than the exact test with few scenarios, because it does not protect against the worst
  case. A probability of 0.99 is no p value of 0.01: it depends on the prior.
- The exact interval of the odds ratio covers 97 to 100 %, as exact intervals do.
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=2000)
    runs = options.parse_args().runs
    print(f"\n## Small groups: posterior and odds ratio\n\n`{COMMAND}`\n")
    bands = " | ".join(f"{100 * low:g} to {100 * high:g}" for low, high in BANDS)
    print(f"| scenarios | credible interval | {bands} |\n|{' --- |' * (2 + len(BANDS))}")
    for seed, size in enumerate(SIZES):
        covered, columns = calibration(size, 10 * runs, seed)
        print(f"| {size} | {cell(covered)} | {' | '.join(columns)} |", flush=True)
    print(
        "\n| scenarios | both, first, second, none | posterior | square-and-add | odds ratio ",
        end="",
    )
    print("| P(gap > 0) >= 0.975 |\n| --- | --- | --- | --- | --- | --- |")
    for seed, size in enumerate(SIZES):
        for shares in FIXED:
            *coverage, above = fixed(size, shares, runs, 10 + seed)
            row = " | ".join(map(cell, coverage))
            print(f"| {size} | {', '.join(map(str, shares))} | {row} | {above:.1f} |", flush=True)
    print(NOTES, end="")


if __name__ == "__main__":
    main()
