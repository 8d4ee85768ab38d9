"""Export: what is open, written to a file in a form of the report."""

from pathlib import Path
from types import MappingProxyType

from steertui.analysis.summary import ReportFilter
from steertui.output_files import check_output
from steertui.report.command import write_report
from steertui.tui.widgets.choose_one import OptionRow

FORMS = MappingProxyType(
    {
        "html": ("one page to read and pass on (HTML)", ".html"),
        "trials-csv": ("a row a trial, with every text (CSV)", ".csv"),
        "markdown": ("the tables as Markdown", ".md"),
        "json": ("the tables as JSON", ".json"),
    }
)


def options() -> list[OptionRow]:
    """Return the forms to choose from."""
    return [(form, told) for form, (told, _) in FORMS.items()]


def default_file(db: Path, form: str) -> Path:
    """Return where a form is written if nobody says otherwise."""
    return Path(db.stem + FORMS[form][1])


def replaces(db: Path, form: str, target: Path) -> bool:
    """Whether an earlier export would be replaced; raises OutputError where a file has to stay."""
    check_output(target, form, [db])
    return target.exists()


def write(db: Path, form: str, experiment: str, target: Path) -> None:
    """Write the file; raises SteertuiError where it cannot be written."""
    write_report(db, form, ReportFilter((experiment,) if experiment else ()), target)
