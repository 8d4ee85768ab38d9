"""Comparison of the trained network in PyTorch with its GGUF: `python -m models.demo.parity`.

Needs both torch and llama-cpp-python.
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
from steertui.sandbox.parent import Sandbox


def prompts(count: int) -> list[str]:
    """Return `count` rendered prompts of different starter scenarios, over all conditions."""
    corpus = Corpus()
    chosen = random.Random(1).sample(corpus.starters, count)
    conditions = list(corpus.conditions.values()) * count
    messages = [
        (scene.system, condition.steer(scene.task))
        for scene, condition in zip(chosen, conditions, strict=False)
    ]
    with Sandbox("steertui.core.chat_template:main") as sandbox:
        return ChatFormat(sandbox, TEMPLATE, bos="", eos=END, model="demo").render(messages)


def torch_logits(model: Qwen3, tokens: list[int]) -> np.ndarray:
    """Return the network's logits after each token."""
    count = len(tokens)
    mask = torch.ones(count, count, dtype=torch.bool).tril()[None, None]
    with torch.no_grad():
        hidden = model(torch.tensor([tokens]), torch.arange(count)[None], mask)
        return model.logits(hidden)[0].numpy()


def compare(folder: Path, gguf: Path, count: int) -> None:
    """Print the numbers of equal greedy answers and tokens, and the largest logit difference."""
    model = Qwen3(Shape())
    model.load_state_dict(torch.load(folder / "model.pt", weights_only=True))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    reader = Reader(gguf)
    equal_answers = 0
    equal_tokens = 0
    tokens = 0
    max_difference = 0.0
    rng = np.random.default_rng(0)
    for prompt in prompts(count):
        prompt_ids = tokenizer.encode(prompt).ids
        assert prompt_ids == reader.tokens(prompt)
        answer = reader.write(prompt, 0.0, rng)
        written = [*tokenizer.encode(answer).ids, reader.end]
        expected = torch_logits(model, prompt_ids + written)[len(prompt_ids) - 1 : -1]
        hits = 0
        for at, target in enumerate(written):
            got = reader.logits(prompt_ids + written[:at])
            difference = float(np.abs(got - expected[at]).max())
            max_difference = max(max_difference, difference)
            hits += int(expected[at].argmax()) == target
        equal_answers += hits == len(written)
        equal_tokens += hits
        tokens += len(written)
    print(
        f"{gguf}: greedy answers equal {equal_answers}/{count}, next tokens {equal_tokens}/{tokens}"
    )
    print(f"largest difference of a logit {max_difference:.3f}")


def same_tokens(folder: Path, gguf: Path, count: int) -> None:
    """Print the number of corpus texts that both tokenizers split equally."""
    tokenizer, reader = Tokenizer.from_file(str(folder / "tokenizer.json")), Reader(gguf)
    texts = [g.prompt + t for g in islice(Corpus().groups(99), count) for t in g.tails[:1]]
    equal = sum(tokenizer.encode(t).ids == reader.tokens(t) for t in texts)
    print(f"texts with the same tokens {equal}/{len(texts)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/demo-training"))
    parser.add_argument("--model", type=Path, default=Path(__file__).with_name("demo.gguf"))
    parser.add_argument("--count", type=int, default=12)
    options = parser.parse_args()
    compare(options.folder, options.model, options.count)
    same_tokens(options.folder, options.model, 200)
