"""Sampling of a judge behind a server: token limit, temperature, reasoning effort."""

from dataclasses import dataclass, fields

from steertui.core.verdict import ReasoningEffort


@dataclass(frozen=True, slots=True)
class JudgeSampling:
    """Settings of a judge's replies. The defaults are the paper's (arXiv 2601.01584, code).

    Attributes:
        max_tokens: maximum number of new tokens, reasoning included [default: 120].
        temperature: sampling temperature [default: 0].
        reasoning_effort: how much the model reasons before its reply [default: "none"].
    """

    max_tokens: int = 120
    temperature: float = 0.0
    reasoning_effort: ReasoningEffort = "none"

    @property
    def changes(self) -> dict[str, object]:
        """The settings that are not at their default, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {n: value for n, value in values.items() if value != getattr(PAPER_SAMPLING, n)}


PAPER_SAMPLING = JudgeSampling()
"""The paper's settings."""
