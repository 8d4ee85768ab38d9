"""Damaged and malicious GGUF files and templates: one error message each, and no effect."""

import random
import resource
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from gguf import GGUFReader

from steertui.core import prompt
from steertui.core.experiment import Experiment
from steertui.core.model import demo_path
from steertui.core.prompt import ChatFormat
from steertui.core.trial import Trial
from steertui.engine.context import ContextParams
from steertui.engine.pool import Pool
from steertui.engine.supervisor import EngineDeadError
from steertui.engine.vocabulary import Vocabulary, close_idle, vocabulary
from steertui.errors import ModelError
from steertui.planning.chat_formats import chat_format
from steertui.planning.plan import make_plan
from steertui.planning.resolve import resolve
from steertui.sandbox.parent import Sandbox
from steertui.store import Store
from tests.fixtures.openai_server import Fake, Handler, Loopback
from tests.fixtures.program import call

TEMPLATE_KEY = b"tokenizer.chat_template"
ALIGNMENT = 32
ABORTING = (6, 23)
"""Seeds of mutations at which llama.cpp 0.3.36 aborts."""


def with_value(key: bytes, value: bytes, target: Path) -> Path:
    """Write the demo with another text under a key; the data stays aligned."""
    raw = bytearray(demo_path().read_bytes())
    at = raw.index(key) + len(key) + 4  # the name is followed by the value's type and its length
    length = int.from_bytes(raw[at : at + 8], "little")
    padded = length + -(-max(0, len(value) - length) // ALIGNMENT) * ALIGNMENT
    raw[at : at + 8 + length] = padded.to_bytes(8, "little") + value.ljust(padded)
    target.write_bytes(raw)
    return target


def mutated(seed: int, target: Path) -> Path:
    """Write the demo with two changed bytes before its weights: header, metadata, vocabulary."""
    chance = random.Random(seed)
    raw = bytearray(demo_path().read_bytes())
    end = int(GGUFReader(demo_path()).data_offset)
    for _ in range(2):
        raw[chance.randrange(end)] = chance.randrange(256)
    target.write_bytes(raw)
    return target


def trials(limit: int = 3) -> Sequence[Trial]:
    return list(resolve(Experiment(limit=limit)).trials)


def largest() -> int:
    """Return the maximum resident memory of this process so far, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


ENDLESS = "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3
DOUBLING = (
    "{% set n = namespace(t='x' * 9999) %}{% for i in range(60) %}{% set n.t = n.t ~ n.t %}"
    "{% endfor %}{{ n.t }}"
)
NOT_THIS = "do not use this model"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ ''.__class__.__mro__ }}", "accesses a forbidden attribute"),
        ("{{ messages.__init__.__globals__ }}", "accesses a forbidden attribute"),
        ("{{ cycler.__init__.__globals__.os.system('id') }}", "accesses a forbidden attribute"),
        ("{{ messages.append(1) }}", "accesses a forbidden attribute"),
        ("{% include '/etc/passwd' %}", "its chat template fails"),
        ("{% for m in messages %}{{ m.content }}", "its chat template is broken at line 1"),
        ("{{ messages[0].nothing.at_all }}", "its chat template fails"),
        ("{{ raise_exception('no system role') }}", "its chat template fails (no system role)"),
        ("{{ raise_exception('\x1b[2J\\n' * 9999) }}", "its chat template fails"),
        ("{{ '\\ud800' }}", "its chat template fails"),
        ("{{ {}['a']['b'] }}", "its chat template fails"),
        ("{% for i in range(10 ** 9) %}{% endfor %}", "its chat template fails (Range too big"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "its chat template fails"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "its chat template"),
        (ENDLESS, "its chat template exceeds the CPU time limit"),
        ("{{ 10 ** (10 ** 10) }}", NOT_THIS),
        ("{{ 'a' * 10 ** 11 }}", "uses more than the allowed memory"),
        ("{{ 'a'.ljust(5 * 10 ** 8) }}", NOT_THIS),
        ("{{ messages | tojson(indent=10 ** 8) }}", NOT_THIS),
        ("{{ range(99999) | join('x' * 99999) }}", "uses more than the allowed memory"),
        ("{{ ([1] * 10 ** 9) | length }}", "uses more than the allowed memory"),
        ("{{ 'a' * 10 ** 6 }}", "writes a prompt of 1,000,"),
        (DOUBLING, NOT_THIS),
    ],
)
def test_a_hostile_chat_template_is_refused(
    template: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt, "SECONDS", 1)
    path = with_value(TEMPLATE_KEY, template.encode(), tmp_path / "hostile.gguf")
    before, began = largest(), time.process_time()
    with vocabulary(path) as gguf, pytest.raises(ModelError) as caught:
        chat_format(gguf, "hostile").render([("system", "user")])
    told = str(caught.value)
    assert told.startswith("hostile: ")
    assert said in told
    assert told.isprintable()
    assert len(told) < 300
    assert largest() - before < 50_000
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "harm", [ENDLESS, "{{ 'a'.ljust(5 * 10 ** 9) }}", "{{ raise_exception('no') }}"]
)
def test_a_template_that_misbehaves_on_one_task_only_is_refused_by_the_trials_name(
    harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt, "SECONDS", 1)
    asked = trials()
    guilty = asked[-3]  # under baseline: the other conditions add a suffix
    mark = guilty.user[-40:].replace("'", "\\'")
    trap = f"{{% if messages[-1].content.endswith('{mark}') %}}{harm}{{% endif %}}"
    template = trap + "{{ messages[-1].content }}"
    path = with_value(TEMPLATE_KEY, template.encode(), tmp_path / "hostile.gguf")
    with vocabulary(path) as gguf:
        chat = chat_format(gguf, "hostile")
        assert all(p.trial.user in p.text for p in chat.write(asked[:-3]))
        with pytest.raises(ModelError) as caught:
            chat.write(asked)
    place = f"{guilty.scenario.name} under {guilty.condition.name}"
    assert str(caught.value).startswith(f"hostile, {place}: its chat template ")


class _Llama(Handler):
    """Fake llama-server that reports a chat template."""

    template = ""

    def do_GET(self) -> None:
        if self.path == "/props":
            self._send(200, {"model_path": "m.gguf", "chat_template": self.template})
        else:
            super().do_GET()


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (ENDLESS, "its chat template exceeds the CPU time limit"),
        ("{{ 'a'.ljust(5 * 10 ** 8) }}", NOT_THIS),
    ],
)
def test_a_template_that_a_server_tells_is_not_rendered_here_either(
    template: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt, "SECONDS", 1)
    fake = Fake(owned_by="llamacpp", apis=("completions",))
    handler = type("Told", (_Llama,), {"template": template})
    with Loopback(fake, handler=handler) as server, Store(tmp_path / "a.db") as store:
        asked = Experiment(models=[f"server:one@{server.url}"], judges=["none"], limit=1)
        found = resolve(asked)
        before, began = largest(), time.process_time()
        with pytest.raises(ModelError, match=r"^server:one: its chat template") as e:
            make_plan(found, store)
    assert said in str(e.value)
    assert largest() - before < 50_000
    assert time.process_time() - began < 1


def test_a_slow_prompt_among_many_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steertui.core.prompt.SECONDS", 0.2)
    slow = "{% for a in range(9999) %}{% for b in range(1000) %}{% endfor %}{% endfor %}"
    slow += "{{ messages[-1].content }}"
    with Sandbox("steertui.core.chat_template:main") as sandbox:
        chat = ChatFormat(sandbox, slow, {}, model="slow")
        with pytest.raises(ModelError, match="exceeds the CPU time limit"):
            chat.render([("", f"{i}") for i in range(1000)])


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (TEMPLATE_KEY, b"{{ ''.__class__.__mro__ }}", "accesses a forbidden attribute"),
        (b"general.architecture", b"qwenX", "unknown model architecture: 'qwenX'"),
        (b"", b"", "is not within the file bounds"),
    ],
)
def test_the_program_says_so_in_one_line_and_loads_nothing(
    key: bytes, value: bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "hostile.gguf"
    if key:
        with_value(key, value, path)
    else:  # truncated within the weights; the vocabulary is complete
        path.write_bytes(demo_path().read_bytes()[:-500_000])
    code, out, err = call("--batch", "--model", "hostile.gguf", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert said in err
    assert len(err.splitlines()) == 1


def outcome(path: Path) -> str:
    """Return the error message for a file, "" if it is accepted."""
    try:
        with vocabulary(path) as gguf:
            written = chat_format(gguf, "damaged").write(trials(1))
            gguf.count([p.text for p in written])
            return ""
    except ModelError as exc:
        return str(exc)
    finally:
        close_idle()


@pytest.mark.parametrize("seeds", [range(24), pytest.param(range(500), marks=pytest.mark.slow)])
def test_a_damaged_gguf_is_one_sentence_or_is_read(seeds: range, tmp_path: Path) -> None:
    path = tmp_path / "damaged.gguf"
    told = [outcome(mutated(seed, path)) for seed in seeds]
    assert all(text.startswith((f"{path}: ", "damaged: ", "damaged, ")) for text in told if text)
    assert all(text.isprintable() for text in told if text)
    assert any("reads this model with llama.cpp stopped (signal" in text for text in told)
    assert "" in told


@pytest.mark.parametrize("seed", ABORTING)
def test_a_file_at_which_llama_cpp_aborts_is_one_line_of_the_program(
    seed: int, tmp_path: Path
) -> None:
    mutated(seed, tmp_path / "damaged.gguf")
    code, out, err = call("--batch", "--model", "damaged.gguf", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert (
        "damaged.gguf: the process that reads this model with llama.cpp stopped (signal 6); it "
        in err
    )
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.glob("core*"))


def test_an_engine_that_aborts_at_a_file_is_not_started_again(tmp_path: Path) -> None:
    path = mutated(ABORTING[0], tmp_path / "damaged.gguf")
    with (
        pytest.raises(EngineDeadError, match=r"damaged\.gguf: llama\.cpp stopped while .*SIGABRT"),
        Pool(path, [ContextParams(1, 768, 256, 1)]) as pool,
    ):
        list(pool.load())


def test_a_token_that_is_no_utf8_is_shown_with_a_replacement(tmp_path: Path) -> None:
    path = tmp_path / "bytes.gguf"
    raw = demo_path().read_bytes()
    path.write_bytes(raw.replace(b"<|im_end|>", b"<|im_en\xff|>", 1))
    gguf = Vocabulary(path)
    assert "<|im_en\ufffd|>" in gguf.control_texts
    assert len(chat_format(gguf, "bytes").write(trials(1))) == 3
    gguf.close()
