"""Experiments that were open on this machine, newest first, with their state at that time.

They are kept in a file of the user's state folder. Losing it loses only this list.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from steertui.analysis.formatting import gap_columns
from steertui.analysis.sentences import Finding, GapResult
from steertui.analysis.summary import Summary
from steertui.core.experiment import parse_experiment, stored_name
from steertui.errors import SteertuiError
from steertui.output_files import whole
from steertui.paths import user_state
from steertui.planning.judges import JudgeServerOptions
from steertui.planning.stored_experiment import parse_stored
from steertui.printable import one_line
from steertui.store import JudgeInfo, Store
from steertui.store.progress_queries import answered_counts
from steertui.store.read_only import newest_change
from steertui.store.records import StoredExperiment
from steertui.tui.pending_labels import pending_labels, planned_judges
from steertui.tui.pending_scores import pending_scores
from steertui.units import counted
from steertui.untrusted import InvalidJsonError, parse_json

FOLDER = "screens"
FILE = "recent.json"

MAX_RECENT = 30
"""Experiments that are kept."""

UP_TO_DATE = "up to date"
"""State of an experiment that lacks no answer, no label and no log-likelihood."""

GRACE = 60.0
"""Seconds between the last look at a database and its last own change, such as closing its log."""


@dataclass(frozen=True, slots=True)
class RecentExperiment:
    """An experiment as it was when it was last open.

    Attributes:
        db: absolute path of the database.
        id: the experiment's id.
        title: its name if it has one, its models, and the number of trials.
        trials: number of trials.
        answered: number of answers.
        gap: steerability gap in points with its interval, or the range over the tables; the reason
            if there is none; "" if unknown.
        seen_at: time of the last look, or of the newest plan, in seconds since 1970.
        judge: judge of the gap, and whether others contradict it; "" if unknown or without a gap.
        pending: labels pending, of the planned judges.
        unscored: answers that the unsteered model is to score and has not.
        at_work: whether a run of this program was at work, which changes the database at once.
    """

    db: str
    id: str
    title: str
    trials: int
    answered: int
    gap: str
    seen_at: float
    judge: str = ""
    pending: int = 0
    unscored: int = 0
    at_work: bool = False

    @property
    def has_changed(self) -> bool:
        """Whether the database was changed since the last look."""
        grace = 0.0 if self.at_work else GRACE
        return newest_change(Path(self.db)) > self.seen_at + grace

    @property
    def state(self) -> str:
        """The state in words."""
        if self.has_changed:
            return "newer changes"
        missing = self.trials - self.answered
        if missing:
            return f"{missing:,} unanswered"
        if self.pending:
            return f"{self.pending:,} {counted(self.pending, 'label')} pending"
        return f"{self.unscored:,} unscored" if self.unscored else UP_TO_DATE

    @property
    def shown_gap(self) -> str:
        """The gap; "" if it may be out of date."""
        return "" if self.has_changed else self.gap

    @property
    def shown_judge(self) -> str:
        """The judge of the shown gap; "" without one."""
        return self.judge if self.shown_gap else ""

    @property
    def date(self) -> str:
        """Local time of the last look, to the minute."""
        return datetime.fromtimestamp(self.seen_at).astimezone().strftime("%Y-%m-%d %H:%M")


def load_recent() -> list[RecentExperiment]:
    """Return the experiments whose database still exists, the last seen first."""
    try:
        text = (user_state(FOLDER) / FILE).read_text(encoding="utf-8")
        entries = [RecentExperiment(**entry) for entry in parse_json(text)]
    except (OSError, ValueError, TypeError, InvalidJsonError):
        return []
    present = [entry for entry in entries if os.path.lexists(entry.db)]
    return sorted(present, key=lambda entry: entry.seen_at, reverse=True)


def note_recent(seen: RecentExperiment) -> None:
    """Put an experiment on top of the list; an unknown gap keeps the one of an equal state."""
    entries = load_recent()
    before = next((e for e in entries if (e.db, e.id) == (seen.db, seen.id)), None)
    if before and not seen.gap and before.answered == seen.answered:
        seen = replace(seen, gap=before.shown_gap, judge=before.shown_judge)
    others = [e for e in entries if (e.db, e.id) != (seen.db, seen.id)]
    kept = [asdict(entry) for entry in [seen, *others][:MAX_RECENT]]
    with suppress(OSError):  # a read-only or full disk: the list stays as it was
        folder = user_state(FOLDER)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole(folder / FILE) as file:
            file.write(json.dumps(kept).encode())


def stored_experiments(
    store: Store, db: Path, options: JudgeServerOptions
) -> list[RecentExperiment]:
    """Return the experiments of a database with their state now, without gaps."""
    answered = answered_counts(store)
    described: list[RecentExperiment] = []
    for stored in store.experiments():
        recent = _describe(stored, db, answered.get(stored.id, 0))
        if recent.answered == recent.trials:
            recent = _with_pending(recent, store, stored, options)
        described.append(recent)
    return described


def merge_recent(
    stored: Sequence[RecentExperiment], noted: Sequence[RecentExperiment], open_id: str
) -> list[RecentExperiment]:
    """Return the experiments of the open database and the noted ones, newest first.

    The open experiment, that of `stored` with `open_id`, comes first even if others were seen
    later, so that Enter opens the database that the command named. The gap is the noted one if the
    number of answers is still the same.
    """
    by_name = {(entry.db, entry.id): entry for entry in noted}
    merged = dict(by_name)
    for entry in stored:
        name = (entry.db, entry.id)
        before = by_name.get(name)
        is_same = before is not None and before.answered == entry.answered
        gap, judge = (before.shown_gap, before.shown_judge) if before and is_same else ("", "")
        seen_at = max(entry.seen_at, before.seen_at if before else 0.0)
        merged[name] = replace(entry, gap=gap, judge=judge, seen_at=seen_at)
    opened = {(entry.db, entry.id) for entry in stored if entry.id == open_id}
    return sorted(merged.values(), key=lambda e: ((e.db, e.id) not in opened, -e.seen_at))


def gap_and_judge(summary: Summary | None) -> tuple[str, str]:
    """Return the primary gap in points with its interval, and its judge.

    Without one it is the reason and ""; without a summary both are "".

    The judge is the first model judge that has a gap, else the first person or published labels.
    With several tables of this judge it is the range of their gaps. Tables whose labels are not
    reliable, gaps over too few pairs for an interval, and those of the demo are left out.
    """
    by_judge: dict[JudgeInfo, list[GapResult]] = {}
    for table in summary.tables if summary else ():
        result = table.primary
        is_shown = result and result.finding is not Finding.WITHHELD and not table.is_stand_in
        if result and is_shown and table.judge and result.gap.low is not None:
            by_judge.setdefault(table.judge, []).append(result)
    if not by_judge:
        return _reason(summary) if summary else "", ""
    judge = min(by_judge, key=lambda info: info.kind.is_reference)
    results = by_judge[judge]
    differ = " (judges differ)" if any(r.finding is Finding.CONTESTED for r in results) else ""
    return _points_text(results), f"{one_line(judge.name)}{differ}"


def _reason(summary: Summary) -> str:
    """Return why a summary has no gap to list."""
    judged = [table for table in summary.tables if table.judge]
    own = [table for table in judged if not table.is_stand_in]
    results = [table.primary for table in own if table.primary]
    if not judged:
        return "no labels"
    if not own:
        return "demo: not shown"
    if not results:
        return "nothing compared"
    is_reliable = any(result.finding is not Finding.WITHHELD for result in results)
    return "too few pairs" if is_reliable else "labels unreliable"


def _points_text(results: Sequence[GapResult]) -> str:
    if len(results) == 1:
        return " ".join(gap_columns(results[0])[:2])
    points = sorted(r.gap.points for r in results if r.gap.points is not None)
    return f"{points[0]:+.1f} … {points[-1]:+.1f}"


def _describe(stored: StoredExperiment, db: Path, answered: int) -> RecentExperiment:
    planned = datetime.fromisoformat(stored.planned_at)
    planned = planned if planned.tzinfo else planned.replace(tzinfo=UTC)
    trials = f"{stored.trials:,} {counted(stored.trials, 'trial')}"
    return RecentExperiment(
        db=str(db.resolve()),
        id=stored.id,
        title=f"{_name(stored)}{_models(stored)}, {trials}",
        trials=stored.trials,
        answered=answered,
        gap="",
        seen_at=planned.timestamp(),
    )


def _with_pending(
    recent: RecentExperiment,
    store: Store,
    stored: StoredExperiment,
    options: JudgeServerOptions,
) -> RecentExperiment:
    """Return an experiment with all answers with what a run would judge and score."""
    experiment, origin = parse_stored(stored, store.path)
    planned = planned_judges(store, stored.id, experiment, origin, options)
    return replace(
        recent,
        pending=pending_labels(store, stored.id, stored.trials, planned),
        unscored=pending_scores(store, stored.id, experiment),
    )


def _name(stored: StoredExperiment) -> str:
    """Return the experiment's name with a colon after it; "" without one."""
    name = stored_name(stored.toml)
    return f"{one_line(name)}: " if name else ""


def _models(stored: StoredExperiment) -> str:
    try:
        models = parse_experiment(stored.toml).models
    except SteertuiError:
        return "of another version"
    return one_line(", ".join(Path(name).name for name in models))
