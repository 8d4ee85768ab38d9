"""Models of several sizes and stages of one training: order, slopes, every report form."""

import json
from pathlib import Path

import jsonschema
import pytest

from steertui.analysis.known_models import Stage, known_model
from steertui.analysis.model_series import model_series, series_rows, series_sentences
from steertui.analysis.summary import ReportFilter, Summary, summarise
from steertui.stats.significance import holm
from steertui.store import ModelSetting, Store
from steertui.store.setup_queries import WeightFacts
from tests.fixtures.program import call
from tests.fixtures.sized_models import Made, store_models

SCHEMA = Path(__file__).parents[2] / "steertui/report/schema.json"


def summary_of(path: Path, *models: str) -> Summary:
    with Store(path) as store:
        return summarise(store, ReportFilter(models=models))


SIZES = {
    "large": Made(8_000_000_000, "arch", 20, 36, 8),
    "small": Made(1_000_000_000, "arch", 16, 20, 16),
    "middle": Made(2_000_000_000, "arch", 18, 26, 14),
    "OLMo-2-1124-7B-Instruct-Q4_K_M": Made(0, "", 20, 30, 10),
    "OLMo-2-1124-7B-SFT-Q4_K_M": Made(0, "", 20, 28, 12),
    "OLMo-2-1124-7B-Q4_K_M": Made(0, "", 20, 24, 20),
}


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("series") / "a.db"
    store_models(path, SIZES)
    return path


@pytest.mark.parametrize(
    ("name", "weights", "expected"),
    [
        ("OLMo-2-1124-7B-DPO", None, ("olmo-2", Stage.DPO, "OLMo-2-1124-7B")),
        ("OLMo-2-1124-7B", None, ("olmo-2", Stage.BASE, "OLMo-2-1124-7B")),
        ("Qwen3-4B-Thinking-2507-Q8_0", None, ("qwen3", Stage.THINKING, "Qwen3-4B")),
        ("own-3b-it.Q4_K_M", WeightFacts(3, "gemma3"), ("gemma3", Stage.INSTRUCT, "own-3b")),
        ("thing", None, ("", Stage.UNKNOWN, "thing")),
    ],
)
def test_family_stage_and_stem_are_those_of_catalogue_weights_and_name(
    name: str, weights: WeightFacts | None, expected: tuple[str, Stage, str]
) -> None:
    setting = ModelSetting("sha", name, "", 0.0)
    known = known_model(setting, weights)
    assert (known.family, known.stage, known.stem) == expected


def test_the_weights_parameters_come_before_the_catalogues() -> None:
    setting = ModelSetting("sha", "OLMo-2-1124-7B", "", 0.0)
    assert known_model(setting, None).parameters > 7e9
    assert known_model(setting, WeightFacts(5, "olmo2")).parameters == 5


def test_models_by_size_have_the_slope_of_gap_and_baseline(db: Path) -> None:
    sizes, _ = model_series(summary_of(db))
    assert [model.table.setting.name for model in sizes.models] == ["small", "middle", "large"]
    gap, baseline = sizes.slopes
    assert gap.slope is not None
    # Gaps of 10, 30 and 70 points at 0, 1 and 3 doublings; rates of 40, 45 and 50.
    assert gap.slope.points == pytest.approx(20)
    assert gap.p == gap.slope.p
    assert baseline.slope is not None
    assert baseline.slope.points == pytest.approx(45 / 14)
    rises, not_shown = series_sentences(sizes)
    assert rises.startswith("arch (3 models): pro − anti rises with size: +20.0 points per")
    assert "no slope of the rate of baseline over size is shown: +3.2 points" in not_shown
    rows = [*series_rows(sizes)]
    assert rows[0][:4] == ("▲ small" if "▲" in rows[0][0] else "· small", "unknown", "1 B", "40.0")


def test_stages_are_in_the_order_of_training(db: Path) -> None:
    _, stages = model_series(summary_of(db))
    assert stages.title.startswith(
        "Base and post-trained versions of OLMo-2-1124-7B, temperature 0"
    )
    assert [str(model.known.stage) for model in stages.models] == ["base", "SFT", "instruct"]
    assert stages.slopes == ()
    assert [row[5] for row in series_rows(stages)] == ["+10.0", "+40.0", "+50.0"]


def test_several_groups_are_pooled_and_corrected(tmp_path: Path) -> None:
    made = {
        **{name: SIZES[name] for name in ("small", "middle")},
        "other-1b": Made(1_000_000_000, "other", 20, 30, 20),
        "other-4b": Made(4_000_000_000, "other", 20, 32, 12),
    }
    store_models(tmp_path / "a.db", made)
    (sizes,) = model_series(summary_of(tmp_path / "a.db"))
    gaps = [found for found in sizes.slopes if found.what == "pro − anti"]
    points = [found.slope.points for found in gaps if found.slope]
    # 20 points in 1 doubling, 25 in 2: sums of squares about the groups' mean sizes 0.5 and 2.
    assert points == pytest.approx([20, 12.5, (20 * 0.5 + 12.5 * 2) / 2.5])
    assert [found.p for found in gaps] == [*holm([f.slope.p for f in gaps if f.slope])]
    assert {round(found.level, 6) for found in gaps} == {round(1 - 0.05 / 3, 6)}
    assert gaps[2].name == "All 2 groups together, each with a level of its own"


def test_a_model_that_is_not_shown_changes_no_slope(db: Path) -> None:
    whole = [*model_series(summary_of(db))]
    part = [*model_series(summary_of(db, "small"))]
    assert [series.title for series in part] == [whole[0].title]
    assert part[0].slopes == whole[0].slopes


def test_one_model_or_unknown_sizes_make_no_series(tmp_path: Path) -> None:
    store_models(tmp_path / "a.db", {"one": Made(0, "x", 1, 2, 3), "two": Made(0, "x", 1, 2, 3)})
    assert [*model_series(summary_of(tmp_path / "a.db"))] == []


def test_every_form_has_the_series(db: Path) -> None:
    for form in ("terminal", "markdown", "html", "latex"):
        code, _, err = call("report", db.name, "--format", form, "-o", form, cwd=db.parent)
        assert code == 0, err
        text = (db.parent / form).read_text(encoding="utf-8").replace("\\", "")
        text = " ".join(text.split())
        assert "Models by size" in text, form
        assert "+20.0 points per doubling of the parameters" in text, form
        assert "Base and post-trained versions of OLMo-2-1124-7B" in text, form
        marks = text.replace("$blacktriangle$", "▲").replace("$cdot$", "·")
        for part in (marks.split("Models by size")[1], marks.split("Base and post-trained")[1]):
            level = "Points: the primary comparison of each model, with its 95 % interval"
            legend, found, _ = part.partition(level)
            assert found == level, form
            assert "▲ answers converge more often under the first" in legend, form
    record = json.loads(call("report", db.name, "--format", "json", cwd=db.parent)[1])
    jsonschema.validate(record, json.loads(SCHEMA.read_text(encoding="utf-8")))
    sizes, stages = record["series"]
    assert sizes["slopes"][0]["slope"]["points"] == pytest.approx(20)
    assert [model["stage"] for model in stages["models"]] == ["base", "SFT", "instruct"]
