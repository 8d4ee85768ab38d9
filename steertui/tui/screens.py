"""Constructors of the screens that a key opens.

Each one imports its module when its screen is first shown, since their import would delay the first
text by a third of a second. `import_screens` imports them while nothing else is to be done.
"""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any

from textual.screen import Screen

from steertui.tui.start_screen import StartScreen

_LATER = MappingProxyType(
    {
        "plan": ("plan.plan_screen", "PlanScreen"),
        "run": ("run.run_screen", "RunScreen"),
        "read": ("read.read_screen", "ReadScreen"),
        "results": ("results.results_screen", "ResultsScreen"),
        "label": ("label.label_screen", "LabelScreen"),
        "models": ("models.models_screen", "ModelsScreen"),
        "vectors": ("vectors.vectors_screen", "VectorsScreen"),
        "judges": ("judges.judges_screen", "JudgesScreen"),
    }
)
"""Modules of this package and their screens, by name."""


def _construct(module: str, screen: str) -> Screen[Any]:
    constructed: Screen[Any] = getattr(import_module(f"{__package__}.{module}"), screen)()
    return constructed


CONSTRUCTORS: Mapping[str, Callable[[], Screen[Any]]] = MappingProxyType(
    {"start": StartScreen} | {name: partial(_construct, *place) for name, place in _LATER.items()}
)
"""By the screen's name."""


def import_screens() -> None:
    """Import the screens that have not been shown yet."""
    for module, _ in _LATER.values():
        import_module(f"{__package__}.{module}")
