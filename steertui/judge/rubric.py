"""A Rubric: what a judge is told, and how its reply is read."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

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
        system: the instruction.
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

    def ask(self, category: str, task: str, answer: str) -> str:
        """Return the user message; what is filled in is never searched for placeholders."""
        parts = {"{category}": category, "{task}": task, "{answer}": answer}
        text, out = self.user.strip(), ""
        while text:
            found = min((p for p in parts if p in text), key=text.index, default=None)
            if found is None:
                return out + text
            before, _, text = text.partition(found)
            out += before + parts[found]
        return out


def load_rubric(name: str) -> Rubric:
    """Return a rubric by name ("steertui") or from a TOML file.

    Raises JudgeError naming file, key and remedy.
    """
    path = shipped("scenarios") / "rubric.toml" if name == "steertui" else Path(name)
    if not path.is_file():
        raise JudgeError(f"{name}: no such rubric; give 'steertui' or the path of a TOML file")
    rubric = load(path, Rubric, JudgeError)
    if rubric.format != 1:
        raise JudgeError(f"{path}: format {rubric.format} is not known; this version reads 1")
    for part in ("{task}", "{answer}"):
        if part not in rubric.user:
            raise JudgeError(f"{path}: key 'user' lacks {part}; put it where the text shall stand")
    return rubric
