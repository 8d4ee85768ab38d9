"""Vectors screen: the library of steering vectors; training, sweep, import, export, inspection."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import DataTable

from steertui.core.model import DEMO, is_server
from steertui.errors import SteertuiError
from steertui.planning.adapters import remove_adapter
from steertui.printable import one_line
from steertui.steering.library import StoredVector, remove_vector
from steertui.tui.vectors import vector_forms as forms
from steertui.tui.vectors import vector_jobs as jobs
from steertui.tui.vectors.library_rows import COLUMNS, LEFT_COLUMNS, LibraryRow, library_rows
from steertui.tui.vectors.vector_text import lines_text, vector_text
from steertui.tui.widgets.job_page import FormJob, JobLine, JobPage
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.moves import MoveScroll
from steertui.tui.widgets.prompts import Confirm
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.tui.widgets.screen_words import in_screen_words
from steertui.tui.widgets.stable_table import StableTable, make_content
from steertui.units import quantity

HELP = """
The steering vectors of this machine, then the LoRA adapters of the working folder and of the open
experiment, and beside the list the origin of the one under the cursor, of a vector with its norm
and separation by layer. A condition uses a vector by its name: **a** on Plan opens
the editor, with the keys `vector` and `ablation`.

**t** trains a vector and two controls of the same norms from two conditions. **s** sweeps layers
and strengths on scenarios that the training left out, and writes the best of each direction as a
conditions file. **m** imports a control vector of repeng or llama.cpp. **e** exports the vector as
a GGUF file, **b** writes a LoRA adapter that removes its direction from every block. **i**
describes any GGUF file: vector, adapter or model. **d** deletes, **c** cancels the current task; a
cancelled training keeps the hidden states that were read.
"""

NO_VECTORS = "No vectors yet: t trains one from two conditions, m imports one."


class VectorsScreen(JobPage):
    """Screen with one row per vector."""

    NAME = "vectors"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "train", "Train", id="vectors.train", tooltip="Train from two conditions"),
        Binding("s", "sweep", "Sweep", id="vectors.sweep", tooltip="Choose layers and strength"),
        Binding("m", "import", "Import", id="vectors.import", tooltip="Import a GGUF file"),
        Binding("e", "export", "Export", id="vectors.export", tooltip="Write a GGUF file"),
        Binding("b", "ablate", "Ablate", id="vectors.ablate", tooltip="Write an adapter"),
        Binding("i", "inspect", "Inspect", id="vectors.inspect", tooltip="Describe a GGUF file"),
        Binding("d", "delete", "Delete", id="vectors.delete", tooltip="Delete the file"),
    ]
    CANCELLED = "cancelled; the hidden states that were read are kept, and t resumes"

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[LibraryRow] = []
        self._lines: tuple[str, Sequence[str]] = ("", ())

    def body(self) -> ComposeResult:
        """Yield the progress, the list and the description."""
        yield JobLine()
        with Horizontal(id="vectors-body"):
            yield StableTable(id="vectors", cursor_type="row", classes="panel")
            with MoveScroll(id="vector-box", classes="panel"):
                yield ReflowingText(id="vector-text")

    def on_mount(self) -> None:
        """Name the panels and focus the list."""
        set_titles(self.query_one("#vectors"), "steering vectors and adapters")
        set_titles(self.query_one("#vector-box"), "description")
        self.query_one(StableTable).focus()

    def reload(self) -> None:
        """List the vectors again."""
        self._list()

    @work(thread=True, exclusive=True, group="list", exit_on_error=False)
    def _list(self) -> None:
        rows = library_rows(self.session.experiment)
        self.app.call_from_thread(self._show, rows)

    def _show(self, rows: list[LibraryRow]) -> None:
        """Show the vectors and adapters."""
        self._rows = rows
        cells = [row.cells(self.colours) for row in rows]
        self.query_one(StableTable).fill(make_content(COLUMNS, cells, LEFT_COLUMNS))
        adapters = sum(row.adapter is not None for row in rows)
        count = quantity(len(rows) - adapters, "vector")
        text = f"{count}, {quantity(adapters, 'adapter')}" if adapters else count
        self.show_idle(Text(text if rows else NO_VECTORS, self.colours.quiet))
        self._describe()
        self.refresh_bindings()

    @property
    def _current(self) -> LibraryRow | None:
        """The row under the cursor."""
        row = self.query_one(StableTable).cursor_row
        return self._rows[row] if row < len(self._rows) else None

    @property
    def _vector(self) -> StoredVector:
        """The vector under the cursor, for keys that are enabled on one."""
        assert self._current
        assert self._current.vector
        return self._current.vector

    @on(DataTable.RowHighlighted, "#vectors")
    def _moved(self) -> None:
        if self._lines[0] != self._current_name:
            self._lines = ("", ())
        self._describe()

    @property
    def _current_name(self) -> str:
        return self._current.name if self._current else ""

    def _describe(self) -> None:
        """Describe the row under the cursor, or show the lines that were shown for it."""
        row, colours = self._current, self.colours
        shown_for, lines = self._lines
        text = self.query_one("#vector-text", ReflowingText)
        if lines and shown_for == self._current_name:
            text.draw_with(lambda _: lines_text(lines))
        elif row and row.vector:
            stored = row.vector
            text.draw_with(lambda room: vector_text(stored, room.width, colours))
        elif row and row.adapter:
            description = row.adapter.lines
            text.draw_with(lambda _: lines_text(description))
        else:
            note = in_screen_words(row.problem if row else NO_VECTORS)
            text.draw_with(lambda _: Text(one_line(note), colours.quiet))

    def _show_lines(self, lines: Sequence[str]) -> None:
        """Show lines instead of the description, until the cursor is on another row."""
        self._lines = (self._current_name, lines)
        self._describe()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the keys that have an effect now."""
        if action in ("sweep", "export", "ablate"):
            return bool(self._current and self._current.vector) and not self.is_busy
        if action == "delete":
            return bool(self._current) and not self.is_busy
        if action in ("train", "import", "inspect"):
            return not self.is_busy
        return super().check_action(action, parameters)

    @property
    def _models(self) -> list[str]:
        """The models of the open experiment."""
        return self.session.experiment.models if self.session.experiment else []

    @work(exit_on_error=False)
    async def action_train(self) -> None:
        """Ask for the contrast, and train a vector."""
        models = [m for m in self._models if not is_server(m)]
        form = forms.train_form(next(iter(models), DEMO))
        await self.fill(FormJob(form, jobs.train_job))

    @work(exit_on_error=False)
    async def action_sweep(self) -> None:
        """Ask for cells and limits, and sweep the vector under the cursor."""
        name, overrides = self._vector.name, self.session.overrides
        form = forms.sweep_form(self._vector, self._models)
        await self.fill(
            FormJob(form, lambda values: jobs.sweep_job(name, values, overrides, self._show_later))
        )

    @work(exit_on_error=False)
    async def action_import(self) -> None:
        """Ask for a file, and import it."""
        await self.fill(FormJob(forms.import_form(), jobs.import_job))

    @work(exit_on_error=False)
    async def action_export(self) -> None:
        """Write the vector under the cursor as a GGUF file."""
        name = self._vector.name
        await self.fill(FormJob(forms.export_form(name), partial(jobs.export_job, name)))

    @work(exit_on_error=False)
    async def action_ablate(self) -> None:
        """Write a LoRA adapter that removes a direction of the vector from a model."""
        form = forms.ablation_form(self._vector, self._models)
        await self.fill(FormJob(form, partial(jobs.ablation_job, self._vector.name)))

    @work(exit_on_error=False)
    async def action_inspect(self) -> None:
        """Describe a file in place of the vector."""
        form = forms.inspection_form()
        await self.fill(FormJob(form, lambda values: jobs.inspection_job(values, self._show_later)))

    def _show_later(self, lines: list[str]) -> None:
        """Show lines from the thread of a job."""
        self.app.call_from_thread(self._show_lines, lines)

    @work(exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete the vector or adapter under the cursor, after a confirmation."""
        row = self._current
        if row is None:
            return
        kind = "file of the adapter" if row.adapter else "vector"
        if await self.app.push_screen_wait(Confirm(f"Delete the {kind} {row.name}?", "Delete")):
            try:
                if row.adapter:
                    remove_adapter(row.adapter)
                else:
                    remove_vector(row.name)
            except SteertuiError as exc:
                self.show_error(str(exc))
            self.reload()
