"""Sensitivity of a gap: shared scenarios, policies, worst-case bounds."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.families import headline_contrast, headline_difference_contrast
from steertui.stats.gap import balanced_scenarios, paired_gap
from steertui.stats.rate import Policy
from steertui.stats.sensitivity import (
    LabelCounts,
    Sensitivity,
    corrected,
    gap_sensitivity,
    headline_counts,
    label_counts,
    slope_against,
)
from steertui.stats.slope import mean_slope

C, N, S, X = Label


def outcomes(*pairs: tuple[Label, Label]) -> list[Outcome]:
    return [
        Outcome(
            scenario=str(i),
            category="c",
            condition=condition,
            sample=0,
            generated=True,
            truncated=False,
            label=label,
            failed=False,
        )
        for i, pair in enumerate(pairs)
        for condition, label in zip(("pro", "anti"), pair, strict=True)
    ]


def sensitivity(
    items: list[Outcome], first: str = "pro", second: str = "anti", policy: Policy = Policy.PAPER
) -> Sensitivity:
    one, two = (
        label_counts([item for item in items if item.condition == name], policy)
        for name in (first, second)
    )
    return gap_sensitivity(one, two, first, second)


def test_without_nonsense_every_choice_is_the_same() -> None:
    items = outcomes(*[(C, N)] * 20 + [(N, N)] * 20)
    result = sensitivity(items)
    assert result.shared == result.marginal == result.headline
    assert {gap.points for gap in result.policies.values()} == {50.0}
    assert result.worst_case is not None
    assert (result.worst_case.lowest, result.worst_case.highest) == (50.0, 50.0)
    assert result.worst_case.low == pytest.approx(result.marginal.low)
    assert not result.is_material


def test_bounds_count_each_nonsensical_answer_both_ways() -> None:
    items = outcomes((C, N), (C, N), (X, N), (C, X), (N, N))
    worst = sensitivity(items).worst_case
    assert worst is not None
    assert (worst.lowest, worst.highest) == pytest.approx((60 - 20, 80 - 0))
    assert worst.low < worst.lowest < worst.highest < worst.high


def test_bounds_contain_the_gap_of_every_completion() -> None:
    rng = np.random.default_rng(4)
    labels = rng.choice([0, 1, 3], (12, 2), p=[0.5, 0.3, 0.2])
    items = outcomes(*[(list(Label)[a], list(Label)[b]) for a, b in labels])
    worst = sensitivity(items).worst_case
    assert worst is not None
    for _ in range(200):
        filled = np.where(labels == 3, rng.integers(0, 2, labels.shape), labels)
        gap = 100 * float((filled[:, 0] == 0).mean() - (filled[:, 1] == 0).mean())
        assert worst.lowest - 1e-9 <= gap <= worst.highest + 1e-9


@pytest.mark.parametrize("policy", Policy)
def test_bounds_are_those_of_all_completions_under_the_policy(policy: Policy) -> None:
    labels = [(C, S), (C, N), (X, N), (C, X), (N, S), (S, C), (X, X), (S, N)]
    nonsense = [(i, k) for i, pair in enumerate(labels) for k in (0, 1) if pair[k] is X]
    gaps = []
    for filled in product((C, N, S), repeat=len(nonsense)):
        complete = [list(pair) for pair in labels]
        for (i, k), label in zip(nonsense, filled, strict=True):
            complete[i][k] = label
        items = outcomes(*((one, two) for one, two in complete))
        points = sensitivity(items, policy=policy).marginal.points
        assert points is not None
        gaps.append(points)
    check = sensitivity(outcomes(*labels), policy=policy)
    worst = check.worst_case
    assert worst is not None
    assert check.marginal.points is not None
    assert (worst.lowest, worst.highest) == pytest.approx((min(gaps), max(gaps)))
    assert worst.lowest <= check.marginal.points <= worst.highest


def test_the_headline_moves_to_shared_scenarios_if_the_rates_differ_materially() -> None:
    # Nonsense under anti where pro does not converge: the anti rate is over easy scenarios only.
    items = outcomes(*[(C, N)] * 10 + [(C, C)] * 10 + [(N, X)] * 20)
    result = sensitivity(items)
    assert result.marginal.points == pytest.approx(0)
    assert result.shared.points == pytest.approx(50)
    assert result.pairs_differ
    assert result.headline is result.shared
    assert result.shared.p == result.marginal.p
    assert result.is_material


def test_scenarios_with_fewer_valid_samples_keep_their_weight() -> None:
    """No effect, and nonsense under pro on the scenarios that do not converge: 4 of 5 samples."""
    easy = {f"e{i}": (5, 5) for i in range(20)}
    one = easy | {f"h{i}": (0, 1) for i in range(20)}
    two = easy | {f"h{i}": (0, 5) for i in range(20)}
    assert paired_gap(one, two, "pro", "anti").points == pytest.approx(100 * (100 / 120 - 0.5))
    found = headline_contrast(one, two, "pro", "anti")
    assert found.is_shared
    assert (found.gap.points, found.gap.samples, found.gap.p) == (0.0, 5, 1.0)
    assert found.gap.low is not None
    assert found.gap.low < 0
    equal = {name: (x, 5) for name, (x, _) in one.items()}
    assert balanced_scenarios(equal, two) == (equal, two)
    thirds = balanced_scenarios({"a": (1, 3)}, {"a": (2, 4)})
    assert thirds == ({"a": (4, 12)}, {"a": (6, 12)})
    gaps = headline_difference_contrast((one, two), (two, two), "a", "b")
    assert (gaps.gap.points, gaps.gap.samples) == (0.0, 5)


def test_headline_counts_are_those_of_the_headline() -> None:
    items = outcomes(*[(C, N)] * 10 + [(C, C)] * 10 + [(N, X)] * 20)
    for kept in (items, items[:40]):
        one, two = (label_counts([o for o in kept if o.condition == c]) for c in ("pro", "anti"))
        check = gap_sensitivity(one, two, "pro", "anti")
        sides = (side.by_policy[Policy.PAPER] for side in (one, two))
        assert paired_gap(*headline_counts(*sides), "pro", "anti") == check.headline
        assert check.pairs_differ is (kept is items)


def test_a_policy_that_changes_the_verdict_is_material() -> None:
    items = outcomes(*[(C, N)] * 8 + [(X, C)] * 6 + [(N, N)] * 6)
    result = sensitivity(items)
    significant = {policy: (gap.p or 1) <= 0.05 for policy, gap in result.policies.items()}
    assert significant == {Policy.PAPER: True, Policy.ALL: False, Policy.EXCLUDE_REFUSALS: True}
    assert result.policies_differ


def test_verdicts_under_policies_are_those_after_holm() -> None:
    # p = 2 / 2^7 and 1 without nonsense; after Holm over 5 neither verdict is "shown".
    items = outcomes(*[(C, N)] * 7 + [(X, C)] * 6 + [(N, N)] * 6)
    alone = sensitivity(items)
    assert alone.policies_differ
    (in_family,) = corrected([alone], 5)
    assert in_family.p == pytest.approx(5 * 2 / 2**7)
    assert not in_family.policies_differ


def test_nonsense_that_could_hide_the_opposite_is_material() -> None:
    steady = outcomes(*[(C, N)] * 10 + [(N, N)] * 50 + [(N, X)] * 1)
    assert not sensitivity(steady).nonsense_may_explain
    fragile = outcomes(*[(C, N)] * 10 + [(N, N)] * 50 + [(N, X)] * 12)
    assert sensitivity(fragile).nonsense_may_explain
    assert sensitivity(fragile, "anti", "pro").nonsense_may_explain


def test_a_side_without_answers_has_no_sensitivity() -> None:
    result = sensitivity(outcomes((C, X)), "pro", "other")
    assert (result.marginal.points, result.worst_case) == (None, None)
    assert not result.is_material


@pytest.mark.parametrize("direction", [1, -1])
def test_the_slope_with_nonsense_against_it_is_the_extreme_over_all_labels(direction: int) -> None:
    """Doses 0, 1 and 3; of six scenarios two are nonsensical at dose 0, one at 1 and two at 3."""
    labels = [(X, N, C), (N, N, X), (X, X, C), (N, C, X), (C, C, C), (N, N, N)]
    doses = (0.0, 1.0, 3.0)

    def counts(columns: Sequence[Sequence[Label]]) -> list[LabelCounts]:
        return [label_counts(outcomes(*zip(own, own, strict=True))[::2]) for own in columns]

    found = slope_against(doses, counts([*zip(*labels, strict=True)]), direction)
    flat = [label for row in labels for label in row]
    slopes = []
    for chosen in product((C, N), repeat=flat.count(X)):
        others = iter(chosen)
        filled = [next(others) if label is X else label for label in flat]
        columns = counts([filled[dose::3] for dose in range(3)])
        slope = mean_slope(doses, [own.by_policy[Policy.ALL] for own in columns])
        assert slope is not None
        slopes.append(slope.points)
    assert found is not None
    assert found.points == pytest.approx((min if direction > 0 else max)(slopes))
    assert found.scenarios == 6
