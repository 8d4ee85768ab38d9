"""Forms: lines with their titles, accepted values and checks, and the numbers that are typed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, nan
from types import MappingProxyType

from steertui.errors import ExperimentError, SteertuiError, prefixed
from steertui.typed_lists import split_numbers

Values = Mapping[str, str]
"""Stripped texts by the name of their line."""

NO_VALUES: Values = MappingProxyType({})


def number(text: str, low: float = -inf, high: float = inf) -> float:
    """Return a typed number from `low` to `high`; raises ExperimentError for another text."""
    try:
        value = float(text)
    except ValueError:
        value = nan
    if low <= value <= high and isfinite(value):
        return value
    raise ExperimentError(f"{text!r} is not a number{_range_text(low, high)}; enter one")


def numbers(text: str) -> list[float]:
    """Return a typed list of numbers; raises ExperimentError for another text."""
    return [number(part) for part in split_numbers(text)]


def integer(text: str, low: int = 0, high: float = inf) -> int:
    """Return a typed integer from `low` to `high`; raises ExperimentError for another text."""
    value = float(text) if text.isascii() and text.isdecimal() else nan
    if low <= value <= high and isfinite(value):
        return int(text)
    raise ExperimentError(f"{text!r} is not an integer{_range_text(low, high)}; enter one")


def first_problem(*checks: Callable[[], object]) -> str:
    """Return the first error of the checks, "" without one."""
    try:
        for check in checks:
            check()
    except SteertuiError as exc:
        return str(exc)
    return ""


def titled(problem: str, key: str, title: str) -> str:
    """Return a problem of a key with the title of its line in place of the key at the start."""
    for start in (f"{key}:", f"key '{key}':"):
        if problem.startswith(start):
            return f"{title}:{problem.removeprefix(start)}"
    return problem


def _range_text(low: float, high: float) -> str:
    if isfinite(high):
        return f" from {_limit(low)} to {_limit(high)}"
    return f" from {_limit(low)}" if isfinite(low) else ""


def _limit(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() else f"{value:g}"


@dataclass(frozen=True, slots=True)
class FormLine:
    """One input line.

    Attributes:
        name: key of the value in the result.
        title: before the input.
        value: at first.
        hint: shown below the form while the line has the focus, and in the empty line.
        is_path: whether paths of files and folders are completed.
        choices: the values that are accepted; empty for any.
        is_required: whether an empty line is refused.
        check: raises SteertuiError for a wrong value; an empty line that is not required is not
            checked.
    """

    name: str
    title: str
    value: str = ""
    hint: str = ""
    is_path: bool = False
    choices: tuple[str, ...] = ()
    is_required: bool = False
    check: Callable[[str], object] = str

    @property
    def help(self) -> str:
        """The accepted values and the hint; "" for none."""
        return "; ".join(filter(None, (", ".join(self.choices), self.hint)))

    def problem(self, value: str) -> str:
        """Return what is wrong with a value by itself; "" for nothing."""
        if self.choices and value not in self.choices:
            shown = repr(value) if value else "the empty line"
            return f"{self.title}: {shown} is none of {', '.join(self.choices)}"
        if not value:
            return f"{self.title}: is empty; enter one" if self.is_required else ""
        problem = first_problem(lambda: self.check(value))
        return problem and prefixed(f"{self.title}: ", problem)


@dataclass(frozen=True, slots=True)
class Form:
    """Question with several lines.

    Attributes:
        question: above the lines.
        lines: in their order.
        check: returns what is wrong with the values of all lines; "" accepts them.
    """

    question: str
    lines: Sequence[FormLine]
    check: Callable[[Values], str] = field(default=lambda _: "")

    def problem(self, values: Values) -> str:
        """Return what is wrong with the values, by the first line that is wrong; "" for nothing."""
        problems = (line.problem(values[line.name]) for line in self.lines)
        return next(filter(None, problems), "") or self.check(values)
