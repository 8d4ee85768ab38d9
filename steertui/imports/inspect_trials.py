"""Trials of inspect_ai runs: scenarios and conditions, derived from the prompts of the logs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from steertui.core.condition import Condition
from steertui.core.instrumentaleval import PACK, benchmark_id
from steertui.core.prompt import ChatMessages, Prompt
from steertui.core.scenario import Scenario, first_words
from steertui.core.trial import Trial
from steertui.errors import SourceError, shorten
from steertui.imports.inspect_run import InspectRun
from steertui.imports.inspect_sample import Sample
from steertui.untrusted import table_of, text_of

ORDER = ("baseline", "pro", "anti", "placebo")
"""Conditions that come first, in this order."""

_CATEGORY_KEYS = ("category", "task_type")


@dataclass(frozen=True, slots=True)
class Entry:
    """One sample of a run, with the names of its scenario and condition."""

    run: InspectRun
    sample: Sample
    scenario: str
    condition: str


def entries_of(runs: Sequence[InspectRun]) -> list[Entry]:
    """Return the samples of the runs; raises SourceError for a run without a condition's name."""
    return [
        Entry(run, sample, _scenario_name(run, sample), _condition_name(run, sample))
        for run in runs
        for sample in run.samples
    ]


def _scenario_name(run: InspectRun, sample: Sample) -> str:
    if not (sample.id and sample.task):
        raise SourceError(
            f"{run.log.path}: sample {shorten(sample.id)!r} has no id or no user message as its "
            "input; remove it from the log"
        )
    known = benchmark_id(sample.task)
    if known:
        return f"{PACK}/{known}"
    stated = shorten(text_of(sample.metadata.get("scenario")), 200)
    if "/" in stated and not stated.startswith(f"{PACK}/"):
        return stated
    dataset = text_of(table_of(run.spec.get("dataset")).get("name"))
    pack = shorten(dataset.replace("/", "-"), 100) or run.task
    return f"{'imported' if pack == PACK else pack}/{sample.id}"


def _condition_name(run: InspectRun, sample: Sample) -> str:
    """Return the name of a sample's condition: given, or stated as `condition` by the log."""
    places = (
        sample.metadata,
        table_of(run.spec.get("task_args")),
        table_of(run.spec.get("metadata")),
    )
    stated = (text_of(place.get("condition")) for place in places)
    name = run.condition or next(filter(None, stated), "")
    if not name and all(s.failure or s.user == s.task for s in run.samples):
        name = ORDER[0]
    if not name:
        raise SourceError(
            f"{run.log.path}: names no condition (task argument or metadata `condition`); give it "
            f"as NAME={run.log.path.name}"
        )
    return shorten(name, 100)


def scenarios_of(entries: Sequence[Entry]) -> dict[str, Scenario]:
    """Return the scenarios by name.

    Raises SourceError if two logs have different tasks for one name.
    """
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        by_name.setdefault(entry.scenario, []).append(entry)
    return {name: _scenario(name, own) for name, own in by_name.items()}


def _scenario(name: str, entries: Sequence[Entry]) -> Scenario:
    first = entries[0].sample
    task = min((entry.sample.task for entry in entries), key=len)
    if any(task.strip() not in entry.sample.task for entry in entries):
        raise SourceError(
            f"{entries[0].run.log.path}: sample {shorten(first.id)!r} has another task in another "
            "log; import the logs of each dataset in a call of its own"
        )
    systems = {entry.sample.system for entry in entries if not entry.sample.failure}
    metadata = first.metadata
    category = next(filter(None, (text_of(metadata.get(key)) for key in _CATEGORY_KEYS)), "")
    pack, _, identity = name.partition("/")
    return Scenario(
        pack=pack,
        id=identity,
        category=shorten(category, 100) or entries[0].run.task,
        title=shorten(text_of(metadata.get("title")), 100) or first_words(task),
        task=task,
        system=systems.pop() if len(systems) == 1 else "",
    )


def conditions_of(
    entries: Sequence[Entry], scenarios: Mapping[str, Scenario]
) -> dict[str, Condition]:
    """Return the conditions by name, the known ones first."""
    texts: dict[str, set[tuple[str, str, str] | None]] = {}
    for entry in entries:
        own = texts.setdefault(entry.condition, set())
        if not entry.sample.failure:
            own.add(_added_texts(entry.sample, scenarios[entry.scenario]))
    places = {name: index for index, name in enumerate(ORDER)}
    names = sorted(texts, key=lambda name: places.get(name, len(places)))
    return {name: _condition(name, texts[name]) for name in names}


def _added_texts(sample: Sample, scenario: Scenario) -> tuple[str, str, str] | None:
    """Return what a prompt has before and after the task and as system text; None if the user
    message does not contain the task."""
    before, task, after = sample.user.partition(scenario.task.strip())
    if not task:
        return None
    return before.strip(), after.strip(), sample.system if sample.system != scenario.system else ""


def _condition(name: str, texts: Iterable[tuple[str, str, str] | None]) -> Condition:
    found = [*texts]
    if len(found) == 1 and found[0]:
        prefix, suffix, system = found[0]
        return Condition(name, suffix, "from inspect_ai logs", prefix=prefix, system=system)
    return Condition(name, "", NO_TEXT if found else "from inspect_ai logs, without an answer")


NO_TEXT = "its text is unknown: the logged prompts are not the task with one text around it"


def prompts_of(
    entries: Sequence[Entry],
    scenarios: Mapping[str, Scenario],
    conditions: Mapping[str, Condition],
) -> Iterator[Prompt]:
    """Yield the prompt of each entry, as it was sent.

    Raises SourceError if two logs have the same trial.
    """
    logs: dict[str, InspectRun] = {}
    for entry in entries:
        trial = Trial(
            model=entry.run.model,
            scenario=scenarios[entry.scenario],
            condition=conditions[entry.condition],
            sampling=entry.run.sampling,
            sample=entry.sample.epoch - 1,
        )
        sent = entry.sample.messages or (("user", trial.user),)
        content = ChatMessages(tuple({"role": role, "content": text} for role, text in sent))
        prompt = Prompt(trial, content, trial.key(content.text))
        other = logs.setdefault(prompt.key, entry.run)
        if other is not entry.run:
            raise SourceError(
                f"{entry.run.log.path}: has the same trials as {other.log.path}; give each "
                "condition of a model once, or name the conditions (NAME=LOG)"
            )
        yield prompt
