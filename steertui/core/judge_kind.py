"""Kinds of judges, and the one function that reads a judge's kind from its id or specification."""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256


class JudgeKind(StrEnum):
    """Kind of a judge: the source of its labels. The values are stored; do not change them."""

    LOCAL = "local"
    """A GGUF on this machine: the likelihoods of the four labels."""
    SERVER = "server"
    """A model behind an OpenAI-compatible server: the label it writes."""
    HUMAN = "human"
    """A person who labelled answers with this program."""
    PAPER = "paper"
    """Published labels, imported with the answers."""
    INSPECT = "inspect"
    """A scorer of inspect_ai: its scores, imported with the answers."""
    JURY = "jury"
    """Several judges together: their majority, or the mean of their probabilities."""
    CONTROL = "control"
    """The known labels of the control set."""
    OTHER = "other"
    """Any other judge, for example one added through the Python API."""

    @property
    def prefix(self) -> str:
        """Prefix of the ids and specifications of this kind; "" for OTHER."""
        return _PREFIXES.get(self.value, "")

    @property
    def is_imported(self) -> bool:
        """Whether labels of this kind are imported with the answers and cannot be made here."""
        return self in (JudgeKind.PAPER, JudgeKind.INSPECT)

    @property
    def is_reference(self) -> bool:
        """Whether other judges are measured against this kind: people, published and known
        labels."""
        return self in (JudgeKind.HUMAN, JudgeKind.PAPER, JudgeKind.CONTROL)


_PREFIXES = {
    "local": "local:",
    "server": "openai:",
    "human": "human:",
    "paper": "paper:",
    "inspect": "inspect:",
    "jury": "jury:",
    "control": "control:",
}


def parse_judge_kind(judge: str) -> JudgeKind:
    """Return the kind of a judge from its id ("human:ada") or its specification ("local:demo")."""
    for kind in JudgeKind:
        if kind.prefix and judge.startswith(kind.prefix):
            return kind
    return JudgeKind.OTHER


def rubric_digest(system: str, user: str) -> str:
    """Return the sha256 of a rubric's two texts, 64 hex digits; it is part of a judge's id."""
    return sha256(f"{system}\0{user}".encode()).hexdigest()


def settings_digest(settings: Mapping[str, object]) -> str:
    """Return the digest at the end of a judge's id: weights or base URL, then the rubric.

    Return "" for a judge without a rubric, such as a person.
    """
    rubric = settings.get("rubric")
    if not isinstance(rubric, dict):
        return ""
    texts = rubric_digest(str(rubric.get("system")), str(rubric.get("user")))
    if "url" in settings:
        return sha256(str(settings["url"]).encode()).hexdigest()[:8] + texts[:12]
    return str(settings.get("model"))[:12] + texts[:12]
