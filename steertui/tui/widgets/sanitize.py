"""Sanitising of texts by models and third parties, so that they cannot control the terminal."""

import re
import unicodedata

REPLACEMENT = "\ufffd"

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls
    "\ud800-\udfff\ufff9-\ufffb]"  # lone surrogates, interlinear annotation
)
# Characters without width: terminals and Rich disagree on their effect on neighbours.
_INVISIBLE = re.compile(
    "[\u00ad\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2028\u2029\u2060-\u2065"
    "\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff\U0001f3fb-\U0001f3ff]"
)
_COMBINING = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
_EXCESS_COMBINING = re.compile(f"({_COMBINING}{{2}}){_COMBINING}+")


def plain(text: str) -> str:
    """Return the text without control characters, invisible characters and excess accents.

    Newlines are kept, a tab becomes four spaces, and characters that could control the terminal
    become U+FFFD. At most two combining accents per character are kept. This is for display only:
    stored, copied and exported texts are unchanged.
    """
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    if text.isascii():
        return _CONTROLS.sub(REPLACEMENT, text)
    text = _INVISIBLE.sub("", _CONTROLS.sub(REPLACEMENT, text))
    return unicodedata.normalize("NFC", _EXCESS_COMBINING.sub(r"\1", text))


def one_line(text: str) -> str:
    """Return the sanitised text in one line, with every run of white space as one space."""
    return " ".join(plain(text).split())
