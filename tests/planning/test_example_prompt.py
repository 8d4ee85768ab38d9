"""The prompt that a dry run shows."""

from pathlib import Path

import pytest

from tests.fixtures.database import select
from tests.fixtures.program import call, records

RUN = ("--demo", "--limit", "2", "--no-control", "--db", "a.db")


def shown(folder: Path, *options: str) -> dict[str, str]:
    """Return the example of a dry run."""
    code, out, err = call("--plan", *RUN, *options, "--json", cwd=folder)
    assert (code, err) == (0, "")
    example = records(out)[0]["example"]
    assert isinstance(example, dict)
    return example


@pytest.mark.parametrize(
    ("conditions", "condition"),
    [("baseline,anti,pro", "anti"), ("baseline", "baseline")],
)
def test_a_dry_run_shows_a_prompt_of_the_run(
    tmp_path: Path, conditions: str, condition: str
) -> None:
    options = ("--conditions", conditions, "--judge", "none", "--max-tokens", "4")
    example = shown(tmp_path, *options)
    assert (example["model"], example["condition"]) == ("demo", condition)
    assert call("--batch", *RUN, *options, cwd=tmp_path)[0] == 0
    prompts = "SELECT condition, prompt FROM answers"
    assert (condition, example["text"]) in select(tmp_path / "a.db", prompts)
    code, out, _ = call("--plan", *RUN, *options, cwd=tmp_path)
    assert code == 0
    lines = out.split("\n")
    start = lines.index(f"Prompt  {example['scenario']} under {condition}, as demo gets it:") + 1
    count = len(example["text"].rstrip("\n").split("\n"))
    body = [line.removeprefix("        ") for line in lines[start : start + count]]
    assert body == [line.rstrip() for line in example["text"].rstrip("\n").split("\n")]
    assert lines[start + count].startswith("Store   a.db")


def test_a_long_prompt_is_shortened_in_the_middle_and_controls_no_terminal(tmp_path: Path) -> None:
    suffix = "\n".join(f"Line {i}." for i in range(40)) + "\n\\u001b[2J" + "flour " * 200
    (tmp_path / "own.toml").write_text(
        f'format = 1\nname = "own"\n[[condition]]\nname = "long"\nsuffix = """{suffix}"""\n'
    )
    options = ("--conditions-file", "own.toml", "--conditions", "long", "--max-tokens", "4")
    assert "\x1b[2J" in shown(tmp_path, *options)["text"]
    code, out, err = call("--plan", *RUN, *options, cwd=tmp_path)
    assert (code, err) == (0, "")
    lines = out.split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("Prompt  "))
    prompt = lines[start + 1 : -2]
    assert len(prompt) == 30
    assert prompt[0].strip().startswith("<|im_start|>")
    assert prompt[-1].strip() == "<|im_start|>assistant"
    assert "lines left out …]" in prompt[15]
    assert max(map(len, prompt)) < 1100
    assert "\x1b" not in out
    assert "\ufffd[2J" in out


def test_no_prompt_is_shown_before_the_weights_are_there(tmp_path: Path) -> None:
    code, out, _ = call("--plan", "--model", "Qwen3-0.6B", "--limit", "2", cwd=tmp_path)
    assert code == 0
    assert "\nPrompt " not in out
