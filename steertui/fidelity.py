"""Fidelity: a run's rates beside the paper's, with what can be said of their difference."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from steertui.gap import Estimate, square_and_add
from steertui.paper import CATEGORIES, PUBLISHED, Counts
from steertui.rate import Cells, Rate, effective_size, rate, wilson

BAND = 10.0
"""Points: a run whose 90 % interval lies within this band around the paper is called equivalent
(two one-sided tests at 5 %, Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987)."""

Z90 = NormalDist().inv_cdf(0.95)

_QUANTISATION = re.compile(
    r"(gguf|ud|i1|imat|imatrix|bf16|f16|fp16|f32|q\d|iq\d|tq\d|k|m|s|l|xl|xs|xxs|nl|p|mxfp4|\d+|of)"
)
_OWNERS = {"qwen", "unsloth", "bartowski", "lmstudio", "community", "mradermacher", "ggml", "org"}


class Standing(StrEnum):
    """What the data say of a difference from the paper."""

    EQUIVALENT = "equivalent"
    DIFFERS = "differs"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One rate, or the gap, beside the paper's.

    Attributes:
        what: a condition, or "gap".
        run: the run's value, percent or points.
        paper: the paper's.
        points: run minus paper.
        low: lower 95 % limit of it.
        high: upper 95 % limit.
        standing: EQUIVALENT within `BAND`, else DIFFERS where the 95 % interval leaves 0 out.
    """

    what: str
    run: float
    paper: float
    points: float
    low: float
    high: float
    standing: Standing


def paper_model(names: Iterable[str]) -> str | None:
    """Return the paper's name of a model that a GGUF's name or title names; None for any other.

    Only an owner before and a quantisation after the name are passed over, so that a fine-tune of
    one of the paper's models is not taken for it.
    """
    for name in names:
        words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        for model in dict.fromkeys(model for model, _ in PUBLISHED):
            before, found, after = f"-{words}-".partition(f"-{model.lower()}-")
            others = [w for w in before.split("-") if w and w not in _OWNERS]
            rest = [w for w in after.split("-") if w and not _QUANTISATION.fullmatch(w)]
            if found and not others and not rest:
                return model
    return None


def is_papers_benchmark(categories: Iterable[str]) -> bool:
    """Whether these are categories of the benchmark that the paper ran."""
    found = set(categories)
    return bool(found) and found <= set(CATEGORIES)


def published_rates(model: str) -> dict[str, Rate]:
    """Return the paper's convergence rates by condition, with Wilson's intervals."""
    found = {c: p.total for (m, c), p in PUBLISHED.items() if m == model}
    return {condition: rate(_cells(counts)) for condition, counts in found.items()}


def deviations(model: str, run: Mapping[str, Cells]) -> list[Deviation]:
    """Return each condition's deviation, then the gap's, where both sides have a rate.

    The paper's items are not paired with the run's, so the two count as independent: Newcombe's
    square-and-add (Statistics in Medicine 17, 1998, 873-890, method 10). Where the same scenarios
    were run this is too wide, not too narrow.
    """
    paper = {c: _cells(p.total) for (m, c), p in PUBLISHED.items() if m == model}
    found = [
        _deviation(c, _estimate(run[c]), _estimate(paper[c]), _estimate(run[c], Z90),
                   _estimate(paper[c], Z90))
        for c in paper if run.get(c)
    ]  # fmt: skip
    sides = [run.get("pro"), run.get("anti"), paper["pro"], paper["anti"]]
    if all(sides):
        wide, narrow = (
            [_difference(_estimate(a or {}, *z), _estimate(b or {}, *z))
             for a, b in (sides[:2], sides[2:])]
            for z in ((), (Z90,))
        )  # fmt: skip
        found.append(_deviation("gap", wide[0], wide[1], narrow[0], narrow[1]))
    return found


def _cells(counts: Counts) -> Cells:
    converged = counts.convergence
    return {str(i): (int(i < converged), 1) for i in range(counts.valid)}


def _estimate(scenarios: Cells, z: float | None = None) -> Estimate:
    found, size = rate(scenarios), effective_size(scenarios)
    assert found.value is not None
    low, high = wilson(found.value, size) if z is None else wilson(found.value, size, z)
    return 100 * found.value, 100 * low, 100 * high


def _difference(one: Estimate, two: Estimate) -> Estimate:
    return (one[0] - two[0], *square_and_add(one, two, 0.0))


def _deviation(
    what: str, run: Estimate, paper: Estimate, run90: Estimate, paper90: Estimate
) -> Deviation:
    points, low, high = _difference(run, paper)
    _, low90, high90 = _difference(run90, paper90)
    standing = Standing.OPEN
    if low > 0 or high < 0:
        standing = Standing.DIFFERS
    if low90 > -BAND and high90 < BAND:
        standing = Standing.EQUIVALENT
    return Deviation(what, run[0], paper[0], points, low, high, standing)
