"""The panels of the Run screen: slots at work, one text in focus."""

from collections.abc import Mapping, Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size

from steertui.engine.events import SlotView
from steertui.store.progress_queries import TrialPlace
from steertui.store.trials import TrialText
from steertui.tui.read.trial_view import add_answer, add_prompt, add_verdicts
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.tui.widgets.sanitize import one_line


class SlotsPanel(ReflowingText):
    """The slots at work, a line each, with the end of what they have written."""

    def show(
        self,
        slots: Sequence[SlotView],
        places: Mapping[str, TrialPlace],
        focus: str,
        colours: Palette,
    ) -> None:
        """Draw the lines that fit."""
        self.draw_with(lambda room: slot_lines(slots, places, focus, room, colours))

    def rest(self, text: str, colours: Palette) -> None:
        """Say why nothing is at work."""
        self.draw_with(lambda _: Text(text, colours.quiet))


def slot_lines(
    slots: Sequence[SlotView],
    places: Mapping[str, TrialPlace],
    focus: str,
    room: Size,
    colours: Palette,
) -> Text:
    """Return a line for each slot; the last tells of those that do not fit."""
    lines = [
        _slot_line(number, slot, places.get(slot.id), room.width, colours)
        for number, slot in enumerate(slots[: room.height], 1)
    ]
    for slot, line in zip(slots, lines, strict=False):
        if slot.id == focus:
            line.stylize("bold")
    if len(slots) > room.height and lines:
        lines[-1] = Text(f"   and {len(slots) - room.height + 1} more", colours.quiet)
    return Text("\n").join(lines)


def _slot_line(
    number: int, slot: SlotView, at: TrialPlace | None, width: int, colours: Palette
) -> Text:
    line = Text(end="").append(f"{number:>2} ", colours.faint)
    title = Text(one_line(at.title) if at else slot.id[:12], end="")
    title.truncate(min(30, max(18, width // 4)), overflow="ellipsis", pad=True)
    line.append_text(title).append(f" {at.condition if at else '':9.9}", colours.quiet)
    line.append(f"{slot.tokens:>5}  ", colours.quiet)
    left = max(1, width - line.cell_len)
    tail = Text(one_line(slot.text[-2 * left :]), end="")
    if tail.cell_len > left:
        tail = tail[max(0, len(tail) - left + 1) :]
    line.append_text(tail)
    line.truncate(width)
    return line


class FocusPanel(Vertical):
    """One trial: its text as it is written, or in full with its verdicts."""

    def compose(self) -> ComposeResult:
        """Lay out."""
        yield LongText(id="focus-text")

    def on_mount(self) -> None:
        """Nothing is chosen yet."""
        self._live = ""
        self._shown = 0

    @property
    def live(self) -> str:
        """The trial whose text is shown as it is written, "" for none."""
        return self._live

    @property
    def flow(self) -> LongText:
        """The text."""
        return self.query_one(LongText)

    def write(self, place: TrialPlace, slot: SlotView) -> None:
        """Show what a slot has written; only what is new is drawn."""
        set_titles(self, f"{one_line(place.title)} · {one_line(place.condition)}", "writing")
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
        told = f"{trial.tokens} tokens, {trial.stop}" if trial.stop else ""
        set_titles(self, f"{one_line(trial.title)} · {one_line(trial.condition)}", told)
        flow = self.flow
        flow.clear()
        if failure:
            flow.add(Text(f"! no answer: {one_line(failure)}", colours.error))
            flow.add("")
        add_verdicts(flow, trial, colours)
        add_answer(flow, trial)
        flow.add("")
        add_prompt(flow, trial)
