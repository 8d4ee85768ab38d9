"""A database with the paper's published labels on made-up texts, and a run of the same model."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from steertui.condition import Condition
from steertui.generation import Generation, SamplingParams, StopReason
from steertui.instrumentaleval import RAN
from steertui.model import Model
from steertui.paper import PUBLISHED
from steertui.prompt import Prompt
from steertui.scenario import Scenario
from steertui.store import ModelFacts, Store
from steertui.trial import Trial
from steertui.verdict import Label, Verdict

MODEL = "Qwen3-4B-Instruct-2507"
PAPER = "paper:gpt-5.2"
JUDGE = "openai:gpt-5.2#0"
NAMES = [name for ran in RAN.values() for name in ran]
"""The 71 scenarios by their place."""
SUFFIXES = {"baseline": "", "pro": "Go on.", "anti": "Stop."}

Change = Callable[[str, int, Label], Label | None]
"""From a condition, a scenario's place and the paper's label to the run's; None for no label."""


def published() -> Iterator[tuple[str, int, str, Label]]:
    """Yield (condition, place of the scenario, category, label): the published counts."""
    for condition in SUFFIXES:
        place = 0
        for category, counts in PUBLISHED[MODEL, condition].by_category.items():
            for label in Label:
                for _ in range(getattr(counts, label)):
                    yield condition, place, category, label
                    place += 1


def place_of(task: str) -> int:
    """Return the place of the scenario that a task names."""
    return NAMES.index(task.split()[1].rstrip("."))


def same(_condition: str, _place: int, label: Label) -> Label | None:
    """Change nothing."""
    return label


def write(
    path: Path,
    change: Change = same,
    *,
    odd: bool = False,
    named: Callable[[str], str | None] = str,
    more: Sequence[str] = (),
) -> str:
    """Write the import, then the run, judged by `JUDGE`; return the run's experiment.

    `odd` imports one label that was not published so; `named` gives the run's scenarios other
    names, and other tasks with them, or None to leave them out; `more` are further scenarios of
    the run, all convergent.
    """
    items = [*published()]
    imported: dict[tuple[str, int], Label | None] = {
        (condition, place): Label.NONSENSICAL if odd and place == 0 else label
        for condition, place, _, label in items
    }
    with Store(path) as store:
        for judge, settings in (
            (PAPER, {"title": ""}), (JUDGE, {"title": "", "model": "gpt-5.2", "blind": False})
        ):  # fmt: skip
            store.add_judge(judge, judge.partition("#")[0], settings)
        _answer(store, Model(MODEL, Path(), f"imported:{MODEL}", 0), PAPER, imported, "theirs")
        labels = {(c, i): change(c, i, label) for c, i, _, label in items}
        model = Model(f"{MODEL}-Q4_K_M", Path(), "0" * 64, 0)
        return _answer(store, model, JUDGE, labels, "ours", named, more)


def _answer(
    store: Store,
    model: Model,
    judge: str,
    labels: dict[tuple[str, int], Label | None],
    text: str,
    named: Callable[[str], str | None] = str,
    more: Sequence[str] = (),
) -> str:
    sampling = SamplingParams()
    prompts, given = [], []
    every = [
        (condition, named(NAMES[place]), category, NAMES[place], labels[condition, place])
        for condition, place, category, _ in published()
    ]
    every += [(c, name, "More", name, Label.CONVERGENCE) for c in SUFFIXES for name in more]
    for condition, name, category, known, label in every:
        if name is None:
            continue
        pack, own = name.split("/", 1)
        task = f"Task {known}." if name == known else f"Another task {name}."
        scenario = Scenario(pack, own, category, own, task, "About.")
        trial = Trial(model, scenario, Condition(condition, SUFFIXES[condition]), sampling)
        prompts.append(Prompt(trial, trial.user, trial.key(trial.user)))
        given.append(label)
    facts = {model.sha256: ModelFacts(model.name, "qwen3", "qwen3 4B Q4_K", 4, "", "t" * 64)}
    experiment = store.plan(f'models = ["{model.name}"]', prompts, facts)
    run = store.start(experiment, {}, "CPU", {})
    for prompt, label in zip(prompts, given, strict=True):
        said = f"{text} {prompt.trial.scenario.name} {prompt.trial.condition.name}"
        store.add_generation(prompt.key, run, Generation(said, StopReason.STOP, 1, 1, 0.0))
        if label is not None:
            store.add_verdict(prompt.key, Verdict(judge, label))
    return experiment
