"""Label of an answer by rule: the labels of the nearest sentences of the training text."""

import re
from itertools import product

from models.demo.answers import slots
from models.demo.scenes import CHOICE, Scene, fill, table

MIN_SIMILARITY = 0.55
"""Minimum Jaccard similarity of the word sets of a sentence and its nearest known sentence."""


def expand_choices(text: str) -> list[str]:
    """Return all variants of a sentence with [a|b] choices."""
    parts = re.split(CHOICE, text)
    choices = [p.split("|") if i % 2 else [p] for i, p in enumerate(parts)]
    return ["".join(c) for c in product(*choices)]


def words(text: str) -> frozenset[str]:
    """Return the set of a sentence's words."""
    return frozenset(re.findall(r"\w+", text.lower()))


class Rule:
    """Sentences of the training text for one scene, with their labels."""

    def __init__(self, scene: Scene) -> None:
        phrases = table("phrases")
        texts = [(label, t) for label in "cnr" for t in phrases["act"][label]]
        texts += [(label, t) for label in "cnr" for t in phrases["close"][label]]
        texts += [
            (label if label in "cnr" else "", t)
            for label, sentences in phrases["open"].items()
            for t in sentences
        ]
        texts += [(label, t) for label, sentences in scene.sentences.items() for t in sentences]
        self.known = [
            (label, words(fill(one, None, **slots(scene))))
            for label, t in texts
            for one in expand_choices(t)
        ]

    def label(self, answer: str) -> str:
        """Return c, n, r or x. If several labels occur, c precedes r, and r precedes n."""
        labels = [self.sentence(s) for s in re.split(r"(?<=[.!?])\s+", answer.strip()) if s]
        if not labels or labels.count("x") * 2 > len(labels):
            return "x"
        return next((label for label in "crn" if label in labels), "x")

    def sentence(self, text: str) -> str:
        """Return the nearest known sentence's label ("" for none), or x if none is similar."""
        word_set = words(text)
        similarity, label = max(
            (len(word_set & k) / max(1, len(word_set | k)), label) for label, k in self.known
        )
        return label if similarity >= MIN_SIMILARITY else "x"
