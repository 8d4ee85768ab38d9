"""GGUF files that are broken or mean harm: one sentence each, before any weight is loaded."""

from pathlib import Path

import pytest

from steertui.core import template_sandbox as tryout
from steertui.core.model import demo_path
from steertui.engine.llama import LlamaModel
from steertui.errors import ModelError
from steertui.planning.judges import chat_format
from tests.fixtures.program import call

TEMPLATE_KEY = b"tokenizer.chat_template"


def with_value(key: bytes, value: bytes, target: Path) -> Path:
    """Write the demo with another text under a key, of the same length: nothing else moves."""
    raw = bytearray(demo_path().read_bytes())
    at = raw.index(key) + len(key) + 4  # behind the name stands the value's type, then its length
    length = int.from_bytes(raw[at : at + 8], "little")
    assert len(value) <= length
    raw[at + 8 : at + 8 + length] = value.ljust(length)
    target.write_bytes(raw)
    return target


ENDLESS = "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3
DOUBLING = (
    "{% set n = namespace(t='x' * 9999) %}{% for i in range(60) %}{% set n.t = n.t ~ n.t %}"
    "{% endfor %}{{ n.t }}"
)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ ''.__class__.__mro__ }}", "reaches for what a template may not"),
        ("{{ messages.__init__.__globals__ }}", "reaches for what a template may not"),
        ("{{ cycler.__init__.__globals__.os.system('id') }}", "reaches for what a template may"),
        ("{{ messages.append(1) }}", "reaches for what a template may not"),
        ("{% include '/etc/passwd' %}", "its chat template fails"),
        ("{% for m in messages %}{{ m.content }}", "its chat template is broken at line 1"),
        ("{{ messages[0].nothing.at_all }}", "its chat template fails"),
        ("{{ raise_exception('no system role') }}", "its chat template fails (no system role)"),
        ("{% for i in range(10 ** 9) %}{% endfor %}", "its chat template fails (Range too big"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "its chat template fails"),
        (ENDLESS, "its chat template does not come to an end"),
        ("{{ 10 ** (10 ** 10) }}", "do not use this file"),
        ("{{ 'a' * 10 ** 11 }}", "asks for more memory than any should"),
        (DOUBLING, "do not use this file"),
    ],
)
def test_a_hostile_chat_template_is_refused(
    template: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tryout, "SECONDS", 1)
    path = with_value(TEMPLATE_KEY, template.encode(), tmp_path / "hostile.gguf")
    llama = LlamaModel(path, vocab_only=True)
    with pytest.raises(ModelError) as caught:
        chat_format(llama, "hostile").render("system", "user")
    llama.close()
    told = str(caught.value)
    assert told.startswith("hostile: ")
    assert said in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (TEMPLATE_KEY, b"{{ ''.__class__.__mro__ }}", "a template may not"),
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
    else:  # cut within the weights: the vocabulary is whole
        path.write_bytes(demo_path().read_bytes()[:-500_000])
    code, out, err = call("--batch", "--model", "hostile.gguf", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert said in err
    assert len(err.splitlines()) == 1
