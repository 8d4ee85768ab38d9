"""Cost limit: no count and no price lowers the sum."""

from math import inf, isfinite, nan
from pathlib import Path

import pytest

from steertui.errors import JudgeError
from steertui.judge.price import Budget, Price, parse_price
from tests.fixtures.program import call

PRICE = Price(1.0, 0.1, 10.0)


@pytest.mark.parametrize("counts", [(-(10**9), 0, 0), (0, 0, -(10**9)), (0, 10**9, 0), (5, -5, 0)])
def test_no_count_of_tokens_makes_a_cost_negative(counts: tuple[int, int, int]) -> None:
    assert PRICE.of(*counts) >= 0


def test_cached_tokens_are_part_of_the_input() -> None:
    assert PRICE.of(1_000_000, 500_000, 0) == pytest.approx(0.55)
    assert PRICE.of(1_000_000, 10**12, 0) == pytest.approx(0.1)


@pytest.mark.parametrize("cost", [-1.0, nan, inf, -inf])
def test_a_cost_that_is_no_amount_counts_as_its_reservation(cost: float) -> None:
    budget = Budget(1.0)
    assert budget.reserve(0.6)
    budget.settle(0.6, cost)
    assert budget.spent == 0.6
    assert not budget.is_in_flight
    assert not budget.reserve(0.6)


@pytest.mark.parametrize("cost", [-1.0, nan])
def test_a_reservation_that_is_no_amount_is_refused(cost: float) -> None:
    budget = Budget(1.0)
    assert not budget.reserve(cost)
    assert budget.reserve(1.0)
    assert isfinite(budget.spent)


def test_a_limit_that_is_no_number_allows_nothing() -> None:
    assert not Budget(nan).reserve(0.1)


@pytest.mark.parametrize(
    "option", ["--max-cost", "--judge-timeout", "--server-timeout", "--max-outage"]
)
def test_an_option_that_is_no_number_is_refused(tmp_path: Path, option: str) -> None:
    code, _, err = call("--batch", "--demo", option, "nan", cwd=tmp_path)
    assert code == 2
    assert option in err


@pytest.mark.parametrize("text", ["1,75,14", "0,25,2", "1.75", "1,2,3,4", "-1,2", "a,b"])
def test_a_price_with_a_decimal_comma_or_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(JudgeError, match="IN,OUT"):
        parse_price(text)


def test_a_cached_price_is_at_most_that_of_the_input() -> None:
    assert parse_price("1.75,0.175,14") == Price(1.75, 0.175, 14.0)
    assert parse_price("1.75,14") == Price(1.75, 1.75, 14.0)
