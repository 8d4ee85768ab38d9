"""The preregistration in a bundle: late, of another analysis, or edited."""

from pathlib import Path

import pytest

from tests.fixtures.program import call

SMALL = ("--demo", "--limit", "3", "--max-tokens", "8", "--no-control", "--db", "a.db")
LATE = "for them it is no preregistration"
OTHER = "the analysis of the report is not that of this plan"
POLICY = "the report's denominator (policy all) is not the registered one (policy paper)"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a registered run, and a registration of another analysis after it."""
    folder = tmp_path_factory.mktemp("registered")
    assert call(*SMALL, "--register", "first.md", cwd=folder)[0] == 0
    code, _, err = call("--batch", *SMALL, cwd=folder)
    assert code == 0, err
    toml = call(*SMALL[:-2], "--print-experiment", cwd=folder)[1]
    (folder / "e.toml").write_text(toml.replace("margin = 10.0", "margin = 20.0"))
    late = ("--experiment", "e.toml", "--db", "a.db", "--register", "late.md")
    code, _, err = call(*late, cwd=folder)
    assert code == 0, err
    return folder


def verified(folder: Path, registration: str, *options: str) -> tuple[int, str]:
    """Return the exit code of `verify` and its lines on the preregistration."""
    bundle = ("bundle", "a.db", "--registration", registration, "-o", f"{registration}.zip")
    code, _, err = call(*bundle, *options, cwd=folder)
    assert code == 0, err
    code, out, _ = call("verify", f"{registration}.zip", cwd=folder)
    return code, "\n".join(line for line in out.splitlines() if "preregistration" in line)


def test_a_registration_after_the_answers_is_called_so(made: Path) -> None:
    code, lines = verified(made, "late.md")
    assert code == 0
    assert f"when 12 answers had been stored: {LATE}" in lines
    assert "✓" not in lines
    assert OTHER not in lines


def test_another_analysis_and_denominator_of_the_report_are_named(made: Path) -> None:
    code, lines = verified(made, "first.md", "--policy", "all")
    assert code == 0
    assert "before the first answer" in lines
    assert OTHER in lines
    assert POLICY in lines


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("Margin of equivalence: 10", "Margin of equivalence: 5", "the question and analysis"),
        ("max_tokens = 8", "max_tokens = 9", "the experiment file"),
        ("this analysis: 20", "this analysis: 19", "the time at which the analysis was stored"),
    ],
)
def test_an_edited_registration_is_found(made: Path, before: str, after: str, what: str) -> None:
    text = (made / "first.md").read_text(encoding="utf-8")
    assert before in text
    (made / "edited.md").write_text(text.replace(before, after), encoding="utf-8")
    code, lines = verified(made, "edited.md")
    (made / "edited.md.zip").unlink()
    assert code == 1
    assert f"✗ preregistration: {what} in its text differ" in lines
