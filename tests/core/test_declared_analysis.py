"""Declared analysis: its defaults, its table in a file, and errors."""

import pytest

from steertui.core.declared_analysis import DeclaredAnalysis
from steertui.core.experiment import Experiment, parse_experiment, with_changes
from steertui.errors import ExperimentError

PAPER = ("baseline", "pro", "anti")


def test_by_default_the_papers_gap_is_primary_and_the_others_face_the_baseline() -> None:
    planned = DeclaredAnalysis().comparisons(["baseline", "pro", "anti", "vector"])
    assert planned.primary == ("pro", "anti")
    assert planned.secondary == (
        ("pro", "baseline"),
        ("baseline", "anti"),
        ("vector", "baseline"),
    )
    assert planned.exploratory(["baseline", "pro", "anti", "vector"]) == (
        ("vector", "pro"),
        ("vector", "anti"),
    )


@pytest.mark.parametrize(
    ("conditions", "primary", "secondary"),
    [
        (("pro", "baseline"), ("pro", "baseline"), ()),
        (("a", "b", "c"), ("b", "a"), (("c", "a"),)),
        (("x", "baseline", "y"), ("baseline", "x"), (("y", "baseline"),)),
        (("pro",), None, ()),
    ],
)
def test_other_conditions_have_a_primary_comparison_too(
    conditions: tuple[str, ...],
    primary: tuple[str, str] | None,
    secondary: tuple[tuple[str, str], ...],
) -> None:
    planned = DeclaredAnalysis().comparisons(conditions)
    assert (planned.primary, planned.secondary) == (primary, secondary)


def test_a_file_declares_primary_family_and_margin() -> None:
    experiment = parse_experiment(
        '[analysis]\nprimary = ["pro", "baseline"]\npairs = [["pro", "anti"]]\nmargin = 5'
    )
    planned = experiment.analysis.comparisons(PAPER)
    assert planned.declared == (("pro", "baseline"), ("pro", "anti"))
    assert planned.margin == 5
    assert parse_experiment(experiment.to_toml()) == experiment
    every = parse_experiment('[analysis]\nfamily = "all-pairs"').analysis.comparisons(PAPER)
    assert len(every.declared) == 3
    other = parse_experiment('[analysis]\nreference = "pro"').analysis.comparisons(PAPER)
    assert other.secondary == (("pro", "baseline"), ("baseline", "anti"))


def test_a_file_without_the_table_has_the_default() -> None:
    assert parse_experiment("seed = 1").analysis == DeclaredAnalysis()


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('primary = ["pro"]', "analysis.primary: pro is not a pair; give two different conditions"),
        ('primary = ["pro", "pro"]', "analysis.primary: pro, pro is not a pair; give two"),
        ("pairs = [[]]", "analysis.pairs: an empty list is not a pair; give two different"),
        ('primary = ["pro", "x"]', "analysis: x is not among the conditions of the experiment"),
        ('reference = "x"', r"analysis: x is not among .* \(baseline, pro, anti\); add it there"),
        ('pairs = [["pro", "anti"], ["anti", "pro"]]', "one comparison is given twice"),
        ("margin = 0", "analysis.margin: 0 is out of range"),
        ("margin = nan", "analysis.margin: nan is out of range"),
        ('family = "some"', "key 'analysis.family': input should be 'reference' or 'all-pairs'"),
        ("alpha = 0.1", "unknown key 'analysis.alpha'; remove it or correct its name"),
    ],
)
def test_a_wrong_table_is_one_sentence(toml: str, message: str) -> None:
    with pytest.raises(ExperimentError, match=message):
        parse_experiment(f"[analysis]\n{toml}")


def test_conditions_that_an_option_leaves_out_must_not_be_declared() -> None:
    experiment = parse_experiment('[analysis]\nprimary = ["pro", "anti"]')
    with pytest.raises(ExperimentError, match="analysis: anti is not among the conditions"):
        with_changes(experiment, {"conditions": ["baseline", "pro"]})
    assert with_changes(Experiment(), {"conditions": ["baseline", "pro"]}).analysis.primary == []
