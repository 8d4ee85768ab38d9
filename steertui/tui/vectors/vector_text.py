"""Text of the Vectors screen: provenance of a vector, and its separation by layer as bars."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from steertui.printable import one_line
from steertui.steering.description import CHANCE, LayerFacts, layer_facts, vector_facts
from steertui.steering.library import StoredVector
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import hanging_indent

NAME_WIDTH = 10
"""Columns of a fact's name."""

MAX_BAR = 40
"""Maximum columns of a bar."""

NUMBERS = 24
"""Columns of the numbers before a bar."""

HEAD = "layer  norm  separation"


def vector_text(stored: StoredVector, width: int, colours: Palette) -> Text:
    """Return what is known of a vector, `width` columns wide."""
    text = Text()
    for name, value in vector_facts(stored).items():
        lead = Text(f"{name.lower():{NAME_WIDTH}}", colours.quiet)
        style = "bold" if name == "Name" else ""
        text.append_text(hanging_indent(lead, Text(one_line(value), style), width)).append("\n")
    text.append("\n")
    for line in _layers(layer_facts(stored.vector), width, colours):
        text.append_text(line).append("\n")
    note = (
        "norm: of the direction, divided by that of the hidden state. separation: area under the "
        f"ROC curve on held-out pairs; the bars begin at {CHANCE:g}, chance"
    )
    return text.append_text(hanging_indent(Text(), Text(f"\n{note}.", colours.quiet), width))


def _layers(facts: Sequence[LayerFacts], width: int, colours: Palette) -> Iterator[Text]:
    bar = max(8, min(MAX_BAR, width - NUMBERS))
    best = max((f.separation for f in facts if f.separation is not None), default=None)
    axis = f"{CHANCE:g}{'1':>{bar - 3}}"
    yield Text(f"{HEAD:{NUMBERS}}{axis}", colours.faint)
    for layer in facts:
        share = "–" if layer.share is None else f"{layer.share:.3f}"
        area = "–" if layer.separation is None else f"{layer.separation:.2f}"
        is_best = layer.separation is not None and layer.separation == best
        line = Text(f"{layer.layer:5}  {share:>5}  {area:>8}  ", "bold" if is_best else "")
        line.append(" " * (NUMBERS - line.cell_len))
        if layer.separation is not None:
            filled = round(bar * max(0.0, layer.separation - CHANCE) / (1 - CHANCE))
            line.append("█" * filled, colours.blue).append("┈" * (bar - filled), colours.faint)
        yield line


def lines_text(lines: Sequence[str]) -> Text:
    """Return lines of plain text, sanitised."""
    return Text("\n".join(map(one_line, lines)))
