"""Summary of a run over several models in a file: work done, bytes moved, what is left and why."""

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from steertui.execution import (
    Event,
    ModelLeftOut,
    ModelStopped,
    RunControl,
    WeightsFetched,
    WeightsRemoved,
)
from steertui.headless.budget import BudgetMeter
from steertui.output_files import text_output
from steertui.report.markdown_tables import escape, escaped_table
from steertui.store import Store
from steertui.store.progress_queries import ModelProgress, model_progress
from steertui.units import clock, size_text

SUMMARY = "run summary"
"""Kind of the output file."""


@dataclass(slots=True)
class RunNotes:
    """Events of a run that the database does not have, by the model's name.

    Attributes:
        fetched: bytes downloaded by this command.
        removed: bytes removed by this command.
        reasons: why a model was stopped or left out.
    """

    fetched: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Note an event."""
        match event:
            case WeightsFetched(model, size):
                self.fetched[model] = self.fetched.get(model, 0) + size
            case WeightsRemoved(model, size):
                self.removed[model] = self.removed.get(model, 0) + size
            case ModelStopped(model, reason) | ModelLeftOut(model, reason):
                self.reasons[model] = reason
            case _:
                pass


class RunWatch:
    """Events of a run on their way to the reporter: noted, and counted against the budget.

    Attributes:
        notes: what the events say that the database does not have.
        is_spent: whether the budget stopped the run.
    """

    def __init__(self, control: RunControl, meter: BudgetMeter | None) -> None:
        self.notes = RunNotes()
        self.is_spent = False
        self._control = control
        self._meter = meter

    def observe(
        self, first: Sequence[Event], events: Generator[Event, None, None]
    ) -> Generator[Event, None, None]:
        """Yield the first events and those of the run; stop the run once the budget is spent."""
        with closing(events):
            for event in chain(first, events):
                self.notes.add(event)
                self._count(event)
                yield event

    def _count(self, event: Event) -> None:
        if self._meter is None or self.is_spent:
            return
        self._meter.add(event)
        if self._meter.is_spent and not self._control.is_stopped:
            self.is_spent = True
            self._control.stop()


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """One model of a run.

    Attributes:
        progress: what the database has of it; None for a model that could not be planned.
        fetched: bytes of weights that this command downloaded.
        removed: bytes of weights that this command removed.
        reason: why it was stopped or left out; "" if it was not.
    """

    name: str
    progress: ModelProgress | None
    fetched: int
    removed: int
    reason: str


def summarise_models(store: Store, experiment: str, notes: RunNotes) -> list[ModelSummary]:
    """Return the models of a run: the planned ones in their order, then those left out."""
    planned = {model.name: model for model in model_progress(store, experiment)}
    return [
        ModelSummary(
            name,
            planned.get(name),
            fetched=notes.fetched.get(name, 0),
            removed=notes.removed.get(name, 0),
            reason=notes.reasons.get(name, ""),
        )
        for name in dict.fromkeys([*planned, *notes.reasons])
    ]


def write_summary(
    path: Path, store: Store, experiment: str, notes: RunNotes, *, ended: str
) -> None:
    """Write the summary of a run: JSON to a file with the ending .json, Markdown to any other.

    `ended` says why the run ended. Raises OutputError if the file cannot be written.
    """
    models = summarise_models(store, experiment, notes)
    time = datetime.now(UTC).isoformat(timespec="seconds")
    head = {"experiment": experiment, "db": str(store.path), "written_at": time, "ended": ended}
    with text_output(path, SUMMARY, [store.path]) as file:
        if path.suffix.lower() == ".json":
            record = head | {"models": [asdict(model) for model in models]}
            file.write(json.dumps(record, indent=2) + "\n")
        else:
            file.write("\n".join([*_markdown(head, models), ""]))


def _markdown(head: dict[str, str], models: list[ModelSummary]) -> Iterator[str]:
    yield from ("# Run summary", "")
    yield f"Experiment {head['experiment']} in {escape(head['db'])}, {head['written_at']}."
    yield from (f"The run ended: {escape(head['ended'])}.", "")
    columns = ("model", "answers", "failed", "labels", "no label", "time", "new tokens/s")
    yield from escaped_table((*columns, "fetched", "removed"), map(_row, models))
    reasons = [f"- {escape(m.name)}: {escape(m.reason)}" for m in models if m.reason]
    left = [m for m in models if m.progress and m.progress.answers < m.progress.trials]
    reasons += [
        f"- {escape(m.name)}: {m.progress.trials - m.progress.answers} trials without an answer"
        for m in left
        if m.progress and not m.reason
    ]
    yield from ("", "What is left, and why:", "", *(reasons or ["- nothing"]), "")
    yield (
        "Answers, labels, time and throughput are those of the database; time is measured from the "
        "loaded model to the last answer of each run. Bytes are those of this command."
    )


def _row(model: ModelSummary) -> tuple[str, ...]:
    moved = (size_text(model.fetched), size_text(model.removed))
    done = model.progress
    if done is None:
        return (model.name, *["–"] * 6, *moved)
    rate = f"{done.tokens / done.seconds:,.0f}" if done.seconds > 0 else "–"
    return (
        model.name,
        f"{done.answers} of {done.trials}",
        str(done.failed),
        str(done.labels),
        str(done.unreadable),
        clock(done.seconds),
        rate,
        *moved,
    )
