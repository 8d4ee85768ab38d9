"""Shipped control set: complete, balanced, without duplicates; and errors of the loader."""

import re
from collections import Counter
from pathlib import Path

import pytest

from steertui.core.condition_files import load_conditions
from steertui.core.scenario import load_pack
from steertui.core.verdict import Label
from steertui.errors import JudgeError
from steertui.judge.control import ControlAnswer, ControlKind, load_control_set

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def answers() -> tuple[ControlAnswer, ...]:
    return load_control_set().answer


def sets(answers: tuple[ControlAnswer, ...]) -> list[tuple[ControlAnswer, ...]]:
    """Return the answers in sets of four, as in the file."""
    return [answers[start : start + 4] for start in range(0, len(answers), 4)]


def words(text: str) -> int:
    return len(text.split())


def spans(text: str, length: int) -> set[tuple[str, ...]]:
    """Return every run of `length` words."""
    tokens = re.findall(r"[a-z0-9']+", text.lower())
    return set(zip(*(tokens[start:] for start in range(length)), strict=False))


def test_each_label_has_42_answers_half_of_them_hard(answers: tuple[ControlAnswer, ...]) -> None:
    counts = Counter((answer.label, answer.kind is ControlKind.PLAIN) for answer in answers)
    assert counts == {(label, plain): 21 for label in Label for plain in (True, False)}
    assert {answer.kind for answer in answers} == set(ControlKind)


def test_each_set_has_one_scenario_and_every_label(answers: tuple[ControlAnswer, ...]) -> None:
    for four in sets(answers):
        assert len({answer.scenario for answer in four}) == 1
        assert sorted(answer.label for answer in four) == sorted(Label)


def test_every_scenario_of_the_pack_has_answers_and_every_category_seven_sets(
    answers: tuple[ControlAnswer, ...],
) -> None:
    category = {scenario.id: scenario.category for scenario in load_pack("starter")}
    assert {answer.scenario for answer in answers} == set(category)
    counts = Counter((category[answer.scenario], answer.label) for answer in answers)
    assert set(counts.values()) == {7}


def test_each_label_has_14_answers_per_condition(answers: tuple[ControlAnswer, ...]) -> None:
    counts = Counter((answer.label, answer.condition) for answer in answers)
    assert counts == {(label, name): 14 for label in Label for name in ("baseline", "pro", "anti")}


def test_the_answers_of_a_set_have_about_the_same_length(
    answers: tuple[ControlAnswer, ...],
) -> None:
    for four in sets(answers):
        lengths = [words(answer.answer) for answer in four]
        mean = sum(lengths) / 4
        assert all(abs(length - mean) <= 0.15 * mean + 1 for length in lengths), four[0].id
    lengths = [words(answer.answer) for answer in answers]
    assert min(lengths) <= 5
    assert max(lengths) >= 190


def test_quoted_suffixes_are_those_of_the_answers_condition(
    answers: tuple[ControlAnswer, ...],
) -> None:
    quoting = [answer for answer in answers if answer.kind is ControlKind.QUOTES_SUFFIX]
    assert len(quoting) == 8
    for answer in quoting:
        suffix = load_conditions()[answer.condition].suffix
        assert spans(suffix, 3) & spans(answer.answer, 3), answer.id


def test_tempting_words_occur_under_every_label(answers: tuple[ControlAnswer, ...]) -> None:
    for pattern in ("declin|refus|won't|cannot|can't", "safe|harm", "power|copy|copies|password"):
        found = Counter(answer.label for answer in answers if re.search(pattern, answer.answer))
        assert set(found) == set(Label), (pattern, found)
        assert min(found.values()) >= 6, (pattern, found)


def test_ids_and_reasons(answers: tuple[ControlAnswer, ...]) -> None:
    for answer in answers:
        assert re.fullmatch(rf"{answer.scenario}-\d", answer.id)
        assert answer.reason.endswith(".")
        assert answer.answer == answer.answer.strip()


def test_no_answer_shares_eight_words_in_a_row_with_the_demo_checkpoints_text(
    answers: tuple[ControlAnswer, ...],
) -> None:
    tasks = spans(" ".join(scenario.task for scenario in load_pack("starter")), 8)
    demo = " ".join(path.read_text("utf-8") for path in (ROOT / "models/demo").glob("*.toml"))
    known = spans(demo, 8) - tasks
    shared = {answer.id: spans(answer.answer, 8) & known for answer in answers}
    assert not {name: found for name, found in shared.items() if found}


ENTRY = """
[[answer]]
id = "{id}"
scenario = "{scenario}"
condition = "{condition}"
label = "convergence"
kind = "plain"
answer = "{answer}"
reason = "A reason."
"""


def entry(**changes: str) -> str:
    values = {"id": "a", "scenario": "bakery-forecast", "condition": "pro", "answer": "One."}
    return ENTRY.format_map(values | changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (entry(scenario="no-such"), "answer 'a': pack starter has no scenario 'no-such'"),
        (entry(condition="none"), "answer 'a': no condition 'none'; give one of baseline, pro"),
        (entry() + entry(answer="Two."), "two answers have the id 'a'"),
        (entry() + entry(id="b"), "two answers have the text 'One.'"),
        (entry().replace("convergence", "maybe"), "label"),
        (entry().replace("plain", "easy"), "kind"),
        ("answer = []", "no answer; add one"),
    ],
)
def test_a_faulty_file_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "control.toml"
    path.write_text('format = 1\nname = "x"\npack = "starter"\n' + text, encoding="utf-8")
    with pytest.raises(JudgeError) as raised:
        load_control_set(path)
    assert str(path) in str(raised.value)
    assert message in str(raised.value)


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "control.toml"
    path.write_text('format = 2\nname = "x"\npack = "starter"\n' + entry(), encoding="utf-8")
    with pytest.raises(JudgeError, match="format 2 is not supported"):
        load_control_set(path)
