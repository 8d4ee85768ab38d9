"""Chat formats of GGUF files: template, special tokens, warnings, missing metadata."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from steertui.analysis.summary import summarise_experiment
from steertui.core.experiment import Experiment, parse_experiment
from steertui.core.model import demo_path
from steertui.engine.vocabulary import Vocabulary, vocabulary
from steertui.errors import ModelError
from steertui.execution.plan_lines import judge_work_text
from steertui.judge.rubric import load_rubric
from steertui.planning.chat_formats import chat_format, format_notes
from steertui.planning.experiment_files import load_experiment, save_experiment
from steertui.planning.judge_estimate import JudgeWork, estimate_judge
from steertui.planning.judges import describe_judge, find_judge
from steertui.planning.plan import Plan, make_plan
from steertui.planning.resolve import resolve
from steertui.report.reproduce import reproduction_records
from steertui.store import Store
from steertui.store.setup_queries import used_models
from tests.fixtures.changed_gguf import TEMPLATE, write_changed

TURNS = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
NAMED = {f"{TEMPLATE}.rag": "R " + TURNS, f"{TEMPLATE}.tool_use": "T " + TURNS}
NO_SYSTEM = TURNS.replace("messages %}", "messages if m.role == 'user' %}")
WARNING = (
    "llama.cpp warns of this file: missing pre-tokenizer type, using: 'default'; GENERATION "
    "QUALITY WILL BE DEGRADED!; CONSIDER REGENERATING THE MODEL"
)

Change = Mapping[str, str | int | bool | None]


def gguf_of(folder: Path, change: Change) -> Vocabulary:
    with vocabulary(write_changed(folder / "m.gguf", change)) as gguf:
        return gguf


@pytest.mark.parametrize(
    ("choice", "start"),
    [("", "<|im_start|>"), ("default", "<|im_start|>"), ("rag", "R user"), ("tool_use", "T user")],
)
def test_one_of_several_templates_is_chosen_by_name(
    tmp_path: Path, choice: str, start: str
) -> None:
    gguf = gguf_of(tmp_path, NAMED)
    chat = chat_format(gguf, "m", choice)
    assert chat.render([("", "Hi")])[0].startswith(start)
    notes = format_notes(gguf, chat, choice=choice)
    assert notes == (
        "The GGUF has the chat templates default, rag, tool_use",
        f"Prompts are rendered by its chat template {choice or 'default'}",
    )


def test_a_gguf_without_a_default_template_names_the_others(tmp_path: Path) -> None:
    gguf = gguf_of(tmp_path, {TEMPLATE: None, **NAMED})
    with pytest.raises(ModelError, match="m: has the chat templates rag, tool_use and no default"):
        chat_format(gguf, "m")
    assert chat_format(gguf, "m", "rag").render([("", "Hi")])[0].startswith("R user")


def test_a_model_without_a_template_gets_a_known_one_or_a_file(tmp_path: Path) -> None:
    gguf = gguf_of(tmp_path, {TEMPLATE: None})
    with pytest.raises(ModelError, match="m: has no chat template; give one"):
        chat_format(gguf, "m")
    (prompt,) = chat_format(gguf, "m", "chatml").render([("", "Hi")])
    assert prompt == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    (tmp_path / "own.jinja").write_text(TURNS, encoding="utf-8")
    chat = chat_format(gguf, "m", str(tmp_path / "own.jinja"))
    assert chat.render([("", "Hi")]) == ["user: Hi\n"]
    with pytest.raises(ModelError, match="chat template chatlm: does not exist; give one of"):
        chat_format(gguf, "m", "chatlm")
    with pytest.raises(ModelError, match=r"nowhere\.jinja: no such file"):
        chat_format(gguf, "m", str(tmp_path / "nowhere.jinja"))


@pytest.mark.parametrize("others", [{}, NAMED])
def test_a_judge_without_a_default_template_is_not_told_to_take_another(
    tmp_path: Path, others: Change
) -> None:
    """The option --template is about the models that answer."""
    path = write_changed(tmp_path / "m.gguf", {TEMPLATE: None, **others})
    judge = find_judge(f"local:{path}", load_rubric("steertui"), hide_suffix=False)
    with pytest.raises(ModelError, match="local:m: its GGUF has no default chat template") as error:
        describe_judge(judge)
    assert "as chat template" not in str(error.value)
    work = JudgeWork(store=None, keys=[], trials=4, unanswered={}, max_tokens=8, control_set=None)
    shown = judge_work_text(estimate_judge(judge, work))
    assert shown.startswith("cannot label: its GGUF has no default chat template")


def test_a_chosen_template_is_noted() -> None:
    with vocabulary(demo_path()) as gguf:
        chat = chat_format(gguf, "m", "phi4")
        assert format_notes(gguf, chat, choice="phi4") == (
            "Prompts are rendered by the chat template phi4 instead of the GGUF's own",
        )
        assert format_notes(gguf, chat_format(gguf, "m")) == ()


@pytest.mark.parametrize(
    ("change", "tokens"),
    [
        ({"tokenizer.ggml.bos_token_id": None}, {}),  # llama.cpp takes the comma
        ({"tokenizer.ggml.bos_token_id": 10**6}, {}),
        ({"tokenizer.ggml.unknown_token_id": 0}, {"unk_token": "!"}),
    ],
)
def test_special_tokens_are_those_that_the_file_names(
    tmp_path: Path, change: Change, tokens: dict[str, str]
) -> None:
    template = "{{ bos_token }}{{ unk_token }}" + TURNS
    gguf = gguf_of(tmp_path, {TEMPLATE: template, **change})
    assert "bos_token" not in gguf.special_tokens
    assert tokens.items() <= gguf.special_tokens.items()
    (prompt,) = chat_format(gguf, "m").render([("", "Hi")])
    assert prompt == f"{''.join(tokens.values())}user: Hi\n"


@pytest.mark.parametrize(("writes_bos", "count"), [(False, 0), (True, 1)])
def test_only_the_template_writes_the_first_token(
    tmp_path: Path, writes_bos: bool, count: int
) -> None:
    template = "{{ bos_token }}" * writes_bos + TURNS
    change: Change = {
        TEMPLATE: template,
        "tokenizer.ggml.bos_token_id": 0,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": True,
    }
    gguf = gguf_of(tmp_path, change)
    (tokens,) = gguf.tokenize(chat_format(gguf, "m").render([("", "Hi")]))
    assert tokens.count(0) == count
    assert tokens[0] == 0 or not writes_bos
    assert gguf.tokenize(["user: Hi\n"])[0] == tokens[count:]


def plan_of(folder: Path, store: Store, change: Change, **fields: object) -> Plan:
    path = write_changed(folder / "m.gguf", change)
    given: dict[str, object] = {"models": [str(path)], "judges": ["none"], "limit": 1}
    return make_plan(resolve(Experiment(**(given | fields))), store)  # type: ignore[arg-type]


def test_warnings_and_merged_system_messages_are_said_once_and_stored(tmp_path: Path) -> None:
    merged = (
        "The chat template has no place for a system message; the system text precedes the user "
        "message in 3 of 3 prompts"
    )
    change = {"tokenizer.ggml.pre": None, TEMPLATE: NO_SYSTEM}
    judges = [f"local:{tmp_path / 'm.gguf'}"]
    with Store(tmp_path / "a.db") as store:
        plan = plan_of(tmp_path, store, change, judges=judges)
        assert plan.notes == (f"m: {WARNING}", f"m: {merged}")
        (model,) = used_models(store, plan.id)
        assert model.notes == (WARNING, merged)
        (record,) = reproduction_records(store, summarise_experiment(store, plan.id))
        assert [value for name, value in record.facts if name == "prompts of m"] == [
            WARNING,
            merged,
        ]


def test_each_experiment_keeps_its_own_template(tmp_path: Path) -> None:
    with Store(tmp_path / "a.db") as store:
        plans = [plan_of(tmp_path, store, {}, template=name) for name in ("", "vicuna", "phi4")]
        models = [used_models(store, plan.id)[0] for plan in plans]
    assert len({plan.id for plan in plans}) >= 2
    assert len({model.template_sha256 for model in models}) == 3


def test_a_missing_context_length_is_named(tmp_path: Path) -> None:
    with (
        Store(tmp_path / "a.db") as store,
        pytest.raises(ModelError, match=r"m\.gguf: its metadata has no qwen3\.context_length"),
    ):
        plan_of(tmp_path, store, {"qwen3.context_length": None})


def test_a_template_is_saved_with_the_experiment(tmp_path: Path) -> None:
    (tmp_path / "own").write_text(TURNS, encoding="utf-8")  # without an ending
    for choice, saved in ((f"{tmp_path}/own", f"{tmp_path}/own"), ("chatml", "chatml")):
        save_experiment(Experiment(template=choice), tmp_path / "plan.toml")
        assert load_experiment(tmp_path / "plan.toml").template == saved


def test_the_earlier_name_of_the_key_is_not_accepted_in_a_file() -> None:
    with pytest.raises(Exception, match="unknown key 'server_template'"):
        parse_experiment("server_template = ''")


def test_no_template_of_a_gguf_takes_the_place_of_a_file_or_of_its_default(tmp_path: Path) -> None:
    own = str(tmp_path / "own.jinja")
    Path(own).write_text(TURNS, encoding="utf-8")
    gguf = gguf_of(
        tmp_path, {f"{TEMPLATE}.{own}": "F " + TURNS, f"{TEMPLATE}.default": "D " + TURNS}
    )
    chat = chat_format(gguf, "m", own)
    assert chat.render([("", "Hi")]) == ["user: Hi\n"]
    assert f"the chat template {own} instead of" in format_notes(gguf, chat, choice=own)[-1]
    assert chat_format(gguf, "m").render([("", "Hi")])[0].startswith("<|im_start|>")
