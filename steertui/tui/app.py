"""The app: opens the screens over one experiment and one database."""

from pathlib import Path

from textual.app import App

from steertui.engine.sizing import Overrides
from steertui.experiment import Design, Experiment, design
from steertui.tui.run_screen import RunScreen
from steertui.tui.runner import Runner


class SteertuiApp(App[None]):
    """steertui in a terminal."""

    TITLE = "steertui"
    CSS_PATH = "steertui.tcss"

    def __init__(self, planned: Design, db: Path, wish: Overrides) -> None:
        super().__init__()
        self._design, self._db, self._wish = planned, db, wish

    def on_mount(self) -> None:
        """Open the first screen."""
        names = ", ".join(m.name for m in self._design.models)
        scenarios = len(self._design.scenarios)
        about = f" steertui · {names} · {scenarios} scenarios · {self._db}"
        self.push_screen(
            RunScreen(lambda target: Runner(self._design, self._db, self._wish, target), about)
        )


def run_app(experiment: Experiment, db: Path, wish: Overrides) -> int:
    """Open the screens; raises SteertuiError before that where a name leads nowhere."""
    app = SteertuiApp(design(experiment), db, wish)
    app.run()
    return app.return_code or 0
