"""Report screen: it says everything that the printed report says."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from textual.pilot import Pilot
from textual.widgets import Static

from steertui.analysis.summary import summarise_experiment
from steertui.core.condition import Condition
from steertui.core.verdict import Label
from steertui.engine.sizing import Overrides
from steertui.paper.comparison import compare_with_paper
from steertui.report import terminal
from steertui.stats.rate import Policy
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.results.report_screen import ReportScreen
from steertui.tui.results.results_screen import ResultsScreen
from steertui.tui.session import open_session
from tests.fixtures import grouped, large
from tests.fixtures.screens import drive, press


def printed(db: Path, policy: Policy, *, detail: bool) -> list[str]:
    """Return the words of the report that a terminal shows."""
    with Store(db) as store:
        summary = summarise_experiment(store, large.experiment_of(db), policy)
        paper = compare_with_paper(store, summary)
        parts = terminal.draw(summary, detail=detail, paper=paper, detail_key="press d")
        console = Console(file=io.StringIO(), width=200)
        console.print(*parts)
        file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().split()


def shown(app: SteertuiApp) -> list[str]:
    """Return the words of the Report screen, scrolled or not."""
    text = app.screen.query_one("#report-text", Static)
    lines = [text.render_line(y).text for y in range(text.size.height)]
    return "\n".join(lines).split()


def test_the_screen_says_what_the_report_says(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    large.write(db, models=2, samples=1, words=4)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4", "r")
        assert isinstance(app.screen, ReportScreen)
        assert sorted(shown(app)) == sorted(printed(db, Policy.PAPER, detail=False))
        await press(pilot, "d")
        assert sorted(shown(app)) == sorted(printed(db, Policy.PAPER, detail=True))
        await press(pilot, "escape", "o", "down", "enter", "r", "d")
        assert sorted(shown(app)) == sorted(printed(db, Policy.ALL, detail=True))
        await press(pilot, "escape")
        assert isinstance(app.screen, ResultsScreen)

    drive(open_session(None, db, Overrides(threads=1)), story, (206, 60))


@pytest.mark.parametrize("kind", ["models", "doses", "contest"])
def test_no_command_line_option_is_advised_on_the_screens(tmp_path: Path, kind: str) -> None:
    """Nonsensical answers under every condition give the sentences on policies."""
    db = tmp_path / "a.db"
    if kind == "models":
        large.write(db, models=3, samples=1, words=4)
    else:
        doses = grouped.dose_conditions(tmp_path, -0.4, 0.4)
        contest = grouped.contest_conditions(tmp_path, 2, 2)
        grouped.write(db, doses if kind == "doses" else contest, nonsense_under_steering, 40)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4")
        sentences = str(app.screen.query_one("#sentences", Static).render())
        await press(pilot, "r")
        texts = [sentences, " ".join(shown(app))]
        assert "press d" in texts[-1]
        await press(pilot, "d")
        texts.append(" ".join(shown(app)))
        assert "policy" in "".join(texts)
        for text in texts:
            assert not re.findall(r"--[a-z-]+|steertui (?:report|judge|agree)[^.]*", text)

    drive(open_session(None, db, Overrides(threads=1)), story, (206, 60))


def nonsense_under_steering(condition: Condition, number: int) -> Label:
    """Return labels of which many are nonsensical under all conditions but the first."""
    if number % 5 < 2 and (condition.suffix or condition.vector):
        return Label.NONSENSICAL
    return Label.CONVERGENCE if number < 30 and condition.suffix else Label.NO_CONVERGENCE
