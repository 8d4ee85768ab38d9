"""Report screen: it says everything that the printed report says."""

import io
from pathlib import Path

from rich.console import Console
from textual.pilot import Pilot
from textual.widgets import Static

from steertui.analysis.summary import summarise_experiment
from steertui.engine.sizing import Overrides
from steertui.paper.comparison import compare_with_paper
from steertui.report import terminal
from steertui.stats.rate import Policy
from steertui.store import Store
from steertui.tui.app import SteertuiApp, open_session
from steertui.tui.results.report_screen import ReportScreen
from steertui.tui.results.results_screen import ResultsScreen
from tests.fixtures import large
from tests.fixtures.screens import drive, press


def printed(db: Path, policy: Policy, *, detail: bool) -> list[str]:
    """Return the words of the report that a terminal shows."""
    with Store(db) as store:
        summary = summarise_experiment(store, large.experiment_of(db), policy)
        parts = terminal.draw(summary, detail=detail, paper=compare_with_paper(store, summary))
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
