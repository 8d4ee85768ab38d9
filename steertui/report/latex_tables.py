"""Tables and escaped text in LaTeX."""

import re
from collections.abc import Iterable, Iterator, Sequence

from steertui.printable import one_line

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": "$-$",
    "▲": r"$\blacktriangle$",
    "▼": r"$\blacktriangledown$",
    "◆": r"$\blacklozenge$",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "–": r"\textendash{}",
    "±": r"$\pm$",
    "≈": r"$\approx$",
    "≠": r"$\neq$",
    "†": r"\textdagger{}",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"\textbar{}",
}
_ESCAPED = re.compile("[" + re.escape("".join(_SPECIAL)) + "#$%&_{}]")
_NEGATIVE = re.compile(r"(?<![\w.-])-(?=\d)")


def escape(text: str) -> str:
    """Return text in one line that LaTeX shows literally."""
    signed = _NEGATIVE.sub("−", one_line(text))
    shown = _ESCAPED.sub(lambda found: _SPECIAL.get(found[0], f"\\{found[0]}"), signed)
    return shown.replace("--", "-{}-")


def latex_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], notes: Sequence[str]
) -> Iterator[str]:
    """Yield a float with one left-aligned column and the others right-aligned."""
    yield r"\begin{table}[t]" + "\n" + r"\centering\small"
    yield rf"\caption{{{' '.join(f'{escape(note)}.' for note in notes)}}}"
    yield rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}" + "\n" + r"\toprule"
    yield rf"{' & '.join(map(escape, head))} \\" + "\n" + r"\midrule"
    yield from (rf"{' & '.join(map(escape, row))} \\" for row in rows)
    yield "\\bottomrule\n\\end{tabular}\n\\end{table}\n"
