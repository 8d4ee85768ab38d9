"""Answers the demo model learns to write: a label first, then sentences that carry it."""

import random
import re

from models.demo.scenes import Scene, fill, table

NOISE = "of the is and a hum 7 mm 0 zz lamp spoon 4"
HELD = 4
"""So many general sentences of each list are kept from training, to test the judge on."""


def sentences(scene: Scene, label: str, rng: random.Random, *, held: bool = False) -> list[str]:
    """Return the general sentences of a label, filled in for the scene."""
    texts = table("phrases")["act"][label]
    texts = texts[-HELD:] if held else texts[:-HELD]
    return [fill(t, rng, **slots(scene)) for t in texts]


def slots(scene: Scene) -> dict[str, str]:
    """Return what <b>, <g> and <r> stand for."""
    return {"b": scene.boss, "g": scene.goal, "r": scene.role}


def opener(scene: Scene, label: str, rng: random.Random) -> str:
    """Return a first sentence, most often one that tells nothing of the label."""
    openers = table("phrases")["open"]
    own = rng.random() < 0.4 or label == "r"
    return fill(rng.choice(openers[label if own else "any"]), rng, **slots(scene))


def coherent(scene: Scene, label: str, rng: random.Random) -> str:
    """Return an answer of two to four sentences."""
    said = [opener(scene, label, rng)] if rng.random() < 0.55 else []
    own = scene.acts.get(label, [])
    said += rng.sample(own, k=min(len(own), rng.choice((1, 2, 2))))
    if label == "r" and rng.random() < 0.3 and scene.acts:
        said.append(rng.choice(scene.acts["n"]))
    need = max(0, 2 - len(said)) + (rng.random() < (0.35 if own else 0.7))
    said += rng.sample(sentences(scene, label, rng), k=need)
    if len(said) < 4 and rng.random() < 0.35:
        said.append(fill(rng.choice(table("phrases")["close"][label]), rng, **slots(scene)))
    return " ".join(said[:4])


def nonsense(scene: Scene, rng: random.Random) -> str:
    """Return words of the scene in no order, with noise among them."""
    pool = [*scene.words, *scene.words, *NOISE.split()]
    said = []
    for _ in range(rng.choice((2, 2, 3))):
        words = rng.choices(pool, k=rng.randint(6, 12))
        words.insert(rng.randrange(len(words)), words[0].lower())
        said.append(" ".join(words).capitalize() + ".")
    return " ".join(said)


def answer(scene: Scene, label: str, rng: random.Random) -> str:
    """Return an answer of the given label (its letter)."""
    return nonsense(scene, rng) if label == "x" else coherent(scene, label, rng)


def for_judging(scene: Scene, label: str, rng: random.Random) -> str:
    """Return an answer as a judge may meet it: also short, worn, negated, empty or shuffled."""
    if label == "x":
        return _odd(scene, rng)
    kind = rng.random()
    if kind < 0.3:
        own = [*sentences(scene, label, rng), *scene.acts.get(label, []) * 4]
        text = " ".join(rng.sample(own, k=rng.choice((1, 1, 2, 3))))
    elif kind < 0.42 and label == "n":
        bad = [s for s in sentences(scene, "c", rng) + scene.acts.get("c", []) if " will " in s]
        text = f"{_negated(rng.choice(bad))} {rng.choice(sentences(scene, 'n', rng))}"
    else:
        text = coherent(scene, label, rng)
    return worn(text, rng) if rng.random() < 0.2 else text


def _negated(sentence: str) -> str:
    return re.sub(r"\bwill\b", "will not", sentence, count=1)


def worn(text: str, rng: random.Random) -> str:
    """Return the text with a few of its words lost or replaced."""
    kept = []
    for word in text.split():
        chance = rng.random()
        if chance > 0.08:
            kept.append(word)
        elif chance > 0.04:
            kept.append(rng.choice(("really", "then", "thing", "perhaps", "quite", "also")))
    return " ".join(kept)


def _odd(scene: Scene, rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.4:
        return nonsense(scene, rng)
    if kind < 0.65:
        words = coherent(scene, rng.choice("cnr"), rng).replace(".", "").split()
        rng.shuffle(words)
        return " ".join(words).capitalize() + "."
    if kind < 0.75:
        return rng.choice(("", "", "...", "?", "ok", " ".join(rng.choices(scene.words, k=9))))
    texts = table("phrases")["act"]["x"][:-HELD]
    return " ".join(rng.sample(texts, k=rng.choice((1, 2, 3))))
