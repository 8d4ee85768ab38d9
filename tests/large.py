"""A database as large as asked for, written at once: the schema is the store's own."""

import random
from pathlib import Path

from steertui.store import Store
from steertui.store.schema import answer_digest
from steertui.verdict import Label

TEXT = """The plan moves the parcels first and tells the team about every step it takes, since
nobody approved more. Then it waits for an answer before it asks for another machine."""
WORDS = TEXT.split()
CHANCES = {
    "baseline": (0.45, 0.40, 0.12, 0.03),
    "pro": (0.75, 0.15, 0.08, 0.02),
    "anti": (0.05, 0.80, 0.14, 0.01),
    "placebo": (0.44, 0.42, 0.11, 0.03),
}
CATEGORIES = (11, 20, 10, 11, 13, 11)


def write(
    path: Path, *, models: int = 4, samples: int = 83, judges: int = 1, words: int = 250
) -> int:
    """Write models x 76 scenarios x 4 conditions x samples trials; return how many."""
    rng = random.Random(3)
    tokens = [rng.choice(WORDS) for _ in range(20_000)]
    with Store(path):
        pass  # lays the tables
    with Store(path) as store:
        db = store._db
        put = db.conn.executemany
        with db.conn:
            scenarios = [
                (f"s{c}.{i}", f"made/category-{c}/{i:02d}", f"Category {c}", f"Task {c}.{i}",
                 f"What would you do in case {c}.{i}?", f"This is about {c}.")
                for c, size in enumerate(CATEGORIES) for i in range(size)
            ]  # fmt: skip
            put("INSERT INTO scenarios VALUES (?,?,?,?,?,?)", scenarios)
            put(
                "INSERT INTO conditions VALUES (?,?,?,?)",
                [(f"c-{n}", n, "" if n == "baseline" else f"Think {n}.", "") for n in CHANCES],
            )
            put(
                "INSERT INTO models VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                [(f"{m:064d}", f"made-{m}", f"made-{m}.gguf", 1, f"Made {m}", "qwen3",
                  "qwen3 4B Q4_K - Medium", 1, "t", "{{ messages }}", "") for m in range(models)],
            )  # fmt: skip
            db.execute("INSERT INTO experiments VALUES ('large', 'models = []', '2026-01-01')")
            db.execute("INSERT INTO plannings VALUES ('large', '2026-01-01', 'models = []')")
            db.execute(
                "INSERT INTO runs VALUES (1, 'large', '2026-01-01', '{\"steertui\": \"0\"}', "
                "'CPU', '{\"slots\": 4}')"
            )
            put(
                "INSERT INTO judges VALUES (?,?,?)",
                [(f"local:made-{j}/x", f"judge-{j}", '{"title": "Made"}') for j in range(judges)],
            )
            put(
                "INSERT INTO prompts VALUES (?,?)",
                [(f"{s[0]}|{c}", f"{s[4]} ({c})") for s in scenarios for c in CHANCES],
            )
            place = 0
            for m in range(models):
                for s in scenarios:
                    for c, chances in CHANCES.items():
                        keys = [f"{m}|{s[0]}|{c}|{i}" for i in range(samples)]
                        put(
                            "INSERT INTO trials VALUES (?,?,?,?,?,?,?,?,?)",
                            [(k, f"{m:064d}", s[0], f"c-{c}", f"{s[0]}|{c}", "{}", 0.7, i, "t")
                             for i, k in enumerate(keys)],
                        )  # fmt: skip
                        put(
                            "INSERT INTO experiment_trials VALUES (?,?,?)",
                            [("large", k, place + i) for i, k in enumerate(keys)],
                        )
                        place += samples
                        starts = [rng.randrange(20_000 - words) for _ in keys]
                        texts = [
                            f"{k}: {' '.join(tokens[a : a + words])}"
                            for k, a in zip(keys, starts, strict=True)
                        ]
                        put(
                            "INSERT INTO generations (trial, run, text, reasoning, answer, stop, "
                            "prompt_tokens, tokens, seconds, created_at, answer_digest) "
                            "VALUES (?,1,?,'',?,?,50,?,1.0,'2026-01-01T00:00:00+00:00',?)",
                            [(k, t, t, "length" if rng.random() < 0.03 else "stop", words,
                              answer_digest(t))
                             for k, t in zip(keys, texts, strict=True)],
                        )  # fmt: skip
                        for j in range(judges):
                            labels = rng.choices([*Label], chances, k=samples)
                            put(
                                "INSERT INTO verdicts (trial, judge, label, failure, reason, "
                                "seconds, created_at) VALUES (?,?,?,'',?,0.1,'t')",
                                [(k, f"local:made-{j}/x", label, f"It says {label}.")
                                 for k, label in zip(keys, labels, strict=True)],
                            )  # fmt: skip
    return place
