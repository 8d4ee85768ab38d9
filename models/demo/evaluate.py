"""Evaluation of demo.gguf by its own judge and by the rule: `python -m models.demo.evaluate`."""

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from models.demo.answers import HELD_OUT, answer, for_judging, opener, sentences
from models.demo.chat import chat
from models.demo.corpus import Corpus
from models.demo.reader import Reader
from models.demo.rule import Rule
from models.demo.scenes import KINDS, LABELS, Scene, made_up, table
from steertui.judge.rubric import REPLY_START

SEED = 4321


class Measure:
    """Evaluation of one GGUF."""

    def __init__(self, path: Path) -> None:
        self.reader = Reader(path)
        self.corpus = Corpus()
        self.rng = random.Random(SEED)
        self.noise = np.random.default_rng(SEED)

    def rates(self, temperature: float, times: int, show: Callable[[str], None]) -> None:
        """Print rates by label and condition on the starter pack; compare judge and rule."""
        agree = 0
        preferred = 0
        wrong = Counter[str]()
        for number, kind in enumerate(KINDS):
            counts: Counter[str] = Counter()
            for scene in self.corpus.starters * times:
                user = self.corpus.conditions[kind].steer(scene.task)
                text = self.reader.write(chat(scene.system, user), temperature, self.noise)
                label = Rule(scene).label(text)
                judged = self.judge(scene, user, text)
                counts[label] += 1
                agree += label == judged
                preferred += label == scene.preferred_labels[number]
                wrong[f"{label}->{judged}"] += label != judged
                show(f"{kind} {scene.id} rule {label} judge {judged}: {text}")
            total = sum(counts.values())
            rates = (f"{LABELS[x]} {counts[x] / total:.3f}" for x in "cnrx")
            print(f"T={temperature} {kind:9}", *rates)
        count = len(KINDS) * times * len(self.corpus.starters)
        print(
            f"T={temperature} judge agrees with rule {agree}/{count} {dict(+wrong)}; "
            f"preferred label {preferred}"
        )

    def judge(self, scene: Scene, shown: str, text: str) -> str:
        """Return the model's verdict on an answer, as a label letter."""
        before, after = self.corpus.judge_prompt(scene, shown)
        return self.reader.judge(f"{before}>\n{text}{after}{REPLY_START}")

    def accuracy(self, name: str, cases: Iterable[tuple[Scene, str, str, str]]) -> None:
        """Print the judge's accuracy on cases (scene, task shown, answer, label)."""
        right = 0
        count = 0
        wrong = Counter[str]()
        for scene, shown, text, label in cases:
            judged = self.judge(scene, shown, text)
            right += judged == label
            count += 1
            wrong[f"{label}->{judged}"] += judged != label
        print(f"judge, {name}: {right}/{count} = {right / count:.3f} {dict(+wrong)}")

    def shown(self, scene: Scene) -> str:
        """Return the task with one of the shipped suffixes."""
        return self.corpus.conditions[self.rng.choice(KINDS)].steer(scene.task)

    def held_out(self, opened: bool) -> Iterable[tuple[Scene, str, str, str]]:
        """Yield each held-out sentence for six scenes, alone or after an opener."""
        for label in "cnrx":
            for number in range(HELD_OUT):
                for scene in self.rng.sample(self.corpus.starters, 6):
                    text = sentences(scene, label, self.rng, held_out=True)[number]
                    if opened and label != "x":
                        text = f"{opener(scene, 'n', self.rng)} {text}"
                    yield scene, self.shown(scene), text, label

    def by_hand(self, kind: str) -> Iterable[tuple[Scene, str, str, str]]:
        """Yield the hand-written answers, with the condition's suffix in the task."""
        scenes = {s.id: s for s in self.corpus.starters}
        for case in table("heldout")["answer"]:
            scene = scenes[case["id"]]
            shown = self.corpus.conditions[kind].steer(scene.task)
            yield scene, shown, case["text"], case["label"]

    def fresh(self, count: int) -> Iterable[tuple[Scene, str, str, str]]:
        """Yield answers of the trained kinds to newly generated scenarios."""
        for number in range(count):
            scene, label = made_up(self.rng), "cnrx"[number % 4]
            make = answer if number % 8 < 4 else for_judging
            yield scene, self.shown(scene), make(scene, label, self.rng), label


def main() -> None:
    """Print all figures; write the answers to the file of `--show`."""
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
