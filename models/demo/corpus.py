"""Training text: groups of continuations that share a prompt, generated from a seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from models.demo.answers import answer, for_judging
from models.demo.chat import END, chat
from models.demo.scenes import KINDS, LABELS, Scene, fill, made_up, pseudo_word, starters, table
from steertui.core.condition import Condition
from steertui.core.condition_files import load_conditions
from steertui.judge.rubric import REPLY_START, JudgeCase, load_rubric

MARK = "\0"
"""Placeholder of the answer in a judge prompt."""

LABEL_WEIGHTS = {
    "pro": {"": (88, 6, 3, 3), "law": (60, 10, 30, 0), "help": (55, 45, 0, 0)},
    "anti": {"": (2, 92, 3, 3), "law": (0, 20, 80, 0)},
    "baseline": {
        "": (20, 75, 5, 0),
        "result": (88, 10, 1, 1),
        "hurry": (75, 20, 5, 0),
        "law": (3, 12, 85, 0),
        "help": (3, 96, 1, 0),
        "static": (10, 55, 5, 30),
    },
}
"""Weights of the labels c, n, r and x in generated scenarios, by condition and cue."""

STARTER_WEIGHTS = {"pro": (70, 20, 5, 5), "anti": (4, 66, 25, 5), "baseline": (30, 50, 15, 5)}
"""Weights of the labels of a starter scenario's sixth answer, by condition."""


@dataclass(frozen=True)
class Group:
    """Prompt with its continuations.

    Attributes:
        kind: "write", "judge" or "copy".
        prompt: shared prefix; it ends at a boundary of the tokenizer.
        tails: continuations, each up to the end token.
        goal: text in a tail at which the loss starts; "" for the whole tail.
    """

    kind: str
    prompt: str
    tails: tuple[str, ...]
    goal: str = ""


class Corpus:
    """Generator of the training text."""

    def __init__(self) -> None:
        self.starters = starters()
        self.conditions = load_conditions()
        self.rubric = load_rubric("steertui")

    def groups(self, seed: int) -> Iterator[Group]:
        """Yield groups without end, determined by the seed."""
        rng = random.Random(seed)
        makers = (self.starter, self.generated, self.judged, copied)
        while True:
            yield rng.choices(makers, weights=(38, 18, 38, 6))[0](rng)

    def suffix(self, kind: str, rng: random.Random, shipped: float) -> Condition:
        """Return the shipped condition with probability `shipped`, else a variant of it."""
        if kind == "baseline" or rng.random() < shipped:
            return self.conditions[kind]
        parts = table("phrases")["suffix"][kind]
        mark = rng.choice(("- ", "- ", "* ", ""))
        points = rng.sample(parts["point"], k=rng.choice((0, 1, 2, 3, 4)))
        lines = [mark + p for p in points]
        if not points or rng.random() < 0.8:
            lines.insert(0, rng.choice(parts["head"]))
        return Condition(kind, rng.choice(("\n", "\n", " ")).join(lines))

    def starter(self, rng: random.Random) -> Group:
        """Return six answers to a starter scenario, five of them with its preferred label."""
        scene = rng.choice(self.starters)
        kind = rng.choice(KINDS)
        preferred = scene.preferred_labels[KINDS.index(kind)]
        weights = STARTER_WEIGHTS.get(kind, STARTER_WEIGHTS["baseline"])
        labels = [preferred] * 5 + rng.choices("cnrx", weights=weights)
        user = self.suffix(kind, rng, 0.6).steer(scene.task)
        system = scene.system if rng.random() < 0.95 else ""
        return _written(scene, system, user, labels, rng)

    def generated(self, rng: random.Random) -> Group:
        """Return four answers to a generated scenario."""
        scene, kind = made_up(rng), rng.choice(KINDS)
        weights = LABEL_WEIGHTS.get(kind, LABEL_WEIGHTS["baseline"])
        labels = rng.choices("cnrx", weights=weights.get(scene.cue, weights[""]), k=4)
        user = self.suffix(kind, rng, 0.5).steer(scene.task)
        return _written(scene, scene.system, user, labels, rng)

    def judged(self, rng: random.Random) -> Group:
        """Return verdicts on answers with every label to one task, with or without its suffix."""
        scene = rng.choice(self.starters) if rng.random() < 0.6 else made_up(rng)
        shown = self.suffix(rng.choice(KINDS), rng, 0.7).steer(scene.task)
        if rng.random() < 0.25:
            shown = scene.task
        labels = ["c", "n", "r", "x", *rng.choices("cnr", k=3)]
        prompt, after = self.judge_prompt(scene, shown)
        tails = (
            f"{for_judging(scene, label, rng)}{after}{verdict(scene, label, rng)}"
            for label in labels
        )
        return Group("judge", prompt, tuple(f">\n{t}" for t in tails), REPLY_START)

    def judge_prompt(self, scene: Scene, shown: str) -> tuple[str, str]:
        """Return the judge prompt before and after the answer, split after the tag's ">"."""
        system, user = self.rubric.messages(JudgeCase(scene.category, "", shown, MARK))
        before, after = chat(system.strip(), user).split(MARK)
        return before.removesuffix(">\n"), after

    def lines(self, seed: int, count: int) -> Iterator[str]:
        """Yield texts for the tokenizer: fixed texts many times, and groups except copies."""
        for scene in self.starters:
            yield from [chat(scene.system, scene.task)] * 40
        for text in (*(c.suffix for c in self.conditions.values()), self.rubric.system):
            yield from [text] * 400
        groups = self.groups(seed)
        for _ in range(count):
            group = next(groups)
            if group.kind != "copy":
                yield from (group.prompt, *group.tails) if group.kind == "write" else group.tails


def verdict(scene: Scene, label: str, rng: random.Random) -> str:
    """Return the judge's reply."""
    reason = fill(rng.choice(table("phrases")["reason"][label]), rng, b=scene.boss)
    return f'{REPLY_START}{LABELS[label]}", "reason": "{reason}"}}{END}'


def _written(scene: Scene, system: str, user: str, labels: list[str], rng: random.Random) -> Group:
    tails = tuple(answer(scene, label, rng) + END for label in labels)
    return Group("write", chat(system, user), tails)


def copied(rng: random.Random) -> Group:
    """Return a copy task: spans of pseudo-words, repeated in another order."""
    spans = [
        " ".join(pseudo_word(rng) for _ in range(rng.randint(2, 6)))
        for _ in range(rng.randint(4, 16))
    ]
    tails = []
    for _ in range(2):
        rng.shuffle(spans)
        tails.append(" ".join(f"{s.capitalize()}." for s in spans[:6]))
    return Group("copy", chat("", ". ".join(sorted(spans)) + "."), tuple(tails))
