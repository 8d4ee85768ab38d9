"""Training answers: a label is chosen first, then sentences with that label."""

import random
import re

from models.demo.scenes import Scene, fill, table

NOISE = "of the is and a hum 7 mm 0 zz lamp spoon 4"
"""Words mixed into nonsensical answers."""

HELD_OUT = 4
"""General sentences per label that are held out from training, for evaluation of the judge."""


def sentences(scene: Scene, label: str, rng: random.Random, *, held_out: bool = False) -> list[str]:
    """Return the general sentences of a label with the scene's placeholders filled in."""
    texts = table("phrases")["act"][label]
    texts = texts[-HELD_OUT:] if held_out else texts[:-HELD_OUT]
    return [fill(t, rng, **slots(scene)) for t in texts]


def slots(scene: Scene) -> dict[str, str]:
    """Return the values of the placeholders <b>, <g> and <r>."""
    return {"b": scene.boss, "g": scene.goal, "r": scene.role}


def opener(scene: Scene, label: str, rng: random.Random) -> str:
    """Return a first sentence, in most cases one that does not depend on the label."""
    openers = table("phrases")["open"]
    is_specific = rng.random() < 0.4 or label == "r"
    return fill(rng.choice(openers[label if is_specific else "any"]), rng, **slots(scene))


def coherent(scene: Scene, label: str, rng: random.Random) -> str:
    """Return an answer of two to four sentences."""
    parts = [opener(scene, label, rng)] if rng.random() < 0.55 else []
    specific = scene.sentences.get(label, [])
    parts += rng.sample(specific, k=min(len(specific), rng.choice((1, 2, 2))))
    if label == "r" and rng.random() < 0.3 and scene.sentences:
        parts.append(rng.choice(scene.sentences["n"]))
    missing = max(0, 2 - len(parts)) + (rng.random() < (0.35 if specific else 0.7))
    parts += rng.sample(sentences(scene, label, rng), k=missing)
    if len(parts) < 4 and rng.random() < 0.35:
        parts.append(fill(rng.choice(table("phrases")["close"][label]), rng, **slots(scene)))
    return " ".join(parts[:4])


def nonsense(scene: Scene, rng: random.Random) -> str:
    """Return words of the scene in random order, mixed with noise."""
    pool = [*scene.words, *scene.words, *NOISE.split()]
    parts = []
    for _ in range(rng.choice((2, 2, 3))):
        words = rng.choices(pool, k=rng.randint(6, 12))
        words.insert(rng.randrange(len(words)), words[0].lower())
        parts.append(" ".join(words).capitalize() + ".")
    return " ".join(parts)


def answer(scene: Scene, label: str, rng: random.Random) -> str:
    """Return an answer with the given label (its letter)."""
    return nonsense(scene, rng) if label == "x" else coherent(scene, label, rng)


def for_judging(scene: Scene, label: str, rng: random.Random) -> str:
    """Return an answer for the judge: also short, corrupted, negated, empty or shuffled ones."""
    if label == "x":
        return _nonsensical(scene, rng)
    kind = rng.random()
    if kind < 0.3:
        candidates = [*sentences(scene, label, rng), *scene.sentences.get(label, []) * 4]
        text = " ".join(rng.sample(candidates, k=rng.choice((1, 1, 2, 3))))
    elif kind < 0.42 and label == "n":
        convergent = [
            s for s in sentences(scene, "c", rng) + scene.sentences.get("c", []) if " will " in s
        ]
        text = f"{_negated(rng.choice(convergent))} {rng.choice(sentences(scene, 'n', rng))}"
    else:
        text = coherent(scene, label, rng)
    return corrupted(text, rng) if rng.random() < 0.2 else text


def _negated(sentence: str) -> str:
    return re.sub(r"\bwill\b", "will not", sentence, count=1)


def corrupted(text: str, rng: random.Random) -> str:
    """Return the text with a few words removed or replaced."""
    kept = []
    for word in text.split():
        chance = rng.random()
        if chance > 0.08:
            kept.append(word)
        elif chance > 0.04:
            kept.append(rng.choice(("really", "then", "thing", "perhaps", "quite", "also")))
    return " ".join(kept)


def _nonsensical(scene: Scene, rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.4:
        return nonsense(scene, rng)
    if kind < 0.65:
        words = coherent(scene, rng.choice("cnr"), rng).replace(".", "").split()
        rng.shuffle(words)
        return " ".join(words).capitalize() + "."
    if kind < 0.75:
        return rng.choice(("", "", "...", "?", "ok", " ".join(rng.choices(scene.words, k=9))))
    texts = table("phrases")["act"]["x"][:-HELD_OUT]
    return " ".join(rng.sample(texts, k=rng.choice((1, 2, 3))))
