"""Runs over several models: weights fetched ahead and removed, budgets, failures, summaries."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path

import pytest

from steertui.assets.hub.cache import all_cached_weights
from steertui.assets.hub.headers import headers_folder
from steertui.assets.weights import locate_weights
from steertui.errors import ExperimentError
from steertui.headless.batch_options import parse_budget
from tests.fixtures.changed_models import write_changed
from tests.fixtures.database import select
from tests.fixtures.hub_models import LETTERS, name, options, repository, serve_models
from tests.fixtures.hub_server import HubServer
from tests.fixtures.openai_server import Fake, Loopback
from tests.fixtures.program import call, records, start

SMALL = ("--batch", "--limit", "4", "--max-tokens", "12", "--judge", "local:demo", "--no-control")
EXACT = (*SMALL, "--deterministic")
SECONDS = 120.0


def wait_for(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.01)


def count(db: Path, table: str) -> int:
    if not db.exists():
        return 0
    try:
        ((rows,),) = select(db, f"SELECT count(*) FROM {table}")
    except Exception:  # the schema is not complete yet
        return 0
    assert isinstance(rows, int)
    return rows


def received(hub_home: Path, digest: str) -> int:
    found = [p.stat().st_size for p in hub_home.rglob(f"{digest}*") if not p.is_symlink()]
    return max(found, default=0)


def content(db: Path) -> list[list[tuple[object, ...]]]:
    """Return answers, labels and log-likelihoods, without times."""
    return [
        select(db, "SELECT trial, text, stop, tokens FROM generations ORDER BY trial"),
        select(
            db, "SELECT trial, judge, label, failure, p_convergence FROM verdicts ORDER BY 1, 2"
        ),
        select(db, "SELECT trial, tokens, loglik FROM answer_logliks ORDER BY trial"),
        select(db, "SELECT experiment, trial, place FROM experiment_trials ORDER BY 1, 3"),
    ]


def test_a_run_fetches_each_model_when_it_is_needed_and_removes_it(
    hub: HubServer, tmp_path: Path
) -> None:
    blobs = serve_models(hub, tmp_path)
    run = (*SMALL, *options(), "--db", "a.db", "--remove-weights", "--json")
    code, out, err = call(*run, "--summary", "s.json", cwd=tmp_path)
    assert code == 0, err
    moved = [(r["event"], r["model"]) for r in records(out) if "weights" in str(r["event"])]
    names = [f"Small{letter}-Q8_0" for letter in LETTERS]
    assert moved == [
        pair for n in names for pair in (("weights_fetched", n), ("weights_removed", n))
    ]
    assert all_cached_weights() == []
    total = sum(blob.size for blob in blobs.values())
    assert total <= hub.sent < 2 * total  # the server writes ahead of the client
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["ended"] == "everything is done"
    assert [model["name"] for model in summary["models"]] == names
    for model, blob in zip(summary["models"], blobs.values(), strict=True):
        assert 0 < model["fetched"] <= blob.size == model["removed"]
        assert (model["progress"]["trials"], model["progress"]["answers"]) == (12, 12)
        assert model["progress"]["labels"] == 12
        assert model["progress"]["tokens"] > 0
        assert model["progress"]["seconds"] > 0
    sent = hub.sent
    code, out, err = call(*run, cwd=tmp_path)
    assert code == 0, err
    assert hub.sent == sent
    assert not locate_weights(name("A"))
    assert (
        "36 answered before in the stored plan with these settings and texts, 0 to do"
        in call(*run[:-2], "--plan", cwd=tmp_path)[1]
    )
    assert not [r for r in records(out) if r["event"] in ("generated", "judged")]
    shutil.rmtree(headers_folder())  # as on a machine that never had these weights
    code, out, err = call(*run, "--summary", "s.json", cwd=tmp_path)
    assert (code, hub.sent) == (0, sent), err
    assert err.startswith("a.db: all answers and labels of this experiment are stored")
    assert [r["event"] for r in records(out)] == ["results"]
    assert json.loads((tmp_path / "s.json").read_text())["ended"] == "everything is done"


@pytest.mark.slow
def test_a_run_killed_while_it_fetches_generates_and_judges_equals_an_unbroken_one(
    hub: HubServer, tmp_path: Path
) -> None:
    blobs = serve_models(hub, tmp_path)
    assert call(*EXACT, *options(), "--db", "unbroken.db", cwd=tmp_path)[0] == 0
    for letter in LETTERS:
        assert call("models", "rm", "--yes", name(letter), cwd=tmp_path)[0] == 0
    db = tmp_path / "killed.db"
    run = (*EXACT, *options(), "--db", "killed.db", "--remove-weights")
    first = blobs["A"]
    hub.pace = 1e6
    moments: list[Callable[[], bool]] = [
        lambda: received(tmp_path / "hf", first.sha256) > 0.7 * first.size,
        lambda: count(db, "generations") >= 14,
        lambda: count(db, "verdicts") >= 5,
    ]
    for moment in moments:
        with start(*run, cwd=tmp_path) as process:
            wait_for(moment, process)
            process.kill()
            process.communicate(timeout=SECONDS)
        hub.pace = 0.0
    code, _, err = call(*run, "--summary", "summary.md", cwd=tmp_path)
    assert code == 0, err
    assert content(db) == content(tmp_path / "unbroken.db")
    assert select(db, "SELECT count(*) FROM experiments") == [(1,)]
    assert all_cached_weights() == []
    assert "| SmallB-Q8\\_0 | 12 of 12 | 0 | 12 |" in (tmp_path / "summary.md").read_text()


def test_models_that_fail_do_not_stop_the_others(hub: HubServer, tmp_path: Path) -> None:
    blobs = serve_models(hub, tmp_path)
    blobs["B"].sha256 = "0" * 64
    del hub.repos[repository("C")]
    models = [*options("BCA"), "--model", "demo"]
    run = (*SMALL, *models, "--db", "a.db", "--summary", "s.md")
    code, _, err = call(*run, cwd=tmp_path)
    assert code == 1
    assert "SmallB-Q8_0 was stopped: SmallB-Q8_0.gguf: the received bytes are not the exp" in err
    assert f"{name('C')} is left out of the experiment: {repository('C')}" in err
    assert err.count("12 prompts are left unanswered") == 2  # when it happens, and at the end
    assert err.count("run it again: it keeps all answers and adds this model") == 2
    assert count(tmp_path / "a.db", "generations") == 24
    text = (tmp_path / "s.md").read_text()
    assert "The run ended: a model or judge was stopped or left out." in text
    assert "0 of 12" in text
    serve_models(hub, tmp_path)
    code, _, err = call(*run, cwd=tmp_path)
    assert code == 0, err
    assert count(tmp_path / "a.db", "generations") == 48


NO_TEMPLATE = "has no chat template; give one"


@pytest.mark.slow
def test_a_model_without_a_chat_template_is_left_out(hub: HubServer, tmp_path: Path) -> None:
    serve_models(hub, tmp_path, "A")
    path = write_changed(tmp_path / "B.gguf", {"tokenizer.chat_template": None})
    blob = hub.add(repository("B"), "SmallB-Q8_0.gguf", path)
    run = (*SMALL, *options("BA"), "--model", "demo", "--db", "a.db", "--summary", "s.json")
    code, _, err = call(*run, cwd=tmp_path)
    assert code == 1
    assert f"{name('B')} is left out of the experiment: SmallB-Q8_0: {NO_TEMPLATE}" in err
    assert count(tmp_path / "a.db", "generations") == 24
    assert locate_weights(name("B")) is None
    assert received(tmp_path / "hf", blob.sha256) < blob.size / 2  # the header
    models = json.loads((tmp_path / "s.json").read_text())["models"]
    reasons = {model["name"]: model["reason"] for model in models}
    assert NO_TEMPLATE in reasons[name("B")]
    assert [own for own, reason in reasons.items() if not reason] == ["SmallA-Q8_0", "demo"]
    code, _, err = call(*run, "--template", "chatml", cwd=tmp_path)
    assert code == 0, err
    assert "left out" not in err


def test_models_that_cannot_be_planned_are_left_out_while_another_remains(tmp_path: Path) -> None:
    write_changed(tmp_path / "base.gguf", {"tokenizer.chat_template": None})
    write_changed(tmp_path / "short.gguf", {"qwen3.context_length": 16})
    (tmp_path / "torn.gguf").write_bytes((tmp_path / "base.gguf").read_bytes()[:5000])
    three = ("--model", "base.gguf", "--model", "short.gguf", "--model", "torn.gguf")
    code, out, err = call(*SMALL, *three, "--model", "demo", "--db", "a.db", cwd=tmp_path)
    assert code == 1, err
    lines = [line for line in err.splitlines() if "is left out" in line]
    reasons = (
        f"base: {NO_TEMPLATE}",
        "the context of short is 16; shorten the condition's text or the scenario",
        "torn.gguf",
    )
    for place, reason in enumerate(reasons):
        assert reason in lines[place]
    assert count(tmp_path / "a.db", "generations") == 12
    code, out, err = call(*SMALL[1:], *three, "--model", "demo", "--plan", cwd=tmp_path)
    assert code == 0, err
    assert "Models  demo" in out
    assert f"Without base.gguf: base: {NO_TEMPLATE}" in out
    assert "12 = 1 model × 4 scenarios" in out
    for models in (three, three[:2]):
        code, _, err = call(*SMALL, *models, "--db", "b.db", cwd=tmp_path)
        assert code == 1
        assert err.splitlines()[-1].startswith(f"steertui: base: {NO_TEMPLATE}")


def test_missing_files_and_servers_leave_out_their_model(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server = f"server:m@http://127.0.0.1:{unused.getsockname()[1]}/v1"
        absent = ("--model", "absent.gguf")
        run = (*SMALL, *absent, "--model", server, "--model", "demo", "--db", "a.db")
        code, out, err = call(*run, "--json", "--summary", "s.md", cwd=tmp_path)
    assert code == 1, err
    left_out = {
        str(r["model"]): str(r["reason"]) for r in records(out) if r["event"] == "model_left_out"
    }
    assert left_out["absent.gguf"].startswith("absent.gguf: no such model; give")
    assert left_out[server].startswith("server:m: no server responds at")
    assert count(tmp_path / "a.db", "generations") == 12
    assert "absent.gguf: no such model" in (tmp_path / "s.md").read_text()
    code, out, err = call(*SMALL[1:], *absent, "--model", "demo", "--plan", cwd=tmp_path)
    assert code == 0, err
    assert "Without absent.gguf: absent.gguf: no such model" in out
    code, _, err = call(*SMALL, *absent, "--model", "none.gguf", "--db", "b.db", cwd=tmp_path)
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("steertui: absent.gguf: no such model")
    assert not (tmp_path / "b.db").exists()


def test_weights_of_the_user_and_of_judges_stay(hub: HubServer, tmp_path: Path) -> None:
    serve_models(hub, tmp_path)
    assert call("models", "pull", name("A"), cwd=tmp_path)[0] == 0
    models = [*options("ABC"), "--model", "A.gguf"]
    run = (*SMALL[:-3], "--judge", f"local:{name('C')}", "--no-control", "--db", "a.db")
    (tmp_path / "A.gguf").write_bytes((tmp_path / "A.gguf").read_bytes() + bytes(32))
    code, _, err = call(*run, *models, "--remove-weights", cwd=tmp_path)
    assert code == 0, err
    assert (tmp_path / "A.gguf").is_file()
    assert [bool(locate_weights(name(letter))) for letter in LETTERS] == [True, False, True]


@pytest.mark.slow
def test_a_split_model_is_planned_from_the_headers_of_its_parts(
    hub: HubServer, tmp_path: Path
) -> None:
    serve_models(hub, tmp_path, "A")
    write_changed(tmp_path / "Parts-BF16.gguf", {"general.name": "steertui demo parts"}, part=12)
    parts = sorted(tmp_path.glob("Parts-BF16-*.gguf"))
    assert len(parts) > 1
    for part in parts:
        hub.add("maker/Parts-GGUF", part.name, part)
    models = (*options("A"), "--model", "maker/Parts-GGUF:BF16")
    code, out, err = call(
        *SMALL, *models, "--db", "a.db", "--remove-weights", "--json", cwd=tmp_path
    )
    assert code == 0, err
    removed = {r["model"]: r["bytes"] for r in records(out) if r["event"] == "weights_removed"}
    assert removed["Parts-BF16"] == sum(part.stat().st_size for part in parts)
    code, out, err = call(*SMALL[1:], *models, "--db", "a.db", "--plan", cwd=tmp_path)
    assert (code, "Fetch" in out) == (0, False), out + err
    code, out, err = call(*SMALL[1:], *models, "--db", "b.db", "--plan", cwd=tmp_path)
    assert "Fetch" in out
    assert count(tmp_path / "a.db", "generations") == 24
    assert all_cached_weights() == []


def test_a_time_budget_stops_the_run_and_the_same_command_resumes(tmp_path: Path) -> None:
    run = ("--batch", "--demo", "--limit", "12", "--slots", "1", "--summary", "s.json")
    code, _, err = call(*run, "--budget", "0.02m", cwd=tmp_path)
    assert code == 3, err
    assert err.splitlines()[-1].startswith("steertui: the budget of 0.02m is spent, and ")
    assert "are left; run the same command again to resume" in err
    assert "To resume, run the same command again:\n  steertui --batch --demo" in err
    assert json.loads((tmp_path / "s.json").read_text())["ended"] == "its budget is spent"
    answers = count(tmp_path / "steertui-demo.db", "generations")
    assert answers < 48
    code, out, err = call(*run, "--budget", "1h30m", cwd=tmp_path)
    assert code == 0, err
    assert f"48: {answers} answered before" in out


@pytest.mark.slow
def test_a_budget_in_dollars_counts_the_price_of_the_machine(tmp_path: Path) -> None:
    run = ("--batch", "--demo", "--slots", "1", "--threads", "1")
    code, _, err = call(*run, "--budget", "$0.01", "--machine-price", "10", cwd=tmp_path)
    assert code == 3, err
    assert "the budget of $0.01 is spent" in err
    code, _, err = call(*run, "--budget", "$5", cwd=tmp_path)
    assert code == 1
    assert "nothing in this run has a price; state --machine-price" in err


def test_a_budget_in_dollars_limits_what_judges_cost(tmp_path: Path) -> None:
    run = ("--batch", "--demo", "--limit", "4", "--max-tokens", "4", "--no-control")
    priced = ("--judge-price", "1000,1000", "--judge-concurrency", "1", "--summary", "s.md")
    with Loopback(Fake()) as server:
        judge = ("--judge", f"openai:one@{server.url}")
        code, _, err = call(*run, *judge, *priced, "--budget", "$9", cwd=tmp_path)
    assert code == 1, err
    assert "openai:one@" in err.splitlines()[-1]
    assert count(tmp_path / "steertui-demo.db", "generations") == 16
    assert 0 < count(tmp_path / "steertui-demo.db", "verdicts") < 16
    ((spent,),) = select(tmp_path / "steertui-demo.db", "SELECT sum(dollars) FROM judge_replies")
    assert isinstance(spent, float)
    assert 0 < spent <= 9


@pytest.mark.parametrize("text", ["", "8", "h", "-1h", "$", "$-5", "8 hours", "nan", "1h30", "$1h"])
def test_a_budget_that_is_neither_time_nor_cost_is_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match="give a time such as 8h") as error:
        parse_budget(text, 0.0)
    assert f"--budget {text}:" in str(error.value)


@pytest.mark.parametrize(
    ("text", "seconds", "dollars"),
    [
        ("8h", 28800, inf),
        ("1.5h", 5400, inf),
        ("1h30m", 5400, inf),
        ("90m", 5400, inf),
        ("$20", inf, 20),
        ("$0.5", inf, 0.5),
    ],
)
def test_a_budget_is_a_time_or_a_cost(text: str, seconds: float, dollars: float) -> None:
    budget = parse_budget(text, 2.0)
    assert (budget.seconds, budget.dollars, budget.machine_price) == (seconds, dollars, 2.0)


def test_options_of_long_runs_need_batch(tmp_path: Path) -> None:
    for option in (("--budget", "8h"), ("--remove-weights",), ("--summary", "s.md")):
        code, _, err = call("--demo", *option, cwd=tmp_path)
        assert code == 2
        assert f"{option[0]} needs --batch; add it" in err


@pytest.fixture
def small_disk(tmp_path: Path, hub: HubServer) -> Iterator[Path]:
    """Mount a disk of 70 MB as the cache of weights; 64 MiB must stay free."""
    disk = tmp_path / "hf"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=70m", "tmpfs", str(disk)]
    if os.name != "posix" or os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is not permitted on this machine")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.usefixtures("small_disk")
@pytest.mark.slow
def test_a_disk_too_small_for_all_models_is_one_sentence_and_removal_helps(
    hub: HubServer, tmp_path: Path
) -> None:
    serve_models(hub, tmp_path)
    run = (*SMALL, *options(), "--db", "a.db")
    code, _, err = call(*run, cwd=tmp_path)
    assert code == 1
    last = err.splitlines()[-1]
    assert "the run needs" in last
    assert last.endswith("or remove each model's weights after use with --remove-weights")
    assert count(tmp_path / "a.db", "generations") == 0
    code, _, err = call(*run, "--remove-weights", cwd=tmp_path)
    assert code == 0, err
    assert count(tmp_path / "a.db", "generations") == 36
