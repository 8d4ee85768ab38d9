"""Pictures: a Summary's figures as SVG and PNG files, for a paper."""

from collections.abc import Iterator
from pathlib import Path

from steertui.analysis.judge_panels import judge_panels
from steertui.analysis.summary import Summary
from steertui.errors import ExperimentError
from steertui.output_files import check_output, file_name, output, output_folder
from steertui.report import figures
from steertui.report.canvas import Canvas
from steertui.report.kappa_figure import kappas

SHARP = 3
"""PNG pixels for each of the drawing's: 2,580 across, 300 dots an inch at 21 cm."""


def write_pictures(summary: Summary, folder: Path, form: str) -> list[Path]:
    """Write every figure as "svg" or "png" into a folder; return the files.

    Raises ExperimentError where PNG is asked for and resvg-py is not installed, OutputError where a
    file cannot be written or has to stay.
    """
    named: dict[str, Canvas] = {}
    for name, canvas in pictures(summary):
        named[file_name(name, named)] = canvas
    drawn = {folder / f"{name}.{form}": canvas for name, canvas in named.items()}
    output_folder(folder)
    for path in drawn:
        check_output(path, form)
    for path, canvas in drawn.items():
        with output(path, form) as file:
            file.write(_png(canvas) if form == "png" else canvas.file().encode())
    return list(drawn)


def pictures(summary: Summary) -> Iterator[tuple[str, Canvas]]:
    """Yield each figure with its file's name; tables are counted from 1 in the report's order."""
    judged = [table for table in summary.tables if table.judge]
    if not judged:
        raise ExperimentError("nothing to draw: no judge has read an answer yet; name a --judge")
    yield "rates", figures.rates(judged, figures.WIDE)
    yield "gaps", figures.gaps(judged, figures.WIDE)
    for number, table in enumerate(judged, 1):
        found = table.categories
        if len(found) > 1:
            yield f"categories-{number}", figures.categories(table, found, figures.WIDE)
        for (first, second), moved in table.transitions.items():
            name = f"flips-{number}-{first}-{second}"
            yield name, figures.flips(moved, first, second, 560)
    for number, bench in enumerate(judge_panels(summary), 1):
        yield f"judges-{number}", kappas(bench, figures.WIDE)


def _png(canvas: Canvas) -> bytes:
    try:
        import resvg_py
    except ImportError:
        raise ExperimentError(
            "--format png needs resvg-py; install it with: pip install 'steertui[png]', or take svg"
        ) from None
    return bytes(resvg_py.svg_to_bytes(svg_string=canvas.file(), zoom=SHARP))
