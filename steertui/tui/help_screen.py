"""Help screen: description of a screen, its key bindings, and the legend of signs."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Markdown, Static

from steertui.tui.widgets.label_style import palette
from steertui.tui.widgets.page import PAGES, Page

GLOBAL_KEYS = """
| key | on all screens |
| --- | --- |
| 0 … 6 | Start, {pages} |
| [ and ] | previous and next screen |
| tab | next panel |
| ctrl+o | open a recent experiment, or another database |
| ctrl+p | command palette |
| ctrl+t | dark or light theme |
| q | quit; finished work is stored |
"""


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
        name = PAGES.get(screen.NAME, "Start") if isinstance(screen, Page) else "steertui"
        description = screen.HELP if isinstance(screen, Page) else ""
        pages = ", ".join(PAGES.values())
        with VerticalScroll(classes="help"):
            yield Markdown(
                f"# {name}\n{description}\n{self._keys()}\n{GLOBAL_KEYS.format(pages=pages)}"
            )
            yield Static(palette(self.app.current_theme.dark).legend())
        yield Footer()

    def _keys(self) -> str:
        """Return a Markdown table of the screen's key bindings; "" for none."""
        rows = []
        for active in self._described.active_bindings.values():
            binding = active.binding
            if active.node is not self.app and (binding.show or binding.tooltip):
                key = self.app.get_key_display(binding)
                rows.append(f"| {key} | {binding.description}: {binding.tooltip or '–'} |")
        if not rows:
            return ""
        return "\n".join(["| key | on this screen |", "| --- | --- |", *dict.fromkeys(rows)])

    def action_close(self) -> None:
        """Close the help."""
        self.dismiss(None)
