"""Models screen: the catalogue and cached weights; download, verification and removal."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import DataTable, Static

from steertui.assets.catalogue import catalogue
from steertui.assets.hash_cache import forget_digest
from steertui.assets.hub.cache import (
    all_cached_weights,
    cache_folder,
    files_to_remove,
    free_space,
    remove_weights,
)
from steertui.assets.weights import find_hub_name, locate_weights
from steertui.core.model import DEMO
from steertui.errors import ModelError, SteertuiError, WithRemedy
from steertui.paths import home_relative
from steertui.planning.inventory import (
    InventoryRow,
    cached_row,
    detail_lines,
    inventory_row,
)
from steertui.planning.own_weights import own_rows
from steertui.planning.supply import (
    DownloadPlan,
    DownloadProgress,
    Event,
    Requirements,
    pull,
    supply,
)
from steertui.printable import one_line
from steertui.tui.session import Draft
from steertui.tui.widgets.download_question import download_question
from steertui.tui.widgets.form import Form, FormLine
from steertui.tui.widgets.job_page import FormJob, Job, JobLine, JobPage, JobProgress
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.moves import MoveScroll
from steertui.tui.widgets.prompts import Confirm
from steertui.tui.widgets.stable_table import StableTable, make_content
from steertui.typed_lists import join_names
from steertui.units import size_text

HELP = """
Your own GGUF files (of the working folder, its folder `models` and the plan) with quantisation and
chat template, then the models of the catalogue and other weights in the hub's cache, with details
of the one under the cursor: files, licence, access, recommended sampling and what is not confirmed.
**enter** adds it to the models of the plan, in place of the demo, and opens Plan. **f** downloads
it; an interrupted download is resumed. **a** downloads from any repository of the hub, such as
`unsloth/Qwen3-0.6B-GGUF:Q8_0`. **v** hashes the files again and compares with the published hashes,
**d** deletes them. **c** cancels the current task; downloaded bytes are kept. The last column
estimates how many slots of 2,048 tokens fit into this machine's memory with the weights.
"""

COLUMNS = ("model", "kind", "size", "on disk", "slots")
LEFT_COLUMNS = (0, 1, 3)


class ModelTable(StableTable):
    """Table of models; Enter takes the one under the cursor into the plan."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "select_cursor",
            "Plan",
            id="models.plan",
            tooltip="Add it to the plan's models",
        ),
    ]


class ModelsScreen(JobPage):
    """Screen with one row per quantisation."""

    NAME = "models"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "fetch", "Download", id="models.fetch", tooltip="Download and verify it"),
        Binding("a", "add", "Other", id="models.add", tooltip="Download from any repository"),
        Binding("v", "verify", "Verify", id="models.verify", tooltip="Hash the files again"),
        Binding("d", "delete", "Delete", id="models.delete", tooltip="Delete the files"),
    ]
    CANCELLED = "cancelled; downloaded bytes are kept, and f resumes"
    NEEDS_ENGINE = False

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[InventoryRow] = []

    def body(self) -> ComposeResult:
        """Yield the status line, the table and the details."""
        yield JobLine()
        with Horizontal(id="models-body"):
            yield ModelTable(id="models", cursor_type="row", classes="panel")
            with MoveScroll(id="model-box", classes="panel"):
                yield Static(id="model-text", markup=False)

    def on_mount(self) -> None:
        """Name the panels and focus the table."""
        set_titles(self.query_one("#models"), "models")
        set_titles(self.query_one("#model-box"), "details")
        self.query_one(StableTable).focus()

    def reload(self) -> None:
        """List the models again."""
        self._list()

    @work(thread=True, exclusive=True, group="list", exit_on_error=False)
    def _list(self) -> None:
        rows = [inventory_row(model, weights) for model in catalogue() for weights in model.weights]
        known = {row.path for row in rows}
        cached = all_cached_weights()
        rows += [cached_row(weights) for weights in cached if str(weights.paths[0]) not in known]
        rows = [*own_rows(self.session.plan.experiment.models), *rows]
        self.app.call_from_thread(self._show, rows, free_space())

    def _show(self, rows: list[InventoryRow], free: int) -> None:
        """Show the rows; `free` are the free bytes of the cache's disk."""
        self._rows = rows
        content = make_content(COLUMNS, [self._cells(row) for row in rows], LEFT_COLUMNS)
        self.query_one(StableTable).fill(content)
        count = sum(_is_on_disk(row) for row in rows)
        folder = home_relative(cache_folder())
        text = f"{count} of {len(rows)} on disk; {size_text(free)} free in {folder}"
        self.show_idle(Text(text, self.colours.quiet))
        self._describe()

    @on(DataTable.RowHighlighted, "#models")
    def _describe(self) -> None:
        """Describe the model under the cursor."""
        row = self._current_row
        lines = [one_line(line) for line in _details(row)] if row else []
        self.query_one("#model-text", Static).update(Text("\n".join(lines)))
        self.refresh_bindings()

    def _cells(self, row: InventoryRow) -> tuple[Text, ...]:
        colours = self.colours
        is_on_disk = _is_on_disk(row)
        return (
            Text(one_line(row.name), "bold" if is_on_disk else ""),
            Text(row.kind, colours.quiet),
            Text(size_text(row.size) if row.size else "?"),
            Text(_state(row), f"bold {colours.blue}" if is_on_disk else colours.faint),
            Text(row.fits.split(" slots of ")[0], colours.quiet),
        )

    @property
    def _current_row(self) -> InventoryRow | None:
        return self._rows[self.query_one(StableTable).cursor_row] if self._rows else None

    def _fetching(self, name: str, events: Generator[Event, None, None]) -> Job:
        """Yield the progress of a download or verification; ask before a large download."""
        is_fetched = False
        with closing(events):
            for event in events:
                if isinstance(event, DownloadPlan):
                    is_fetched = bool(event.fetch)
                    if not self.ask(download_question(event.fetch), "Download"):
                        return f"{name}: not downloaded"
                elif isinstance(event, DownloadProgress):
                    sizes = f"{size_text(event.all_done)} of {size_text(event.total)}"
                    text = f"{event.verb} {event.name}"
                    yield JobProgress(text, event.all_done, event.total, sizes)
        return f"{name}: {'downloaded and verified' if is_fetched else 'verified'}"

    def _fetching_from_hub(self, name: str) -> Job:
        """Do the job of `_fetching`; raises ModelError for a file of this machine."""
        if find_hub_name(name) is None:
            raise ModelError(
                WithRemedy(
                    f"{name}: on this machine, so there is nothing to download",
                    "give owner/repository:QUANT, or take the file as a model on Plan",
                )
            )
        return (yield from self._fetching(name, pull([name])))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the keys that have an effect now."""
        row = self._current_row
        if action in ("verify", "delete"):
            is_cached = row is not None and _is_on_disk(row) and not row.is_own
            return is_cached and not self.is_busy
        if action == "fetch":
            return not self.is_busy and not (row and row.is_own)
        if action == "add":
            return not self.is_busy
        return super().check_action(action, parameters)

    @on(DataTable.RowSelected, "#models")
    async def _plan(self) -> None:
        """Add the model under the cursor to the plan, in place of the demo, and open Plan."""
        row, plan = self._current_row, self.session.plan
        if row is None:
            return
        others = [name for name in plan.experiment.models if name != DEMO]
        models = list(dict.fromkeys([*others, row.name]))
        experiment = replace(plan.experiment, models=models)
        self.session.plan = Draft(experiment, plan.origin.typed("models", models))
        await self.host.go("plan")
        self.notify(f"The plan's models: {join_names(models)}", markup=False)

    def action_fetch(self) -> None:
        """Download and verify the model under the cursor."""
        row = self._current_row
        if row:
            job = self._fetching(row.name, pull([row.name]))
            self.begin(job, first=f"asking the hub for {row.name}")

    @work(exit_on_error=False)
    async def action_add(self) -> None:
        """Download weights from any repository."""
        hint = "owner/repository:Q4_K_M"
        line = FormLine("name", "weights", hint=hint, is_required=True)
        form = Form("Which weights? Give a repository of the hub and a quantisation.", [line])

        await self.fill(FormJob(form, lambda values: self._fetching_from_hub(values["name"])))

    def action_verify(self) -> None:
        """Hash the model under the cursor again."""
        row = self._current_row
        if row is None:
            return
        weights = locate_weights(row.name)
        for path in weights.paths if weights else ():
            forget_digest(path)
        job = self._fetching(row.name, supply(Requirements((row.name,))))
        self.begin(job, first=f"verifying {row.name}")

    @work(exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete the model under the cursor, after a confirmation that names the files."""
        row = self._current_row
        if row is None:
            return
        cached = all_cached_weights() if find_hub_name(row.name) else []
        matches = [weights for weights in cached if str(weights.paths[0]) == row.path]
        try:
            files = [str(path) for weights in matches for path in files_to_remove(weights)]
            question = "\n".join([f"Delete {row.name}, {size_text(row.size)}?", *files])
            if await self.app.push_screen_wait(Confirm(question, "Delete")):
                for weights in matches:
                    remove_weights(weights)
        except SteertuiError as exc:
            self.show_error(str(exc))
        self._list()


def _details(row: InventoryRow) -> Iterator[str]:
    """Yield lines on the files of this machine, then on the model."""
    if row.path:
        yield f"{row.cached}: {home_relative(Path(row.path))}"
    if row.received:
        yield f"{size_text(row.received)} of the first file are downloaded; f resumes"
    if row.fits:
        yield f"fits this machine: {row.fits}"
    yield from detail_lines(row)


def _state(row: InventoryRow) -> str:
    """Return whether the model is on disk, or the bytes of an interrupted download."""
    return f"{size_text(row.received)} of it" if row.received else row.cached


def _is_on_disk(row: InventoryRow) -> bool:
    return row.cached != "no"
