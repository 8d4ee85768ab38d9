"""Judges screen: worth of every judge on the control set; tests, labels, calibration, juries."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.console import Group
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import DataTable, Static

from steertui.analysis.judge_overview import JudgeOverview, combined_overviews, judge_overviews
from steertui.analysis.judge_worth import Standing, worth_sentence
from steertui.core.model import DEMO
from steertui.errors import SteertuiError
from steertui.paths import exists, judges_db
from steertui.planning.inventory import InventoryRow, judge_candidates
from steertui.printable import one_line
from steertui.report.judge_tables import COLUMNS, advice, draw_detail, overview_row
from steertui.store import Store
from steertui.tui.judges import judge_jobs as jobs
from steertui.tui.pending_labels import labelling_judges
from steertui.tui.widgets.form import Values
from steertui.tui.widgets.job_page import FormJob, Job, JobLine, JobPage
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.live_page import LivePage
from steertui.tui.widgets.moves import MoveScroll
from steertui.tui.widgets.page import PAGES
from steertui.tui.widgets.screen_words import in_screen_words
from steertui.tui.widgets.stable_table import StableTable, make_content
from steertui.units import counted, quantity

HELP = """
The judges of the open database and those tested on this machine, best first: accuracy and kappa on
the control set, whose labels are known, and seconds and dollars per label. Beside the list the
judge under the cursor: agreement by label as a confusion matrix, and with published labels where
they are imported.

**t** tests models as judges; no experiment is needed. **l** lets judges label the answers of the
open experiment, which can calibrate local judges on the control set and add a jury of all of them.
**b** lets one judge label them with and without the suffix, and shows the paired differences of
rates and gap. Only missing labels are asked for, and costs are confirmed. **c** cancels; stored
labels stay.
"""

HEADS = ("judge", *COLUMNS)
LEFT_COLUMNS = (0, 1)

HERE = PAGES["judges"]

SCRIPTED = (
    "Its labels were written into its training text: it is no judge of other models' answers."
)
"""What the demo checkpoint is worth as a judge, measured or not."""

IMPORTED = "Its labels were imported with the answers: it cannot be asked for others, nor measured."
"""What published labels are worth."""

NO_JUDGES = "No judge is measured yet: t tests models on answers with known labels."


class JudgesScreen(JobPage, LivePage):
    """Screen with one row per judge."""

    NAME = "judges"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "test", "Test", id="judges.test", tooltip="Test models on the control set"),
        Binding("l", "label", "Label", id="judges.label", tooltip="Label the stored answers"),
        Binding("b", "blind", "Blind", id="judges.blind", tooltip="With and without the suffix"),
    ]
    CANCELLED = "cancelled; the labels so far are stored"
    LABELS = True

    def __init__(self) -> None:
        super().__init__()
        self._overviews: list[JudgeOverview] = []
        self._advice = ""
        self._differences: dict[int, list[str]] = {}

    def body(self) -> ComposeResult:
        """Yield the progress, the list and the details."""
        yield JobLine()
        with Horizontal(id="judges-body"):
            yield StableTable(id="judges", cursor_type="row", classes="panel")
            with MoveScroll(id="judge-box", classes="panel"):
                yield Static(id="judge-text", markup=False)

    def on_mount(self) -> None:
        """Name the panels and focus the list."""
        set_titles(self.query_one("#judges"), "judges on the control set")
        set_titles(self.query_one("#judge-box"), "agreement")
        self.query_one(StableTable).focus()

    def reload(self) -> None:
        """Measure the judges again."""
        self._list()

    @work(thread=True, exclusive=True, group="list", exit_on_error=False)
    def _list(self) -> None:
        found: list[JudgeOverview] = []
        for db in dict.fromkeys((self.session.db.resolve(), judges_db().resolve())):
            if exists(db):
                with Store(db, must_exist=True) as store:
                    found += judge_overviews(store)
        candidates = judge_candidates()
        self.app.call_from_thread(self._show, combined_overviews(found), candidates)

    def _show(self, overviews: list[JudgeOverview], candidates: Sequence[InventoryRow]) -> None:
        """Show the judges, and which to take or to test."""
        self._overviews = overviews
        rows = [self._cells(overview) for overview in overviews]
        self.query_one(StableTable).fill(make_content(HEADS, rows, LEFT_COLUMNS))
        self._advice = in_screen_words(advice(overviews, candidates), here=HERE)
        count = quantity(len(overviews), "judge")
        self.show_idle(Text(count if overviews else NO_JUDGES, self.colours.quiet))
        self._describe()
        self.refresh_bindings()

    def _cells(self, overview: JudgeOverview) -> list[str | Text]:
        name, standing, *numbers = overview_row(overview)
        is_usable = bool(overview.worth and overview.worth.standing is Standing.USABLE)
        style = f"bold {self.colours.blue}" if is_usable else self.colours.warning
        return [Text(one_line(name), "bold"), Text(standing, style), *numbers]

    @on(DataTable.RowHighlighted, "#judges")
    def _describe(self) -> None:
        """Describe the judge under the cursor."""
        row = self.query_one(StableTable).cursor_row
        box = self.query_one("#judge-text", Static)
        if row >= len(self._overviews):
            box.update(Text(NO_JUDGES, self.colours.quiet))
            return
        overview = self._overviews[row]
        sentence = worth_sentence(overview.judge, overview.worth)
        unmeasured = IMPORTED if overview.judge.kind.is_imported else SCRIPTED
        text = Text(f"{one_line(sentence)}." if sentence else unmeasured)
        count = f"{overview.labels:,} {counted(overview.labels, 'label')} in all"
        labels = Text(count, self.colours.quiet)
        last = Text(f"\n{one_line(self._advice)}.", "bold")
        box.update(Group(text, labels, *draw_detail(overview), *self._lines(), last))

    def _lines(self) -> list[Text]:
        """Return the differences with and without the suffix in the open experiment, if any."""
        found = self._differences.get(self.session.version, [])
        lines = "".join(f"{one_line(line)}\n" for line in found)
        return [Text(f"\n{lines.rstrip()}")] if lines else []

    def _show_differences(self, version: int, lines: list[str]) -> None:
        """Show the differences from the thread of a job, when the judges are listed again.

        `version` is that of the session when the job began.
        """
        self._differences = {version: lines}

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the keys that have an effect now."""
        if action == "test":
            return not self.is_busy
        if action in ("label", "blind"):
            return not self.is_busy and bool(self.session.id)
        return super().check_action(action, parameters)

    def _judges(self) -> list[str]:
        """Return the judges of the open experiment; the demo if none is open.

        The demo judges only its own answers, so it is not offered for those of other models.
        """
        experiment = self.session.experiment
        if experiment is None:
            return [] if self.session.id else [DEMO]
        with suppress(SteertuiError):
            return labelling_judges(experiment)
        return []

    async def _readings(self) -> jobs.Readings:
        """Return how many answers judges are asked for."""
        id, control_set = self.session.id, self.session.server_options.control_set
        answers = await self.session.with_store(lambda store: len(store.answered_keys(id)))
        return jobs.Readings(answers, len(control_set.answer) if control_set else 0)

    @work(exit_on_error=False)
    async def action_test(self) -> None:
        """Ask for models, and test them on the control set."""
        session = self.session

        def job(values: Values) -> Job:
            return jobs.test_job(values, session.overrides, session.server_options, self.ask)

        await self.fill(FormJob(jobs.test_form(self._judges()), job))

    @work(exit_on_error=False)
    async def action_label(self) -> None:
        """Ask for judges, and let them label the answers of the open experiment."""
        session = self.session
        stored: tuple[Path, str] = (session.db, session.id)

        def job(values: Values) -> Job:
            return jobs.label_job(
                values, stored, session.overrides, session.server_options, self.ask
            )

        readings = await self._readings()
        await self.fill(FormJob(jobs.label_form(self._judges(), readings), job))

    @work(exit_on_error=False)
    async def action_blind(self) -> None:
        """Ask for a judge, and compare its labels with and without the suffix."""
        session = self.session
        version = session.version
        stored: tuple[Path, str] = (session.db, session.id)

        def job(values: Values) -> Job:
            return jobs.blind_job(
                values,
                stored,
                session.overrides,
                session.server_options,
                ask=self.ask,
                show=partial(self._show_differences, version),
            )

        readings = await self._readings()
        await self.fill(FormJob(jobs.blind_form(self._judges(), readings), job))
