"""llama-server: answers are those of the engine, and two servers share the work."""

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from steertui.core.model import demo_path
from steertui.engine.context import ContextParams
from steertui.engine.engine import Engine
from steertui.engine.events import Scored
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import ScoreRequest
from tests.fixtures.peer import needs_peer, serving
from tests.fixtures.program import call

pytestmark = needs_peer

CONDITIONS = "baseline,pro,anti,placebo"
RUN = ("--batch", "--judge", "none", "--max-tokens", "96", "--conditions", CONDITIONS)

Cells = dict[tuple[str, str], tuple[str, str, int, int]]


def answers(db: Path) -> Cells:
    """Return text, stop reason, prompt tokens and new tokens by scenario and condition."""
    sql = """SELECT s.name, c.name, g.text, g.stop, g.prompt_tokens, g.tokens FROM generations AS g
        JOIN trials AS t ON t.key = g.trial JOIN scenarios AS s ON s.id = t.scenario
        JOIN conditions AS c ON c.id = t.condition"""
    with closing(sqlite3.connect(db)) as connection:
        return {(a, b): (text, stop, n, m) for a, b, text, stop, n, m in connection.execute(sql)}


def by_server(db: Path) -> dict[str, int]:
    with closing(sqlite3.connect(db)) as connection:
        sql = "SELECT url, count(*) FROM server_answers GROUP BY url"
        return dict(connection.execute(sql).fetchall())


def own(folder: Path, limit: int) -> Cells:
    """Return the engine's answers with one slot."""
    code, _, err = call(
        *RUN, "--limit", str(limit), "--deterministic", "--db", "own.db", cwd=folder
    )
    assert code == 0, err
    return answers(folder / "own.db")


def margins(ours: Cells, theirs: Cells, prompts: dict[tuple[str, str], str]) -> dict[str, float]:
    """Return, for answers that differ, how much the engine prefers its own token, in nats.

    The tokens are the first that differ. The margin is small where only rounding differs.
    """
    llama = LlamaModel(demo_path())
    engine = Engine(llama, ContextParams(1, 1024, 512, 2, flash=False))
    for cell, (text, *_) in ours.items():
        if text == theirs[cell][0]:
            continue
        # One answer may end where the other continues.
        one = llama.tokenize(f"{text}{llama.special_tokens['eos_token']}")
        other = llama.tokenize(f"{theirs[cell][0]}{llama.special_tokens['eos_token']}")
        same = next(i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
        prompt = llama.tokenize(prompts[cell]) + one[:same]
        engine.add(ScoreRequest("/".join(cell), prompt, ([one[same]], [other[same]])))
    found = {}
    while not engine.is_idle:
        for event in engine.step():
            assert isinstance(event, Scored)
            found[event.id] = event.logliks[0] - event.logliks[1]
    engine.close()
    llama.close()
    return found


def prompts_of(db: Path) -> dict[tuple[str, str], str]:
    sql = """SELECT s.name, c.name, p.text FROM trials AS t JOIN prompts AS p ON p.sha256 = t.prompt
        JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition"""
    with closing(sqlite3.connect(db)) as connection:
        return {(a, b): text for a, b, text in connection.execute(sql)}


def check_same(folder: Path, ours: Cells, theirs: Cells) -> None:
    """Check that answers are equal, except for a few where the two best tokens are nearly tied."""
    prompts = prompts_of(folder / "own.db")
    assert prompts_of(folder / "theirs.db") == prompts
    assert ours.keys() == theirs.keys()
    assert [c for c in ours if ours[c][2] != theirs[c][2]] == []  # prompt tokens
    found = margins(ours, theirs, prompts)
    print(f"{len(ours) - len(found)} of {len(ours)} equal; margins where not: {found}")
    assert len(found) <= len(ours) // 10
    assert all(abs(margin) < 0.05 for margin in found.values())


@pytest.mark.parametrize("limit", [6, pytest.param(36, marks=pytest.mark.slow)])
def test_greedy_answers_of_llama_server_are_those_of_the_engine(tmp_path: Path, limit: int) -> None:
    run = (*RUN, "--limit", str(limit), "--db", "theirs.db")
    with serving(slots=1, flash="DISABLED") as (url, _):
        code, out, err = call(*run, "--model", f"server:demo@{url}", cwd=tmp_path)
    assert code == 0, err
    assert "Server  server:demo: llama-server" in out
    assert "given our prompts" in out
    ours = own(tmp_path, limit)
    theirs = answers(tmp_path / "theirs.db")
    assert len(ours) == 4 * limit
    check_same(tmp_path, ours, theirs)
    # llama-server counts the end token, the engine does not.
    same = [c for c in ours if ours[c][0] == theirs[c][0]]
    assert {theirs[c][3] - ours[c][3] for c in same} <= {0, 1}


@pytest.mark.slow
def test_one_of_two_servers_killed_loses_no_answer(
    tmp_path: Path,
) -> None:
    ours = own(tmp_path, 36)
    db = tmp_path / "theirs.db"
    with (
        serving(slots=1, flash="DISABLED") as (one, _),
        serving(slots=1, flash="DISABLED") as (two, process),
    ):

        def kill() -> None:
            while not db.exists() or min([*by_server_or_none(db).values(), 0][:2]) < 8:
                time.sleep(0.05)
            process.kill()

        thread = threading.Thread(target=kill)
        thread.start()
        name = f"server:demo@{one},{two}"
        run = (*RUN, "--model", name, "--db", "theirs.db")
        code, _, err = call(*run, cwd=tmp_path)
        thread.join()
    assert code == 0, err
    assert f"{two} is lost" in err
    theirs = answers(db)
    check_same(tmp_path, ours, theirs)
    shares = by_server(db)
    assert shares.keys() == {one, two}
    assert sum(shares.values()) == 144
    assert shares[two] >= 8


def by_server_or_none(db: Path) -> dict[str, int]:
    try:
        found = by_server(db)
    except sqlite3.OperationalError:  # the tables do not exist yet
        found = {}
    return found if len(found) == 2 else {}
