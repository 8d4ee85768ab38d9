"""Groups of models: filters of the list, and groups in place of a model's name."""

import json
from pathlib import Path

import pytest

from steertui.assets.catalogue import catalogue, catalogue_model
from steertui.core.experiment import Experiment
from steertui.errors import ModelError
from steertui.planning.experiment_files import load_experiment
from steertui.planning.inventory import fits_machine
from steertui.planning.model_groups import expand_models, parse_group
from steertui.tui.plan.fields import with_field
from tests.fixtures.hub_server import HubServer
from tests.fixtures.program import call, records

GEMMA = ["Gemma-3-1B-it", "Gemma-3-4B-it", "Gemma-3-12B-it"]


def members(*names: str) -> list[str]:
    return expand_models(Experiment(models=list(names))).models


def test_a_group_becomes_its_members_once_and_in_order() -> None:
    assert members("family:gemma-3") == GEMMA
    assert members("demo", "Gemma-3-4B-it", "family:Gemma-3") == [
        "demo",
        "Gemma-3-4B-it",
        "Gemma-3-1B-it",
        "Gemma-3-12B-it",
    ]
    assert members("size:-1.5 + family:gemma-3") == ["Gemma-3-1B-it"]
    assert members("family:qwen3+kind:base+quant:q8_0") == [
        "Qwen3-4B-Base:Q8_0",
        "Qwen3-30B-A3B-Base:Q8_0",
    ]
    assert members("family:llama-3+size:8") == ["Llama-3.1-8B-Instruct"]


def test_models_that_fit_are_those_of_this_machines_memory() -> None:
    fitting = members("fits")
    for model in catalogue():
        named = [name for name in fitting if name.partition(":")[0] == model.name]
        fits = [weights for weights in model.weights if fits_machine(model, weights)]
        assert len(named) == bool(fits)
        if named:
            found = catalogue_model(named[0])
            assert found is not None
            assert found[1] == fits[0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("family:gemma", "family gemma: the catalogue has qwen3, .* and gpt-oss; name one of them"),
        ("kind:chat", "kind chat: the catalogue has hybrid, base, instruct and thinking"),
        ("size:big", "size big: not a range of billions of parameters; write 1-8, -8, 4- or 8"),
        ("size:-", "size -: not a range"),
        ("family:gemma-3+size:90-", "no model of the catalogue meets these conditions"),
    ],
)
def test_a_group_that_does_not_exist_is_one_sentence(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        members(name)


@pytest.mark.parametrize(
    "name", ["demo", "Qwen3-0.6B:Q8_0", "o/r:Q4_K_M", "server:fits@http://h", ""]
)
def test_other_names_are_no_groups(name: str) -> None:
    assert parse_group(name) is None


def test_an_existing_file_is_no_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fits").write_bytes(b"GGUF")
    assert members("fits") == ["fits"]


def test_files_options_and_the_plan_screen_expand_groups_alike(tmp_path: Path) -> None:
    file = tmp_path / "experiment.toml"
    file.write_text('models = ["family:gemma-3"]\n')
    assert load_experiment(file).models == GEMMA
    assert with_field(Experiment(), "models", ["family:gemma-3"]).models == GEMMA
    code, out, _ = call("--model", "family:gemma-3", "--print-experiment", cwd=tmp_path)
    assert (code, json.dumps(GEMMA)[1:-1].replace(", ", ",\n    ") in out) == (0, True)


def test_a_group_tells_bytes_and_trials_before_it_asks(hub: HubServer, tmp_path: Path) -> None:
    options = ("--batch", "--model", "family:gemma-3+size:-5", "--limit", "2", "--judge", "none")
    code, out, err = call(*options, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert "Fetch   3.30 GB: Gemma-3-1B-it (model, 806 MB), Gemma-3-4B-it (model, 2.49 GB)" in err
    assert "Trials  12 = 2 models × 2 scenarios × 3 conditions × 1 sample: 12 to do" in err
    assert "3.30 GB to download; nothing was done: add --yes to agree" in err
    assert not hub.requests
    assert not (tmp_path / "steertui.db").exists()
    code, _, err = call(*options, "--yes", cwd=tmp_path)
    assert (code, "no such repository on the hub" in err, len(hub.requests)) == (1, True, 2)


def test_a_group_with_models_that_do_not_fit_is_refused(tmp_path: Path) -> None:
    found = catalogue_model("Llama-3.3-70B-Instruct")
    if found and fits_machine(*found):
        pytest.skip("this machine has memory for 70 billion parameters")
    code, _, err = call("--batch", "--model", "family:llama-3", cwd=tmp_path)
    assert code == 1
    assert "Llama-3.3-70B-Instruct: too large for the memory of this machine; add +fits" in err


def test_the_list_is_filtered(tmp_path: Path) -> None:
    options = ("--family", "gemma-4", "--size", "20-", "--detail")
    code, out, _ = call("models", *options, cwd=tmp_path)
    assert code == 0
    names = [line.split()[0] for line in out.splitlines() if line.startswith("Gemma")]
    assert names == ["Gemma-4-26B-A4B-it:Q4_K_M", "Gemma-4-31B-it:Q4_K_M"]
    assert "template: Closes an empty thought by default; --thinking force opens it." in out
    assert "reasoning opens with <|channel>thought" in out
    assert "recommended sampling: temperature 1, top_p 0.95, top_k 64" in out
    assert "confidence A; 17.26 GB of memory with one slot" in out
    code, out, _ = call("models", "--kind", "base", "--json", cwd=tmp_path)
    assert {row["kind"] for row in records(out)} == {"base"}
    code, out, _ = call("models", "--family", "gemma-3", "--kind", "base", cwd=tmp_path)
    assert (code, "No model of the catalogue meets these conditions." in out) == (0, True)
