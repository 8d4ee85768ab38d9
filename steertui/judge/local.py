"""A GGUF as judge: the four labels' likelihoods after the rubric, the task and the answer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from steertui.core.model import Model
from steertui.core.prompt import ChatFormat, neutralise_control_tokens
from steertui.core.verdict import Debias, Label, Verdict, settings_mark
from steertui.judge.label_order import TURNS, Places, Turns, over_turns, without_places
from steertui.judge.rubric import LABEL_END, REPLY_START, JudgeCase, Rubric

REASON_START = '", "reason": "'

AS_LISTED: Debias = "rubric"

METHOD = 2
"""Counts the ways in which likelihoods were made into verdicts: labels of two are never mixed."""


@dataclass(frozen=True, slots=True)
class LocalJudge:
    """A model with a rubric.

    A label's likelihood is that of a reply bound to the four labels (see `engine.scoring`), so
    how many tokens a label has does nothing to it.

    Attributes:
        blind: whether it sees the task without its suffix.
        order: what is done about the labels' order in the rubric (see `judge.order`).
    """

    model: Model
    rubric: Rubric
    blind: bool = False
    order: Debias = AS_LISTED

    @property
    def name(self) -> str:
        """For tables: "local:demo", with what is not the usual."""
        extras = [self.rubric.name] if self.rubric.name != "steertui" else []
        extras += ["blind"] if self.blind else []
        extras += [f"order:{self.order}"] if self.order != AS_LISTED else []
        return "/".join(["local:" + self.model.name, *extras])

    @property
    def id(self) -> str:
        """For the store: the same only for the same weights, rubric, view and way to read."""
        return f"{self.name}#{settings_mark(self.settings)}.{METHOD}"

    @property
    def settings(self) -> dict[str, object]:
        """All that is needed to judge so again."""
        return {
            "kind": "local, likelihood of the labels in a reply bound to them",
            "model": self.model.sha256,
            "rubric": {"system": self.rubric.system, "user": self.rubric.user},
            "blind": self.blind,
            "label_order": self.order,
        }

    def prompts(
        self, chat: ChatFormat, cases: Sequence[JudgeCase], turns: Sequence[int] = ()
    ) -> list[str]:
        """Return each case's whole prompt, up to where the label begins.

        `turns` say by how many places the rubric's labels are turned for each case.
        """
        turned = turns or [0] * len(cases)
        asked = [self._messages(chat, *pair) for pair in zip(cases, turned, strict=True)]
        return [text + REPLY_START for text in chat.render(asked, thinking=False)]

    def _messages(self, chat: ChatFormat, case: JudgeCase, turn: int) -> tuple[str, str]:
        """Return the system and the user message.

        A special token's text inside the answer is broken up: the answer is data.
        """
        task, answer = (
            neutralise_control_tokens(text, chat.control) for text in (case.task, case.answer)
        )
        safe = replace(case, task=task, answer=answer)
        rubric = self.rubric.turned(turn) if turn else self.rubric
        assert rubric
        system, user = rubric.messages(safe)
        return system.strip(), user

    def verdict(self, turns: Turns, places: Places | None, seconds: float) -> Verdict:
        """Return the verdict that the labels' log-likelihoods by turn amount to: their mean where
        all turns are there, otherwise those of the first, without what `places` draw."""
        is_whole = len(turns) == TURNS
        chances = over_turns(turns) if is_whole else without_places(turns[0], places)
        label = list(Label)[chances.index(max(chances))]
        return Verdict(self.id, label, "", chances, "", seconds)


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
