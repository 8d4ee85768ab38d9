"""Garbage collection at fixed intervals, so that full collections do not delay key presses.

Python's collector walks through all live objects whenever enough new ones were created. With
thousands of trials a full collection takes 100 to 600 ms, and keys are not handled meanwhile.
"""

import gc

from textual.app import App

FULL_COLLECTION_INTERVAL = 60.0
"""Seconds between two full collections."""

NEVER = 1_000_000
"""Threshold of the oldest generation that is not reached in practice."""


def collect_at_intervals(app: App[None]) -> None:
    """Run full collections every `FULL_COLLECTION_INTERVAL` instead of by allocation counts."""
    exempt_live_objects()
    young, old, _ = gc.get_threshold()
    gc.set_threshold(young, old, NEVER)
    app.set_interval(FULL_COLLECTION_INTERVAL, _collect)


def _collect() -> None:
    gc.collect()


def exempt_live_objects() -> None:
    """Exempt all objects that are alive now, such as modules and trials, from collections.

    Reference counting still frees them; only reference cycles among them stay.
    """
    gc.freeze()
