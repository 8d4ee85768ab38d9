"""Widths of the columns in the list of trials."""

from dataclasses import dataclass

from rich.cells import cell_len

from steertui.printable import one_line
from steertui.store.trial_filter import FilterOptions

SIGN = 3
"""Columns of the label's sign, with a space on both sides."""

SAMPLE = 5
"""Columns of a sample's number."""

MIN_ANSWER = 20
"""Columns of the answer for which titles and names are shortened."""

LEAST = (("title", 24), ("model", 16), ("condition", 13), ("title", 18), ("model", 13))
"""Columns to which each text is shortened, in the order in which that is done."""


@dataclass(frozen=True, slots=True)
class LongestNames:
    """Columns of the longest names in a database.

    Attributes:
        condition: that of a condition.
        model: that of a model, 0 if there is only one.
        models: the names of the models.
        has_samples: whether trials have numbers of samples.
    """

    condition: int = 0
    model: int = 0
    models: frozenset[str] = frozenset()
    has_samples: bool = False


def longest_names(options: FilterOptions) -> LongestNames:
    """Return the longest names among the values of the filters."""
    models = frozenset(one_line(name) for _, name in options.models)
    return LongestNames(
        condition=max((cell_len(one_line(name)) for _, name in options.conditions), default=0),
        model=max(map(cell_len, models)) if len(options.models) > 1 else 0,
        models=models,
        has_samples=any(float(value) for value, _ in options.temperatures),
    )


def column_widths(width: int, names: LongestNames, title: int) -> dict[str, int]:
    """Return the columns of condition, model and title in a list of `width` columns.

    `title` is that of the longest title. Nothing is shortened if `MIN_ANSWER` columns are left for
    the answer, which gets the rest.
    """
    widths = {"condition": names.condition, "model": names.model, "title": title}
    used = SIGN + (SAMPLE if names.has_samples else 0) + MIN_ANSWER
    for name, least in LEAST:
        excess = used + sum(each + 1 for each in widths.values() if each) - width
        widths[name] = min(widths[name], max(least, widths[name] - max(0, excess)))
    return widths
