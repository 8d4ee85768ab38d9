"""Speed and answer lengths of a model in its newest run, from which a plan's time is predicted."""

from dataclasses import dataclass

from steertui.core.generation import StopReason
from steertui.store.store import Store

MIN_ANSWERS = 10
"""Answers of a run that are needed to estimate its speed."""

Lengths = tuple[tuple[int, int], ...]
"""(new tokens, number of answers) pairs."""


@dataclass(frozen=True, slots=True)
class AnswerTimes:
    """Speed and answer lengths of a run of one model.

    Attributes:
        seconds: mean seconds per answer, with all answers that were generated at the same time.
        prompt_tokens: mean tokens of a prompt.
        complete: lengths of the answers that ended by themselves.
        truncated: lengths of the answers that reached their limit of new tokens, and of those whose
            stop reason is unknown.
    """

    seconds: float
    prompt_tokens: float
    complete: Lengths
    truncated: Lengths


def answer_times(store: Store, model: str) -> AnswerTimes | None:
    """Return speed and lengths in a model's newest run of at least `MIN_ANSWERS` answers.

    The run's time begins when its first answer was begun: answers generated at the same time are
    stored at nearly the same time. Pauses are left out. None if it has no such run. `model` is the
    model's identity (`Model.sha256`).
    """
    sql = """SELECT g.run, avg(g.prompt_tokens) AS prompt_tokens,
            (86400 * max(julianday(g.created_at))
                - min(86400 * julianday(g.created_at) - g.seconds)) / count(*) AS seconds
        FROM trials AS t JOIN generations AS g ON g.trial = t.key
        WHERE t.model = ? GROUP BY g.run HAVING count(*) >= ? AND seconds > 0
        ORDER BY g.run DESC LIMIT 1"""
    for run, prompt_tokens, seconds in store.tuples(sql, [model, MIN_ANSWERS]):
        seconds -= _seconds_at_rest(store, model, run)
        complete, truncated = (_lengths(store, model, run, ended=ended) for ended in (1, 0))
        return AnswerTimes(seconds, prompt_tokens, complete, truncated)
    return None


def _seconds_at_rest(store: Store, model: str, run: int) -> float:
    """Return the seconds per answer at which a run with engines generated none: its pauses.

    A run on servers, whose settings are no list of engines, waits for them, too: that time counts.
    """
    sql = """WITH spans AS (
            SELECT 86400 * julianday(g.created_at) - g.seconds AS begun,
                86400 * julianday(g.created_at) AS ended
            FROM trials AS t JOIN generations AS g ON g.trial = t.key JOIN runs AS r ON r.id = g.run
            WHERE t.model = ? AND g.run = ? AND json_type(r.settings) = 'array'),
        gaps AS (
            SELECT begun - max(ended) OVER (
                ORDER BY begun ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS gap
            FROM spans)
        SELECT coalesce(sum(max(gap, 0)), 0) / max((SELECT count(*) FROM spans), 1) FROM gaps"""
    return float(store.column(sql, [model, run])[0])


def _lengths(store: Store, model: str, run: int, *, ended: int) -> Lengths:
    """Return the lengths of a run's answers that ended by themselves (1), or of the others (0)."""
    sql = """SELECT g.tokens, count(*) FROM trials AS t JOIN generations AS g ON g.trial = t.key
        WHERE t.model = ? AND g.run = ? AND (g.stop = ?) = ? GROUP BY g.tokens"""
    rows = store.tuples(sql, [model, run, StopReason.STOP, ended])
    return tuple((int(tokens), int(count)) for tokens, count in rows)
