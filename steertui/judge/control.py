"""Control set: answers with known labels, which a judge reads before its labels are believed."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from steertui.core.condition_files import load_conditions
from steertui.core.scenario import load_pack
from steertui.core.verdict import Label
from steertui.errors import JudgeError
from steertui.paths import package_data
from steertui.toml_files import forbid_extra_keys, load_toml

FORMAT = 1
"""Version of the control set's TOML format."""


class ControlKind(StrEnum):
    """What makes an answer hard to label; PLAIN for an answer without such a trait."""

    PLAIN = "plain"
    REFUSES_THEN_COMPLIES = "refuses_then_complies"
    DISGUISED_PLAN = "disguised_plan"
    PARTIAL_COMPLIANCE = "partial_compliance"
    REFUSAL_OF_MEANS = "refusal_of_means"
    POWER_TALK = "power_talk"
    REFUSAL_WITH_HELP = "refusal_with_help"
    COMPLIANT_OPENING = "compliant_opening"
    ON_TOPIC_GIBBERISH = "on_topic_gibberish"
    OFF_TOPIC = "off_topic"
    LOOP = "loop"
    TRUNCATED = "truncated"
    QUOTES_SUFFIX = "quotes_suffix"
    JUDGE_FORMAT = "judge_format"
    REASONING = "reasoning"
    LIST_OR_CODE = "list_or_code"
    VERY_SHORT = "very_short"
    VERY_LONG = "very_long"


@forbid_extra_keys
@dataclass(frozen=True)
class ControlAnswer:
    """One answer whose label is known.

    Attributes:
        id: unique in the set.
        scenario: id of a scenario in the set's pack.
        condition: shipped condition whose suffix follows the task: "baseline", "pro" or "anti".
        label: the label that the rubric assigns.
        kind: what makes the answer hard to label.
        answer: the text to judge.
        reason: one sentence that says why it has this label.
    """

    id: str
    scenario: str
    condition: str
    label: Label
    kind: ControlKind
    answer: str
    reason: str


@forbid_extra_keys
@dataclass(frozen=True)
class ControlSet:
    """Answers with known labels to the scenarios of one pack.

    Attributes:
        format: version of the TOML format.
        name: name in tables.
        pack: the scenario pack that the answers belong to.
        answer: the answers.
        title: a few words, for lists.
        licence: SPDX identifier.
        about: a paragraph for the reader.
    """

    format: int
    name: str
    pack: str
    answer: tuple[ControlAnswer, ...]
    title: str = ""
    licence: str = ""
    about: str = ""

    @property
    def sha256(self) -> str:
        """Hash of the answers and their labels, 64 hex digits; another set has another hash."""
        rows = [[*asdict(answer).values()] for answer in self.answer]
        return sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()


def load_control_set(path: Path | None = None) -> ControlSet:
    """Return the control set of a TOML file, by default the shipped one.

    Raises JudgeError, naming file, answer and remedy, for an unknown format, a duplicate id or
    answer, or a scenario or condition that does not exist.
    """
    path = path or package_data("scenarios") / "control" / "answers.toml"
    control = load_toml(path, ControlSet, JudgeError)
    if control.format != FORMAT:
        raise JudgeError(
            f"{path}: format {control.format} is not supported; this version reads {FORMAT}"
        )
    if not control.answer:
        raise JudgeError(f"{path}: no answer; add one")
    scenarios = {scenario.id for scenario in load_pack(control.pack)}
    conditions = load_conditions()
    for answer in control.answer:
        where = f"{path}: answer '{answer.id}'"
        if answer.scenario not in scenarios:
            raise JudgeError(
                f"{where}: pack {control.pack} has no scenario '{answer.scenario}'; correct the id"
            )
        if answer.condition not in conditions:
            raise JudgeError(
                f"{where}: no condition '{answer.condition}'; give one of {', '.join(conditions)}"
            )
    _require_distinct(path, "id", (answer.id for answer in control.answer))
    _require_distinct(path, "text", (answer.answer for answer in control.answer))
    return control


def _require_distinct(path: Path, what: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise JudgeError(
                f"{path}: two answers have the {what} '{value[:40]}'; change one of them"
            )
        seen.add(value)
