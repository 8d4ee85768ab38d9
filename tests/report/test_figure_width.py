"""Figure files at the width of a paper's column: size, resolution, legible texts."""

import re
import struct
from itertools import pairwise
from pathlib import Path

import pytest

from steertui.analysis.summary import ReportFilter, summarise
from steertui.core.condition import Condition
from steertui.core.verdict import Label
from steertui.errors import ExperimentError
from steertui.report.figure_width import PIXELS_PER_INCH, parse_width
from steertui.report.pictures import pictures
from steertui.store import Store
from tests.fixtures import grouped
from tests.fixtures.program import call
from tests.fixtures.sized_models import Made, store_models

TEXT = re.compile(r'<text x="([\d.-]+)" y="[\d.-]+"(?: class="([^"]*)")?>([^<]*)</text>')

CHARACTER = 6.6
"""Mean width in pixels of a character of a text of 12 or 13 pixels."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a contest, an axis, and an experiment of two conditions."""
    path = tmp_path_factory.mktemp("figures")
    contest = grouped.contest_conditions(path, 2, 2)
    grouped.write(path / "contest.db", contest, lambda _, number: [*Label][number % 2])
    dose = grouped.dose_conditions(path, -0.2, 0.4)
    grouped.write(path / "dose.db", dose, lambda _, number: [*Label][number % 2])
    plain = [Condition("baseline"), Condition("pro", "Go on."), Condition("anti", "Stop.")]
    grouped.write(path / "plain.db", plain, lambda _, number: [*Label][number % 4])
    long = [f"Qwen3-{size}B-A3B-Instruct-2507-UD-Q4_K_XL" for size in range(10)]
    made = {name: Made(10**9 + n * 10**8, "arch", 20, 24 + n, 9) for n, name in enumerate(long)}
    store_models(path / "sizes.db", made | {"no-size": Made(0, "", 20, 28, 9)})
    return path


@pytest.mark.parametrize(
    ("text", "inches"),
    [("3.3in", 3.3), ("84 mm", 84 / 25.4), ("8.5cm", 8.5 / 2.54), ("240pt", 3.32)],
)
def test_widths_have_units(text: str, inches: float) -> None:
    assert parse_width(text) == pytest.approx(inches, abs=0.002)


@pytest.mark.parametrize("text", ["3.3", "wide", "1in", "40in", "-3in", "1e9in"])
def test_other_widths_are_refused_with_what_to_give(text: str) -> None:
    with pytest.raises(ExperimentError, match=r"--figure-width .*give"):
        parse_width(text)


def test_svg_files_have_the_printed_size(folder: Path) -> None:
    options = ("--format", "svg", "--figure-width", "3.3in", "-o", "svg")
    code, _, err = call("report", "plain.db", *options, cwd=folder)
    assert code == 0, err
    drawn = [*(folder / "svg").glob("*.svg")]
    assert {"rates.svg", "gaps.svg", "categories-1.svg"} <= {path.name for path in drawn}
    for path in drawn:
        text = path.read_text(encoding="utf-8")
        found = re.search(r'width="([\d.]+)in" height="([\d.]+)in" viewBox="0 0 (\d+) (\d+)"', text)
        assert found
        inches, height, pixels, rows = map(float, found.groups())
        assert inches == 3.3
        assert height / inches == pytest.approx(rows / pixels, abs=0.01)
        smallest = 12 * 72 * inches / pixels
        assert 7.9 < smallest < 8.1


def test_png_files_have_300_dots_per_inch(folder: Path) -> None:
    pytest.importorskip("resvg_py", reason="resvg-py is not installed")
    options = ("--format", "png", "--figure-width", "84mm", "-o", "png")
    assert call("report", "plain.db", *options, cwd=folder)[0] == 0
    data = (folder / "png" / "gaps.png").read_bytes()
    (width,) = struct.unpack(">I", data[16:20])
    assert width == pytest.approx(300 * 84 / 25.4, abs=3)


@pytest.mark.parametrize("inches", [2.75, 3.3, 5.5, 7.0])
@pytest.mark.parametrize("name", ["plain", "contest", "dose", "sizes"])
def test_no_text_leaves_the_figure(folder: Path, name: str, inches: float) -> None:
    width = round(inches * PIXELS_PER_INCH)
    with Store(folder / f"{name}.db") as store:
        summary = summarise(store, ReportFilter())
    drawn = dict(pictures(summary, width))
    assert drawn
    for title, canvas in drawn.items():
        for x, kind, text in TEXT.findall(canvas.inline()):
            size = CHARACTER * len(text)
            left = float(x) - (size if "end" in kind else size / 2 if "middle" in kind else 0)
            assert left >= -8, (title, text)
            assert left + size <= width + 8, (title, text)


def test_numbers_of_an_axis_do_not_overlap(folder: Path) -> None:
    with Store(folder / "plain.db") as store:
        summary = summarise(store, ReportFilter())
    canvas = dict(pictures(summary, 300))["gaps"]
    ticks = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" class="soft middle">', canvas.inline())
    rows = {y: [float(x) for x, own in ticks if own == y] for _, y in ticks}
    assert rows
    assert all(two - one > 30 for own in rows.values() for one, two in pairwise(own))


def test_the_width_is_for_figures_only(folder: Path) -> None:
    code, _, err = call("report", "plain.db", "--figure-width", "3in", cwd=folder)
    assert code == 2
    assert "--figure-width goes with --format svg or png" in err
