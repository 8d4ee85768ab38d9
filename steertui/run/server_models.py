"""The models behind servers at work, in a thread of their own while those on this machine write."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from steertui.core.prompt import Prompt
from steertui.run.background import BackgroundThread
from steertui.run.dispatcher import Dispatcher
from steertui.server.limits import RetryPolicy
from steertui.server.model import ServerModel
from steertui.store import Store


class ServerModels(BackgroundThread):
    """A thread with the servers' connections and one to the store: an answer is stored when it
    comes, whatever the rest of the program is doing. Models of different servers work at once.
    """

    NAME = "servers"

    def __init__(
        self,
        missing: Mapping[ServerModel, Sequence[Prompt]],
        db: Path,
        experiment: str,
        patience: RetryPolicy,
    ) -> None:
        super().__init__(idle=not any(missing.values()))
        self._missing, self._db, self._experiment = missing, db, experiment
        self._patience = patience
        self._servings: list[Dispatcher] = []

    # What follows runs in the thread.

    async def _main(self) -> None:
        with ExitStack() as stack:
            store = stack.enter_context(Store(self._db))
            self._servings = [
                Dispatcher(model, prompts, store, self._experiment, self._patience, self._news.put)
                for model, prompts in self._missing.items()
                if prompts
            ]
            self._ready.set()
            async with asyncio.TaskGroup() as group:
                for serving in self._servings:
                    group.create_task(serving.work())

    def _stop(self) -> None:
        for serving in self._servings:
            serving.stop()
