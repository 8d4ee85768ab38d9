"""Trial counts: every trial in one state, grouped by condition and category."""

from dataclasses import fields, replace

import pytest

from steertui.core.outcome import (
    Outcome,
    TrialCounts,
    count_trials,
    outcomes_by_category,
    outcomes_by_condition,
)
from steertui.core.verdict import Label

C, N, S, X = Label


def outcome(
    label: Label | None = None,
    *,
    generated: bool = True,
    truncated: bool = False,
    failed: bool = False,
) -> Outcome:
    return Outcome(
        scenario="s",
        category="c",
        condition="pro",
        sample=0,
        generated=generated,
        truncated=truncated,
        label=label,
        failed=failed,
    )


def test_trial_counts_have_every_trial_in_its_state() -> None:
    labelled = [outcome(label=label) for label in (C, C, N, S, X)]
    others = [outcome(generated=False), outcome(truncated=True), outcome(failed=True)]
    counts = count_trials(labelled + others)
    assert counts == TrialCounts(
        planned=8,
        generated=7,
        truncated=1,
        judged=5,
        failed=1,
        convergence=2,
        no_convergence=1,
        safety_refusal=1,
        nonsensical=1,
    )


def test_the_states_add_up_to_the_planned_trials() -> None:
    labels = [outcome(label=label) for label in (C, X, None, None)]
    counts = count_trials([*labels, outcome(generated=False), outcome(failed=True)])
    assert (counts.pending, counts.unjudged) == (1, 2)
    assert counts.planned == counts.pending + counts.judged + counts.failed + counts.unjudged


def test_outcomes_are_grouped_by_condition_and_category_in_planned_order() -> None:
    items = [
        outcome(label=C)._replace(category=category, condition=condition)
        for category in ("z", "a")
        for condition in ("pro", "anti")
    ]
    assert {c: len(own) for c, own in outcomes_by_category(items).items()} == {"z": 2, "a": 2}
    assert [*outcomes_by_category(items)] == ["z", "a"]
    assert [*outcomes_by_condition(items)] == ["pro", "anti"]


def test_inconsistent_counts_raise_value_error() -> None:
    counts = count_trials([outcome(label=label) for label in (C, C, N, S, X)])
    with pytest.raises(ValueError, match="6 judged but 5 labels"):
        replace(counts, judged=6)
    with pytest.raises(ValueError, match="than generated"):
        count_trials([outcome(label=C, generated=False)])
    with pytest.raises(ValueError, match="than generated"):
        count_trials([outcome(label=C, failed=True)])


def test_no_outcomes_count_as_zeros() -> None:
    counts = count_trials([])
    assert not any(getattr(counts, field.name) for field in fields(counts))
