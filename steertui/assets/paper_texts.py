"""What is other people's, read from fetched sources: packs, conditions and texts for a judge.

Source of all rules here: arXiv 2601.01584 and its public code, which is read and never run.
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

BENCHMARK, TEXTS, RUNS = PACK, "paper-texts", "paper-runs"
SUBSET = "paper-71"
PAPER = "paper"

PROGRAM = "main_jh2.py"

PLACEHOLDERS: Mapping[str, str] = MappingProxyType(
    {"specific_prompt": "{context}", "prompt": "{task}", "response": "{answer}"}
)
"""The paper's names for what its judge is shown, and a rubric's."""


@dataclass(frozen=True, slots=True)
class JudgeTexts:
    """What the paper's judge is told: a rubric's system and user text, with its placeholders."""

    system: str
    user: str


def pack_sources(pack: str) -> tuple[str, ...]:
    """Return the names of the sources that a pack is read from; none for a shipped or own one."""
    return (BENCHMARK,) if pack in (BENCHMARK, SUBSET) else ()


def load_paper_pack(name: str) -> tuple[Scenario, ...]:
    """Return the pack `instrumentaleval`, or its subset `paper-71` that the paper ran.

    Raises SourceError where its source is not here.
    """
    folder = require_source(find_source(BENCHMARK)) / "benchmark"
    scenarios = load_pack(str(folder))
    return _drawn(scenarios) if name == SUBSET else scenarios


def _drawn(scenarios: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
    """Return each category's first 15 of the paper's draw, in its order.

    They keep their pack and ids: a scenario is the same whether the subset is run or the whole.
    """
    return tuple(
        scenario
        for category in dict.fromkeys(s.category for s in scenarios)
        for scenario in sample_tasks(s for s in scenarios if s.category == category)
    )


def load_paper_conditions() -> dict[str, Condition]:
    """Return the paper's conditions by name: baseline, pro and anti with its own suffixes.

    Raises SourceError where its program is not here, or not of the known form.
    """
    path = require_source(find_source(TEXTS)) / PROGRAM
    return read_conditions(path)


def read_conditions(path: Path) -> dict[str, Condition]:
    """Return the conditions that the paper's program holds."""
    texts = _assigned(path)
    suffixes = {"pro": "PRO_IC_SUFFIX", "anti": "ANTI_IC_SUFFIX"}
    found = {"baseline": Condition("baseline", "", "The task as it stands.")}
    for name, variable in suffixes.items():
        text = _plain(path, texts, variable)
        about = f"The paper's {name}-instrumental suffix (arXiv 2601.01584)."
        found[name] = Condition(name, text.strip(), about)
    return found


def load_paper_judge_texts() -> JudgeTexts:
    """Return what the paper's judge is told; raises as `load_paper_conditions` does."""
    return read_judge_texts(require_source(find_source(TEXTS)) / PROGRAM)


def read_judge_texts(path: Path) -> JudgeTexts:
    """Return the judge's texts that the paper's program holds, to the byte."""
    texts = _assigned(path)
    return JudgeTexts(
        _template(path, texts, "base_system_prompt"), _template(path, texts, "judge_user")
    )


def _assigned(path: Path) -> dict[str, ast.expr]:
    """Return what the program assigns to plain names, anywhere in it; the first time counts."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError) as exc:
        raise SourceError(f"{path}: cannot be read as Python ({exc}); fetch it again") from None
    found: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, node.value)
    return found


def _plain(path: Path, texts: dict[str, ast.expr], name: str) -> str:
    value = texts.get(name)
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    raise _strange(path, name)


def _template(path: Path, texts: dict[str, ast.expr], name: str) -> str:
    value = texts.get(name)
    if not isinstance(value, ast.JoinedStr):
        raise _strange(path, name)
    return "".join(_piece(path, name, piece) for piece in value.values)


def _piece(path: Path, name: str, piece: ast.expr) -> str:
    if isinstance(piece, ast.Constant) and isinstance(piece.value, str):
        return piece.value
    if isinstance(piece, ast.FormattedValue) and isinstance(piece.value, ast.Name):
        is_plain = piece.conversion == -1 and piece.format_spec is None
        if is_plain and piece.value.id in PLACEHOLDERS:
            return PLACEHOLDERS[piece.value.id]
    raise _strange(path, name)


def _strange(path: Path, name: str) -> SourceError:
    return SourceError(f"{path}: {name} is not the text it was; fetch the pinned file again")
