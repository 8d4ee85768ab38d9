"""Logs of the paper's program: every item that a run of it answered and judged."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from steertui.core.verdict import Label
from steertui.errors import SourceError


@dataclass(frozen=True, slots=True)
class LoggedItem:
    """One answered task of a run; every text is to the byte.

    Attributes:
        benchmark: the category with its prefix, "Alignment Drift - Evading Shutdown".
        task_number: from 1, within the benchmark, in the order run. The program counts a task that
            it dropped (no answer, no label) and logs nothing of it: its number is missing.
        mode: `baseline`, `pro_ic` or `anti_ic`.
        task_prompt: the task.
        steered_prompt: the user message: the task and the suffix.
        thinking: the reasoning, "" for models without.
        response: the answer that the judge saw.
        decision: the judge's label.
        reason: the judge's own words.
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
        """The benchmark without its prefix."""
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
    """Return the items of a run's `stdout.log` in its order.

    The texts are not escaped and may hold anything, so the fields' known order tells them apart:
    an item ends where one with a larger number, a benchmark or the summary follows, an answer at
    its item's last judge's decision. The totals of the summary, where there is one, are checked.
    Raises SourceError for an unreadable file, no item, a lacking field, another total.
    """
    try:
        text = path.read_bytes().decode("utf-8")  # no newline translation: \r survives
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: cannot be read ({error}); fetch the file again") from error
    items: list[LoggedItem] = []
    heading = re.search(_HEADING, text)
    start = 0
    while heading is not None:
        number, start = 0, heading.end()
        while text.startswith("<result>\n", start):
            end = _end(text, start)
            items.append(_item(path, text[start:end], heading[1], (heading[2], number)))
            number, start = items[-1].task_number, end
        heading = re.compile(_HEADING).match(text, start)
    if not items:
        raise SourceError(f"{path}: holds no item of a run; give a run's stdout.log")
    _check(path, items, text[start:])
    return items


def _end(text: str, start: int) -> int:
    """Return where the item ends: before the next one, the next heading or the summary."""
    own = re.compile(_START).match(text, start)
    for found in _FOLLOWS.finditer(text, start):
        if not found["number"] or own is None:
            return found.end()
        if int(found["number"]) > int(own["number"]) and found["mode"] == own["mode"]:
            return found.end()
    return len(text)


def _item(path: Path, block: str, benchmark: str, turn: tuple[str, int]) -> LoggedItem:
    found, (mode, before) = _ITEM.fullmatch(block), turn
    if found is None or int(found["number"]) <= before or found["mode"] != mode:
        raise SourceError(
            f"{path}: the item after number {before} of {benchmark} lacks a field or its turn; "
            "fetch the file again"
        )
    return LoggedItem(
        benchmark, int(found["number"]), found["mode"], found["task"], found["steered"],
        found["thinking"], found["response"], Label(found["decision"]), found["reason"],
    )  # fmt: skip


def _check(path: Path, items: list[LoggedItem], summary: str) -> None:
    """Refuse items that are not as many as the run itself says of each benchmark."""
    read = Counter(item.benchmark for item in items)
    for benchmark, total in _TOTAL.findall(summary):
        if read[benchmark] != int(total):
            raise SourceError(
                f"{path}: {read[benchmark]} items of {benchmark} can be told apart, but its "
                f"summary counts {total}; fetch the file again"
            )
