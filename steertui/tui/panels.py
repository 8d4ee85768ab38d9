"""The panels of the Run screen: stages, slots at work, one text in focus."""

from collections.abc import Mapping, Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from steertui.engine.events import SlotView
from steertui.progress import STAGES
from steertui.store.overview import Place
from steertui.store.trials import TrialText
from steertui.tui.bars import progress, spark
from steertui.tui.flow import Flow
from steertui.tui.labels import Palette
from steertui.tui.plain import one_line
from steertui.tui.runner import Stage
from steertui.tui.trial_view import add_answer, add_head, add_prompt


class StageLine(Static):
    """One line: what is going on, and how far each stage is."""

    def show(self, state: str, stages: Mapping[str, Stage], colours: Palette) -> None:
        """Draw, as wide as there is room."""
        text = Text(f"{state}   ", f"bold {colours.blue}")
        room = max(6, min(30, (self.size.width - 24) // max(1, len(stages)) - 40))
        for name, stage in stages.items():
            text.append(f"{STAGES.get(name, name)} ", colours.quiet)
            text.append_text(progress(stage.done, stage.total, room, colours))
            text.append(f" {stage.done:,}/{stage.total:,}", "bold")
            text.append(f"  {stage.pace}   " if stage.pace else "   ", colours.quiet)
        self.update(text)


class SlotsPanel(Static):
    """The slots at work, a line each, with the end of what they have written."""

    def show(
        self, slots: Sequence[SlotView], places: Mapping[str, Place], focus: str, colours: Palette
    ) -> None:
        """Draw the lines that fit."""
        width, height = self.size.width, self.size.height
        lines = []
        for number, slot in enumerate(slots[:height], 1):
            at = places.get(slot.id)
            line = Text(f"{number:>2} ", colours.faint)
            title = Text(one_line(at.title) if at else slot.id[:12])
            title.truncate(18, overflow="ellipsis", pad=True)
            line.append_text(title).append(f" {at.condition if at else '':9.9}", colours.quiet)
            line.append(f"{slot.tokens:>5}  ", colours.quiet)
            room = width - line.cell_len
            tail = Text(one_line(slot.text[-2 * max(room, 1) :]))
            if tail.cell_len > room:
                tail = tail[max(0, len(tail) - room + 1) :]
            line.append_text(tail)
            line.truncate(width)
            if slot.id == focus:
                line.stylize("bold")
            lines.append(line)
        if len(slots) > height and lines:
            lines[-1] = Text(f"   and {len(slots) - height + 1} more", colours.quiet)
        self.update(Text("\n").join(lines), layout=False)

    def rest(self, text: str, colours: Palette) -> None:
        """Say why nothing is at work."""
        self.update(Text(text, colours.quiet), layout=False)

    @staticmethod
    def title(room: int, speeds: Sequence[float]) -> Text:
        """Return the panel's title: slots, speed with its course."""
        text = Text(f"slots {room}")
        if speeds:
            text.append(f" · {speeds[-1]:,.0f} tokens/s {spark(list(speeds), 16)}")
        return text


class FocusPanel(Vertical):
    """One trial: its text as it is written, or in full with its verdicts."""

    def compose(self) -> ComposeResult:
        """Lay out."""
        yield Flow(id="focus-text")

    def on_mount(self) -> None:
        """Nothing is chosen yet."""
        self._live = ""
        self._shown = 0

    @property
    def live(self) -> str:
        """The trial whose text is shown as it is written, "" for none."""
        return self._live

    @property
    def flow(self) -> Flow:
        """The text."""
        return self.query_one(Flow)

    def write(self, place: Place, slot: SlotView) -> None:
        """Show what a slot has written; only what is new is drawn."""
        self.border_title = Text(f"{one_line(place.title)} · {place.condition}")
        self.border_subtitle = f"writing · {slot.tokens} tokens"
        if self._live != slot.id or len(slot.text) < self._shown:
            self.flow.clear()
            self.flow.add("")
            self._live, self._shown = slot.id, 0
        # A character cut in two at the end is replaced when its other half comes.
        text = slot.text.rstrip("\ufffd")
        if len(text) > self._shown:
            self.flow.append(text[self._shown :])
            self._shown = len(text)

    def read(self, trial: TrialText, colours: Palette, failure: str = "") -> None:
        """Show a stored trial."""
        self._live, self._shown = "", 0
        self.border_title = Text(f"{one_line(trial.title)} · {trial.condition}")
        self.border_subtitle = f"{trial.tokens} tokens, {trial.stop}" if trial.stop else ""
        flow = self.flow
        flow.clear()
        if failure:
            flow.add(Text(f"! no answer: {one_line(failure)}", colours.error))
            flow.add("")
        add_head(flow, trial, colours)
        add_answer(flow, trial)
        flow.add("")
        add_prompt(flow, trial)
