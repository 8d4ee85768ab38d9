"""`steertui report`: what was chosen of a database, in the form asked for."""

import csv
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from steertui.report import markdown, record, terminal
from steertui.report.summary import Choice, Summary, select
from steertui.store import Store

FILES = {"html": ".html"}
"""Forms that are written to a file, and its suffix where none is named."""


def write_report(db: Path, form: str, choice: Choice, output: Path | None = None) -> None:
    """Write what was chosen, to `output` or to stdout.

    Raises StoreError for a file that is no database of ours, ExperimentError for an unknown name.
    """
    with Store(db, must_exist=True) as store:
        if form == "csv":
            write_trials(store, select(store, choice))
            return
        summary = select(store, choice)
        if form == "html":
            from steertui.report.page.writer import write_page

            written = write_page(store, summary, output or Path(db.stem + FILES[form]))
            print(f"Written: {', '.join(map(str, written))}", file=sys.stderr)
            return
    if form == "json":
        print(json.dumps(record.of_summary(summary), ensure_ascii=False, indent=1))
    elif form == "markdown":
        print(markdown.write(summary), end="")
    else:
        show(terminal.draw(summary, detail=True))


def list_experiments(db: Path) -> None:
    """Print every experiment's id, time and number of trials."""
    with Store(db, must_exist=True) as store:
        for row in store.experiments():
            print(f"{row['id']}  {row['created_at']}  {row['trials']} trials")


def write_trials(store: Store, summary: Summary) -> None:
    """Write a CSV with a row a trial and judge: the columns of the view `answers`."""
    for experiment in summary.experiments:
        found = store.query("SELECT * FROM answers WHERE experiment = ?", [experiment])
        writer = csv.DictWriter(sys.stdout, list(found[0]))
        writer.writeheader()
        writer.writerows(found)


def show(parts: "terminal.Parts") -> None:
    """Print a report's parts; where no terminal wraps them, sentences stay whole."""
    console = Console()
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, Text) and not console.is_terminal)
