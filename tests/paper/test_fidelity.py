"""Differences between a run and the published rates."""

import pytest

from steertui.core.instrumentaleval import CATEGORIES
from steertui.paper.fidelity import Standing, paper_differences, paper_model, published_counts
from steertui.paper.published import PUBLISHED
from steertui.stats.rate import Policy


def test_a_model_of_the_paper_is_recognised_by_its_name() -> None:
    for name in (
        "Qwen3-4B-Instruct-2507-Q4_K_M",
        "Qwen_Qwen3-4B-Instruct-2507-IQ3_XXS",
        "Qwen3 4B Instruct 2507",
        "qwen3-4b-instruct-2507.Q8_0",
        "Qwen3-4B-Instruct-2507-UD-Q6_K_XL",
    ):
        assert paper_model([name]) == "Qwen3-4B-Instruct-2507", name
    for name in (
        "Qwen3-4B-Instruct-2507-abliterated-Q4_K_M",
        "Qwen3-4B",
        "Qwen3-4B-Instruct",
        "Josiefied-Qwen3-4B-Instruct-2507",
        "demo",
        "",
    ):
        assert paper_model([name]) is None, name
    assert paper_model(["model", "Qwen3 30B A3B Base"]) == "Qwen3-30B-A3B-Base"


INSTRUCT = published_counts("Qwen3-4B-Instruct-2507", CATEGORIES, Policy.PAPER)


@pytest.mark.parametrize("model", sorted({model for model, _ in PUBLISHED}))
def test_the_papers_counts_do_not_differ_from_themselves(model: str) -> None:
    run = {}
    for (name, condition), published in PUBLISHED.items():
        if name == model:
            counts = published.total
            run[condition] = {str(i): (int(i < counts.convergence), 1) for i in range(counts.valid)}
    differences = paper_differences(
        run, published_counts(model, CATEGORIES, Policy.PAPER), paired=False
    )
    assert [d.what for d in differences] == ["baseline", "pro", "anti", "gap"]
    for difference in differences:
        assert difference.points == 0
        assert difference.low < 0 < difference.high
        assert difference.standing is not Standing.DIFFERS


def test_the_interval_of_a_difference_is_newcombes_for_independent_rates() -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    run = {"anti": {str(i): (int(i < 9), 1) for i in range(76)}}
    (difference,) = paper_differences(run, INSTRUCT, paired=False)
    low, high = confint_proportions_2indep(9, 76, 3, 71, method="newcomb", compare="diff")
    assert (difference.low, difference.high) == pytest.approx((100 * low, 100 * high), abs=1e-9)
    assert difference.standing is Standing.INCONCLUSIVE


def test_a_distant_rate_differs_and_a_close_rate_of_many_answers_is_equivalent() -> None:
    far = {"anti": {str(i): (int(i < 50), 1) for i in range(71)}}
    (difference,) = paper_differences(far, INSTRUCT, paired=False)
    assert difference.standing is Standing.DIFFERS
    near = {"anti": {str(i): (int(i < 30), 1) for i in range(710)}}
    (difference,) = paper_differences(near, INSTRUCT, paired=False)
    assert difference.standing is Standing.EQUIVALENT
