"""How often the interval of a run's deviation from the paper holds the truth, and how often a run
that is truly off by the whole band is called equivalent.

    python benchmarks/coverage_fidelity.py >> benchmarks/COVERAGE.md

Run and paper answer the same 71 scenarios, each with a trait u ~ N(0, 1); their answers share it
with weight sqrt(pairing). Paired takes the paper's own items; unpaired knows only its counts.
"""

import argparse
from statistics import NormalDist

import numpy as np
from scipy.stats import multinomial, multivariate_normal

from steertui.paper.fidelity import (
    EQUIVALENCE_MARGIN,
    Z90,
    Standing,
    paper_difference,
    paper_differences,
)
from steertui.stats.equivalence import is_equivalent
from steertui.stats.gap import mover_limits
from steertui.stats.rate import ScenarioCounts, wilson_interval

SCENARIOS = 71
COMMAND = "python benchmarks/coverage_fidelity.py >> benchmarks/COVERAGE.md"
SETTINGS = (
    (0.5, 0.5, 0.9, 1), (0.7, 0.7, 0.5, 1), (0.7, 0.6, 0.9, 1), (0.5, 0.4, 0.9, 1),
    (0.5, 0.4, 0.98, 1), (0.04, 0.04, 0.9, 1), (0.14, 0.04, 0.9, 1), (0.5, 0.5, 0.9, 5),
    (0.5, 0.4, 0.98, 5), (0.7, 0.6, 0.9, 5),
)  # fmt: skip
"""The run's rate, the paper's, their pairing, and the run's samples (the paper has one)."""


def cells(hits: np.ndarray[tuple[int, int], np.dtype[np.bool_]], prefix: str) -> ScenarioCounts:
    return {f"{prefix}{i}": (int(hit.sum()), len(hit)) for i, hit in enumerate(hits)}


def tried(
    run: float, paper: float, pairing: float, samples: int, runs: int, seed: int
) -> list[float]:
    """Per cent held, called equivalent and called different; paired, then unpaired."""
    rng = np.random.default_rng(seed)
    truth = 100 * (run - paper)
    found = np.zeros(6)
    for _ in range(runs):
        trait = rng.standard_normal((SCENARIOS, 1))
        hits = [
            pairing**0.5 * trait + (1 - pairing) ** 0.5 * rng.standard_normal((SCENARIOS, size))
            > NormalDist().inv_cdf(1 - rate)
            for rate, size in ((run, samples), (paper, 1))
        ]
        mine, theirs = cells(hits[0], "s"), cells(hits[1], "s")
        for place in range(2):
            if place == 0:
                (got,) = paper_differences({"pro": mine}, {"pro": theirs}, paired=True)
            else:
                got = paper_difference("pro", (mine, {}), (theirs, {}), paired=False)
            apart = got.low > 0 or got.high < 0
            differs = got.standing is Standing.DIFFERS if place == 0 else apart
            equal = got.standing is Standing.EQUIVALENT
            found[3 * place : 3 * place + 3] += got.low <= truth <= got.high, equal, differs
    return [float(share) for share in 100 * found / runs]


def cell(value: float) -> str:
    return f"{value:.1f}" if 93.5 <= value <= 97.0 else f"**{value:.1f}**"


def exact(size: int, *, limits: bool = False) -> float:
    """The largest chance, per cent, of saying equivalence at a true difference of the band: over
    rates and pairings, by adding up the chances of all tables of so many scenarios. By the score
    test, or by the 90 % square-and-add `limits`."""
    said = {}
    tables = [(a, b, c) for a in range(size + 1) for b in range(size + 1 - a)
              for c in range(size + 1 - a - b)]  # fmt: skip
    for b, c in {(b, c) for _, b, c in tables}:
        apart = [1.0] * b + [-1.0] * c + [0.0] * (size - b - c)
        said[b, c] = is_equivalent(apart, EQUIVALENCE_MARGIN / 100, 1.0)
    worst = 0.0
    counts = np.array([(a, b, c, size - a - b - c) for a, b, c in tables])
    is_said = np.array(
        [within(*row) if limits else said[row[1], row[2]] for row in counts.tolist()]
    )
    for high in (0.101, 0.14, 0.3, 0.5, 0.7, 0.98):
        for pairing in (0.0, 0.5, 0.9, 0.95, 0.98, 0.9999):
            cut = [NormalDist().inv_cdf(rate) for rate in (high, high - EQUIVALENCE_MARGIN / 100)]
            both = float(multivariate_normal.cdf(cut, cov=[[1, pairing], [pairing, 1]]))
            one, two = max(high - both, 0.0), max(high - EQUIVALENCE_MARGIN / 100 - both, 0.0)
            chances = multinomial.pmf(counts, size, [both, one, two, 1 - both - one - two])
            worst = max(worst, 100 * float(chances[is_said].sum()))
    return worst


def within(
    both: int, one: int, two: int, _: int, *, band: float = EQUIVALENCE_MARGIN / 100
) -> bool:
    """Whether the 90 % square-and-add limits of a table lie within the band."""
    size = both + one + two + _
    shares = (both + one) / size, (both + two) / size
    sides = [(share, *wilson_interval(share, size, Z90)) for share in shares]
    product = max(0.0, x - size / 2) if (x := both * _ - one * two) > 0 else x
    scale = (shares[0] * (1 - shares[0]) * shares[1] * (1 - shares[1])) ** 0.5 * size**2
    low, high = mover_limits(sides[0], sides[1], product / scale if scale else 0.0)
    return low > -band and high < band


NOTES = """
At a true difference of {0:g} points, where equivalence begins to be false, it should be said of
at most 5 % of the runs; at a true difference of 0, "differs" of at most 5 %.

- Equivalence at the band's edge is said of no more than 5 % of the runs: the score test that
  decides is Tango's where a scenario has one sample, and {1:.1f} % is its largest chance of
  a false claim over rates of 0.1 to 0.98 and pairings of 0 to 1, computed exactly; {2:.1f} %
  with 36 scenarios. By the 90 % square-and-add interval alone they would be
  {3:.1f} and {4:.1f} %.
- Five samples a scenario, and the paper's one: the interval is a little too short where they go
  together strongly. No claim rests on it alone: McNemar's exact test, or its like for several
  samples, says what differs, and the score test what is equivalent.
- Unpaired intervals are too wide where run and paper go together, as the report says; so they
  call less equivalent and less different than the paper's own items do.
- Near 0 the limits reach away from the end, as those of gaps do.
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=2000)
    runs = options.parse_args().runs
    print(f"\n## A run beside the paper\n\n`{COMMAND}`\n")
    print("| run, paper | pairing | samples | paired held | equivalent | differs | unpaired held "
          "| equivalent | differs |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for seed, (run, paper, pairing, samples) in enumerate(SETTINGS):
        one = tried(run, paper, pairing, samples, runs, seed)
        said = [cell(v) if i % 3 == 0 else f"{v:.1f}" for i, v in enumerate(one)]
        row = f"| {run}, {paper} | {pairing} | {samples} | {' | '.join(said)} |"
        print(row, flush=True)
    chances = [exact(size, limits=limits) for limits in (False, True) for size in (71, 36)]
    print(NOTES.format(EQUIVALENCE_MARGIN, *chances), end="")


if __name__ == "__main__":
    main()
