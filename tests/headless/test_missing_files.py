"""Missing files of an experiment whose hub cannot be reached: which part needs which file."""

from pathlib import Path

import pytest

from steertui.core.model import demo_path
from tests.fixtures.hub_server import Fault, HubServer
from tests.fixtures.program import call, records

SMALL = ("--model", "Qwen3-0.6B", "--judge", "local:Qwen3-1.7B", "--limit", "2", "--db", "a.db")
MISSING = "Qwen3-0.6B (model, 397 MB), Qwen3-1.7B (judge, "


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hub")))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def test_the_missing_files_of_models_and_judges_are_listed_before_the_error(
    tmp_path: Path,
) -> None:
    code, out, err = call("--batch", *SMALL, cwd=tmp_path)
    missing, error = err.splitlines()
    assert (code, out) == (1, "")
    assert missing.startswith("Missing ")
    assert MISSING in missing
    assert "HF_HUB_OFFLINE is set; unset it" in error
    assert not [*tmp_path.iterdir()]


def test_json_has_the_part_of_each_missing_file(tmp_path: Path) -> None:
    code, out, _ = call("--batch", *SMALL, "--json", cwd=tmp_path)
    (record,) = records(out)
    assert (code, record["event"]) == (1, "missing_files")
    files = record["files"]
    assert isinstance(files, list)
    assert [(file["name"], file["part"]) for file in files] == [
        ("Qwen3-0.6B", "model"),
        ("Qwen3-1.7B", "judge"),
    ]


def test_a_dry_run_says_that_no_weights_can_be_downloaded(tmp_path: Path) -> None:
    code, out, err = call("--plan", *SMALL, cwd=tmp_path)
    assert (code, err) == (0, "")
    fetch, offline = out.splitlines()[1:3]
    assert fetch.startswith("Fetch ")
    assert MISSING in fetch
    assert offline.strip() == "HF_HUB_OFFLINE is set: a run downloads no weights"


def test_a_preset_names_the_part_of_every_missing_file(tmp_path: Path) -> None:
    code, out, err = call("--plan", "--preset", "quick", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "Qwen3-1.7B (model and judge, " in out
    assert "instrumentaleval (scenarios, " in out
    assert "(conditions, " in out


def test_the_missing_files_are_listed_before_the_first_wait(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    hub.add("maker/Small-GGUF", "Small-Q4_K_M.gguf", demo_path())
    hub.api_faults.append(Fault(status=503))
    options = ("--model", "maker/Small-GGUF:Q4_K_M", "--limit", "1", "--judge", "none")
    code, _, err = call("--batch", *options, "--max-tokens", "4", "--db", "a.db", cwd=tmp_path)
    assert code == 0, err
    listed = "Missing maker/Small-GGUF:Q4_K_M (model, size unknown)"
    assert err.splitlines()[0] == listed
    assert err.count("Missing") == 1
