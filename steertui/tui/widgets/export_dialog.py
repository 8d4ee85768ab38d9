"""Export: what is open, written to a file in a form of the report."""

from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from types import MappingProxyType

from steertui.analysis.summary import ReportFilter
from steertui.errors import StoreError
from steertui.report.command import write_report
from steertui.tui.widgets.choose_one import OptionRow

FORMS = MappingProxyType(
    {
        "html": ("one page to read and pass on (HTML)", ".html"),
        "csv": ("a row a trial, with every text (CSV)", ".csv"),
        "markdown": ("the tables as Markdown", ".md"),
        "json": ("the tables as JSON", ".json"),
    }
)


def options() -> list[OptionRow]:
    """Return the forms to choose from."""
    return [(form, told) for form, (told, _) in FORMS.items()]


def place(db: Path, form: str) -> Path:
    """Return where a form is written if nobody says otherwise."""
    return Path(db.stem + FORMS[form][1])


def writer(db: Path, form: str, experiment: str, target: Path) -> Callable[[], None]:
    """Return what writes the file; it raises StoreError where it cannot be written."""

    def write() -> None:
        choice = ReportFilter((experiment,) if experiment else ())
        try:
            if form == "html":
                with redirect_stdout(None):
                    write_report(db, form, choice, target)
                return
            with target.open("w", encoding="utf-8", newline="") as file, redirect_stdout(file):
                write_report(db, form, choice)
        except OSError as exc:
            raise StoreError(f"{target}: cannot be written ({exc.strerror})") from None

    return write
