"""Records that the store returns or takes: settings, judges, answers, replies, experiments."""

from dataclasses import dataclass
from typing import NamedTuple

from steertui.core.judge_kind import JudgeKind
from steertui.core.model import ModelBackend
from steertui.core.verdict import Label


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Metadata of a model, from its GGUF or its server.

    Attributes:
        title: the model's title ("general.name" in a GGUF).
        architecture: such as "qwen3".
        description: architecture, size and quantisation in one line.
        parameters: number of parameters, 0 if unknown.
        template: chat template (Jinja).
        template_sha256: of the chat template.
        notes: what a user must know of the prompts, each a sentence without a full stop.
    """

    title: str
    architecture: str
    description: str
    parameters: int
    template: str
    template_sha256: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSetting:
    """A model at a temperature: the subject of one table of rates.

    Attributes:
        model: identity of the weights (`Model.sha256`), since two files may have one name.
        name: short name for tables.
        title: the model's title in its metadata.
        temperature: sampling temperature, 0 for greedy decoding.
        backend: where the answers come from.
    """

    model: str
    name: str
    title: str
    temperature: float
    backend: ModelBackend = ModelBackend.GGUF


class LastLabel(NamedTuple):
    """The newest label of a person in an experiment.

    Attributes:
        key: key of the trial.
        is_final: whether the person saw the agreement with a judge after giving it.
        kept: the newest label of this answer that the agreement followed; None for none.
    """

    key: str
    is_final: bool
    kept: Label | None


@dataclass(frozen=True, slots=True)
class JudgeInfo:
    """A judge with at least one verdict.

    Attributes:
        id: the judge's id.
        name: name for tables.
        title: title of its model, "" for none.
        kind: kind of judge.
        rubric_sha256: hash of the rubric's texts (`rubric_digest`), "" without a rubric.
    """

    id: str
    name: str
    title: str
    kind: JudgeKind
    rubric_sha256: str = ""


@dataclass(frozen=True, slots=True)
class TrialStatus:
    """State of an answered trial under one judge: its label, or whether the judge failed."""

    label: Label | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class UnjudgedAnswer:
    """An answer without a label of a judge.

    Attributes:
        key: key of the trial.
        category: the scenario's category.
        context: the scenario's system message, which describes the category.
        task: the user message without the suffix, for judges that do not see it.
        user: the user message that the model received.
        answer: what the model wrote after its reasoning.
    """

    key: str
    category: str
    context: str
    task: str
    user: str
    answer: str


@dataclass(frozen=True, slots=True)
class JudgeReply:
    """A judge server's reply and its cost.

    Attributes:
        request_format: description of the request format.
        model: model name that the server reported.
        request_id: the server's id of the request.
        text: the reply.
        input_tokens: prompt tokens as the server counted them.
        cached_tokens: those of them that the server had cached.
        output_tokens: tokens of the reply.
        dollars: cost in US dollars, None if no price is known.
    """

    request_format: str
    model: str
    request_id: str
    text: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    dollars: float | None


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """Origin of an answer that a server wrote.

    Attributes:
        url: address of the server.
        prompt_mode: "prompt" if the prompt was rendered here, "messages" if by the server.
        model: model name that the server reported.
        fingerprint: system fingerprint that the server reported, "" for none.
        request_id: the server's id of the request.
        attempts: number of requests for this answer.
    """

    url: str
    prompt_mode: str
    model: str
    fingerprint: str
    request_id: str
    attempts: int


@dataclass(frozen=True, slots=True)
class AnswerLoglik:
    """Log-likelihood of a generated text under the unsteered model.

    Attributes:
        prompt: text after which the text was scored.
        tokens: number of scored tokens; 0 for an empty text.
        loglik: their natural log-likelihood together, at most 0; 0 for an empty text.
    """

    prompt: str
    tokens: int
    loglik: float


@dataclass(frozen=True, slots=True)
class JudgeCost:
    """Cost of a judge's replies so far.

    Attributes:
        replies: number of replies.
        input_tokens: prompt tokens as the server counted them.
        output_tokens: tokens of the replies.
        dollars: cost in US dollars, None if no price is known.
    """

    replies: int
    input_tokens: int
    output_tokens: int
    dollars: float | None


class StoredExperiment(NamedTuple):
    """A planned experiment.

    Attributes:
        id: hash of its trials' keys, 16 hex digits.
        toml: the newest experiment file.
        created_at: time of the first plan, ISO 8601 in UTC.
        planned_at: time of the newest plan.
        trials: number of trials.
    """

    id: str
    toml: str
    created_at: str
    planned_at: str
    trials: int


class AnswerParts(NamedTuple):
    """A generated text split into reasoning and answer."""

    reasoning: str
    answer: str
