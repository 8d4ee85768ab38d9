"""Received experiments: no file, key or host is used without the user's consent."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from steertui.core.experiment import Experiment, parse_experiment
from steertui.core.model import demo_path
from steertui.errors import ExperimentError
from steertui.planning.consent import open_question, remember, stored_origin
from steertui.planning.experiment_files import load_experiment, save_experiment
from steertui.planning.origin import TYPED, origin_of
from steertui.planning.reach import reach_of
from tests.fixtures.program import COMMAND, call
from tests.fixtures.recorder import Recorder

SECRET = "sk-secret-of-this-machine-0123456789"

CONDITIONS = """format = 1
[[condition]]
name = "baseline"
[[condition]]
name = "mine"
suffix = "My own suffix."
"""


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "HF_TOKEN", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, f"{SECRET}-{name}")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"X-Own: {SECRET}")
    monkeypatch.setenv("STEERTUI_SERVER_KEY", f"provider.example={SECRET}")
    monkeypatch.setenv("STEERTUI_JUDGE_KEY", f"provider.example={SECRET}")


def written(folder: Path, **fields: object) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "plan.toml"
    given: dict[str, object] = {"limit": 2, "max_tokens": 16}
    path.write_text(Experiment(**(given | fields)).to_toml(), encoding="utf-8")  # type: ignore[arg-type]
    return path


# Files


@pytest.mark.parametrize("field", ["template", "conditions_file", "rubric", "scenarios"])
@pytest.mark.parametrize(
    "name",
    [
        "/proc/self/environ",
        "/dev/zero",
        "../secret.txt",
        "sub/../../secret.txt",
        "link.txt",
        "~/secret.txt",
        "./pipe",
        "large.txt",
        "./folder-link",
    ],
)
def test_toml_file_may_name_only_files_in_its_folder(tmp_path: Path, field: str, name: str) -> None:
    (tmp_path / "secret.txt").write_text("hush")
    folder = tmp_path / "received"
    path = written(folder, **{field: [name] if field == "scenarios" else name})
    (folder / "sub").mkdir()
    (folder / "link.txt").symlink_to("../secret.txt")
    (folder / "folder-link").symlink_to(tmp_path)
    (folder / "large.txt").write_bytes(b"x" * ((4 << 20) + 1))
    os.mkfifo(folder / "pipe")
    message = "outside|not a regular file|larger than 4 MiB|no such file"
    with pytest.raises(ExperimentError, match=message):
        load_experiment(path)


def test_csv_folder_may_not_contain_links_to_the_outside(tmp_path: Path) -> None:
    path = written(tmp_path / "received", scenarios=["pack"])
    pack = tmp_path / "received" / "pack"
    pack.mkdir()
    (pack / "a.csv").symlink_to("/proc/self/environ")
    with pytest.raises(ExperimentError, match="outside"):
        load_experiment(path)


def test_files_beside_the_toml_file_are_found_from_any_working_directory(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    path = written(folder, conditions_file="mine.toml", conditions=["baseline", "mine"])
    (folder / "mine.toml").write_text(CONDITIONS)
    assert load_experiment(path).conditions_file == str(folder / "mine.toml")
    options = ("--batch", "--experiment", "received/plan.toml", "--db", "a.db")
    code, _, err = call(*options, cwd=tmp_path)
    assert code == 2
    assert err.count("\n") == 1
    assert f"reads {folder / 'mine.toml'}" in err
    assert not (tmp_path / "a.db").exists()
    assert call(*options, "--yes", cwd=tmp_path)[0] == 0
    assert call(*options, cwd=tmp_path)[0] == 0  # the consent is remembered


def test_option_replaces_a_file_that_must_not_be_read(tmp_path: Path) -> None:
    path = written(
        tmp_path / "received", conditions_file="/proc/self/environ", conditions=["baseline", "mine"]
    )
    own = tmp_path / "own.toml"
    own.write_text(CONDITIONS)
    options = ("--batch", "--experiment", str(path), "--conditions-file", str(own))
    code, _, err = call(*options, "--db", "a.db", cwd=tmp_path)
    assert code == 0, err


def test_saved_experiment_can_be_loaded_with_its_files(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(CONDITIONS)
    planned = Experiment(conditions_file=str(tmp_path / "mine.toml"))
    save_experiment(planned, tmp_path / "plan.toml")
    assert 'conditions_file = "mine.toml"' in (tmp_path / "plan.toml").read_text()
    assert load_experiment(tmp_path / "plan.toml") == planned
    (tmp_path / "sub").mkdir()
    with pytest.raises(ExperimentError, match="may name only files in its own folder"):
        save_experiment(planned, tmp_path / "sub" / "plan.toml")
    assert not (tmp_path / "sub" / "plan.toml").exists()


def test_weights_beside_the_toml_file_are_found_and_listed(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    path = written(folder, models=["own.gguf"], judges=["local:own.gguf"])
    (folder / "own.gguf").write_bytes(demo_path().read_bytes())
    found = load_experiment(path)
    assert found.models == [str(folder / "own.gguf")]
    assert found.judges == [f"local:{folder / 'own.gguf'}"]
    assert reach_of(found).files == (str(folder / "own.gguf"),)


# Consent


def test_hostile_toml_file_gets_no_secrets(tmp_path: Path, secrets: None) -> None:
    with Recorder() as server:
        path = written(
            tmp_path / "received",
            models=[f"server:one@{server.url}"],
            judges=[f"openai:one@{server.url}"],
            template="/proc/self/environ",
        )
        options = ("--batch", "--experiment", str(path), "--db", "a.db")
        code, _, err = call(*options, "--yes", cwd=tmp_path)
        assert (code, err.count("\n")) == (1, 1)
        assert "/proc/self/environ: outside" in err
        assert not server.received
        written(
            tmp_path / "received",
            models=[f"server:one@{server.url}"],
            judges=[f"openai:one@{server.url}"],
        )
        code, _, err = call(*options, cwd=tmp_path)
        assert (code, err.count("\n")) == (2, 1)
        assert f"contacts {server.url} (model one)" in err
        assert not server.received
        code, _, err = call(*options, "--yes", cwd=tmp_path)
        assert code == 0, err
        assert b"backup" in server.received or len(server.received) > 1000
    assert SECRET.encode() not in server.received
    for file in tmp_path.glob("a.db*"):
        assert SECRET.encode() not in file.read_bytes()


def test_typed_values_need_no_consent(tmp_path: Path) -> None:
    path = written(tmp_path / "received")
    with Recorder() as server:
        options = ("--batch", "--experiment", str(path), "--db", "a.db", "--judge", "none")
        code, _, err = call(*options, "--model", f"server:one@{server.url}", cwd=tmp_path)
    assert code == 0, err
    assert server.received


@pytest.mark.parametrize(("typed", "code"), [(b"n\n", 2), (b"y\n", 0)])
def test_consent_is_asked_for_on_a_terminal(tmp_path: Path, typed: bytes, code: int) -> None:
    path = written(tmp_path / "received", judges=["none"])
    ours, theirs = os.openpty()
    with Recorder() as server:
        written(tmp_path / "received", judges=["none"], models=[f"server:one@{server.url}"])
        options = ["--batch", "--experiment", str(path), "--db", "a.db"]
        env = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        with subprocess.Popen(
            [*COMMAND, *options], cwd=tmp_path, env=env, stdin=theirs, stderr=subprocess.PIPE
        ) as process:
            os.write(ours, typed)
            _, err = process.communicate(timeout=120)
        assert process.returncode == code, err
        assert f"contacts {server.url} (model one)".encode() in err
        assert bool(server.received) == (code == 0)
    os.close(ours)
    os.close(theirs)


def test_demo_needs_and_stores_no_consent(tmp_path: Path, state_home: Path) -> None:
    path = written(tmp_path / "received")
    code, _, err = call("--batch", "--experiment", str(path), "--db", "a.db", cwd=tmp_path)
    assert code == 0, err
    assert not list(state_home.rglob("agreed"))


def test_bench_needs_consent_to_contact_a_host(tmp_path: Path) -> None:
    with Recorder() as server:
        path = written(tmp_path / "received", models=[f"server:one@{server.url}"])
        code, _, err = call("bench", "--experiment", str(path), cwd=tmp_path)
    assert (code, err.count("\n")) == (2, 1)
    assert not server.received


def test_question_contains_no_control_characters(tmp_path: Path) -> None:
    path = written(tmp_path / "received", models=["owner/repo/a\x1b[2J\u202e.gguf"])
    code, _, err = call("--batch", "--experiment", str(path), "--db", "a.db", cwd=tmp_path)
    assert code in (1, 2)
    assert "\x1b" not in err


def test_files_named_by_a_database_are_not_read(tmp_path: Path) -> None:
    named: list[dict[str, object]] = [
        {"template": "/proc/self/environ"},
        {"rubric": "r.toml"},
        {"conditions_file": "c.toml"},
        {"scenarios": ["starter", "own.toml"]},
    ]
    for fields in named:
        stored = parse_experiment(Experiment(**fields).to_toml())  # type: ignore[arg-type]
        origin = origin_of(stored, "a.db", is_database=True)
        with pytest.raises(ExperimentError, match="reads no file because a database names it"):
            origin.require_readable(stored)
        (name,) = fields
        origin.typed(name).require_readable(stored)  # the user entered the same name
        TYPED.require_readable(stored)


def test_known_file_is_not_read_for_other_hosts_of_a_database(tmp_path: Path) -> None:
    """A database cannot send a file of the user to a host that was not agreed to with it."""
    file = tmp_path / "own.toml"
    file.write_text(CONDITIONS, encoding="utf-8")
    own = Experiment(conditions_file=str(file), conditions=["baseline", "mine"])
    db = tmp_path / "a.db"
    assert stored_origin(own, db).unread_files(own)
    remember(own, TYPED)
    origin = stored_origin(own, db)
    assert not origin.unread_files(own)
    assert open_question(own, origin) is None
    for other in (
        replace(own, models=["server:a@http://evil.example/v1"]),
        replace(own, rubric="/proc/self/environ"),
    ):
        assert stored_origin(other, db).unread_files(other)
    file.write_text(CONDITIONS.replace("My own", "Another"), encoding="utf-8")
    question = open_question(own, stored_origin(own, db))
    assert question
    assert question.changed == (str(file),)
    file.write_text("damaged", encoding="utf-8")
    assert stored_origin(own, db).unread_files(own)


def test_received_host_stays_received_after_another_is_typed() -> None:
    stored = Experiment(models=["server:a@http://evil.example/v1"])
    both = replace(stored, models=[*stored.models, "demo"])
    origin = origin_of(stored, "a.db", is_database=True).typed("models", both.models)
    assert reach_of(origin.part(both)).hosts == (("http://evil.example/v1", "model a"),)
    gone = origin.typed("models", ["demo"]).typed("models", stored.models)
    assert reach_of(gone.part(stored)).is_empty
