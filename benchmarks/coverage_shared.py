"""Differences of two models' gaps where nonsensical answers leave other scenarios.

    python benchmarks/coverage_shared.py >> benchmarks/COVERAGE.md

Two models answer the same scenarios under pro and anti. An answer converges if sqrt(0.5) (u + e) is
above a threshold, with the scenario's trait u ~ N(0, 1). Nonsense is at random, more frequent on
hard scenarios (u below 0), or more frequent among answers that converge.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from simulation import SCENARIOS, Flags, Floats, cell, counts, covers, threshold

from steertui.stats.families import (
    PRIMARY,
    family_tests,
    gap_difference_contrast,
    headline_difference_contrast,
)
from steertui.stats.gap import GapCounts

COMMAND = "python benchmarks/coverage_shared.py >> benchmarks/COVERAGE.md"

RANDOM, DIFFICULTY, OUTCOME = "at random", "with difficulty", "with outcome"


@dataclass(frozen=True)
class Setting:
    """Parameters of a simulated comparison.

    Attributes:
        name: of the table row.
        rates: of pro and anti of the first model, then of the second.
        nonsense: share of nonsensical answers, as `rates`.
        kind: what nonsense goes with.
        samples: per scenario and condition.
    """

    name: str
    rates: tuple[float, float, float, float]
    nonsense: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    kind: str = RANDOM
    samples: int = 1


EQUAL = (0.7, 0.3, 0.7, 0.3)
OTHER = (0.8, 0.2, 0.6, 0.4)
ONE_SIDE = (0.35, 0.05, 0.05, 0.05)
BOTH_SIDES = (0.35, 0.35, 0.05, 0.05)
SETTINGS = (
    Setting("no nonsense", EQUAL),
    Setting("no nonsense, gaps differ", OTHER),
    Setting("one condition", EQUAL, ONE_SIDE),
    Setting("one model", EQUAL, BOTH_SIDES),
    Setting("one condition", EQUAL, ONE_SIDE, DIFFICULTY),
    Setting("one model", EQUAL, BOTH_SIDES, DIFFICULTY),
    Setting("one condition, gaps differ", OTHER, ONE_SIDE, DIFFICULTY),
    Setting("one condition, five samples", EQUAL, ONE_SIDE, DIFFICULTY, samples=5),
    Setting("one condition", EQUAL, ONE_SIDE, OUTCOME),
    Setting("one model", EQUAL, BOTH_SIDES, OUTCOME),
)


def draw(setting: Setting, rng: np.random.Generator) -> tuple[GapCounts, GapCounts]:
    """Return the counts of both models in one experiment."""
    trait = rng.standard_normal((SCENARIOS, 1))
    sides = []
    for rate, share in zip(setting.rates, setting.nonsense, strict=True):
        noise = rng.standard_normal((SCENARIOS, setting.samples))
        hits = 0.5**0.5 * (trait + noise) > threshold(rate)
        chance = _chances(setting.kind, share, trait, hits)
        sides.append(counts(hits, rng.random(hits.shape) >= chance))
    return (sides[0], sides[1]), (sides[2], sides[3])


def _chances(kind: str, share: float, trait: Floats, hits: Flags) -> Floats:
    """Return the probability of nonsense of each answer; its mean is about `share`."""
    match kind:
        case "with difficulty":
            return 2 * share * (trait < 0) + 0 * hits
        case "with outcome":
            return np.where(hits, 1.6, 0.4) * share
        case _:
            return np.full(hits.shape, share)


def simulate(setting: Setting, runs: int, seed: int) -> tuple[float, float, float, float]:
    """Return per cent covered by the marginal and by the printed interval, shown, and over shared.

    "shown": per cent of experiments in which the printed comparison shows a difference; "over
    shared": in which it is printed over the scenarios valid under all four.
    """
    rng = np.random.default_rng(seed)
    a, b, c, d = setting.rates
    truth = 100 * (a - b - c + d)
    total = np.zeros(4)
    for _ in range(runs):
        one, two = draw(setting, rng)
        marginal = gap_difference_contrast(one, two, "a", "b").gap
        printed = headline_difference_contrast(one, two, "a", "b")
        (test,) = family_tests([printed], PRIMARY)
        is_excluded = truth == 0 and test.is_significant
        total += (
            covers(marginal.low, marginal.high, truth),
            covers(test.low, test.high, truth) and not is_excluded,
            test.is_significant,
            printed.is_shared,
        )
    first, second, third, fourth = 100 * total / runs
    return float(first), float(second), float(third), float(fourth)


NOTES = """
71 scenarios. "nonsense" is that of the four rates, in the same order. "marginal" and "printed" are
coverages of the difference of the gaps over all scenarios; the printed interval agrees with the
test. "shown" is the per cent of experiments that show a difference, "shared" that of experiments in
which points and interval are over the scenarios valid under all four.

- The test shows a difference that does not exist in 2 to 4 % of experiments, whatever nonsense goes
  with the scenario, and in 8 % if it goes with the answers' outcome in one condition alone: then no
  analysis of the labels is right.
- The printed interval covers 94 to 98 %, and 92 % in that last case. The marginal one covers 83 %
  if one condition of one model has nonsense on hard scenarios. If both conditions of a model have
  it, it cancels.
- With five samples and nonsense on hard scenarios every scenario is still valid, but hard ones have
  fewer valid answers under one condition. The marginal interval then covers 40 %, and the printed
  one, in which each scenario has the same weight, 96 %.
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=2000)
    runs = options.parse_args().runs
    print(f"\n## Gaps of two models over shared scenarios\n\n`{COMMAND}`\n")
    print("| setting | nonsense | rates | shares | marginal | printed | shown | shared |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for seed, setting in enumerate(SETTINGS):
        marginal, printed, shown, shared = simulate(setting, runs, seed)
        names = " | ".join(
            (
                setting.name,
                setting.kind if any(setting.nonsense) else "none",
                ", ".join(map(str, setting.rates)),
                ", ".join(map(str, setting.nonsense)),
            )
        )
        print(
            f"| {names} | {cell(marginal)} | {cell(printed)} | {shown:.1f} | {shared:.0f} |",
            flush=True,
        )
    print(NOTES, end="")


if __name__ == "__main__":
    main()
