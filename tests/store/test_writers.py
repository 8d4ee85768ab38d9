"""Several connections of one program write to a database at the same time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from steertui.core.verdict import Label
from steertui.store import Store
from tests.fixtures import grouped

STRENGTHS = (0.1, 0.2, 0.3, 0.4)
SCENARIOS = 20
OPENINGS = 4
FILES = 8


def test_connections_that_write_at_once_wait_for_each_other(tmp_path: Path) -> None:
    path = tmp_path / "a.db"

    def run(strength: float) -> str:
        folder = tmp_path / f"{strength}"
        folder.mkdir()
        conditions = grouped.dose_conditions(folder, strength)
        return grouped.write(path, conditions, lambda *_: Label.CONVERGENCE, SCENARIOS)

    run(0.9)
    with ThreadPoolExecutor(len(STRENGTHS)) as pool:
        experiments = list(pool.map(run, STRENGTHS))
    with Store(path) as store:
        # Each has the condition pro, dose 0 and its own dose.
        assert [store.count_trials(e) for e in experiments] == [3 * SCENARIOS] * len(STRENGTHS)


def test_connections_that_open_a_new_database_at_once_create_it_once(tmp_path: Path) -> None:
    def open_and_close(path: Path) -> int:
        with Store(path) as store:
            return len(store.experiments())

    with ThreadPoolExecutor(OPENINGS) as pool:
        for number in range(FILES):
            path = tmp_path / f"{number}.db"
            assert list(pool.map(open_and_close, [path] * OPENINGS)) == [0] * OPENINGS
