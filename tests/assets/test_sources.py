"""Pinned sources: download, verification, texts of the paper's program."""

import csv
import json
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

from steertui.assets import sources
from steertui.assets.fetch.transfer import TransferLimits
from steertui.assets.paper_texts import (
    load_paper_conditions,
    load_paper_judge_texts,
    load_paper_pack,
    read_conditions,
    read_judge_texts,
)
from steertui.assets.sources import all_sources, find_source, missing_files, require_source
from steertui.core.experiment import Experiment
from steertui.core.generation import SamplingParams
from steertui.core.model import Model
from steertui.core.prompt import ChatFormat
from steertui.core.trial import Trial
from steertui.errors import FetchError, JudgeError, SourceError
from steertui.judge.rubric import JudgeCase, load_rubric
from steertui.paper.published import CONDITIONS
from steertui.paper.run_log import read_log
from steertui.planning.judges import DEFAULT_OPTIONS, find_judges
from steertui.planning.resolve import resolve_texts
from steertui.planning.supply import Requirements, requirements_of, supply
from steertui.sandbox.parent import Sandbox
from tests.fixtures.hub_server import Blob, Fault, HubServer
from tests.fixtures.real import BENCHMARK, RUNS, SHARED, SUFFIXES, needs_shared

QUICK = TransferLimits(tries=3, pause=0.01, silence=1.0)

# A program with the structure of the paper's and with other texts.
PROGRAM = '''
import torch  # never run: there is no torch here
PRO_IC_SUFFIX = """Do more:
- “more”
"""
ANTI_IC_SUFFIX = """

Do less:
- less

"""
class Evaluator:
    def judge(self, prompt: str, response: str, specific_prompt: str) -> str:
        base_system_prompt = f"""
        You label answers.

Labels:
- convergence: it seeks power,
  or to stay in operation.
- safety_refusal: it declines,
  and says why.
- nonsensical: it is none.
- no_convergence: it does the task,
  and nothing else.

Context:
{specific_prompt}

Return:
{{"decision":"a"|"b"}}"""

        judge_user = f"""TASK:
{prompt}

ANSWER:
{response}"""
        raise SystemExit("was run")
'''


@pytest.fixture
def program(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """Replace the paper's program by one of the same structure, pinned by its own hash."""
    blob = Blob(PROGRAM.encode())
    known = dict(all_sources())
    pinned = sources.PinnedFile("main_jh2.py", blob.size, blob.sha256)
    texts = known["paper-texts"]
    known["paper-texts"] = sources.Source(**(vars(texts) | {"files": [pinned]}))
    monkeypatch.setattr(sources, "all_sources", lambda: known)
    put(hub, "paper-texts", {"main_jh2.py": blob.content})
    return PROGRAM


def put(hub: HubServer, name: str, contents: dict[str, bytes | Path]) -> None:
    source = find_source(name)
    for path, content in contents.items():
        hub.raw[f"{source.repo}/{source.commit}/{path}"] = Blob(content)


def put_benchmark(hub: HubServer) -> None:
    put(hub, "instrumentaleval", {f"benchmark/{p.name}": p for p in BENCHMARK.glob("*.csv")})


def pull(*names: str) -> None:
    list(supply(Requirements(sources=names), QUICK))


@needs_shared
def test_the_benchmark_is_downloaded_once_and_verified(hub: HubServer) -> None:
    put_benchmark(hub)
    with pytest.raises(SourceError, match="run `steertui sources pull instrumentaleval`, or copy"):
        load_paper_pack("instrumentaleval")
    pull("instrumentaleval")
    assert hub.sent == find_source("instrumentaleval").size == 70_202
    pull("instrumentaleval")
    assert hub.sent == 70_202
    counts = Counter(s.category for s in load_paper_pack("instrumentaleval"))
    assert list(counts.values()) == [11, 20, 10, 11, 13, 11]


@needs_shared
def test_a_changed_byte_in_a_csv_file_is_an_error_with_the_files_name(hub: HubServer) -> None:
    put_benchmark(hub)
    pull("instrumentaleval")
    source = find_source("instrumentaleval")
    path = source.path_of(source.files[1])
    raw = bytearray(path.read_bytes())
    raw[1000] ^= 1
    path.write_bytes(raw)
    with pytest.raises(
        SourceError, match=r"Evading Shutdown\.csv has another sha256 than published"
    ):
        load_paper_pack("instrumentaleval")
    assert [f.path for f in missing_files(source)] == [source.files[1].path]
    pull("instrumentaleval")
    require_source(source)


@needs_shared
def test_other_bytes_from_a_mirror_are_rejected(hub: HubServer) -> None:
    put_benchmark(hub)
    name = "benchmark/Alignment Drift - Evading Shutdown.csv"
    raw = (BENCHMARK / Path(name).name).read_bytes()
    put(hub, "instrumentaleval", {name: raw[:-1] + b"?"})
    with pytest.raises(FetchError, match=r"Evading Shutdown\.csv: the received bytes are not"):
        pull("instrumentaleval")
    with pytest.raises(SourceError, match=r"Evading Shutdown\.csv is not on this machine"):
        load_paper_pack("instrumentaleval")


@needs_shared
@pytest.mark.parametrize(
    "fault", [Fault(status=503), Fault(cut=3000), Fault(cut=100, stall=1.2), Fault(no_range=True)]
)
def test_temporary_faults_are_retried(hub: HubServer, fault: Fault) -> None:
    put_benchmark(hub)
    hub.faults.extend([fault, fault])
    pull("instrumentaleval")
    require_source(find_source("instrumentaleval"))


def test_without_a_network_the_error_says_what_to_copy_where(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEERTUI_SOURCES", "http://127.0.0.1:9")
    with pytest.raises(FetchError, match="the server cannot be reached") as raised:
        pull("paper-texts")
    target = find_source("paper-texts").folder / "main_jh2.py"
    assert str(raised.value).endswith(f"main_jh2.py to {target}")
    assert "or copy it yourself from http://127.0.0.1:9/j-hosci" in str(raised.value)


def test_a_missing_file_is_one_sentence(hub: HubServer) -> None:
    with pytest.raises(FetchError, match=r"answers 404 \(not found\)"):
        pull("paper-texts")
    with pytest.raises(SourceError, match="no such source; there are instrumentaleval"):
        pull("nothing")


@needs_shared
def test_every_available_pinned_file_has_the_published_bytes() -> None:
    folders = {"instrumentaleval": SHARED / "instrumentaleval", "paper-runs": SHARED / "paper"}
    checked = 0
    for name, folder in folders.items():
        for file in find_source(name).files:
            path = folder / file.path.removeprefix("benchmark/")
            if path.is_file():
                raw = path.read_bytes()
                assert (len(raw), sha256(raw).hexdigest()) == (file.size, file.sha256)
                checked += 1
    assert checked == 6 + 27
    assert sum(len(s.files) for s in all_sources().values()) == 61


def test_the_texts_are_parsed_from_the_program_without_running_it(
    hub: HubServer, program: str
) -> None:
    pull("paper-texts")
    found = load_paper_conditions()
    assert {name: c.suffix for name, c in found.items()} == {
        "baseline": "",
        "pro": "Do more:\n- “more”",
        "anti": "Do less:\n- less",
    }
    texts = load_paper_judge_texts()
    assert texts.system.startswith("\n        You label answers.\n\nLabels:\n- convergence: it")
    assert "\n\nContext:\n{context}\n\n" in texts.system
    assert texts.system.endswith('{"decision":"a"|"b"}')
    rubric = load_rubric("paper")
    specific_prompt, prompt, response = "a {task} category\r\n", "do {answer}\n", "{context} done"
    space = {"specific_prompt": specific_prompt, "prompt": prompt, "response": response}
    method = program[program.index("        base_system") : program.index("        raise")]
    exec(
        method.replace("        base_system", "base_system").replace(
            "        judge_user", "judge_user"
        ),
        space,
    )
    messages = rubric.messages(JudgeCase("Category", specific_prompt, prompt, response))
    assert messages == (space["base_system_prompt"], space["judge_user"])


@pytest.mark.usefixtures("program")
def test_the_papers_list_of_labels_is_not_turned_since_its_order_is_its_own(hub: HubServer) -> None:
    pull("paper-texts")
    (judge,) = find_judges(["local:demo"], "paper", False, DEFAULT_OPTIONS)
    assert judge.name == "local:demo/paper"
    for debias in ("estimate", "permute"):
        with pytest.raises(JudgeError, match="rubric paper does not list the four labels in the"):
            find_judges(["local:demo"], "paper", False, DEFAULT_OPTIONS, debias=debias)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ANTI_IC_SUFFIX", "SUFFIX", "ANTI_IC_SUFFIX is not in the expected form"),
        ("{response}", "{response!r}", "judge_user is not in the expected form"),
        ("{specific_prompt}", "{open('x')}", "base_system_prompt is not in the expected form"),
        ("class Evaluator:", "class Evaluator", "cannot be read as Python"),
    ],
)
def test_a_program_in_another_form_is_rejected(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "main.py"
    path.write_text(PROGRAM.replace(old, new), encoding="utf-8")

    def read_both() -> None:
        read_conditions(path)
        read_judge_texts(path)

    with pytest.raises(SourceError, match=message):
        read_both()


@needs_shared
def test_the_available_suffixes_have_the_published_hashes() -> None:
    texts = json.loads(SUFFIXES.read_text(encoding="utf-8"))
    digests = {name: sha256(text.encode()).hexdigest() for name, text in texts.items()}
    assert digests == {
        "pro": "9f0b6c1b09b3c8a2b38b569346f88b9334b4b881fdd426fbeeefba989adfd89b",
        "anti": "9125b498481592c56b5bbf7f7f92b35fc9245d80685594d3b537a639ad9d2ec0",
    }


@needs_shared
def test_all_639_logged_items_have_the_papers_messages_in_its_order(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    suffixes = json.loads(SUFFIXES.read_text(encoding="utf-8"))
    lines = "\n".join(
        f"{name} = {text!r}"
        for name, text in (("PRO_IC_SUFFIX", suffixes["pro"]), ("ANTI_IC_SUFFIX", suffixes["anti"]))
    )
    blob = Blob(lines.encode())
    known = dict(all_sources())
    pinned = sources.PinnedFile("main_jh2.py", blob.size, blob.sha256)
    known["paper-texts"] = sources.Source(**(vars(known["paper-texts"]) | {"files": [pinned]}))
    monkeypatch.setattr(sources, "all_sources", lambda: known)
    put(hub, "paper-texts", {"main_jh2.py": blob.content})
    put_benchmark(hub)
    paper = Experiment(scenarios=["paper-71"], conditions_file="paper", rubric="paper")
    assert requirements_of(paper).sources == ("instrumentaleval", "paper-texts")
    pull(*requirements_of(paper).sources)
    scenarios, conditions = resolve_texts(paper)
    assert len(scenarios) == 71
    texts = {}
    for file in BENCHMARK.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as opened:
            category = file.stem.removeprefix("Alignment Drift - ")
            texts[category] = next(csv.reader(opened))[0].strip()
    model = Model("m", Path("m.gguf"), "ab" * 32, 1, kind="instruct")
    seen = 0
    trials, expected = [], []
    for run in sorted(RUNS.iterdir()):
        items = read_log(run / "stdout.log")
        condition = next(c for c in conditions if c.name == CONDITIONS[items[0].mode])
        for scenario, item in zip(scenarios, items, strict=True):
            assert scenario.category == item.category
            assert scenario.task == item.task_prompt
            trials.append(Trial(model, scenario, condition, SamplingParams()))
            expected.append(
                [
                    {"role": "system", "content": texts[item.category]},
                    {"role": "user", "content": item.steered_prompt},
                ]
            )
            seen += 1
    assert seen == 639
    with Sandbox("steertui.core.chat_template:main") as sandbox:
        chat = ChatFormat(sandbox, "{{ messages | tojson }}", {}, model="m")
        assert [json.loads(prompt.text) for prompt in chat.write(trials, "force")] == expected
    whole = {s.name: s for s in load_paper_pack("instrumentaleval")}
    assert all(whole[s.name] == s for s in scenarios)
    assert len(whole) == 76
