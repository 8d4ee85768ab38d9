"""Coverage of the intervals on the control set, and error rates of the verdicts on judges.

    python benchmarks/coverage_control.py >> benchmarks/COVERAGE.md

A control set has 168 answers to 36 scenarios, 42 per label, in turn under three arms. A simulated
judge errs with a probability drawn for the scenario from a beta distribution and then gives a label
by its preferences. The true kappa is that of 400,000 scenarios. A calibrated judge is simulated by
its correct labels before and after, correlated within the scenario.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steertui.core.verdict import Label
from steertui.stats.agreement import measure_agreement
from steertui.stats.calibration import accuracy_gain
from steertui.stats.label_dependence import (
    PATTERN_LEVEL,
    ControlLabel,
    arm_dependence,
    follows_length,
    is_changed,
)

LABELS = list(Label)
ARMS = ("pro", "anti", "baseline")
SCENARIOS = 36
ANSWERS = 168
COMMAND = "python benchmarks/coverage_control.py >> benchmarks/COVERAGE.md"

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class SimulatedJudge:
    """A judge: `wrong` is its mean probability of an error, `preferences` the labels of errors."""

    name: str
    wrong: float
    preferences: tuple[float, float, float, float] = (0.25, 0.25, 0.25, 0.25)
    concentration: float = 2.0


JUDGES = (
    SimulatedJudge("at chance", 1.0),
    SimulatedJudge("at chance, one label in 9 of 10", 1.0, (0.03, 0.04, 0.9, 0.03)),
    SimulatedJudge("60 % errors", 0.6),
    SimulatedJudge("30 % errors", 0.3),
    SimulatedJudge("30 % errors, by scenario", 0.3, concentration=0.5),
    SimulatedJudge("10 % errors", 0.1),
)


def judged(judge: SimulatedJudge, known: Codes, scenario: Codes, rng: np.random.Generator) -> Codes:
    """Return the judge's labels of answers with these known labels and scenarios."""
    number = int(scenario.max()) + 1
    c = judge.concentration
    is_fixed = judge.wrong in (0.0, 1.0)
    chance = np.full(number, judge.wrong)
    if not is_fixed:
        chance = rng.beta(judge.wrong * c, (1 - judge.wrong) * c, number)
    errs = rng.random(len(known)) < chance[scenario]
    return np.where(errs, rng.choice(4, len(known), p=judge.preferences), known)


def layout(scenarios: int, answers: int) -> tuple[Codes, Codes]:
    """Return known labels and scenarios of a control set."""
    places = np.arange(answers)
    return places % 4, (places // 4 * 7 + places % 4 * 5) % scenarios


def true_kappa(judge: SimulatedJudge, rng: np.random.Generator) -> float:
    """Return kappa of 400,000 scenarios."""
    known, scenario = layout(400_000, 1_600_000)
    given = judged(judge, known, scenario, rng)
    equal = float((known == given).mean())
    chance = float((np.bincount(given, minlength=4) / len(given)).mean())
    return (equal - chance) / (1 - chance)


def verdicts(judge: SimulatedJudge, runs: int, seed: int) -> tuple[float, ...]:
    """Return true kappa, coverage, and shares of verdicts: chance, usable, condition, length."""
    rng = np.random.default_rng(seed)
    truth = true_kappa(judge, rng)
    known, scenario = layout(SCENARIOS, ANSWERS)
    found = np.zeros(5)
    for _ in range(runs):
        given = judged(judge, known, scenario, rng)
        pairs = [(LABELS[a], LABELS[b]) for a, b in zip(known, given, strict=True)]
        agreement = measure_agreement(pairs, scenario.tolist())
        low, high = agreement.kappa_low or 0.0, agreement.kappa_high or 0.0
        lengths = rng.permutation(ANSWERS)
        items = tuple(
            ControlLabel(one, two, ARMS[i % 3], int(length))
            for i, ((one, two), length) in enumerate(zip(pairs, lengths, strict=True))
        )
        arm = arm_dependence(items)
        found += [
            low <= truth <= high,
            low <= 0,
            low >= 0.6,
            arm is not None and arm.p <= PATTERN_LEVEL,
            follows_length(items),
        ]
        arm_dependence.cache_clear()
        follows_length.cache_clear()
    return truth, *(100 * found / runs)


def gain_coverage(gain: float, runs: int, seed: int, concentration: float) -> float:
    """Return the coverage of the gain's interval, in per cent."""
    rng = np.random.default_rng(seed)
    _, scenario = layout(SCENARIOS, ANSWERS)
    covered = 0
    for _ in range(runs):
        before_rate, after_rate = (
            rng.beta(mean * concentration, (1 - mean) * concentration, SCENARIOS)
            for mean in (0.4, 0.4 + gain)
        )
        before = rng.random(ANSWERS) < before_rate[scenario]
        after = rng.random(ANSWERS) < after_rate[scenario]
        found = accuracy_gain(before.tolist(), after.tolist(), scenario.tolist())
        covered += found is not None and found.low <= 100 * gain <= found.high
    return 100 * covered / runs


def changes(share: float, rereads: int, runs: int, seed: int) -> float:
    """Return how often a judge that changes a share of its labels is caught, in per cent."""
    rng = np.random.default_rng(seed)
    caught = sum(is_changed((rng.random(rereads) >= share).tolist(), 12) for _ in range(runs))
    return 100 * caught / runs


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    print(f"\n## Control set of judges\n\n`{COMMAND}`, {runs} control sets per row\n")
    print("| judge | kappa | coverage % | chance % | usable % | condition % | length % |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for seed, judge in enumerate(JUDGES):
        truth, *shares = verdicts(judge, runs, seed)
        cells = " | ".join(f"{share:.1f}" for share in shares)
        print(f"| {judge.name} | {round(truth, 2) + 0.0:.2f} | {cells} |")
    print("\n| gain of a calibration, points | answers of a scenario | coverage % |")
    print("| ---: | --- | ---: |")
    for gain, concentration in ((0.0, 50.0), (0.2, 50.0), (0.0, 2.0), (0.2, 2.0)):
        kind = "similar" if concentration < 10 else "independent"
        print(f"| {100 * gain:.0f} | {kind} | {gain_coverage(gain, runs, 7, concentration):.1f} |")
    print("\n| labels that differ when read again | 12 reread, caught % | 36 | 120 |")
    print("| ---: | ---: | ---: | ---: |")
    for share in (0.0, 0.02, 0.05, 0.25, 0.5, 0.75):
        cells = " | ".join(f"{changes(share, n, runs, 3):.1f}" for n in (12, 36, 120))
        print(f"| {100 * share:.0f} % | {cells} |")
    print(NOTES)


NOTES = """
"chance", "usable": share of control sets by which the judge gets this verdict. "condition",
"length": share by which its labels are said to follow the condition or the length; neither is true
of these judges, and the level of both tests is 0.5 %."""

if __name__ == "__main__":
    main()
