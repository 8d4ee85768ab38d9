"""Parser of the paper's run logs: every answered and judged item of a run."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from steertui.core.verdict import Label
from steertui.errors import SourceError


@dataclass(frozen=True, slots=True)
class LoggedItem:
    """One answered task of a run. All texts are exact, to the byte.

    Attributes:
        benchmark: the category with its prefix, "Alignment Drift - Evading Shutdown".
        task_number: from 1 within the benchmark, in the order run. The paper's program counts a
            task that it dropped (no answer, no label) without logging it, so numbers may be
            missing.
        mode: `baseline`, `pro_ic` or `anti_ic`.
        task_prompt: the task.
        steered_prompt: the user message: task and suffix.
        thinking: the reasoning, "" for models without.
        response: the answer that the judge saw.
        decision: the judge's label.
        reason: the judge's reason.
    """

    benchmark: str
    task_number: int
    mode: str
    task_prompt: str
    steered_prompt: str
    thinking: str
    response: str
    decision: Label
    reason: str

    @property
    def category(self) -> str:
        """The benchmark's name without its prefix."""
        return self.benchmark.removeprefix("Alignment Drift - ")


_NUMBER = r"[0-9]{1,9}"
_START = re.compile(
    rf"<result>\n  <task_number>(?P<number>{_NUMBER})</task_number>\n"
    r"  <steering_mode>(?P<mode>\w+)</steering_mode>\n  <task_prompt>"
)
_HEADING = (
    r"\nProcessing benchmark: ([^\n]*) \| mode=(\w+)\n"
    rf"(?=<result>\n  <task_number>{_NUMBER}</task_number>\n|\nProcessing benchmark: |\n=== |\n?\Z)"
)
_SEPARATORS = (
    "</task_prompt>\n  <steered_prompt>",
    "</steered_prompt>\n  <test_llm_thinking>",
    "</test_llm_thinking>\n  <test_llm_response>",
)
_DECISION_START = "</test_llm_response>\n  <judge_decision>"
_DECISION = re.compile(rf"{_DECISION_START}({'|'.join(Label)})</judge_decision>\n  <judge_reason>")
_END = "</judge_reason>\n</result>\n"
_FOLLOWS = re.compile(
    rf"</result>\n(?=<result>\n  <task_number>(?P<number>{_NUMBER})</task_number>\n"
    r"  <steering_mode>(?P<mode>\w+)</steering_mode>\n  <task_prompt>"
    rf"|{_HEADING}|\n=== Run Config ===\n|\n?\Z)"
)
_TOTAL = re.compile(rf"\nBenchmark: ([^\n]*)\nTotal: ({_NUMBER})\n")


def read_log(path: Path) -> list[LoggedItem]:
    """Return the items of a run's `stdout.log`, in its order.

    The texts are not escaped and may contain anything, so fields are separated by their known
    order: an item ends before an item with a larger number, a benchmark heading or the summary; an
    answer ends at the last judge's decision of its item. The totals of the summary, if present,
    are checked. Raises SourceError for an unreadable file, a log without items, a missing field or
    a different total.
    """
    try:
        text = path.read_bytes().decode("utf-8")  # no newline translation: \r is kept
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: cannot be read ({error}); download the file again") from error
    items: list[LoggedItem] = []
    heading = re.search(_HEADING, text)
    start = 0
    while heading is not None:
        number = 0
        start = heading.end()
        while text.startswith("<result>\n", start):
            end = _item_end(text, start)
            item = _parse_item(path, text[start:end], heading[1], mode=heading[2], after=number)
            items.append(item)
            number = item.task_number
            start = end
        heading = re.compile(_HEADING).match(text, start)
    if not items:
        raise SourceError(f"{path}: no item of a run; give a run's stdout.log")
    _check_totals(path, items, text[start:])
    return items


def _item_end(text: str, start: int) -> int:
    """Return the end of the item: before the next item, the next heading or the summary."""
    own = _START.match(text, start)
    for following in _FOLLOWS.finditer(text, start):
        if not following["number"] or own is None:
            return following.end()
        is_next = int(following["number"]) > int(own["number"])
        if is_next and following["mode"] == own["mode"]:
            return following.end()
    return len(text)


def _parse_item(path: Path, block: str, benchmark: str, *, mode: str, after: int) -> LoggedItem:
    """Return the item of a block; its number must be larger than `after`."""
    start = _START.match(block)
    fields = _split_fields(block, start.end()) if start else None
    if not (start and fields and int(start["number"]) > after and start["mode"] == mode):
        raise SourceError(
            f"{path}: the item after number {after} of {benchmark} has a missing field or is out "
            "of order; download the file again"
        )
    task, steered, thinking, response, decision, reason = fields
    return LoggedItem(
        benchmark=benchmark,
        task_number=int(start["number"]),
        mode=start["mode"],
        task_prompt=task,
        steered_prompt=steered,
        thinking=thinking,
        response=response,
        decision=Label(decision),
        reason=reason,
    )


def _split_fields(block: str, start: int) -> list[str] | None:
    """Return task, steered prompt, thinking, response, decision and reason of a block.

    The first three end at the first separator, the response at the last decision. Every search
    continues where the one before ended, so the time is proportional to the block's length.
    Returns None if a field is missing.
    """
    fields = []
    for separator in _SEPARATORS:
        end = block.find(separator, start)
        if end < 0:
            return None
        fields.append(block[start:end])
        start = end + len(separator)
    if not block.endswith(_END):
        return None
    end = block.rfind(_DECISION_START, start)
    while end >= 0:
        decision = _DECISION.match(block, end)
        if decision is not None:
            reason = block[decision.end() : -len(_END)]
            return [*fields, block[start:end], decision[1], reason]
        end = block.rfind(_DECISION_START, start, end)
    return None


def _check_totals(path: Path, items: list[LoggedItem], summary: str) -> None:
    """Raise SourceError if the number of items differs from the totals in the run's summary."""
    counts = Counter(item.benchmark for item in items)
    for benchmark, total in _TOTAL.findall(summary):
        if counts[benchmark] != int(total):
            raise SourceError(
                f"{path}: {counts[benchmark]} items of {benchmark} were parsed, but its summary "
                f"has {total}; download the file again"
            )
