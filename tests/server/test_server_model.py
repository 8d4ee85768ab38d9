"""Server models: addresses, weights, keys, contexts, rejected settings."""

import json
from pathlib import Path

import pytest

from steertui.assets.weights import find_model
from steertui.errors import ExperimentError, ServerError
from steertui.server.model import find_server_model
from tests.fixtures.openai_server import Fake, Loopback
from tests.fixtures.program import call
from tests.fixtures.server_runs import answer, rows, tally


def test_unknown_model_is_an_error_before_planning(
    tmp_path: Path,
) -> None:
    with Loopback(Fake(models=("qwen3-4b", "qwen3-8b"))) as server:
        options = ("--batch", "--model", f"server:qwen@{server.url}", "--db", "a.db")
        code, out, err = call(*options, cwd=tmp_path)
    assert (code, out) == (1, "")
    assert err == (
        f"steertui: server:qwen: {server.url} does not have this model; it has qwen3-4b, qwen3-8b\n"
    )
    assert not (tmp_path / "a.db").exists()


@pytest.mark.parametrize(
    "name",
    [
        "server:one",
        "server:@http://a/v1",
        "server:one@ftp://a",
        "server:one@",
        "server:one@a:1",
        "server:one@http://a:x/v1",
        "server:one@http://a,http://a/v1",
    ],
)
def test_invalid_address_is_an_error(name: str) -> None:
    with pytest.raises(ServerError, match=r"write server:MODEL@URL|is given twice"):
        find_server_model(name)


def test_unreachable_server_is_an_error() -> None:
    with Loopback(Fake()) as server:
        url = server.url
    with pytest.raises(ServerError, match=f"no server responds at {url}"):
        find_server_model(f"server:one@{url}")


def test_servers_with_different_weights_are_an_error() -> None:
    with Loopback(Fake()) as one, Loopback(Fake(owned_by="sglang")) as other:
        with pytest.raises(ServerError, match="report different weights"):
            find_server_model(f"server:one@{one.url},{other.url}")
        same = find_server_model(f"server:one@{one.url}")
        moved = find_server_model(f"server:one@{one.url}/")
    assert same.sha256 == moved.sha256 != find_model("demo").sha256


def test_too_short_context_is_an_error_before_any_request(tmp_path: Path) -> None:
    with Loopback(Fake()) as server, pytest.raises(ExperimentError, match="need 5000 tokens"):
        answer(tmp_path / "a.db", [f"server:one@{server.url}"], max_tokens=4000)
    assert rows(tmp_path / "a.db", "SELECT * FROM experiments") == []


def test_key_is_sent_only_to_its_server_and_never_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-very-secret-0123456789"
    monkeypatch.setenv("STEERTUI_SERVER_KEY", f"127.0.0.1={key}")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another-one-0123456789")
    with Loopback(Fake()) as server:
        answer(tmp_path / "a.db", [f"server:one@{server.url}"], limit=6)
        assert set(server.fake.keys) == {f"Bearer {key}"}
        server.fake.status = 401
        server.fake.error = {"error": {"message": f"Incorrect API key provided: {key}"}}
        with pytest.raises(ServerError, match="put a valid one into STEERTUI_SERVER_KEY") as caught:
            find_server_model(f"server:one@{server.url}")
    assert key not in str(caught.value)
    with pytest.raises(ServerError, match="contains a password") as caught:
        find_server_model("server:one@http://me:hush@host/v1")
    assert "hush" not in str(caught.value)
    for path in tmp_path.iterdir():
        assert b"very-secret" not in path.read_bytes()


def test_neutral_setting_that_a_third_party_server_rejects_is_omitted(
    tmp_path: Path,
) -> None:
    db = tmp_path / "a.db"
    fake = Fake(owned_by="someone", rejected=("seed", "presence_penalty"))
    with Loopback(fake) as server:
        name = f"server:one@{server.url}"
        answer(db, [name], limit=6)
        assert find_server_model(name).description == (
            "a server of unknown kind at 1 address, given chat messages, which it renders itself; "
            "not accepted: presence_penalty, seed"
        )
        assert not any({"seed", "presence_penalty"} & b.keys() for b in fake.bodies)
        with pytest.raises(ServerError, match="does not accept presence_penalty"):
            answer(db, [name], limit=6, temperatures=[0.7], presence_penalty=0.5)
    assert tally(db) == (18, 0, 0)
    (run,) = rows(db, "SELECT settings FROM runs")
    assert json.loads(str(run["settings"]))["left_out"] == ["presence_penalty", "seed"]


@pytest.mark.parametrize("action", [("--batch",), ("--register", "plan.md")])
def test_an_error_before_the_plan_leaves_no_database(
    tmp_path: Path, action: tuple[str, ...]
) -> None:
    with Loopback(Fake()) as server:
        url = server.url
    options = (*action, "--model", f"server:one@{url}", "--db", "a.db")
    code, _, err = call(*options, cwd=tmp_path)
    assert code == 1
    assert f"no server responds at {url}" in err
    assert not [*tmp_path.iterdir()]


def run_with_judge(url: str, folder: Path) -> str:
    """Return the error of a run with a judge at this address."""
    judge = ("--judge", f"openai:one@{url}")
    code, _, err = call("--batch", "--demo", "--limit", "2", *judge, "--db", "a.db", cwd=folder)
    assert code == 1
    return err


def test_an_unreachable_judge_leaves_no_database(tmp_path: Path) -> None:
    with Loopback(Fake()) as server:
        url = server.url
    assert (
        f": no server responds at {url} (All connection attempts failed); start it"
        in run_with_judge(url, tmp_path)
    )
    assert not [*tmp_path.iterdir()]


def test_a_judge_that_rejects_the_key_leaves_no_database(tmp_path: Path) -> None:
    with Loopback(Fake(status=401, error={"error": {"message": "Incorrect key"}})) as server:
        assert "the server does not accept the key (HTTP 401)" in run_with_judge(
            server.url, tmp_path
        )
    assert not [*tmp_path.iterdir()]


def test_a_judge_without_a_list_of_models_is_asked_for_labels(tmp_path: Path) -> None:
    with Loopback(Fake(status=404, error={"error": {"message": "no such path"}})) as server:
        assert "does not label the known case" in run_with_judge(server.url, tmp_path)
