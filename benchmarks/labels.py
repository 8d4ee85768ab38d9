"""What the labels' length and order in the rubric do to a judge's labels, and what correcting does.

python -m benchmarks.labels [--model MODEL.gguf]

Answers whose label is known: the demo's own 144 by the rule that made its training text, sentences
held out from training, and answers written by hand (models/demo/README.md). A line a way to read.
"""

import argparse
from collections.abc import Iterator

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
from steertui.planning.judges import chat_format

LETTERS = "cnrx"
SAMPLES = (6, 12, 24, 48)
DRAWS = 200


def cases() -> Iterator[tuple[str, JudgeCase, int]]:
    """Yield each set's name, a case and its label's place."""
    measure = Measure(demo_path())
    for kind in KINDS:
        for scene in measure.corpus.starters:
            user = measure.corpus.conditions[kind].steer(scene.task)
            text = measure.reader.write(chat(scene.system, user), 0.0, measure.noise)
            label = LETTERS.index(Rule(scene).label(text))
            yield "its own", JudgeCase(scene.category, "", user, text), label
    sets = [("held out", measure.held_out(False)), ("held out, opened", measure.held_out(True))]
    sets += [("by hand", measure.by_hand(kind)) for kind in KINDS]
    for name, found in sets:
        for scene, shown, text, label in found:
            yield name, JudgeCase(scene.category, "", shown, text), LETTERS.index(label)


def scored(
    llama: LlamaModel, judge: LocalJudge, asked: list[JudgeCase], turn: int, *, whole: bool
) -> np.ndarray:
    """Return the labels' probabilities, (answers, labels)."""
    labels = tuple(llama.tokenize(text, special=False) for text in LABEL_TEXTS)
    with vocabulary(judge.model.path) as gguf:
        chat = chat_format(gguf, judge.model.name)
        prompts = gguf.tokenize(judge.prompts(chat, asked, [turn] * len(asked)))
    engine = Engine(llama, ContextParams(8, 2048, 512, 2))
    for i, prompt in enumerate(prompts):
        engine.add(ScoreRequest(str(i), prompt, labels, whole))
    found = np.empty((len(asked), len(Label)))
    while not engine.is_idle:
        for event in engine.step():
            assert isinstance(event, Scored)
            found[int(event.id)] = event.logliks
    engine.close()
    powers = np.exp(found - found.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def main() -> None:
    """Print the share of right labels of each set by each way to read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="demo")
    judge = LocalJudge(find_model(parser.parse_args().model), load_rubric("steertui"))
    llama = LlamaModel(judge.model.path)
    names, asked, truth = zip(*cases(), strict=True)
    right = np.array(truth)
    sets = {name: np.array(names) == name for name in dict.fromkeys(names)}

    def show(what: str, chances: np.ndarray) -> None:
        hits = chances.argmax(axis=1) == right
        sure = np.log(np.maximum(chances[np.arange(len(right)), right], 1e-300)).mean()
        told = ", ".join(f"{name} {hits[at].sum()} of {at.sum()}" for name, at in sets.items())
        print(f"{what}: {told}; mean log-probability of the right label {sure:.3f}", flush=True)

    whole = scored(llama, judge, list(asked), 0, whole=True)
    turns = [scored(llama, judge, list(asked), turn, whole=False) for turn in range(ROTATIONS)]
    show("whole likelihood (length counts)", whole)
    for turn, found in enumerate(turns):
        show(f"bound to the labels, list begins with {list(Label)[turn]}", found)
    differ = (whole.argmax(axis=1) != turns[0].argmax(axis=1)).sum()
    print(f"whole and bound differ in the label of {differ} of {len(right)}, in a probability by "
          f"{np.abs(whole - turns[0]).max():.4f} at the most")  # fmt: skip
    logs = [{t: np.log(np.maximum(turns[t][i], 1e-300)) for t in range(ROTATIONS)}
            for i in range(len(right))]  # fmt: skip
    best = np.stack([found.argmax(axis=1) for found in turns])
    print(
        f"label not the same in all orders: {(best != best[0]).any(axis=0).sum()} of {len(right)}"
    )
    show("all orders, mean", np.array([mean_over_rotations(one) for one in logs]))
    places = estimate_prior(logs)
    print(f"places draw {np.round(100 * places, 1)} % by themselves, over all {len(right)}")
    rng = np.random.default_rng(0)
    for size in SAMPLES:
        drawn = [
            estimate_prior([logs[i] for i in rng.choice(len(right), size, replace=False)])
            for _ in range(DRAWS)
        ]
        print(f"  from {size} answers: standard deviation of each "
              f"{np.round(100 * np.std(drawn, axis=0), 1)} points")  # fmt: skip
    show("the rubric's order without its places", np.array(
        [remove_prior(one[0], places) for one in logs]))  # fmt: skip
    llama.close()


if __name__ == "__main__":
    main()
