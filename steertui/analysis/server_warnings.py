"""Warnings on a table's model behind servers: settings that were left to the server."""

from collections.abc import Iterator
from typing import Any

from steertui.analysis.table import Table
from steertui.analysis.trial_warning import TrialWarning, WarningKind
from steertui.store import Store
from steertui.store.setup_queries import runs
from steertui.untrusted import InvalidJsonError, parse_json, table_of, text_of


def server_warnings(store: Store, table: Table) -> Iterator[TrialWarning]:
    """Yield a warning if runs left settings to the server.

    They did so because the server rejects these settings: it used its own seeds, and its defaults
    for settings that equal OpenAI's defaults.
    """
    names: set[str] = set()
    for run in runs(store, table.experiment):
        settings = _settings(run.settings)
        left_out = settings.get("left_out")
        if settings.get("weights_id") == table.setting.model and isinstance(left_out, list):
            names.update(text_of(name) for name in left_out)
    if names:
        listed = ", ".join(sorted(names))
        seed = "; its answers cannot be repeated with our seeds" if "seed" in names else ""
        text = f"the server does not accept {listed} and used its own defaults{seed}"
        yield TrialWarning(WarningKind.SERVER, text)


def _settings(text: str) -> dict[str, Any]:
    """Return a run's settings; {} if the text is not JSON, in a database of somebody else."""
    try:
        return table_of(parse_json(text))
    except InvalidJsonError:
        return {}
