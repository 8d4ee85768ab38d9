"""Measures demo.gguf: `python -m models.demo.evaluate`, with the model's own judge and the rule."""

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from models.demo.answers import HELD, answer, for_judging, opener, sentences
from models.demo.chat import chat
from models.demo.corpus import Corpus
from models.demo.reader import Reader
from models.demo.rule import Rule
from models.demo.scenes import KINDS, LABELS, Scene, made_up, table
from steertui.judge.rubric import REPLY_START

SEED = 4321


class Measure:
    """The figures of one GGUF."""

    def __init__(self, path: Path) -> None:
        self.reader = Reader(path)
        self.corpus = Corpus()
        self.rng = random.Random(SEED)
        self.noise = np.random.default_rng(SEED)

    def rates(self, heat: float, times: int, show: Callable[[str], None]) -> None:
        """Print label × condition over the starter pack, and how judge and rule agree."""
        agree, lean, wrong = 0, 0, Counter[str]()
        for number, kind in enumerate(KINDS):
            found: Counter[str] = Counter()
            for scene in self.corpus.starters * times:
                user = self.corpus.conditions[kind].steer(scene.task)
                text = self.reader.write(chat(scene.system, user), heat, self.noise)
                label = Rule(scene).label(text)
                judged = self.judge(scene, user, text)
                found[label] += 1
                agree += label == judged
                lean += label == scene.lean[number]
                wrong[f"{label}->{judged}"] += label != judged
                show(f"{kind} {scene.id} rule {label} judge {judged}: {text}")
            total = sum(found.values())
            print(f"T={heat} {kind:9}", *(f"{LABELS[x]} {found[x] / total:.3f}" for x in "cnrx"))
        count = len(KINDS) * times * len(self.corpus.starters)
        print(f"T={heat} judge agrees with rule {agree}/{count} {dict(+wrong)}; leaning {lean}")

    def judge(self, scene: Scene, shown: str, text: str) -> str:
        """Return the model's own verdict on an answer."""
        before, after = self.corpus.judge_prompt(scene, shown)
        return self.reader.judge(f"{before}>\n{text}{after}{REPLY_START}")

    def accuracy(self, name: str, cases: Iterable[tuple[Scene, str, str, str]]) -> None:
        """Print how often the verdict is the label of (scene, task shown, answer, label)."""
        right, count, wrong = 0, 0, Counter[str]()
        for scene, shown, text, label in cases:
            judged = self.judge(scene, shown, text)
            right, count = right + (judged == label), count + 1
            wrong[f"{label}->{judged}"] += judged != label
        print(f"judge, {name}: {right}/{count} = {right / count:.3f} {dict(+wrong)}")

    def shown(self, scene: Scene) -> str:
        """Return the task with one of the shipped suffixes."""
        return self.corpus.conditions[self.rng.choice(KINDS)].steer(scene.task)

    def held_out(self, opened: bool) -> Iterable[tuple[Scene, str, str, str]]:
        """Yield every held-out sentence in six scenes, alone or after an opener."""
        for label in "cnrx":
            for number in range(HELD):
                for scene in self.rng.sample(self.corpus.starters, 6):
                    text = sentences(scene, label, self.rng, held=True)[number]
                    if opened and label != "x":
                        text = f"{opener(scene, 'n', self.rng)} {text}"
                    yield scene, self.shown(scene), text, label

    def by_hand(self, kind: str) -> Iterable[tuple[Scene, str, str, str]]:
        """Yield the hand-written answers, each shown with the condition's suffix."""
        scenes = {s.id: s for s in self.corpus.starters}
        for case in table("heldout")["answer"]:
            scene = scenes[case["id"]]
            shown = self.corpus.conditions[kind].steer(scene.task)
            yield scene, shown, case["text"], case["label"]

    def fresh(self, count: int) -> Iterable[tuple[Scene, str, str, str]]:
        """Yield trained kinds of answers to scenarios made up anew."""
        for number in range(count):
            scene, label = made_up(self.rng), "cnrx"[number % 4]
            make = answer if number % 8 < 4 else for_judging
            yield scene, self.shown(scene), make(scene, label, self.rng), label


def main() -> None:
    """Print all figures; `--show FILE` keeps the answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path(__file__).with_name("demo.gguf"))
    parser.add_argument("--show", type=Path, default=Path("/tmp/demo-answers.txt"))
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    measure = Measure(options.model)
    with options.show.open("w", encoding="utf-8") as file:

        def show(line: str) -> None:
            file.write(line + "\n")

        measure.rates(0.0, 1, show)
        if options.times:
            measure.rates(0.7, options.times, show)
    measure.accuracy("made-up scenarios of its own kind", measure.fresh(160))
    measure.accuracy("held-out sentences alone", measure.held_out(False))
    measure.accuracy("held-out sentences, opened", measure.held_out(True))
    for kind in KINDS:
        measure.accuracy(f"hand-written, {kind} shown", measure.by_hand(kind))


if __name__ == "__main__":
    main()
