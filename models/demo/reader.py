"""A GGUF by llama-cpp-python alone: it writes answers and weighs labels."""

from pathlib import Path

import numpy as np
from llama_cpp import Llama

from models.demo.chat import END
from models.demo.scenes import LABELS

CONTEXT = 2048


class Reader:
    """One model in one context."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        self.llama = Llama(
            str(path), n_ctx=CONTEXT, n_batch=CONTEXT, n_threads=threads, verbose=False
        )
        self.end = self.tokens(END)[0]

    def tokens(self, text: str) -> list[int]:
        """Return a text's tokens, special ones included."""
        return self.llama.tokenize(text.encode(), add_bos=False, special=True)

    def logits(self, tokens: list[int], kept: int = 0) -> np.ndarray:
        """Compute tokens after `kept` computed before; return the last one's scores."""
        self.llama.n_tokens = kept
        self.llama.eval(tokens)
        row = self.llama._ctx.get_logits_ith(-1)
        return np.ctypeslib.as_array(row, (self.llama.n_vocab(),)).astype(np.float64)

    def write(self, prompt: str, heat: float, rng: np.random.Generator, most: int = 160) -> str:
        """Return an answer; greedy if the temperature is 0."""
        tokens, written = self.tokens(prompt), []
        logits = self.logits(tokens)
        while len(written) < most:
            best = int(logits.argmax() if not heat else _draw(logits / heat, rng))
            if best == self.end:
                break
            written.append(best)
            logits = self.logits([best], len(tokens) + len(written) - 1)
        return self.llama.detokenize(written).decode("utf-8", "replace")

    def judge(self, prompt: str) -> str:
        """Return the letter of the likeliest label after the prompt."""
        tokens = self.tokens(prompt)
        first = _logs(self.logits(tokens))
        totals = {}
        for letter, label in LABELS.items():
            logs, total, kept = first, 0.0, len(tokens)
            for token in self.tokens(f'{label}",'):
                total += logs[token]
                logs = _logs(self.logits([token], kept))
                kept += 1
            totals[letter] = total
        return max(totals, key=totals.__getitem__)


def _logs(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max()
    return shifted - np.log(np.exp(shifted).sum())


def _draw(logits: np.ndarray, rng: np.random.Generator) -> int:
    return int((logits + rng.gumbel(size=logits.size)).argmax())
