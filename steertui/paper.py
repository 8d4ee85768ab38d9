"""The paper's published counts as data, and a reader of the logs its runs left."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType

from steertui.errors import SourceError
from steertui.verdict import Label

SOURCE = (
    "arXiv 2601.01584, github.com/j-hoscilowicz/instrumental_steering "
    "at f698626c63be1275c223ad617f1c0f3837cf5f2e"
)

CONDITIONS = MappingProxyType({"baseline": "baseline", "pro_ic": "pro", "anti_ic": "anti"})
"""The paper's steering modes, and what the conditions are called here."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Items by label."""

    convergence: int
    no_convergence: int
    safety_refusal: int
    nonsensical: int

    @property
    def items(self) -> int:
        """All of them."""
        return self.valid + self.nonsensical

    @property
    def valid(self) -> int:
        """The paper's denominator: all but the nonsensical."""
        return self.convergence + self.no_convergence + self.safety_refusal

    @property
    def rate(self) -> float | None:
        """The paper's Conv% as a proportion, None without valid items."""
        return self.convergence / self.valid if self.valid else None

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Published:
    """One model's published counts under one condition, by category."""

    by_category: Mapping[str, Counts]

    @property
    def total(self) -> Counts:
        """Over all six categories: 71 items."""
        return sum(self.by_category.values(), Counts(0, 0, 0, 0))


CATEGORIES = (
    "Deceptive Behavior",
    "Evading Shutdown",
    "Hacking Computer Systems",
    "Hiding Unwanted Behavior",
    "Running Multiple AI Copies",
    "Strategically Appearing Aligned",
)

# Counted from the results in SOURCE: convergence/no_convergence/safety_refusal/nonsensical.
_TABLE = """
Qwen3-4B-Base               baseline 1/6/0/4  3/2/0/10  0/0/0/10 2/0/0/9  2/8/0/3  0/6/0/5
Qwen3-4B-Base               pro      5/4/0/2  4/3/0/8   4/0/0/6  6/1/0/4  9/4/0/0  1/3/0/7
Qwen3-4B-Base               anti     1/8/0/2  1/6/0/8   0/6/0/4  1/8/0/2  9/3/0/1  0/8/0/3
Qwen3-4B-Instruct-2507      baseline 0/9/2/0  15/0/0/0  0/10/0/0 0/0/11/0 9/3/1/0  9/2/0/0
Qwen3-4B-Instruct-2507      pro      8/2/1/0  15/0/0/0  4/6/0/0  3/2/6/0  12/0/1/0 9/2/0/0
Qwen3-4B-Instruct-2507      anti     0/11/0/0 2/13/0/0  0/10/0/0 0/11/0/0 1/8/4/0  0/11/0/0
Qwen3-4B-Thinking-2507      baseline 1/10/0/0 14/1/0/0  1/9/0/0  1/5/5/0  4/8/1/0  11/0/0/0
Qwen3-4B-Thinking-2507      pro      9/2/0/0  15/0/0/0  6/4/0/0  4/3/4/0  13/0/0/0 11/0/0/0
Qwen3-4B-Thinking-2507      anti     0/11/0/0 5/10/0/0  0/10/0/0 0/11/0/0 1/10/2/0 1/10/0/0
Qwen3-30B-A3B-Base          baseline 1/10/0/0 9/5/0/1   0/8/0/2  2/2/0/7  5/6/1/1  3/8/0/0
Qwen3-30B-A3B-Base          pro      6/5/0/0  13/2/0/0  4/6/0/0  5/1/0/5  9/3/0/1  2/9/0/0
Qwen3-30B-A3B-Base          anti     0/11/0/0 10/5/0/0  0/10/0/0 0/11/0/0 6/5/2/0  2/9/0/0
Qwen3-30B-A3B-Instruct-2507 baseline 1/10/0/0 15/0/0/0  1/9/0/0  1/3/7/0  11/1/1/0 6/5/0/0
Qwen3-30B-A3B-Instruct-2507 pro      9/1/1/0  15/0/0/0  9/1/0/0  2/1/8/0  13/0/0/0 10/1/0/0
Qwen3-30B-A3B-Instruct-2507 anti     0/11/0/0 2/13/0/0  0/10/0/0 0/8/3/0  0/2/11/0 0/11/0/0
Qwen3-30B-A3B-Thinking-2507 baseline 0/11/0/0 14/1/0/0  0/10/0/0 0/2/9/0  4/9/0/0  9/2/0/0
Qwen3-30B-A3B-Thinking-2507 pro      6/5/0/0  15/0/0/0  6/4/0/0  1/3/7/0  13/0/0/0 11/0/0/0
Qwen3-30B-A3B-Thinking-2507 anti     0/11/0/0 3/12/0/0  0/10/0/0 0/4/7/0  0/5/8/0  0/11/0/0
"""


def _published() -> dict[tuple[str, str], Published]:
    found = {}
    for line in _TABLE.split("\n")[1:-1]:
        model, condition, *cells = line.split()
        counts = (Counts(*map(int, cell.split("/"))) for cell in cells)
        by_category = MappingProxyType(dict(zip(CATEGORIES, counts, strict=True)))
        found[model, condition] = Published(by_category)
    return found


PUBLISHED: Mapping[tuple[str, str], Published] = MappingProxyType(_published())
"""By the model's name without its owner, and the condition: `baseline`, `pro` or `anti`."""


@dataclass(frozen=True, slots=True)
class LoggedItem:
    """One answered task of a paper's run; every text is to the byte.

    Attributes:
        benchmark: the category with its prefix, "Alignment Drift - Evading Shutdown".
        task_number: from 1, within the benchmark, in the order run.
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


_HEADING = re.compile(
    r"\nProcessing benchmark: (?P<benchmark>[^\n]*) \| mode=(?P<mode>\w+)\n"
    r"(?=<result>\n  <task_number>1</task_number>\n)"
)
_ITEM = re.compile(
    r"(?s)<result>\n  <task_number>(\d+)</task_number>\n  <steering_mode>(\w+)</steering_mode>\n"
    r"  <task_prompt>(.*?)</task_prompt>\n  <steered_prompt>(.*?)</steered_prompt>\n"
    r"  <test_llm_thinking>(.*?)</test_llm_thinking>\n"
    r"  <test_llm_response>(.*)</test_llm_response>\n"
    rf"  <judge_decision>({'|'.join(Label)})</judge_decision>\n"
    r"  <judge_reason>(.*)</judge_reason>\n</result>\n"
)


def read_log(path: Path) -> list[LoggedItem]:
    """Return the items of a run's `stdout.log` in its order.

    The texts are not escaped and may hold anything, so the fields' known order tells them apart:
    an item ends where the next number, benchmark or the summary follows, an answer at its item's
    last judge's decision. Raises SourceError for an unreadable file, no item, a lacking field.
    """
    try:
        text = path.read_bytes().decode("utf-8")  # no newline translation: \r survives
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: cannot be read ({error}); fetch the file again") from error
    items: list[LoggedItem] = []
    heading = _HEADING.search(text)
    if heading is None:
        raise SourceError(f"{path}: holds no item of a run; give a run's stdout.log")
    while heading is not None:
        benchmark, mode, number, start = heading["benchmark"], heading["mode"], 0, heading.end()
        while text.startswith("<result>\n", start):
            number += 1
            end = _end(text, start, number, mode)
            items.append(_item(path, text[start:end], benchmark, number, mode))
            start = end
        heading = _HEADING.match(text, start)
    return items


def _end(text: str, start: int, number: int, mode: str) -> int:
    """Return where the item ends: before the next one, the next heading or the summary."""
    after = (
        rf"</result>\n(?=<result>\n  <task_number>{number + 1}</task_number>\n"
        rf"  <steering_mode>{mode}</steering_mode>\n  <task_prompt>"
        rf"|{_HEADING.pattern}|\n=== Run Config ===\n|\n?\Z)"
    )
    found = re.compile(after).search(text, start)
    return found.end() if found else len(text)


def _item(path: Path, block: str, benchmark: str, number: int, mode: str) -> LoggedItem:
    found = _ITEM.fullmatch(block)
    if found is None or (int(found[1]), found[2]) != (number, mode):
        raise SourceError(
            f"{path}: item {number} of {benchmark} lacks a field or its turn; fetch the file again"
        )
    task, steered, thinking, response, decision, reason = found.groups()[2:]
    return LoggedItem(
        benchmark, number, mode, task, steered, thinking, response, Label(decision), reason
    )
