"""Writing of reports: the selected tables of a database in one of the formats."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

from steertui.analysis.side_by_side import SideBySide, side_by_side
from steertui.analysis.summary import ReportFilter, Summary, summarise
from steertui.output_files import STANDARD_OUTPUT, text_output
from steertui.paper.comparison import compare_with_paper
from steertui.printable import print_line, to_json
from steertui.report import latex, markdown, record, rows, terminal
from steertui.report.answer_tables import answer_lines, draw_answers
from steertui.report.citations import bibliography
from steertui.report.methods_text import methods_text
from steertui.report.rich_tables import Parts
from steertui.standard_streams import use_utf8
from steertui.store import Store
from steertui.store.setup_queries import used_conditions, used_scenarios
from steertui.units import quantity

DEFAULT_OUTPUTS = {
    "html": "{}.html",
    "parquet": "{}.parquet",
    "svg": "{}-pictures",
    "png": "{}-pictures",
}
"""Default outputs, by the database's name, of the formats that cannot be printed."""

MAX_LISTED = 6
"""Names of a list of experiments per axis."""

FILE_WIDTH = 200
"""Columns of a report that is not printed on a terminal; tables are as wide as their numbers."""


def write_report(
    db: Path,
    format: str,
    selection: ReportFilter,
    output: Path | None = None,
    *,
    detail: bool = False,
    answers: bool = False,
    figure_width: float | None = None,
) -> list[Path]:
    """Write a report to `output`, or print it if the format is text; return the files written.

    The output "-" prints it, too, and is refused for a format that is not text.

    `detail` adds sentences, all warnings, categories and comparisons of tables to the terminal's,
    `answers` adds answers at matched strength to the terminal's and to Markdown, and
    `figure_width` is the printed width of figures in inches (`parse_width`).

    Raises StoreError if `db` is not a database of steertui, ExperimentError for an unknown name or
    a format whose package is not installed, and OutputError if a file cannot be written or must not
    be replaced.
    """
    extras = _Extras(detail, answers, figure_width)
    with Store(db, must_exist=True) as store:
        summary = summarise(store, selection)
        if output is None and format in DEFAULT_OUTPUTS:
            output = Path(DEFAULT_OUTPUTS[format].format(db.stem))
        if output == STANDARD_OUTPUT and format not in DEFAULT_OUTPUTS:
            output = None
        if output is not None:
            return _write_files(store, summary, format, output, extras)
        if format != "terminal":
            use_utf8()
        _write_text(store, summary, format, sys.stdout, extras)
    return []


@dataclass(frozen=True, slots=True)
class _Extras:
    """Options of some formats (`write_report`)."""

    detail: bool
    answers: bool
    figure_width: float | None


def _write_files(
    store: Store, summary: Summary, format: str, output: Path, extras: _Extras
) -> list[Path]:
    if format == "html":
        from steertui.report.page.writer import write_page

        return write_page(store, summary, output)
    if format == "parquet":
        return rows.write_parquet(store, summary, compare_with_paper(store, summary), output)
    if format in ("svg", "png"):
        from steertui.report.pictures import write_pictures

        return write_pictures(summary, output, format, extras.figure_width)
    with text_output(output, format, [store.path]) as file:
        _write_text(store, summary, format, file, extras)
    return [output]


def _write_text(store: Store, summary: Summary, format: str, file: TextIO, extras: _Extras) -> None:
    if format == "rates-csv":
        rows.write_rates(store, summary, file)
        return
    if format == "gaps-csv":
        rows.write_gaps(summary, file)
        return
    paper = compare_with_paper(store, summary)
    if format == "trials-csv":
        rows.write_trials(store, summary, paper, file)
    elif format == "json":
        report = record.summary_record(summary, paper)
        file.write(f"{to_json(report, indent=1)}\n")
    elif format == "markdown":
        file.write(markdown.render(summary, paper))
        if extras.answers:
            file.writelines(f"{line}\n" for line in answer_lines(_answers(store, summary)))
    elif format == "latex":
        file.write(latex.render(summary, methods_text(store, summary), paper))
    elif format == "bibtex":
        file.write(bibliography(methods_text(store, summary).citations))
    else:
        show(terminal.draw(summary, detail=extras.detail, paper=paper), file)
        if extras.answers:
            show(draw_answers(_answers(store, summary)), file)


def _answers(store: Store, summary: Summary) -> list[SideBySide]:
    return [found for table in summary.tables for found in side_by_side(store, table)]


def print_experiments(db: Path) -> None:
    """Print each experiment's id, name, time of its newest plan, progress and axes."""
    with Store(db, must_exist=True) as store:
        names = store.experiment_names()
        for known in store.experiments():
            answered = len(store.answered_keys(known.id))
            title = " ".join((known.id, *names[known.id]))
            print_line(
                f"{title}  {known.planned_at[:16].replace('T', ' ')} UTC  "
                f"{answered:,} of {quantity(known.trials, 'trial')} answered"
            )
            for line in _axes(store, known.id):
                print_line(f"    {line}")


def _axes(store: Store, experiment: str) -> Iterator[str]:
    """Yield models with temperatures, scenarios with conditions, and judges of an experiment."""
    settings = store.outcomes(experiment, "")
    temperatures = dict.fromkeys(f"{setting.temperature:g}" for setting in settings)
    models = dict.fromkeys(setting.name for setting in settings)
    yield f"{_listed(models)} at temperature {', '.join(temperatures)}"
    scenarios = used_scenarios(store, experiment)
    packs = dict.fromkeys(scenario.pack for scenario in scenarios)
    conditions = [condition.name for condition in used_conditions(store, experiment)]
    yield (
        f"{quantity(len(scenarios), 'scenario')} of {_listed(packs)}; "
        f"{quantity(len(conditions), 'condition')}: {_listed(conditions)}"
    )
    judges = [judge.name for judge in store.judges(experiment)]
    yield f"judges: {_listed(judges) or 'none'}"


def _listed(names: Iterable[str]) -> str:
    """Return the first names, separated by commas."""
    listed = list(names)
    more = f" and {len(listed) - MAX_LISTED} more" if len(listed) > MAX_LISTED else ""
    return ", ".join(listed[:MAX_LISTED]) + more


def show(parts: Parts, file: TextIO | None = None) -> None:
    """Print the parts of a report; sentences are wrapped on a terminal only."""
    console = Console(file=file)
    if not console.is_terminal:
        console.width = FILE_WIDTH
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, Text) and not console.is_terminal)
