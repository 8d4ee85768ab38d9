"""Commands on model weights and text sources: list, download, verify, remove."""

from collections.abc import Sequence

import click

from steertui.assets.hash_cache import forget_digest
from steertui.assets.hub.cache import (
    all_cached_weights,
    cache_folder,
    cached_weights,
    files_to_remove,
    remove_weights,
)
from steertui.assets.sources import all_sources, find_source, missing_files
from steertui.assets.weights import find_hub_name, find_model, locate_weights
from steertui.errors import ModelError
from steertui.headless.downloads import DOWNLOAD_STOPPED, report_downloads
from steertui.planning.supply import Requirements, pull, supply
from steertui.printable import print_line, print_text
from steertui.units import quantity, size_text

INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def pull_models(names: Sequence[str], *, as_json: bool) -> int:
    """Download and verify models; return the exit code."""
    try:
        report_downloads(pull(names), as_json=as_json)
    except KeyboardInterrupt:
        return _stopped()
    for name in names:
        model = find_model(name)
        print_line(f"{model.name}  {size_text(model.size)}  {model.sha256}  {model.path}")
    return 0


def verify_models(names: Sequence[str]) -> int:
    """Hash models again; return 0 if all hashes are as expected, else 1."""
    cached = [weights for weights in all_cached_weights() if not weights.role]
    chosen = list(names) or [f"{w.repo}@{w.revision}/{w.files[0]}" for w in cached]
    failures = 0
    if not chosen:
        print_line(f"{cache_folder()}: holds no model; `steertui models pull NAME` downloads one")
    for name in chosen:
        located = locate_weights(name)
        if located is None:
            raise ModelError(
                f"{name}: is not on this machine; download it with `steertui models pull`"
            )
        for path in located.paths:
            forget_digest(path)
        try:
            report_downloads(supply(Requirements((name,))), as_json=False)
            is_known = all(located.expected_sha256)
            result = "hash as expected" if is_known else "hashed; no expected hash is known"
            print_line(f"✓ {located.name}: {result}  {find_model(name).sha256}")
        except ModelError as exc:
            failures += 1
            print_line(f"✗ {exc}")
    return int(failures > 0)


def remove_models(names: Sequence[str], *, sure: bool) -> None:
    """Remove models from the cache, after a confirmation unless `sure`."""
    models = []
    for name in names:
        target = find_hub_name(name)
        weights = cached_weights(target) if target else None
        if weights is None:
            raise ModelError(
                f"{name}: is not in {cache_folder()}; delete files outside the cache yourself"
            )
        models.append(weights)
    size = size_text(sum(p.stat().st_size for weights in models for p in weights.paths))
    for path in dict.fromkeys(p for weights in models for p in files_to_remove(weights)):
        print_line(str(path))
    if sure or click.confirm(f"Remove {quantity(len(models), 'model')}, {size}?"):
        for weights in models:
            remove_weights(weights)
        print_line(f"Removed {size} from {cache_folder()}")


def show_sources(mirror: str = "") -> None:
    """Print the text sources: size, state, authors, licence, origin and folder."""
    for source in all_sources().values():
        missing = len(missing_files(source))
        files = len(source.files)
        state = "complete" if not missing else f"{missing} of {files} files missing"
        print_line(f"{source.name}  {size_text(source.size)}: {state}")
        print_line(f"    {source.about}")
        licence = source.licence or "none stated; do not redistribute"
        print_line(f"    by {source.authors}; licence: {licence}")
        print_line(f"    from {source.origin_at(mirror)}")
        print_line(f"    to   {source.folder}")


def pull_sources(names: Sequence[str], mirror: str | None, *, as_json: bool) -> int:
    """Download text sources; return the exit code."""
    chosen = [find_source(name).name for name in names] or list(all_sources())
    try:
        report_downloads(supply(Requirements((), tuple(chosen), mirror or "")), as_json=as_json)
    except KeyboardInterrupt:
        return _stopped()
    show_sources(mirror or "")
    return 0


def _stopped() -> int:
    print_text(DOWNLOAD_STOPPED, to_stderr=True)
    return INTERRUPTED
