"""Traits of a chat template: the form of its messages, and whether it prints a date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

TEMPLATE_DATE = datetime(2026, 1, 1)
"""Date for templates that print one; it is fixed so that prompts are the same on every day."""


class Content(StrEnum):
    """How the content of a message is passed."""

    TEXT = "text"
    """A string."""
    PARTS = "parts"
    """A list with one part, `{"type": "text", "text": …}`."""

    def of(self, text: str) -> str | list[dict[str, str]]:
        """Return a text in this form."""
        return text if self is Content.TEXT else [{"type": "text", "text": text}]


@dataclass(frozen=True, slots=True)
class MessageForm:
    """Messages that a chat template takes.

    Attributes:
        user: content of the user message.
        system: content of the system message; None if the template has no place for one. The
            system text then precedes the user text, with an empty line between them.
    """

    user: Content = Content.TEXT
    system: Content | None = Content.TEXT

    def messages(self, system: str, user: str) -> list[dict[str, Any]]:
        """Return the messages of one turn; no system message if ""."""
        if system and self.system is None:
            return [{"role": "user", "content": self.user.of(f"{system}\n\n{user}")}]
        messages = [{"role": "user", "content": self.user.of(user)}]
        if system and self.system is not None:
            messages.insert(0, {"role": "system", "content": self.system.of(system)})
        return messages

    @classmethod
    def from_json(cls, names: Sequence[str | None]) -> "MessageForm":
        """Return the form of `as_json`."""
        user, system = names
        return cls(Content(user or ""), Content(system) if system else None)

    @property
    def as_json(self) -> list[str | None]:
        """The form as a JSON value, for a child process."""
        return [self.user, self.system]


DEFAULT_FORM = MessageForm()
"""Text content with a system role, which most templates take."""


@dataclass(frozen=True, slots=True)
class TemplateTraits:
    """What is known of a template after it was probed.

    Attributes:
        form: form of its messages.
        is_dated: whether it asks for the date; it always gets `TEMPLATE_DATE`.
    """

    form: MessageForm
    is_dated: bool
