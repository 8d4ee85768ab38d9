"""Agreement of judges, drawn: every two judges' kappa over all and under each condition."""

from steertui.analysis.formatting import kappa_columns
from steertui.analysis.judge_panels import JudgePanel, pair_title
from steertui.report.canvas import Canvas
from steertui.report.figures import Scale
from steertui.report.palette import condition_class
from steertui.stats.agreement import Agreement

LOWEST = -0.25
"""Where the axis begins; a limit below is drawn to here."""


def kappas(bench: JudgePanel, width: int) -> Canvas:
    """Draw Cohen's kappa of every two judges as dots on their intervals."""
    canvas = Canvas(width, f"Cohen's kappa of every two judges on {bench.title}")
    narrow = width < 500
    scale = Scale(LOWEST, 1, 92 if narrow else 120, width - (48 if narrow else 170))
    y = 20.0
    for c in bench.agreement.comparisons:
        said = pair_title(c)
        most = 46 if narrow else 110
        canvas.text(0, y, said if len(said) <= most else f"{said[: most - 1]}…", "head")
        rows = [("all", c.overall), *(c.by_condition.items() if len(c.by_condition) > 1 else ())]
        top, bottom = y + 10, y + 14 + 26 * len(rows)
        for tick in (0, 0.25, 0.5, 0.75, 1):
            x = scale.at(tick)
            canvas.line(x, top, x, bottom, "grid" if tick else "axis")
            canvas.text(x, bottom + 16, f"{tick:g}", "soft middle")
        canvas.text(scale.right, bottom + 33, "Cohen's kappa", "soft end")
        for place, (name, found) in enumerate(rows):
            _kappa(canvas, scale, name, found, top + 26 * place + 16)
        y = bottom + 62
    return canvas


def _kappa(canvas: Canvas, scale: Scale, name: str, found: Agreement, y: float) -> None:
    canvas.text(0, y + 4, name if len(name) <= 16 else f"{name[:15]}…")
    value, limits = kappa_columns(found)
    if found.kappa is None or found.kappa_low is None or found.kappa_high is None:
        why = "one label throughout" if found.items else "no answer in common"
        canvas.text(scale.at(0) + 6, y + 4, why, "soft")
        return
    kind = condition_class(name)
    ends = scale.at(found.kappa_low), scale.at(found.kappa_high)
    canvas.line(ends[0], y, ends[1], y, f"limits s-{kind}")
    canvas.dot(scale.at(found.kappa), y, 5.5, kind)
    canvas.text(canvas.width, y + 4, f"{value} {limits}" if canvas.width > 500 else value, "end")
