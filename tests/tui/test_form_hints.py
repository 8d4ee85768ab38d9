"""Hints of forms: those of empty lines are whole on the smallest screen."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from steertui.core.condition_files import load_conditions
from steertui.core.grouping import DoseUnit
from steertui.tui.app import SteertuiApp
from steertui.tui.judges import judge_jobs
from steertui.tui.plan.group_forms import contest_form, dose_form
from steertui.tui.session import Session
from steertui.tui.vectors import vector_forms
from steertui.tui.widgets.form import Form
from steertui.tui.widgets.form_dialog import FormDialog
from steertui.tui.widgets.text_line import TextLine
from tests.fixtures.screens import drive, wait_idle

CONDITIONS = [*load_conditions().values()]

FORMS: dict[str, Callable[[], Form]] = {
    "train": lambda: vector_forms.train_form("demo"),
    "import": vector_forms.import_form,
    "export": lambda: vector_forms.export_form("convergence"),
    "inspect": vector_forms.inspection_form,
    "contest": lambda: contest_form(CONDITIONS, lambda *_: None),
    "test": lambda: judge_jobs.test_form([]),
    "label": lambda: judge_jobs.label_form([], judge_jobs.Readings(144, 168)),
    **{unit: partial(dose_form, unit, CONDITIONS, lambda *_: None) for unit in DoseUnit},
}


@pytest.mark.parametrize("name", FORMS)
def test_hints_of_empty_lines_are_whole_at_80_columns(tmp_path: Path, name: str) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        app.push_screen(FormDialog(FORMS[name]()))
        await wait_idle(pilot)
        for line in app.screen.query(TextLine):
            shown = "" if line.value else str(line.placeholder)
            assert cell_len(shown) <= line.content_size.width, shown

    drive(Session(tmp_path / "a.db"), story, (80, 24))
