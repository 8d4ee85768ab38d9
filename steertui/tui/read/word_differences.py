"""Words of an answer that differ from another answer to the same task."""

import re
from difflib import SequenceMatcher

from rich.text import Text

from steertui.printable import printable

MAX_WORDS = 1_500
"""Words up to which two answers are compared; the time grows with their square."""

_WORD = re.compile(r"\S+|\s+")


def mark_differences(text: str, reference: str, style: str) -> Text:
    """Return the text with the words in `style` that the reference does not have there.

    Texts of more than `MAX_WORDS` words are not marked.
    """
    words = _WORD.findall(printable(text))
    others = _WORD.findall(printable(reference))
    if max(len(words), len(others)) > 2 * MAX_WORDS:
        return Text("".join(words))
    marked = Text()
    for kind, start, end, _, _ in SequenceMatcher(None, words, others, False).get_opcodes():
        marked.append("".join(words[start:end]), None if kind == "equal" else style)
    return marked
