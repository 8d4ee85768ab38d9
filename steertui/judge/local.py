"""A GGUF as judge: the four labels' likelihoods after the rubric, the task and the answer."""

import json
from dataclasses import dataclass, replace

import numpy as np

from steertui.judge.rubric import LABEL_END, REPLY_START, Case, Rubric
from steertui.model import Model
from steertui.prompt import ChatFormat, defuse
from steertui.verdict import Label, Verdict

REASON_START = '", "reason": "'


@dataclass(frozen=True, slots=True)
class LocalJudge:
    """A model with a rubric.

    Attributes:
        blind: whether it sees the task without its suffix.
    """

    model: Model
    rubric: Rubric
    blind: bool = False

    @property
    def name(self) -> str:
        """For tables: "local:demo", with what is not the usual."""
        extras = [self.rubric.name] if self.rubric.name != "steertui" else []
        return "/".join(["local:" + self.model.name, *extras, *(["blind"] if self.blind else [])])

    @property
    def id(self) -> str:
        """For the store: the same only for the same weights, rubric and view."""
        return f"{self.name}#{self.model.sha256[:12]}{self.rubric.sha256[:12]}"

    @property
    def settings(self) -> dict[str, object]:
        """All that is needed to judge so again."""
        return {
            "kind": "local, likelihood of the labels",
            "model": self.model.sha256,
            "rubric": {"system": self.rubric.system, "user": self.rubric.user},
            "blind": self.blind,
        }

    def prompt(self, chat: ChatFormat, case: Case) -> str:
        """Return the whole prompt, up to where the label begins.

        A special token's text inside the answer is broken up: the answer is data.
        """
        safe = replace(case, task=defuse(case.task), answer=defuse(case.answer))
        system, user = self.rubric.messages(safe)
        return chat.render(system.strip(), user, thinking=False) + REPLY_START

    def verdict(self, logliks: tuple[float, ...], seconds: float, reason: str = "") -> Verdict:
        """Return the verdict that the labels' log-likelihoods, in `Label`'s order, amount to."""
        scores = np.asarray(logliks)
        if not np.isfinite(scores).all():
            return Verdict(self.id, None, failure="the labels' likelihoods are not finite")
        powers = np.exp(scores - scores.max())
        chances = tuple(float(p) for p in powers / powers.sum())
        label = list(Label)[int(scores.argmax())]
        return Verdict(self.id, label, "", chances, reason, seconds)


LABEL_TEXTS = tuple(f"{label}{LABEL_END}" for label in Label)
"""The continuations that are scored, in `Label`'s order."""


def reason_prompt(prompt: str, label: Label) -> str:
    """Return the prompt that goes on from the label to the reason."""
    return f"{prompt}{label}{REASON_START}"


def read_reason(text: str) -> str:
    """Return the reason, read as the JSON string that it began as; "" where there is none."""
    end = 0
    while (end := text.find('"', end)) >= 0:
        if not (len(text[:end]) - len(text[:end].rstrip("\\"))) % 2:
            break
        end += 1
    try:
        return str(json.loads(f'"{text[:end]}"')) if end > 0 else ""
    except json.JSONDecodeError:
        return ""
