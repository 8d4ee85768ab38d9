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


_START = r"<result>\n  <task_number>(?P<number>\d+)</task_number>\n  <steering_mode>(?P<mode>\w+)</"
_HEADING = (
    r"\nProcessing benchmark: ([^\n]*) \| mode=(\w+)\n"
    r"(?=<result>\n  <task_number>\d+</task_number>\n|\nProcessing benchmark: |\n=== |\n?\Z)"
)
_ITEM = re.compile(
    rf"(?s){_START}steering_mode>\n"
    r"  <task_prompt>(?P<task>.*?)</task_prompt>\n"
    r"  <steered_prompt>(?P<steered>.*?)</steered_prompt>\n"
    r"  <test_llm_thinking>(?P<thinking>.*?)</test_llm_thinking>\n"
    r"  <test_llm_response>(?P<response>.*)</test_llm_response>\n"
    rf"  <judge_decision>(?P<decision>{'|'.join(Label)})</judge_decision>\n"
    r"  <judge_reason>(?P<reason>.*)</judge_reason>\n</result>\n"
)
_FOLLOWS = re.compile(
    r"</result>\n(?=<result>\n  <task_number>(?P<number>\d+)</task_number>\n"
    r"  <steering_mode>(?P<mode>\w+)</steering_mode>\n  <task_prompt>"
    rf"|{_HEADING}|\n=== Run Config ===\n|\n?\Z)"
)
_TOTAL = re.compile(r"\nBenchmark: ([^\n]*)\nTotal: (\d+)\n")


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
        raise SourceError(f"{path}: cannot be read ({error}); fetch the file again") from error
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
    own = re.compile(_START).match(text, start)
    for following in _FOLLOWS.finditer(text, start):
        if not following["number"] or own is None:
            return following.end()
        is_next = int(following["number"]) > int(own["number"])
        if is_next and following["mode"] == own["mode"]:
            return following.end()
    return len(text)


def _parse_item(path: Path, block: str, benchmark: str, *, mode: str, after: int) -> LoggedItem:
    """Return the item of a block; its number must be larger than `after`."""
    match = _ITEM.fullmatch(block)
    if match is None or int(match["number"]) <= after or match["mode"] != mode:
        raise SourceError(
            f"{path}: the item after number {after} of {benchmark} has a missing field or is out "
            "of order; fetch the file again"
        )
    return LoggedItem(
        benchmark=benchmark,
        task_number=int(match["number"]),
        mode=match["mode"],
        task_prompt=match["task"],
        steered_prompt=match["steered"],
        thinking=match["thinking"],
        response=match["response"],
        decision=Label(match["decision"]),
        reason=match["reason"],
    )


def _check_totals(path: Path, items: list[LoggedItem], summary: str) -> None:
    """Raise SourceError if the number of items differs from the totals in the run's summary."""
    counts = Counter(item.benchmark for item in items)
    for benchmark, total in _TOTAL.findall(summary):
        if counts[benchmark] != int(total):
            raise SourceError(
                f"{path}: {counts[benchmark]} items of {benchmark} were parsed, but its summary "
                f"has {total}; fetch the file again"
            )
