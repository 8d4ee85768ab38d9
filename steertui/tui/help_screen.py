"""Help: what a screen shows, the signs, and every key that works on it."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Markdown, Static

from steertui.tui.widgets.label_style import palette
from steertui.tui.widgets.page import PAGES, Page

EVERYWHERE = """
| key | everywhere |
| --- | --- |
| 0 … 6 | start, {pages} (while labelling, 1 to 4 label: **[** and **]** turn the screens) |
| tab | next panel |
| ctrl+p | every command, by name |
| ctrl+t | dark or light |
| q | leave; what is done is stored |
"""


class HelpScreen(ModalScreen[None]):
    """Help for the screen below."""

    BINDINGS = [  # noqa: RUF012
        Binding("escape,question_mark,q", "leave", "Back", key_display="esc", id="help.leave"),
    ]

    def __init__(self, about: Screen[object]) -> None:
        super().__init__()
        self._about = about

    def compose(self) -> ComposeResult:
        """Lay out."""
        about = self._about
        name = PAGES.get(about.NAME, "Start") if isinstance(about, Page) else "steertui"
        told = about.HELP if isinstance(about, Page) else ""
        pages = ", ".join(PAGES.values())
        with VerticalScroll(classes="help"):
            yield Markdown(f"# {name}\n{told}\n{self._keys()}\n{EVERYWHERE.format(pages=pages)}")
            yield Static(palette(self.app.current_theme.dark).legend())
        yield Footer()

    def _keys(self) -> str:
        rows = []
        for found in self._about.active_bindings.values():
            binding = found.binding
            if found.node is not self.app and (binding.show or binding.tooltip):
                key = self.app.get_key_display(binding)
                rows.append(f"| {key} | {binding.description}: {binding.tooltip or '–'} |")
        if not rows:
            return ""
        return "\n".join(["| key | here |", "| --- | --- |", *dict.fromkeys(rows)])

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)
