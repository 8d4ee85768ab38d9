"""`steertui models check`: the catalogue compared with the hub."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tomli_w

from steertui.assets.catalogue import CatalogueModel, catalogue
from steertui.assets.hub.check import EntryCheck, EntryState, check_catalogue
from steertui.assets.hub.repository import hub_address
from steertui.errors import FetchError, HubUnreachableError, ModelError
from steertui.output_files import check_output, text_output
from steertui.printable import print_json, print_line
from steertui.units import quantity

CHANGES = "catalogue changes"
"""Kind of the output file with the entries that differ."""


def check_models(names: Sequence[str], *, as_json: bool, output: Path | None) -> int:
    """Print how each entry of the catalogue compares with the hub; return 0 if all hold, else 1.

    Args:
        names: models of the catalogue; empty for all.
        as_json: whether to print JSON records.
        output: TOML file for the entries that differ, as the hub states them; None for none.

    Raises:
        ModelError: a name is not in the catalogue.
        FetchError: the hub gives no listing.
        OutputError: `output` cannot be written.
    """
    if output:
        check_output(output, CHANGES)
    models = _chosen(names)
    checks: list[EntryCheck] = []
    try:
        for event in check_catalogue(models):
            if isinstance(event, EntryCheck):
                checks.append(event)
                _print(event, as_json=as_json)
    except HubUnreachableError:
        total = sum(len(model.weights) for model in models)
        raise FetchError(
            f"{hub_address()} cannot be reached, or HF_HUB_OFFLINE is set; {len(checks)} of "
            f"{quantity(total, 'entry', 'entries')} were checked: run it again with a network"
        ) from None
    if output:
        _write(checks, output)
    if not as_json:
        counts = Counter(str(check.state) for check in checks)
        print_line(", ".join(f"{count} {state}" for state, count in counts.items()))
    return int(not all(check.state.is_good for check in checks))


def _chosen(names: Sequence[str]) -> list[CatalogueModel]:
    by_name = {model.name.lower(): model for model in catalogue()}
    for name in names:
        if name.lower() not in by_name:
            raise ModelError(f"{name}: not in the catalogue; `steertui models` lists it")
    return [by_name[name.lower()] for name in names] or list(catalogue())


def _print(check: EntryCheck, *, as_json: bool) -> None:
    if as_json:
        print_json(_record(check))
        return
    mark = "✓" if check.state.is_good else "✗"
    text = f": {check.text}" if check.text else ""
    print_line(f"{mark} {check.model}:{check.entry.quant}  {check.state}{text}")


def _record(check: EntryCheck) -> dict[str, Any]:
    return {
        "model": check.model,
        "state": str(check.state),
        "text": check.text,
        "catalogue": asdict(check.entry),
        "hub": asdict(check.listed),
    }


def _write(checks: Sequence[EntryCheck], output: Path) -> None:
    """Write the entries that differ; the table `hub` has the keys of `models.toml`."""
    changed = [_record(check) for check in checks if check.state is not EntryState.HOLDS]
    with text_output(output, CHANGES) as file:
        file.write(tomli_w.dumps({"entry": changed}))
    print_line(f"Written: {output}", to_stderr=True)
