"""Layout of short texts: hanging indent, parts joined within a width, titles of frames."""

from collections.abc import Iterable, Sequence

from rich import get_console
from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.content import Content
from textual.widget import Widget


def hanging_indent(lead: Text, text: Text, width: int) -> Text:
    """Return `lead` followed by the text, wrapped and indented by the lead's width.

    `width` is the total number of columns.
    """
    lines = text.wrap(get_console(), max(10, width - lead.cell_len))
    result = Text(end="").append_text(lead)
    for number, line in enumerate(lines):
        line.rstrip()
        result.append("\n" + " " * lead.cell_len if number else "").append_text(line)
    return result


def join_fitting(parts: Sequence[Text], between: Text, width: int) -> Text:
    """Return the first parts in one line, as many as fit `width` columns."""
    text = Text(end="", no_wrap=True)
    for part in parts:
        free = width - text.cell_len - (between.cell_len if text else 0)
        if part.cell_len > free:
            break
        text.append_text(between if text else Text()).append_text(part)
    return text


def join_wrapped(parts: Iterable[Text], between: Text, width: int) -> Text:
    """Return all parts, wrapped between parts but not inside one."""
    lines = [Text(end="")]
    for part in parts:
        if lines[-1] and lines[-1].cell_len + between.cell_len + part.cell_len > width:
            lines.append(Text(end=""))
        lines[-1].append_text(between if lines[-1] else Text()).append_text(part)
    return Text("\n", end="", no_wrap=True).join(lines)


def set_titles(panel: Widget, title: str, subtitle: str | Text = "") -> None:
    """Set the titles in the upper and lower border of a panel, as plain text.

    An unchanged title is not set again, because that would redraw the whole panel.
    """
    for name, title_text in (("border_title", title), ("border_subtitle", subtitle)):
        text = Text(title_text) if isinstance(title_text, str) else title_text
        if (getattr(panel, name) or "") != Content.from_rich_text(text).markup:
            setattr(panel, name, text)


def shorten_middle(text: str, width: int) -> str:
    """Return the text, or its beginning and end with an ellipsis between, `width` columns wide.

    Names of models often differ at the end only.
    """
    if cell_len(text) <= width or width < 3:
        return text
    return _ends(text, width, (width - 1) // 2)


def shorten_apart(text: str, others: Iterable[str], width: int) -> str:
    """Return the text in `width` columns, with a part that differs from those of `others`.

    As `shorten_middle`, but more of the beginning, of the end or else of the middle is kept if two
    names would otherwise look the same.
    """
    if cell_len(text) <= width or width < 3:
        return text
    rivals = [other for other in others if other != text]
    middle = (width - 1) // 2
    for end in sorted(range(width), key=lambda number: abs(number - middle)):
        shown = _ends(text, width, end)
        if all(shown != _ends(other, width, end) for other in rivals):
            return shown
    for start in range(1, len(text) - width + 2):
        if all(text[start:][: width - 2] != other[start:][: width - 2] for other in rivals):
            return f"…{set_cell_size(text[start:], width - 2)}…"
    return _ends(text, width, middle)


def _ends(text: str, width: int, end: int) -> str:
    """Return the beginning and the last `end` columns, or a text that fits."""
    if cell_len(text) <= width:
        return text
    beginning = set_cell_size(text, width - 1 - end)
    return f"{beginning}…{set_cell_size(text[::-1], end)[::-1]}"


def shorten_path(path: str, width: int) -> str:
    """Return the path, fitted to the width; the name of the file is kept the longest."""
    name = path.rpartition("/")[2]
    fitting = (text for text in (path, f"…/{name}", name) if cell_len(text) <= width)
    return next(fitting, "") or shorten_middle(name, width)
