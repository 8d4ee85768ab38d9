"""Picture of a screen as SVG, saved in the working folder."""

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

from textual.app import App

from steertui.errors import OutputError
from steertui.output_files import text_output
from steertui.paths import exists

TITLE = "Screenshot"


def save_picture(app: App[None], screen: str) -> None:
    """Save a picture of what is shown under a new name, and say where, or why it is not saved."""
    file = next(path for path in _files(screen) if not exists(path))
    try:
        with text_output(file, "svg") as picture:
            picture.write(app.export_screenshot())
    except OutputError as exc:
        app.notify(str(exc), title=TITLE, severity="error", timeout=15, markup=False)
        return
    app.notify(f"Saved: {file}", title=TITLE, timeout=15, markup=False)


def _files(screen: str) -> Iterator[Path]:
    """Yield files of the working folder, named by the screen and the time."""
    time = datetime.now().astimezone().strftime("%Y-%m-%d-%H%M%S")
    for number in count(1):
        again = "" if number == 1 else f"-{number}"
        yield Path.cwd() / f"steertui-{screen}-{time}{again}.svg"
