"""Prompt screen: each prompt of the experiment on Plan, as its model gets it."""

from typing import ClassVar

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
from steertui.core.scenario import Scenario, first_words, full_title
from steertui.errors import SteertuiError
from steertui.planning.origin import Origin
from steertui.planning.prompt_preview import PromptPreview, preview_prompts
from steertui.printable import one_line
from steertui.tui.plan.prompt_text import length_text, show_prompt
from steertui.tui.widgets.layout import set_titles, shorten_path
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.moves import MoveList
from steertui.tui.widgets.page import Page
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.tui.widgets.screen_words import in_screen_words

HELP = """
One prompt of the experiment on Plan, whole, up to the start of the answer, before anything is run.
The list holds the conditions. **n** and **N** go to the next and the previous scenario, **m** goes
to the next model, **tab** moves the focus between list and prompt.

Control tokens of the model are bold. What the condition adds to the text is blue: system text,
prefix, suffix and the beginning of the answer. Steering vectors, ablations and adapters change no
text and are named above the prompt. Without the weights on this machine, and for models behind
servers, the messages are shown without the chat template.
"""

MIN_TITLE = 20
"""Columns that a scenario's title has at least, if it is that long."""

MIN_MODEL = 20
"""Columns that a model's name has at least, if it is that long."""


class PromptScreen(Page):
    """Screen with the conditions beside one prompt."""

    NAME = "prompts"
    HEADING = "Prompts"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "scenario(1)", "Next scenario", id="prompts.next", tooltip="Its prompt"),
        Binding("N", "scenario(-1)", "Previous", id="prompts.previous", tooltip="Scenario before"),
        Binding("m", "model", "Next model", id="prompts.model", tooltip="Of the experiment"),
        Binding("escape", "leave", "Back", id="prompts.back", tooltip="To Plan"),
    ]

    def __init__(self, experiment: Experiment, origin: Origin) -> None:
        """Show the prompts of an experiment that comes from `origin`."""
        super().__init__()
        self._experiment = experiment
        self._origin = origin
        self._previews: dict[str, PromptPreview | str] = {}
        """By model; a text says why there are no prompts."""
        self._model = 0
        self._scenario = 0

    def body(self) -> ComposeResult:
        """Yield the title, the conditions and the prompt."""
        yield ReflowingText(id="prompt-title")
        with Horizontal(id="prompt-body"):
            yield MoveList(id="prompt-conditions", classes="panel")
            yield LongText(id="prompt-text")

    def on_mount(self) -> None:
        """Name the panels and focus the list."""
        set_titles(self._conditions, "conditions")
        set_titles(self.query_one(LongText), "prompt")
        self._conditions.focus()

    def reload(self) -> None:
        """Render the model's prompts, once."""
        if self._model_name in self._previews:
            self._draw()
        else:
            self._render_prompts(self._model_name)

    @property
    def _model_name(self) -> str:
        return self._experiment.models[self._model]

    @property
    def _conditions(self) -> MoveList:
        return self.query_one("#prompt-conditions", MoveList)

    @work(thread=True, exclusive=True, group="preview", exit_on_error=False)
    def _render_prompts(self, name: str) -> None:
        preview: PromptPreview | str
        try:
            preview = preview_prompts(self._experiment, name, self._origin)
        except SteertuiError as exc:
            preview = str(exc)
        self.app.call_from_thread(self._show, name, preview)

    def _show(self, name: str, preview: PromptPreview | str) -> None:
        """Keep the prompts of a model, and list the conditions at first."""
        self._previews[name] = preview
        conditions = self._conditions
        if isinstance(preview, PromptPreview) and not conditions.option_count:
            conditions.add_options(Option(Text(one_line(c.name))) for c in preview.conditions)
            changing = (i for i, c in enumerate(preview.conditions) if c.parts)
            conditions.highlighted = next(changing, 0)
        self._draw()
        self.refresh_bindings()

    @on(OptionList.OptionHighlighted)
    def _draw(self) -> None:
        """Show the prompt of the scenario under the condition of the cursor."""
        preview, view = self._previews.get(self._model_name), self.query_one(LongText)
        if not isinstance(preview, PromptPreview):
            view.clear()
            if preview:
                view.add(Text(f"! {one_line(in_screen_words(preview))}.", self.colours.error))
            return
        scenario = preview.scenarios[self._scenario]
        condition = preview.conditions[self._conditions.highlighted or 0]
        self._draw_titles(preview, scenario, condition)
        show_prompt(view, preview, scenario, condition, self.colours)

    def _draw_titles(
        self, preview: PromptPreview, scenario: Scenario, condition: Condition
    ) -> None:
        """Draw the line above the panels, and the titles of the prompt."""
        kind = "prompt" if preview.rendered else "messages"
        title = f"{kind} under {one_line(condition.name)}"
        set_titles(self.query_one(LongText), title, length_text(preview, scenario, condition))
        name = one_line(full_title(scenario.title, scenario.task))
        place = f"   {self._scenario + 1:,} of {len(preview.scenarios):,} scenarios"

        def draw(size: Size) -> Text:
            model = shorten_path(one_line(self._model_name), max(MIN_MODEL, size.width // 3))
            others = Text(f"  {model}", self.colours.blue).append(place, self.colours.quiet)
            title = first_words(name, max(MIN_TITLE, size.width - others.cell_len))
            return Text(title, "bold", end="", no_wrap=True).append_text(others)

        self.query_one("#prompt-title", ReflowingText).draw_with(draw)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the keys that have an effect now."""
        if action == "scenario":
            preview = self._previews.get(self._model_name)
            count = len(preview.scenarios) if isinstance(preview, PromptPreview) else 0
            return 0 <= self._scenario + int(str(parameters[0])) < count
        return len(self._experiment.models) > 1 if action == "model" else True

    def action_scenario(self, by: int) -> None:
        """Show the next scenario, or the previous one."""
        self._scenario += by
        self._draw()
        self.refresh_bindings()

    def action_model(self) -> None:
        """Show the next model, the first after the last."""
        self._model = (self._model + 1) % len(self._experiment.models)
        self.reload()

    def action_leave(self) -> None:
        """Return to Plan."""
        self.app.pop_screen()
