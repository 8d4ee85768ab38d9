"""Lists of models: the catalogue with filters and details, and other weights in the cache."""

from collections.abc import Sequence
from dataclasses import asdict

from steertui.assets.catalogue import catalogue
from steertui.assets.hub.cache import all_cached_weights, cache_folder
from steertui.planning.inventory import (
    SLOT_TOKENS,
    InventoryRow,
    detail_lines,
    inventory_row,
    verification_state,
)
from steertui.planning.model_groups import BILLION, ModelFilter
from steertui.printable import print_json, print_line
from steertui.units import size_text

ALL = ModelFilter()
"""Filter that every model passes."""


def show_models(shown: ModelFilter = ALL, *, detail: bool = False, as_json: bool) -> None:
    """Print the catalogue's quantisations that pass a filter, and without one the other GGUF files.

    `detail` adds each model's licence, template, sampling and doubts.
    """
    rows = [
        inventory_row(model, weights)
        for model in catalogue()
        for weights in model.weights
        if shown.matches(model, weights)
    ]
    if as_json:
        for row in rows:
            print_json(asdict(row))
        return
    _print_table(rows, detail=detail)
    if shown == ALL:
        _print_others({row.path for row in rows})
    print_line(f"Cache: {cache_folder()} (shared with other programs that use the hub)")


def _print_table(rows: Sequence[InventoryRow], *, detail: bool) -> None:
    width = max((len(row.name) for row in rows), default=0) + 2
    print_line(
        f"{'model':{width}}{'family':13}{'kind':10}{'params':>11}{'size':>10}   {'cached':12}"
        f"fits this machine (slots of {SLOT_TOKENS} tokens)"
    )
    previous = ""
    for row in rows:
        mark = "*" if row.doubt else " "
        fits = row.fits.replace(f" of {SLOT_TOKENS} tokens", "")
        print_line(
            f"{row.name:{width}}{row.family:13}{row.kind:10}{_parameters(row):>11}"
            f"{size_text(row.size):>10}{mark}  {row.cached:12}{fits}"
        )
        model = row.name.partition(":")[0]
        if detail:
            for line in detail_lines(row, is_new=model != previous):
                print_line(f"    {line}")
        previous = model
    if not rows:
        print_line("No model of the catalogue meets these conditions.")
    elif any(row.doubt for row in rows):
        print_line("* not confirmed (--detail says what); the hub is asked at first use")


def _parameters(row: InventoryRow) -> str:
    """Return "30.5B-A3.3B": parameters, and those that a token uses."""
    active = f"-A{row.active / BILLION:.3g}B" if row.active else ""
    return f"{row.parameters / BILLION:.3g}B{active}"


def _print_others(listed: set[str]) -> None:
    """Print the cached GGUF files whose first path is not listed."""
    for other in (h for h in all_cached_weights() if str(h.paths[0]) not in listed):
        size = size_text(sum(p.stat().st_size for p in other.paths))
        role = f"  {other.role}; not a model" if other.role else ""
        print_line(f"{other.repo}/{other.files[0]}  {size}  {verification_state(other)}{role}")
