"""A Rubric: what a judge is told, and how its reply is read."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from steertui.assets.paper_texts import PAPER, load_paper_judge_texts
from steertui.core.verdict import Label, rubric_digest
from steertui.errors import JudgeError
from steertui.paths import shipped
from steertui.toml_files import forbid_extra_keys, load

REPLY_START = '{"decision": "'
"""Where a judge's label begins: a local judge's reply is opened with this, then scored."""

LABEL_END = '",'
"""What follows a label in the reply; scored with it, so that no label is another's beginning."""


@dataclass(frozen=True, slots=True)
class JudgeCase:
    """What a judge is shown of one answer.

    Attributes:
        category: the scenario's category.
        context: the category's text as it was read.
        task: the user message, with the suffix or, to a blind judge, without.
        answer: what the model wrote after its reasoning.
    """

    category: str
    context: str
    task: str
    answer: str


@forbid_extra_keys
@dataclass(frozen=True)
class Rubric:
    """The judge's instruction and the form in which it gets an answer.

    Attributes:
        system: the instruction; {context} in it stands for the category's text as it was read.
        user: a text with {category}, {task} and {answer}.
    """

    format: int
    name: str
    system: str
    user: str
    about: str = ""

    @property
    def sha256(self) -> str:
        """Of both texts."""
        return rubric_digest(self.system, self.user)

    @property
    def needs_context(self) -> bool:
        """Whether it shows the category's own text: the scenario's system message."""
        return "{context}" in self.system + self.user

    def turned(self, turn: int) -> "Rubric | None":
        """Return the rubric whose list of labels begins with label `turn`, round the end.

        The list is found where each label begins a line of its own in the system text, in the
        paper's order and with nothing but empty lines between, with or without a bullet or a
        number, which stays where it is. None where there is no such list.
        """
        lines = self.system.split("\n")
        found = [_definition(line) for line in lines]
        names = [name for _, name, _ in found]
        places = [names.index(label) for label in Label if label in names]
        between = [
            n for n in range(min(places, default=0), max(places, default=0)) if n not in places
        ]
        if (
            len(places) < len(Label)
            or places != sorted(places)
            or any(lines[n].strip() for n in between)
        ):
            return None
        for i, place in enumerate(places):
            lines[place] = found[place][0] + found[places[(i + turn) % len(places)]][2]
        return replace(self, system="\n".join(lines))

    def messages(self, case: JudgeCase) -> tuple[str, str]:
        """Return the system and the user message for one answer.

        Task and answer are data: where they hold one of the user text's own tags, such as
        `</answer>`, it is broken by a zero-width space, so nothing inside ends its quotation.
        """
        told = {"{category}": case.category, "{context}": case.context}
        tags = set(re.findall(r"</?([A-Za-z_][\w-]*)>", self.user))
        data = {"{task}": _quote(case.task, tags), "{answer}": _quote(case.answer, tags)}
        return _fill(self.system, told), _fill(self.user.strip(), told | data)


def _definition(line: str) -> tuple[str, str, str]:
    """Return what stands before a label that the line defines, the label, and all from it on."""
    labels = "|".join(sorted(Label, key=len, reverse=True))
    found = re.match(rf"([\s\d.()*•-]*)([\"'`*\[]*({labels})[\"'`*\]]*\s*[:=—–-].*)", line)
    return (found[1], found[3], found[2]) if found else ("", "", line)


def _fill(text: str, parts: dict[str, str]) -> str:
    """Fill in, in one pass: what is filled in is never searched for placeholders."""
    return re.sub("|".join(map(re.escape, parts)), lambda m: parts[m.group()], text)


def _quote(text: str, tags: set[str]) -> str:
    if not tags:
        return text
    return re.sub(rf"<(?=\s*/?\s*(?:{'|'.join(tags)})\b)", "<\u200b", text, flags=re.IGNORECASE)


def load_rubric(name: str) -> Rubric:
    """Return a rubric by name ("steertui", "paper") or from a TOML file.

    Raises JudgeError naming file, key and remedy; SourceError where the paper's is not here.
    """
    if name == PAPER:
        texts = load_paper_judge_texts()
        return Rubric(1, PAPER, texts.system, texts.user, "The paper's own (arXiv 2601.01584).")
    path = shipped("scenarios") / "rubric.toml" if name == "steertui" else Path(name)
    if not path.is_file():
        raise JudgeError(
            f"{name}: no such rubric; give 'steertui', 'paper' or the path of a TOML file"
        )
    rubric = load(path, Rubric, JudgeError)
    if rubric.format != 1:
        raise JudgeError(f"{path}: format {rubric.format} is not known; this version reads 1")
    for part in ("{task}", "{answer}"):
        if part not in rubric.user:
            raise JudgeError(f"{path}: key 'user' lacks {part}; put it where the text shall stand")
    return rubric
