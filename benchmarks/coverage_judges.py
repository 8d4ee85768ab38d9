"""Coverage of the intervals of judge agreement.

    python benchmarks/coverage_judges.py >> benchmarks/COVERAGE.md

An answer has one of four true labels. Two judges label it; each errs with a probability drawn for
the scenario from a beta distribution with mean `wrong` (the smaller its concentration, the more
similar the answers of a scenario), and then gives any of the four labels. The true agreement and
kappa are those of 400,000 scenarios.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from simulation import cell

from steertui.core.verdict import Label
from steertui.stats.agreement import LabelPair, measure_agreement

LABELS = list(Label)
COMMAND = "python benchmarks/coverage_judges.py >> benchmarks/COVERAGE.md"

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Setting:
    """Parameters of a simulated experiment.

    Attributes:
        name: of the table row.
        scenarios: number of scenarios.
        answers: answers per scenario.
        shares: shares of the true labels.
        wrong: mean probability of an error.
        concentration: of the beta distribution; None for independent errors.
    """

    name: str
    scenarios: int
    answers: int
    shares: tuple[float, float, float, float]
    wrong: float
    concentration: float | None = None


SETTINGS = (
    Setting("71 answers", 71, 1, (0.45, 0.35, 0.15, 0.05), 0.15),
    Setting("20 answers", 20, 1, (0.45, 0.35, 0.15, 0.05), 0.15),
    Setting("71 × 3, independent errors", 71, 3, (0.45, 0.35, 0.15, 0.05), 0.15),
    Setting("71 × 3, errors by scenario", 71, 3, (0.45, 0.35, 0.15, 0.05), 0.15, concentration=0.5),
    Setting("71 × 5, errors by scenario", 71, 5, (0.45, 0.35, 0.15, 0.05), 0.25, concentration=0.5),
    Setting("nearly always equal", 71, 3, (0.45, 0.35, 0.15, 0.05), 0.02, concentration=0.5),
    Setting("one label is common", 71, 1, (0.04, 0.92, 0.03, 0.01), 0.05),
)


def judged(setting: Setting, scenarios: int, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """Return the labels of both judges, each of shape (scenarios, answers)."""
    shape = (scenarios, setting.answers)
    true = rng.choice(4, shape, p=setting.shares)
    chance = np.full((scenarios, 1), setting.wrong)
    if setting.concentration is not None:
        c = setting.concentration
        chance = rng.beta(setting.wrong * c, (1 - setting.wrong) * c, (scenarios, 1))
    one, two = (
        np.where(rng.random(shape) < chance, rng.integers(0, 4, shape), true) for _ in range(2)
    )
    return one, two


def truth(setting: Setting, rng: np.random.Generator) -> tuple[float, float]:
    """Return the true share of equal labels and the true kappa."""
    one, two = judged(setting, 400_000, rng)
    equal = float((one == two).mean())
    ends = [np.bincount(side.ravel(), minlength=4) / side.size for side in (one, two)]
    chance = float((ends[0] * ends[1]).sum())
    return equal, (equal - chance) / (1 - chance)


def coverage(setting: Setting, runs: int, seed: int) -> tuple[float, ...]:
    """Return coverage in per cent: equal labels and kappa, clustered, then both unclustered."""
    rng = np.random.default_rng(seed)
    equal, kappa = truth(setting, rng)
    found = np.zeros(4)
    for _ in range(runs):
        one, two = judged(setting, setting.scenarios, rng)
        codes = zip(one.ravel(), two.ravel(), strict=True)
        pairs: list[LabelPair] = [(LABELS[a], LABELS[b]) for a, b in codes]
        clusters = np.repeat(np.arange(setting.scenarios), setting.answers).tolist()
        for place, a in enumerate((measure_agreement(pairs, clusters), measure_agreement(pairs))):
            raw = a.low is not None and a.high is not None and a.low <= equal <= a.high
            both = a.kappa_low is not None and a.kappa_high is not None
            found[2 * place] += raw
            found[2 * place + 1] += both and (a.kappa_low or 0) <= kappa <= (a.kappa_high or 0)
    return tuple(100 * found / runs)


NOTES = """
"unclustered" is the coverage if every answer counted as independent; it is the reason for
clustering by scenario.

- Kappa's large-sample interval by itself covers 90 to 93 % for 20 answers, if nearly all labels are
  equal, and if one label is common: the few labels that differ say too little about its variance.
  So the exact limits of the share of equal labels are used if they are wider.
- These limits are exact, and so cover too often near 100 %; kappa's do, too.
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=2000)
    runs = options.parse_args().runs
    print(f"\n## Agreement of judges\n\n`{COMMAND}`\n")
    print("| agreement | equal | kappa | equal, unclustered | kappa, unclustered |")
    print("| --- | --- | --- | --- | --- |")
    for seed, setting in enumerate(SETTINGS):
        found = " | ".join(map(cell, coverage(setting, runs, seed)))
        print(f"| {setting.name} | {found} |", flush=True)
    print(NOTES, end="")


if __name__ == "__main__":
    main()
