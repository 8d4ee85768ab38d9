"""Labels from the values of inspect_ai's scorers, and the judges that stand for the scorers."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from steertui.core.judge_kind import JudgeKind
from steertui.core.model import DEMO, STAND_IN_TITLE, is_stand_in
from steertui.core.verdict import Label, Verdict
from steertui.errors import shorten
from steertui.imports.inspect_sample import Sample
from steertui.units import list_text, quantity
from steertui.untrusted import table_of, tables_of, text_of

MAX_VALUES = 8
"""Values that a message lists."""


def parse_mapping(texts: Sequence[str]) -> dict[str, Label]:
    """Return labels by the scorer's value from texts such as "C=convergence".

    Raises ValueError for a text of another form.
    """
    mapping = {}
    for text in texts:
        value, equals, label = text.rpartition("=")
        if not (value and equals and label in [*Label]):
            raise ValueError(f"{text} is not VALUE=LABEL with a label of {list_text(Label)}")
        mapping[value] = Label(label)
    return mapping


def label_of(value: str, mapping: Mapping[str, Label]) -> Label | None:
    """Return the label of a scorer's value: by `mapping`, else by its name; None if it is none."""
    if value in mapping:
        return mapping[value]
    name = value.strip().lower().replace(" ", "_").replace("-", "_")
    return Label(name) if name in [*Label] else None


@dataclass(frozen=True, slots=True)
class ScorerJudge:
    """A scorer with its settings, as a judge.

    Attributes:
        scorer: its name in the log's scores.
        settings: the settings that the log states, and the mapping of values to labels.
        title: the judge's title if it is that of the demo checkpoint; "" otherwise.
        values: number of scores by value.
    """

    scorer: str
    settings: Mapping[str, Any]
    title: str = ""
    values: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        """The judge's name, without the digest of its settings."""
        return f"{JudgeKind.INSPECT.prefix}{self.scorer}"

    @property
    def id(self) -> str:
        """The judge's id: two scorers with other settings are two judges."""
        text = json.dumps(self.settings, sort_keys=True, default=str)
        return f"{self.name}#{sha256(text.encode()).hexdigest()[:12]}"

    @property
    def record(self) -> dict[str, object]:
        """The judge's settings as they are stored."""
        return {
            "kind": "imported labels",
            "title": self.title,
            "source": "inspect_ai",
            **self.settings,
        }

    def verdict(self, sample: Sample, mapping: Mapping[str, Label]) -> Verdict:
        """Return the verdict on a sample; a value that is no label is a failure."""
        value, explanation = sample.scores[self.scorer]
        label = label_of(value, mapping)
        failure = "" if label else f"the scorer's value is {shorten(value)!r}, which is no label"
        return Verdict(self.id, label, failure, reason=explanation)

    def problem(self, mapping: Mapping[str, Label]) -> str:
        """Return the sentence on values that are no label; "" if all are."""
        others = {v: n for v, n in self.values.items() if not label_of(v, mapping)}
        if not others:
            return ""
        shown = list_text(repr(shorten(value, 40)) for value in [*others][:MAX_VALUES])
        more = f" and {len(others) - MAX_VALUES} more" if len(others) > MAX_VALUES else ""
        how = "map a value with --label VALUE=LABEL"
        if len(others) == len(self.values):
            return (
                f"scorer {self.scorer}: not imported, because its values ({shown}{more}) are none "
                f"of the four labels; {how}"
            )
        return (
            f"scorer {self.scorer}: {quantity(sum(others.values()), 'score')} ({shown}{more}) "
            f"{'is' if sum(others.values()) == 1 else 'are'} none of the four labels and stored as "
            f"failures, which no rate counts; {how}"
        )

    def is_imported(self, mapping: Mapping[str, Label]) -> bool:
        """Whether at least one of its values is a label."""
        return any(label_of(value, mapping) for value in self.values)


def scorer_judges(
    spec: Mapping[str, Any], samples: Sequence[Sample], mapping: Mapping[str, Label]
) -> Iterator[ScorerJudge]:
    """Yield the scorers of a log as judges; `spec` is the log's `eval`."""
    by_name = {text_of(s.get("name")).rpartition("/")[2]: s for s in tables_of(spec.get("scorers"))}
    for scorer in dict.fromkeys(name for sample in samples for name in sample.scores):
        stated = by_name.get(scorer.rpartition("/")[2], {})
        settings = {
            "options": table_of(stated.get("options")),
            "grader": text_of(
                table_of(table_of(spec.get("model_roles")).get("grader")).get("model")
            ),
            "labels": {value: label.value for value, label in sorted(mapping.items())},
        }
        values = Counter(s.scores[scorer][0] for s in samples if scorer in s.scores)
        yield ScorerJudge(scorer, settings, _demo_title(scorer, stated), values)


def _demo_title(scorer: str, stated: Mapping[str, Any]) -> str:
    """Return the title of a scorer that is the demo checkpoint; "" for any other scorer.

    Logs of this program state the title of a judge; older ones have the name alone.
    """
    title = shorten(text_of(table_of(stated.get("metadata")).get("title")), 100)
    if scorer == f"{JudgeKind.LOCAL.prefix}{DEMO}":
        title = title or STAND_IN_TITLE
    return title if is_stand_in(title) else ""
