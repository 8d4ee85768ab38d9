"""Figure of Cohen's kappa for every two judges, over all answers and by condition."""

from steertui.analysis.formatting import kappa_columns
from steertui.analysis.judge_panels import JudgePanel, pair_title
from steertui.report.canvas import Canvas, shorten
from steertui.report.figures import ROW_HEIGHT, Scale, draw_title, is_narrow
from steertui.report.palette import condition_class
from steertui.stats.agreement import Agreement

LOWEST = -0.25
"""Lower end of the axis; lower limits are drawn at it."""

TICKS = (0, 0.25, 0.5, 0.75, 1)


def kappas(panel: JudgePanel, width: int) -> Canvas:
    """Return the figure of kappa as dots with 95 % intervals."""
    canvas = Canvas(width, f"Cohen's kappa of every two judges on {panel.title}")
    narrow = is_narrow(width)
    left = 92 if narrow else 120
    right = width - (48 if narrow else 170)
    scale = Scale(LOWEST, 1, left=left, right=right)
    y = 20.0
    for pair in panel.agreement.comparisons:
        y = draw_title(canvas, pair_title(pair), y)
        rows = [("all", pair.overall)]
        if len(pair.by_condition) > 1:
            rows += pair.by_condition.items()
        top = y + 10
        bottom = y + 14 + ROW_HEIGHT * len(rows)
        for tick in TICKS:
            x = scale.at(tick)
            canvas.line(x, top, x, bottom, "grid" if tick else "axis")
            canvas.text(x, bottom + 16, f"{tick:g}", "soft middle")
        canvas.text(scale.right, bottom + 33, "Cohen's kappa", "soft end")
        for place, (name, agreement) in enumerate(rows):
            _kappa(canvas, scale, name, agreement, top + ROW_HEIGHT * place + 16)
        y = bottom + 62
    return canvas


def _kappa(canvas: Canvas, scale: Scale, name: str, agreement: Agreement, y: float) -> None:
    canvas.text(0, y + 4, shorten(name, 16))
    value, limits = kappa_columns(agreement)
    if agreement.kappa is None or agreement.kappa_low is None or agreement.kappa_high is None:
        reason = "one label throughout" if agreement.items else "no answer in common"
        canvas.text(scale.at(0) + 6, y + 4, reason, "soft")
        return
    kind = condition_class(name)
    canvas.line(
        scale.at(agreement.kappa_low), y, scale.at(agreement.kappa_high), y, f"limits s-{kind}"
    )
    canvas.dot(scale.at(agreement.kappa), y, 5.5, kind)
    text = value if is_narrow(canvas.width) else f"{value} {limits}"
    canvas.text(canvas.width, y + 4, text, "end")
