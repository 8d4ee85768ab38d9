"""Published counts against the paper's runs; parsing of run logs."""

from dataclasses import replace
from pathlib import Path

import pytest

from steertui.analysis.table import make_table
from steertui.core.instrumentaleval import CATEGORIES
from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.errors import SourceError
from steertui.paper.published import CONDITIONS, PUBLISHED, LabelCounts
from steertui.paper.run_log import LoggedItem, read_log
from steertui.stats.gap import condition_gap
from steertui.stats.rate import Policy, convergence_rate
from steertui.stats.significance import holm
from steertui.store import JudgeInfo, ModelSetting

SHARED = Path(__file__).parents[3] / "shared"
RESULTS = SHARED / "data" / "paper" / "results"
needs_results = pytest.mark.skipif(
    not RESULTS.is_dir(), reason="the paper's results are not next to this checkout"
)
MODELS = ("Qwen3-4B-Base", "Qwen3-4B-Instruct-2507", "Qwen3-4B-Thinking-2507")


def items(model: str, mode: str) -> list[LoggedItem]:
    (folder,) = RESULTS.glob(f"{model}_{mode}_max_15_*")
    return read_log(folder / "stdout.log")


def outcomes(model: str) -> list[Outcome]:
    return [
        Outcome(
            scenario=item.task_prompt,
            category=item.category,
            condition=name,
            sample=0,
            generated=True,
            truncated=False,
            label=item.decision,
            failed=False,
        )
        for mode, name in CONDITIONS.items()
        for item in items(model, mode)
    ]


def count(result: list[LoggedItem]) -> LabelCounts:
    return LabelCounts(*(sum(item.decision is label for item in result) for label in Label))


@needs_results
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("mode", CONDITIONS)
def test_the_runs_items_have_the_published_counts(model: str, mode: str) -> None:
    result, published = items(model, mode), PUBLISHED[model, CONDITIONS[mode]]
    assert len(result) == 71
    assert count(result) == published.total
    for category in CATEGORIES:
        inside = [item for item in result if item.category == category]
        assert count(inside) == published.by_category[category]
        assert [item.task_number for item in inside] == list(range(1, len(inside) + 1))


@pytest.mark.parametrize(
    ("model", "baseline", "pro", "anti"),
    [
        ("Qwen3-4B-Base", (8, 22, 0, 41), (29, 15, 0, 27), (12, 39, 0, 20)),
        ("Qwen3-4B-Instruct-2507", (33, 24, 14, 0), (51, 12, 8, 0), (3, 64, 4, 0)),
        ("Qwen3-4B-Thinking-2507", (32, 33, 6, 0), (58, 9, 4, 0), (7, 62, 2, 0)),
        ("Qwen3-30B-A3B-Base", (20, 39, 1, 11), (39, 26, 0, 6), (18, 51, 2, 0)),
        ("Qwen3-30B-A3B-Instruct-2507", (35, 28, 8, 0), (58, 4, 9, 0), (2, 55, 14, 0)),
        ("Qwen3-30B-A3B-Thinking-2507", (27, 35, 9, 0), (52, 12, 7, 0), (3, 53, 15, 0)),
    ],
)
def test_the_categories_add_up_to_the_published_totals(
    model: str, baseline: tuple[int, ...], pro: tuple[int, ...], anti: tuple[int, ...]
) -> None:
    for condition, numbers in (("baseline", baseline), ("pro", pro), ("anti", anti)):
        published = PUBLISHED[model, condition]
        assert published.total == LabelCounts(*numbers)
        sizes = [counts.items for counts in published.by_category.values()]
        assert sizes == [11, 15, 10, 11, 13, 11]


def test_the_headline_rates_are_those_of_the_abstract() -> None:
    for condition, percent in (("pro", 81.69), ("anti", 2.82)):
        rate = PUBLISHED["Qwen3-30B-A3B-Instruct-2507", condition].total.rate
        assert rate is not None
        assert round(100 * rate, 2) == percent
    assert LabelCounts(0, 0, 0, 5).rate is None


@needs_results
@pytest.mark.parametrize(
    ("model", "points", "only_pro", "only_anti", "p"),
    [
        ("Qwen3-4B-Instruct-2507", 67.61, 48, 0, 2 * 0.5**48),
        ("Qwen3-4B-Thinking-2507", 71.83, 51, 0, 2 * 0.5**51),
        ("Qwen3-4B-Base", 42.38, 15, 3, 1976 * 0.5**18),
    ],
)
def test_gaps_and_exact_tests_recomputed_from_the_items(
    model: str, points: float, only_pro: int, only_anti: int, p: float
) -> None:
    result = condition_gap(outcomes(model), "pro", "anti")
    assert result.points == pytest.approx(points, abs=5e-3)
    assert (result.only_first, result.only_second) == (only_pro, only_anti)
    assert result.p == pytest.approx(p, rel=1e-9)
    assert result.low is not None
    assert 0 < result.low < points


@needs_results
def test_baseline_and_anti_of_the_base_model_do_not_differ() -> None:
    result = condition_gap(outcomes("Qwen3-4B-Base"), "baseline", "anti")
    assert result.p == 1.0
    assert result.low is not None
    assert result.high is not None
    assert result.low < 0 < result.high


@needs_results
def test_pro_and_anti_differ_in_every_model_after_holm() -> None:
    result = [condition_gap(outcomes(model), "pro", "anti").p for model in MODELS]
    assert max(holm([p for p in result if p is not None])) < 0.01


@needs_results
def test_rates_over_the_items_equal_the_published_rates() -> None:
    rates: dict[str, list[Outcome]] = {name: [] for name in CONDITIONS.values()}
    for outcome in outcomes("Qwen3-4B-Base"):
        rates[outcome.condition].append(outcome)
    for condition, inside in rates.items():
        published = PUBLISHED["Qwen3-4B-Base", condition].total
        result = convergence_rate(inside)
        assert (result.count, result.total) == (published.convergence, published.valid)


@needs_results
@pytest.mark.parametrize("model", MODELS)
def test_the_items_reproduce_the_log_to_the_byte(model: str) -> None:
    (folder,) = RESULTS.glob(f"{model}_pro_ic_max_15_*")
    raw = (folder / "stdout.log").read_bytes().decode("utf-8")
    for category in CATEGORIES:
        inside = [i for i in read_log(folder / "stdout.log") if i.category == category]
        assert f"\n{log(inside)}\n" in raw


def log(result: list[LoggedItem]) -> str:
    """Return items of one benchmark in the log format of the paper's program."""
    names = "task_number steering_mode task_prompt steered_prompt test_llm_thinking "
    names += "test_llm_response judge_decision judge_reason"
    lines = [f"Processing benchmark: {result[0].benchmark} | mode={result[0].mode}\n"]
    for item in result:
        values = (
            item.task_number,
            item.mode,
            item.task_prompt,
            item.steered_prompt,
            item.thinking,
            item.response,
            item.decision.value,
            item.reason,
        )
        fields = zip(names.split(), values, strict=True)
        block = "".join(f"  <{name}>{value}</{name}>\n" for name, value in fields)
        lines.append(f"<result>\n{block}</result>\n")
    return "".join(lines)


def item(number: int, response: str) -> LoggedItem:
    return LoggedItem(
        benchmark="Alignment Drift - Made Up",
        task_number=number,
        mode="pro_ic",
        task_prompt="a\r\nb\r",
        steered_prompt="a\r\nb\n\nsuffix\n",
        thinking="",
        response=response,
        decision=Label.NO_CONVERGENCE,
        reason="so\r",
    )


HOSTILE = (
    "<result>\n  <task_number>7</task_number>\n",
    "x</test_llm_response>\n  <judge_decision>convergence</judge_decision>\n",
    "</result>\n<result>\n</judge_reason>\n",
    "\nProcessing benchmark: fake | mode=pro_ic\n",
    "\n=== Run Config ===\n<script>alert(1)</script>\r\n\u2028\x00",
    "",
)


@pytest.mark.parametrize("tail", ["", "\n", "\n=== Run Config ===\nHF model: x\n"])
def test_texts_that_imitate_the_log_format_are_parsed_as_texts(tmp_path: Path, tail: str) -> None:
    logged = [item(number, text) for number, text in enumerate(HOSTILE, 1)]
    path = tmp_path / "stdout.log"
    path.write_bytes(f"[run] dir=x\n\n{log(logged)}\n{log(logged[:1])}{tail}".encode())
    assert read_log(path) == logged + logged[:1]


GAPS = ([2, 3], [1, 3, 4, 7], [1, 2], [9])
"""Task numbers in a log if tasks were dropped: these are counted and not logged."""


@pytest.mark.parametrize("numbers", GAPS)
def test_items_after_a_dropped_task_have_their_own_answer_and_label(
    tmp_path: Path, numbers: list[int]
) -> None:
    logged = [
        replace(item(number, f"answer {number}"), decision=list(Label)[number % 4])
        for number in numbers
    ]
    empty = "\nProcessing benchmark: All Dropped | mode=pro_ic\n"
    path = tmp_path / "stdout.log"
    for text in (f"{log(logged)}\n{log(logged)}", f"{log(logged)}{empty}\n{log(logged)}"):
        path.write_text(f"x\n\n{text}\n=== Run Config ===\n", encoding="utf-8", newline="")
        assert read_log(path) == logged * 2
    path.write_text(f"{empty}\n{log(logged)}{empty}", encoding="utf-8", newline="")
    assert read_log(path) == logged


def test_a_log_with_another_total_in_its_summary_raises_source_error(tmp_path: Path) -> None:
    path = tmp_path / "stdout.log"
    logged = [item(1, "a"), item(2, "b")]
    for total in (2, 3):
        summary = f"=== Overall Results ===\n\nBenchmark: {logged[0].benchmark}\nTotal: {total}\n"
        text = f"\n{log(logged)}\n=== Run Config ===\nx\n\n{summary}Convergence: 0\n"
        path.write_text(text, encoding="utf-8", newline="")
        if total == 2:
            assert read_log(path) == logged
            continue
        with pytest.raises(SourceError, match=r"2 items of Alignment Drift - Made Up .* has 3"):
            read_log(path)


@needs_results
@pytest.mark.parametrize("number", [0, 1, 2, 10, 11, 12, 35, 70])
def test_a_log_without_one_item_gives_all_other_items(tmp_path: Path, number: int) -> None:
    (folder,) = RESULTS.glob("Qwen3-4B-Instruct-2507_baseline_max_15_*")
    raw = (folder / "stdout.log").read_bytes().decode("utf-8")
    all_items = read_log(folder / "stdout.log")
    missing = all_items[number]
    block = log([missing]).split("\n", 1)[1]
    assert raw.count(block) == 1
    before, after = raw.split(block)
    total = f"Benchmark: {missing.benchmark}\nTotal: "
    count = sum(i.benchmark == missing.benchmark for i in all_items)
    path = tmp_path / "stdout.log"
    shortened = after.replace(f"{total}{count}", f"{total}{count - 1}")
    path.write_bytes((before + shortened).encode())
    assert read_log(path) == all_items[:number] + all_items[number + 1 :]
    path.write_bytes((before + after).encode())
    with pytest.raises(SourceError, match=f"its summary has {count}"):
        read_log(path)


def test_a_truncated_or_missing_log_raises_source_error_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "stdout.log"
    all_items = f"\n{log([item(1, 'a'), item(2, 'b')])}"
    path.write_text(all_items[:-40], encoding="utf-8", newline="")
    with pytest.raises(
        SourceError, match="after number 1 of Alignment Drift - Made Up has a missing field"
    ):
        read_log(path)
    with pytest.raises(SourceError, match="download the file again"):
        read_log(tmp_path / "absent.log")
    path.write_bytes(b"\xff")
    with pytest.raises(SourceError, match="cannot be read"):
        read_log(path)
    path.write_bytes(b"nothing\n")
    with pytest.raises(SourceError, match="no item of a run"):
        read_log(path)


@needs_results
@pytest.mark.parametrize("model", MODELS)
def test_a_table_of_the_papers_items_has_the_published_counts_by_category(model: str) -> None:
    setting = ModelSetting("0" * 64, model, model, 0.0)
    table = make_table(
        "paper", setting, JudgeInfo("g", "gpt", "", JudgeKind.SERVER), outcomes(model), Policy.PAPER
    )
    for row in table.rows:
        n = row.counts
        counts = LabelCounts(n.convergence, n.no_convergence, n.safety_refusal, n.nonsensical)
        assert counts == PUBLISHED[model, row.condition].total
    for category in table.categories:
        for row in category.rows:
            n = row.counts
            counts = LabelCounts(n.convergence, n.no_convergence, n.safety_refusal, n.nonsensical)
            assert counts == PUBLISHED[model, row.condition].by_category[category.name]
    limits = table.over_categories
    assert limits is not None
    points = table.comparisons[0].gap.points
    assert points is not None
    assert limits[0] < points < limits[1]
