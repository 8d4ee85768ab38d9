"""Generation and label scoring with llama-cpp-python, independent of steertui's engine."""

from pathlib import Path

import numpy as np
from llama_cpp import Llama

from models.demo.chat import END
from models.demo.scenes import LABELS

CONTEXT = 2048


class Reader:
    """One GGUF in one context."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        self.llama = Llama(
            str(path), n_ctx=CONTEXT, n_batch=CONTEXT, n_threads=threads, verbose=False
        )
        self.end = self.tokens(END)[0]

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text; special tokens are parsed."""
        return self.llama.tokenize(text.encode(), add_bos=False, special=True)

    def logits(self, tokens: list[int], past: int = 0) -> np.ndarray:
        """Evaluate tokens after the first `past` in the cache; return the last token's logits."""
        self.llama.n_tokens = past
        self.llama.eval(tokens)
        row = self.llama._ctx.get_logits_ith(-1)
        return np.ctypeslib.as_array(row, (self.llama.n_vocab(),)).astype(np.float64)

    def write(
        self, prompt: str, temperature: float, rng: np.random.Generator, max_tokens: int = 160
    ) -> str:
        """Return an answer; greedy at temperature 0."""
        tokens = self.tokens(prompt)
        written: list[int] = []
        logits = self.logits(tokens)
        while len(written) < max_tokens:
            token = int(logits.argmax()) if not temperature else _sample(logits / temperature, rng)
            if token == self.end:
                break
            written.append(token)
            logits = self.logits([token], len(tokens) + len(written) - 1)
        return self.llama.detokenize(written).decode("utf-8", "replace")

    def judge(self, prompt: str) -> str:
        """Return the letter of the most likely label after the prompt."""
        tokens = self.tokens(prompt)
        first = _log_softmax(self.logits(tokens))
        totals = {}
        for letter, label in LABELS.items():
            logs = first
            total = 0.0
            past = len(tokens)
            for token in self.tokens(f'{label}",'):
                total += logs[token]
                logs = _log_softmax(self.logits([token], past))
                past += 1
            totals[letter] = total
        return max(totals, key=totals.__getitem__)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max()
    return shifted - np.log(np.exp(shifted).sum())


def _sample(logits: np.ndarray, rng: np.random.Generator) -> int:
    return int((logits + rng.gumbel(size=logits.size)).argmax())
