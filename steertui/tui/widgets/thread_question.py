"""Question of a thread to the user: the thread waits for the answer."""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field

from textual.message import Message

POLL = 0.1
"""Seconds between two looks whether the thread's work is cancelled."""


@dataclass
class Asked(Message):
    """Question to the user. Every `Page` shows it as a dialog.

    Attributes:
        text: the question.
        verb: what Enter does.
        answer: True to agree.
    """

    text: str
    verb: str
    answer: Future[bool] = field(default_factory=Future)

    def wait(self, is_cancelled: Callable[[], bool]) -> bool:
        """Block until the answer is there, and return it; False if the work is cancelled before."""
        while not is_cancelled():
            try:
                return self.answer.result(timeout=POLL)
            except FutureTimeoutError:
                continue
        return False
