"""The shelf: what there is of models and sources, and what is done with it, at a command line."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

import click

from steertui.assets.catalogue import catalogue
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
from steertui.headless.downloads import report_downloads
from steertui.planning.inventory import inventory_row, verification_state
from steertui.planning.supply import Requirements, pull, supply
from steertui.units import size_text

INTERRUPTED = 130


def show_shelf(*, as_json: bool) -> None:
    """Print the catalogue, and what else of GGUF lies in the cache."""
    rows = [inventory_row(model, weights) for model in catalogue() for weights in model.weights]
    if as_json:
        for row in rows:
            print(json.dumps(asdict(row)))
        return
    print(f"{'model':38}{'kind':10}{'size':>9}  {'here':12}fits this machine")
    for row in rows:
        size = size_text(row.size)
        print(f"{row.name:38}{row.kind:10}{size:>9}  {row.here:12}{row.fits}")
        if row.doubt:
            print(f"{'':38}not sure: {row.doubt}; the hub is asked at first use")
    listed = {row.path for row in rows}
    for other in (h for h in all_cached_weights() if str(h.paths[0]) not in listed):
        size = size_text(sum(p.stat().st_size for p in other.paths))
        print(f"{other.repo}/{other.files[0]}  {size}  {verification_state(other)}")
    print(f"The files lie in {cache_folder()}, where other programs find them, too.")


def pull_models(names: Sequence[str], *, as_json: bool) -> int:
    """Fetch and verify models; return the exit code."""
    try:
        report_downloads(pull(names), as_json=as_json)
    except KeyboardInterrupt:
        return _stopped()
    for name in names:
        model = find_model(name)
        print(f"{model.name}  {size_text(model.size)}  {model.sha256}  {model.path}")
    return 0


def verify_models(names: Sequence[str]) -> int:
    """Hash models anew; 0 if every byte is as promised, else 1."""
    chosen = list(names) or [f"{h.repo}@{h.revision}/{h.files[0]}" for h in all_cached_weights()]
    bad = 0
    if not chosen:
        print(f"No model lies in {cache_folder()}; `steertui models pull NAME` fetches one")
    for name in chosen:
        located = locate_weights(name)
        if located is None:
            raise ModelError(f"{name}: is not on this machine; there is nothing to verify")
        for path in located.paths:
            forget_digest(path)
        try:
            report_downloads(supply(Requirements((name,))), as_json=False)
            promised = (
                "as promised" if all(located.expected_sha256) else "hashed; nobody promised a hash"
            )
            print(f"✓ {located.name}: {promised}  {find_model(name).sha256}")
        except ModelError as exc:
            bad += 1
            print(f"✗ {exc}")
    return int(bad > 0)


def remove_models(names: Sequence[str], *, sure: bool) -> None:
    """Remove models from the cache."""
    found = []
    for name in names:
        target = find_hub_name(name)
        weights = cached_weights(target) if target else None
        if weights is None:
            raise ModelError(
                f"{name}: is not in {cache_folder()}; a file of your own you delete yourself"
            )
        found.append(weights)
    size = size_text(sum(p.stat().st_size for weights in found for p in weights.paths))
    for path in dict.fromkeys(p for weights in found for p in files_to_remove(weights)):
        print(path)
    if sure or click.confirm(f"Remove {len(found)} models, {size}?"):
        for weights in found:
            remove_weights(weights)
        print(f"Removed {size} from {cache_folder()}")


def show_sources(mirror: str = "") -> None:
    """Print the sources, what is here of them, where from and under what licence."""
    for source in all_sources().values():
        missing = len(missing_files(source))
        files = len(source.files)
        state = "here" if not missing else f"not here ({missing} of {files} to fetch)"
        print(f"{source.name}  {size_text(source.size)}: {state}")
        print(f"    {source.about}")
        licence = source.licence or "none stated: fetched for you, not to be passed on"
        print(f"    by {source.authors}; licence: {licence}")
        print(f"    from {source.origin_at(mirror)}")
        print(f"    to   {source.folder}")


def pull_sources(names: Sequence[str], mirror: str | None, *, as_json: bool) -> int:
    """Fetch sources; return the exit code."""
    chosen = [find_source(name).name for name in names] or list(all_sources())
    try:
        report_downloads(supply(Requirements((), tuple(chosen), mirror or "")), as_json=as_json)
    except KeyboardInterrupt:
        return _stopped()
    show_sources(mirror or "")
    return 0


def _stopped() -> int:
    sys.stderr.write("\nStopped. What was fetched stays; to go on, run the same again.\n")
    return INTERRUPTED
