"""Foreign text made fit for a terminal: nothing in it moves the cursor or changes a width."""

import re
import unicodedata

REPLACED = "\ufffd"

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 but newline, DEL
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the direction of a line
    "\ud800-\udfff\ufff9-\ufffb]"  # lone surrogates, interlinear notes
)
# Characters of no width: terminals and Rich disagree on what they do to their neighbours.
_INVISIBLE = re.compile(
    "[\u00ad\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2028\u2029\u2060-\u2065"
    "\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff\U0001f3fb-\U0001f3ff]"
)
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
_PILED = re.compile(f"({_MARK}{{2}}){_MARK}+")


def plain(text: str) -> str:
    """Return the text without control characters, invisible ones and towers of accents.

    Newlines stay, a tab becomes four spaces, whatever could reach the terminal's own controls
    becomes U+FFFD. For the screen only: what is stored, copied and exported stays as it is.
    """
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    if text.isascii():
        return _CONTROLS.sub(REPLACED, text)
    text = _INVISIBLE.sub("", _CONTROLS.sub(REPLACED, text))
    return unicodedata.normalize("NFC", _PILED.sub(r"\1", text))


def one_line(text: str) -> str:
    """Return the text made plain, its newlines and runs of spaces each one space."""
    return " ".join(plain(text).split())
