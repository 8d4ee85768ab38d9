"""Heat map of categories and conditions as text: convergence in per cent, and valid answers.

A cell has a number, a sign whose height grows with the rate, and a background of the same scale, so
that nothing depends on colours. Models are heads over their conditions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.color import Color

from steertui.analysis.formatting import is_marked
from steertui.analysis.table import RateRow, Table
from steertui.core.verdict import Label
from steertui.printable import one_line
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import hanging_indent, shorten_apart, shorten_middle

SIGNS = "▁▂▃▄▅▆▇█"
"""Signs of rates from 0 to 1 in equal steps."""

ALL = "all categories"

MIN_NAME = 32
"""Columns that a category's name keeps if space is short."""

MAX_COLUMNS = 32
"""Maximum conditions of all models together that are drawn; more than that, one model's."""

DEPTH = 0.6
"""Share of the convergence colour in the background of a rate of 1."""

LEGEND = (
    "convergence in per cent, a sign of its size, and the number of valid answers; –: no valid "
    "answer"
)
MARK_LEGEND = "*: too few answers are judged"


@dataclass(frozen=True, slots=True)
class _Column:
    """One condition of one model.

    Attributes:
        group: head over the conditions of a model; "" for a single model.
        condition: the condition's name.
        rows: rates by category.
        width: columns of a cell, with a space before it.
    """

    group: str
    condition: str
    rows: Mapping[str, RateRow]
    width: int


def has_heat_map(table: Table) -> bool:
    """Whether a table has labels in several categories."""
    return table.judge is not None and len(table.categories) > 1


def draw_heat_map(shown: Table, tables: Sequence[Table], width: int, colours: Palette) -> Text:
    """Return the heat map of the tables of a judge, in parts of at most `width` columns.

    `shown` is the table that the screen shows; it is drawn alone if all are too many.
    """
    same = [t for t in tables if t.judge == shown.judge and t.experiment == shown.experiment]
    if sum(len(table.rows) for table in same) > MAX_COLUMNS:
        same = [shown]
    columns = [column for table in same for column in _columns(table, has_head=len(same) > 1)]
    names = [*dict.fromkeys(name for column in columns for name in column.rows if name != ALL), ALL]
    room = max(MIN_NAME, width - _width(columns))
    name_width = min(room, max(cell_len(one_line(name)) for name in names))
    lines: list[Text] = []
    for part in _parts(columns, width - name_width):
        lines += [Text()] if lines else []
        lines += [*_heads(part, {c.group for c in columns}, name_width, colours)]
        lines += [_line(name, part, name_width, colours) for name in names]
    lines += [hanging_indent(Text(), Text(_legend(columns), colours.quiet), width)]
    return Text("\n").join(lines)


def _columns(table: Table, *, has_head: bool) -> Iterator[_Column]:
    head = ""
    if has_head:
        tag = f", {table.tag}" if table.tag else ""
        head = one_line(f"{table.setting.name} t{table.setting.temperature:g}{tag}")
    for row in table.rows:
        rows = {c.name: own for c in table.categories for own in c.rows if _is_of(own, row)}
        rows[ALL] = row
        cells = [cell_len(_cell_text(each)) for each in rows.values()]
        condition = one_line(row.condition)
        yield _Column(head, condition, rows, max(cell_len(condition), *cells) + 2)


def _is_of(row: RateRow, other: RateRow) -> bool:
    return row.condition == other.condition


def _parts(columns: Sequence[_Column], room: int) -> Iterator[list[_Column]]:
    """Yield the columns in parts that fit; a model that fits into one part is not divided."""
    part: list[_Column] = []
    for _, group in groupby(columns, key=lambda column: column.group):
        own = [*group]
        if part and _width(part + own) > room:
            yield part
            part = []
        for column in own:
            if part and _width([*part, column]) > room:
                yield part
                part = []
            part.append(column)
    yield part


def _width(columns: Sequence[_Column]) -> int:
    return sum(column.width for column in columns)


def _heads(
    part: Sequence[_Column], groups: Iterable[str], name_width: int, colours: Palette
) -> Iterator[Text]:
    """Yield the line of the models, if there are several, and that of the conditions.

    `groups` are the heads of all parts, from which a shortened one must differ.
    """
    if part[0].group:
        line = Text(" " * name_width)
        for name, columns in groupby(part, key=lambda column: column.group):
            room = _width([*columns])
            head = shorten_apart(name, groups, room - 2)
            line.append(f"  {head}{' ' * (room - 2 - cell_len(head))}", f"bold {colours.quiet}")
        yield line
    line = Text(" " * name_width)
    for column in part:
        pad = " " * (column.width - cell_len(column.condition))
        line.append(f"{pad}{column.condition}", f"bold {colours.condition(column.condition)}")
    yield line


def _line(name: str, part: Sequence[_Column], name_width: int, colours: Palette) -> Text:
    style = "bold" if name == ALL else ""
    line = Text(shorten_middle(one_line(name), name_width), style, end="")
    line = Text(end="").append_text(line).append(" " * (name_width - line.cell_len))
    for column in part:
        row = column.rows.get(name)
        line.append(" ").append_text(_cell(row, column.width - 1, colours))
    return line


def _cell(row: RateRow | None, width: int, colours: Palette) -> Text:
    text = f"{_cell_text(row):>{width}}"
    if row is None or row.convergence.value is None:
        return Text(text, colours.quiet)
    return Text(text, shade(row.convergence.value, colours))


def _cell_text(row: RateRow | None) -> str:
    """Return per cent, sign and number of valid answers, such as "56▅ 9"."""
    if row is None:
        return ""
    rate = row.convergence
    if rate.value is None:
        return "–"
    mark = "*" if is_marked(row) else ""
    sign = SIGNS[min(len(SIGNS) - 1, int(len(SIGNS) * rate.value))]
    return f"{100 * rate.value:.0f}{mark}{sign}{rate.total:>4}"


def shade(rate: float, colours: Palette) -> Style:
    """Return the style of a rate from 0 to 1: the background is nearer to the label's colour."""
    background = Color.parse(colours.background)
    label = Color.parse(colours.labels[Label.CONVERGENCE])
    return Style(color=colours.strong, bgcolor=background.blend(label, DEPTH * rate).hex)


def _legend(columns: Sequence[_Column]) -> str:
    is_low = any(is_marked(row) for column in columns for row in column.rows.values())
    return f"{LEGEND}. {MARK_LEGEND}" if is_low else LEGEND
