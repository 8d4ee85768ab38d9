"""Local judge: log-likelihoods of the four labels after rubric, task and answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from steertui.core.judge_kind import settings_digest
from steertui.core.model import Model
from steertui.core.prompt import ChatFormat, neutralise_control_tokens
from steertui.core.verdict import Debias, Label, Verdict
from steertui.judge.label_order import (
    ROTATIONS,
    LogliksByRotation,
    PositionPrior,
    is_uniform,
    likeliest,
    mean_over_rotations,
    remove_prior,
)
from steertui.judge.rubric import LABEL_END, REPLY_START, JudgeCase, Rubric
from steertui.untrusted import InvalidJsonError, parse_json

REASON_START = '", "reason": "'
"""Text between the label and the reason of a reply."""

STORED_DEBIAS: Mapping[Debias, str] = MappingProxyType(
    {"none": "rubric", "estimate": "sampled", "permute": "all"}
)
"""Values of `debias` in judges' names and settings.

Judge ids are hashes of the settings. They keep the first names, so that stored labels stay valid.
"""

METHOD = 2
"""Version of the method that turns likelihoods into verdicts. It is part of a judge's id, so that
labels of two methods are never mixed."""


@dataclass(frozen=True, slots=True)
class LocalJudge:
    """A GGUF with a rubric.

    A label's likelihood is that of a reply constrained to the four labels (see
    `engine.continuation_scores`). Therefore it does not depend on the label's number of tokens.

    Attributes:
        model: the GGUF.
        rubric: the instruction.
        hide_suffix: whether the judge gets the task without its suffix.
        debias: how the labels' order in the rubric is corrected for (see `judge.label_order`).
        stored_name: name under which a database has this judge, if the file of its weights had
            another name then; "" for the present one.
    """

    model: Model
    rubric: Rubric
    hide_suffix: bool = False
    debias: Debias = "none"
    stored_name: str = ""

    @property
    def name(self) -> str:
        """Name in tables: "local:demo", with the settings that are not the default."""
        if self.stored_name:
            return self.stored_name
        extras = [self.rubric.name] if self.rubric.name != "steertui" else []
        extras += ["blind"] if self.hide_suffix else []
        extras += [f"order:{STORED_DEBIAS[self.debias]}"] if self.debias != "none" else []
        return "/".join(["local:" + self.model.name, *extras])

    @property
    def id(self) -> str:
        """Identity in the store: weights, rubric, view and method."""
        return f"{self.name}#{settings_digest(self.settings)}.{METHOD}"

    @property
    def settings(self) -> dict[str, object]:
        """Settings that reproduce the judge, as stored.

        Keys and values are hashed into the judge's id and keep their first names.
        """
        return {
            "kind": "local, likelihood of the labels in a reply bound to them",
            "model": self.model.sha256,
            "rubric": {"system": self.rubric.system, "user": self.rubric.user},
            "blind": self.hide_suffix,
            "label_order": STORED_DEBIAS[self.debias],
        }

    def prompts(
        self, chat: ChatFormat, cases: Sequence[JudgeCase], rotations: Sequence[int] = ()
    ) -> list[str]:
        """Return each case's whole prompt up to the label.

        `rotations` gives for each case the rotation of the rubric's labels [default: 0].
        """
        pairs = zip(cases, rotations or [0] * len(cases), strict=True)
        messages = [self._messages(chat, case, rotation) for case, rotation in pairs]
        return [text + REPLY_START for text in chat.render(messages, thinking=False)]

    def _messages(self, chat: ChatFormat, case: JudgeCase, rotation: int) -> tuple[str, str]:
        """Return the system and the user message.

        Control tokens in task and answer are neutralised, since both are data.
        """
        task, answer = (
            neutralise_control_tokens(text, chat.control) for text in (case.task, case.answer)
        )
        safe = replace(case, task=task, answer=answer)
        rubric = self.rubric.rotated(rotation) if rotation else self.rubric
        assert rubric
        system, user = rubric.messages(safe)
        return system.strip(), user

    def verdict(
        self, logliks: LogliksByRotation, prior: PositionPrior | None, seconds: float
    ) -> Verdict:
        """Return the verdict for the labels' log-likelihoods: the likeliest label.

        Two or more labels that are equally likely are a failure, since any choice among them would
        only reflect their order. The probabilities are the mean over all rotations if they are
        complete, otherwise those of the rubric's own order without the position prior.
        """
        if len(logliks) == ROTATIONS:
            probabilities = mean_over_rotations(logliks)
        elif is_uniform(logliks[0]):  # dividing by the prior would choose by position alone
            probabilities = remove_prior(logliks[0], None)
        else:
            probabilities = remove_prior(logliks[0], prior)
        label, *others = (list(Label)[i] for i in likeliest(probabilities))
        if others:
            names = ", ".join((label, *others))
            failure = f"{self.model.name} gives these labels the same likelihood: {names}"
            return Verdict(self.id, None, failure=failure, seconds=seconds)
        return Verdict(self.id, label, probabilities=probabilities, seconds=seconds)


LABEL_TEXTS = tuple(f"{label}{LABEL_END}" for label in Label)
"""Continuations that are scored, in `Label`'s order."""


def reason_prompt(prompt: str, label: Label) -> str:
    """Return the prompt that continues from the label to the reason."""
    return f"{prompt}{label}{REASON_START}"


def read_reason(text: str) -> str:
    """Return the reason in the continuation of `reason_prompt`, a JSON string; "" if malformed."""
    end = 0
    while (end := text.find('"', end)) >= 0:
        if not (len(text[:end]) - len(text[:end].rstrip("\\"))) % 2:
            break
        end += 1
    try:
        return str(parse_json(f'"{text[:end]}"')) if end > 0 else ""
    except InvalidJsonError:
        return ""
