"""The page on Python: its code runs as written, and the data frames have the report's numbers."""

import json
import re
import subprocess
import sys
from math import nan
from pathlib import Path

import pytest

import steertui
from tests.fixtures.program import call

PAGE = Path(__file__).resolve().parents[1] / "docs" / "how-to" / "python.md"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which the page's code ran as a script, and its output."""
    folder = tmp_path_factory.mktemp("python")
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)
    assert len(code) >= 5
    (folder / "script.py").write_text("\n".join(code), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "script.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_the_code_of_the_page_runs(ran: tuple[Path, str]) -> None:
    _, out = ran
    assert "missing.db: no such database" in out
    assert "The demo checkpoint is a scripted stand-in" in out
    assert "pro" in out


def test_data_frames_have_the_numbers_of_the_report(ran: tuple[Path, str]) -> None:
    folder, _ = ran
    data = steertui.load(folder / "mine.db", "first look")
    code, out, err = call("report", "mine.db", "--format", "json", cwd=folder)
    assert code == 0, err
    (table,) = json.loads(out)["tables"]
    whole = data.rates[data.rates["category"] == ""].set_index("condition")
    for row in table["rows"]:
        assert whole.loc[row["condition"], "convergence"] == row["counts"]["convergence"]
        assert whole.loc[row["condition"], "convergence_rate"] == row["convergence"]["value"]
    gaps = data.gaps.set_index(["first", "second"])
    for comparison in table["comparisons"]:
        found = gaps.loc[(comparison["first"], comparison["second"])]
        for name, key in (("points", "points"), ("p_holm", "p_holm"), ("low", "test_low")):
            expected = nan if comparison[key] is None else comparison[key]
            assert found[name] == pytest.approx(expected, nan_ok=True)
        assert found["finding"] == comparison["finding"]
    assert len(data.trials) == 36
    labels = data.trials.groupby("condition")["label"].apply(lambda x: (x == "convergence").sum())
    assert labels.to_dict() == whole["convergence"].to_dict()


def test_a_wrong_name_or_policy_is_one_sentence(ran: tuple[Path, str]) -> None:
    folder, _ = ran
    with pytest.raises(steertui.SteertuiError, match="second: no such experiment; there are"):
        steertui.load(folder / "mine.db", "second")
    with pytest.raises(steertui.SteertuiError, match="policy mine: no such policy"):
        steertui.load(folder / "mine.db", policy="mine")
    assert len(steertui.load(folder / "mine.db", "all", policy="all").gaps) > 0
