"""A Canvas: an SVG picture, drawn element by element; colours come from the palette by class."""

import html
import re

from steertui.report.palette import painted

_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document can contain, not even escaped (XML 1.0, 2.2)."""

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
""".replace("FONT", FONT) + "".join(
    f".chart .{name} {{ fill: var(--{name}); }} .chart .s-{name} {{ stroke: var(--{name}); }}\n"
    for name in (
        "baseline", "pro", "anti", "placebo", "other",
        "convergence", "no_convergence", "safety_refusal", "nonsensical",
    )
)  # fmt: skip


class Canvas:
    """Collects elements; `width` in pixels, the height grows with what is drawn."""

    def __init__(self, width: int, label: str) -> None:
        self.width = width
        self.height = 0.0
        self._label = label
        self._parts: list[str] = []

    def text(self, x: float, y: float, words: str, kind: str = "") -> None:
        """Write words with their baseline at y."""
        self._add(f'<text x="{x:.1f}" y="{y:.1f}"{_kind(kind)}>{escape(words)}</text>', y + 4)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """Draw a line."""
        place = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        self._add(f"<line {place}{_kind(kind)}/>", max(y1, y2))

    def box(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        """Draw a rectangle."""
        size = f'width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
        self._add(f'<rect x="{x:.1f}" y="{y:.1f}" {size} rx="2"{_kind(kind)}/>', y + height)

    def dot(self, x: float, y: float, radius: float, kind: str) -> None:
        """Draw a disc."""
        place = f'cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"'
        self._add(f"<circle {place}{_kind(kind)}/>", y + radius)

    def path(self, steps: str, kind: str, bottom: float, title: str = "") -> None:
        """Draw a path that reaches down to `bottom`; its title shows under the pointer."""
        inside = f"<title>{escape(title)}</title>" if title else ""
        self._add(f'<path d="{steps}"{_kind(kind)}>{inside}</path>', bottom)

    def diamond(self, x: float, y: float, kind: str) -> None:
        """Draw the sign for the paper's number."""
        self.path(f"M{x:.1f},{y - 6:.1f}l6,6l-6,6l-6,-6z", kind, y + 6)

    def inline(self) -> str:
        """Return the picture for a page that knows the style and the colours."""
        return self._svg("")

    def file(self) -> str:
        """Return the picture as a file of its own, in light colours on white."""
        style = f"<style>{painted(STYLE)}</style>"
        paper = f'<rect width="{self.width}" height="{self.height:.0f}" fill="#ffffff"/>'
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{self._svg(style + paper)}\n'

    def _svg(self, before: str) -> str:
        size = f'width="{self.width}" height="{self.height:.0f}"'
        view = f'viewBox="0 0 {self.width} {self.height:.0f}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" {size} {view}'
        parts = "".join(self._parts)
        return f'{head} aria-label="{escape(self._label)}">{before}{parts}</svg>'

    def _add(self, part: str, bottom: float) -> None:
        self._parts.append(part)
        self.height = max(self.height, bottom + 6)


def escape(words: str) -> str:
    """Return words as XML text; a character that XML does not allow becomes U+FFFD."""
    return html.escape(_NO_XML.sub("\ufffd", words))


def _kind(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
