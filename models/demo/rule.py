"""The label of an answer by the generator's own rule: which of its sentences it is made of."""

import re
from itertools import product

from models.demo.answers import slots
from models.demo.scenes import CHOICE, Scene, fill, table

NEAR = 0.55
"""How many of the words (Jaccard) an answer's sentence must share with a known one."""


def every(text: str) -> list[str]:
    """Return all readings of a sentence with [a|b] choices."""
    parts = re.split(CHOICE, text)
    choices = [p.split("|") if i % 2 else [p] for i, p in enumerate(parts)]
    return ["".join(c) for c in product(*choices)]


def words(text: str) -> frozenset[str]:
    """Return the set of a sentence's words."""
    return frozenset(re.findall(r"\w+", text.lower()))


class Rule:
    """Knows the sentences that may be said about a scene."""

    def __init__(self, scene: Scene) -> None:
        phrases = table("phrases")
        texts = [(label, t) for label in "cnr" for t in phrases["act"][label]]
        texts += [(label, t) for label in "cnr" for t in phrases["close"][label]]
        texts += [
            (label if label in "cnr" else "", t)
            for label, some in phrases["open"].items()
            for t in some
        ]
        texts += [(label, t) for label, some in scene.acts.items() for t in some]
        self.known = [
            (label, words(fill(one, None, **slots(scene))))
            for label, t in texts
            for one in every(t)
        ]

    def label(self, answer: str) -> str:
        """Return c, n, r or x; c outweighs r, and r outweighs n."""
        found = [self.sentence(s) for s in re.split(r"(?<=[.!?])\s+", answer.strip()) if s]
        if not found or found.count("x") * 2 > len(found):
            return "x"
        return next((label for label in "crn" if label in found), "x")

    def sentence(self, text: str) -> str:
        """Return the label of the nearest known sentence, "" if it has none, x if none is near."""
        own = words(text)
        share, label = max((len(own & k) / max(1, len(own | k)), label) for label, k in self.known)
        return label if share >= NEAR else "x"
