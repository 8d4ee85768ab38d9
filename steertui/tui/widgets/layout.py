"""Pieces of text laid out: a sign in front of a wrapped one, many beside each other; titles."""

from collections.abc import Iterable, Sequence

from rich import get_console
from rich.text import Text
from textual.content import Content
from textual.widget import Widget


def hanging_indent(lead: Text, text: Text, width: int) -> Text:
    """Return the text wrapped beside `lead`, so many columns together."""
    lines = text.wrap(get_console(), max(10, width - lead.cell_len))
    found = Text(end="").append_text(lead)
    for place, line in enumerate(lines):
        line.rstrip()
        found.append("\n" + " " * lead.cell_len if place else "").append_text(line)
    return found


def join_fitting(parts: Sequence[Text], between: Text, width: int) -> Text:
    """Return the parts beside each other, as many as fit the width."""
    text = Text(end="", no_wrap=True)
    for part in parts:
        room = width - text.cell_len - (between.cell_len if text else 0)
        if part.cell_len > room:
            break
        text.append_text(between if text else Text()).append_text(part)
    return text


def join_wrapped(parts: Iterable[Text], between: Text, width: int) -> Text:
    """Return the parts beside each other, on as many lines as they need, none broken."""
    lines = [Text(end="")]
    for part in parts:
        if lines[-1] and lines[-1].cell_len + between.cell_len + part.cell_len > width:
            lines.append(Text(end=""))
        lines[-1].append_text(between if lines[-1] else Text()).append_text(part)
    return Text("\n", end="", no_wrap=True).join(lines)


def set_titles(panel: Widget, title: str, subtitle: str | Text = "") -> None:
    """Name a panel's frame above and below, as plain text; the names it bears are not drawn anew.

    A frame covers its whole panel, so that drawing it draws all that lies in it.
    """
    for name, told in (("border_title", title), ("border_subtitle", subtitle)):
        text = Text(told) if isinstance(told, str) else told
        if (getattr(panel, name) or "") != Content.from_rich_text(text).markup:
            setattr(panel, name, text)
