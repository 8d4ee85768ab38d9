"""Messages from the runner thread to the Run screen: changes since the previous message."""

from dataclasses import dataclass, field

from textual.message import Message

from steertui.analysis.summary import Summary
from steertui.core.verdict import Verdict
from steertui.engine.events import SlotView
from steertui.store import TrialStatus
from steertui.tui.run.stored_totals import StoredTotals


@dataclass
class Planned(Message):
    """The plan is made, and its trials are in the store.

    Attributes:
        id: the experiment's id.
        judges: ids of the planned judges.
        others_labelled: labels that the judges after the first one have given.
    """

    id: str
    judges: tuple[str, ...]
    others_labelled: int

    @property
    def judge(self) -> str:
        """Id of the first judge; "" for none."""
        return next(iter(self.judges), "")


@dataclass(frozen=True, slots=True)
class Stage:
    """Progress of downloading, answering or judging; `rate` is text."""

    done: int
    total: int
    rate: str = ""


@dataclass(frozen=True, slots=True)
class JudgeQueue:
    """Progress of one judge.

    Attributes:
        done: judged answers, failures included.
        total: answers sent to the judge so far.
        failed: judged answers without a label.
        dollars: cost so far, in US dollars; None if nothing is paid or the price is unknown.
    """

    done: int
    total: int
    failed: int = 0
    dollars: float | None = None


@dataclass(frozen=True, slots=True)
class KvUsage:
    """KV cache: cells in use, all cells, and size in bytes (0 if unknown)."""

    used: int
    cells: int
    size: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Sentence that stays on the screen until the next run; `is_bad` for a failure."""

    text: str
    is_bad: bool = True


@dataclass
class RunUpdate(Message):
    """Changes since the last update.

    Attributes:
        stages: by name.
        queues: by the judge's name.
        shape: description of the loaded model; "" if unchanged.
        later: stages that have not begun, in words; None if unchanged.
        throughput: tokens per second; None if not measured.
        kv: usage of the KV cache; None if unchanged.
        notices: new ones.
        slots: all slots at work; None if unchanged.
        slot_count: number of slots, at work or not.
        answered: keys of newly answered trials.
        verdicts: new ones by trial key and judge id.
        failures: reasons by the key of the trial that could not be answered.
        statuses: trials that another process changed, by key.
        judge: id of the judge of `statuses`; "" for none.
        totals: failures, labels, scores and cost that another process changed; None if unchanged.
        summary: results so far; None if not due.
    """

    stages: dict[str, Stage] = field(default_factory=dict)
    queues: dict[str, JudgeQueue] = field(default_factory=dict)
    shape: str = ""
    later: str | None = None
    throughput: float | None = None
    kv: KvUsage | None = None
    notices: list[Notice] = field(default_factory=list)
    slots: tuple[SlotView, ...] | None = None
    slot_count: int = 0
    answered: set[str] = field(default_factory=set)
    verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, TrialStatus] = field(default_factory=dict)
    judge: str = ""
    totals: StoredTotals | None = None
    summary: Summary | None = None


@dataclass
class Ended(Message):
    """The run is over.

    Attributes:
        error: why it failed; "" if it did not.
        is_stopped: whether the user stopped it.
        summary: the results; None if there is none.
        elsewhere: id of what another process runs or judges on the database, so that this one did
            not begin ("" if unknown); None if it did.
    """

    error: str
    is_stopped: bool
    summary: Summary | None
    elsewhere: str | None = None
