"""The Matrix: scenarios down, conditions across, a sign in every cell."""

from rich.text import Text
from textual.widgets import DataTable

from steertui.plan import Plan
from steertui.prompt import Prompt
from steertui.store import Cell
from steertui.tui.labels import sign

NAME = 18
"""Characters of a scenario's title that the matrix shows."""


class Matrix(DataTable[Text]):
    """One row a scenario, one column a model, temperature, condition and sample."""

    def fill(self, plan: Plan) -> None:
        """Draw the grid of a plan, every cell waiting."""
        self.clear(columns=True)
        self._place: dict[str, tuple[str, str]] = {}
        self._prompt: dict[tuple[str, str], Prompt] = {}
        columns = {self.column_of(p): _title(p, plan) for p in plan.prompts}
        self.add_column("scenario", key="scenario", width=NAME)
        for key, title in columns.items():
            self.add_column(Text(title), key=key)
        for scenario in plan.design.scenarios:
            waiting = [sign(None)] * len(columns)
            self.add_row(_short(scenario.title), *waiting, key=scenario.name)
        for prompt in plan.prompts:
            place = prompt.trial.scenario.name, self.column_of(prompt)
            self._place[prompt.key], self._prompt[place] = place, prompt

    @staticmethod
    def column_of(prompt: Prompt) -> str:
        """Return the key of the column in which a trial stands."""
        t = prompt.trial
        return f"{t.model.sha256} {t.sampling.temperature} {t.condition.name} {t.sample}"

    def show(self, key: str, cell: Cell | None, *, is_writing: bool = False) -> None:
        """Let a trial's cell show what stands in it."""
        row, column = self._place[key]
        self.update_cell(row, column, sign(cell, is_writing=is_writing))

    def chosen(self) -> Prompt | None:
        """Return the trial under the cursor; of a scenario's name, its first."""
        if not self.row_count:
            return None
        row, column = self.coordinate_to_cell_key(self.cursor_coordinate)
        place = str(row.value), str(column.value)
        found = self._prompt.get(place)
        return found or next((p for (r, _), p in self._prompt.items() if r == row.value), None)


def _short(title: str) -> Text:
    text = Text(title)
    text.truncate(NAME, overflow="ellipsis")
    return text


def _title(prompt: Prompt, plan: Plan) -> str:
    t, e = prompt.trial, plan.design.experiment
    parts = [t.condition.name]
    if len(e.models) > 1:
        parts.insert(0, t.model.name)
    if len(e.temperatures) > 1:
        parts.append(f"t{t.sampling.temperature:g}")
    if t.sampling.temperature > 0 and e.samples > 1:
        parts.append(f"#{t.sample + 1}")
    return " ".join(parts)
