"""A Scoring: which nodes of the trie of a Score's continuations matter, and what they say."""

from collections.abc import Sequence as Many

import numpy as np
from numpy.typing import NDArray

Tokens = list[int]


class ContinuationScores:
    """Log-likelihoods of continuations, added up node by node of their trie.

    `whole` counts each continuation's every token among all tokens of the vocabulary. Otherwise
    a token counts among those only by which a continuation goes on there, as under a grammar that
    allows nothing else: where there is one way on it is certain, and its node is not computed.
    No continuation may be another's beginning.

    Attributes:
        logliks: natural log-likelihood of each continuation, complete when all `paths` are.
        paths: what has to be computed after the prompt, one after another, so that every node
            but the prompt's own end is reached; mostly nothing.
    """

    def __init__(self, continuations: Many[Tokens], *, whole: bool) -> None:
        self._continuations = continuations
        self._whole = whole
        ways: dict[tuple[int, ...], set[int]] = {}
        for tokens in continuations:
            for end, token in enumerate(tokens):
                ways.setdefault(tuple(tokens[:end]), set()).add(token)
        self._ways = {node: sorted(w) for node, w in ways.items() if whole or len(w) > 1}
        self.logliks = [0.0] * len(continuations)
        # In sorted order a node stands right before those that it is the beginning of.
        nodes = sorted(self._ways)
        after = [*nodes[1:], ()]
        self.paths = [
            list(node)
            for node, following in zip(nodes, after, strict=True)
            if node and following[: len(node)] != node
        ]

    def add(self, node: Tokens, row: NDArray[np.float32]) -> None:
        """Count the logits after the prompt and `node`; a node that comes again counts no more."""
        ways = self._ways.pop(tuple(node), None)
        if ways is None:
            return
        total = _log_sum_exp(row if self._whole else row[ways].astype(np.float64))
        place = len(node)
        for i, tokens in enumerate(self._continuations):
            if len(tokens) > place and tokens[:place] == node:
                self.logliks[i] += float(row[tokens[place]]) - total


def _log_sum_exp(row: NDArray[np.floating]) -> float:
    top = row.max()
    return float(top) + float(np.log(np.exp(row - top).sum(dtype=np.float64)))
