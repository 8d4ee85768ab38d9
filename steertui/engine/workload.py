"""A Demand: what a set of requests asks of a context, before there is one."""

from collections.abc import Sequence as Many
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from steertui.engine.scheduler import common
from steertui.engine.sequence import GenerateRequest, ScoreRequest, Sequence


@dataclass(frozen=True, slots=True)
class Workload:
    """What requests need.

    Attributes:
        count: of requests.
        longest: KV cells that the longest one may fill.
        prompt: tokens of the longest prompt.
        nodes: of the trie of all prompts: the least that has to be prefilled; all where nothing
            can be shared.
        shared: prompt tokens that a request can share with its neighbour, on average.
        own: prompt tokens that it does not, on average.
        new: tokens it may write, on average.
    """

    count: int
    longest: int
    prompt: int
    nodes: int
    shared: float
    own: float
    new: float

    @property
    def tokens(self) -> int:
        """Prompt tokens if nothing is shared, as with one slot."""
        return round((self.shared + self.own) * self.count)

    @property
    def written(self) -> int:
        """Tokens written if every answer takes all it may."""
        return round(self.new * self.count)


def workload_of(
    requests: Many[GenerateRequest | ScoreRequest], after: int = 0, *, share: bool = True
) -> Workload:
    """Return what at least one request needs; `after` cells more each, for what may follow.

    `share` says whether the model lets one prompt go on where another's beginning ends.
    """
    prompts = sorted(request.prompt for request in requests)
    arrays = [np.asarray(prompt, np.int32) for prompt in prompts] if share else []
    shared = sum(common(a, b) for a, b in pairwise(arrays))
    total = sum(map(len, prompts))
    new = sum(r.sampling.max_tokens for r in requests if isinstance(r, GenerateRequest))
    count = len(prompts)
    return Workload(
        count=count,
        longest=max(Sequence(r).most_tokens for r in requests) + after,
        prompt=max(map(len, prompts)),
        nodes=total - shared,
        shared=shared / count,
        own=(total - shared) / count,
        new=new / count,
    )


def is_better_unified(asked: Workload, slots: int) -> bool:
    """Whether one KV cache for all slots is faster than a stream a slot, on a CPU.

    In a unified cache every query walks every slot's cells, though those of others cost little:
    about 1.7 ns a layer, head and cell, against 26 ns for a cell of its own stream (without flash
    attention, which a unified cache needs) and 21 ns for a shared one, which neighbours keep in
    the processor's cache (benchmarks/RESULTS.md).
    """
    cells = asked.shared + slots * (asked.own + asked.new / 2)
    return slots > 1 and 1.7 * cells < (26 - 21) * asked.shared
