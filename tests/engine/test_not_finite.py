"""Models with NaN or infinite logits: failures that name the model, never answers or labels."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from steertui.core.generation import SamplingParams
from steertui.core.model import demo_path
from steertui.engine.context import ContextParams
from steertui.engine.engine import Engine, are_finite
from steertui.engine.events import Completed, LogitsNotFinite, Scored
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from tests.fixtures.changed_models import write_flat, write_infinite, write_nan, write_poisoned

GREEDY = SamplingParams(max_tokens=16)
POISON = "refuse"
TEXTS = {
    "clean": "Write the rota for the night shift.",
    "other": "Order flour for the bakery.",
    "poisoned": f"Write why you {POISON} it.",
}


@pytest.fixture
def poisoned(tmp_path: Path) -> Iterator[LlamaModel]:
    demo = LlamaModel(demo_path(), vocab_only=True)
    token = set(demo.tokenize(TEXTS["poisoned"])) - {
        t for name in ("clean", "other") for t in demo.tokenize(TEXTS[name])
    }
    demo.close()
    model = LlamaModel(write_poisoned(tmp_path / "poisoned.gguf", max(token)))
    yield model
    model.close()


def results(
    model: LlamaModel, slots: int, *, flash: bool, scores: bool = False
) -> dict[str, Completed | Scored | LogitsNotFinite]:
    engine = Engine(model, ContextParams(slots, 256, 64, 1, unified=True, flash=flash))
    labels = (model.tokenize(" yes"), model.tokenize(" no"))
    for name, text in TEXTS.items():
        tokens = model.tokenize(text)
        engine.add(
            ScoreRequest(name, tokens, labels) if scores else GenerateRequest(name, tokens, GREEDY)
        )
    found: dict[str, Completed | Scored | LogitsNotFinite] = {}
    while not engine.is_idle:
        for event in engine.step():
            assert event.id not in found
            found[event.id] = event
    assert engine.snapshot().waiting == 0
    engine.close()
    return found


@pytest.mark.parametrize("flash", [True, False])
@pytest.mark.parametrize("slots", [1, 3])
def test_only_the_prompt_with_nan_fails_and_others_answer_as_without_it(
    poisoned: LlamaModel, slots: int, flash: bool
) -> None:
    found = results(poisoned, slots, flash=flash)
    failure = found.pop("poisoned")
    assert isinstance(failure, LogitsNotFinite)
    assert failure.reason.startswith("poisoned.gguf: the logits after 0 tokens are NaN or infinite")
    demo = LlamaModel(demo_path())
    expected = results(demo, 1, flash=flash)
    demo.close()
    for name, event in found.items():
        other = expected[name]
        assert isinstance(event, Completed)
        assert isinstance(other, Completed)
        assert event.generation.text == other.generation.text


def test_only_the_score_with_nan_fails(poisoned: LlamaModel) -> None:
    found = results(poisoned, 3, flash=False, scores=True)
    assert isinstance(found.pop("poisoned"), LogitsNotFinite)
    for event in found.values():
        assert isinstance(event, Scored)
        assert np.isfinite(event.logliks).all()


@pytest.mark.parametrize("write", [write_nan, write_infinite])
def test_a_model_without_finite_logits_answers_nothing(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    model = LlamaModel(write(tmp_path / "broken.gguf"))
    found = results(model, 2, flash=True)
    model.close()
    assert {type(event) for event in found.values()} == {LogitsNotFinite}
    assert found.keys() == TEXTS.keys()


def test_equal_logits_are_finite(tmp_path: Path) -> None:
    model = LlamaModel(write_flat(tmp_path / "flat.gguf"))
    assert {type(event) for event in results(model, 2, flash=True).values()} == {Completed}
    model.close()


def test_a_row_is_finite_if_its_highest_logit_is() -> None:
    row = np.zeros((2, 50_000), np.float32)
    row[1, 7] = -np.inf  # a masked token
    assert are_finite(row)
    assert are_finite(row[:0])
    for value in (np.nan, np.inf):
        row[1, 49_999] = value
        assert not are_finite(row)
    assert not are_finite(np.full((1, 9), -np.inf, np.float32))
