"""Prediction of the time of missing answers, from each model's newest run.

The run is in the database, else it was on this machine: speed and answer lengths are kept in a file
of the user's state folder. Losing it loses only predictions.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from steertui.output_files import whole
from steertui.paths import user_state
from steertui.store import Store
from steertui.store.answer_times import AnswerTimes, Lengths, answer_times
from steertui.untrusted import InvalidJsonError, parse_json

FOLDER = "rates"
FILE = "answer-times.json"

MAX_MODELS = 500
"""Models that are kept, those that ran last."""

MAX_LENGTHS = 64
"""Different lengths of complete answers that are kept per model; closer ones are rounded."""


@dataclass(frozen=True, slots=True)
class MissingAnswer:
    """An answer to generate.

    Attributes:
        model: the model's identity (`Model.sha256`).
        max_tokens: its maximum number of new tokens; 0 if it is unknown.
        known_tokens: new tokens that it has at least, if the maximum allows them: a greedy answer
            to the same prompt has them. None if there is none.
    """

    model: str
    max_tokens: int
    known_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class SecondsPerAnswer:
    """Predicted mean seconds per missing answer, at the speed of each model's newest run.

    `low` and `high` differ where the maximum number of new tokens is not that of the run. A higher
    maximum continues answers that reached the old one: `low` if they end there, `high` if they
    reach the new one. The share of the time that reading the prompts takes is unknown: one bound
    has no such time, the other has as much per token of a prompt as per new token.

    Attributes:
        low: lower bound.
        high: upper bound.
        at_limit: if all answers have their maximum number of new tokens.
    """

    low: float
    high: float
    at_limit: float


def note_rate(store: Store, model: str) -> None:
    """Keep speed and lengths of a model's newest run in a database, if it has one."""
    times = answer_times(store, model)
    if times is None:
        return
    others = {name: value for name, value in _kept().items() if name != model}
    entry = asdict(times) | {"complete": _rounded(times.complete)}
    kept = dict([*others.items(), (model, entry)][-MAX_MODELS:])
    with suppress(OSError):  # a read-only or full disk: the file stays as it was
        folder = user_state(FOLDER)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole(folder / FILE) as file:
            file.write(json.dumps(kept).encode())


def predict_seconds(
    store: Store | None, missing: Mapping[MissingAnswer, int]
) -> SecondsPerAnswer | None:
    """Return the mean over missing answers, given with their counts; None if a model never ran."""
    total = sum(missing.values())
    if not total or not all(answer.max_tokens for answer in missing):
        return None
    kept = _kept()
    runs = {
        model: (store and answer_times(store, model)) or _parse(kept.get(model))
        for model in {answer.model for answer in missing}
    }
    low = high = at_limit = 0.0
    for answer, count in missing.items():
        run = runs[answer.model]
        if run is None:
            return None
        each = _predict(run, answer)
        low += count * each.low
        high += count * each.high
        at_limit += count * each.at_limit
    return SecondsPerAnswer(low / total, high / total, at_limit / total)


def _predict(run: AnswerTimes, answer: MissingAnswer) -> SecondsPerAnswer:
    limit, known = answer.max_tokens, answer.known_tokens
    complete, truncated = (run.complete, run.truncated) if known is None else ((), ((known, 1),))
    ended = [(min(tokens, limit), count) for tokens, count in complete]
    shortest = [*ended, *((min(tokens, limit), count) for tokens, count in truncated)]
    longest = [*ended, *((limit, count) for _, count in truncated)]
    return SecondsPerAnswer(
        low=min(_bounds(run, _mean(shortest))),
        high=max(_bounds(run, _mean(longest))),
        at_limit=max(_bounds(run, limit)),
    )


def _bounds(run: AnswerTimes, tokens: float) -> tuple[float, float]:
    """Return the seconds of an answer of this length by the two bounds of a prompt token's cost."""
    before = _mean([*run.complete, *run.truncated])
    by_new, by_all = (
        run.seconds * max(1.0, prompt + tokens) / max(1.0, prompt + before)
        for prompt in (0.0, run.prompt_tokens)
    )
    return by_new, by_all


def _mean(lengths: Collection[tuple[int, int]]) -> float:
    return sum(tokens * count for tokens, count in lengths) / sum(count for _, count in lengths)


def _rounded(lengths: Lengths) -> Lengths:
    """Return at most about `MAX_LENGTHS` different lengths, each the nearest multiple of a step."""
    step = -(-max((tokens for tokens, _ in lengths), default=1) // MAX_LENGTHS) or 1
    counts = Counter[int]()
    for tokens, count in lengths:
        counts[step * round(tokens / step)] += count
    return tuple(counts.items())


def _kept() -> dict[str, Any]:
    """Return the entries of this machine by the model's identity; {} for a damaged file."""
    try:
        entries = parse_json((user_state(FOLDER) / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, InvalidJsonError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _parse(entry: Any) -> AnswerTimes | None:
    """Return a kept entry; None if it is missing or damaged."""
    try:
        times = AnswerTimes(
            seconds=float(entry["seconds"]),
            prompt_tokens=float(entry["prompt_tokens"]),
            complete=_parse_lengths(entry["complete"]),
            truncated=_parse_lengths(entry["truncated"]),
        )
    except (ValueError, TypeError, KeyError):
        return None
    is_valid = times.seconds > 0 <= times.prompt_tokens and (times.complete or times.truncated)
    return times if is_valid else None


def _parse_lengths(entries: Any) -> Lengths:
    """Return parsed lengths; raises ValueError for one that no answer has."""
    lengths = tuple((int(tokens), int(count)) for tokens, count in entries)
    if any(tokens < 0 or count < 1 for tokens, count in lengths):
        raise ValueError(entries)
    return lengths
