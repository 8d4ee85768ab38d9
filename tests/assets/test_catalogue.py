"""The catalogue: consistent entries, and their check against a hub that states them all."""

import tomllib
from pathlib import Path

import pytest

from steertui.assets.catalogue import CatalogueModel, Quantisation, catalogue, catalogue_model
from steertui.core.experiment import Experiment
from steertui.core.hub_name import split_parts
from steertui.core.reasoning import FORMATS
from steertui.errors import FetchError, GatedRepositoryError
from steertui.headless.model_check import check_models
from steertui.planning.supply import Requirements, pull, supply
from tests.fixtures.hub_server import MAIN, HubServer, make_gguf
from tests.fixtures.program import call, records

COMMIT = "ab" * 20
DIGEST = "cd" * 32
ALL = [(model, weights) for model in catalogue() for weights in model.weights]


@pytest.mark.parametrize("model", catalogue(), ids=lambda model: model.name)
def test_an_entry_is_consistent(model: CatalogueModel) -> None:
    assert 0 <= model.active < model.parameters
    assert (model.layers > 0, model.cache > 0, model.context > 0) == (True, True, True)
    assert model.reasoning in ("", *(format_.opens for format_ in FORMATS))
    assert bool(model.reasoning) == (model.kind in ("thinking", "hybrid"))
    Experiment(**{k: [v] if k == "temperature" else v for k, v in _sampling(model).items()})  # type: ignore[arg-type]
    assert len({weights.quant for weights in model.weights}) == len(model.weights)
    for weights in model.weights:
        bits = 8 * weights.size / model.parameters
        assert 4 < bits < 20, weights
        assert weights.sha256 or weights.doubt, weights


def _sampling(model: CatalogueModel) -> dict[str, object]:
    values: dict[str, object] = dict(model.sampling)
    temperature = values.pop("temperature", 0.0)
    return values | {"temperatures": [temperature], "top_k": int(model.sampling.get("top_k", 0))}


def test_names_and_families_are_told_apart() -> None:
    assert len({model.name.lower() for model in catalogue()}) == len(catalogue()) >= 40
    assert {"qwen3", "gemma-3", "gemma-4", "llama-3"} <= {model.family for model in catalogue()}


def test_the_documentation_counts_the_catalogue() -> None:
    root = Path(__file__).resolve().parents[2]
    families = len({model.family for model in catalogue()})
    counts = f"{len(catalogue())} models of {families} families with {len(ALL)} files"
    assert counts in (root / "docs" / "how-to" / "weights.md").read_text(encoding="utf-8")


def state_catalogue(hub: HubServer) -> None:
    """Make a hub list every file of the catalogue with its size and hash."""
    for model, weights in ALL:
        path = weights.file or f"{model.name}-{weights.quant}.gguf"
        parts = split_parts(path)
        for number, part in enumerate(parts):
            size = weights.size // len(parts) + (weights.size % len(parts)) * (not number)
            digest = DIGEST if number else weights.sha256 or DIGEST
            hub.state(weights.repo, part, size, digest, weights.revision or COMMIT)


def checked(hub: HubServer, tmp_path: Path) -> dict[str, tuple[str, str]]:
    code, out, err = call("models", "check", "--json", cwd=tmp_path)
    states = {
        f"{r['model']}:{_table(r, 'catalogue')['quant']}": (str(r["state"]), str(r["text"]))
        for r in records(out)
    }
    good = {"holds", "completed"}
    assert code == int(not {state for state, _ in states.values()} <= good), err
    assert hub.gets("/cdn") == hub.sent == 0
    return states


def _table(record: dict[str, object], name: str) -> dict[str, object]:
    table = record[name]
    assert isinstance(table, dict)
    return table


def test_a_hub_that_states_the_catalogue_confirms_every_entry(
    hub: HubServer, tmp_path: Path
) -> None:
    state_catalogue(hub)
    states = checked(hub, tmp_path)
    assert len(states) == len(ALL)
    pinned = [f"{m.name}:{w.quant}" for m, w in ALL if w.revision and w.sha256 and w.file]
    assert {states[name] for name in pinned} == {("holds", "")}
    assert {state for state, _ in states.values()} == {"holds", "completed"}
    assert states["Phi-4:Q4_K_M"] == ("completed", "the hub states revision, file, sha256")
    assert not list((tmp_path / "hf").rglob("refs"))


def test_a_check_finds_what_changed_on_the_hub(hub: HubServer, tmp_path: Path) -> None:
    state_catalogue(hub)
    changed = _entry("Qwen3-0.6B")
    hub.state(changed.repo, changed.file, changed.size, "ef" * 32, changed.revision)
    renamed = _entry("gpt-oss-20b")
    files = hub.repos[renamed.repo]
    files["gpt-oss-20b-v2-MXFP4.gguf"] = files.pop(renamed.file)
    gated = _entry("Llama-3.2-1B-Instruct")
    hub.gated.add(gated.repo)
    del hub.repos[_entry("Phi-4").repo]
    hub.repos[_entry("SmolLM3-3B").repo] = {}
    resized = _entry("Qwen3-14B")
    hub.state(resized.repo, resized.file, resized.size + 1, resized.sha256, resized.revision)
    hub.commits[_entry("Qwen3-8B").repo] = COMMIT
    states = checked(hub, tmp_path)
    bad = {n: s for n, s in states.items() if s[0] not in ("holds", "completed")}
    assert {name.partition(":")[0]: state for name, (state, _) in bad.items()} == {
        "Qwen3-0.6B": "changed",
        "gpt-oss-20b": "renamed",
        "Llama-3.2-1B-Instruct": "gated",
        "Phi-4": "repository missing",
        "SmolLM3-3B": "file missing",
        "Qwen3-14B": "changed",
        "Qwen3-8B": "changed",
    }
    assert "sha256 ac2d97712095… is now efefefefefef…" in bad["Qwen3-0.6B:Q4_K_M"][1]
    assert "gpt-oss-20b-MXFP4.gguf is now gpt-oss-20b-v2-MXFP4.gguf" in bad["gpt-oss-20b:MXFP4"][1]
    assert f"{hub.address}/{gated.repo}, then set HF_TOKEN" in str(bad)
    assert "revision 7c41481f is gone; newest abababab" in bad["Qwen3-8B:Q4_K_M"][1]


def _entry(name: str) -> Quantisation:
    found = catalogue_model(name)
    assert found is not None
    return found[1]


def test_what_changed_is_written_as_the_catalogue_has_it(hub: HubServer, tmp_path: Path) -> None:
    state_catalogue(hub)
    output = tmp_path / "changes.toml"
    assert check_models(["phi-4", "qwen3-14b"], as_json=False, output=output) == 0
    (entry,) = tomllib.loads(output.read_text())["entry"]
    found = Quantisation(**entry["hub"])
    assert (found.sha256, found.revision, found.file) == (DIGEST, COMMIT, "Phi-4-Q4_K_M.gguf")
    assert Quantisation(**entry["catalogue"]) == _entry("Phi-4")


def test_an_unreachable_hub_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    code, out, err = call("models", "check", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert f"0 of {len(ALL)} entries were checked" in err
    code, _, err = call("models", "check", "nothing", cwd=tmp_path)
    assert (code, "nothing: not in the catalogue" in err) == (1, True)


def test_a_gated_model_says_how_to_get_access(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("maker/Gated-GGUF", "G-Q4_K_M.gguf", make_gguf(tmp_path / "g", 5000), MAIN)
    hub.gated.add("maker/Gated-GGUF")
    name = "maker/Gated-GGUF:Q4_K_M"
    page = f"accept its terms at {hub.address}/maker/Gated-GGUF, then set HF_TOKEN"
    with pytest.raises(GatedRepositoryError, match=page):
        list(supply(Requirements((name,))))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with pytest.raises(GatedRepositoryError, match=f"your token has no access; {page}"):
        list(pull([name]))
    hub.gated.clear()
    list(pull([name]))
    assert hub.sent == 5000


def test_a_missing_file_of_the_catalogue_is_an_error_at_first_use(
    hub: HubServer, tmp_path: Path
) -> None:
    hub.add("bartowski/phi-4-GGUF", "phi-4-Q8_0.gguf", make_gguf(tmp_path / "g", 5000), MAIN)
    with pytest.raises(FetchError, match="no such file in the repository; it has Q8_0"):
        list(pull(["phi-4"]))
