"""Text, JSON and numbers from servers and hubs. Replies are parsed by `parse_json` only.

Its strings can be stored in SQLite and contain no key of this process. Every other function takes
any value of parsed JSON and returns the promised type.
"""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from steertui.api_keys import PLACEHOLDER, key_pattern, remove_keys, remove_lookalikes
from steertui.errors import shorten

MAX_BYTES = 16 << 20
"""Largest reply in bytes, after decompression."""

MAX_DEPTH = 64
"""Deepest nesting of arrays and objects."""

MAX_DIGITS = 400
"""Longest number in characters."""

MAX_COUNT = 1 << 44
"""Largest count. SQLite stores it, and the sum of half a million of them."""

MAX_SECONDS = 86_400.0
"""Longest delay that a server can ask for."""

_UNSTORABLE = re.compile("[\ud800-\udfff\x00]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")

Pairs = list[tuple[str, Any]]


class InvalidJsonError(ValueError):
    """Text that is not JSON, or exceeds a limit; `args[0]` says which."""


class UnusableBodyError(Exception):
    """A body that is not read to its end; `args[0]` says why."""


class LimitedBody:
    """Collects the chunks of a body up to a limit in bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._chunks: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> None:
        """Append a chunk; raises UnusableBodyError if the limit is exceeded."""
        self._size += len(chunk)
        if self._size > self._limit:
            size = f"{self._limit >> 20} MiB" if self._limit >> 20 else f"{self._limit} bytes"
            raise UnusableBodyError(f"the response is larger than {size}")
        self._chunks.append(chunk)

    @property
    def content(self) -> bytes:
        """The bytes so far."""
        return b"".join(self._chunks)


def decode(data: bytes) -> str:
    """Return the text of UTF-8 bytes; invalid ones are replaced."""
    return storable(data.decode("utf-8", "replace"))


def storable(text: str) -> str:
    """Return the text with lone surrogates and NUL replaced by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def parse_json(
    data: bytes | str,
    *,
    max_bytes: int = MAX_BYTES,
    pairs_hook: Callable[[Pairs], dict[str, Any]] | None = None,
) -> Any:
    """Return the value of a JSON text.

    Its strings are storable and without the keys of this process. Raises InvalidJsonError if the
    text is not JSON, or exceeds `max_bytes`, `MAX_DEPTH` or `MAX_DIGITS`. `pairs_hook` makes an
    object of its members.
    """
    if len(data) > max_bytes:
        raise InvalidJsonError(f"larger than {max_bytes:,} bytes")
    try:
        text = data if isinstance(data, str) else data.decode(json.detect_encoding(data), "replace")
        value = json.loads(
            text, parse_int=_integer, parse_float=_float, object_pairs_hook=pairs_hook
        )
    except InvalidJsonError:
        raise
    except RecursionError:
        raise InvalidJsonError(f"nested more than {MAX_DEPTH} deep") from None
    except ValueError as exc:
        raise InvalidJsonError(f"not JSON ({shorten(str(exc))})") from None
    return _clean(value, key_pattern(), MAX_DEPTH)


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise InvalidJsonError(f"a number of {len(digits):,} digits")
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > MAX_DIGITS:
        raise InvalidJsonError(f"a number of {len(digits):,} digits")
    return float(digits)


def _clean(value: Any, keys: re.Pattern[str] | None, depth: int) -> Any:
    """Return the value with storable strings without keys."""
    if isinstance(value, str):
        text = storable(value)
        return keys.sub(PLACEHOLDER, text) if keys else text
    if not isinstance(value, dict | list):
        return value
    if not depth:
        raise InvalidJsonError(f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, list):
        return [_clean(item, keys, depth - 1) for item in value]
    return {_clean(k, keys, 0): _clean(v, keys, depth - 1) for k, v in value.items()}


def one_line(text: str, most: int = 120, *keys: str) -> str:
    """Return a server's text in one line of at most `most` characters, for use in a message.

    Keys, also `keys`, are removed before it is shortened; control characters are replaced.
    """
    clean = remove_lookalikes(remove_keys(storable(text), *keys))
    return _CONTROL.sub("\ufffd", shorten(clean, most))


def text_of(value: object) -> str:
    """Return a string unchanged, a number as text, and "" for everything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def table_of(value: object) -> dict[str, Any]:
    """Return an object unchanged, and {} for everything else."""
    return value if isinstance(value, dict) else {}


def tables_of(value: object) -> list[dict[str, Any]]:
    """Return the objects of an array; [] for everything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def count(value: object) -> int:
    """Return a number, also one written as text, between 0 and `MAX_COUNT`; 0 if it is none."""
    if isinstance(value, str):
        text = value.strip()
        is_number = text.isascii() and text.isdigit()
        return min(int(text[:MAX_DIGITS]), MAX_COUNT) if is_number else 0
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return 0
    return int(min(max(value, 0), MAX_COUNT))


def seconds(value: str | None) -> float | None:
    """Return the delay in a Retry-After header, at most a day; None if it is neither number nor
    date.
    """
    text = (value or "").strip()
    if _NUMBER.fullmatch(text):
        return min(float(text), MAX_SECONDS)
    from email.utils import parsedate_to_datetime

    try:
        delay = parsedate_to_datetime(text[:100]).timestamp() - time.time()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(delay, 0.0), MAX_SECONDS)
