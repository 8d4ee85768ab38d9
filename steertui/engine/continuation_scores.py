"""Log-likelihoods of continuations, accumulated over the nodes of their trie."""

from collections.abc import Sequence as Many

import numpy as np
from numpy.typing import NDArray

Tokens = list[int]


class ContinuationScores:
    """Natural log-likelihoods of several continuations of one prompt.

    The continuations form a trie. At each node that matters, the log-probability of the next token
    is added to every continuation that passes through it. With `full_vocabulary` the softmax is
    over the vocabulary, and every node matters. Otherwise it is over the tokens by which a
    continuation goes on at the node, as under a grammar that allows nothing else; a node with one
    such token has probability 1 and is not computed. No continuation may be a prefix of another.

    Attributes:
        logliks: log-likelihood of each continuation in nats; final once all `paths` are decoded.
        paths: token sequences to decode after the prompt, one after another, so that every node
            below the root is reached; often empty.
    """

    def __init__(self, continuations: Many[Tokens], *, full_vocabulary: bool) -> None:
        self._continuations = continuations
        self._full_vocabulary = full_vocabulary
        self._added: set[tuple[int, int]] = set()
        self.logliks = [0.0] * len(continuations)
        # In sorted order a node directly precedes the nodes of which it is a prefix.
        nodes = sorted({tuple(tokens[: self._deepest(tokens)]) for tokens in continuations})
        successors = [*nodes[1:], ()]
        self.paths = [
            list(node)
            for node, successor in zip(nodes, successors, strict=True)
            if node and successor[: len(node)] != node
        ]

    def _deepest(self, tokens: Tokens) -> int:
        """Return the depth of the last node of a continuation that matters."""
        if self._full_vocabulary:
            return len(tokens) - 1
        others = (other for other in self._continuations if other is not tokens)
        return max((common_length(tokens, other) for other in others), default=0)

    def add(self, node: Tokens, logits: NDArray[np.float32]) -> None:
        """Add the logits after the prompt and `node`; each node counts once.

        `logits` has the shape (vocabulary,).
        """
        depth = len(node)
        passing = [
            i
            for i, tokens in enumerate(self._continuations)
            if len(tokens) > depth and tokens[:depth] == node
        ]
        branches = sorted({self._continuations[i][depth] for i in passing})
        if len(branches) < (1 if self._full_vocabulary else 2):
            return
        place = (passing[0], depth)  # of the first continuation with this node
        if place in self._added:
            return
        self._added.add(place)
        considered = logits if self._full_vocabulary else logits[branches].astype(np.float64)
        total = _log_sum_exp(considered)
        for i in passing:
            self.logliks[i] += float(logits[self._continuations[i][depth]]) - total


def common_length(first: Tokens, second: Tokens) -> int:
    """Return the number of tokens with which both begin."""
    pairs = zip(first, second, strict=False)
    shorter = min(len(first), len(second))
    return next((i for i, (a, b) in enumerate(pairs) if a != b), shorter)


def _log_sum_exp(values: NDArray[np.floating]) -> float:
    top = values.max()
    return float(top) + float(np.log(np.exp(values - top).sum(dtype=np.float64)))
