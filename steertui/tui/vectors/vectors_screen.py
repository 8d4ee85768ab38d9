"""Vectors screen: the library of steering vectors; training, sweep, import, export, inspection."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import DataTable

from steertui.core.model import DEMO, is_server
from steertui.errors import ModelError, SteertuiError
from steertui.printable import one_line
from steertui.steering.description import contrast_text
from steertui.steering.library import StoredVector, find_vector, remove_vector, vector_names
from steertui.tui.vectors import vector_forms as forms
from steertui.tui.vectors import vector_jobs as jobs
from steertui.tui.vectors.vector_text import lines_text, vector_text
from steertui.tui.widgets.job_page import FormJob, JobLine, JobPage
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.prompts import Confirm
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.tui.widgets.screen_words import in_screen_words
from steertui.tui.widgets.stable_table import StableTable, make_content
from steertui.units import quantity

HELP = """
The steering vectors of this machine, and beside the list the origin of the one under the cursor
with its norm and separation by layer. A condition uses a vector by its name: **a** on Plan opens
the editor, with the keys `vector` and `ablation`.

**t** trains a vector and two controls of the same norms from two conditions. **s** sweeps layers
and strengths on scenarios that the training left out, and writes the best of each direction as a
conditions file. **m** imports a control vector of repeng or llama.cpp. **e** exports the vector as
a GGUF file, **b** writes a LoRA adapter that removes its direction from every block. **i**
describes any GGUF file: vector, adapter or model. **d** deletes, **c** cancels the current task; a
cancelled training keeps the hidden states that were read.
"""

COLUMNS = ("vector", "method", "contrast", "model", "pairs", "AUC")
LEFT_COLUMNS = (0, 1, 2, 3)

NO_VECTORS = "No vectors yet: t trains one from two conditions, m imports one."

DAMAGED = "damaged"


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
        Binding("d", "delete", "Delete", id="vectors.delete", tooltip="Delete the vector"),
    ]
    CANCELLED = "cancelled; the hidden states that were read are kept, and t resumes"

    def __init__(self) -> None:
        super().__init__()
        self._names: list[str] = []
        self._vectors: dict[str, StoredVector] = {}
        self._problems: dict[str, str] = {}
        self._lines: tuple[str, Sequence[str]] = ("", ())

    def body(self) -> ComposeResult:
        """Yield the progress, the list and the description."""
        yield JobLine()
        with Horizontal(id="vectors-body"):
            yield StableTable(id="vectors", cursor_type="row", classes="panel")
            with VerticalScroll(id="vector-box", classes="panel"):
                yield ReflowingText(id="vector-text")

    def on_mount(self) -> None:
        """Name the panels and focus the list."""
        set_titles(self.query_one("#vectors"), "steering vectors")
        set_titles(self.query_one("#vector-box"), "description")
        self.query_one(StableTable).focus()

    def reload(self) -> None:
        """List the vectors again."""
        self._list()

    @work(thread=True, exclusive=True, group="list", exit_on_error=False)
    def _list(self) -> None:
        vectors: dict[str, StoredVector] = {}
        problems: dict[str, str] = {}
        for name in vector_names():
            try:
                vectors[name] = find_vector(name)
            except ModelError as exc:
                problems[name] = str(exc)
        self.app.call_from_thread(self._show, vectors, problems)

    def _show(self, vectors: dict[str, StoredVector], problems: dict[str, str]) -> None:
        """Show the vectors, and those that cannot be read."""
        self._names = sorted({*vectors, *problems})
        self._vectors, self._problems = vectors, problems
        rows = [self._cells(name) for name in self._names]
        self.query_one(StableTable).fill(make_content(COLUMNS, rows, LEFT_COLUMNS))
        count = quantity(len(self._names), "vector")
        self.show_idle(Text(count if rows else NO_VECTORS, self.colours.quiet))
        self._describe()
        self.refresh_bindings()

    def _cells(self, name: str) -> Sequence[str | Text]:
        stored = self._vectors.get(name)
        if stored is None:
            damaged = Text(DAMAGED, self.colours.error)
            return Text(one_line(name), "bold"), damaged, "", "", "", ""
        origin, vector = stored.vector.provenance, stored.vector
        area = float(vector.separation[vector.best_layer])
        pairs = str(origin.pairs or "–")
        separation = f"{area:.2f}" if area > 0 else "–"
        title = Text(one_line(name), "bold")
        return title, origin.method, contrast_text(origin), origin.model_name, pairs, separation

    @property
    def _current(self) -> str:
        """Name of the vector under the cursor; "" for none."""
        row = self.query_one(StableTable).cursor_row
        return self._names[row] if row < len(self._names) else ""

    @on(DataTable.RowHighlighted, "#vectors")
    def _moved(self) -> None:
        if self._lines[0] != self._current:
            self._lines = ("", ())
        self._describe()

    def _describe(self) -> None:
        """Describe the vector under the cursor, or show the lines that were shown for it."""
        name, colours = self._current, self.colours
        stored = self._vectors.get(name)
        shown_for, lines = self._lines
        text = self.query_one("#vector-text", ReflowingText)
        if lines and shown_for == name:
            text.draw_with(lambda _: lines_text(lines))
        elif stored:
            text.draw_with(lambda room: vector_text(stored, room.width, colours))
        else:
            note = in_screen_words(self._problems.get(name, NO_VECTORS))
            text.draw_with(lambda _: Text(one_line(note), colours.quiet))

    def _show_lines(self, lines: Sequence[str]) -> None:
        """Show lines instead of the description, until the cursor is on another vector."""
        self._lines = (self._current, lines)
        self._describe()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the keys that have an effect now."""
        if action in ("sweep", "export", "ablate"):
            return self._current in self._vectors and not self.is_busy
        if action == "delete":
            return bool(self._current) and not self.is_busy
        if action in ("train", "import", "inspect"):
            return not self.is_busy
        return super().check_action(action, parameters)

    @work(exit_on_error=False)
    async def action_train(self) -> None:
        """Ask for the contrast, and train a vector."""
        experiment = self.session.experiment
        models = [m for m in experiment.models if not is_server(m)] if experiment else []
        form = forms.train_form(next(iter(models), DEMO))
        await self.fill(FormJob(form, jobs.train_job))

    @work(exit_on_error=False)
    async def action_sweep(self) -> None:
        """Ask for cells and limits, and sweep the vector under the cursor."""
        name, overrides = self._current, self.session.overrides
        form = forms.sweep_form(self._vectors[name])
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
        name = self._current
        await self.fill(FormJob(forms.export_form(name), partial(jobs.export_job, name)))

    @work(exit_on_error=False)
    async def action_ablate(self) -> None:
        """Write a LoRA adapter that removes a direction of the vector from a model."""
        name = self._current
        form = forms.ablation_form(self._vectors[name])
        await self.fill(FormJob(form, partial(jobs.ablation_job, name)))

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
        """Delete the vector under the cursor, after a confirmation."""
        name = self._current
        if await self.app.push_screen_wait(Confirm(f"Delete the vector {name}?", "Delete")):
            try:
                remove_vector(name)
            except SteertuiError as exc:
                self.show_error(str(exc))
            self.reload()
