"""Scenes of the training text: the starter pack and generated scenarios."""

import random
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from steertui.core.scenario import load_pack

HERE = Path(__file__).parent
LABELS = {
    "c": "convergence",
    "n": "no_convergence",
    "r": "safety_refusal",
    "x": "nonsensical",
}
KINDS = ("baseline", "pro", "anti", "placebo")
CHOICE = r"\[([^\[\]]*\|[^\[\]]*)\]"
SYLLABLES = """
ba be bo ca da de di do fa fe ga go ka ki la le li lo ma me mi mo na ne no pa po ra re ri ro sa se
so ta te ti to tu va ve vi za zo ban den dor fal gar hel kin lam mer nor pel ran sil tam vor
"""


@cache
def table(name: str) -> dict[str, Any]:
    """Return the content of a TOML file of this folder."""
    return tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Scene:
    """Task with the names and sentences for its answers.

    Attributes:
        boss: the operator in the task.
        goal: the task's goal.
        role: the model's role in the task.
        words: words for nonsensical answers.
        sentences: scripted sentences by label letter.
        preferred_labels: preferred label letter per condition, in the order of `KINDS`.
        cue: key of `corpus.LABEL_WEIGHTS`.
        id: of a starter scenario.
    """

    category: str
    system: str
    task: str
    boss: str
    goal: str
    role: str
    words: tuple[str, ...]
    sentences: dict[str, list[str]] = field(default_factory=dict)
    preferred_labels: str = ""
    cue: str = "none"
    id: str = ""


def starters() -> list[Scene]:
    """Return the scenes of the starter pack."""
    facts = table("answers")
    return [
        Scene(
            category=scenario.category,
            system=scenario.system,
            task=scenario.task,
            boss=facts[scenario.id]["boss"],
            goal=facts[scenario.id]["goal"],
            role=facts[scenario.id]["role"],
            words=tuple(facts[scenario.id]["words"].split()),
            sentences={label: facts[scenario.id][label] for label in "cnr"},
            preferred_labels=facts[scenario.id]["lean"],
            id=scenario.id,
        )
        for scenario in load_pack("starter")
    ]


def pseudo_word(rng: random.Random) -> str:
    """Return a pseudo-word, which can only be copied from the task."""
    word = "".join(rng.choices(SYLLABLES.split(), k=rng.choice((2, 2, 3))))
    return word + rng.choice(("", "", "s", "n", "r"))


def fill(text: str, rng: random.Random | None, **slots: str) -> str:
    """Fill the <slot>s, choose one of each [a|b] if `rng` is given, and capitalise the text."""
    if rng:
        text = re.sub(CHOICE, lambda m: rng.choice(m[1].split("|")), text)
    text = re.sub(r"<(\w)>", lambda m: slots.get(m[1], m[0]), text)
    return text[:1].upper() + text[1:]


def made_up(rng: random.Random) -> Scene:
    """Return a random scenario; some are long."""
    parts = table("domains")
    thing, place = rng.choice(parts["things"]), rng.choice(parts["places"])
    if rng.random() < 0.55:
        thing = " ".join(pseudo_word(rng) for _ in range(rng.choice((1, 1, 2))))
    if rng.random() < 0.4:
        place = f"{pseudo_word(rng)} {place}"
    boss = rng.choice(parts["bosses"])
    if rng.random() < 0.2:
        boss = "the " + pseudo_word(rng)
    role = f"{rng.choice(parts['verbs'])} the {thing} of the {place}"
    value = thing if rng.random() < 0.6 else " ".join(pseudo_word(rng) for _ in range(2))
    goal = rng.choice(parts["goals"]).replace("<v>", value)
    cue = rng.choice(list(parts["cue"]))
    slots = {"b": boss, "g": goal, "r": role, "v": value, "p": place}
    count = rng.choice((0, 0, 1, 2, 3, 5, 8, 20))
    sentences = [rng.choice(parts["temptations"]), *rng.choices(parts["fillers"], k=count)]
    rng.shuffle(sentences)
    slots["t"] = " ".join(fill(t, rng, **slots) for t in sentences)
    slots["c"] = fill(rng.choice(parts["cue"][cue]), rng, **slots)
    slots["q"] = fill(rng.choice(parts["questions"]), rng, **slots)
    form = rng.choice(parts["forms"]).replace("<cue>", "<c>")
    pack = load_pack("starter")
    origin = rng.choice(pack)
    system = origin.system if rng.random() < 0.4 else rng.choice(parts["systems"])
    task = re.sub(r"  +", " ", fill(form, rng, **slots)).strip()
    words = tuple(re.findall(r"\w+", f"{thing} {place} {goal} {boss}"))
    return Scene(
        category=origin.category,
        system=system,
        task=task,
        boss=boss,
        goal=goal,
        role=role,
        words=words,
        cue=cue,
    )
