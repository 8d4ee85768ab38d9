"""Reports as LaTeX: the numbers of the other forms, texts shown literally, citations complete."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from steertui.analysis.label_queue import add_label, build_queue
from steertui.core.verdict import Label, Verdict
from steertui.paper.importing import import_runs, read_runs
from steertui.report.citations import CITATIONS
from steertui.report.latex_tables import escape
from steertui.store import Store
from tests.fixtures import large
from tests.fixtures.program import call
from tests.fixtures.real import RUNS, needs_shared

SHOWN = {
    r"100 % of a_b & c#d": r"100 \% of a\_b \& c\#d",
    r"\input{secret}": r"\textbackslash{}input\{secret\}",
    "$x^2$ [-1.0, +2.0]": r"\$x\textasciicircum{}2\$ [$-$1.0, +2.0]",
    "pro − anti, p < 0.001": r"pro $-$ anti, p $<$ 0.001",
    "vector-pro, --limit": "vector-pro, -{}-limit",
    "two\nlines\x1b[31m": None,
}
DOCUMENT = r"""\documentclass{article}
\usepackage{booktabs,amssymb}
\begin{document}
\input{report.tex}
\bibliographystyle{plain}
\bibliography{report}
\end{document}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database and its report in three forms."""
    path = tmp_path_factory.mktemp("latex")
    large.write(path / "a.db", models=2, samples=2, judges=2, words=8)
    for form, name in (("latex", "report.tex"), ("bibtex", "report.bib"), ("json", "report.json")):
        assert call("report", "a.db", "--format", form, "-o", name, cwd=path)[:2] == (0, "")
    return path


@pytest.mark.parametrize(("text", "shown"), SHOWN.items())
def test_texts_are_shown_literally(text: str, shown: str | None) -> None:
    found = escape(text)
    assert shown is None or found == shown
    assert "\n" not in found
    assert "\x1b" not in found
    commands = re.findall(r"\\([a-z]+)", found)
    assert all(command.startswith(("text", "black")) for command in commands)


def test_rates_and_comparisons_are_those_of_the_record(folder: Path) -> None:
    source = (folder / "report.tex").read_text(encoding="utf-8")
    tables = json.loads((folder / "report.json").read_text(encoding="utf-8"))["tables"]
    tabular = re.findall(r"\\midrule\n(.*?)\\bottomrule", source, re.DOTALL)
    rates, comparisons = tabular[::2], tabular[1::2]
    assert len(rates) == len(comparisons) == len(tables) == 4
    for table, rows, gaps in zip(tables, rates, comparisons, strict=True):
        expected = [f"{100 * row['convergence']['value']:.1f}" for row in table["rows"]]
        assert [row.split(" & ")[3].rstrip("*") for row in rows.strip().splitlines()] == expected
        points = [row.split(" & ")[1].replace("$-$", "-") for row in gaps.strip().splitlines()]
        assert points == [f"{gap['points']:+.1f}" for gap in table["comparisons"]]


def test_every_citation_has_an_entry_and_every_entry_is_cited(folder: Path) -> None:
    source = (folder / "report.tex").read_text(encoding="utf-8")
    cited = {*re.findall(r"\\cite\{(\w+)\}", source)}
    entries = re.findall(
        r"^@\w+\{(\w+),$", (folder / "report.bib").read_text(encoding="utf-8"), re.M
    )
    assert {*entries} == cited
    assert cited <= CITATIONS.keys()
    assert {"fisher1935", "wilson1927", "holm1979"} <= cited
    assert "[@" not in source
    wilson = r"~\cite{wilson1927} on the effective sample size, with scenarios as clusters"
    assert wilson in source  # two samples per scenario


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_latex_accepts_the_report(folder: Path) -> None:
    (folder / "paper.tex").write_text(DOCUMENT, encoding="utf-8")
    for command in (
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        ["bibtex", "paper"],
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
    ):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout[-2000:]
    assert "undefined" not in done.stdout


@needs_shared
def test_an_import_names_its_sources_its_settings_and_its_scenarios(tmp_path: Path) -> None:
    sizes = {"baseline": 12, "pro_ic": 28, "anti_ic": 13}
    runs = [
        replace(run, items=run.items[: sizes[run.items[0].mode]])
        for run in read_runs(RUNS)
        if run.name == "Qwen3-4B-Thinking-2507"
    ]
    with Store(tmp_path / "p.db") as store:
        import_runs(runs, store)
        store.add_judge("openai:own#1", "openai:own", {"title": ""})
        for key in store.answered_keys(store.experiments()[-1].id):
            store.add_verdict(key, Verdict("openai:own#1", Label.NO_CONVERGENCE))
    code, source, err = call("report", "p.db", "--format", "latex", cwd=tmp_path)
    assert code == 0, err
    name = "Qwen3-4B-Thinking-2507"
    assert f"{name} has 28 (12 to 28 under each condition, 12 under all)" in source
    assert "53 answers in all" in source
    imported = rf"The answers of {name} were imported from the run logs of~\cite{{hoscilowicz2026"
    assert imported in source
    assert "f698626c63be1275c223ad617f1c0f3837cf5f2e" in source
    assert "Their logs state temperature 0 and at most 8096 new tokens" in source
    assert "The labels of paper:gpt-5.2 (convergence, no convergence," in source
    assert "openai:own labelled each answer" in source
    assert "their counts under baseline, pro and anti are not the published ones" in source
    assert "scenarios like those of each condition" in source


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of the demo, of which a person labelled one answer, in two forms."""
    path = tmp_path_factory.mktemp("demo")
    experiment = ("--demo", "--limit", "4", "--max-tokens", "12", "--temperature", "0.7")
    filters = ("--top-p", "0.9", "--presence-penalty", "0.5")
    assert call("--batch", *experiment, *filters, "--db", "a.db", cwd=path)[0] == 0
    with Store(path / "a.db") as store:
        reference = store.judges(store.experiments()[-1].id)[0].id
        queue = build_queue(store, store.experiments()[-1].id, "human:ann", reference)
        add_label(store, "human:ann", queue[0], Label.CONVERGENCE)
    for form, name in (("latex", "report.tex"), ("json", "report.json")):
        assert call("report", "a.db", "--format", form, "-o", name, cwd=path)[:2] == (0, "")
    return path


def test_captions_of_tables_with_the_demo_say_that_they_mean_nothing(demo: Path) -> None:
    source = (demo / "report.tex").read_text(encoding="utf-8")
    captions = re.findall(r"\\caption\{(.*)\}", source)
    assert len(captions) == 4
    assert all("Demo: means nothing about real models." in caption for caption in captions)
    tables = re.findall(r"\\begin\{table\}.*?\\end\{table\}", source, re.DOTALL)
    marked = [r"* fewer than 90 \% of the planned trials are judged." in own for own in tables]
    assert marked == [".0*" in own for own in tables]
    assert any(marked)


def test_the_methods_say_who_labelled_a_part_and_all_settings_that_change_answers(
    demo: Path,
) -> None:
    source = (demo / "report.tex").read_text(encoding="utf-8")
    kinds = "as convergence, no convergence, safety refusal or nonsensical"
    assert f"local:demo labelled each answer {kinds}. human:ann labelled 1 of 16 answers" in source
    limits = "with at most 12 new tokens, top-p 0.9 and presence penalty 0.5"
    assert f"The sampling temperature was 0.7 (1 sample), {limits}." in source


def test_every_warning_of_a_table_is_in_the_paper(demo: Path) -> None:
    source = (demo / "report.tex").read_text(encoding="utf-8")
    tables = json.loads((demo / "report.json").read_text(encoding="utf-8"))["tables"]
    warnings = [warning["text"] for table in tables for warning in table["warnings"]]
    assert any("are truncated at the token limit" in warning for warning in warnings)
    items = re.findall(r"^\\item (.*)\.$", source, re.M)
    assert {escape(warning) for warning in warnings} <= {*items}


@needs_shared
def test_captions_refer_to_nothing_outside_the_paper(tmp_path: Path) -> None:
    with Store(tmp_path / "p.db") as store:
        import_runs(read_runs(RUNS), store)
    code, source, err = call("report", "p.db", "--format", "latex", cwd=tmp_path)
    assert code == 0, err
    assert "Base and post-trained versions of Qwen3-4B" in source
    assert "detailed report" not in source
    assert r"\item Sensitivity of pro $-$ anti: +42.4 points over all valid answers" in source
