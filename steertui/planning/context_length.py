"""Check that a prompt and its new tokens fit the context of a model."""

from steertui.core.trial import Trial
from steertui.errors import ExperimentError


def require_context(trial: Trial, tokens: int, context: int, owner: str, longer: str) -> None:
    """Raise ExperimentError if a prompt of `tokens` and the maximum new tokens exceed the context.

    `owner` says whose the context is, and `longer` how to get a longer one. A lower maximum is
    advised only where at least one new token fits.
    """
    need = tokens + trial.sampling.max_tokens
    if need <= context:
        return
    place = f"{trial.scenario.name} under {trial.condition.name}"
    if tokens < context:
        raise ExperimentError(
            f"{place}: prompt and maximum tokens need {need} tokens, and {owner} is {context}; "
            f"lower the maximum tokens to at most {context - tokens}, or {longer}"
        )
    raise ExperimentError(
        f"{place}: the prompt alone has {tokens} tokens, and {owner} is {context}; shorten the "
        f"condition's text or the scenario, or {longer}"
    )
