"""Rules for names that a user types, and what is wrong with a refused one."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NameRule:
    """Characters and length of a name.

    Attributes:
        first: regular expression of the first character.
        others: regular expression of each of the other characters.
        limit: maximum number of characters.
    """

    first: str
    others: str
    limit: int

    def fault(self, name: str) -> str:
        """Return what is wrong with a name, as the end of "it …"; "" for nothing.

        The first wrong character is named.
        """
        if not name:
            return "is empty"
        if not re.fullmatch(self.first, name[0]):
            return f"begins with {name[0]!r}"
        wrong = next((sign for sign in name if not re.fullmatch(self.others, sign)), "")
        if wrong:
            return f"has {wrong!r}"
        return f"has {len(name)} characters" if len(name) > self.limit else ""
