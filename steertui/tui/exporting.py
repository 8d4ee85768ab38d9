"""Export of the open experiment: the question for a format and a file, and the file."""

import asyncio
from functools import partial
from pathlib import Path
from types import MappingProxyType

from textual.app import App

from steertui.analysis.summary import ReportFilter
from steertui.errors import OutputError
from steertui.output_files import check_output
from steertui.paths import exists, is_folder
from steertui.report.command import write_report
from steertui.stats.rate import Policy
from steertui.tui.session import Session
from steertui.tui.widgets.ask_path import ask_path
from steertui.tui.widgets.choose_one import ChooseOne, OptionRow
from steertui.tui.widgets.prompts import Confirm
from steertui.units import quantity

FORMATS = MappingProxyType(
    {
        "html": ("HTML: one page with figures and all texts", ".html"),
        "trials-csv": ("CSV: one row per trial and judge, with all texts", ".csv"),
        "markdown": ("Markdown: the tables", ".md"),
        "json": ("JSON: the tables", ".json"),
    }
)
"""By format of the report: its description and the file's suffix."""


async def export(app: App[None], session: Session) -> None:
    """Ask for a format and a file, and write the report under the session's policy to it.

    A policy other than that of the paper is named in the question, and on Read that the filters
    do not apply.
    """
    experiment = session.id
    stored = await session.with_store(lambda store: store.experiments())
    trials = sum(each.trials for each in stored if each.id == experiment)
    what = f"all {quantity(trials, 'trial')} of this experiment"
    unfiltered = ", whatever the filters," if app.current_mode == "read" else ""
    under = "" if session.policy is Policy.PAPER else f" under policy {session.policy}"
    options: list[OptionRow] = [(form, description) for form, (description, _) in FORMATS.items()]
    form = await app.push_screen_wait(ChooseOne(f"Export {what}{unfiltered}{under} as", options))
    if form is None:
        return
    default = session.db.stem + FORMATS[form][1]
    await ask_path(app, "To which file?", default, partial(_export, app, session, form))


async def _export(app: App[None], session: Session, form: str, target: Path) -> bool:
    """Write the export; return False if the user keeps the file that exists.

    Raises SteertuiError if the file must not or cannot be written.
    """
    check_output(target, form, [session.db])
    if not is_folder(target.parent):
        raise OutputError(f"{target}: its folder does not exist; create it, or give another path")
    question = Confirm(f"{target} is an earlier export. Replace it?", "Replace")
    if exists(target) and not await app.push_screen_wait(question):
        return False
    experiments = (session.id,) if session.id else ()
    selected = ReportFilter(experiments, policy=session.policy)
    await asyncio.to_thread(write_report, session.db, form, selected, target)
    app.notify(f"Written: {target.resolve()}", timeout=15, markup=False)
    return True
