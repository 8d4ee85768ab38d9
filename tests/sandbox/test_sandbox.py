"""Children with limits and without secrets: what they inherit, and how they end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from steertui.core.model import demo_path
from steertui.core.template_traits import DEFAULT_FORM
from steertui.engine.context import ContextParams
from steertui.engine.pool import Pool
from steertui.engine.vocabulary import Vocabulary, close_idle, vocabulary
from steertui.errors import ModelError
from steertui.sandbox.launch import scrubbed_environment
from steertui.sandbox.parent import Sandbox, Stopped

ALONE = ContextParams(1, 768, 256, 1)
SECRETS = (
    "OPENAI_API_KEY",
    "HF_TOKEN",
    "STEERTUI_SERVER_KEY",
    "STEERTUI_JUDGE_KEY",
    "NVIDIA_API_KEY",
    "LLAMA_ARG_API_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "PYTHON_KEYRING_PASSWORD",
    "DATABASE_URL",
)
NEEDED = ("PATH", "OMP_PROC_BIND", "GGML_SCHED_DEBUG", "LC_CTYPE")


def environment_of(pid: int) -> dict[str, str]:
    raw = Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(line.split("=", 1) for line in raw.split("\0") if line)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_child_inherits_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, "the-secret")
    for name in NEEDED[1:]:
        monkeypatch.setenv(name, "C")
    with Sandbox("steertui.core.chat_template:main") as sandbox, Pool(demo_path(), [ALONE]) as pool:
        list(pool.load())
        gguf = Vocabulary(demo_path())
        found = [environment_of(pid) for pid in (sandbox.pid, gguf.sandbox.pid, *pool.pids)]
        limits = Path(f"/proc/{pool.pids[0]}/limits").read_text(encoding="utf-8")
        gguf.close()
    for environment in found:
        assert "the-secret" not in environment.values()
        assert set(NEEDED) <= environment.keys()
    (core,) = (line.split() for line in limits.splitlines() if "core file" in line)
    assert core[4:6] == ["0", "0"]


def test_only_what_is_known_to_be_needed_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMETHING_ELSE", "1")
    assert "SOMETHING_ELSE" not in scrubbed_environment()


def test_rendering_loads_no_llama_cpp_and_no_numpy() -> None:
    program = "import sys, steertui.core.chat_template; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "jinja2" in loaded
    assert not {"llama_cpp", "numpy", "pydantic", "textual", "openai", "httpx2"} & loaded


def test_the_parent_loads_no_chat_template_and_no_reader() -> None:
    program = "import sys, steertui.execution, steertui.planning.plan; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "steertui.planning.plan" in done.stdout.split()
    assert not {"steertui.core.chat_template", "steertui.engine.vocabulary_child"} & set(
        done.stdout.split()
    )


def test_ctrl_c_is_left_to_the_parent() -> None:
    gguf = Vocabulary(demo_path())
    with Pool(demo_path(), [ALONE]) as pool:
        list(pool.load())
        for pid in (gguf.sandbox.pid, *pool.pids):
            os.kill(pid, signal.SIGINT)
        time.sleep(0.2)
        assert psutil.Process(pool.pids[0]).is_running()
        assert gguf.count(["still there"])[0] > 0
    gguf.close()


def test_a_child_that_is_killed_is_one_sentence_and_not_asked_again() -> None:
    with vocabulary(demo_path()) as gguf:
        os.kill(gguf.sandbox.pid, signal.SIGKILL)
        with pytest.raises(ModelError, match=r"demo\.gguf: the process .* stopped \(signal 9\)"):
            gguf.count(["a"])
        assert not gguf.sandbox.is_open
    with vocabulary(demo_path()) as again:
        assert again is not gguf
        assert again.count(["a"])


def test_one_child_serves_a_file_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(demo_path().read_bytes())
    with vocabulary(path) as one:
        pass
    with vocabulary(path) as two:
        assert two is one
        with vocabulary(path) as beside:
            assert beside is not one
    path.write_bytes(demo_path().read_bytes())
    with vocabulary(path) as three:
        assert three is not one
    close_idle()
    assert not any(child.sandbox.is_open for child in (one, beside, three))


def test_a_reply_is_plain_data_of_the_type_that_was_asked_for() -> None:
    with Sandbox("steertui.core.chat_template:main") as sandbox:
        shared: tuple[object, ...] = ("text", {}, DEFAULT_FORM.as_json, True)
        with pytest.raises(Stopped) as caught:
            sandbox.ask("render", int, shared, [("", "user")], 1.0)
        assert caught.value.cause == "an unreadable reply"
        assert not sandbox.is_open


def test_many_prompts_are_rendered_and_counted_in_order() -> None:
    texts = [f"number {i} " + "word " * (i % 7) for i in range(1000)]
    with vocabulary(demo_path()) as gguf:
        tokens = gguf.tokenize(texts)
        assert gguf.count(texts) == [len(found) for found in tokens]
        assert gguf.tokenize(texts[-1:]) == tokens[-1:]
        assert len({tuple(found) for found in tokens}) == len(texts)


PROGRAM = """
import sys, time
from steertui.core.template_traits import DEFAULT_FORM
from steertui.engine.context import ContextParams
from steertui.engine.pool import Pool
from steertui.engine.vocabulary import vocabulary
from steertui.core.model import demo_path
with vocabulary(demo_path()) as gguf, Pool(demo_path(), [ContextParams(1, 768, 256, 1)]) as pool:
    list(pool.load())
    print(gguf.sandbox.pid, *pool.pids, flush=True)
    sys.stdin.read()
"""


def test_children_end_with_a_parent_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(children) == 2
        parent.kill()
    _, left = psutil.wait_procs(children, timeout=20)
    assert not left


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import a_library_that_is_missing", "ModuleNotFoundError: No module named 'a_library_"),
        ("def main(fd): raise KeyError('no tokenizer')", "KeyError: 'no tokenizer'"),
        (
            "from steertui.sandbox.child import serve\n"
            "def work(): return chr(1 << 40)\n"
            "def main(fd): serve(fd, {'work': work})",
            "OverflowError: ",
        ),
        ("def main(fd): raise ValueError('x' * 10_000)", "ValueError: xxxx"),
        ("def main(fd): raise ValueError('\\x1b[2J')", "ValueError: "),
    ],
)
def test_an_exception_of_the_child_is_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, cause: str
) -> None:
    (tmp_path / "a_child.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with Sandbox("a_child:main") as sandbox, pytest.raises(Stopped) as stopped:
        sandbox.ask("work", str, (), [()], 5.0)
    assert stopped.value.cause.startswith(cause)
    assert len(stopped.value.cause) <= 500
    assert stopped.value.cause.isprintable()


def test_a_model_that_cannot_be_read_names_the_exception(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "llama_cpp.py").write_text("raise OSError('libllama.so: too old')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelError, match=r"stopped \(OSError: libllama.so: too old\); it is"):
        Vocabulary(demo_path())
