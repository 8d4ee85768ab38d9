"""Check of disk space before a run, for the weights of all its models and the database."""

from pathlib import Path

from steertui.core.model import RemoteModel
from steertui.planning.plan import Plan
from steertui.planning.remote_models import require_space

BYTES_PER_ANSWER = 5_000
"""Growth of the database per answer, in bytes, without the text (measured: 4,200 to 5,600)."""

BYTES_PER_TOKEN = 10
"""Growth of the database per new token, in bytes: text, and its index."""


def require_run_space(plan: Plan, db: Path, *, removes: bool = False) -> None:
    """Raise FetchError if a disk has too little space for all of a run.

    `removes` says whether the weights that runs on the database downloaded are removed after use.
    """
    models = [
        model
        for model in plan.design.models
        if not isinstance(model, RemoteModel) or plan.missing(model)
    ]
    tokens = plan.design.experiment.max_tokens
    growth = len(plan.missing_here) * (BYTES_PER_ANSWER + BYTES_PER_TOKEN * tokens)
    require_space(models, db, growth, removes=removes)
