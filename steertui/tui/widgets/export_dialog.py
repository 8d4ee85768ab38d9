"""Export of the open experiment: formats to choose from, and the file that is written."""

from pathlib import Path
from types import MappingProxyType

from steertui.analysis.summary import ReportFilter
from steertui.errors import OutputError
from steertui.output_files import check_output
from steertui.paths import exists, is_folder
from steertui.report.command import write_report
from steertui.stats.rate import Policy
from steertui.tui.session import Session
from steertui.tui.widgets.choose_one import OptionRow

FORMATS = MappingProxyType(
    {
        "html": ("HTML: one page with figures and all texts", ".html"),
        "trials-csv": ("CSV: one row per trial and judge, with all texts", ".csv"),
        "markdown": ("Markdown: the tables", ".md"),
        "json": ("JSON: the tables", ".json"),
    }
)
"""By format of the report: its description and the file's suffix."""


def options() -> list[OptionRow]:
    """Return the formats to choose from."""
    return [(name, description) for name, (description, _) in FORMATS.items()]


def question(policy: Policy) -> str:
    """Return the question for a format, which names a policy other than that of the paper."""
    under = "" if policy is Policy.PAPER else f" under policy {policy}"
    return f"Export this experiment{under} as"


def default_file(db: Path, form: str) -> Path:
    """Return the default output file of a format."""
    return Path(db.stem + FORMATS[form][1])


def replaces(db: Path, form: str, target: Path) -> bool:
    """Return whether an earlier export would be replaced.

    Raises OutputError if the file must not be written, or its folder does not exist.
    """
    check_output(target, form, [db])
    if not is_folder(target.parent):
        raise OutputError(f"{target}: its folder does not exist; create it, or give another path")
    return exists(target)


def write(session: Session, form: str, target: Path) -> None:
    """Write the open experiment's report under the session's policy to the file.

    Raises SteertuiError if that fails.
    """
    experiments = (session.id,) if session.id else ()
    write_report(session.db, form, ReportFilter(experiments, policy=session.policy), target)
