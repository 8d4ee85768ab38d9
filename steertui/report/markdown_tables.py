"""Tables and escaped text in Markdown."""

import re
from collections.abc import Iterable, Iterator, Sequence

from steertui.printable import one_line


def escape(text: str) -> str:
    """Return text in one line that Markdown shows literally, also in a table cell."""
    return re.sub(r"[\\`*_\[\]<>|#&~$!]", r"\\\g<0>", one_line(text))


def plain_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table whose texts are escaped."""
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def escaped_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table whose headings and first column need escaping; the other cells are numbers."""
    return plain_table([*map(escape, head)], ([escape(name), *rest] for name, *rest in rows))
