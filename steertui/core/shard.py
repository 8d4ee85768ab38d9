"""Shards: fixed parts of an experiment's scenarios, for job arrays and several machines."""

import re
from dataclasses import dataclass

from steertui.errors import ExperimentError


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` of `count`: every `count`-th scenario under all conditions.

    `number` counts from 1. Every shard's database has the plan of the whole experiment, so that
    the databases can be merged.
    """

    number: int = 1
    count: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def contains(self, index: int) -> bool:
        """Whether the shard has the scenario with this index, from 0."""
        return index % self.count == self.number - 1


WHOLE = Shard()


def parse_shard(text: str) -> Shard:
    """Return the shard of a text such as "2/4"; raises ExperimentError for any other text."""
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    shard = Shard(int(match[1]), int(match[2])) if match else None
    if shard is None or not 1 <= shard.number <= shard.count:
        raise ExperimentError(f"--shard {text}: write K/N, such as 2/4 for the second of four")
    return shard
