"""Sentences on a run: numbers of one, and advice that does not help."""

from pathlib import Path

from steertui.execution.events import JudgeStopped, ModelStopped
from steertui.execution.progress import incident_line
from tests.fixtures.program import call


def test_one_of_a_thing_is_singular(tmp_path: Path) -> None:
    assert "; 1 answer is left unjudged, run" in incident_line(JudgeStopped("a", "why", 1))
    assert "; 2 answers are left unjudged, run" in incident_line(JudgeStopped("a", "why", 2))
    assert "; 1 prompt is left unanswered, run" in incident_line(ModelStopped("a", "why", 1))
    run = ("--batch", "--demo", "--limit", "2", "--shard", "1/2", "--max-tokens", "1")
    _, out, _ = call(*run, cwd=tmp_path)
    assert "Shard   1/2: 1 scenario is run here; " in out


def test_several_samples_at_another_temperature_need_no_advice(tmp_path: Path) -> None:
    run = ("--batch", "--demo", "--limit", "1", "--samples", "3", "--max-tokens", "4")
    _, out, _ = call(*run, "--temperature", "0", "--temperature", "0.8", cwd=tmp_path)
    assert "at temperature 0 one sample is run, not 3" in " ".join(out.split())
    assert "set a temperature above 0" not in " ".join(out.split())
