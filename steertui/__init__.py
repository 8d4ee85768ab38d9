"""Measurement of how far a prompt suffix steers a language model toward instrumental convergence.

The public API (`steertui.api`) is imported at first use, so that the command line starts at once.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steertui.api import (
        Event,
        Experiment,
        Frames,
        Overrides,
        SteertuiError,
        Store,
        Summary,
        load,
        load_experiment,
        open_store,
        run,
        summarise,
    )

__version__ = "0.1.0"

__all__ = [
    "Event",
    "Experiment",
    "Frames",
    "Overrides",
    "SteertuiError",
    "Store",
    "Summary",
    "__version__",
    "load",
    "load_experiment",
    "open_store",
    "run",
    "summarise",
]


def __getattr__(name: str) -> object:
    if name in __all__:
        from steertui import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
