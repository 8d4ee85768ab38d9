"""Details of gaps: which choices are material, and for which reason."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from steertui.analysis.category_rows import category_legend, category_row
from steertui.analysis.formatting import (
    comparison_legend,
    comparison_row,
    over_categories_sentence,
)
from steertui.analysis.gap_details import (
    odds_ratio_sentence,
    sensitivity_sentence,
    short_sensitivity,
)
from steertui.analysis.primary_gaps import (
    pooled_gaps,
    primary_over_settings,
    several_settings_sentences,
)
from steertui.analysis.table import Table, make_table
from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.rate import Policy
from steertui.store import JudgeInfo, ModelSetting

C, N, S, X = Label


def table(
    labels: Mapping[str, Sequence[Label | None]],
    categories: int = 6,
    unjudged: Mapping[str, int] | None = None,
) -> Table:
    """Return the table of labels by condition; None for a scenario without an answer there.

    `unjudged` are the numbers of first scenarios by condition whose second answer has no label.
    """
    outcomes = [
        Outcome(
            scenario=str(number),
            category=str(number % categories),
            condition=condition,
            sample=0,
            generated=True,
            truncated=False,
            label=label,
            failed=False,
        )
        for condition, own in labels.items()
        for number, label in enumerate(own)
        if label
    ]
    for condition, count in (unjudged or {}).items():
        own = [each for each in outcomes if each.condition == condition][:count]
        outcomes += [each._replace(sample=1, label=None) for each in own]
    judge, setting = JudgeInfo("a", "a", "", JudgeKind.LOCAL), ModelSetting("sha", "model", "", 0.0)
    return make_table("e", setting, judge, outcomes, Policy.PAPER)


def test_missing_answers_are_not_called_nonsensical_or_refused() -> None:
    found = table(
        {
            "pro": [C] * 28,
            "anti": [C, *[N] * 10, *[N] * 17],
            "baseline": [*[C] * 11, *[None] * 16, N],
        }
    )
    # pro - baseline: 28 of 28 against 11 of 12 over all, and over the 12 shared scenarios.
    short = [*short_sensitivity(found)]
    assert short == []
    found = table(
        {
            "pro": [*[C] * 10, *[N] * 10],
            "anti": [N] * 20,
            "baseline": [*[C] * 10, *[None] * 10],
        }
    )
    (line,) = short_sensitivity(found)
    assert line.startswith(
        "Also material: pro − baseline is -50.0 points over all valid answers of each condition, "
        "+0.0 over the 10 scenarios valid under both"
    )
    assert "onsensical" not in line
    assert "efusal" not in line


def test_planned_scenarios_are_those_planned_under_both_conditions() -> None:
    found = table(
        {
            "pro": [*[C] * 10, *[N] * 10, X, *[None] * 9],
            "anti": [*[N] * 11, *[None] * 9, N, N, *[N] * 8],
        }
    )
    assert found.primary is not None
    assert "Of 11 scenarios valid under both (12 planned) 10 converged" in found.primary.evidence


def test_the_bounds_name_the_gap_that_they_bound() -> None:
    found = table({"pro": [*[C] * 10, *[N] * 10], "anti": [*[N] * 10, *[X] * 10]})
    assert found.primary is not None
    assert (
        "+50.0 points over all valid answers of each condition, +100.0 over the 10 scenarios valid "
        "under both" in sensitivity_sentence(found.primary)
    )
    assert "the +50.0 would be +0.0 to +50.0 if the nonsensical answers" in (
        sensitivity_sentence(found.primary)
    )


def test_a_gap_over_shared_scenarios_is_marked_beside_the_rates() -> None:
    found = table({"pro": [*[C] * 10, *[N] * 10], "anti": [*[N] * 10, *[X] * 10]})
    whole = table({"pro": [C] * 10, "anti": [N] * 10})
    assert found.primary is not None
    assert whole.primary is not None
    assert comparison_row(found.primary)[0] == "▲ pro − anti†"
    assert "† gap over the scenarios valid under both" in comparison_legend([found.primary])
    assert comparison_row(whole.primary)[0] == "▲ pro − anti"
    assert "†" not in comparison_legend([whole.primary])


def test_intervals_hold_at_once_within_each_family() -> None:
    labels = {name: [*[C] * 5, *[N] * 5] for name in ("pro", "anti", "baseline", "placebo")}
    legend = comparison_legend(table(labels).comparisons)
    assert "that of the primary comparison is at 95 %, those of the" in legend
    assert legend.endswith("so that those of each family hold at once with about 95 %")


def test_a_rate_of_a_category_has_the_mark_of_low_coverage() -> None:
    found = table({"pro": [C] * 12, "anti": [N] * 12}, unjudged={"anti": 2})
    rows = [category_row(category, ["pro", "anti"]) for category in found.categories]
    assert [row[1:3] for row in rows] == [("100.0", "0.0*")] * 2 + [("100.0", "0.0")] * 4
    assert category_legend(found).startswith("* fewer than 90 % of the planned trials are judged. ")
    whole = table({"pro": [C] * 12, "anti": [N] * 12})
    assert "fewer than 90 %" not in category_legend(whole)


def test_two_pairs_of_a_category_have_no_interval() -> None:
    found = table({"pro": [C] * 12, "anti": [N] * 12})
    assert all(category_row(category, [])[1:3] == ("+100.0", "–") for category in found.categories)
    (one,) = table({"pro": [C] * 12, "anti": [N] * 12}, categories=1).categories
    assert category_row(one, [])[2].startswith("[")


def test_the_gap_of_a_category_is_over_shared_scenarios_if_that_is_material() -> None:
    labels = {"pro": [*[C] * 10, *[N] * 10], "anti": [*[N] * 10, *[X] * 10]}
    found = table(labels, categories=1)
    (one,) = found.categories
    assert category_row(one, [])[:2] == ("0†", "+100.0")
    assert category_legend(found).startswith("Categories: † gap over the scenarios valid under")
    whole = table({"pro": [C] * 10, "anti": [N] * 10}, categories=1)
    assert category_row(whole.categories[0], [])[0] == "0"
    assert "†" not in category_legend(whole)


def test_an_odds_ratio_in_a_family_is_called_uncorrected() -> None:
    labels = {"pro": [C] * 8, "anti": [N] * 8, "baseline": [*[C] * 5, *[N] * 3]}
    found = table(labels)
    assert found.primary is not None
    assert odds_ratio_sentence(found.primary).endswith("exact)")
    assert odds_ratio_sentence(found.secondary[0]).endswith("not corrected for the family)")


def test_categories_without_pairs_are_not_generalised_from() -> None:
    whole = {"pro": [*[C] * 11, N], "anti": [N] * 12}
    assert "categories like the 6 with pairs" in over_categories_sentence(table(whole))
    anti: list[Label | None] = [*[None] * 9, N, N, N]
    assert over_categories_sentence(table({"pro": [C] * 12, "anti": anti})) == ""


def test_equal_gaps_of_several_models_are_one_number() -> None:
    def settings(labels: Mapping[str, Sequence[Label | None]]) -> list[Table]:
        one = table(labels)
        return [one, replace(one, setting=replace(one.setting, model="other"))]

    equal = settings({"pro": [N] * 10, "anti": [N] * 10})
    (line, *_) = several_settings_sentences(equal, equal)
    assert line.startswith("Judged by a, pro − anti is 0.0 points in all 2 model settings; ")
    shared = settings({"pro": [*[C] * 10, *[N] * 10], "anti": [*[N] * 10, *[X] * 10]})
    (line, *_) = several_settings_sentences(shared, shared)
    assert "where marked †, over shared scenarios" in line


def test_a_model_without_pairs_is_in_no_sentence_on_several_models() -> None:
    apart = table({"pro": [C, N, X, X], "anti": [X, X, N, N]})
    unjudged = [outcome._replace(label=None) for outcome in apart.outcomes]
    unlabelled = make_table("e", apart.setting, apart.judge, unjudged, Policy.PAPER)
    assert unlabelled.primary
    names = ("pairs", "apart", "empty")

    def named(*tables: Table) -> list[Table]:
        own = zip(names[-len(tables) :], tables, strict=True)
        return [replace(t, setting=replace(t.setting, model=n, name=n)) for n, t in own]

    untested = named(apart, unlabelled)
    assert primary_over_settings(untested) == {}
    assert [*several_settings_sentences(untested, untested)] == []
    mixed = named(table({"pro": [C] * 8, "anti": [N] * 8}), apart, unlabelled)
    assert [*primary_over_settings(mixed)] == [mixed[0].key]
    (line,) = several_settings_sentences(mixed, mixed)
    assert line.startswith("Judged by a, pro − anti on pairs has p = ")
    assert pooled_gaps(mixed) == []
