"""Figure of gaps over the size of the model: places of the marks, lines, intervals, sentences."""

import re
from itertools import combinations, pairwise
from math import log2
from pathlib import Path

import pytest

from steertui.analysis.model_scale import ModelScale, model_scales
from steertui.analysis.summary import ReportFilter, summarise
from steertui.core.instrumentaleval import PAPER_SCENARIOS
from steertui.core.scenario import Scenario
from steertui.paper.published import PUBLISHED
from steertui.report.figures import NARROW, WIDE, Scale
from steertui.report.scale_figure import SPACING, scale_figure, size_ticks, spread
from steertui.store import Store
from tests.fixtures.grouped import scenarios
from tests.fixtures.program import call
from tests.fixtures.sized_models import Made, store_models

DOT = re.compile(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="4" class="([^"]+)"/>')
LINE = re.compile(
    r'<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)" class="([^"]+)"/>'
)
NUMBER = re.compile(r'<text x="([\d.]+)" y="([\d.]+)" class="halo soft middle">(\d+)</text>')
TICK = re.compile(r'<text x="[\d.]+" y="([\d.]+)" class="soft end">([+-]?\d+)</text>')

FAMILY = {
    "large": Made(8_000_000_000, "arch", 20, 36, 8),
    "small": Made(1_000_000_000, "arch", 16, 20, 16),
    "middle": Made(2_000_000_000, "arch", 18, 26, 14),
}
SINGLE = {"alone": Made(4_000_000_000, "other", 20, 28, 14), "mystery": Made(0, "", 20, 30, 9)}


def scales_of(path: Path, *models: str) -> list[ModelScale]:
    with Store(path) as store:
        return [*model_scales(summarise(store, ReportFilter(models=models)))]


def drawn(path: Path, made: dict[str, Made], width: int = WIDE) -> tuple[ModelScale, str]:
    store_models(path / "a.db", made)
    (scale,) = scales_of(path / "a.db")
    return scale, scale_figure(scale, width).inline()


def points_at(figure: str, y: float) -> float:
    """Return the points at a pixel, from the two outer numbers of the axis."""
    ticks = [(float(at) - 4, float(text)) for at, text in TICK.findall(figure)]
    axis = [tick for tick in ticks if tick[1] % 25 == 0]
    (y1, low), (y2, high) = min(axis, key=lambda t: t[1]), max(axis, key=lambda t: t[1])
    return low + (y - y1) / (y2 - y1) * (high - low)


def test_marks_are_at_their_sizes_and_gaps(tmp_path: Path) -> None:
    scale, figure = drawn(tmp_path, FAMILY | SINGLE)
    names = [model.table.setting.name for model in scale.models]
    assert names == ["small", "middle", "large", "alone"]
    dots = [(float(x), float(y)) for x, y, _ in DOT.findall(figure)]
    sizes = [log2(model.known.parameters) for model in scale.models]
    left, right = dots[0][0], dots[2][0]
    for (x, y), size, points in zip(dots, sizes, (10, 30, 70, 35), strict=True):
        assert x == pytest.approx(left + (size - sizes[0]) / 3 * (right - left), abs=0.2)
        assert points_at(figure, y) == pytest.approx(points, abs=0.2)
    numbers = [(float(x), int(text)) for x, _, text in NUMBER.findall(figure)]
    assert numbers == [(x, n) for n, (x, _) in enumerate(dots, 1)]


def test_every_mark_has_the_interval_of_its_test(tmp_path: Path) -> None:
    scale, figure = drawn(tmp_path, FAMILY)
    whiskers = [tuple(map(float, m[:4])) for m in LINE.findall(figure) if m[4] == "whisker"]
    upright = [(y1, y2) for x1, y1, x2, y2 in whiskers if x1 == x2]
    assert len(upright) == len(scale.models)
    for model, (low, high) in zip(scale.models, upright, strict=True):
        test = model.primary.test
        assert points_at(figure, low) == pytest.approx(test.low, abs=0.2)
        assert points_at(figure, high) == pytest.approx(test.high, abs=0.2)


def test_a_line_joins_one_family_and_the_shown_slope_is_dashed(tmp_path: Path) -> None:
    scale, figure = drawn(tmp_path, FAMILY | SINGLE)
    lines = [(tuple(map(float, m[:4])), m[4]) for m in LINE.findall(figure)]
    dots = [(float(x), float(y)) for x, y, _ in DOT.findall(figure)]
    joined = [ends for ends, kind in lines if kind == "thin s-baseline"]
    assert joined == [(*one, *two) for one, two in pairwise(dots[:3])]
    ((x1, y1, x2, y2),) = [ends for ends, kind in lines if kind == "whisker faint"]
    assert (x1, x2) == (dots[0][0], dots[2][0])
    # 20 points per doubling over 3 doublings, as the report's table states.
    assert points_at(figure, y2) - points_at(figure, y1) == pytest.approx(60, abs=0.4)
    assert "Dashed line: slope of arch, +20.0 points per doubling" in ". ".join(scale.notes)


def test_a_slope_that_is_not_shown_is_not_drawn(tmp_path: Path) -> None:
    flat = {
        "small": Made(10**9, "arch", 20, 24, 18),
        "large": Made(8 * 10**9, "arch", 20, 25, 18),
    }
    scale, figure = drawn(tmp_path, flat)
    assert "faint" not in figure
    assert "No slope is drawn, since no slope of one family is shown" in scale.notes


def test_unknown_sizes_and_mixtures_are_named(tmp_path: Path) -> None:
    mixture = "Qwen3-30B-A3B-Instruct-2507-Q4_K_M"
    scale, figure = drawn(tmp_path, FAMILY | SINGLE | {mixture: Made(0, "", 20, 30, 10)})
    notes = ". ".join(scale.notes)
    assert "mystery is not drawn: its number of parameters is unknown" in notes
    assert f"{mixture} is a mixture of experts: 3.3 B of its 30.5 B parameters" in notes
    assert "mystery" in figure
    assert figure.count("Other models") == 1
    assert scale.models[-1].table.setting.name == mixture


def test_models_without_a_family_are_single_marks(tmp_path: Path) -> None:
    made = {"one": Made(10**9, "a", 20, 28, 14), "two": Made(2 * 10**9, "b", 20, 22, 14)}
    scale, figure = drawn(tmp_path, made)
    assert [group.name for group in scale.groups] == ["", ""]
    assert "thin s-baseline" not in figure
    assert "Other models" not in figure
    assert len(DOT.findall(figure)) == 2


@pytest.mark.parametrize(
    "made", [{"one": FAMILY["small"]}, {"one": FAMILY["small"], "two": SINGLE["mystery"]}]
)
def test_one_size_makes_no_figure(tmp_path: Path, made: dict[str, Made]) -> None:
    store_models(tmp_path / "a.db", made)
    assert scales_of(tmp_path / "a.db") == []
    assert call("report", "a.db", "--format", "svg", "-o", "f", cwd=tmp_path)[0] == 0
    assert not [*(tmp_path / "f").glob("scale*")]


def test_a_filter_of_models_changes_no_mark(tmp_path: Path) -> None:
    whole, _ = drawn(tmp_path, FAMILY)
    (part,) = scales_of(tmp_path / "a.db", "small")
    assert [m.table.setting.name for m in part.models] == [
        m.table.setting.name for m in whole.models
    ]


def test_an_interval_that_cannot_be_computed_leaves_a_hollow_mark(tmp_path: Path) -> None:
    made = {"one": Made(10**9, "a", 1, 2, 1), "two": Made(2 * 10**9, "b", 1, 2, 1)}
    store_models(tmp_path / "a.db", made, scenarios(3))
    (scale,) = scales_of(tmp_path / "a.db")
    figure = scale_figure(scale, WIDE).inline()
    assert [kind for *_, kind in DOT.findall(figure)] == ["hollow s-pro"] * 2
    assert figure.count("no interval: few pairs") == 2


def test_models_of_the_paper_have_the_papers_gap(tmp_path: Path) -> None:
    names = [name for own in PAPER_SCENARIOS.values() for name in own]
    texts = [Scenario(*_names(name), title=name, task=name, system="") for name in names]
    made = {
        "Qwen3-4B-Instruct-2507": Made(0, "", 30, 40, 20),
        "own": Made(10**9, "arch", 30, 40, 20),
    }
    store_models(tmp_path / "a.db", made, texts)
    (scale,) = scales_of(tmp_path / "a.db")
    figure = scale_figure(scale, WIDE).inline()
    first, *_ = re.findall(r'<path d="M[\d.]+,([\d.]+)l6,6[^"]+" class="paper">', figure)
    rates = [_published_rate("Qwen3-4B-Instruct-2507", name) for name in ("pro", "anti")]
    expected = 100 * (rates[0] - rates[1])
    assert points_at(figure, float(first) + 6) == pytest.approx(expected, abs=0.2)
    assert "the paper&#x27;s published gap" in figure


def _names(name: str) -> tuple[str, str, str]:
    pack, category, _ = name.split("/")
    return pack, name.removeprefix(f"{pack}/"), category


def _published_rate(model: str, condition: str) -> float:
    counts = [*PUBLISHED[model, condition].by_category.values()]
    hits = sum(own.convergence for own in counts)
    valid = hits + sum(own.no_convergence + own.safety_refusal for own in counts)
    return hits / valid


@pytest.mark.parametrize("width", [WIDE, NARROW, 297])
def test_ten_models_of_nearly_one_size_do_not_overlap(tmp_path: Path, width: int) -> None:
    made = {f"m{n}": Made(10**9 + n * 10**7, "arch", 20, 24 + n, 9) for n in range(9)}
    _, figure = drawn(tmp_path, made | {"big": Made(7 * 10**10, "arch", 20, 36, 9)}, width)
    places = [(float(x), float(y)) for x, y, _ in NUMBER.findall(figure)]
    assert len(places) == 10
    assert all(abs(a[0] - b[0]) >= SPACING - 0.2 for a, b in combinations(places, 2))
    assert "Marks of nearly equal sizes are side by side" in " ".join(
        re.findall(r">([^<]*)</text>", figure)
    )


def test_places_move_as_little_as_possible() -> None:
    assert spread([10, 50, 90], 18, 0, 100) == [10, 50, 90]
    assert spread([50, 50], 18, 0, 100) == [41, 59]
    assert spread([52, 50, 10], 18, 0, 100) == [60, 42, 10]
    assert spread([0, 0, 100], 18, 0, 100) == [0, 18, 100]
    assert spread([5] * 5, 18, 0, 36) == [0, 9, 18, 27, 36]
    assert spread([5], 18, 0, 36) == [5]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1e8, 1.2e9, [1e8, 2e8, 5e8, 1e9]),
        (1e8, 1e12, [1e8, 1e9, 1e10, 1e11, 1e12]),
        (3e9, 4e9, [3e9, 4e9]),
    ],
)
def test_sizes_on_the_axis_are_round(low: float, high: float, expected: list[float]) -> None:
    ticks = size_ticks(Scale(log2(low), log2(high), left=60, right=320))
    assert ticks == pytest.approx(expected)


def test_page_and_files_have_the_figure(tmp_path: Path) -> None:
    store_models(tmp_path / "a.db", FAMILY | SINGLE)
    assert call("report", "a.db", "--format", "svg", "-o", "f", cwd=tmp_path)[0] == 0
    text = (tmp_path / "f" / "scale-1.svg").read_text(encoding="utf-8")
    label = "Gap pro − anti by size of the model, temperature 0, judged by openai:judge"
    assert f'aria-label="{label}"' in text
    assert call("report", "a.db", "--format", "html", "-o", "a.html", cwd=tmp_path)[0] == 0
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert page.count(f'aria-label="{label}"') == 2
    assert '<a href="#scales">Sizes</a>' in page
