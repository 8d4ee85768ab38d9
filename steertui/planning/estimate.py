"""Estimate of an experiment before it runs: trials, missing answers and labels, cost, downloads."""

from collections.abc import Sequence
from dataclasses import dataclass

from steertui.core.condition import Condition
from steertui.core.declared_analysis import Pair
from steertui.core.experiment import Experiment
from steertui.core.generation import distinct_samples
from steertui.core.scenario import Scenario
from steertui.planning.example_prompt import ExamplePrompt
from steertui.planning.judge_estimate import JudgeEstimate
from steertui.planning.left_out import LeftOut
from steertui.planning.rates import SecondsPerAnswer
from steertui.planning.reach import Sizes


@dataclass(frozen=True, slots=True)
class GridSize:
    """Lengths of the grid's axes.

    Attributes:
        samples_by_temperature: (temperature, answers per model, scenario and condition).
        primary: the conditions of the primary comparison; None for none.
    """

    models: int = 0
    scenarios: int = 0
    conditions: int = 0
    samples_by_temperature: tuple[tuple[float, int], ...] = ()
    primary: Pair | None = None

    @property
    def samples(self) -> int:
        """Answers per model, scenario and condition, over all temperatures."""
        return sum(samples for _, samples in self.samples_by_temperature)

    @property
    def samples_per_temperature(self) -> int:
        """Samples at the temperature that has the fewest; 0 if unknown."""
        return min((samples for _, samples in self.samples_by_temperature), default=0)

    @property
    def trials(self) -> int:
        """Number of trials."""
        return self.models * self.scenarios * self.conditions * self.samples

    @property
    def has_comparison(self) -> bool:
        """Whether there are conditions to compare."""
        return self.conditions > 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an experiment would do.

    Attributes:
        size: the grid's axes; all 0 if texts have to be fetched first, or on an error.
        answered: number of trials with an answer; None if trial keys are unknown: the weights are
            not on this machine, may not be opened yet, or a model is behind servers, and the
            database has no plan with these settings and texts.
        is_as_stored: whether the trials are those of the stored plan with these settings and texts,
            since the weights are not opened; other weights would be other trials.
        reused: number of these whose answer is that of a trial with another limit of tokens or
            another seed, which would not change it.
        reasons: why trials have no answer, and how many; empty unless it was asked for.
        example: one rendered prompt; None unless it was asked for and prompts can be rendered.
        categories: names of the scenarios' categories.
        conditions: with their texts.
        judges: in the experiment's order.
        unscored: number of answers, existing or not, whose log-likelihood under the unsteered model
            is to be measured; 0 if trial keys are unknown.
        left_out: models that cannot be planned, which are not in the grid.
        trainings: (vector, model) of the vectors that the run trains first.
        needs_consent: whether it is unknown which trials the database has answers to, because the
            weights are opened only after the user agreed.
        downloads: (name, bytes) of missing sources and weights; 0 bytes if the size is unknown.
        seconds_per_answer: mean over the missing answers, at the speed and answer lengths of each
            model's newest run in the database, else on this machine; None if a model has none.
        error: why the experiment cannot run, with a remedy; "" if it can.
    """

    size: GridSize = GridSize()
    answered: int | None = None
    is_as_stored: bool = False
    reused: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    example: ExamplePrompt | None = None
    categories: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    judges: tuple[JudgeEstimate, ...] = ()
    unscored: int = 0
    left_out: tuple[LeftOut, ...] = ()
    trainings: tuple[tuple[str, str], ...] = ()
    needs_consent: bool = False
    downloads: Sizes = ()
    seconds_per_answer: SecondsPerAnswer | None = None
    error: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether a run has nothing to download and nothing to do."""
        is_judged = not any(judge.unjudged for judge in self.judges)
        is_idle = not (self.unanswered or self.unscored or self.downloads or self.trainings)
        return bool(self.size.trials) and is_idle and is_judged and not self.error

    @property
    def unanswered(self) -> int:
        """Number of trials without an answer, as far as is known."""
        return self.size.trials - (self.answered or 0)


def grid_size(
    experiment: Experiment, scenarios: Sequence[Scenario], conditions: Sequence[Condition]
) -> GridSize:
    """Return the size of the grid of an experiment over these texts."""
    samples = tuple((t, distinct_samples(experiment.samples, t)) for t in experiment.temperatures)
    names = [condition.name for condition in conditions]
    grouped = {condition.name for condition in conditions if condition.groups}
    return GridSize(
        models=len(experiment.models),
        scenarios=len(scenarios),
        conditions=len(conditions),
        samples_by_temperature=samples,
        primary=experiment.analysis.comparisons(names, grouped).primary,
    )
