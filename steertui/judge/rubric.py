"""Rubric of a judge: instruction, prompt template and order of the labels."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from steertui.assets.paper_texts import PAPER, load_paper_judge_texts
from steertui.core.judge_kind import rubric_digest
from steertui.core.verdict import Label
from steertui.errors import JudgeError
from steertui.paths import is_file, package_data
from steertui.toml_files import forbid_extra_keys, load_toml

FORMAT = 1
"""Version of the rubric's TOML format."""

REPLY_START = '{"decision": "'
"""Prefix of every reply. A local judge's prompt ends with it, and the labels are scored next."""

LABEL_END = '",'
"""Suffix of a label in a reply. It is scored with the label, so that no label is a prefix of
another."""


@dataclass(frozen=True, slots=True)
class JudgeCase:
    """What a judge is shown of one answer.

    Attributes:
        category: the scenario's category.
        context: the category's text, unchanged from its file.
        task: the user message; without the suffix if the judge hides it.
        answer: the model's output after its reasoning.
    """

    category: str
    context: str
    task: str
    answer: str


@forbid_extra_keys
@dataclass(frozen=True)
class Rubric:
    """Instruction of a judge, and the template of its user message.

    Attributes:
        format: version of the TOML format.
        name: name in tables.
        system: the instruction; {context} is replaced by the category's text.
        user: template with {category}, {task} and {answer}.
        about: a sentence for the reader.
    """

    format: int
    name: str
    system: str
    user: str
    about: str = ""

    @property
    def sha256(self) -> str:
        """Hash of both texts, 64 hex digits."""
        return rubric_digest(self.system, self.user)

    @property
    def needs_context(self) -> bool:
        """Whether it shows the category's text (the scenario's system message)."""
        return "{context}" in self.system + self.user

    def rotated(self, rotation: int) -> "Rubric | None":
        """Return the rubric with its list of labels rotated to begin with label `rotation`.

        The list is recognised if each label begins a line of the system text, in the paper's order,
        with only empty lines between. Bullets and numbers before the labels keep their places.
        Returns None if there is no such list.
        """
        lines = self.system.split("\n")
        definitions = [_parse_definition(line) for line in lines]
        labels = [definition.label for definition in definitions]
        positions = [labels.index(label) for label in Label if label in labels]
        if len(positions) < len(Label) or positions != sorted(positions):
            return None
        between = set(range(positions[0], positions[-1])) - set(positions)
        if any(lines[n].strip() for n in between):
            return None
        for i, position in enumerate(positions):
            source = positions[(i + rotation) % len(positions)]
            lines[position] = definitions[position].bullet + definitions[source].text
        return replace(self, system="\n".join(lines))

    def messages(self, case: JudgeCase) -> tuple[str, str]:
        """Return the system and the user message for one answer.

        Task and answer are data. A zero-width space breaks the template's own tags in them, such as
        `</answer>`, so that they cannot close their quotation.
        """
        values = {"{category}": case.category, "{context}": case.context}
        tags = set(re.findall(r"</?([A-Za-z_][\w-]*)>", self.user))
        quoted = {
            "{task}": _break_tags(case.task, tags),
            "{answer}": _break_tags(case.answer, tags),
        }
        return _fill(self.system, values), _fill(self.user.strip(), values | quoted)


def load_rubric(name: str) -> Rubric:
    """Return the rubric "steertui" or "paper", or one from a TOML file.

    Raises JudgeError with file, key and remedy, and SourceError if the paper's rubric has not been
    fetched.
    """
    if name == PAPER:
        texts = load_paper_judge_texts()
        about = "The paper's own (arXiv 2601.01584)."
        return Rubric(FORMAT, PAPER, texts.system, texts.user, about=about)
    path = package_data("scenarios") / "rubric.toml" if name == "steertui" else Path(name)
    if not is_file(path):
        raise JudgeError(
            f"{name}: no such rubric; give 'steertui', 'paper' or the path of a TOML file"
        )
    rubric = load_toml(path, Rubric, JudgeError)
    if rubric.format != FORMAT:
        raise JudgeError(
            f"{path}: format {rubric.format} is not supported; this version reads {FORMAT}"
        )
    for placeholder in ("{task}", "{answer}"):
        if placeholder not in rubric.user:
            raise JudgeError(
                f"{path}: key 'user' has no {placeholder}; put it where the text is to appear"
            )
    return rubric


class _Definition(NamedTuple):
    """A line of a rubric: bullet or number, label ("" if the line defines none), and the rest."""

    bullet: str
    label: str
    text: str


def _parse_definition(line: str) -> _Definition:
    labels = "|".join(sorted(Label, key=len, reverse=True))
    match = re.match(rf"([\s\d.()*•-]*+)([\"'`*\[]*({labels})[\"'`*\]]*\s*[:=—–-].*)", line)
    return _Definition(match[1], match[3], match[2]) if match else _Definition("", "", line)


def _fill(text: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders in one pass, so that placeholders in values are left alone."""
    return re.sub("|".join(map(re.escape, values)), lambda match: values[match.group()], text)


def _break_tags(text: str, tags: set[str]) -> str:
    if not tags:
        return text
    tag = rf"<(?=\s*+(?:/\s*+)?(?:{'|'.join(tags)})\b)"
    return re.sub(tag, "<\u200b", text, flags=re.IGNORECASE)
