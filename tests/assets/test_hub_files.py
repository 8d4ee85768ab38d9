"""GGUF files of a repository that are models, and those that are not."""

from pathlib import Path

import pytest

from steertui.assets.gguf_header import auxiliary_role
from steertui.assets.hub.cache import all_cached_weights, cached_weights
from steertui.assets.weights import find_model, locate_weights
from steertui.core.hub_files import HubFile, auxiliary_files, choose_files, quantisation
from steertui.core.hub_name import HubName
from steertui.core.model import demo_path
from steertui.errors import ModelError
from steertui.headless.model_listing import show_models
from tests.fixtures.changed_models import write_changed

GB = 10**9
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("repo", "files", "quant", "expected"),
    [
        ("a/Tiny-MTP-GGUF", {"Tiny-MTP-Q6_K.gguf": 0}, "Q6_K", "Tiny-MTP-Q6_K.gguf"),
        ("a/Dir-GGUF", {"Q8_0/model.gguf": 0}, "Q8_0", "Q8_0/model.gguf"),
        ("a/M-imatrix-GGUF", {"M-imatrix-Q4_K_M.gguf": 0}, "Q4_K_M", "M-imatrix-Q4_K_M.gguf"),
        ("a/M", {"M.imatrix.gguf": 0, "M-Q4_K_M-imat.gguf": 0}, "", "M-Q4_K_M-imat.gguf"),
        ("a/M", {"imatrix_unsloth.gguf": 0, "M-Q5_K_M.gguf": 0}, "", "M-Q5_K_M.gguf"),
        ("a/M", {"mmproj-F16.gguf": 0, "M-F16.gguf": 0}, "F16", "M-F16.gguf"),
        ("a/M", {"M.mmproj-Q8_0.gguf": 0}, "Q8_0", ""),
        ("a/M", {"mtp-M-Q8_0.gguf": 0, "M-Q4_K_M.gguf": 0}, "Q8_0", ""),
        ("a/M", {"eagle3-M-Q4_K_M.gguf": 0, "M-Q4_K_M.gguf": 0}, "", "M-Q4_K_M.gguf"),
        ("a/M", {"M-draft-Q4_K_M.gguf": 0, "M-Q5_K_M.gguf": 0}, "", "M-Q5_K_M.gguf"),
        ("a/M-draft-GGUF", {"M-draft-Q4_K_M.gguf": 0}, "", "M-draft-Q4_K_M.gguf"),
        ("a/M", {"A-head-Q8_0.gguf": GB // 9, "M-Q8_0.gguf": 8 * GB}, "Q8_0", "M-Q8_0.gguf"),
        ("a/M", {"A-head-Q8_0.gguf": GB // 9, "M-Q4_K_M.gguf": 4 * GB}, "Q8_0", ""),
        ("a/M", {"M-IQ1_S.gguf": 2 * GB, "M-BF16.gguf": 16 * GB}, "IQ1_S", "M-IQ1_S.gguf"),
        ("a/M", {"M-F16-LoRA.gguf": 0, "M-F16.gguf": 0}, "F16", "M-F16.gguf"),
        ("a/M", {"F16/M-Q8_0.gguf": 0, "F16/M.gguf": 0}, "F16", "F16/M.gguf"),
        ("a/M", {"M-UD-Q4_K_M.gguf": 0, "M.Q4_K_M.gguf": 0}, "Q4_K_M", "M.Q4_K_M.gguf"),
        (
            "a/M",
            {f"Q8_0/model-0000{n}-of-00003.gguf": 3 * GB for n in (1, 2, 3)},
            "Q8_0",
            "Q8_0/model-00001-of-00003.gguf",
        ),
    ],
)
def test_a_quantisation_selects_a_model_and_never_an_auxiliary_file(
    repo: str, files: dict[str, int], quant: str, expected: str
) -> None:
    listed = [HubFile(path, size) for path, size in files.items()]
    found = choose_files(listed, HubName(repo, quant))
    assert "".join(found[:1]) == expected
    for path in files:
        if "-of-" not in path:
            assert choose_files(listed, HubName(repo, "", path)) == (path,)


@pytest.mark.parametrize(
    ("path", "quant"),
    [
        ("Q8_0/m.gguf", "Q8_0"),
        ("BF16/m-Q4_K_S.gguf", "Q4_K_S"),
        ("m.gguf", ""),
        ("Q8_0/x/m.gguf", "Q8_0"),
    ],
)
def test_the_quantisation_is_that_of_the_file_or_of_its_folder(path: str, quant: str) -> None:
    assert quantisation(path) == quant


ROLES = {
    "projector": ({"general.architecture": "clip"}, "a multimodal projector"),
    "projector-by-type": ({"general.type": "mmproj"}, "a multimodal projector"),
    "adapter": ({"general.type": "adapter"}, "a LoRA adapter"),
    "imatrix": ({"general.type": "imatrix"}, "imatrix data"),
    "controlvector": ({"general.architecture": "controlvector"}, "a control vector"),
    "model": ({"general.type": "model"}, ""),
}


@pytest.mark.parametrize("name", ROLES)
def test_metadata_tells_what_a_file_is_and_a_run_names_it(tmp_path: Path, name: str) -> None:
    metadata, role = ROLES[name]
    path = write_changed(tmp_path / "some-Q8_0.gguf", metadata, first=True)
    assert auxiliary_role(path) == role
    if not role:
        assert find_model(str(path)).name == "some-Q8_0"
        return
    with pytest.raises(ModelError, match=f"is {role}, not a model; give the model's own GGUF file"):
        find_model(str(path))


def test_a_file_without_weights_is_a_vocabulary(tmp_path: Path) -> None:
    path = write_changed(tmp_path / "v.gguf", has_tensors=False)
    assert auxiliary_role(path) == "a vocabulary without weights"
    assert auxiliary_role(demo_path()) == ""


@pytest.mark.parametrize("length", [0, 4, 23, 24, 30, 100])
def test_a_damaged_header_is_unknown(tmp_path: Path, length: int) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(demo_path().read_bytes()[:length])
    assert auxiliary_role(path) in (None, "")
    assert auxiliary_role(tmp_path / "missing.gguf") is None


def put(cache: Path, repo: str, file: str, source: Path) -> None:
    folder = cache / "hub" / f"models--{repo.replace('/', '--')}"
    target = folder / "snapshots" / COMMIT / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / "main").write_text(COMMIT)


@pytest.mark.usefixtures("hub")
def test_the_list_of_models_and_the_loader_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = tmp_path / "hf"
    put(cache, "acme/Tiny-MTP-GGUF", "Tiny-MTP-Q6_K.gguf", demo_path())
    put(cache, "acme/Dir-GGUF", "Q8_0/model.gguf", demo_path())
    put(cache, "acme/Tiny-imatrix-GGUF", "Tiny-imatrix-Q4_K_M.gguf", demo_path())
    put(cache, "acme/Merged-LoRA", "Merged-Q8_0-lora.gguf", demo_path())
    adapter = write_changed(tmp_path / "a.gguf", {"general.type": "adapter"}, first=True)
    put(cache, "acme/Other-GGUF", "Other-Q4_K_M.gguf", adapter)
    show_models(as_json=False)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("acme/")]
    assert len(lines) == len(all_cached_weights()) == 5
    for weights in all_cached_weights():
        by_quant = cached_weights(HubName(weights.repo, quantisation(weights.files[0])))
        (line,) = [line for line in lines if weights.repo in line]
        assert line.endswith("not a model") == (by_quant is None) == bool(weights.role)
        located = locate_weights(f"{weights.repo}/{weights.files[0]}")
        assert located is not None
        assert located.paths == weights.paths
    assert find_model("acme/Dir-GGUF:Q8_0").name == "Dir-Q8_0"


def test_metadata_decides_over_words_in_a_name() -> None:
    files = [HubFile("M-lora.gguf", 0, ""), HubFile("M-Q8_0.gguf", 0, "a LoRA adapter")]
    assert auxiliary_files(files, "a/M") == {"M-Q8_0.gguf": "a LoRA adapter"}
