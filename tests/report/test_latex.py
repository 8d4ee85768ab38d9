"""Reports as LaTeX: the numbers of the other forms, texts shown literally, citations complete."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from steertui.report.citations import CITATIONS
from steertui.report.latex_tables import escape
from tests.fixtures import large
from tests.fixtures.program import call

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
