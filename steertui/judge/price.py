"""A Price: what a judge behind a server costs, and what it may cost."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from steertui.errors import JudgeError

BATCH_DISCOUNT = 0.5
"""What the Batch API charges of the price."""

CHARACTERS_PER_TOKEN = 4.0
"""Of English prose in the o200k vocabulary, for estimates; what is billed is what was counted."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens: read, read from the server's cache, written."""

    input: float
    cached: float
    output: float

    def of(self, input_tokens: int, cached_tokens: int, output_tokens: int) -> float:
        """Return dollars; `cached_tokens` are among `input_tokens`."""
        fresh = input_tokens - cached_tokens
        parts = fresh * self.input + cached_tokens * self.cached + output_tokens * self.output
        return parts / 1e6


FREE = Price(0.0, 0.0, 0.0)

# OpenAI's list prices as of 2026, standard tier. They change: --judge-price is there for that.
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
    """Return OpenAI's list price of a model or of a dated snapshot of it; None if not known."""
    return PRICES.get(re.sub(r"-\d{4}-\d\d-\d\d$", "", model))


def parse_price(text: str) -> Price:
    """Return the price that "IN,OUT" or "IN,CACHED,OUT" means; raises JudgeError otherwise."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3) or not all(0 <= n < 1e6 for n in numbers):
        raise JudgeError(
            f"--judge-price {text}: give dollars for a million tokens as IN,OUT, such as 1.75,14"
        )
    return Price(numbers[0], numbers[-2] if len(numbers) == 3 else numbers[0], numbers[-1])


def estimate_tokens(*texts: str) -> float:
    """Return about how many tokens the texts are."""
    return sum(map(len, texts)) / CHARACTERS_PER_TOKEN


class Budget:
    """What all judges of one run may spend together; None for no ceiling.

    A call is reserved before it is sent, at the most it can cost, so that the ceiling holds
    whatever is in flight.
    """

    def __init__(self, ceiling: float | None = None) -> None:
        self.ceiling = ceiling
        self.spent = 0.0
        self._reserved = 0.0

    def reserve(self, dollars: float) -> bool:
        """Set `dollars` aside; False where that would go over the ceiling."""
        if self.ceiling is not None and self.spent + self._reserved + dollars > self.ceiling:
            return False
        self._reserved += dollars
        return True

    @property
    def is_in_flight(self) -> bool:
        """Whether calls are under way whose real cost may leave room again."""
        return self._reserved > 1e-12

    def settle(self, reserved: float, spent: float) -> None:
        """Turn a reservation into what the call really cost; nothing may have been set aside."""
        self._reserved -= reserved
        self.spent += spent
