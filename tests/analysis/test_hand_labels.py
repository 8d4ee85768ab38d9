"""Labels by a person that are no random sample: never a headline, never a reference for drift."""

from pathlib import Path

from click.testing import CliRunner

from steertui.analysis.comparisons import compare_tables
from steertui.analysis.label_queue import QueueOrder, add_label, annotator_id, build_queue
from steertui.analysis.summary import ReportFilter, Summary, summarise
from steertui.cli import cli
from steertui.core.verdict import Label, Verdict
from steertui.store import Store
from tests.fixtures import large
from tests.fixtures.database import execute
from tests.fixtures.stored_answers import made_up

JUDGE = "other:judge"


def labelled(db: Path, order: QueueOrder, reference: str, count: int) -> Summary:
    """Let a judge label 80 answers by number, and a person `count` of them by the queue."""
    experiment = made_up(db, [f"Answer {i}." for i in range(80)], is_paired=True)
    ann = annotator_id("ann")
    with Store(db) as store:
        store.add_judge(JUDGE, JUDGE, {"title": ""})
        for i, answer in enumerate(store.unjudged_answers(experiment, JUDGE)):
            label = Label.CONVERGENCE if i % 10 == 0 else Label.NO_CONVERGENCE
            store.add_verdict(answer.key, Verdict(JUDGE, label, probabilities=(0.6, 0.4, 0.0, 0.0)))
        for item in build_queue(store, experiment, ann, reference, order)[:count]:
            add_label(store, ann, item, Label.CONVERGENCE)
        return summarise(store, ReportFilter())


def test_stratified_labels_are_no_headline_and_set_off_no_warning(tmp_path: Path) -> None:
    summary = labelled(tmp_path / "a.db", QueueOrder.UNCERTAIN, JUDGE, 16)
    judge, person = summary.tables
    assert not person.draws_headline
    assert "labelled 16 of 80 answers" in person.judge_sentence
    assert all("nothing is concluded" in c.sentence for c in person.comparisons)
    assert not any("human:ann labels" in warning.text for warning in judge.warnings)
    assert summary.findings == ()


def test_what_is_said_of_the_labels_is_true_of_how_they_were_drawn(tmp_path: Path) -> None:
    """The Label screen draws at random from the strata of a judge."""
    random = labelled(tmp_path / "a.db", QueueOrder.RANDOM, JUDGE, 16).tables[1]
    uncertain = labelled(tmp_path / "b.db", QueueOrder.UNCERTAIN, JUDGE, 16).tables[1]
    assert not random.draws_headline
    assert "16 of 80 answers, drawn at random in equal parts" in random.judge_sentence
    assert "none under" not in random.judge_sentence
    assert "not of all answers" in random.judge_sentence
    assert "uncertain" not in random.judge_sentence
    assert random.judge_words == "stratified sample, not weighted"
    assert "16 of them not drawn at random" in uncertain.judge_sentence
    assert uncertain.judge_words == "answers not drawn at random"
    for table in (random, uncertain):
        assert not any("not reliable" in c.sentence for c in table.comparisons)


def test_all_labels_or_a_random_sample_are_a_headline(tmp_path: Path) -> None:
    everything = labelled(tmp_path / "a.db", QueueOrder.UNCERTAIN, JUDGE, 80)
    sample = labelled(tmp_path / "b.db", QueueOrder.RANDOM, "", 30)
    for summary in (everything, sample):
        person = summary.tables[1]
        assert person.draws_headline
        assert person.judge_sentence == ""
    assert any("human:ann labels" in warning.text for warning in everything.tables[0].warnings)
    (comparison,) = compare_tables(everything)
    assert [line.comparison.gap.pairs for line in comparison.lines] == [40, 40, 40]


def test_conditions_without_a_hand_label_are_named(tmp_path: Path) -> None:
    """One label cannot be in equal parts from two conditions."""
    (_, person) = labelled(tmp_path / "a.db", QueueOrder.RANDOM, JUDGE, 1).tables
    (other,) = {row.condition for row in person.rows if row.counts.judged == 0}
    assert (
        f"under each labelled condition, none under {other}, of the answers"
        in person.judge_sentence
    )


def test_a_setting_of_which_a_person_labelled_nothing_has_no_table_of_theirs(
    tmp_path: Path,
) -> None:
    db = tmp_path / "a.db"
    large.write(db, models=2, samples=1, words=2)
    with Store(db) as store:
        experiment = store.resolve_experiment()
        ann = annotator_id("ann")
        item = build_queue(store, experiment, ann, large.judge_id(0), QueueOrder.RANDOM)[0]
        add_label(store, ann, item, Label.CONVERGENCE)
        tables = summarise(store, ReportFilter()).tables
        assert len({table.setting for table in tables}) == 2
        assert [table.judge.name for table in tables if table.judge][2:] == [ann]
    execute(db, "DELETE FROM verdicts WHERE judge NOT LIKE 'human:%'")
    with Store(db) as store:
        tables = summarise(store, ReportFilter()).tables
    assert sorted(sum(row.counts.judged for row in t.rows) for t in tables) == [0, 1]


def test_lines_of_the_label_command_are_wrapped_between_words(tmp_path: Path) -> None:
    words = ["switching"] * 40
    made_up(tmp_path / "a.db", [" ".join(words)])
    terminal = {"FORCE_COLOR": "1", "COLUMNS": "80"}
    result = CliRunner(env=terminal).invoke(cli, ["label", str(tmp_path / "a.db")], input="q\n")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    assert {word for line in lines if "switching" in line for word in line.split()} == {*words}
