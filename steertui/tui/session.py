"""A Session: which database and which experiment the screens are about, and answers about them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from steertui.core.experiment import Experiment
from steertui.engine.sizing import Overrides
from steertui.planning.judges import DEFAULT_OPTIONS, JudgeServerOptions
from steertui.planning.origin import TYPED, Origin
from steertui.store import Store

T = TypeVar("T")


@dataclass
class Session:
    """What is open; the app owns and changes it, the screens read it.

    Attributes:
        db: the database; it need not exist yet.
        experiment: what is planned or run, None where nothing is.
        id: the experiment's id in the store, "" before it was planned there.
        wish: what the user insists on: slots, threads.
        terms: how judges behind servers are asked.
        origin: where the experiment's values come from.
        is_sure: whether the user agreed in advance to what received experiments reach.
        version: goes up whenever another database or experiment was opened.
    """

    db: Path
    experiment: Experiment | None = None
    id: str = ""
    wish: Overrides = field(default_factory=Overrides)
    terms: JudgeServerOptions = DEFAULT_OPTIONS
    version: int = 0
    origin: Origin = TYPED
    is_sure: bool = False

    def open(
        self, db: Path, experiment: Experiment | None, id: str = "", *, origin: Origin
    ) -> None:
        """Be about another database or experiment."""
        self.db, self.experiment, self.id, self.origin = db, experiment, id, origin
        self.version += 1

    async def ask(self, question: Callable[[Store], T]) -> T:
        """Return what a thread of its own read from the store.

        Raises StoreError where there is no database, or it cannot be read.
        """
        db = self.db

        def answer() -> T:
            with Store(db, must_exist=True) as store:
                return question(store)

        return await asyncio.to_thread(answer)
