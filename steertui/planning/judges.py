"""A Panel: the judges that were asked for, looked up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from steertui.assets.weights import find_model
from steertui.core.prompt import ChatFormat
from steertui.core.verdict import Debias, Label
from steertui.engine.vocabulary import Vocabulary, vocabulary
from steertui.errors import JudgeError
from steertui.judge.local import AS_LISTED, LocalJudge
from steertui.judge.price import Price, estimate_tokens, parse_price
from steertui.judge.rubric import JudgeCase, Rubric, load_rubric
from steertui.judge.server import ServerJudge, parse_server
from steertui.server.limits import DEFAULT_RETRY_POLICY, RetryPolicy
from steertui.store import Store, UnjudgedAnswer

NO_JUDGE = "none"

REPLY_TOKENS = 60
"""Of a label and a sentence, for estimates."""

Judge = LocalJudge | ServerJudge


@dataclass(frozen=True, slots=True)
class JudgeServerOptions:
    """How what is behind servers is asked; all but `answers` is about judges.

    Attributes:
        concurrency: questions at once, to each.
        timeout: seconds for a reply.
        retries: tries after the first.
        max_cost: dollars that one run may spend on them together; None for no ceiling.
        price: dollars as "IN,OUT" for a million tokens; "" for OpenAI's list price.
        answers: how models that answer are asked.
        batches: through the Batch API, at half the price and within a day.
    """

    concurrency: int = 16
    timeout: float = 60.0
    retries: int = 5
    max_cost: float | None = None
    price: str = ""
    answers: RetryPolicy = DEFAULT_RETRY_POLICY
    batches: bool = False


DEFAULT_OPTIONS = JudgeServerOptions()


def find_judges(
    specs: Sequence[str],
    rubric: str,
    blind: bool,
    terms: JudgeServerOptions,
    order: Debias = AS_LISTED,
) -> tuple[Judge, ...]:
    """Return the judges of these names, "none" left out; `order` is for local ones.

    Raises JudgeError or ModelError for a wrong name, and where a ceiling is set on a cost that
    nobody knows.
    """
    text = load_rubric(rubric)
    price = parse_price(terms.price) if terms.price else None
    found = tuple(
        find_judge(spec, text, blind, price, order, terms.batches)
        for spec in specs
        if spec != NO_JUDGE
    )
    if len({judge.id for judge in found}) < len(found):
        raise JudgeError("--judge: two names mean one judge; leave one out")
    for judge in found:
        if terms.max_cost is not None and isinstance(judge, ServerJudge) and not judge.price:
            raise JudgeError(
                f"{judge.name}: its price is not known, so --max-cost cannot hold; "
                "give it as --judge-price IN,OUT"
            )
    return found


def find_judge(
    spec: str,
    rubric: Rubric,
    blind: bool,
    price: Price | None = None,
    order: Debias = AS_LISTED,
    batches: bool = False,
) -> Judge:
    """Return the judge that "local:demo", "openai:gpt-5.2" or "openai:MODEL@URL" means."""
    kind, _, name = spec.partition(":")
    if kind == "local" and name:
        if order != AS_LISTED and rubric.turned(1) is None:
            raise JudgeError(
                f"--label-order {order}: rubric {rubric.name} does not list the four labels in "
                f"the order {', '.join(Label)}, a line each, so they cannot be turned; say "
                f"--label-order {AS_LISTED}"
            )
        return LocalJudge(find_model(name), rubric, blind, order)
    if kind == "openai" and name:
        return parse_server(spec, rubric, blind, price, batches)
    raise JudgeError(
        f"{spec}: no such judge; write local:MODEL, openai:MODEL or openai:MODEL@BASE_URL"
    )


def register_judges(judges: Sequence[Judge], titles: Sequence[str], store: Store) -> None:
    """Add the judges to the store, with their models' own titles."""
    for judge, told in zip(judges, titles, strict=True):
        store.add_judge(judge.id, judge.name, judge.settings | {"title": told})


def judge_title(judge: Judge) -> str:
    """Return what a local judge's GGUF calls itself, "" for a judge behind a server.

    Raises ModelError where the GGUF could not judge.
    """
    if isinstance(judge, ServerJudge):
        return ""
    with vocabulary(judge.model.path) as gguf:
        judge.prompts(
            chat_format(gguf, judge.model.name), [JudgeCase("category", "", "task", "answer")]
        )
        return gguf.meta("general.name")


def check_context(judges: Sequence[Judge], store: Store, experiment: str) -> None:
    """Raise JudgeError where a rubric shows the category's text and the answers have none."""
    for judge in judges:
        waiting = store.unjudged(experiment, judge.id) if judge.rubric.needs_context else []
        if any(not answer.context for answer in waiting):
            raise JudgeError(
                f"rubric {judge.rubric.name}: shows the category's own text, which these answers "
                "lack; import them with --scenarios, or choose another rubric"
            )


def case_of(answer: UnjudgedAnswer, *, blind: bool) -> JudgeCase:
    """Return what a judge is shown; a blind one sees the task without its suffix."""
    task = answer.task if blind else answer.user
    return JudgeCase(answer.category, answer.context, task, answer.answer)


def estimate_cost(judge: Judge, answers: Iterable[UnjudgedAnswer]) -> float | None:
    """Return about what judging the answers will cost in dollars: their length by characters, a
    reply of 60 tokens, nothing cached. None for a local judge, and without a price."""
    if not isinstance(judge, ServerJudge) or judge.price is None:
        return None
    asked = (judge.messages(case_of(answer, blind=judge.blind)) for answer in answers)
    whole = sum(judge.price.of(int(estimate_tokens(*texts)), 0, REPLY_TOKENS) for texts in asked)
    return whole * judge.discount


def chat_format(gguf: Vocabulary, name: str) -> ChatFormat:
    """Return the chat format that the GGUF carries; raises ModelError where it carries none."""
    return ChatFormat(
        sandbox=gguf.sandbox,
        template=gguf.meta("tokenizer.chat_template"),
        bos=gguf.bos,
        eos=gguf.eos,
        model=name,
        control=gguf.control_texts,
    )
