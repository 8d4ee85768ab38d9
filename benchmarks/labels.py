"""Effect of label length and label order on a local judge's labels, and of the correction.

    python -m benchmarks.labels [--model MODEL.gguf]

The answers have known labels: the demo's own 144 by the rule that generated its training text,
sentences held out from training, and hand-written answers (models/demo/README.md). Prints one line
per method of judging.
"""

import argparse
from collections.abc import Iterator, Sequence

import numpy as np

from models.demo.chat import chat
from models.demo.evaluate import Measure
from models.demo.rule import Rule
from models.demo.scenes import KINDS
from steertui.assets.weights import find_model
from steertui.core.model import demo_path
from steertui.core.verdict import Label
from steertui.engine.context import ContextParams
from steertui.engine.engine import Engine
from steertui.engine.events import Scored
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import ScoreRequest
from steertui.engine.vocabulary import vocabulary
from steertui.judge.label_order import ROTATIONS, estimate_prior, mean_over_rotations, remove_prior
from steertui.judge.local import LABEL_TEXTS, LocalJudge
from steertui.judge.rubric import JudgeCase, load_rubric
from steertui.planning.chat_formats import chat_format

LETTERS = "cnrx"
"""Label letters of the demo's training data, in `Label`'s order."""

SAMPLE_SIZES = (6, 12, 24, 48)
DRAWS = 200
SMALLEST = 1e-300
"""Lower limit of probabilities before their logarithm is taken."""


def cases() -> Iterator[tuple[str, JudgeCase, int]]:
    """Yield the name of the set, a case, and the index of its label."""
    measure = Measure(demo_path())
    for kind in KINDS:
        for scene in measure.corpus.starters:
            user = measure.corpus.conditions[kind].steer(scene.task)
            text = measure.reader.write(chat(scene.system, user), 0.0, measure.noise)
            label = LETTERS.index(Rule(scene).label(text))
            yield "its own", JudgeCase(scene.category, "", user, text), label
    sets = [("held out", measure.held_out(False)), ("held out, opened", measure.held_out(True))]
    sets += [("by hand", measure.by_hand(kind)) for kind in KINDS]
    for name, examples in sets:
        for scene, user, text, letter in examples:
            yield name, JudgeCase(scene.category, "", user, text), LETTERS.index(letter)


def probabilities(
    llama: LlamaModel,
    judge: LocalJudge,
    judged: Sequence[JudgeCase],
    rotation: int,
    *,
    full_vocabulary: bool,
) -> np.ndarray:
    """Return the labels' probabilities, shape (answers, labels)."""
    labels = tuple(llama.tokenize(text, special=False) for text in LABEL_TEXTS)
    with vocabulary(judge.model.path) as gguf:
        chat_of_judge = chat_format(gguf, judge.model.name)
        rotations = [rotation] * len(judged)
        prompts = gguf.tokenize(judge.prompts(chat_of_judge, judged, rotations))
    engine = Engine(llama, ContextParams(8, 2048, 512, 2))
    for i, prompt in enumerate(prompts):
        engine.add(ScoreRequest(str(i), prompt, labels, full_vocabulary))
    logliks = np.empty((len(judged), len(Label)))
    while not engine.is_idle:
        for event in engine.step():
            assert isinstance(event, Scored)
            logliks[int(event.id)] = event.logliks
    engine.close()
    powers = np.exp(logliks - logliks.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


class Accuracy:
    """Share of correct labels, by set of answers."""

    def __init__(self, names: Sequence[str], labels: Sequence[int]) -> None:
        self._labels = np.array(labels)
        self._sets = {name: np.array(names) == name for name in dict.fromkeys(names)}

    def show(self, method: str, predicted: np.ndarray) -> None:
        """Print correct labels; `predicted` are probabilities, shape (answers, labels)."""
        is_correct = predicted.argmax(axis=1) == self._labels
        of_label = predicted[np.arange(len(self._labels)), self._labels]
        mean = np.log(np.maximum(of_label, SMALLEST)).mean()
        counts = ", ".join(
            f"{name} {is_correct[members].sum()} of {members.sum()}"
            for name, members in self._sets.items()
        )
        print(
            f"{method}: {counts}; mean log-probability of the correct label {mean:.3f}",
            flush=True,
        )


def main() -> None:
    """Print the correct labels of each set by each method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="demo")
    judge = LocalJudge(find_model(parser.parse_args().model), load_rubric("steertui"))
    llama = LlamaModel(judge.model.path)
    names, judged, labels = zip(*cases(), strict=True)
    accuracy = Accuracy(names, labels)
    full = probabilities(llama, judge, judged, 0, full_vocabulary=True)
    rotations = [
        probabilities(llama, judge, judged, rotation, full_vocabulary=False)
        for rotation in range(ROTATIONS)
    ]
    llama.close()
    accuracy.show("full vocabulary (label length matters)", full)
    for label, restricted in zip(Label, rotations, strict=True):
        accuracy.show(f"restricted to the labels, list begins with {label}", restricted)
    compare(full, rotations)
    correct(accuracy, rotations)


def compare(full: np.ndarray, rotations: Sequence[np.ndarray]) -> None:
    """Print how much label length and label order change."""
    differing = (full.argmax(axis=1) != rotations[0].argmax(axis=1)).sum()
    largest = np.abs(full - rotations[0]).max()
    print(
        f"full vocabulary and restricted: label differs in {differing} of {len(full)}, "
        f"probability by at most {largest:.4f}"
    )
    best = np.stack([restricted.argmax(axis=1) for restricted in rotations])
    inconsistent = (best != best[0]).any(axis=0).sum()
    print(f"label not the same in all orders: {inconsistent} of {len(full)}")


def correct(accuracy: Accuracy, rotations: Sequence[np.ndarray]) -> None:
    """Print the accuracy after averaging over orders, and after removal of the position prior."""
    total = len(rotations[0])
    logliks = [
        {r: np.log(np.maximum(rotations[r][i], SMALLEST)) for r in range(ROTATIONS)}
        for i in range(total)
    ]
    accuracy.show("mean over all orders", np.array([mean_over_rotations(one) for one in logliks]))
    prior = estimate_prior(logliks)
    print(f"position prior {np.round(100 * prior, 1)} %, from all {total}")
    rng = np.random.default_rng(0)
    for size in SAMPLE_SIZES:
        priors = [
            estimate_prior([logliks[i] for i in rng.choice(total, size, replace=False)])
            for _ in range(DRAWS)
        ]
        deviation = np.round(100 * np.std(priors, axis=0), 1)
        print(f"  from {size} answers: standard deviation of each {deviation} points")
    corrected = np.array([remove_prior(one[0], prior) for one in logliks])
    accuracy.show("order of the rubric, position prior removed", corrected)


if __name__ == "__main__":
    main()
