"""Coverage of the 95 % intervals of rates and gaps, and type I error of the exact test.

    python benchmarks/coverage.py > benchmarks/COVERAGE.md

Each simulated experiment draws new scenarios. A scenario has a trait u ~ N(0, 1). A sample
converges if mu + sqrt(pairing) u + sqrt(1 - pairing) e > 0, with e ~ N(0, 1) drawn for each sample
and condition. So Phi(mu) is the true rate, and `pairing` is the tetrachoric correlation of two
answers to one scenario. Nonsensical answers are drawn in the same way, more often for low u, so
that they are informative; the true rates over valid answers are then computed from two million
scenarios. The bootstrap columns show rejected alternatives: 999 resamples of scenarios, percentile
and BCa (scipy).
"""

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
import scipy
from scipy.stats import binom, bootstrap

from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.gap import condition_gap
from steertui.stats.rate import convergence_rate, wilson_interval

CONDITIONS = ("pro", "anti")

ACCEPTED = (93.5, 97.0)
"""Coverage in per cent that is not printed in bold."""

COMMAND = "python benchmarks/coverage.py > benchmarks/COVERAGE.md"


@dataclass(frozen=True)
class Setting:
    """Parameters of a simulated experiment.

    Attributes:
        name: of the table row.
        rates: true convergence rates of pro and anti.
        pairing: tetrachoric correlation of two answers to one scenario.
        samples: samples per trial.
        nonsense: shares of nonsensical answers of pro and anti.
        scenarios: number of scenarios.
        is_informative: whether nonsense depends on the scenario's trait.
    """

    name: str
    rates: tuple[float, float]
    pairing: float = 0.5
    samples: int = 1
    nonsense: tuple[float, float] = (0.0, 0.0)
    scenarios: int = 71
    is_informative: bool = True


SETTINGS = (
    Setting("near 0", (0.06, 0.02)),
    Setting("near 0.5", (0.6, 0.4)),
    Setting("near 1", (0.98, 0.94)),
    Setting("strong pairing", (0.7, 0.5), pairing=0.95),
    Setting("no pairing", (0.7, 0.5), pairing=0.0),
    Setting("five samples", (0.6, 0.35), samples=5),
    Setting("five samples, scenarios decide", (0.6, 0.35), pairing=0.95, samples=5),
    Setting("five samples near 0", (0.06, 0.02), samples=5),
    Setting("nonsense differs", (0.65, 0.35), nonsense=(0.35, 0.05)),
    Setting("nonsense differs, five samples", (0.65, 0.35), samples=5, nonsense=(0.35, 0.05)),
    Setting("as published", (0.72, 0.04)),
    Setting("one category", (0.7, 0.35), scenarios=11),
    Setting("one category, five samples", (0.7, 0.35), samples=5, scenarios=11),
)


Draw = np.ndarray[tuple[int, int, int], np.dtype[np.int8]]


def draw(setting: Setting, scenarios: int, rng: np.random.Generator) -> Draw:
    """Return labels, shape (2, scenarios, samples): 1 convergence, 0 not, -1 nonsensical."""
    shape = (2, scenarios, setting.samples)
    trait = rng.standard_normal(scenarios)[None, :, None]
    threshold = [[[NormalDist().inv_cdf(1 - rate)]] for rate in setting.rates]
    shared = setting.pairing**0.5
    own = (1 - setting.pairing) ** 0.5
    labels: Draw = (shared * trait + own * rng.standard_normal(shape) > threshold).astype(np.int8)
    if any(setting.nonsense):
        nonsense_threshold = [[[NormalDist().inv_cdf(1 - rate)]] for rate in setting.nonsense]
        weight = -0.5 if setting.is_informative else 0.0
        noise = weight * trait + (1 - weight**2) ** 0.5 * rng.standard_normal(shape)
        labels[noise > nonsense_threshold] = -1
    return labels


def rates(labels: Draw) -> list[float]:
    """Return the convergence rate of each condition over valid answers."""
    return [float((codes == 1).sum() / (codes >= 0).sum()) for codes in labels]


def outcomes(labels: Draw) -> Iterator[Outcome]:
    """Yield the outcome of each trial."""
    meaning = {1: Label.CONVERGENCE, 0: Label.NO_CONVERGENCE, -1: Label.NONSENSICAL}
    for (condition, scenario, sample), code in np.ndenumerate(labels):
        yield Outcome(
            scenario=str(scenario),
            category="",
            condition=CONDITIONS[condition],
            sample=sample,
            generated=True,
            truncated=False,
            label=meaning[int(code)],
            failed=False,
        )


def bootstraps(labels: Draw, truth: float, rng: np.random.Generator) -> list[bool]:
    """Return whether the percentile and the BCa interval cover the true gap.

    An interval that cannot be computed does not.
    """
    counts = np.concatenate([(labels == 1).sum(2), (labels >= 0).sum(2)])

    def points(index: np.ndarray[tuple[int, ...], np.dtype[np.int64]], axis: int) -> Any:
        one, two, valid_one, valid_two = counts[:, index].sum(axis)
        return one / valid_one - two / valid_two

    covers = []
    for method in ("percentile", "BCa"):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            low, high = bootstrap(
                (np.arange(counts.shape[1]),),
                points,
                n_resamples=999,
                method=method,
                vectorized=True,
                rng=rng,
            ).confidence_interval
        covers.append(bool(low <= truth <= high))
    return covers


def cover(setting: Setting, runs: int, resample: int, seed: int) -> list[float]:
    """Return coverage in per cent and mean width in points.

    Coverage: rate pro, rate anti, gap, percentile bootstrap, BCa bootstrap; then the gap's width.
    """
    rng = np.random.default_rng(seed)
    truth = list(setting.rates)
    if any(setting.nonsense):
        truth = rates(draw(replace(setting, samples=1), 2_000_000, rng))
    covered = []
    covered_by_bootstraps = []
    width = 0.0
    for run in range(runs):
        labels = draw(setting, setting.scenarios, rng)
        items = list(outcomes(labels))
        row = []
        for condition, true_rate in zip(CONDITIONS, truth, strict=True):
            rate = convergence_rate(item for item in items if item.condition == condition)
            row.append((rate.low or 0) - 1e-9 <= true_rate <= (rate.high or 0) + 1e-9)
        gap = condition_gap(items, *CONDITIONS)
        true_gap = 100 * (truth[0] - truth[1])
        assert gap.low is not None
        assert gap.high is not None
        row.append(gap.low <= true_gap <= gap.high)
        width += (gap.high - gap.low) / runs
        covered.append(row)
        if run < resample:
            covered_by_bootstraps.append(bootstraps(labels, true_gap / 100, rng))
    by_bootstraps = [float("nan")] * 2
    if covered_by_bootstraps:
        by_bootstraps = list(100 * np.mean(covered_by_bootstraps, axis=0))
    return [*(100 * np.mean(covered, axis=0)), *by_bootstraps, width]


def reject(setting: Setting, runs: int, seed: int) -> float:
    """Return the per cent of experiments with p <= 0.05 if both conditions have the second rate."""
    rng = np.random.default_rng(seed)
    # Informative nonsense would change the rates; under the null hypothesis it is not informative.
    null = replace(setting, rates=(setting.rates[1],) * 2, is_informative=False)
    rejected = 0
    for _ in range(runs):
        p = condition_gap(list(outcomes(draw(null, null.scenarios, rng))), *CONDITIONS).p
        rejected += p is not None and p <= 0.05
    return 100 * rejected / runs


def cell(value: float) -> str:
    return f"{value:.1f}" if ACCEPTED[0] <= value <= ACCEPTED[1] else f"**{value:.1f}**"


def exact(rate: float, size: int = 71) -> float:
    """Return the exact coverage of Wilson's interval for a binomial rate, in per cent."""
    limits = [wilson_interval(count / size, size) for count in range(size + 1)]
    probabilities = binom.pmf(range(size + 1), size, rate)
    covers = [low <= rate <= high for low, high in limits]
    return 100 * float(sum(probabilities[covers]))


NOTES = f"""
Coverage is the per cent of experiments whose interval covers the true value; values outside
{ACCEPTED[0]} to {ACCEPTED[1]} are bold. "width" is the mean width of the gap's interval in
percentage points. "type I" is the per cent of experiments with p <= 0.05 if both conditions have
the second rate (nonsense still differs, but does not depend on the scenario). The standard error is
0.5 with 2,000 experiments, and 1.0 with the 500 of the bootstraps.

- A rate near 0 or 1 on 71 scenarios takes few values, so the coverage of Wilson's interval changes
  abruptly with the rate. Its exact value is {exact(0.02):.1f} at 0.02, {exact(0.04):.1f} at 0.04,
  {exact(0.06):.1f} at 0.06, {exact(0.94):.1f} at 0.94, {exact(0.98):.1f} at 0.98.
- The gap's interval is too wide, not too narrow, if both rates are near the same end: Wilson's
  limits there extend away from the end, and Newcombe's method adds both distances.
- The 97.2 at 0.94 is two standard errors above its exact value, which is consistent with chance.
- The type I error of the exact test is below 5 % everywhere, and far below if few scenarios can
  change.
- Bootstraps over scenarios cover too little near 0 and 1 and for one category of 11, and have zero
  width if no resample differs. So the square-and-add interval is used.
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=2000)
    options.add_argument("--resample", type=int, default=500, help="experiments with bootstraps")
    options.add_argument("--only", default="", help="only settings whose name contains this")
    given = options.parse_args()
    print(f"# Coverage of the intervals\n\n`{COMMAND}`, scipy {scipy.__version__}\n")
    print("| setting | rates | rate pro | rate anti | gap | width | percentile | BCa | type I |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for seed, setting in enumerate(SETTINGS):
        if given.only in setting.name:
            *share, width = cover(setting, given.runs, given.resample, seed)
            one, two, own, percentile, bca = map(cell, share)
            wrong = reject(setting, given.runs, 1000 + seed)
            print(
                f"| {setting.name} | {setting.rates[0]}, {setting.rates[1]} | {one} | {two} "
                f"| {own} | {width:.1f} | {percentile} | {bca} | {wrong:.1f} |",
                flush=True,
            )
    print(NOTES, end="")


if __name__ == "__main__":
    main()
