"""Third-party texts from downloaded sources: scenario packs, conditions, judge texts.

Source of all rules: arXiv 2601.01584 and its public code, which is parsed and never executed.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from steertui.assets.sources import find_source, require_source
from steertui.core.condition import Condition
from steertui.core.instrumentaleval import PACK, sample_tasks
from steertui.core.scenario import Scenario, load_pack
from steertui.errors import SourceError

BENCHMARK = PACK
TEXTS = "paper-texts"
RUNS = "paper-runs"
SUBSET = "paper-71"
PAPER = "paper"

PROGRAM = "main_jh2.py"

PLACEHOLDERS: Mapping[str, str] = MappingProxyType(
    {"specific_prompt": "{context}", "prompt": "{task}", "response": "{answer}"}
)
"""Variables in the paper's judge texts and the placeholders of a rubric."""


@dataclass(frozen=True, slots=True)
class JudgeTexts:
    """The paper's judge texts as a rubric's system and user text, with placeholders."""

    system: str
    user: str


def pack_sources(pack: str) -> tuple[str, ...]:
    """Return the names of a pack's sources; () for a shipped or local pack."""
    return (BENCHMARK,) if pack in (BENCHMARK, SUBSET) else ()


def load_paper_pack(name: str) -> tuple[Scenario, ...]:
    """Return the pack `instrumentaleval`, or `paper-71`, its subset that the paper ran.

    Raises SourceError if its source is missing.
    """
    folder = require_source(find_source(BENCHMARK)) / "benchmark"
    scenarios = load_pack(str(folder))
    return _paper_subset(scenarios) if name == SUBSET else scenarios


def _paper_subset(scenarios: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
    """Return the scenarios of the paper's sample of each category (`sample_tasks`).

    Pack and ids are unchanged, so a scenario is the same in the subset and in the whole pack.
    """
    return tuple(
        scenario
        for category in dict.fromkeys(s.category for s in scenarios)
        for scenario in sample_tasks(s for s in scenarios if s.category == category)
    )


def load_paper_conditions() -> dict[str, Condition]:
    """Return the paper's conditions by name: baseline, and pro and anti with its suffixes.

    Raises SourceError if its program is missing or cannot be parsed.
    """
    path = require_source(find_source(TEXTS)) / PROGRAM
    return read_conditions(path)


def read_conditions(path: Path) -> dict[str, Condition]:
    """Return the conditions in the paper's program."""
    texts = _assignments(path)
    suffixes = {"pro": "PRO_IC_SUFFIX", "anti": "ANTI_IC_SUFFIX"}
    conditions = {"baseline": Condition("baseline", "", "The task as it stands.")}
    for name, variable in suffixes.items():
        text = _string(path, texts, variable)
        about = f"The paper's {name}-instrumental suffix (arXiv 2601.01584)."
        conditions[name] = Condition(name, text.strip(), about)
    return conditions


def load_paper_judge_texts() -> JudgeTexts:
    """Return the paper's judge texts; raises as `load_paper_conditions`."""
    return read_judge_texts(require_source(find_source(TEXTS)) / PROGRAM)


def read_judge_texts(path: Path) -> JudgeTexts:
    """Return the judge texts in the paper's program, to the byte."""
    texts = _assignments(path)
    return JudgeTexts(
        _template(path, texts, "base_system_prompt"), _template(path, texts, "judge_user")
    )


def _assignments(path: Path) -> dict[str, ast.expr]:
    """Return the first value assigned to each name, anywhere in the program."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError) as exc:
        raise SourceError(f"{path}: cannot be read as Python ({exc}); download it again") from None
    values: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            values.setdefault(node.targets[0].id, node.value)
    return values


def _string(path: Path, texts: dict[str, ast.expr], name: str) -> str:
    value = texts.get(name)
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    raise _unexpected_text(path, name)


def _template(path: Path, texts: dict[str, ast.expr], name: str) -> str:
    value = texts.get(name)
    if not isinstance(value, ast.JoinedStr):
        raise _unexpected_text(path, name)
    return "".join(_piece(path, name, piece) for piece in value.values)


def _piece(path: Path, name: str, piece: ast.expr) -> str:
    if isinstance(piece, ast.Constant) and isinstance(piece.value, str):
        return piece.value
    if isinstance(piece, ast.FormattedValue) and isinstance(piece.value, ast.Name):
        is_plain = piece.conversion == -1 and piece.format_spec is None
        if is_plain and piece.value.id in PLACEHOLDERS:
            return PLACEHOLDERS[piece.value.id]
    raise _unexpected_text(path, name)


def _unexpected_text(path: Path, name: str) -> SourceError:
    return SourceError(
        f"{path}: {name} is not in the expected form; download the pinned file again"
    )
