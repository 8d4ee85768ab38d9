"""Prices of judges behind servers, and the cost limit of a run."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from steertui.errors import JudgeError

BATCH_DISCOUNT = 0.5
"""Share of the list price that the Batch API charges."""

CHARACTERS_PER_TOKEN = 4.0
"""English prose in the o200k vocabulary. For estimates only: the server's own count is billed."""


@dataclass(frozen=True, slots=True)
class Price:
    """Price in US dollars per million tokens.

    Attributes:
        input: prompt tokens.
        cached: prompt tokens read from the server's cache.
        output: new tokens.
    """

    input: float
    cached: float
    output: float

    def of(self, input_tokens: int, cached_tokens: int, output_tokens: int) -> float:
        """Return the cost in US dollars; `cached_tokens` are part of `input_tokens`.

        A negative count is 0, and no more tokens are cached than were sent, so that no count that a
        server reports lowers a sum.
        """
        input_tokens = max(input_tokens, 0)
        cached_tokens = min(max(cached_tokens, 0), input_tokens)
        output_tokens = max(output_tokens, 0)
        uncached_tokens = input_tokens - cached_tokens
        total = uncached_tokens * self.input + cached_tokens * self.cached
        return (total + output_tokens * self.output) / 1e6


FREE = Price(0.0, 0.0, 0.0)

# OpenAI's list prices as of 2026, standard tier. --judge-price overrides them when they change.
PRICES: Mapping[str, Price] = MappingProxyType(
    {
        "gpt-5.4": Price(2.5, 0.25, 15.0),
        "gpt-5.2": Price(1.75, 0.175, 14.0),
        "gpt-5.1": Price(1.25, 0.125, 10.0),
        "gpt-5": Price(1.25, 0.125, 10.0),
        "gpt-5-mini": Price(0.25, 0.025, 2.0),
        "gpt-5-nano": Price(0.05, 0.005, 0.4),
        "gpt-4.1": Price(2.0, 0.5, 8.0),
        "gpt-4.1-mini": Price(0.4, 0.1, 1.6),
        "gpt-4.1-nano": Price(0.1, 0.025, 0.4),
        "gpt-4o": Price(2.5, 1.25, 10.0),
        "gpt-4o-mini": Price(0.15, 0.075, 0.6),
    }
)


def list_price(model: str) -> Price | None:
    """Return OpenAI's list price of a model or its dated snapshot; None if unknown."""
    return PRICES.get(re.sub(r"-\d{4}-\d\d-\d\d$", "", model))


def parse_price(text: str) -> Price:
    """Return the price given as "IN,OUT" or "IN,CACHED,OUT".

    Raises JudgeError for another text, and for a cached price above that of the input, which is
    what a decimal comma gives.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    is_decimal_comma = len(numbers) == 3 and numbers[1] > numbers[0]
    if len(numbers) not in (2, 3) or not all(0 <= n < 1e6 for n in numbers) or is_decimal_comma:
        raise JudgeError(
            f"--judge-price {text}: give US dollars per million tokens as IN,OUT, with a decimal "
            "point, such as 1.75,14"
        )
    cached = numbers[1] if len(numbers) == 3 else numbers[0]
    return Price(input=numbers[0], cached=cached, output=numbers[-1])


def estimate_tokens(*texts: str) -> float:
    """Return the estimated number of tokens of the texts."""
    return sum(map(len, texts)) / CHARACTERS_PER_TOKEN


class Budget:
    """Cost limit of one run for all judges together, in US dollars.

    The maximum cost of a request is reserved before it is sent, so that the limit holds with any
    number of requests in flight.

    Attributes:
        limit: None for no limit.
        spent: cost of the settled requests.
    """

    def __init__(self, limit: float | None = None) -> None:
        self.limit = limit
        self.spent = 0.0
        self._reserved = 0.0

    def reserve(self, dollars: float) -> bool:
        """Reserve `dollars`; return False if that would exceed the limit or is not a cost."""
        if not dollars >= 0:  # also NaN
            return False
        if self.limit is not None and not self.spent + self._reserved + dollars <= self.limit:
            return False
        self._reserved += dollars
        return True

    @property
    def is_in_flight(self) -> bool:
        """Whether requests are in flight, whose actual cost may be below their reservation."""
        return self._reserved > 1e-12

    def settle(self, reserved: float, spent: float) -> None:
        """Replace a reservation, which may be 0, by the actual cost of the request.

        An actual cost that is negative or not finite is replaced by the reservation.
        """
        self._reserved -= reserved
        self.spent += spent if 0 <= spent < math.inf else reserved
