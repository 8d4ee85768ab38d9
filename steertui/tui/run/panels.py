"""Panels of the Run screen: slots at work, and the text of one trial."""

from collections.abc import Collection, Mapping, Sequence

from rich.cells import set_cell_size
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size

from steertui.engine.events import SlotView
from steertui.printable import one_line
from steertui.store.progress_queries import TrialPlace
from steertui.store.trials import TrialText
from steertui.tui.read.trial_view import add_answer, add_prompt, add_verdicts, length_text
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import set_titles, shorten_apart
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.reflowing_text import ReflowingText

CONDITION_WIDTH = 9
"""Columns of a condition's name in the line of a slot."""


class SlotsPanel(ReflowingText):
    """One line per slot at work, with the end of its text."""

    def show(
        self,
        slots: Sequence[SlotView],
        places: Mapping[str, TrialPlace],
        focus: str,
        colours: Palette,
    ) -> None:
        """Show the slots, as many as fit; the line of the trial `focus` is bold."""
        self.draw_with(lambda room: slot_lines(slots, places, focus, room, colours))

    def show_note(self, text: str, colours: Palette) -> None:
        """Show a note while no slot is at work."""
        self.draw_with(lambda _: Text(text, colours.quiet))


def slot_lines(
    slots: Sequence[SlotView],
    places: Mapping[str, TrialPlace],
    focus: str,
    room: Size,
    colours: Palette,
) -> Text:
    """Return one line per slot; the last one counts the slots that do not fit."""
    shown = [places[slot.id] for slot in slots[: room.height] if slot.id in places]
    names = {one_line(place.condition) for place in shown}
    lines = [
        _slot_line(number, slot, places.get(slot.id), names, width=room.width, colours=colours)
        for number, slot in enumerate(slots[: room.height], 1)
    ]
    for slot, line in zip(slots, lines, strict=False):
        if slot.id == focus:
            line.stylize("bold")
    if len(slots) > room.height and lines:
        lines[-1] = Text(f"   and {len(slots) - room.height + 1} more", colours.quiet)
    return Text("\n").join(lines)


def _slot_line(
    number: int,
    slot: SlotView,
    place: TrialPlace | None,
    names: Collection[str],
    *,
    width: int,
    colours: Palette,
) -> Text:
    """Return the line of a slot; `names` are the conditions of all slots."""
    line = Text(end="").append(f"{number:>2} ", colours.faint)
    title = Text(one_line(place.title) if place else slot.id[:12], end="")
    title.truncate(min(30, max(18, width // 4)), overflow="ellipsis", pad=True)
    name = shorten_apart(one_line(place.condition), names, CONDITION_WIDTH) if place else ""
    condition = set_cell_size(name, CONDITION_WIDTH)
    line.append_text(title).append(f" {condition}", colours.quiet)
    line.append(f"{slot.tokens:>5}  ", colours.quiet)
    room = max(1, width - line.cell_len)
    tail = Text(one_line(slot.text[-2 * room :]), end="")
    if tail.cell_len > room:
        tail = tail[max(0, len(tail) - room + 1) :]
    line.append_text(tail)
    line.truncate(width)
    return line


class FocusPanel(Vertical):
    """One trial: its text while it is generated, or the stored trial with its verdicts."""

    def compose(self) -> ComposeResult:
        """Lay out."""
        yield LongText(id="focus-text")

    def on_mount(self) -> None:
        """Start without a trial."""
        self._live = ""
        self._shown_length = 0

    @property
    def live(self) -> str:
        """Key of the trial whose text is shown while it is generated; "" for none."""
        return self._live

    @property
    def text(self) -> LongText:
        """The widget that shows the text."""
        return self.query_one(LongText)

    def clear(self) -> None:
        """Show no trial."""
        self._live = ""
        self._shown_length = 0
        set_titles(self, "")
        self.text.clear()

    def show_slot(self, place: TrialPlace, slot: SlotView) -> None:
        """Show the text of a slot; only its new part is drawn."""
        set_titles(self, f"{one_line(place.title)} · {one_line(place.condition)}", "generating")
        if self._live != slot.id or len(slot.text) < self._shown_length:
            self.text.clear()
            self.text.add("")
            self._live = slot.id
            self._shown_length = 0
        # An incomplete character at the end is replaced when its other bytes follow.
        text = slot.text.rstrip("\ufffd")
        if len(text) > self._shown_length:
            self.text.append(text[self._shown_length :])
            self._shown_length = len(text)

    def show_trial(self, trial: TrialText, colours: Palette, failure: str = "") -> None:
        """Show a stored trial; `failure` is why it has no answer."""
        self._live = ""
        self._shown_length = 0
        subtitle = f"{length_text(trial)}, {trial.stop}" if trial.stop else ""
        set_titles(self, f"{one_line(trial.title)} · {one_line(trial.condition)}", subtitle)
        text = self.text
        text.clear()
        if failure:
            text.add(Text(f"! no answer: {one_line(failure)}", colours.error))
            text.add("")
        add_verdicts(text, trial, colours)
        add_answer(text, trial)
        text.add("")
        add_prompt(text, trial)
