"""Judges of an experiment: resolved from their names and registered in the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from steertui.assets.weights import find_model, locate_weights
from steertui.core.experiment import Experiment
from steertui.core.judge_kind import JudgeKind, parse_judge_kind
from steertui.core.model import DEMO, SERVER_PREFIX, is_server
from steertui.core.verdict import Debias, Label
from steertui.engine.vocabulary import DEFAULT_TEMPLATE, vocabulary
from steertui.errors import JudgeError, ModelError
from steertui.judge.control import ControlSet
from steertui.judge.local import LocalJudge
from steertui.judge.price import Price, parse_price
from steertui.judge.rubric import JudgeCase, Rubric, load_rubric
from steertui.judge.sampling import PAPER_SAMPLING, JudgeSampling
from steertui.judge.server import ServerJudge, parse_server_judge
from steertui.planning.chat_formats import chat_format, format_notes
from steertui.server.limits import DEFAULT_RETRY_POLICY, RetryPolicy
from steertui.store import Store, UnjudgedAnswer
from steertui.store.judge_queries import JudgeRecord, local_judges
from steertui.untrusted import parse_json

NO_JUDGE = "none"
"""Name that stands for no judge."""

Judge = LocalJudge | ServerJudge

Named = TypeVar("Named", LocalJudge | ServerJudge, LocalJudge | ServerJudge | str)
"""A judge, or also the name of one whose weights cannot be opened."""


@dataclass(frozen=True, slots=True)
class JudgeServerOptions:
    """Options for requests to servers. All but `answers` are about judges.

    Attributes:
        concurrency: requests in flight per judge.
        timeout: seconds for one reply.
        retries: attempts after the first.
        max_cost: US dollars that one run may spend on all judges together; None for no limit.
        price: US dollars per million tokens, as "IN,OUT"; "" for OpenAI's list price.
        answers: retry policy for models that answer.
        batches: whether the Batch API is used: half the price, replies within a day.
        control_set: read by every judge before its labels count; None to leave it out.
    """

    concurrency: int = 16
    timeout: float = 60.0
    retries: int = 5
    max_cost: float | None = None
    price: str = ""
    answers: RetryPolicy = DEFAULT_RETRY_POLICY
    batches: bool = False
    control_set: ControlSet | None = None


DEFAULT_OPTIONS = JudgeServerOptions()


def judge_names(experiment: Experiment) -> list[str]:
    """Return the names of an experiment's judges, without "none".

    If no judge is named, the demo model judges itself. Answers of other models stay unjudged, since
    the demo model can only judge its own.
    """
    if not experiment.judges and experiment.models == [DEMO]:
        return [f"{JudgeKind.LOCAL.prefix}{DEMO}"]
    return [name for name in experiment.judges if name != NO_JUDGE]


def require_judges_or_none(names: Sequence[str]) -> None:
    """Raise JudgeError if "none" is named beside a judge."""
    if NO_JUDGE in names and set(names) != {NO_JUDGE}:
        raise JudgeError("judges: none and a judge are named; leave one of them out")


def distinct_judges(names: Sequence[str]) -> list[str]:
    """Return each judge's name once, without "none"; raises JudgeError for both together."""
    require_judges_or_none(names)
    return [name for name in dict.fromkeys(names) if name != NO_JUDGE]


def judge_sampling(experiment: Experiment) -> JudgeSampling:
    """Return the sampling of an experiment's judges behind servers."""
    return JudgeSampling(
        max_tokens=experiment.judge_max_tokens,
        temperature=experiment.judge_temperature,
        reasoning_effort=experiment.judge_reasoning_effort,
    )


def openable_judges(
    experiment: Experiment, options: JudgeServerOptions, *, is_agreed: bool
) -> list[Judge | str]:
    """Return the judges; the name of a local one if its weights are missing or not agreed to."""
    require_judges_or_none(experiment.judges)
    names = judge_names(experiment)
    openable = [
        name
        for name in names
        if parse_judge_kind(name) is not JudgeKind.LOCAL
        or (is_agreed and locate_weights(name.removeprefix(JudgeKind.LOCAL.prefix)))
    ]
    judges = find_judges(
        openable,
        experiment.rubric,
        experiment.hide_suffix,
        options,
        debias=experiment.debias,
        sampling=judge_sampling(experiment),
    )
    by_name = dict(zip(openable, judges, strict=True))
    return [by_name.get(name, name) for name in names]


def find_judges(
    names: Sequence[str],
    rubric: str,
    hide_suffix: bool,
    options: JudgeServerOptions,
    *,
    debias: Debias = "none",
    sampling: JudgeSampling = PAPER_SAMPLING,
) -> tuple[Judge, ...]:
    """Return the judges of these names; "none" is skipped.

    `debias` applies to local judges, `sampling` to judges behind servers.

    Raises JudgeError or ModelError for a wrong name, and if a cost limit is set for a judge without
    a known price.
    """
    loaded_rubric = load_rubric(rubric)
    price = parse_price(options.price) if options.price else None
    judges = tuple(
        find_judge(
            name,
            loaded_rubric,
            hide_suffix,
            price=price,
            debias=debias,
            batches=options.batches,
            sampling=sampling,
        )
        for name in names
        if name != NO_JUDGE
    )
    if len({judge.id for judge in judges}) < len(judges):
        raise JudgeError("judges: two names refer to the same judge; leave one out")
    for judge in judges:
        if options.max_cost is not None and isinstance(judge, ServerJudge) and not judge.price:
            raise JudgeError(
                f"{judge.name}: its price is not known, so --max-cost cannot be kept; give the "
                "price as --judge-price IN,OUT"
            )
    return judges


def find_judge(
    name: str,
    rubric: Rubric,
    hide_suffix: bool,
    *,
    price: Price | None = None,
    debias: Debias = "none",
    batches: bool = False,
    sampling: JudgeSampling = PAPER_SAMPLING,
) -> Judge:
    """Return the judge "local:demo", "openai:gpt-5.2" or "openai:MODEL@BASE_URL"."""
    kind = parse_judge_kind(name)
    model = name.removeprefix(kind.prefix)
    if kind is JudgeKind.LOCAL and model:
        if debias != "none" and rubric.rotated(1) is None:
            raise JudgeError(
                f"debiasing {debias}: rubric {rubric.name} does not list the four labels in "
                f"the order {', '.join(Label)}, one per line, so their order cannot be changed; "
                "use debiasing none"
            )
        return LocalJudge(find_model(model), rubric, hide_suffix, debias)
    if kind is JudgeKind.SERVER and model:
        return parse_server_judge(
            name,
            rubric,
            hide_suffix=hide_suffix,
            price=price,
            in_batches=batches,
            sampling=sampling,
        )
    raise JudgeError(
        f"{name}: no such judge; write local:MODEL, openai:MODEL or openai:MODEL@BASE_URL"
    )


def with_stored_names(judges: Sequence[Named], store: Store) -> tuple[Named, ...]:
    """Return the judges, those of renamed weight files under the name that the store has.

    A judge is its weights, rubric, view and method: it labels an answer once, whatever its file is
    called.
    """
    stored = local_judges(store)
    return tuple(
        _as_stored(judge, stored) if isinstance(judge, LocalJudge) else judge for judge in judges
    )


def _as_stored(judge: LocalJudge, stored: Sequence[JudgeRecord]) -> LocalJudge:
    if any(record.id == judge.id for record in stored):
        return judge
    for record in stored:
        renamed = replace(judge, stored_name=record.name)
        settings = parse_json(record.settings)
        if renamed.id == record.id and settings == settings | judge.settings:
            return renamed
    return judge


def judge_specification(name: str) -> str:
    """Return a judge's specification from that of a model: "server:MODEL@URL", a name or a path."""
    if parse_judge_kind(name) is not JudgeKind.OTHER:
        return name
    if is_server(name):
        return JudgeKind.SERVER.prefix + name.removeprefix(SERVER_PREFIX)
    return JudgeKind.LOCAL.prefix + name


class JudgeDescription(NamedTuple):
    """What is read of a judge's GGUF before it is used.

    Attributes:
        title: the GGUF's title; "" for a judge behind a server.
        notes: what a user must know of its prompts, each a sentence without a full stop.
    """

    title: str = ""
    notes: tuple[str, ...] = ()

    @property
    def settings(self) -> dict[str, object]:
        """The description as a part of the judge's stored settings."""
        return {"title": self.title} | ({"notes": list(self.notes)} if self.notes else {})


def register_judges(
    judges: Sequence[Judge], descriptions: Sequence[JudgeDescription], store: Store
) -> None:
    """Add the judges to the store, with what is known of their models."""
    for judge, description in zip(judges, descriptions, strict=True):
        store.add_judge(judge.id, judge.name, judge.settings | description.settings)


def describe_judge(judge: Judge) -> JudgeDescription:
    """Return the title of a local judge's GGUF and the notes on its prompts.

    Raises ModelError if the GGUF cannot render the judge's prompt, or its context is unknown.
    """
    if isinstance(judge, ServerJudge):
        return JudgeDescription()
    with vocabulary(judge.model.path) as gguf:
        gguf.require_context()
        if not gguf.chat_templates.get(DEFAULT_TEMPLATE):
            raise ModelError(
                f"{judge.name}: its GGUF has no default chat template, and a judge uses no other "
                "one; choose another judge"
            )
        chat = chat_format(gguf, judge.model.name)
        judge.prompts(chat, [JudgeCase("category", "", "task", "answer")])
        return JudgeDescription(gguf.meta("general.name"), format_notes(gguf, chat))


def check_context(
    judges: Sequence[Judge], unjudged: Mapping[str, Sequence[UnjudgedAnswer]]
) -> None:
    """Raise JudgeError if a rubric shows the category's text and an answer has none.

    `unjudged` are the answers that each judge is to label, by judge id.
    """
    for judge in judges:
        answers = unjudged[judge.id] if judge.rubric.needs_context else []
        if any(not answer.context for answer in answers):
            raise JudgeError(
                f"rubric {judge.rubric.name}: it shows the category's text, which these answers "
                "lack; import them with their scenario packs, or choose another rubric"
            )


def judge_case(answer: UnjudgedAnswer, *, hide_suffix: bool) -> JudgeCase:
    """Return what a judge is shown of an answer; without the suffix if it is hidden."""
    task = answer.task if hide_suffix else answer.user
    return JudgeCase(answer.category, answer.context, task, answer.answer)
