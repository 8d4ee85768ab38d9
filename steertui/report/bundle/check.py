"""Result of one check of a bundle."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """Result of one check.

    Attributes:
        title: what was checked.
        is_good: whether it holds; None if it could not be checked here, or holds with a
            reservation.
        text: what was found.
    """

    title: str
    is_good: bool | None
    text: str
