"""Every type selector of the stylesheet names a widget class."""

import re
from collections.abc import Iterator
from pathlib import Path

import textual.widgets
from textual.widget import Widget

from steertui.tui.screens import import_screens

STYLESHEET = Path(__file__).parents[2] / "steertui" / "tui" / "steertui.tcss"


def widget_names() -> set[str]:
    """Return the names of the screens' widget classes and of Textual's."""
    import_screens()
    return set(names_below(Widget)) | set(dir(textual.widgets))


def names_below(widget: type[Widget]) -> Iterator[str]:
    yield widget.__name__
    for subclass in widget.__subclasses__():
        yield from names_below(subclass)


def test_type_selectors_name_widget_classes() -> None:
    text = re.sub(r"/\*.*?\*/|\{.*?\}", " ", STYLESHEET.read_text(encoding="utf-8"), flags=re.S)
    selectors = set(re.findall(r"(?<![\w#.$&:-])[A-Z]\w*", text))
    assert "Matrix" in selectors
    assert selectors <= widget_names()


def test_id_selectors_name_widgets_of_the_screens() -> None:
    rules = re.sub(r"/\*.*?\*/|\{.*?\}", " ", STYLESHEET.read_text(encoding="utf-8"), flags=re.S)
    selectors = set(re.findall(r"#([a-z][\w-]*)", rules))
    sources = "\n".join(p.read_text(encoding="utf-8") for p in STYLESHEET.parent.rglob("*.py"))
    assert "activity" in selectors
    assert selectors <= set(re.findall(r'id="([\w-]+)"', sources))
