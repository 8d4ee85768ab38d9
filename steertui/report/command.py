"""`steertui report`: a database's summary in the form asked for, on stdout."""

import csv
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from steertui.errors import ExperimentError
from steertui.rate import Policy
from steertui.report import markdown, record, terminal
from steertui.report.summary import summarise
from steertui.store import Store


def write_report(db: Path, form: str, policy: str, experiment: str | None) -> None:
    """Write one experiment's report; the newest's if none is named.

    Raises StoreError for a file that is no database of ours, ExperimentError for an unknown id.
    """
    with Store(db, must_exist=True) as store:
        chosen = choose(store, experiment)
        if form == "csv":
            write_trials(store, chosen)
            return
        summary = summarise(store, chosen, Policy(policy))
    if form == "json":
        print(json.dumps(record.of_summary(summary), ensure_ascii=False, indent=1))
    elif form == "markdown":
        print(markdown.write(summary), end="")
    else:
        show(terminal.draw(summary))


def choose(store: Store, experiment: str | None) -> str:
    """Return the experiment's id, or the newest's where none is named."""
    known = [str(row["id"]) for row in store.experiments()]
    if not known:
        raise ExperimentError(f"{store.path}: holds no experiment yet; run one with --batch")
    if experiment is None:
        return known[-1]
    if experiment not in known:
        raise ExperimentError(f"{experiment}: no such experiment; there are {', '.join(known)}")
    return experiment


def list_experiments(db: Path) -> None:
    """Print every experiment's id, time and number of trials."""
    with Store(db, must_exist=True) as store:
        for row in store.experiments():
            print(f"{row['id']}  {row['created_at']}  {row['trials']} trials")


def write_trials(store: Store, experiment: str) -> None:
    """Write a CSV with a row a trial and judge: the columns of the view `answers`."""
    found = store.query("SELECT * FROM answers WHERE experiment = ?", [experiment])
    writer = csv.DictWriter(sys.stdout, list(found[0]))
    writer.writeheader()
    writer.writerows(found)


def show(parts: "terminal.Parts") -> None:
    """Print a report's parts; where no terminal wraps them, sentences stay whole."""
    console = Console()
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, Text) and not console.is_terminal)
