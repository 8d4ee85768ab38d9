"""The Plan screen: fields of an experiment, and an estimate that follows every change."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.geometry import Size
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from steertui.core.condition import Condition
from steertui.core.experiment import Experiment
from steertui.core.grouping import DoseUnit
from steertui.errors import SteertuiError
from steertui.execution.judge_worths import with_worths
from steertui.output_files import check_output
from steertui.paths import exists
from steertui.planning.estimate import Estimate
from steertui.planning.experiment_estimate import estimate_experiment
from steertui.planning.experiment_files import load_experiment, save_experiment
from steertui.planning.footprint import Footprint, footprint_of
from steertui.planning.idle_plan import IMPORTED, is_imported
from steertui.planning.origin import TYPED, Origin, file_origin
from steertui.planning.presets import PRESETS
from steertui.tui.plan.condition_editor import editor_of
from steertui.tui.plan.condition_texts import ConditionTexts, read_texts
from steertui.tui.plan.fields import (
    FIELDS,
    GROUPS,
    Field,
    changes_text,
    parse,
    problem_of,
    with_field,
)
from steertui.tui.plan.group_forms import AXES, Add, contest_form, dose_form
from steertui.tui.plan.own_conditions import (
    Kind,
    add_group,
)
from steertui.tui.plan.plan_text import estimate_text, field_line, field_text, run_in_progress
from steertui.tui.plan.prompt_screen import PromptScreen
from steertui.tui.run.watching import WatchingPage
from steertui.tui.session import Draft
from steertui.tui.widgets.ask_path import ask_path
from steertui.tui.widgets.choose_many import ChooseMany
from steertui.tui.widgets.choose_one import ChooseOne
from steertui.tui.widgets.form import Form
from steertui.tui.widgets.form_dialog import FormDialog
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.moves import MoveList, MoveScroll
from steertui.tui.widgets.prompts import Confirm, TextPrompt
from steertui.tui.widgets.reflowing_text import ReflowingText

HELP = """
The list holds the fields of the experiment; **enter** changes the field under the cursor. The panel
"estimate", beside or below the list, predicts the run: new trials and trials answered before,
downloads, time, labels pending and their cost, and the minimum detectable gap between two
conditions.

**r** runs the experiment, or shows a run in progress. **p** shows its prompts as the models get
them. **w** saves it as a TOML file, **o** opens one, and **l** loads a preset; `steertui --batch
--experiment FILE` runs a file without screens. **a** opens an editor for a custom condition, which
starts from the text of pro and is saved in `steertui-conditions.toml` in the working folder. **d**
adds a dose axis to that file, **c** a contest of conditions.
"""

CUSTOM_CONDITIONS = Path("steertui-conditions.toml")
"""File of custom conditions, in the working folder."""

DEFAULT_FILE = "experiment.toml"
"""Experiment file that the dialogs offer at first."""


class PlanScreen(WatchingPage):
    """List of fields beside the estimate and the help of the field under the cursor."""

    NAME = "plan"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "change", "Change", show=False, id="plan.change", tooltip="Change the field"
        ),
        Binding("r", "run", "Run", id="plan.run", tooltip="Run what is missing"),
        Binding("r", "show_run", "Show run", id="plan.show", tooltip="Show the run in progress"),
        Binding("p", "prompts", "Prompts", id="plan.prompts", tooltip="What the models get"),
        Binding("a", "condition", "Condition", id="plan.condition", tooltip="Add your own"),
        Binding("d", "dose", "Dose", id="plan.dose", tooltip="Strengths of one intervention"),
        Binding("c", "contest", "Contest", id="plan.contest", tooltip="Defences × attacks"),
        Binding("w", "save", "Save", id="plan.save", tooltip="Save as a TOML file"),
        Binding("l", "preset", "Preset", id="plan.preset", tooltip="Load a named experiment"),
        Binding("o", "open", "Open", id="plan.open", tooltip="Open a TOML file"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.experiment = Experiment()
        self.origin = TYPED
        self.estimate: Estimate | None = None
        self.footprint: Footprint | None = None
        self._estimated: tuple[Path, Draft] | None = None
        """The database and plan of the estimate."""

    def body(self) -> ComposeResult:
        """Lay out."""
        with Horizontal(id="plan-body"):
            yield MoveList(id="fields", classes="panel")
            with MoveScroll(id="plan-box", classes="panel"):
                yield ReflowingText(id="estimate")

    def on_mount(self) -> None:
        """Add the fields and name the panels."""
        fields = self.query_one("#fields", OptionList)
        for heading, members in GROUPS.items():
            if heading:
                fields.add_option(Option("", id=heading, disabled=True))
            fields.add_options(Option("", id=field.name) for field in members)
        fields.highlighted = fields.get_option_index("models")
        set_titles(fields, "experiment")
        set_titles(self.query_one("#plan-box"), "estimate")
        fields.focus()

    def show_noted(self) -> None:
        """Show what the run has left to do."""
        self.reload()

    def reload(self) -> None:
        """Show the session's experiment, or its changed plan."""
        self.refresh_bindings()
        self._show_plan(self.session.plan)

    def _show_plan(self, plan: Draft) -> None:
        self.experiment, self.origin = plan.experiment, plan.origin
        self._draw()
        self._draw_estimate()
        self._start_estimate()

    def change(self, experiment: Experiment, origin: Origin = TYPED) -> None:
        """Show another experiment, or a changed one."""
        self.session.plan = Draft(experiment, origin)
        self._show_plan(Draft(experiment, origin))

    @property
    def _estimable(self) -> tuple[Path, Draft]:
        """What the estimate depends on, apart from the contents of files."""
        return self.session.db, Draft(self.experiment, self.origin)

    @property
    def _current_estimate(self) -> Estimate | None:
        """The estimate of the shown experiment; None while it is computed."""
        return self.estimate if self._estimated == self._estimable else None

    @work(exclusive=True, thread=True, group="estimate", exit_on_error=False)
    def _start_estimate(self) -> None:
        db, plan = self._estimable
        options = self.session.server_options
        estimate = estimate_experiment(plan.experiment, db, options, plan.origin)
        if estimate.error and is_imported(plan.experiment, db):
            estimate = Estimate(error=IMPORTED)
        estimate = replace(estimate, judges=with_worths(estimate.judges, db))
        footprint = footprint_of(plan.experiment, estimate.downloads)
        self.app.call_from_thread(self._show_estimate, (db, plan), estimate, footprint)

    def _show_estimate(
        self, of: tuple[Path, Draft], estimate: Estimate, footprint: Footprint | None
    ) -> None:
        if of == self._estimable:
            self.estimate = estimate
            self.footprint = footprint
            self._estimated = of
            self._draw_estimate()

    # Drawing

    def _draw(self) -> None:
        fields, c = self.query_one("#fields", OptionList), self.colours
        for heading, members in GROUPS.items():
            if heading:
                fields.replace_option_prompt(heading, Text(f"\n{heading}", f"bold {c.blue}"))
            for field in members:
                line = field_line(field, self.experiment, c)
                fields.replace_option_prompt(field.name, line)

    def _field(self) -> Field:
        fields = self.query_one("#fields", OptionList)
        option = fields.highlighted_option
        return FIELDS[(option and option.id) or "models"]

    @on(OptionList.OptionHighlighted, "#fields")
    def _draw_estimate(self) -> None:
        estimate, footprint = self._current_estimate, self.footprint
        run = run_in_progress(
            self.experiment, self.host.running_experiment, elsewhere=self.is_run_elsewhere
        )
        field, c = self._field(), self.colours

        def draw(room: Size) -> Text:
            text = estimate_text(estimate, room.width, c, footprint, in_progress=run)
            return text.append("\n\n").append_text(field_text(field, estimate, c))

        self.query_one("#estimate", ReflowingText).draw_with(draw)

    # Keys

    @on(OptionList.OptionSelected, "#fields")
    def _selected(self) -> None:
        self.edit()

    @work(exit_on_error=False)
    async def edit(self) -> None:
        """Change the field under the cursor."""
        field = self._field()
        experiment = self.experiment
        try:
            value = await self._new_value(field, experiment)
            if value is None:
                return
            origin = self.origin.typed(field.name, value)
            self.change(with_field(experiment, field.name, value), origin)
        except SteertuiError as exc:
            self.show_error(str(exc))

    async def _new_value(self, field: Field, experiment: Experiment) -> object | None:
        """Return the field's new value, or None if the dialog is cancelled.

        Raises SteertuiError if the choices cannot be read.
        """
        value = getattr(experiment, field.name)
        if isinstance(value, bool):
            return not value
        question = f"{field.title}: {field.about}"
        if field.reads_texts:
            self.origin.require_readable(experiment)
        if field.choices:
            choices = field.choices(experiment)
            dialog = ChooseMany(question, choices, value, field.hint, alone=field.alone)
            return await self.app.push_screen_wait(dialog)
        if field.values:
            rows = [(each, each) for each in field.values]
            return await self.app.push_screen_wait(ChooseOne(question, rows, value))
        prompt = TextPrompt(
            question,
            field.format_input(value),
            hint=field.hint,
            check=lambda text: problem_of(experiment, field, text),
            is_path=field.is_path,
            is_required=False,
        )
        text = await self.app.push_screen_wait(prompt)
        return None if text is None else parse(value, text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let r run the experiment, or show a run that is in progress."""
        if action in ("run", "show_run"):
            return self.is_run_in_progress is (action == "show_run")
        return super().check_action(action, parameters)

    async def action_show_run(self) -> None:
        """Show the run in progress."""
        await self.host.go("run")

    async def action_run(self) -> None:
        """Run the experiment, unless the estimate found an error."""
        estimate = self._current_estimate
        if estimate and estimate.error:
            self.show_error(estimate.error)
            return
        if estimate and estimate.is_complete and not self.session.draft:
            await self.host.go("run")
        else:
            await self.host.run_plan(Draft(self.experiment, self.origin))

    def action_prompts(self) -> None:
        """Show the prompts of the experiment."""
        self.app.push_screen(PromptScreen(self.experiment, self.origin))

    @work(exit_on_error=False)
    async def action_condition(self) -> None:
        """Add a custom condition to its file and to the experiment, or correct one.

        It is corrected if it is in the file and names a vector that does not exist.
        """
        estimate = self._current_estimate
        is_wrong = bool(estimate and estimate.error)
        names = self.experiment.conditions
        try:
            editor = editor_of(self._texts(), CUSTOM_CONDITIONS, names, is_wrong=is_wrong)
        except SteertuiError as exc:
            self.show_error(str(exc))
            return
        if condition := await self.app.push_screen_wait(editor):
            self._use_own(condition.name, instead_of=editor.corrected)

    def _texts(self) -> ConditionTexts:
        """Return the conditions with their texts; raises SteertuiError if they cannot be read."""
        return read_texts(self.experiment, self.origin, self._current_estimate)

    def _use_own(self, name: str, *, instead_of: str = "") -> None:
        """Add a condition or group of the user's file to the experiment, in another's place."""
        others = (name if other == instead_of else other for other in self.experiment.conditions)
        names = list(dict.fromkeys([*others, name]))
        changed = replace(self.experiment, conditions_file=str(CUSTOM_CONDITIONS), conditions=names)
        self.change(changed, self.origin.typed("conditions_file"))

    def _add_group(self, kind: Kind, members: dict[str, Any]) -> None:
        texts = self._texts()
        add_group(kind, members, CUSTOM_CONDITIONS, texts.used, texts.recipes)

    @work(exit_on_error=False)
    async def action_dose(self) -> None:
        """Add a dose axis to the file of custom conditions and to the experiment."""
        kinds = [(str(unit), text) for unit, text in AXES.items()]
        unit = await self.app.push_screen_wait(ChooseOne("A dose axis of what?", kinds))
        if unit:
            await self._ask_group(partial(dose_form, DoseUnit(unit)))

    @work(exit_on_error=False)
    async def action_contest(self) -> None:
        """Add a contest to the file of custom conditions and to the experiment."""
        await self._ask_group(contest_form)

    async def _ask_group(self, form: Callable[[Sequence[Condition], Add], Form]) -> None:
        try:
            conditions = self._texts().used
        except SteertuiError as exc:
            self.show_error(str(exc))
            return
        values = await self.app.push_screen_wait(FormDialog(form(conditions, self._add_group)))
        if values:
            self._use_own(values["name"])

    @work(exit_on_error=False)
    async def action_preset(self) -> None:
        """Load a preset."""
        dialog = ChooseOne("Load which preset?", [(name, name) for name in PRESETS])
        name = await self.app.push_screen_wait(dialog)
        if name and await self._may_replace():
            self.change(PRESETS[name])

    async def _may_replace(self) -> bool:
        """Return whether another experiment may replace the plan; ask if that would lose it."""
        draft = self.session.draft
        if draft is None or draft.experiment in self.session.kept:
            return True
        changes = changes_text(self.session.experiment or Experiment(), draft.experiment)
        question = f"The changed plan is not run: {changes}. Replace it?"
        return await self.app.push_screen_wait(Confirm(question, "Replace"))

    @work(exit_on_error=False)
    async def action_save(self) -> None:
        """Save the experiment as a TOML file."""
        await ask_path(self.app, "Save as which file?", DEFAULT_FILE, self._save)

    async def _save(self, file: Path) -> bool:
        """Save the experiment; return False if the user keeps the file that exists.

        Raises SteertuiError if the file must not or cannot be written.
        """
        self.origin.require_readable(self.experiment)
        check_output(file, "experiment", [self.session.db])
        question = f"{file} holds a saved experiment. Replace it?"
        if exists(file) and not await self.app.push_screen_wait(Confirm(question, "Replace")):
            return False
        save_experiment(self.experiment, file, [self.session.db])
        self.session.kept.append(self.experiment)
        self.notify(f"Saved: {file}; o opens it again.", markup=False)
        return True

    @work(exit_on_error=False)
    async def action_open(self) -> None:
        """Open the experiment of a TOML file."""
        await ask_path(self.app, "Open which TOML file?", DEFAULT_FILE, self._open)

    async def _open(self, file: Path) -> bool:
        """Show the experiment of a file; return False if the user keeps the changed plan.

        Raises SteertuiError if the file cannot be read.
        """
        experiment = load_experiment(file)
        origin = file_origin(experiment, file, {})
        if await self._may_replace():
            self.session.kept.append(experiment)
            self.change(experiment, origin)
            return True
        return False
