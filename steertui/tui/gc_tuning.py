"""Garbage is collected when no key waits for it.

Python's collector walks through every object that lives on, again and again while new ones are
made: with some thousand trials that takes 100 to 600 ms each time, and no key is heard meanwhile.
"""

import gc

from textual.app import App

PERIOD = 60.0
"""Seconds between two full collections."""

NEVER = 1_000_000


def collect_rarely(app: App[None]) -> None:
    """Make full collections once in a `PERIOD` instead of whenever objects have become more."""
    keep()
    young, old, _ = gc.get_threshold()
    gc.set_threshold(young, old, NEVER)
    app.set_interval(PERIOD, _collect)


def _collect() -> None:
    gc.collect()


def keep() -> None:
    """Walk no more through what lives now: what was imported, a run's trials.

    It is still freed when nobody refers to it; only circles of it stay.
    """
    gc.freeze()
