"""Judges as a factor of the variance split: predicted and true standard errors.

    python benchmarks/coverage_judge_split.py >> benchmarks/COVERAGE.md

Answers of 71 scenarios under pro and anti converge if sqrt(0.5) (u + e) is above a threshold, with
the scenario's trait u ~ N(0, 1). A judge calls a converging answer convergent with probability
1 - miss and another one with probability false; each judge draws both for each condition around
0.1, on the log-odds with a standard deviation, its bias. The estimate is the gap of the first judge
as one for judges like these; the truth is the mean gap over such judges and scenarios.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from simulation import SCENARIOS, Floats, counts, threshold

from steertui.stats.gap import gap_estimate
from steertui.stats.variance_split import VarianceSplit, split_variance

COMMAND = "python benchmarks/coverage_judge_split.py >> benchmarks/COVERAGE.md"

RATES = (0.7, 0.3)
ERROR = 0.1
"""Typical probability of a wrong label."""


@dataclass(frozen=True)
class Setting:
    """Number of judges, standard deviation of their biases on the log-odds, samples."""

    judges: int
    bias: float
    samples: int = 1


SETTINGS = (
    Setting(3, 0.0),
    Setting(3, 0.5),
    Setting(3, 1.0),
    Setting(5, 0.5),
    Setting(5, 1.0),
    Setting(10, 1.0),
    Setting(5, 1.0, samples=5),
)


def experiment(
    setting: Setting, rng: np.random.Generator
) -> tuple[float, float, VarianceSplit | None]:
    """Return the first judge's gap, the mean gap of its peers, and the first judge's split.

    The peers are the other judges; the split uses the gaps of all.
    """
    trait = rng.standard_normal((SCENARIOS, 1))
    answers = [
        0.5**0.5 * (trait + rng.standard_normal((SCENARIOS, setting.samples))) > threshold(rate)
        for rate in RATES
    ]
    sides, gaps = [], []
    for _ in range(setting.judges):
        own = []
        for converges in answers:
            miss, false = expit(logit(ERROR) + setting.bias * rng.standard_normal(2))
            chance: Floats = np.where(converges, 1 - miss, false)
            own.append(counts(rng.random(converges.shape) < chance))
        estimate = gap_estimate((own[0], own[1]))
        assert estimate is not None
        sides.append(own)
        gaps.append(estimate.value)
    split = split_variance([sides[0][0]], [sides[0][1]], gaps)
    return gaps[0], float(np.mean(gaps[1:])), split


def simulate(setting: Setting, runs: int, seed: int) -> list[float]:
    """Return true and predicted standard errors, points: of judges, and of the estimate.

    The true part of judges is half the mean squared difference between two judges' gaps; the middle
    80 % of the predictions follow each prediction.
    """
    rng = np.random.default_rng(seed)
    points, parts, errors = [], [], []
    between = 0.0
    for _ in range(runs):
        own, peers, split = experiment(setting, rng)
        assert split is not None
        points.append(own)
        # A judge's gap minus the mean of J - 1 others has the variance of judges times J / (J - 1).
        between += (own - peers) ** 2 * (setting.judges - 1) / setting.judges / runs
        parts.append(split.judges or 0.0)
        errors.append(split.total)
    roots = np.sqrt(parts), np.sqrt(errors)
    return [
        between**0.5,
        float(np.mean(parts)) ** 0.5,
        *(float(value) for value in np.quantile(roots[0], (0.1, 0.9))),
        float(np.std(points)),
        float(np.mean(errors)) ** 0.5,
        *(float(value) for value in np.quantile(roots[1], (0.1, 0.9))),
    ]


NOTES = """
Standard errors in points; "predicted" is the root of the mean variance, with the middle 80 % of the
single predictions. "all" is the standard error of the first judge's gap as an estimate for such
judges and scenarios.

- The part of judges is right on average, and varies widely with three or five judges.
- The standard error of all is 8 to 22 % too large with one sample per scenario: the chance errors
  of a judge are in its part and in that of the scenarios. With five samples it is right.
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=2000)
    runs = options.parse_args().runs
    print(f"\n## Judges in the variance split\n\n`{COMMAND}`\n")
    print("| judges | bias | samples | judges, true | predicted | all, true | predicted |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for seed, setting in enumerate(SETTINGS):
        found = [f"{value:.1f}" for value in simulate(setting, runs, seed)]
        judges = f"{found[0]} | {found[1]} ({found[2]} to {found[3]})"
        whole = f"{found[4]} | {found[5]} ({found[6]} to {found[7]})"
        names = f"{setting.judges} | {setting.bias:g} | {setting.samples}"
        print(f"| {names} | {judges} | {whole} |", flush=True)
    print(NOTES, end="")


if __name__ == "__main__":
    main()
