"""Prompts that do not fit the context: the advice is one that helps."""

import re
from pathlib import Path

from tests.fixtures.program import call

RUN = ("--plan", "--model", "demo", "--limit", "1", "--conditions", "pro,anti")


def write_suffix(folder: Path, words: int) -> None:
    suffix = "Act. " * words
    (folder / "c.toml").write_text(
        f'format = 1\n[[condition]]\nname = "pro"\nsuffix = "{suffix}"\n'
        '[[condition]]\nname = "anti"\nsuffix = "No."\n'
    )


def test_a_prompt_that_is_too_long_by_itself_is_to_be_shortened(tmp_path: Path) -> None:
    write_suffix(tmp_path, 2000)
    own = ("--conditions-file", "c.toml", "--max-tokens", "1")
    _, out, err = call(*RUN, *own, cwd=tmp_path)
    assert re.search(
        r"under pro: the prompt alone has \d+ tokens, and the context of demo is 2048; shorten "
        r"the condition's text or the scenario, or choose a model with a longer context",
        " ".join((out + err).split()),
    )
    assert "lower the maximum" not in out + err


def test_the_advised_maximum_of_new_tokens_fits(tmp_path: Path) -> None:
    write_suffix(tmp_path, 100)
    own = ("--conditions-file", "c.toml", "--max-tokens")
    _, out, err = call(*RUN, *own, "2000", cwd=tmp_path)
    advised = re.search(r"lower the maximum tokens to at most (\d+)", " ".join((out + err).split()))
    assert advised
    code, _, err = call(*RUN, *own, advised[1], cwd=tmp_path)
    assert code == 0, err
    _, out, err = call(*RUN, *own, str(int(advised[1]) + 1), cwd=tmp_path)
    assert "lower the maximum tokens" in " ".join((out + err).split())
