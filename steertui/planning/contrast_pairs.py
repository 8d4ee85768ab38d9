"""Contrast pairs for steering vectors: from two conditions over scenarios, or from a TOML file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from steertui.core.condition import Condition
from steertui.core.experiment import Experiment
from steertui.core.generation import SamplingParams
from steertui.core.model import Model
from steertui.core.prompt import ChatFormat
from steertui.core.scenario import Scenario
from steertui.core.trial import Trial
from steertui.engine.vocabulary import Vocabulary, vocabulary
from steertui.errors import ExperimentError, ScenarioError
from steertui.planning.chat_formats import chat_format
from steertui.planning.resolve import resolve_texts
from steertui.steering.pairs import Pair, PairSet, Text, answer_text, last_token
from steertui.toml_files import forbid_extra_keys, load_toml

TRAINING_PACK = "steering-train"
"""Shipped scenarios for training, different from those of the starter pack."""

ModelShape = tuple[str, int, int]
"""Architecture, number of layers and size of a hidden state."""


@dataclass(frozen=True, slots=True)
class PairTexts:
    """Names of the texts that become pairs.

    Attributes:
        positive: condition that the direction points to.
        negative: condition that it points away from.
        scenarios: packs.
        limit: maximum number of scenarios, taken in turn from the categories; 0 for all.
        conditions_file: as in an experiment.
        pairs_file: TOML file that replaces conditions and scenarios; None for none.
        template: chat template, as in an experiment; "" for the GGUF's default one.
    """

    positive: str = "pro"
    negative: str = "anti"
    scenarios: Sequence[str] = (TRAINING_PACK,)
    limit: int = 0
    conditions_file: str = ""
    pairs_file: Path | None = None
    template: str = ""


@forbid_extra_keys
@dataclass(frozen=True)
class _Pair:
    positive: str
    negative: str
    prompt: str = ""
    system: str = ""
    scenario: str = ""


@forbid_extra_keys
@dataclass(frozen=True)
class _File:
    format: int
    pair: list[_Pair] = field(default_factory=list)


def contrast_pairs(model: Model, texts: PairTexts) -> tuple[PairSet, ModelShape]:
    """Return the tokenised pairs for a model, and the model's shape.

    Prompts are rendered with the model's chat template, as in an experiment. Raises ExperimentError
    for unknown names, too few pairs or a text that exceeds the model's context.
    """
    with vocabulary(model.path) as gguf:
        chat = chat_format(gguf, model.name, texts.template)
        if texts.pairs_file:
            pairs = _pairs_of_file(texts.pairs_file, chat, gguf)
        else:
            pairs = _pairs_of_conditions(model, texts, chat, gguf)
        _check_lengths(pairs, gguf, model)
        return pairs, _shape(gguf)


def require_texts(texts: PairTexts) -> tuple[tuple[Scenario, ...], tuple[Condition, ...]]:
    """Return the scenarios, and the conditions of both sides, without reading a model.

    Raises ExperimentError or another error of `resolve_texts` for unknown names.
    """
    experiment = Experiment(
        scenarios=list(texts.scenarios),
        conditions=[texts.positive, texts.negative],
        conditions_file=texts.conditions_file,
        limit=texts.limit,
    )
    return resolve_texts(experiment)


def _shape(gguf: Vocabulary) -> ModelShape:
    architecture = gguf.meta("general.architecture")
    layers, width = (
        int(gguf.meta(f"{architecture}.{key}") or 0) for key in ("block_count", "embedding_length")
    )
    return architecture, layers, width


def _pairs_of_conditions(
    model: Model, texts: PairTexts, chat: ChatFormat, gguf: Vocabulary
) -> PairSet:
    scenarios, conditions = require_texts(texts)
    sides = [_prompts(model, scenarios, condition, chat, gguf) for condition in conditions]
    pairs = (Pair(s.name, *both) for s, *both in zip(scenarios, *sides, strict=True))
    return PairSet(
        pairs=tuple(pairs),
        position="last",
        positive=texts.positive,
        negative=texts.negative,
        scenarios=tuple(s.name for s in scenarios),
        tasks=tuple(s.task for s in scenarios),
    )


def _prompts(
    model: Model,
    scenarios: Sequence[Scenario],
    condition: Condition,
    chat: ChatFormat,
    gguf: Vocabulary,
) -> list[Text]:
    """Return the prompts of an experiment under a condition, read at their last token."""
    if condition.needs_weights:
        raise ExperimentError(
            f"{condition.name}: acts on hidden states or weights, and a contrast is between "
            "prompts; choose a condition of texts"
        )
    trials = [Trial(model, scenario, condition, SamplingParams()) for scenario in scenarios]
    prompts = [prompt.text for prompt in chat.write(trials)]
    return [last_token(tokens) for tokens in gguf.tokenize(prompts)]


def _pairs_of_file(path: Path, chat: ChatFormat, gguf: Vocabulary) -> PairSet:
    """Return the pairs of a TOML file: two user messages each, or a prompt and two answers."""
    file = load_toml(path, _File, ScenarioError)
    if file.format != 1:
        raise ScenarioError(f"{path}: format {file.format} is not known; this version reads 1")
    kinds = {bool(pair.prompt.strip()) for pair in file.pair}
    if len(kinds) > 1:
        raise ScenarioError(
            f"{path}: some pairs have a prompt and some have none; use two files, since the first "
            "are read over the answer and the others at the last token of the prompt"
        )
    has_answers = kinds == {True}
    sides = _answers if has_answers else _messages
    positive, negative = (sides(file.pair, name, chat, gguf) for name in ("positive", "negative"))
    groups = [pair.scenario or f"pair {i}" for i, pair in enumerate(file.pair, 1)]
    return PairSet(
        pairs=tuple(map(Pair, groups, positive, negative)),
        position="answer" if has_answers else "last",
        positive=f"{path.name}: positive",
        negative=f"{path.name}: negative",
        tasks=tuple(
            text
            for p in file.pair
            for text in ([p.prompt] if has_answers else [p.positive, p.negative])
        ),
    )


def _messages(pairs: Sequence[_Pair], side: str, chat: ChatFormat, gguf: Vocabulary) -> list[Text]:
    messages = [(pair.system.strip(), getattr(pair, side)) for pair in pairs]
    return [last_token(tokens) for tokens in gguf.tokenize(chat.render(messages))]


def _answers(pairs: Sequence[_Pair], side: str, chat: ChatFormat, gguf: Vocabulary) -> list[Text]:
    messages = [(pair.system.strip(), pair.prompt) for pair in pairs]
    prompts = chat.render(messages)
    answers = [getattr(pair, side).strip() for pair in pairs]
    whole = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
    tokens = zip(gguf.tokenize(prompts), gguf.tokenize(whole), strict=True)
    return [answer_text(*both, f"pair {i}") for i, both in enumerate(tokens, 1)]


def _check_lengths(pairs: PairSet, gguf: Vocabulary, model: Model) -> None:
    limit = gguf.require_context()
    for pair in pairs.pairs:
        longest = max(len(pair.positive.tokens), len(pair.negative.tokens))
        if limit and longest > limit:
            raise ExperimentError(
                f"{pair.group}: a text of this pair has {longest} tokens, and the context of "
                f"{model.name} is {limit}; shorten it"
            )
