"""Vectors screen: the library of steering vectors; training, sweep, import, export, inspection."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import DataTable

from steertui.core.model import DEMO, is_server
from steertui.errors import ModelError, SteertuiError
from steertui.output_files import check_output
from steertui.paths import expand_home
from steertui.planning.inspection import inspect_file
from steertui.planning.vector_files import export_ablation, export_vector
from steertui.printable import one_line
from steertui.steering.description import contrast_text
from steertui.steering.library import StoredVector, find_vector, remove_vector, vector_names
from steertui.tui.vectors import vector_jobs as jobs
from steertui.tui.vectors.vector_text import lines_text, vector_text
from steertui.tui.widgets.form_dialog import FormDialog, FormLine, Values
from steertui.tui.widgets.job_page import Job, JobLine, JobPage
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.prompts import Confirm, TextPrompt
from steertui.tui.widgets.reflowing_text import ReflowingText
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
            note = self._problems.get(name, NO_VECTORS)
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
        if action in ("train", "import"):
            return not self.is_busy
        return super().check_action(action, parameters)

    @work(exit_on_error=False)
    async def action_train(self) -> None:
        """Ask for the contrast, and train a vector."""
        experiment = self.session.experiment
        models = [m for m in experiment.models if not is_server(m)] if experiment else []
        lines = jobs.train_lines(next(iter(models), DEMO))
        question = "Train a vector and two controls from two conditions"
        await self._ask(question, lines, jobs.check_train, jobs.train_job)

    @work(exit_on_error=False)
    async def action_sweep(self) -> None:
        """Ask for cells and limits, and sweep the vector under the cursor."""
        name, overrides = self._current, self.session.overrides
        lines = jobs.sweep_lines_of(name)
        question = f"Sweep {name}: layers and strengths, each in both directions"

        def show(table: list[str]) -> None:
            self.app.call_from_thread(self._show_lines, table)

        def job(values: Values) -> Job:
            return jobs.sweep_job(name, values, overrides, show)

        await self._ask(question, lines, jobs.check_sweep, job)

    @work(exit_on_error=False)
    async def action_import(self) -> None:
        """Ask for a file, and import it."""
        await self._ask(
            "Import a control vector", jobs.import_lines(), jobs.check_import, jobs.import_job
        )

    async def _ask(
        self,
        question: str,
        lines: Sequence[FormLine],
        check: Callable[[Values], str],
        job: Callable[[Values], Job],
    ) -> None:
        """Begin the job of a form, unless it is cancelled."""
        values = await self.app.push_screen_wait(FormDialog(question, lines, check))
        if values is not None:
            self.begin(job(values))

    @work(exit_on_error=False)
    async def action_export(self) -> None:
        """Write the vector under the cursor as a GGUF file."""
        name = self._current
        file = await self._ask_file(f"Export {name} to which GGUF file?", f"{name}.gguf")
        if file:
            await self._write(file, lambda: export_vector(name, file))

    @work(exit_on_error=False)
    async def action_ablate(self) -> None:
        """Write a LoRA adapter that removes the direction under the cursor from the model."""
        name = self._current
        vector = self._vectors[name].vector
        file = await self._ask_file(
            f"Remove the direction of layer {vector.best_layer}, which separates best, from every "
            "block. Write the adapter to which GGUF file?",
            f"{name}-ablation.gguf",
        )
        if file:
            model = vector.provenance.model_name
            await self._write(file, lambda: export_ablation(name, file, model, vector.best_layer))

    async def _ask_file(self, question: str, file: str) -> Path | None:
        def check(text: str) -> str:
            return jobs.problem(lambda: check_output(expand_home(text.strip()), "vector"))

        prompt = TextPrompt(question, file, check=check, is_path=True)
        typed = await self.app.push_screen_wait(prompt)
        return expand_home(typed.strip()) if typed and typed.strip() else None

    async def _write(self, file: Path, write: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(write)
        except SteertuiError as exc:
            self.show_error(str(exc))
        else:
            self.notify(f"Written: {file.resolve()}", timeout=15, markup=False)

    @work(exit_on_error=False)
    async def action_inspect(self) -> None:
        """Describe a GGUF file in place of the vector."""
        hint = "vector, adapter or model, as GGUF"
        prompt = TextPrompt("Describe which file?", hint=hint, is_path=True)
        typed = await self.app.push_screen_wait(prompt)
        if typed and typed.strip():
            try:
                self._show_lines([*inspect_file(expand_home(typed.strip()))])
            except SteertuiError as exc:
                self.show_error(str(exc))

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
