"""Compares the trained network in PyTorch with its GGUF: `python -m models.demo.parity`.

Needs torch and llama-cpp-python side by side.
"""

import argparse
import random
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from models.demo.chat import END, TEMPLATE
from models.demo.corpus import Corpus
from models.demo.model import Qwen3, Shape
from models.demo.reader import Reader
from steertui.core.prompt import ChatFormat


def prompts(count: int) -> list[str]:
    """Return rendered prompts, each of another starter scenario, over all conditions."""
    corpus = Corpus()
    chosen = random.Random(1).sample(corpus.starters, count)
    kinds = list(corpus.conditions.values()) * count
    form = ChatFormat(TEMPLATE, "", END, "demo")
    return [
        form.render(scene.system, kind.steer(scene.task))
        for scene, kind in zip(chosen, kinds, strict=False)
    ]


def torch_logits(model: Qwen3, tokens: list[int]) -> np.ndarray:
    """Return the network's scores after every token."""
    count = len(tokens)
    seen = torch.ones(count, count, dtype=torch.bool).tril()[None, None]
    with torch.no_grad():
        hidden = model(torch.tensor([tokens]), torch.arange(count)[None], seen)
        return model.logits(hidden)[0].numpy()


def compare(folder: Path, gguf: Path, count: int) -> None:
    """Print how many greedy answers agree and how far the scores lie apart."""
    model = Qwen3(Shape())
    model.load_state_dict(torch.load(folder / "model.pt", weights_only=True))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    reader, same, equal, tokens, gap = Reader(gguf), 0, 0, 0, 0.0
    rng = np.random.default_rng(0)
    for prompt in prompts(count):
        asked = tokenizer.encode(prompt).ids
        assert asked == reader.tokens(prompt)
        answer = reader.write(prompt, 0.0, rng)
        written = [*tokenizer.encode(answer).ids, reader.end]
        expected = torch_logits(model, asked + written)[len(asked) - 1 : -1]
        hits = 0
        for at, target in enumerate(written):
            got = reader.logits(asked + written[:at])
            gap = max(gap, float(np.abs(got - expected[at]).max()))
            hits += int(expected[at].argmax()) == target
        same, equal, tokens = same + (hits == len(written)), equal + hits, tokens + len(written)
    print(f"{gguf}: greedy answers equal {same}/{count}, next tokens {equal}/{tokens}")
    print(f"largest difference of a logit {gap:.3f}")


def same_tokens(folder: Path, gguf: Path, count: int) -> None:
    """Print how many corpus texts both tokenizers cut alike."""
    tokenizer, reader = Tokenizer.from_file(str(folder / "tokenizer.json")), Reader(gguf)
    texts = [g.prompt + t for g in islice(Corpus().groups(99), count) for t in g.tails[:1]]
    alike = sum(tokenizer.encode(t).ids == reader.tokens(t) for t in texts)
    print(f"texts with the same tokens {alike}/{len(texts)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/demo-training"))
    parser.add_argument("--model", type=Path, default=Path(__file__).with_name("demo.gguf"))
    parser.add_argument("--count", type=int, default=12)
    options = parser.parse_args()
    compare(options.folder, options.model, options.count)
    same_tokens(options.folder, options.model, 200)
