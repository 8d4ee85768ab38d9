"""Jobs of the Judges screen: a test on the control set, and the judging of stored answers."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, get_args

from steertui.analysis.judge_blindness import measure_blindness
from steertui.assets.weights import locate_weights
from steertui.core.judge_kind import JudgeKind, parse_judge_kind
from steertui.core.verdict import CalibrationSource, JuryRule
from steertui.engine.sizing import Overrides
from steertui.errors import JudgeError
from steertui.execution import (
    EngineProgress,
    Event,
    JudgeCalibrated,
    JudgeMeasured,
    JudgeProgress,
    JudgeStopped,
    judge,
)
from steertui.execution.derived_judges import NO_DERIVATION, Derivation
from steertui.execution.judging_plan import JudgingPlan, plan_judging, plan_test
from steertui.execution.plan_lines import judge_plan_line
from steertui.execution.progress import calibrated_line, incident_line, measured_line
from steertui.judge.control import load_control_set
from steertui.judge.rubric import load_rubric
from steertui.paths import new_judges_db
from steertui.planning.judges import (
    Judge,
    JudgeServerOptions,
    find_judge,
    find_judges,
    judge_specification,
)
from steertui.printable import one_line
from steertui.store import Store
from steertui.store.run_lock import run_lock
from steertui.tui.widgets.form import Form, FormLine, Values, first_problem
from steertui.tui.widgets.job_page import Job, JobProgress
from steertui.typed_lists import join_names, split_names
from steertui.units import counted, quantity

NONE = "none"
"""Value of a form line for no derived judge."""

YES = ("yes", "no")

CALIBRATIONS = (NONE, *get_args(CalibrationSource))
RULES = (NONE, *get_args(JuryRule))

CALIBRATION_HINT = (
    "of local judges: prior corrects the labels' prior by the control set; control fits all "
    "weights on the control set; paper adds the paper's imported answers"
)
JURY_HINT = "majority of the labels, or largest mean probability; needs two judges"

COMMON = (
    FormLine("rubric", "rubric", "steertui", "steertui, paper or a TOML file", is_required=True),
    FormLine(
        "hide",
        "hide suffix",
        "no",
        "whether the judge sees the task without its suffix",
        choices=YES,
    ),
)

Ask = Callable[[str, str], bool]
"""Function that asks a question with the verb of Enter, and returns whether to go on."""


class Readings(NamedTuple):
    """Answers that a judge is asked for.

    Attributes:
        stored: answers of the open experiment.
        control: answers of the control set; 0 if it is not read.
    """

    stored: int
    control: int

    @property
    def answers(self) -> str:
        """The answers of the experiment in words."""
        return f"{self.stored:,} {counted(self.stored, 'answer')} of the open experiment"

    @property
    def before(self) -> str:
        """What is read before them, as the end of a sentence; "" for nothing."""
        if not self.control:
            return ""
        return (
            f"; before, the {self.control:,} of the control set, as far as it has not read them "
            "(the demo reads none)"
        )


def test_form(judges: Sequence[str]) -> Form:
    """Return the form of a test; `judges` are tested at first."""
    return Form("Test judges on answers with known labels", [_judges_line(judges), *COMMON], _check)


def label_form(judges: Sequence[str], readings: Readings) -> Form:
    """Return the form of judging; `judges` label at first."""
    question = f"Each judge labels the {readings.answers} that it has not labelled yet"
    lines = [
        _judges_line(judges),
        *COMMON,
        FormLine("calibrate", "calibration", NONE, CALIBRATION_HINT, choices=CALIBRATIONS),
        FormLine("jury", "jury of all", NONE, JURY_HINT, choices=RULES),
    ]
    return Form(f"{question}{readings.before}", lines, _check)


def blind_form(judges: Sequence[str], readings: Readings) -> Form:
    """Return the form of a comparison with and without the suffix; the first judge is compared."""
    line = FormLine("judges", "judge", next(iter(judges), ""), "one model", is_required=True)
    rubric = COMMON[0]
    question = f"The judge labels the {readings.answers} with and without the suffix, to compare"
    return Form(f"{question}{readings.before}", [line, rubric], _check_one)


def _check_one(values: Values) -> str:
    return _check(values) if len(_names(values)) == 1 else "judge: give one model"


def _judges_line(judges: Sequence[str]) -> FormLine:
    hint = "models, separated by commas"
    return FormLine("judges", "judges", join_names(judges), hint, is_required=True)


def _check(values: Values) -> str:
    """Return what is wrong with the values of all lines; "" for nothing."""
    names = _names(values)
    if not names:
        return "judges: give at least one model"
    if values.get("jury", NONE) != NONE and len(names) < 2:
        return "jury of all: give at least two judges"
    return first_problem(lambda: _require_judges(names, values["rubric"]))


def _require_judges(names: Sequence[str], rubric: str) -> None:
    """Raise SteertuiError for a wrong name of a judge or rubric.

    Weights that are on this machine are verified by the job, since that can take minutes.
    """
    loaded = load_rubric(rubric)
    for name in map(judge_specification, names):
        kind = parse_judge_kind(name)
        model = name.removeprefix(kind.prefix)
        if kind is not JudgeKind.LOCAL or locate_weights(model) is None:
            find_judge(name, loaded, hide_suffix=False)


def test_job(values: Values, overrides: Overrides, options: JudgeServerOptions, ask: Ask) -> Job:
    """Let judges read the control set, and store their labels for all databases of the user."""
    options = replace(options, control_set=load_control_set())
    judges = _find(values, options)
    with Store(new_judges_db()) as store:
        plan = plan_test(store, judges, options)
        return (yield from _label(store, plan, overrides, options, ask=ask))


def label_job(
    values: Values,
    stored: tuple[Path, str],
    overrides: Overrides,
    options: JudgeServerOptions,
    ask: Ask,
) -> Job:
    """Label the answers of an experiment, given by its database and id."""
    judges = _find(values, options)
    members = judges if values["jury"] != NONE else ()
    derivation = Derivation(
        None if values["calibrate"] == NONE else values["calibrate"],  # type: ignore[arg-type]
        list(members),
        "majority" if values["jury"] == NONE else values["jury"],  # type: ignore[arg-type]
    )
    db, experiment = stored
    with Store(db, must_exist=True) as store:
        plan = plan_judging(store, experiment, judges, options)
        return (yield from _label(store, plan, overrides, options, ask=ask, derivation=derivation))


def blind_job(
    values: Values,
    stored: tuple[Path, str],
    overrides: Overrides,
    options: JudgeServerOptions,
    ask: Ask,
    show: Callable[[list[str]], None],
) -> Job:
    """Label answers with and without the suffix; `show` gets the differences as lines."""
    judges = [*_find({**values, "hide": "no"}, options), *_find({**values, "hide": "yes"}, options)]
    db, experiment = stored
    with Store(db, must_exist=True) as store:
        plan = plan_judging(store, experiment, judges, options)
        yield from _label(store, plan, overrides, options, ask=ask)
        seeing, blind = (judge.id for judge in plan.judges)
        found = measure_blindness(store, experiment, seeing, blind)
    lines = [[each.title, *(f"  {x.comparison.sentence}." for x in each.lines)] for each in found]
    show([line for each in lines for line in each])
    name = one_line(plan.judges[0].name)
    return f"{name}: compared with and without the suffix, below the agreement"


def _label(
    store: Store,
    plan: JudgingPlan,
    overrides: Overrides,
    options: JudgeServerOptions,
    *,
    ask: Ask,
    derivation: Derivation = NO_DERIVATION,
) -> Job:
    lines = [judge_plan_line(work) for work in plan.work if work.dollars]
    if lines and not ask("\n".join(["This costs money:", *map(one_line, lines)]), "Judge"):
        return "nothing was judged"
    events = judge(
        store,
        plan.experiment,
        plan.judges,
        overrides,
        options,
        unjudged=plan.unjudged,
        derivation=derivation,
    )
    with run_lock(store.path, plan.experiment):
        results = yield from _progress(events)
    results += filter(None, (_unlabelled(store, plan.experiment, one) for one in plan.judges))
    return "; ".join(results) or "labels are complete"


def _unlabelled(store: Store, experiment: str, judge: Judge) -> str:
    """Return how many answers a judge has not labelled although it was asked; "" for none."""
    answers = len(store.answered_keys(experiment))
    missing = answers - store.count_judged(experiment, judge.id)
    if not missing:
        return ""
    name = one_line(judge.name)
    return f"{name} has no label for {missing:,} of {quantity(answers, 'answer')}: it failed there"


def _progress(events: Generator[Event, None, None]) -> Generator[JobProgress, None, list[str]]:
    """Yield the progress of judges; return sentences on the measured and calibrated ones.

    Raises JudgeError if a judge was stopped.
    """
    results = []
    with closing(events):
        for event in events:
            match event:
                case EngineProgress():
                    yield _judging("judging", event.done, event.total)
                case JudgeProgress(name, done, _, total):
                    yield _judging(name, done, total)
                case JudgeMeasured():
                    results.append(measured_line(event).removeprefix("! "))
                case JudgeCalibrated():
                    results.append(calibrated_line(event).removeprefix("! "))
                case JudgeStopped():
                    raise JudgeError(incident_line(event).removeprefix("! "))
                case _:
                    pass
    return results


def _judging(text: str, done: int, total: int) -> JobProgress:
    return JobProgress(text, done, total, f"{done:,} of {total:,} {counted(total, 'answer')}")


def _names(values: Values) -> list[str]:
    return split_names(values["judges"])


def _find(values: Values, options: JudgeServerOptions) -> tuple[Judge, ...]:
    specifications = [judge_specification(name) for name in _names(values)]
    return find_judges(specifications, values["rubric"], values["hide"] == YES[0], options)
