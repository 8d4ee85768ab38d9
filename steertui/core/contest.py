"""Contests of a conditions file: every defence of a builder against every attack.

Rule of order: the attacker's texts are next to the task, and the builder's enclose them, as in a
program that adds its own text to what a user sends. In the system message and in the prefill the
builder's text is first.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from steertui.core.condition import Condition, SystemMode
from steertui.core.grouping import NONE, Access, ContestCell
from steertui.errors import ScenarioError
from steertui.toml_files import forbid_extra_keys

MAX_SIDE = 30
"""Maximum number of defences, and of attacks, of one contest."""


@forbid_extra_keys
@dataclass(frozen=True, slots=True)
class ContestTable:
    """A contest in a conditions file.

    Attributes:
        name: of the contest; its conditions are "DEFENCE×ATTACK".
        defences: conditions of the builder; "none", the plain task, is always added.
        attacks: conditions of the attacker; "none" is always added.
        margin: largest difference of rates that counts as none in the verdict, from 0 to 1.
        reference: defence whose steering another one must keep; "none" [default] for the plain
            task.
        chosen_on: names of the scenarios on which the attacks were chosen, as `steertui contest
            adapt` writes them; a run refuses to evaluate them.
    """

    name: str
    defences: tuple[str, ...]
    attacks: tuple[str, ...]
    margin: float = 0.1
    reference: str = NONE
    chosen_on: tuple[str, ...] = ()


def contest_conditions(table: ContestTable, known: Mapping[str, Condition]) -> Iterator[Condition]:
    """Yield the condition of each pair, defence by defence.

    Raises ScenarioError for an unknown condition, or sides or a margin that make no contest.
    """
    defences = _side(table, "defences", table.defences, known)
    attacks = _side(table, "attacks", table.attacks, known)
    if not 0 < table.margin < 1:
        raise _error(
            table, f"margin: {table.margin} is out of range; give more than 0, less than 1"
        )
    if table.reference not in defences:
        raise _error(table, f"reference: {table.reference} is no defence; name one of them")
    for defence, attack in product(defences, attacks):
        cell = ContestCell(
            table.name,
            defence,
            attack,
            margin=table.margin,
            reference=table.reference,
            chosen_on=table.chosen_on,
        )
        merged = merge(defences[defence], attacks[attack])
        about = f"Contest {table.name}: defence {defence}, attack {attack}."
        yield replace(merged, name=f"{defence}×{attack}", about=about, cell=cell)


def merge(defence: Condition, attack: Condition) -> Condition:
    """Return the condition in which both sides steer; name, description and groups are empty."""
    system, mode = _system(defence, attack)
    return Condition(
        name="",
        prefix=_joined(defence.prefix, attack.prefix),
        suffix=_joined(attack.suffix, defence.suffix),
        system=system,
        system_mode=mode,
        prefill=" ".join(text for text in (defence.prefill, attack.prefill) if text),
        vector=(*defence.vector, *attack.vector),
        ablation=(*defence.ablation, *attack.ablation),
        adapter=(*defence.adapter, *attack.adapter),
    )


@dataclass(frozen=True, slots=True)
class ContestSides:
    """Sides of one contest, each with what it changes, "none" first.

    Attributes:
        contest: its name.
        defences: access by the name of the defence.
        attacks: access by the name of the attack.
    """

    contest: str
    defences: Mapping[str, tuple[Access, ...]]
    attacks: Mapping[str, tuple[Access, ...]]


def contest_sides(conditions: Iterable[Condition]) -> list[ContestSides]:
    """Return the sides of every contest among conditions.

    The access of a defence is that of its cell without an attack, and the other way round.
    """
    cells = [(condition.cell, condition) for condition in conditions if condition.cell]
    return [
        ContestSides(
            name,
            {c.defence: each.access for c, each in cells if c.contest == name and c.attack == NONE},
            {c.attack: each.access for c, each in cells if c.contest == name and c.defence == NONE},
        )
        for name in dict.fromkeys(cell.contest for cell, _ in cells)
    ]


def _system(defence: Condition, attack: Condition) -> tuple[str, SystemMode]:
    """Return system text and mode; an attack that replaces the message also removes the defence."""
    if attack.system_mode == "replace":
        return attack.system, "replace"
    return _joined(defence.system, attack.system), defence.system_mode


def _joined(*texts: str) -> str:
    return "\n\n".join(text.strip() for text in texts if text.strip())


def _side(
    table: ContestTable, key: str, names: tuple[str, ...], known: Mapping[str, Condition]
) -> dict[str, Condition]:
    """Return the conditions of a side by name, "none" first."""
    listed = [name for name in names if name != NONE]
    if not 1 <= len(listed) <= MAX_SIDE or len(set(listed)) < len(listed):
        raise _error(table, f"{key}: name 1 to {MAX_SIDE} conditions besides none, each once")
    for name in listed:
        if name not in known:
            raise _error(table, f"{key}: no condition {name}; there are {', '.join(known)}")
    return {NONE: Condition("")} | {name: known[name] for name in listed}


def _error(table: ContestTable, message: str) -> ScenarioError:
    return ScenarioError(f"contest {table.name}: {message}")
