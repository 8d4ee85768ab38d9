"""The Plan screen: an experiment's fields, and what it would do and take at every change."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.geometry import Size
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from steertui.core.condition import Condition
from steertui.core.experiment import Experiment
from steertui.errors import SteertuiError
from steertui.output_files import check_output
from steertui.planning.estimate import Estimate, estimate_experiment
from steertui.planning.experiment_files import load_experiment, save_experiment
from steertui.planning.origin import TYPED, Origin, file_origin
from steertui.planning.presets import PRESETS
from steertui.tui.plan.condition_editor import ConditionEditor
from steertui.tui.plan.fields import FIELDS, GROUPS, Field, parse, with_field
from steertui.tui.plan.plan_text import estimate_text, field_line, field_text
from steertui.tui.widgets.choose_many import ChooseMany
from steertui.tui.widgets.choose_one import ChooseOne
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.page import Page
from steertui.tui.widgets.prompts import Confirm, TextPrompt
from steertui.tui.widgets.reflowing_text import ReflowingText

HELP = """
An experiment is its fields: **enter** changes the one under the cursor. At the right stands what it
would do: trials new and done before, what has to be fetched first, and the smallest gap between two
conditions that so many scenarios can show.

**r** runs it. **w** writes it to a TOML file and **o** opens one; `steertui --batch --experiment
FILE` runs the same without a screen. **a** writes a condition of your own, beginning with the text
of pro, and keeps it in `steertui-conditions.toml` here.
"""

OWN = Path("steertui-conditions.toml")


class PlanScreen(Page):
    """A list of fields beside what follows from them."""

    NAME = "plan"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "change", "Change", show=False, id="plan.change", tooltip="The field"),
        Binding("r", "run", "Run", id="plan.run", tooltip="Begin, or go on with what is missing"),
        Binding("a", "condition", "New condition", id="plan.condition", tooltip="Your own"),
        Binding("w", "write", "Save", id="plan.write", tooltip="To a TOML file"),
        Binding("l", "preset", "Preset", id="plan.preset", tooltip="The paper's, and others"),
        Binding("o", "open", "Open", id="plan.open", tooltip="A TOML file"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.experiment = Experiment()
        self.origin = TYPED
        self.estimate: Estimate | None = None
        self._version = -1

    def body(self) -> ComposeResult:
        """Lay out."""
        with Horizontal(id="plan-body"):
            yield OptionList(id="fields", classes="panel")
            with VerticalScroll(id="plan-box", classes="panel"):
                yield ReflowingText(id="estimate")

    def on_mount(self) -> None:
        """Name the panels."""
        fields = self.query_one("#fields", OptionList)
        for heading, members in GROUPS.items():
            fields.add_option(Option("", id=heading, disabled=True))
            fields.add_options(Option("", id=field.name) for field in members)
        fields.highlighted = 1
        set_titles(fields, "experiment")
        set_titles(self.query_one("#plan-box"), "what it will do")
        fields.focus()

    def reload(self) -> None:
        """Take the experiment that is open."""
        if self._version != self.session.version:
            self._version = self.session.version
            self.experiment = self.session.experiment or Experiment()
            self.origin = self.session.origin
        self._draw()
        self._start_estimate()

    def change(self, experiment: Experiment, origin: Origin = TYPED) -> None:
        """Plan another experiment."""
        self.experiment = experiment
        self.origin = origin
        self._draw()
        self._start_estimate()

    @work(exclusive=True, thread=True, group="estimate", exit_on_error=False)
    def _start_estimate(self) -> None:
        experiment = self.experiment
        session = self.session
        estimate = estimate_experiment(experiment, session.db, session.terms, self.origin)
        self.app.call_from_thread(self._show_estimate, experiment, estimate)

    def _show_estimate(self, experiment: Experiment, estimate: Estimate) -> None:
        if experiment == self.experiment:
            self.estimate = estimate
            self._draw_estimate()

    # Drawing

    def _draw(self) -> None:
        fields, c = self.query_one("#fields", OptionList), self.colours
        for place, (heading, members) in enumerate(GROUPS.items()):
            title = ("\n" if place else "") + heading
            fields.replace_option_prompt(heading, Text(title, f"bold {c.blue}"))
            for field in members:
                line = field_line(field, self.experiment, c)
                fields.replace_option_prompt(field.name, line)

    def _field(self) -> Field:
        fields = self.query_one("#fields", OptionList)
        option = fields.highlighted_option
        return FIELDS[(option and option.id) or "models"]

    @on(OptionList.OptionHighlighted, "#fields")
    def _draw_estimate(self) -> None:
        estimate = self.estimate
        field = self._field()
        c = self.colours

        def draw(room: Size) -> Text:
            text = estimate_text(estimate, room.width, c).append("\n\n")
            return text.append_text(field_text(field, estimate, c))

        self.query_one("#estimate", ReflowingText).draw_with(draw)

    # Keys

    @on(OptionList.OptionSelected, "#fields")
    def _selected(self) -> None:
        self.edit()

    @work(exit_on_error=False)
    async def edit(self) -> None:
        """Change the field under the cursor."""
        field, experiment = self._field(), self.experiment
        value = getattr(experiment, field.name)
        if isinstance(value, bool):
            self.change(with_field(experiment, field.name, not value), self.origin)
            return
        new: object
        if field.choices:
            try:
                self.origin.require_readable(experiment)
                options = field.choices(experiment)
            except SteertuiError as exc:
                self.show_error(str(exc))
                return
            asked = ChooseMany(f"{field.title}: {field.about}", options, value, field.hint)
            picked = await self.app.push_screen_wait(asked)
            new = picked
        else:
            typed = await self.app.push_screen_wait(
                TextPrompt(f"{field.title}: {field.about}", field.typed(value), hint=field.hint)
            )
            if typed is None:
                return
            new = parse(value, typed)
            if new is None:
                self.show_error(f"{field.title}: {typed!r} is no number.")
        if new is None:
            return
        try:
            self.change(with_field(experiment, field.name, new), self.origin.typed(field.name, new))
        except SteertuiError as exc:
            self.show_error(str(exc))

    async def action_run(self) -> None:
        """Run it."""
        if self.estimate and self.estimate.error:
            self.show_error(self.estimate.error)
            return
        self.session.open(self.session.db, self.experiment, origin=self.origin)
        await self.host.start()

    @work(exit_on_error=False)
    async def action_condition(self) -> None:
        """Write a condition of one's own."""
        conditions = self.estimate.conditions if self.estimate else ()
        known = {c.name: c for c in conditions}
        first = known.get("pro") or next(iter(known.values()), Condition(""))
        editor = ConditionEditor(replace(first, name="my-condition"), OWN)
        made = await self.app.push_screen_wait(editor)
        if made is None:
            return
        names = list(dict.fromkeys([*self.experiment.conditions, made.name]))
        changed = replace(self.experiment, conditions_file=str(OWN), conditions=names)
        self.change(changed, self.origin.typed("conditions_file"))

    @work(exit_on_error=False)
    async def action_preset(self) -> None:
        """Take a preset."""
        asked = ChooseOne("Which experiment?", [(name, name) for name in PRESETS])
        name = await self.app.push_screen_wait(asked)
        if name:
            self.change(PRESETS[name])

    @work(exit_on_error=False)
    async def action_write(self) -> None:
        """Save it."""
        name = await self.app.push_screen_wait(
            TextPrompt("Save it to which file?", "experiment.toml")
        )
        if not name or not name.strip():
            return
        file = Path(name.strip()).expanduser()
        try:
            self.origin.require_readable(self.experiment)
            check_output(file, "experiment", [self.session.db])
            if file.exists() and not await self.app.push_screen_wait(
                Confirm(f"{file} is an experiment saved before. Replace it?", "Replace")
            ):
                return
            save_experiment(self.experiment, file, [self.session.db])
        except SteertuiError as exc:
            self.show_error(str(exc))
        else:
            self.notify(f"Saved: steertui --batch --experiment {file} runs it.", markup=False)

    @work(exit_on_error=False)
    async def action_open(self) -> None:
        """Open one."""
        name = await self.app.push_screen_wait(TextPrompt("Which TOML file?", "experiment.toml"))
        if name and name.strip():
            file = Path(name.strip()).expanduser()
            try:
                experiment = load_experiment(file)
                self.change(experiment, file_origin(experiment, file, {}))
            except SteertuiError as exc:
                self.show_error(str(exc))
