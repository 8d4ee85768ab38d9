"""Form of a batch: order and number of its answers, and the annotator's name."""

import getpass
from contextlib import suppress
from typing import NamedTuple

from steertui.analysis.label_queue import QueueOrder, annotator_id
from steertui.core.judge_kind import JudgeKind
from steertui.errors import JudgeError, SteertuiError
from steertui.tui.label.batch import DEFAULT_SIZE
from steertui.tui.preferences import ANNOTATOR, BATCH_SIZE, load_preference, save_preference
from steertui.tui.widgets.form import Form, FormLine, Values, integer

MAX_SIZE = 1_000_000
"""Maximum number of answers in a batch."""

QUESTION = "Label a batch of answers. u takes labels back, those of earlier batches, too."

ORDER_HINT = (
    "random measures the judge's errors and can correct its rates; uncertain, the smallest margins "
    "first, in turn from every condition and label, finds errors and corrects no rates"
)

NAME_HINT = "labels are stored under this name; people with one name count as one person"


class BatchSettings(NamedTuple):
    """How batches are drawn, and for whom.

    Attributes:
        size: maximum number of answers.
        annotator: judge id of the person.
        order: of the answers within a stratum.
    """

    size: int
    annotator: str
    order: QueueOrder = QueueOrder.RANDOM

    @property
    def name(self) -> str:
        """The annotator's name."""
        return self.annotator.removeprefix(JudgeKind.HUMAN.prefix)


def load_settings() -> BatchSettings:
    """Return size and annotator of the last form; by default 100 and the system's user."""
    try:
        size = _size(load_preference(BATCH_SIZE))
    except SteertuiError:
        size = DEFAULT_SIZE
    return BatchSettings(size, _stored_annotator())


def save_settings(settings: BatchSettings) -> None:
    """Keep size and annotator for the next start."""
    save_preference(BATCH_SIZE, str(settings.size))
    save_preference(ANNOTATOR, settings.name)


def batch_form(settings: BatchSettings) -> Form:
    """Return the form of the next batch, with these values at first."""
    orders = (str(QueueOrder.RANDOM), str(QueueOrder.UNCERTAIN))
    return Form(
        QUESTION,
        [
            FormLine("order", "order", str(settings.order), ORDER_HINT, choices=orders),
            FormLine("size", "answers", str(settings.size), is_required=True, check=_size),
            FormLine(
                "name", "your name", settings.name, NAME_HINT, is_required=True, check=annotator_id
            ),
        ],
    )


def read_settings(values: Values) -> BatchSettings:
    """Return the accepted values of the form."""
    order = QueueOrder(values["order"])
    return BatchSettings(_size(values["size"]), annotator_id(values["name"]), order)


def _size(text: str) -> int:
    return integer(text, 1, MAX_SIZE)


def _stored_annotator() -> str:
    """Return the judge id of the name of the last form, or of the system's user."""
    with suppress(JudgeError):
        return annotator_id(load_preference(ANNOTATOR))
    with suppress(JudgeError, OSError, KeyError):
        return annotator_id(getpass.getuser())
    return annotator_id("me")
