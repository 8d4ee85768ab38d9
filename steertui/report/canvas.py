"""SVG canvas. Elements have CSS classes, whose colours are in `palette`."""

import html
import re

from steertui.core.verdict import Label
from steertui.report.palette import CONDITIONS, resolve_variables

_INVALID_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not allow, even escaped (XML 1.0, section 2.2)."""

FONT = "Inter, 'Segoe UI', 'Liberation Sans', 'DejaVu Sans', Helvetica, Arial, sans-serif"

STYLE = """
.chart text { font: 13px FONT; fill: var(--ink); }
.chart .soft { fill: var(--soft); font-size: 12px; }
.chart .head { font-weight: 600; }
.chart .end { text-anchor: end; }
.chart .middle { text-anchor: middle; }
.chart .grid { stroke: var(--grid); stroke-width: 1; }
.chart .axis { stroke: var(--soft); stroke-width: 1; }
.chart .limits { stroke-width: 3; stroke-linecap: round; opacity: 0.55; }
.chart .whisker { stroke: var(--ink); stroke-width: 1.5; }
.chart .paper { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.chart .flow { opacity: 0.45; }
.chart .thin { stroke-width: 1.5; }
.chart .halo { stroke: var(--surface); stroke-width: 3; paint-order: stroke; }
.chart .faint { opacity: 0.5; stroke-dasharray: 5 4; }
.chart .hollow { fill: var(--surface); stroke-width: 2; }
""".replace("FONT", FONT)
STYLE += "".join(
    f".chart .{name} {{ fill: var(--{name}); }} .chart .s-{name} {{ stroke: var(--{name}); }}\n"
    for name in (*CONDITIONS, "other", *(label.value for label in Label))
)
STYLE += "".join(f".chart .shade-{n} {{ opacity: {0.05 + 0.05 * n:.2f}; }}\n" for n in range(11))


class Canvas:
    """Collection of SVG elements.

    Attributes:
        width: in pixels.
        height: in pixels; grows with the elements.
    """

    def __init__(self, width: int, label: str) -> None:
        self.width = width
        self.height = 0.0
        self._label = label
        self._parts: list[str] = []

    def text(self, x: float, y: float, text: str, kind: str = "") -> None:
        """Add a text with its baseline at y."""
        self._add(f'<text x="{x:.1f}" y="{y:.1f}"{_class(kind)}>{escape(text)}</text>', y + 4)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """Add a line."""
        place = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        self._add(f"<line {place}{_class(kind)}/>", max(y1, y2))

    def box(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        """Add a rectangle with its upper left corner at (x, y)."""
        size = f'width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
        self._add(f'<rect x="{x:.1f}" y="{y:.1f}" {size} rx="2"{_class(kind)}/>', y + height)

    def dot(self, x: float, y: float, radius: float, kind: str) -> None:
        """Add a filled circle."""
        place = f'cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"'
        self._add(f"<circle {place}{_class(kind)}/>", y + radius)

    def path(self, commands: str, kind: str, bottom: float, title: str = "") -> None:
        """Add a path with its lower end at `bottom`; the title is its tooltip."""
        child = f"<title>{escape(title)}</title>" if title else ""
        self._add(f'<path d="{commands}"{_class(kind)}>{child}</path>', bottom)

    def diamond(self, x: float, y: float, kind: str) -> None:
        """Add the mark of a number from the paper."""
        self.path(f"M{x:.1f},{y - 6:.1f}l6,6l-6,6l-6,-6z", kind, y + 6)

    def inline(self) -> str:
        """Return the SVG element for a page that contains `STYLE` and the colours."""
        return self._svg("")

    def file(self, inches: float | None = None) -> str:
        """Return a complete SVG file in light colours on white, `inches` wide if they are given."""
        style = f"<style>{resolve_variables(STYLE)}</style>"
        background = f'<rect width="{self.width}" height="{self.height:.0f}" fill="#ffffff"/>'
        drawn = self._svg(style + background, inches)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{drawn}\n'

    def _svg(self, first: str, inches: float | None = None) -> str:
        size = f'width="{self.width}" height="{self.height:.0f}"'
        if inches:
            size = f'width="{inches:.3f}in" height="{inches * self.height / self.width:.3f}in"'
        view = f'viewBox="0 0 {self.width} {self.height:.0f}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" {size} {view}'
        parts = "".join(self._parts)
        return f'{head} aria-label="{escape(self._label)}">{first}{parts}</svg>'

    def _add(self, part: str, bottom: float) -> None:
        self._parts.append(part)
        self.height = max(self.height, bottom + 6)


def escape(text: str) -> str:
    """Return escaped XML text; characters that XML does not allow become U+FFFD."""
    return html.escape(_INVALID_XML.sub("\ufffd", text))


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def shorten(text: str, length: int) -> str:
    """Return a text of at most `length` characters, with an ellipsis if it is cut."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
