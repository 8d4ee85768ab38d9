"""Runs on the demo checkpoint with a trained vector: addition, ablation, strength 0, refusals."""

from pathlib import Path

import pytest

from steertui.store.merge import merge
from tests.fixtures.changed_models import write_changed
from tests.fixtures.database import select
from tests.fixtures.gguf_files import lora, write_adapter
from tests.fixtures.program import call

CONDITIONS = """
format = 1

[[condition]]
name = "baseline"

[[condition]]
name = "vector"
arm = "pro"
vector = [{ name = "toward", strength = 0.5, layers = "1-2" }]

[[condition]]
name = "ablated"
ablation = [{ name = "toward", layer = 2, strength = 8.0 }]

[[condition]]
name = "adapter"
adapter = [{ file = "lora.gguf", scale = 4.0 }]

[[condition]]
name = "all-at-zero"
vector = [{ name = "toward", strength = 0.0 }]
ablation = [{ name = "toward", strength = 0.0 }]
adapter = [{ file = "lora.gguf", scale = 0.0 }]
"""

NAMES = "baseline,vector,ablated,adapter,all-at-zero"
RUN = ("--batch", "--max-tokens", "16", "--conditions-file", "conditions.toml", "--deterministic")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the conditions, an adapter, and the run a.db."""
    folder = tmp_path_factory.mktemp("steered")
    patch = pytest.MonkeyPatch()
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        patch.setenv(name, str(folder / name.lower()))
    (folder / "conditions.toml").write_text(CONDITIONS, encoding="utf-8")
    write_adapter(folder / "lora.gguf", lora("blk.1.ffn_down.weight"))
    train = ("vector", "train", "toward", "--model", "demo", "--limit", "6")
    code, _, err = call(*train, cwd=folder)
    assert code == 0, err
    code, _, err = call(*RUN, "--limit", "4", "--conditions", NAMES, "--db", "a.db", cwd=folder)
    assert code == 0, err
    return folder


@pytest.fixture(autouse=True)
def homes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(folder / name.lower()))


def answers(folder: Path, condition: str) -> list[str]:
    sql = """SELECT g.text FROM trials AS t JOIN conditions AS c ON c.id = t.condition
        JOIN generations AS g ON g.trial = t.key WHERE c.name = ? ORDER BY t.scenario"""
    return [str(text) for (text,) in select(folder / "a.db", sql.replace("?", f"'{condition}'"))]


def test_strength_0_gives_the_unsteered_answers_and_every_other_changes_them(folder: Path) -> None:
    baseline = answers(folder, "baseline")
    assert len(baseline) == 4
    assert answers(folder, "all-at-zero") == baseline
    for condition in ("vector", "ablated", "adapter"):
        assert answers(folder, condition) != baseline


def test_the_specification_and_the_vector_are_in_the_database_and_in_a_merge(folder: Path) -> None:
    merge(folder / "merged.db", [folder / "a.db"])
    sql = """SELECT DISTINCT c.name, t.steering FROM trials AS t
        JOIN conditions AS c ON c.id = t.condition ORDER BY c.name"""
    steerings = {str(name): str(text) for name, text in select(folder / "merged.db", sql)}
    assert steerings["baseline"] == ""
    assert '"kind":"vector","layers":"1,2"' in steerings["vector"]
    assert '"kind":"ablation","layers":"2"' in steerings["ablated"]
    ((sha256, size),) = select(folder / "merged.db", "SELECT sha256, length(content) FROM vectors")
    assert str(sha256) in steerings["vector"]
    assert int(str(size)) > 1000


def test_a_second_run_generates_nothing(folder: Path) -> None:
    run = (*RUN, "--limit", "4", "--conditions", NAMES, "--db", "a.db")
    code, out, err = call(*run, cwd=folder)
    assert code == 0, err
    assert "20: 20 answered before, 0 to do" in out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--scenarios", "steering-train"), "must not be evaluated on"),
        (("--conditions", "missing"), "missing.gguf: no such adapter"),
        (("--conditions", "unknown"), "no such vector; there are toward"),
        (("--conditions", "far"), "layer 90: the vector has no direction"),
    ],
)
def test_what_cannot_be_applied_is_one_sentence(
    folder: Path, options: tuple[str, ...], sentence: str
) -> None:
    more = """
[[condition]]
name = "missing"
adapter = [{ file = "missing.gguf" }]

[[condition]]
name = "unknown"
vector = [{ name = "nowhere", strength = 1.0 }]

[[condition]]
name = "far"
vector = [{ name = "toward", strength = 1.0, layers = "90" }]
"""
    (folder / "conditions.toml").write_text(CONDITIONS + more, encoding="utf-8")
    names = () if "--conditions" in options else ("--conditions", "baseline,vector")
    code, out, err = call(*RUN, *names, *options, "--db", "b.db", cwd=folder)
    assert code != 0
    assert sentence in err, out + err
    assert len(err.strip().splitlines()) == 1, err


def test_a_model_that_a_vector_does_not_fit_is_left_out_while_another_remains(folder: Path) -> None:
    (folder / "conditions.toml").write_text(CONDITIONS, encoding="utf-8")
    write_changed(folder / "other.gguf", {"general.name": "other"})
    models = ("--model", "other.gguf", "--model", "demo")
    steered = (*RUN, "--limit", "1", "--conditions", "vector", "--no-control")
    code, _, err = call(*steered, *models, "--db", "c.db", cwd=folder)
    assert code == 1
    reason = "condition vector: toward: trained on demo, and a direction belongs to one model's"
    assert f"other.gguf is left out of the experiment: {reason}" in err
    assert select(folder / "c.db", "SELECT count(*) FROM generations") == [(1,)]
    code, _, err = call(*steered, *models[:2], "--db", "d.db", cwd=folder)
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith(f"steertui: {reason}")
