"""Coverage of rates and gaps that are corrected for a judge's errors.

    python benchmarks/coverage_corrected.py >> benchmarks/COVERAGE.md

A judge errs by a fixed confusion matrix, and a reference without errors checks some answers drawn
at random; the true value is the rate itself. Answers of one scenario are similar: the normal scores
of their true labels, and those of the judge's errors, have the given correlation.
"""

import argparse
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr
from simulation import Floats, cell

from steertui.core.verdict import Label
from steertui.stats.misclassification import JudgedAnswer, corrected_gap, corrected_rate

LABELS = list(Label)
VALID = frozenset(Label) - {Label.NONSENSICAL}
COMMAND = "python benchmarks/coverage_corrected.py >> benchmarks/COVERAGE.md"

CONFUSION = np.array(
    [
        [0.85, 0.10, 0.00, 0.05],
        [0.15, 0.80, 0.03, 0.02],
        [0.05, 0.10, 0.85, 0.00],
        [0.20, 0.05, 0.00, 0.75],
    ]
)
"""Probability of each given label (columns) by true label (rows)."""


@dataclass(frozen=True)
class Setting:
    """Parameters of a simulated experiment.

    Attributes:
        scenarios: number of scenarios.
        samples: answers per scenario.
        checked: number of answers that are checked.
        rates: true convergence rates of pro and anti.
        pairing: correlation of the answers of a scenario, and of the judge's errors on them.
    """

    scenarios: int
    samples: int
    checked: int
    rates: tuple[float, float]
    pairing: float = 0.0


SETTINGS = (
    Setting(71, 1, 20, (0.7, 0.3)),
    Setting(71, 1, 40, (0.7, 0.3)),
    Setting(71, 1, 40, (0.05, 0.05)),
    Setting(71, 5, 100, (0.7, 0.3), pairing=0.5),
    Setting(71, 5, 100, (0.7, 0.3), pairing=0.9),
    Setting(71, 5, 355, (0.7, 0.3), pairing=0.9),
    Setting(36, 5, 100, (0.6, 0.6), pairing=0.7),
)


def judged_answers(
    setting: Setting, rate: float, trait: Floats, rng: np.random.Generator
) -> list[JudgedAnswer]:
    """Return the answers of one condition; `trait` is shared by the conditions of a scenario."""
    rest = (1 - rate) * 0.95
    shares = np.array([rate * 0.95, rest * 0.8, rest * 0.2, 0.05])
    shape = (setting.scenarios, setting.samples)
    own, shared = (1 - setting.pairing) ** 0.5, setting.pairing**0.5
    place = ndtr(shared * trait + own * rng.standard_normal(shape))
    true = (place[..., None] > shares.cumsum()[:3]).sum(axis=-1)
    error = rng.standard_normal((setting.scenarios, 1))
    place = ndtr(shared * error + own * rng.standard_normal(shape))
    given = (place[..., None] > CONFUSION.cumsum(axis=1)[true][..., :3]).sum(axis=-1)
    selected = {*rng.permutation(true.size)[: setting.checked].tolist()}
    return [
        JudgedAnswer(
            scenario=str(i // setting.samples),
            label=LABELS[label],
            reference=LABELS[known] if i in selected else None,
        )
        for i, (known, label) in enumerate(zip(true.ravel(), given.ravel(), strict=True))
    ]


def covers_rate(answers: list[JudgedAnswer], rate: float) -> float:
    """Return whether the corrected interval covers the rate, nan without one."""
    result = corrected_rate(answers, Label.CONVERGENCE, VALID)
    if result is None or result.low is None or result.high is None:
        return float("nan")
    return result.low <= rate <= result.high


def coverage(setting: Setting, runs: int, seed: int) -> tuple[float, ...]:
    """Return per cent: coverage of the first rate, unclustered, of the gap; experiments without.

    "Unclustered" takes every answer as a scenario of its own, in a fifth of the runs.
    """
    rng = np.random.default_rng(seed)
    rate, other = setting.rates
    found = np.full((runs, 4), np.nan)
    for run in range(runs):
        trait = rng.standard_normal((setting.scenarios, 1))
        one, two = (judged_answers(setting, own, trait, rng) for own in setting.rates)
        found[run, 0] = covers_rate(one, rate)
        if run < runs // 5 and setting.samples > 1:
            alone = [replace(answer, scenario=str(i)) for i, answer in enumerate(one)]
            found[run, 1] = covers_rate(alone, rate)
        gap = corrected_gap(one, two, Label.CONVERGENCE, VALID)
        found[run, 2] = gap.low <= 100 * (rate - other) <= gap.high if gap else np.nan
        found[run, 3] = np.isnan(found[run, 0])

    columns = (column[~np.isnan(column)] for column in 100 * found.T)
    return tuple(float(own.mean()) if own.size else float("nan") for own in columns)


NOTES = """
"rate" is the coverage of the corrected rate of pro, "unclustered" the same if every answer were a
scenario of its own (a fifth of the runs), "gap" that of the corrected gap. "none" is the per cent
of experiments without a corrected rate, because a label that the judge gave was never checked.

- With five samples per scenario the clustered interval covers 94 to 95 %; if the answers counted as
  independent, it would be 70 to 92 %.
- The gap's draws give a scenario the same weight under both conditions; it covers 94 to 96 %, and
  99 % near 0.
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=2000)
    runs = options.parse_args().runs
    print(f"\n## Corrected rates\n\n`{COMMAND}`\n")
    print("| answers | checked | rates | pairing | rate | rate, unclustered | gap | none |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for seed, setting in enumerate(SETTINGS):
        rate, alone, gap, none = coverage(setting, runs, 50 + seed)
        rates = ", ".join(map(str, setting.rates))
        unclustered = cell(alone) if setting.samples > 1 else "–"
        print(
            f"| {setting.scenarios} × {setting.samples} | {setting.checked} | {rates} "
            f"| {setting.pairing} | {cell(rate)} | {unclustered} | {cell(gap)} | {none:.1f} |",
            flush=True,
        )
    print(NOTES, end="")


if __name__ == "__main__":
    main()
