"""Workload: what a set of requests needs, to choose a context and estimate time."""

from collections.abc import Sequence as Many
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from steertui.engine.scheduler import common_prefix
from steertui.engine.sequence import GenerateRequest, ScoreRequest, Sequence

SPLIT_CELL_NS = 26.0
"""Nanoseconds of attention per layer, head and cell, in a stream of its own.

Measured on a CPU without flash attention, as are the next two (benchmarks/RESULTS.md).
"""

SHARED_CELL_NS = 21.0
"""Nanoseconds for a cell that neighbouring queries share: it stays in the processor's cache."""

FOREIGN_CELL_NS = 1.7
"""Nanoseconds for a cell of another slot in a unified KV cache, which is only masked."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Size of a set of requests.

    Attributes:
        count: number of requests.
        longest: maximum KV cells of one request.
        longest_prompt: tokens of the longest prompt.
        distinct_tokens: nodes in the trie of all prompts: the least number of tokens to prefill;
            all prompt tokens if the model supports no sharing.
        shared: mean number of prompt tokens that a request shares with its neighbour.
        unshared: mean number of other prompt tokens per request.
        new: mean of the maximum number of new tokens per request.
    """

    count: int
    longest: int
    longest_prompt: int
    distinct_tokens: int
    shared: float
    unshared: float
    new: float

    @property
    def prompt_tokens(self) -> int:
        """Number of all prompt tokens: what is prefilled without sharing, as with one slot."""
        return round((self.shared + self.unshared) * self.count)

    def prefill_tokens(self, slots: int) -> int:
        """Return the least number of tokens to prefill with this many slots per engine.

        One slot shares no prefix: a sequence ends before the next one begins.
        """
        return self.prompt_tokens if slots == 1 else self.distinct_tokens

    @property
    def max_new_tokens(self) -> int:
        """Number of new tokens if every answer is as long as allowed."""
        return round(self.new * self.count)


def workload_of(
    requests: Many[GenerateRequest | ScoreRequest], reserve: int = 0, *, share: bool = True
) -> Workload:
    """Return the workload of at least one request.

    Args:
        requests: generate or score requests.
        reserve: KV cells per request for a follow-up request.
        share: whether the model supports prefix sharing (`LlamaModel.can_truncate`).
    """
    prompts = sorted(request.prompt for request in requests)
    arrays = [np.asarray(prompt, np.int32) for prompt in prompts] if share else []
    shared = sum(common_prefix(a, b) for a, b in pairwise(arrays))
    total = sum(map(len, prompts))
    new = sum(r.sampling.max_tokens for r in requests if isinstance(r, GenerateRequest))
    count = len(prompts)
    return Workload(
        count=count,
        longest=max(Sequence(r).max_tokens for r in requests) + reserve,
        longest_prompt=max(map(len, prompts)),
        distinct_tokens=total - shared,
        shared=shared / count,
        unshared=(total - shared) / count,
        new=new / count,
    )


def is_unified_faster(workload: Workload, slots: int) -> bool:
    """Whether one KV cache for all slots is faster on a CPU than one stream per slot.

    In a unified cache each query also masks the cells of other slots, but reads shared cells
    faster.
    """
    cells = workload.shared + slots * (workload.unshared + workload.new / 2)
    saved = (SPLIT_CELL_NS - SHARED_CELL_NS) * workload.shared
    return slots > 1 and FOREIGN_CELL_NS * cells < saved
