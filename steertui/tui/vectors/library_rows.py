"""Rows of the Vectors screen: the library of vectors, and the adapters in use."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from rich.text import Text

from steertui.core.experiment import Experiment
from steertui.errors import ModelError, SteertuiError
from steertui.planning.adapters import AdapterFile, find_adapters
from steertui.planning.resolve import named_adapters
from steertui.printable import one_line
from steertui.steering.description import contrast_text
from steertui.steering.library import StoredVector, find_vector, vector_names
from steertui.tui.widgets.label_style import Palette

COLUMNS = ("vector or adapter", "method", "contrast", "model", "pairs", "AUC")
LEFT_COLUMNS = (0, 1, 2, 3)

DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class LibraryRow:
    """A vector, a vector that cannot be read, or an adapter.

    Attributes:
        name: of the vector, or path of the adapter.
        vector: None for an adapter, or if it cannot be read.
        adapter: None for a vector.
        problem: why the vector cannot be read; "" if it can.
    """

    name: str
    vector: StoredVector | None = None
    adapter: AdapterFile | None = None
    problem: str = ""

    def cells(self, colours: Palette) -> Sequence[str | Text]:
        """Return the cells of `COLUMNS`."""
        title = Text(one_line(self.name), "bold")
        if self.adapter:
            origin, layer = self.adapter.origin, self.adapter.layer
            contrast = f"{contrast_text(origin)}, layer {layer}" if layer else "–"
            return title, "adapter", contrast, origin.model_name or "–", "–", "–"
        if self.vector is None:
            return title, Text(DAMAGED, colours.error), "", "", "", ""
        origin, vector = self.vector.vector.provenance, self.vector.vector
        area = float(vector.separation[vector.best_layer])
        pairs = str(origin.pairs or "–")
        separation = f"{area:.2f}" if area > 0 else "–"
        return title, origin.method, contrast_text(origin), origin.model_name, pairs, separation


def library_rows(experiment: Experiment | None) -> list[LibraryRow]:
    """Return the vectors of the library, then the adapters of the working folder and experiment."""
    rows = []
    for name in vector_names():
        try:
            rows.append(LibraryRow(name, find_vector(name)))
        except ModelError as exc:
            rows.append(LibraryRow(name, problem=str(exc)))
    named: list[str] = []
    with suppress(SteertuiError):  # the Plan screen shows the error
        named = named_adapters(experiment) if experiment else []
    return [*rows, *(LibraryRow(str(a.path), adapter=a) for a in find_adapters(named))]
