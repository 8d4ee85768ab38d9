"""Removal of weights: only files of the cache are deleted, even with malicious refs or links."""

import os
from pathlib import Path

import pytest

from steertui.assets.fetch.transfer import TransferLimits
from steertui.assets.hub.cache import (
    all_cached_weights,
    cached_weights,
    files_to_remove,
    remove_weights,
    repository_folder,
)
from steertui.core.hub_name import HubName
from steertui.errors import FetchError, ModelError
from steertui.planning.supply import Requirements, supply
from tests.fixtures.hub_server import HubServer, make_gguf
from tests.fixtures.program import call

REPO = "maker/Small-GGUF"
NAME = f"{REPO}:Q4_K_M"
FILE = "Small-Q4_K_M.gguf"
QUICK = TransferLimits(tries=2, pause=0.01, silence=1.0)
HUB = HubName(REPO, "Q4_K_M")


def fetch() -> None:
    list(supply(Requirements((NAME,)), QUICK))


def local_model(tmp_path: Path) -> Path:
    """Write a model outside the cache; return its path."""
    folder = tmp_path / "mine"
    folder.mkdir()
    make_gguf(folder / FILE, 5000)
    return folder / FILE


def test_a_ref_to_a_folder_outside_the_cache_matches_nothing(
    tmp_path: Path, hub: HubServer
) -> None:
    local_file = local_model(tmp_path)
    hub.add(REPO, FILE, make_gguf(tmp_path / "made", 5000).read_bytes())
    snapshots = repository_folder(REPO) / "snapshots"
    snapshots.mkdir(parents=True)
    ref = repository_folder(REPO) / "refs" / "main"
    ref.parent.mkdir()
    for text in (os.path.relpath(local_file.parent, snapshots), str(local_file.parent), "", "x"):
        ref.write_text(text, encoding="utf-8")
        assert cached_weights(HUB) is None
        code, _, err = call("models", "rm", "--yes", NAME, cwd=tmp_path)
        assert code == 1
        assert "is not in" in err
        assert local_file.is_file()


@pytest.mark.parametrize("commit", ["../../../../mine", "main", "", "C0FFEE" + "0" * 34])
def test_an_invalid_commit_from_the_hub_is_rejected_and_not_stored(
    tmp_path: Path, hub: HubServer, commit: str
) -> None:
    local_file = local_model(tmp_path)
    hub.add(REPO, FILE, local_file.read_bytes(), commit=commit)
    with pytest.raises(FetchError, match="not 40 hex digits"):
        fetch()
    assert not (repository_folder(REPO) / "refs").exists()


def test_a_listed_path_outside_the_repository_is_rejected(tmp_path: Path, hub: HubServer) -> None:
    local_file = local_model(tmp_path)
    hub.add(REPO, f"../../../../{FILE}", local_file.read_bytes())
    with pytest.raises(FetchError, match="not a path in a repository"):
        fetch()


def test_a_link_out_of_the_cache_is_removed_without_its_target(
    tmp_path: Path, hub: HubServer
) -> None:
    local_file = local_model(tmp_path)
    hub.add(REPO, FILE, make_gguf(tmp_path / "made", 5000, 1).read_bytes())
    fetch()
    (weights,) = all_cached_weights()
    blob = Path(os.path.realpath(weights.paths[0]))
    assert set(files_to_remove(weights)) == {weights.paths[0], blob}
    weights.paths[0].unlink()
    weights.paths[0].symlink_to(local_file)
    (weights,) = all_cached_weights()
    assert files_to_remove(weights) == weights.paths
    remove_weights(weights)
    assert local_file.is_file()
    assert blob.is_file()
    assert all_cached_weights() == []


def test_a_folder_linked_into_the_cache_is_not_removed(tmp_path: Path, hub: HubServer) -> None:
    local_file = local_model(tmp_path)
    hub.add(REPO, f"sub/{FILE}", make_gguf(tmp_path / "made", 5000, 1).read_bytes())
    fetch()
    (weights,) = all_cached_weights()
    folder = weights.paths[0].parent
    weights.paths[0].unlink()
    folder.rmdir()
    folder.symlink_to(local_file.parent)
    with pytest.raises(ModelError, match=r"outside .* nothing was removed"):
        remove_weights(weights)
    assert local_file.is_file()
    snapshot = repository_folder(REPO) / "snapshots" / ("d" * 40)
    snapshot.symlink_to(local_file.parent)
    assert all_cached_weights() == []
    found = cached_weights(HubName(REPO, "Q4_K_M", revision="d" * 40))
    assert found
    with pytest.raises(ModelError, match=r"outside .* nothing was removed"):
        remove_weights(found)
    assert local_file.is_file()


def test_the_confirmation_lists_every_file_with_its_path(tmp_path: Path, hub: HubServer) -> None:
    hub.add(REPO, FILE, make_gguf(tmp_path / "made", 5000).read_bytes())
    fetch()
    (weights,) = all_cached_weights()
    files = files_to_remove(weights)
    code, out, _ = call("models", "rm", NAME, cwd=tmp_path)  # no answer: end of input
    assert code == 1
    assert [line for line in out.splitlines() if line.startswith("/")] == [str(p) for p in files]
    assert all(path.exists() for path in files)
    assert call("models", "rm", "--yes", NAME, cwd=tmp_path)[0] == 0
    assert not any(path.exists() for path in files)
