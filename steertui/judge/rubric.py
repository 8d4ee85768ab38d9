"""A Rubric: what a judge is told, and how its reply is read."""

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from steertui.borrowed import PAPER, borrow_judge_texts
from steertui.errors import JudgeError
from steertui.places import shipped
from steertui.tomlfile import closed, load

REPLY_START = '{"decision": "'
"""Where a judge's label begins: a local judge's reply is opened with this, then scored."""

LABEL_END = '",'
"""What follows a label in the reply; scored with it, so that no label is another's beginning."""


@closed
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
        return sha256(f"{self.system}\0{self.user}".encode()).hexdigest()

    def instruct(self, context: str) -> str:
        """Return the system message; `context` is the category's text as it was read."""
        return _fill(self.system, {"{context}": context})

    def ask(self, category: str, task: str, answer: str) -> str:
        """Return the user message."""
        parts = {"{category}": category, "{task}": task, "{answer}": answer}
        return _fill(self.user.strip(), parts)


def _fill(text: str, parts: dict[str, str]) -> str:
    """Return the text with its placeholders filled; what is filled in is never searched again."""
    pattern = "|".join(map(re.escape, parts))
    return re.sub(pattern, lambda found: parts[found.group()], text)


def load_rubric(name: str) -> Rubric:
    """Return a rubric by name ("steertui", "paper") or from a TOML file.

    Raises JudgeError naming file, key and remedy; SourceError where the paper's is not here.
    """
    if name == PAPER:
        texts = borrow_judge_texts()
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
