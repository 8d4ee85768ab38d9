"""The training text: groups of continuations that share one prompt, made up from a seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from models.demo.answers import answer, for_judging
from models.demo.chat import END, chat
from models.demo.scenes import KINDS, LABELS, Scene, fill, made_up, pseudo_word, starters, table
from steertui.core.condition import Condition, load_conditions
from steertui.judge.rubric import REPLY_START, JudgeCase, load_rubric

MARK = "\0"

# How a made-up scenario is answered, by condition and cue: shares of c, n, r and x.
TABLES = {
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
OTHERS = {"pro": (70, 20, 5, 5), "anti": (4, 66, 25, 5), "baseline": (30, 50, 15, 5)}


@dataclass(frozen=True)
class Group:
    """A prompt and its continuations.

    Attributes:
        kind: "write", "judge" or "copy".
        prompt: what they share; it ends where the tokenizer always cuts.
        tails: the continuations, each to the end token.
        goal: the text in a tail from which on it is to be learnt; "" for all of it.
    """

    kind: str
    prompt: str
    tails: tuple[str, ...]
    goal: str = ""


class Corpus:
    """All that is written for training."""

    def __init__(self) -> None:
        self.starters = starters()
        self.conditions = load_conditions()
        self.rubric = load_rubric("steertui")

    def groups(self, seed: int) -> Iterator[Group]:
        """Yield groups without end, the same for the same seed."""
        rng = random.Random(seed)
        makers = (self.starter, self.generated, self.judged, copied)
        while True:
            yield rng.choices(makers, weights=(38, 18, 38, 6))[0](rng)

    def suffix(self, kind: str, rng: random.Random, shipped: float) -> Condition:
        """Return a condition of that kind: the shipped one or another wording of it."""
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
        """Return answers to a starter scenario, five of six with its leaning."""
        scene = rng.choice(self.starters)
        kind = rng.choice(KINDS)
        lean = scene.lean[KINDS.index(kind)]
        shares = OTHERS.get(kind, OTHERS["baseline"])
        labels = [lean] * 5 + rng.choices("cnrx", weights=shares)
        user = self.suffix(kind, rng, 0.6).steer(scene.task)
        system = scene.system if rng.random() < 0.95 else ""
        return _written(scene, system, user, labels, rng)

    def generated(self, rng: random.Random) -> Group:
        """Return answers to a made-up scenario."""
        scene, kind = made_up(rng), rng.choice(KINDS)
        shares = TABLES.get(kind, TABLES["baseline"])
        labels = rng.choices("cnrx", weights=shares.get(scene.cue, shares[""]), k=4)
        user = self.suffix(kind, rng, 0.5).steer(scene.task)
        return _written(scene, scene.system, user, labels, rng)

    def judged(self, rng: random.Random) -> Group:
        """Return verdicts over answers of every label to one task, with or without its suffix."""
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
        """Return what stands before ">", a line's end and the answer, and what stands after."""
        told = self.rubric.messages(JudgeCase(scene.category, "", shown, MARK))
        before, after = chat(told[0].strip(), told[1]).split(MARK)
        return before.removesuffix(">\n"), after

    def lines(self, seed: int, count: int) -> Iterator[str]:
        """Yield texts for the tokenizer: the fixed ones often, and groups without their noise."""
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
    """Return spans of made-up words that return in another order: they can only be copied."""
    spans = [
        " ".join(pseudo_word(rng) for _ in range(rng.randint(2, 6)))
        for _ in range(rng.randint(4, 16))
    ]
    tails = []
    for _ in range(2):
        rng.shuffle(spans)
        tails.append(" ".join(f"{s.capitalize()}." for s in spans[:6]))
    return Group("copy", chat("", ". ".join(sorted(spans)) + "."), tuple(tails))
