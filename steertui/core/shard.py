"""A Shard: a fixed part of an experiment's scenarios, for a queue or several machines."""

import re
from dataclasses import dataclass

from steertui.errors import ExperimentError


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` of `count`, from 1: every count-th scenario, under all conditions.

    The whole experiment is planned in every shard's database, so each knows what it is part of,
    and all of them together are the experiment.
    """

    number: int = 1
    count: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def holds(self, place: int) -> bool:
        """Whether the scenario at this place, from 0, is this shard's."""
        return place % self.count == self.number - 1


WHOLE = Shard()


def parse_shard(text: str) -> Shard:
    """Return the shard that "2/4" means; raises ExperimentError for anything else."""
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    shard = Shard(int(found[1]), int(found[2])) if found else None
    if shard is None or not 1 <= shard.number <= shard.count:
        raise ExperimentError(f"--shard {text}: write K/N, such as 2/4 for the second of four")
    return shard
