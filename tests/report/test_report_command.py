"""`steertui report` on the database of a real run."""

import csv
import html
import io
import json
from pathlib import Path

import pytest

from steertui.analysis.sentences import p_text
from tests.fixtures import large
from tests.fixtures.program import call

HOLM = "Holm over the gaps and over the rates separately"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    assert call("--batch", "--limit", "6", "--max-tokens", "24", "--db", "a.db", cwd=path)[0] == 0
    return path


def test_every_format_has_the_same_numbers_and_the_warning_on_the_demo(folder: Path) -> None:
    code, terminal, _ = call("report", "a.db", "--detail", cwd=folder)
    assert code == 0
    markdown = call("report", "a.db", "--format", "markdown", cwd=folder)[1]
    table = json.loads(call("report", "a.db", "--format", "json", cwd=folder)[1])
    assert all("scripted stand-in" in text for text in (terminal, markdown, table["notices"][0]))
    (found,) = table["tables"]
    headline = found["comparisons"][0]
    assert (headline["first"], headline["second"]) == ("pro", "anti")
    assert headline["sentence"] in terminal
    for row in found["rows"]:
        rate = row["convergence"]
        assert row["counts"]["planned"] == 6
        shown = "–" if rate["value"] is None else f"{100 * rate['value']:.1f}"
        assert f"| {row['condition']} | 6 | {rate['total']} | {shown} |" in markdown


def test_csv_has_one_row_per_trial_and_adds_up_to_the_rates(folder: Path) -> None:
    rows = list(
        csv.DictReader(io.StringIO(call("report", "a.db", "--format", "trials-csv", cwd=folder)[1]))
    )
    assert len(rows) == 18
    table = json.loads(call("report", "a.db", "--format", "json", cwd=folder)[1])["tables"][0]
    for row in table["rows"]:
        own = [r for r in rows if r["condition"] == row["condition"]]
        converged = sum(r["label"] == "convergence" for r in own)
        assert converged == row["counts"]["convergence"]


def test_policies_change_only_the_denominator(folder: Path) -> None:
    tables = {
        policy: json.loads(
            call("report", "a.db", "--format", "json", "--policy", policy, cwd=folder)[1]
        )["tables"][0]["rows"]
        for policy in ("paper", "all", "exclude-refusals")
    }
    for paper, whole, excluding in zip(*tables.values(), strict=True):
        counts = paper["counts"]
        assert paper["convergence"]["total"] == counts["valid"]
        assert whole["convergence"]["total"] == counts["judged"]
        assert excluding["convergence"]["total"] == counts["valid"] - counts["safety_refusal"]
        assert {r["convergence"]["count"] for r in (paper, whole, excluding)} == {
            counts["convergence"]
        }


def test_the_denominator_of_refusals_is_stated_where_it_is_not_the_valid_answers(
    folder: Path,
) -> None:
    words = "refusals among those that are not nonsensical"
    for form in ("terminal", "markdown", "html", "latex"):
        for policy in ("paper", "exclude-refusals"):
            options = ("--format", form, "--policy", policy, "-o", f"{policy}.{form}")
            assert call("report", "a.db", *options, cwd=folder)[0] == 0
            text = " ".join((folder / f"{policy}.{form}").read_text(encoding="utf-8").split())
            assert (words in text) == (policy != "paper"), form


def shown_text(folder: Path, db: str, form: str) -> str:
    """Return a detailed report in one line."""
    code, _, err = call("report", db, "--detail", "--format", form, "-o", form, cwd=folder)
    assert code == 0, err
    text = html.unescape((folder / form).read_text(encoding="utf-8"))
    return " ".join(text.replace("\\", "").split())


@pytest.mark.parametrize("form", ["terminal", "markdown", "html"])
def test_missing_intervals_and_arbitrary_pairs_of_samples_are_explained(
    folder: Path, form: str
) -> None:
    few = shown_text(folder, "a.db", form)  # one scenario per category, one sample
    assert "–: no interval with fewer than 4 pairs" in few
    assert "P(gap > 0): posterior probability" in few
    assert "pairing is arbitrary" not in few
    large.write(folder / f"{form}.db", models=1, samples=2, words=8)
    sampled = shown_text(folder, f"{form}.db", form)
    assert "P(gap > 0) is not computed with several samples per scenario" in sampled
    assert "so this pairing is arbitrary" in sampled
    assert "–: no interval" not in sampled


def test_a_missing_database_and_an_unknown_experiment_are_named(folder: Path) -> None:
    code, _, err = call("report", "none.db", cwd=folder)
    assert (code, err) == (
        1,
        "steertui: none.db: no such database; give one that a run has written\n",
    )
    assert not (folder / "none.db").exists()
    code, _, err = call("report", "a.db", "--experiment", "x", cwd=folder)
    assert code == 1
    assert err.startswith("steertui: x: no such experiment; there are ")
    for option in ("model", "condition", "judge"):
        code, _, err = call("report", "a.db", f"--{option}", "x", cwd=folder)
        assert code == 1
        assert err.startswith(f"steertui: x: no such {option}; there are ")


def test_conditions_and_models_are_selected_by_options_and_keep_their_numbers(folder: Path) -> None:
    whole = json.loads(call("report", "a.db", "--format", "json", cwd=folder)[1])["tables"][0]
    chosen = "--condition", "pro", "--condition", "anti", "--model", "demo"
    found = json.loads(call("report", "a.db", "--format", "json", *chosen, cwd=folder)[1])
    (table,) = found["tables"]
    assert [row["condition"] for row in table["rows"]] == ["pro", "anti"]
    assert table["comparisons"] == whole["comparisons"][:1]


def test_two_models_and_two_judges_are_compared(tmp_path: Path) -> None:
    large.write(tmp_path / "b.db", models=2, samples=1, judges=2, words=5)
    found = json.loads(call("report", "b.db", "--format", "json", cwd=tmp_path)[1])
    titles = [comparison["title"] for comparison in found["comparisons"]]
    over = "Judges compared over the answers that both labelled, on"
    assert titles == [
        f"Models compared, judged by local:made-0; exploratory, {HOLM}",
        f"Models compared, judged by local:made-1; exploratory, {HOLM}",
        f"{over} made-0, temperature 0.7; exploratory, {HOLM}",
        f"{over} made-1, temperature 0.7; exploratory, {HOLM}",
    ]
    for comparison in found["comparisons"]:
        whats = [line["what"] for line in comparison["lines"]]
        assert whats == ["pro − anti", "baseline", "pro", "anti", "placebo"]
    code, terminal, err = call("report", "b.db", "--detail", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "Models compared, judged by local:made-1" in terminal


def test_the_p_values_over_the_models_are_printed(tmp_path: Path) -> None:
    large.write(tmp_path / "b.db", models=2, samples=1, judges=1, words=5)
    tables = json.loads(call("report", "b.db", "--format", "json", cwd=tmp_path)[1])["tables"]
    values = [
        f"made-{i} {p_text(table['primary_p_over_settings'])}" for i, table in enumerate(tables)
    ]
    words = f"(exact test, Holm over 2 model settings: {', '.join(values)})"
    for form in ("terminal", "markdown"):
        text = call("report", "b.db", "--format", form, cwd=tmp_path)[1]
        assert words in text.replace("\\", "")
    alone = call("report", "b.db", "--model", "made-1", cwd=tmp_path)[1]
    assert f"on made-1 has {values[1].removeprefix('made-1 ')} after Holm over the 2 model" in alone


def test_two_experiments_with_the_same_model_have_different_titles(folder: Path) -> None:
    options = ("--limit", "6", "--max-tokens", "25", "--db", "twice.db")
    assert call("--batch", *options, cwd=folder)[0] == 0
    assert "experiment" not in call("report", "twice.db", cwd=folder)[1]
    assert call("--batch", *options[:3], "26", *options[4:], cwd=folder)[0] == 0
    listed = call("report", "twice.db", "--list-experiments", cwd=folder)[1].split("\n")
    text = call("report", "twice.db", "--experiment", "all", cwd=folder)[1]
    titles = [line for line in listed if line and not line.startswith(" ")]
    assert len(titles) == 2
    assert text.count("Tests for each model, temperature and judge: ") == 1
    for line in titles:
        assert f"judged by local:demo, experiment {line.split()[0]}" in text
