"""`steertui report`: what was chosen of a database, in the form asked for."""

import json
import sys
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

from steertui.analysis.summary import ReportFilter, Summary, summarise
from steertui.output_files import text_output
from steertui.paper.comparison import compare_with_paper
from steertui.report import markdown, record, terminal
from steertui.report import rows as trials
from steertui.report.rich_tables import Parts
from steertui.standard_streams import use_utf8
from steertui.store import Store

FILES = {"html": "{}.html", "parquet": "{}.parquet", "svg": "{}-pictures", "png": "{}-pictures"}
"""Forms that are no text for a terminal, and where they go if no output is named."""


def write_report(
    db: Path, form: str, choice: ReportFilter, output: Path | None = None
) -> list[Path]:
    """Write what was chosen, to `output` or, for the forms that are text, to stdout.

    Return the files written. Raises StoreError for a file that is no database of ours,
    ExperimentError for an unknown name or a form whose package is not installed, OutputError for a
    file that cannot be written or has to stay.
    """
    with Store(db, must_exist=True) as store:
        summary = summarise(store, choice)
        if output is None and form in FILES:
            output = Path(FILES[form].format(db.stem))
        if output is not None:
            return _write_files(store, summary, form, output)
        if form != "terminal":
            use_utf8()
        _write_text(store, summary, form, sys.stdout)
    return []


def _write_files(store: Store, summary: Summary, form: str, output: Path) -> list[Path]:
    if form == "html":
        from steertui.report.page.writer import write_page

        return write_page(store, summary, output)
    if form == "parquet":
        return trials.write_parquet(store, summary, compare_with_paper(store, summary), output)
    if form in ("svg", "png"):
        from steertui.report.pictures import write_pictures

        return write_pictures(summary, output, form)
    with text_output(output, form, [store.path]) as file:
        _write_text(store, summary, form, file)
    return [output]


def _write_text(store: Store, summary: Summary, form: str, file: TextIO) -> None:
    if form == "rates-csv":
        trials.write_rates(summary, file)
        return
    paper = compare_with_paper(store, summary)
    if form == "trials-csv":
        trials.write_trials(store, summary, paper, file)
    elif form == "json":
        file.write(json.dumps(record.of_summary(summary, paper), ensure_ascii=False, indent=1))
        file.write("\n")
    elif form == "markdown":
        file.write(markdown.write(summary, paper))
    else:
        show(terminal.draw(summary, detail=True, paper=paper), file)


def print_experiments(db: Path) -> None:
    """Print every experiment's id, the time it was planned last, and its number of trials."""
    with Store(db, must_exist=True) as store:
        for known in store.experiments():
            print(f"{known.id}  {known.planned_at}  {known.trials} trials")


def show(parts: Parts, file: TextIO | None = None) -> None:
    """Print a report's parts; where no terminal wraps them, sentences stay whole."""
    console = Console(file=file)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, Text) and not console.is_terminal)
