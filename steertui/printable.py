"""Printing of texts without control characters; only this module writes to a terminal.

Names, answers and messages come from models, servers, databases and files. A terminal would execute
their escape sequences, and bidirectional controls would change the order of their characters.
"""

import json
import re
import sys
import unicodedata

REPLACEMENT = "\ufffd"

_CONTROLS = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls
    "\ud800-\udfff\ufff9-\ufffb"  # lone surrogates, interlinear annotation
)
# Characters without width: terminals and Rich disagree on their effect on neighbours.
_INVISIBLE = (
    "\u00ad\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2028\u2029\u2060-\u2065"
    "\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\U0001f3fb-\U0001f3ff"
)
_CONTROL = re.compile(f"[{_CONTROLS}]")
_CONTROL_IN_CELL = re.compile(f"(?!\r\n)[{_CONTROLS}]")
_ESCAPED = re.compile(f"[{_CONTROLS}{_INVISIBLE}]")
_REMOVED = re.compile(f"[{_INVISIBLE}]")
_COMBINING = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
_EXCESS_COMBINING = re.compile(f"({_COMBINING}{{2}}){_COMBINING}+")


def printable(text: str) -> str:
    """Return the text without control characters, invisible characters and excess accents.

    Newlines are kept, a tab becomes four spaces, and characters that could control the terminal
    become U+FFFD. At most two combining accents per character are kept. This is for display only:
    stored, copied and exported texts are unchanged.
    """
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    if text.isascii():
        return _CONTROL.sub(REPLACEMENT, text)
    text = _REMOVED.sub("", _CONTROL.sub(REPLACEMENT, text))
    return unicodedata.normalize("NFC", _EXCESS_COMBINING.sub(r"\1", text))


def printable_line(text: str) -> str:
    """Return the printable text with each newline as a space."""
    return printable(text).replace("\n", " ")


def one_line(text: str) -> str:
    """Return the printable text in one line, with every run of white space as one space."""
    return " ".join(printable(text).split())


def printable_cell(text: str) -> str:
    """Return the text of a CSV cell: control characters become U+FFFD, everything else is kept."""
    return _CONTROL_IN_CELL.sub(REPLACEMENT, text)


def print_line(text: str, *, to_stderr: bool = False) -> None:
    """Print one line."""
    print_text(printable_line(text), to_stderr=to_stderr)


def print_text(text: str, *, to_stderr: bool = False) -> None:
    """Print text that may have several lines."""
    print(printable(text), file=sys.stderr if to_stderr else sys.stdout, flush=True)


def print_json(value: object) -> None:
    """Print a value as JSON in one line."""
    print(to_json(value), flush=True)


def to_json(value: object, indent: int | None = None) -> str:
    """Return a value as JSON; control and invisible characters are escaped, so no data is lost."""
    return _ESCAPED.sub(_json_escape, json.dumps(value, ensure_ascii=False, indent=indent))


def escape_toml(toml: str) -> str:
    """Return TOML with control and invisible characters escaped; it has no multi-line strings."""
    return _ESCAPED.sub(lambda match: f"\\U{ord(match[0]):08X}", toml)


def _json_escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]
