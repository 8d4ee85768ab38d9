"""Checks before a database is created: an error leaves no file that holds a plan and no answer."""

from pathlib import Path

from steertui.core.experiment import Experiment
from steertui.core.shard import WHOLE, Shard
from steertui.judge.server import ServerJudge
from steertui.paths import exists
from steertui.planning.judges import JudgeServerOptions
from steertui.planning.plan import experiment_judges
from steertui.planning.resolve import Design, resolve
from steertui.server.model import run_async

RETRIES = 2
"""Attempts after the first to reach a judge's server, about 1.5 seconds."""


def resolve_before_creation(
    db: Path,
    experiment: Experiment,
    judging: JudgeServerOptions | None = None,
    *,
    shard: Shard = WHOLE,
    leaves_out: bool = False,
) -> Design | None:
    """Return the design if the database is new; None if it exists.

    An existing database can have vectors that the design needs. With `judging`, the servers of the
    judges are asked for their models, which costs nothing. `leaves_out` is that of `resolve`.

    Raises the errors of `resolve`, and JudgeError if no server responds at a judge's address or it
    does not accept the key.
    """
    if exists(db):
        return None
    design = resolve(experiment, shard, leaves_out=leaves_out)
    if judging:
        for judge in experiment_judges(design, judging):
            if isinstance(judge, ServerJudge):
                _require_server(judge, judging)
    return design


def _require_server(judge: ServerJudge, options: JudgeServerOptions) -> None:
    # Imported here, since the HTTP client takes long to import and few runs need it.
    from steertui.judge.client import JudgeClient, JudgeTimeouts

    async def ask() -> None:
        limits = JudgeTimeouts(options.concurrency, options.timeout, min(RETRIES, options.retries))
        async with JudgeClient(judge, limits) as client:
            await client.require_server()

    run_async(ask)
