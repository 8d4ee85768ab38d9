"""Derived judges: labels computed from those of other judges, without reading the answers again.

A calibrated judge maps a local judge's probabilities. A jury takes the majority of its members'
labels, or the mean of their probabilities. Each is a judge of its own.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256

from steertui.core.judge_kind import JudgeKind, settings_digest
from steertui.core.verdict import CalibrationSource, JuryRule, Label, Verdict
from steertui.judge.local import METHOD, LocalJudge
from steertui.stats.calibration import Calibration


@dataclass(frozen=True, slots=True)
class CalibratedJudge:
    """A local judge with calibrated probabilities.

    Attributes:
        base: the judge whose probabilities are mapped.
        calibration: the map.
        source: what it was fitted on.
        data: digest of the labelled answers of the fit.
    """

    base: LocalJudge
    calibration: Calibration
    source: CalibrationSource
    data: str

    @property
    def name(self) -> str:
        """The base's name, what the fit was made on, and the digest of its data."""
        return f"{self.base.name}/calibrated:{self.source}-{self.data[:8]}"

    @property
    def id(self) -> str:
        """Identity in the store."""
        return f"{self.name}#{settings_digest(self.settings)}.{METHOD}"

    @property
    def settings(self) -> dict[str, object]:
        """Settings that reproduce the judge, as stored."""
        calibration = asdict(self.calibration) | {"source": self.source, "data": self.data}
        return self.base.settings | {"calibration": calibration}

    def verdict(self, probabilities: Sequence[float]) -> Verdict:
        """Return the verdict for calibrated probabilities: the likeliest label."""
        label = list(Label)[list(probabilities).index(max(probabilities))]
        return Verdict(self.id, label, probabilities=tuple(probabilities))


@dataclass(frozen=True, slots=True)
class Jury:
    """Several judges that decide together.

    Attributes:
        members: ids of the judges, sorted.
        rule: how they decide.
    """

    members: tuple[str, ...]
    rule: JuryRule = "majority"

    @property
    def id(self) -> str:
        """Identity in the store: rule, number of members and a digest of them."""
        digest = sha256(json.dumps(self.members).encode()).hexdigest()[:8]
        return f"{JudgeKind.JURY.prefix}{self.rule}-of-{len(self.members)}-{digest}"

    @property
    def settings(self) -> dict[str, object]:
        """Settings that reproduce the jury, as stored."""
        return {"kind": "jury", "members": list(self.members), "rule": self.rule, "title": ""}

    def verdict(
        self, labels: Sequence[Label], probabilities: Sequence[Sequence[float] | None]
    ) -> Verdict:
        """Return the verdict on an answer; a tie has no label, so that a person decides.

        With "mean", every member must give probabilities. Otherwise, and with "majority", the
        probabilities of the verdict are the shares of the labels.
        """
        known = [own for own in probabilities if own is not None]
        if self.rule == "mean" and len(known) == len(labels):
            shares = tuple(sum(values) / len(known) for values in zip(*known, strict=True))
        else:
            counts = Counter(labels)
            shares = tuple(counts[label] / len(labels) for label in Label)
        first, second = sorted(shares, reverse=True)[:2]
        if first == second:
            votes = ", ".join(label.words for label in labels)
            return Verdict(self.id, None, f"the jury is tied ({votes})", probabilities=shares)
        return Verdict(self.id, list(Label)[shares.index(first)], probabilities=shares)


def data_digest(rows: Mapping[str, tuple[Sequence[float], Label]]) -> str:
    """Return a digest of the labelled answers of a fit, by the keys of their trials."""
    return sha256(json.dumps(sorted(rows.items())).encode()).hexdigest()
