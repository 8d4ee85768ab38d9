"""Error rates and power of the test of equivalence within the declared margin.

    python benchmarks/coverage_equivalence.py >> benchmarks/COVERAGE.md

Conditions answer the same scenarios. An answer converges if sqrt(pairing) u + sqrt(1 - pairing) e
is above a threshold, with the scenario's trait u ~ N(0, 1). A family compares each condition with
the first one.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from simulation import counts, threshold

from steertui.stats.families import Family, Role, equivalence_tests, family_tests, headline_contrast
from steertui.stats.rate import ScenarioCounts

COMMAND = "python benchmarks/coverage_equivalence.py >> benchmarks/COVERAGE.md"

MARGIN = 10.0
"""Declared margin, percentage points: the default."""


@dataclass(frozen=True)
class Setting:
    """Parameters of a simulated family.

    Attributes:
        name: of the table row.
        first: rate of the first condition.
        others: rates of the conditions that are compared with it.
        scenarios: their number.
        pairing: correlation of two answers to one scenario.
        samples: per scenario and condition.
        nonsense: share of nonsensical answers under the others, more on hard scenarios.
    """

    name: str
    first: float
    others: tuple[float, ...]
    scenarios: int = 71
    pairing: float = 0.8
    samples: int = 1
    nonsense: float = 0.0


AT_MARGIN = (
    Setting("36 scenarios", 0.5, (0.4,), scenarios=36),
    Setting("36 scenarios, strong pairing", 0.5, (0.4,), scenarios=36, pairing=0.99),
    Setting("71 scenarios", 0.5, (0.4,)),
    Setting("71 scenarios, strong pairing", 0.5, (0.4,), pairing=0.99),
    Setting("71 scenarios, near 0", 0.12, (0.02,)),
    Setting("200 scenarios", 0.5, (0.4,), scenarios=200),
    Setting("1,000 scenarios", 0.5, (0.4,), scenarios=1000),
    Setting("71 scenarios, five samples", 0.5, (0.4,), samples=5),
    Setting("71 scenarios, nonsense with difficulty", 0.5, (0.4,), nonsense=0.2),
    Setting("family of 3, all at the margin, 200", 0.5, (0.4, 0.6, 0.4), scenarios=200),
    Setting("family of 3, one at the margin, 200", 0.5, (0.5, 0.5, 0.4), scenarios=200),
)
EQUAL = (
    Setting("36 scenarios", 0.5, (0.5,), scenarios=36),
    Setting("71 scenarios", 0.5, (0.5,)),
    Setting("71 scenarios, strong pairing", 0.5, (0.5,), pairing=0.99),
    Setting("71 scenarios, near 0", 0.04, (0.04,)),
    Setting("200 scenarios", 0.5, (0.5,), scenarios=200),
    Setting("400 scenarios", 0.5, (0.5,), scenarios=400),
    Setting("71 scenarios, five samples", 0.5, (0.5,), samples=5),
    Setting("200 scenarios, five samples", 0.5, (0.5,), scenarios=200, samples=5),
    Setting("family of 3, 200", 0.5, (0.5, 0.5, 0.5), scenarios=200),
)


def draw(setting: Setting, rng: np.random.Generator) -> list[ScenarioCounts]:
    """Return the counts of each condition in one experiment."""
    trait = rng.standard_normal((setting.scenarios, 1))
    drawn = []
    for number, rate in enumerate((setting.first, *setting.others)):
        noise = rng.standard_normal((setting.scenarios, setting.samples))
        value = setting.pairing**0.5 * trait + (1 - setting.pairing) ** 0.5 * noise
        valid = np.ones(value.shape, np.bool_)
        if number and setting.nonsense:
            is_hard = trait < 0
            valid = rng.random(value.shape) >= setting.nonsense * 2 * is_hard
        drawn.append(counts(value > threshold(rate), valid))
    return drawn


def shares(setting: Setting, runs: int, seed: int) -> list[float]:
    """Return the per cent of experiments that claim each of: equivalence at the margin, others.

    Any claim of equivalence for a true gap of the margin; equivalence of a comparison without a
    gap; both a difference and equivalence of one comparison.
    """
    rng = np.random.default_rng(seed)
    family = Family(Role.SECONDARY, len(setting.others))
    at_margin = [abs(100 * (setting.first - rate)) > MARGIN - 1e-9 for rate in setting.others]
    total = np.zeros(3)
    for _ in range(runs):
        first, *others = draw(setting, rng)
        contrasts = [headline_contrast(first, other, "a", "b") for other in others]
        same = [t is not None and t.is_shown for t in equivalence_tests(contrasts, family, MARGIN)]
        shown = [test.is_significant for test in family_tests(contrasts, family)]
        pairs = [*zip(same, at_margin, strict=True)]
        equal = [is_same for is_same, is_far in pairs if not is_far]
        total[0] += any(is_same and is_far for is_same, is_far in pairs)
        total[1] += sum(equal) / len(equal) if equal else 0.0
        total[2] += any(a and b for a, b in zip(same, shown, strict=True))
    return [float(value) for value in 100 * total / runs]


NOTES = """
Values are in per cent of experiments. The margin is {0:g} points. "false": a comparison whose true
gap is the margin is called equivalent, any of them in a family. "both": equivalence and a
difference are shown of one comparison.

- At the margin 0 to 5.3 % of experiments call a comparison equivalent, also in a family (standard
  error 0.5).
- Without any gap, equivalence is shown in 15 % of experiments with 71 scenarios and in 86 % with
  200, if answers depend on the scenario as here. With 36 scenarios it is nearly never shown: "no
  difference is shown, nor equivalence" is the usual result. It needs several hundred scenarios,
  several samples, or scenarios that rarely change between the conditions.
- With many scenarios or samples, both a difference and equivalence are shown in a few per cent.
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=2000)
    runs = options.parse_args().runs
    print(f"\n## Equivalence within the declared margin\n\n`{COMMAND}`\n")
    print("| gap of the margin | rates | false | both |\n| --- | --- | --- | --- |")
    for seed, setting in enumerate(AT_MARGIN):
        false, _, both = shares(setting, runs, seed)
        rates = ", ".join(map(str, (setting.first, *setting.others)))
        print(f"| {setting.name} | {rates} | {false:.1f} | {both:.1f} |", flush=True)
    print("\n| no gap | rates | equivalent | both |\n| --- | --- | --- | --- |")
    for seed, setting in enumerate(EQUAL):
        _, found, both = shares(setting, runs, 100 + seed)
        rates = ", ".join(map(str, (setting.first, *setting.others)))
        print(f"| {setting.name} | {rates} | {found:.1f} | {both:.1f} |", flush=True)
    print(NOTES.format(MARGIN), end="")


if __name__ == "__main__":
    main()
