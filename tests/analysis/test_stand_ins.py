"""The demo model beside real models: no statement over several models contains it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from steertui.analysis.comparisons import compare_tables
from steertui.analysis.model_scale import model_scales
from steertui.analysis.model_series import model_series
from steertui.analysis.primary_gaps import pooled_gaps, several_settings_sentences
from steertui.analysis.stand_ins import LEFT_OUT_SENTENCE
from steertui.analysis.summary import ReportFilter, Summary, summarise
from steertui.core.model import STAND_IN_TITLE
from steertui.core.verdict import Label, Verdict
from steertui.store import Store
from tests.fixtures.sized_models import Made, store_models

REAL = {
    "small": Made(1_000_000_000, "arch", 16, 20, 16),
    "large": Made(4_000_000_000, "arch", 16, 30, 14),
}
SCRIPTED = {STAND_IN_TITLE: Made(2_000_000_000, "arch", 0, 40, 0)}


def summary_of(path: Path, *models: str) -> Summary:
    with Store(path) as store:
        return summarise(store, ReportFilter(models=models))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    path = tmp_path_factory.mktemp("real") / "a.db"
    store_models(path, REAL)
    return summary_of(path)


@pytest.fixture(scope="module")
def mixed_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mixed") / "a.db"
    store_models(path, REAL | SCRIPTED)
    return path


STATEMENTS: dict[str, Callable[[Summary], list[object]]] = {
    "pooled gaps": lambda s: [(p.gap, p.settings, p.pairs) for p in pooled_gaps(s.complete)],
    "sentences": lambda s: [*several_settings_sentences(s.complete, s.tables)],
    "slopes": lambda s: [slope for series in model_series(s) for slope in series.slopes],
    "series": lambda s: [m.known for series in model_series(s) for m in series.models],
    "scale": lambda s: [(m.known, scale.notes) for scale in model_scales(s) for m in scale.models],
    "comparisons": lambda s: [*compare_tables(s)],
    "p values": lambda s: [t.primary_over_settings for t in s.complete if t.setting.title in REAL],
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_over_models_is_that_of_the_real_ones(
    name: str, real: Summary, mixed_db: Path
) -> None:
    expected = STATEMENTS[name](real)
    assert expected
    assert STATEMENTS[name](summary_of(mixed_db)) == expected


def test_one_sentence_says_what_leaves_the_demo_model_out(real: Summary, mixed_db: Path) -> None:
    assert summary_of(mixed_db).notices.count(LEFT_OUT_SENTENCE) == 1
    assert LEFT_OUT_SENTENCE not in real.notices


def test_the_demo_model_alone_has_no_statement_over_models(mixed_db: Path) -> None:
    shown = summary_of(mixed_db, STAND_IN_TITLE)
    assert [*several_settings_sentences(shown.complete, shown.tables)] == []


def test_the_demo_judge_contradicts_no_real_judge(tmp_path: Path) -> None:
    store_models(tmp_path / "a.db", REAL)
    before = summary_of(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        store.add_judge("local:demo#1", "local:demo", {"title": STAND_IN_TITLE})
        for key in store.answered_keys(store.experiments()[-1].id):
            store.add_verdict(key, Verdict("local:demo#1", Label.NO_CONVERGENCE))
    after = summary_of(tmp_path / "a.db")
    assert after.conflicts == ()
    kept = [table for table in after.tables if not table.is_stand_in]
    assert [table.primary for table in kept] == [table.primary for table in before.tables]
    assert [table.split for table in kept] == [table.split for table in before.tables]
