"""Words of an answer that differ from another answer to the same task."""

import re
from collections.abc import Sequence

from rich.text import Text

from steertui.printable import printable

MAX_WORDS = 10_000
"""Words up to which two answers are compared; time and memory grow with their square."""

_WORD = re.compile(r"\S+")


def mark_differences(text: str, reference: str, style: str) -> Text:
    """Return the text with the words in `style` that the reference does not have there.

    Texts of more than `MAX_WORDS` words are not marked.
    """
    marked = Text(printable(text))
    spans = [match.span() for match in _WORD.finditer(marked.plain)]
    words = [marked.plain[start:end] for start, end in spans]
    others = _WORD.findall(printable(reference))
    if max(len(words), len(others)) > MAX_WORDS:
        return marked
    common = common_words(words, others)
    start = 0
    for index in [*sorted(common), len(words)]:
        if start < index:
            marked.stylize(style, spans[start][0], spans[index - 1][1])
        start = index + 1
    return marked


def common_words(words: Sequence[str], others: Sequence[str]) -> set[int]:
    """Return the indices in `words` of a longest common subsequence with `others`.

    The rows of the table of lengths are bit vectors (Hyyrö, Bit-parallel LCS-length computation
    revisited, 2004), so that repetitive texts take no longer than others. In row i, bit j is 0 if
    the length for the first i + 1 words grows with word j of `others`.
    """
    places: dict[str, int] = {}
    for index, word in enumerate(others):
        places[word] = places.get(word, 0) | 1 << index
    row = full = (1 << len(others)) - 1
    rows = []
    for word in words:
        matches = row & places.get(word, 0)
        row = ((row + matches) | (row - matches)) & full
        rows.append(row)
    common = set()
    i, j = len(words) - 1, len(others) - 1
    while i >= 0 and j >= 0:
        if rows[i] >> j & 1:
            j -= 1
            continue
        if i == 0 or rows[i - 1] >> j & 1:
            common.add(i)
            j -= 1
        i -= 1
    return common
