"""Help screen: description of a screen, its key bindings, and the legend of signs."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Markdown, Static

from steertui.tui.widgets.label_style import palette
from steertui.tui.widgets.moves import MoveScroll
from steertui.tui.widgets.page import PAGES, Page


def named_bindings(screen: Screen[object]) -> list[ActiveBinding]:
    """Return the bindings that have an effect now and a name: help and palette list them."""
    actions: dict[str, ActiveBinding] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if active.enabled and (binding.show or binding.tooltip) and binding.description:
            actions.setdefault(binding.action, active)
    return list(actions.values())


class HelpScreen(ModalScreen[None]):
    """Help dialog of a screen."""

    BINDINGS = [  # noqa: RUF012
        Binding("escape,question_mark,q", "close", "Close", key_display="esc", id="help.close"),
    ]

    def __init__(self, screen: Screen[object]) -> None:
        super().__init__()
        self._described = screen

    def compose(self) -> ComposeResult:
        """Lay out."""
        screen = self._described
        name = description = ""
        if isinstance(screen, Page):
            name = PAGES.get(screen.NAME, screen.HEADING)
            description = screen.HELP
        bindings = named_bindings(screen)
        here = self._table("on this screen", [b for b in bindings if b.node is not self.app])
        everywhere = self._table("on all screens", [b for b in bindings if b.node is self.app])
        with MoveScroll(classes="help"):
            yield Markdown(f"# {name}\n{description}\n{here}\n\n{everywhere}")
            yield Static(palette(self.app.current_theme.dark).legend())
        yield Footer()

    def _table(self, title: str, bindings: Sequence[ActiveBinding]) -> str:
        """Return a Markdown table of bindings; "" for none."""
        rows = [
            f"| {self.app.get_key_display(binding)} | {binding.description}: {binding.tooltip} |"
            if binding.tooltip
            else f"| {self.app.get_key_display(binding)} | {binding.description} |"
            for binding in (active.binding for active in bindings)
        ]
        return "\n".join([f"| key | {title} |", "| --- | --- |", *rows]) if rows else ""

    def action_close(self) -> None:
        """Close the help."""
        self.dismiss(None)
