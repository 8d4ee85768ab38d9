"""Models on servers: a background thread that generates while local models generate, too."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from steertui.core.prompt import Prompt
from steertui.execution.background import BackgroundThread
from steertui.execution.control import RunControl
from steertui.execution.dispatcher import Dispatcher
from steertui.server.limits import RetryPolicy
from steertui.server.model import ServerModel
from steertui.store import Store


class ServerModels(BackgroundThread):
    """A thread with the connections to all servers, and one connection to the store.

    An answer is stored as soon as it arrives, whatever the rest of the program is doing. Models on
    different servers generate at the same time.
    """

    NAME = "servers"

    def __init__(
        self,
        prompts: Mapping[ServerModel, Sequence[Prompt]],
        store: Store,
        experiment: str,
        *,
        policy: RetryPolicy,
        control: RunControl,
    ) -> None:
        super().__init__(control, idle=not any(prompts.values()))
        self._prompts = prompts
        self._reopen = store.reopen
        self._experiment = experiment
        self._policy = policy
        self._dispatchers: list[Dispatcher] = []

    # In the thread

    async def _main(self) -> None:
        with ExitStack() as stack:
            store = stack.enter_context(self._reopen())
            self._dispatchers = [
                Dispatcher(
                    model,
                    prompts,
                    store,
                    self._experiment,
                    policy=self._policy,
                    control=self._control,
                    publish=self._events.put,
                )
                for model, prompts in self._prompts.items()
                if prompts
            ]
            self._ready.set()
            async with asyncio.TaskGroup() as group:
                for dispatcher in self._dispatchers:
                    group.create_task(dispatcher.work())

    def _stop(self) -> None:
        for dispatcher in self._dispatchers:
            dispatcher.stop()
