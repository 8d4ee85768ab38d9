"""A summary's figures as SVG and PNG files."""

from collections.abc import Iterator
from pathlib import Path

from steertui.analysis.judge_panels import judge_panels
from steertui.analysis.model_scale import model_scales
from steertui.analysis.summary import Summary
from steertui.errors import ExperimentError
from steertui.output_files import check_output, file_name, output, output_folder
from steertui.report import figures
from steertui.report.canvas import Canvas
from steertui.report.contest_figure import contest_matrix, contest_parts
from steertui.report.dose_figure import dose_curve
from steertui.report.figure_width import DOTS_PER_INCH, PIXELS_PER_INCH
from steertui.report.kappa_figure import kappas
from steertui.report.scale_figure import scale_figure
from steertui.report.transition_figure import transitions

TRANSITION_WIDTH = 560
"""Maximum width in pixels of the figure of label transitions."""

PNG_ZOOM = 3
"""PNG pixels per pixel of a figure: a width of 2,580, 300 dpi at 21 cm."""


def write_pictures(
    summary: Summary, folder: Path, format: str, inches: float | None = None
) -> list[Path]:
    """Write every figure as "svg" or "png" into a folder; return the files.

    `inches` is the printed width of every figure; None draws them for screens.

    Raises ExperimentError for PNG without the package resvg-py, and OutputError if a file cannot be
    written or must not be replaced.
    """
    named: dict[str, Canvas] = {}
    width = round(inches * PIXELS_PER_INCH) if inches else figures.WIDE
    for name, canvas in pictures(summary, width):
        named[file_name(name, named)] = canvas
    drawn = {folder / f"{name}.{format}": canvas for name, canvas in named.items()}
    output_folder(folder)
    for path in drawn:
        check_output(path, format)
    for path, canvas in drawn.items():
        with output(path, format) as file:
            is_png = format == "png"
            file.write(_png(canvas, inches) if is_png else canvas.file(inches).encode())
    return list(drawn)


def pictures(summary: Summary, width: int = figures.WIDE) -> Iterator[tuple[str, Canvas]]:
    """Yield each figure with the name of its file; tables are numbered from 1 in report order."""
    judged = [table for table in summary.tables if table.judge]
    if not judged:
        raise ExperimentError("nothing to draw: no answer is labelled yet; name a judge")
    alone = [table for table in judged if table.ungrouped.rows]
    if alone:
        yield "rates", figures.rates(alone, width)
    compared = [table for table in alone if table.comparisons]
    if compared:
        yield "gaps", figures.gaps(compared, width)
    for number, scale in enumerate(model_scales(summary), 1):
        yield f"scale-{number}", scale_figure(scale, width)
    for number, table in enumerate(judged, 1):
        if len(table.categories) > 1:
            canvas = figures.categories(table, table.categories, width)
            yield f"categories-{number}", canvas
        for axis in table.groups.axes:
            yield f"dose-{number}-{axis.name}", dose_curve(axis, width)
        for result in table.groups.contests:
            name = f"{number}-{result.sides.contest}"
            yield f"contest-{name}", contest_matrix(result, width)
            yield f"contest-parts-{name}", contest_parts(result, width)
        for (first, second), counts in table.transitions.items():
            name = f"transitions-{number}-{first}-{second}"
            yield name, transitions(counts, first, second, min(width, TRANSITION_WIDTH))
    for number, panel in enumerate(judge_panels(summary), 1):
        yield f"judges-{number}", kappas(panel, width)


def _png(canvas: Canvas, inches: float | None) -> bytes:
    try:
        import resvg_py
    except ImportError:
        raise ExperimentError(
            "--format png needs resvg-py; install it with: pip install 'steertui[png]', or use svg"
        ) from None
    zoom = DOTS_PER_INCH / PIXELS_PER_INCH if inches else PNG_ZOOM
    return bytes(resvg_py.svg_to_bytes(svg_string=canvas.file(), zoom=zoom))
