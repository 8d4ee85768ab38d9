"""Seconds per answer of models in their newest runs: in a database, else on this machine.

Those of this machine are kept in a file of the user's state folder. Losing it loses only estimates.
"""

import json
from collections.abc import Mapping
from contextlib import suppress

from steertui.output_files import whole
from steertui.paths import user_state
from steertui.store import Store
from steertui.store.plan_queries import seconds_per_answer
from steertui.untrusted import InvalidJsonError, parse_json

FOLDER = "rates"
FILE = "seconds-per-answer.json"

MAX_MODELS = 500
"""Models whose rate is kept, those that ran last."""


def note_rate(store: Store, model: str) -> None:
    """Keep the rate of a model's newest run in a database, if it has one."""
    rate = seconds_per_answer(store, model)
    if rate is None:
        return
    others = {name: value for name, value in _kept().items() if name != model}
    kept = dict([*others.items(), (model, rate)][-MAX_MODELS:])
    with suppress(OSError):  # a read-only or full disk: the rates stay as they were
        folder = user_state(FOLDER)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole(folder / FILE) as file:
            file.write(json.dumps(kept).encode())


def mean_seconds(store: Store | None, unanswered: Mapping[str, int]) -> float | None:
    """Return the mean seconds per missing answer; None if a model's rate is unknown.

    `unanswered` has the number of missing answers by the model's identity.
    """
    if not unanswered:
        return None
    kept = _kept()
    total = 0.0
    for model, count in unanswered.items():
        rate = (store and seconds_per_answer(store, model)) or kept.get(model)
        if rate is None:
            return None
        total += rate * count
    return total / sum(unanswered.values())


def _kept() -> dict[str, float]:
    """Return the rates of this machine by the model's identity; {} for a damaged file."""
    try:
        rates = parse_json((user_state(FOLDER) / FILE).read_text(encoding="utf-8"))
        return {str(model): float(rate) for model, rate in rates.items() if float(rate) > 0}
    except (OSError, ValueError, TypeError, AttributeError, InvalidJsonError):
        return {}
