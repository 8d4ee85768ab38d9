"""Hub names, model kinds, model identities, the hash cache."""

import hashlib
from pathlib import Path

import pytest

from steertui.assets.catalogue import catalogue_model, kind_of
from steertui.assets.hash_cache import cached_digest, file_digest, store_digest
from steertui.assets.weights import find_hub_name, find_model
from steertui.core.hub_files import HubFile, choose_files, list_quantisations
from steertui.core.hub_name import HubName, parse_hub_name
from steertui.errors import ModelError

REPO = [
    "BF16/M-BF16-00001-of-00002.gguf",
    "BF16/M-BF16-00002-of-00002.gguf",
    "M-F16.gguf",
    "M-IQ4_XS.gguf",
    "M-Q4_K_M.gguf",
    "M-Q8_0.gguf",
    "M-UD-Q4_K_XL.gguf",
    "README.md",
    "imatrix.gguf",
    "mmproj-M-Q4_K_M.gguf",
]


def files_of(paths: list[str]) -> list[HubFile]:
    return [HubFile(path) for path in paths]


@pytest.mark.parametrize(
    ("quant", "files"),
    [
        ("", ["M-Q4_K_M.gguf"]),
        ("q8_0", ["M-Q8_0.gguf"]),
        ("F16", ["M-F16.gguf"]),
        ("BF16", REPO[:2]),
        ("Q4_K_XL", ["M-UD-Q4_K_XL.gguf"]),
        ("IQ4_XS", ["M-IQ4_XS.gguf"]),
        ("Q4_XS", []),
        ("Q5_K_M", []),
    ],
)
def test_a_quantisation_selects_the_same_file_as_in_llama_cpp(quant: str, files: list[str]) -> None:
    assert list(choose_files(files_of(REPO), HubName("o/M", quant))) == files


@pytest.mark.parametrize(
    "file",
    [
        "Qwen_M-Q4_K_M.gguf",
        "M.Q4_K_M.gguf",
        "m-q4_k_m.gguf",
        "M.i1-Q4_K_M.gguf",
        "Q4_K_M/M-Q4_K_M.gguf",
    ],
)
def test_file_names_of_all_publishers_are_recognised(file: str) -> None:
    paths = ["A.Q8_0.gguf", file]
    assert choose_files(files_of(paths), HubName("o/M", "Q4_K_M")) == (file,)
    assert choose_files(files_of(paths), HubName("o/M")) == (file,)
    assert list_quantisations(files_of(paths), "o/M") == ["Q4_K_M", "Q8_0"]


def test_a_split_model_with_a_missing_part_selects_nothing() -> None:
    assert choose_files(files_of(REPO[:1]), HubName("o/M", "BF16")) == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("o/M:Q4_K_M", HubName("o/M", "Q4_K_M")),
        ("o/M", HubName("o/M")),
        ("o/M@abc:Q8_0", HubName("o/M", "Q8_0", "", "abc")),
        ("o/M/BF16/f.gguf", HubName("o/M", "", "BF16/f.gguf")),
        ("https://huggingface.co/o/M/blob/main/f.gguf", HubName("o/M", "", "f.gguf", "main")),
        (
            "https://huggingface.co/o/M/resolve/main/f.gguf?download=true",
            HubName("o/M", "", "f.gguf", "main"),
        ),
        ("hf.co/o/M:Q4_K_M", HubName("o/M", "Q4_K_M")),
        ("f.gguf", None),
        ("o/f.gguf", None),
        ("./o/M", None),
        ("/o/M/f.gguf", None),
    ],
)
def test_hub_names_and_paths_are_parsed(name: str, expected: HubName | None) -> None:
    assert parse_hub_name(name) == expected
    if expected:
        assert parse_hub_name(str(expected)) == expected


def test_an_existing_file_takes_precedence_over_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "o" / "M").mkdir(parents=True)
    (tmp_path / "o" / "M" / "f.gguf").write_bytes(b"GGUF")
    assert parse_hub_name("o/M/f.gguf") is None


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("Qwen_Qwen3-4B-Thinking-2507-Q8_0.gguf", "thinking"),
        ("Qwen3-4B-Base.i1-Q4_K_M.gguf", "base"),
        ("qwen3-4b-instruct-2507-q8_0.gguf", "instruct"),
        ("o/Qwen3-30B-A3B-Instruct-2507-GGUF/BF16/x-00001-of-00002.gguf", "instruct"),
        ("Qwen3-1.7B-Base-Q4_K_M.gguf", ""),
        ("My-Qwen3-4B-Base-Tuned-Q4_K_M.gguf", ""),
        ("llama.gguf", ""),
    ],
)
def test_a_models_kind_follows_from_its_exact_name(file: str, kind: str) -> None:
    assert kind_of(file) == kind


def test_catalogue_names_ignore_case_and_an_unknown_quantisation_is_an_error() -> None:
    result = catalogue_model("qwen3-0.6b:q8_0")
    assert result is not None
    assert result[1].repo == "Qwen/Qwen3-0.6B-GGUF"
    assert find_hub_name("Qwen3-4B-Base") == HubName(
        "mradermacher/Qwen3-4B-Base-GGUF", "", "Qwen3-4B-Base.Q4_K_M.gguf"
    )
    with pytest.raises(ModelError, match="the catalogue has Q4_K_M, Q8_0; name one of them"):
        catalogue_model("Qwen3-0.6B:Q2_K")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_a_split_models_identity_covers_all_parts(cache: Path) -> None:
    one, two = (cache / f"m-0000{n}-of-00002.gguf" for n in (1, 2))
    one.write_bytes(b"GGUFone")
    with pytest.raises(ModelError, match=r"m-00002-of-00002\.gguf: this part .* is missing"):
        find_model(str(one))
    two.write_bytes(b"GGUFtwo")
    model = find_model(str(two))
    digests = [hashlib.sha256(p.read_bytes()).hexdigest() for p in (one, two)]
    assert model.sha256 == hashlib.sha256("\n".join(digests).encode()).hexdigest()
    assert (model.path, model.size, model.name) == (one, 14, "m")
    two.write_bytes(b"GGUFtwO")
    assert find_model(str(one)).sha256 != model.sha256


def test_a_cached_digest_is_valid_until_the_file_changes(cache: Path) -> None:
    path = cache / "m.gguf"
    path.write_bytes(b"GGUF1")
    assert cached_digest(path) == ""
    first = file_digest(path)
    assert first == cached_digest(path) == hashlib.sha256(b"GGUF1").hexdigest()
    store_digest(path, "0" * 64)
    assert file_digest(path) == "0" * 64  # from the cache, not hashed again
    path.write_bytes(b"GGUF2")
    assert cached_digest(path) == ""
    assert file_digest(path) == hashlib.sha256(b"GGUF2").hexdigest()
    other = cache / "other.gguf"
    other.write_bytes(b"GGUF3")
    other.replace(path)
    assert cached_digest(path) == ""
