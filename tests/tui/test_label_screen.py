"""Label screen: letters label, digits change the screen, undo removes, agreement comes last."""

import asyncio
import getpass
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from steertui.analysis.label_queue import QueueOrder, add_label, build_queue
from steertui.core.experiment import Experiment
from steertui.core.verdict import LABEL_KEYS, Label, Verdict
from steertui.engine.sizing import Overrides
from steertui.store import Store
from steertui.store.run_lock import run_lock
from steertui.tui.app import SteertuiApp, open_session
from steertui.tui.label.batch import LabelCounts, draw_batch
from steertui.tui.label.label_screen import LabelScreen
from steertui.tui.label.label_text import progress
from steertui.tui.read.trial_list import TrialList
from steertui.tui.results.results_screen import ResultsScreen
from steertui.tui.widgets.label_style import ON_DARK
from steertui.tui.widgets.long_text import LongText
from tests.fixtures.database import execute, select
from tests.fixtures.screens import Story, drive, press, type_at_once, wait_idle, wait_until
from tests.fixtures.stored_answers import made_up

ANSWERS = 12
JUDGE = "openai:fake"


def write(path: Path, probabilities: tuple[float, ...] | None = None) -> None:
    """Store answers with a judge's labels, all with these probabilities."""
    made_up(path, [f"answer {n}" for n in range(ANSWERS)])
    with Store(path) as store:
        store.add_judge(JUDGE, "fake", {"kind": "server", "title": ""})
        for n, (key,) in enumerate(select(path, "SELECT trial FROM generations")):
            label = Label.NONSENSICAL if n % 3 else Label.CONVERGENCE
            store.add_verdict(str(key), Verdict(JUDGE, label, probabilities=probabilities))


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    write(path)
    return path


def drive_stored(db: Path, story: Story) -> None:
    """Open the database's newest experiment and run the story."""
    drive(open_session(None, db, Overrides(threads=1)), story)


def own_labels(db: Path) -> list[tuple[object, ...]]:
    """Return the stored labels of persons, in the order they were given."""
    return select(db, "SELECT label FROM verdicts WHERE judge LIKE 'human:%' ORDER BY id")


def queue_rows(db: Path) -> list[tuple[object, ...]]:
    return select(db, "SELECT ordering, count(*) FROM annotation_queue GROUP BY 1")


async def press_anew(pilot: Pilot[None], keys: str) -> None:
    """Press keys, separated by spaces; the key between two of them says that none is held."""
    for key in keys.split():
        await press(pilot, key, "home")


async def draw_batch_of(pilot: Pilot[None], app: SteertuiApp, **values: str) -> None:
    """Draw another batch with these values of the form."""
    await press(pilot, "b")
    await fill(pilot, app, **values)


async def fill(pilot: Pilot[None], app: SteertuiApp, **values: str) -> None:
    """Type values into the open form, and press Enter."""
    for name, value in values.items():
        app.screen.query_one(f"#form-{name}", Input).value = value
    await press(pilot, "enter")


async def hold(pilot: Pilot[None], app: SteertuiApp, key: str, repeats: int) -> None:
    """Press a key and hold it: after a delay, the terminal sends it 30 times per second."""
    type_at_once(app, key)
    await asyncio.sleep(0.25)
    for _ in range(repeats):
        type_at_once(app, key)
        await asyncio.sleep(1 / 30)
    await wait_idle(pilot)


def shown(app: SteertuiApp) -> str:
    """Return the texts of the Label screen."""
    parts = [str(static.render()) for static in app.screen.query(Static)]
    return "\n".join([*parts, app.screen.query_one(LongText).text])


def answer_shown(app: SteertuiApp) -> str:
    """Return the answer that the Label screen shows, with the notice on a label that stays."""
    text = app.screen.query_one(LongText).text
    notice = "kept: " if "was given before the agreement was shown" in text else ""
    return notice + text.splitlines()[-1]


def enter_does(app: SteertuiApp) -> str:
    """Return what the key bar says of Enter; "" for nothing."""
    active = app.screen.active_bindings.get("enter")
    return active.binding.description if active and active.enabled else ""


def test_digits_change_the_screen_and_write_no_label(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "4")
        assert isinstance(app.screen, ResultsScreen)
        await press(pilot, "5", "1", "5", "2", "5", "3", "5")
        assert isinstance(app.screen, LabelScreen)

    drive_stored(db, story)
    assert own_labels(db) == []


def test_letters_label_and_undo_removes_each_label_from_the_store(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", *LABEL_KEYS.values())
        assert own_labels(db) == [(label.value,) for label in LABEL_KEYS]
        assert "4 of 12 labelled by" in shown(app)
        await press(pilot, "u", "ctrl+z")
        assert own_labels(db) == [(Label.CONVERGENCE.value,), (Label.NO_CONVERGENCE.value,)]
        assert queue_rows(db) == [("random", 2)]
        await press_anew(pilot, "x u u u u")
        assert own_labels(db) == []
        assert queue_rows(db) == []

    drive_stored(db, story)


def test_undo_restores_a_label_of_an_earlier_sitting(db: Path) -> None:
    with Store(db) as store:
        key = select(db, "SELECT trial FROM generations LIMIT 1")[0][0]
        store.add_judge("human:ada", "human:ada", {"kind": "a person", "title": ""})
        for label in ("convergence", "nonsensical"):
            store.add_verdict(str(key), Verdict("human:ada", Label(label)))
        store.remove_label("human:ada", str(key))
    assert own_labels(db) == [("convergence",)]


def test_only_labels_of_persons_are_removed(db: Path) -> None:
    verdicts = "SELECT trial, judge FROM verdicts"
    before = select(db, verdicts)
    assert before
    with Store(db) as store:
        for key, judge in before:
            store.remove_label(str(judge), str(key))
    assert select(db, verdicts) == before


def test_labels_typed_without_a_pause_are_stored_in_order(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        await pilot.press("c", "n", "u", "r", "u", "x")
        await press(pilot, "c")
        assert own_labels(db) == [("convergence",), ("nonsensical",), ("convergence",)]

    drive_stored(db, story)


def test_a_held_key_acts_once_and_quick_presses_all_act(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        await hold(pilot, app, "c", 9)
        assert own_labels(db) == [("convergence",)]
        for _ in range(3):
            await asyncio.sleep(0.25)
            type_at_once(app, "c")
        type_at_once(app, "n x")
        await wait_until(pilot, lambda: len(own_labels(db)) == 6)
        assert own_labels(db)[1:] == [
            *[("convergence",)] * 3,
            ("no_convergence",),
            ("nonsensical",),
        ]
        await hold(pilot, app, "u", 9)
        await wait_until(pilot, lambda: len(own_labels(db)) == 5)
        type_at_once(app, "c u c u")
        await wait_idle(pilot)
        assert len(own_labels(db)) == 5

    drive_stored(db, story)


def test_keys_wait_until_the_answer_that_they_label_is_drawn(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        screen = app.screen
        assert isinstance(screen, LabelScreen)
        screen.action_label("convergence")
        assert screen.is_loading
        await wait_until(pilot, lambda: not screen.is_loading, seconds=10)

    drive_stored(db, story)


def test_agreement_is_hidden_until_the_batch_has_ended(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        for _ in range(ANSWERS):
            assert "kappa" not in shown(app)
            assert "labels as" not in shown(app)
            await press_anew(pilot, "c")
        assert "labels as" not in shown(app)
        assert "All 12 answers of this batch are labelled" in shown(app)
        await press(pilot, "u", "n", "enter")
        assert "Agreement: " in shown(app)
        assert "next batch" not in shown(app)
        assert enter_does(app) == ""
        assert "(95 % interval " in shown(app)
        await press(pilot, "u")
        assert len(own_labels(db)) == ANSWERS  # the agreement is known, so no label is removed

    drive_stored(db, story)


def test_without_a_judge_undo_after_the_batch_is_what_the_screen_says(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["answer"])

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "c")
        assert "The answer of this batch is labelled." in shown(app)
        await press(pilot, "enter")
        assert "No judge labelled the answers of this experiment" in shown(app)
        assert "take the last label back" in shown(app)
        assert "stays stored" not in shown(app)
        await press(pilot, "u")
        assert own_labels(db) == []

    drive_stored(db, story)


def test_the_first_answer_is_as_wide_as_the_screen_after_it_had_none(
    db: Path, tmp_path: Path
) -> None:
    """Label is visited before there is an experiment, and again when one is open."""

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        assert "No answers to label" in shown(app)
        await press(pilot, "ctrl+o")
        app.screen.query_one(Input).value = str(db)
        app.screen.query_one(Input).focus()
        await press(pilot, "enter", "5")
        long_text = app.screen.query_one(LongText)
        assert long_text.virtual_size.width > app.size.width // 2
        lines = [long_text.render_line(y).text.strip() for y in range(long_text.size.height)]
        assert any(line.startswith("answer ") for line in lines)

    drive_stored(tmp_path / "none.db", story)


def test_no_key_labels_an_answer_of_the_experiment_that_was_open_before(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "1")
        assert app.open(db, Experiment(), "")
        await press(pilot, "5")
        assert "No answers to label" in shown(app)
        await press(pilot, "c", "u", "space", "enter", "x")

    drive_stored(db, story)
    assert own_labels(db) == []


def test_two_people_with_one_name_do_not_overwrite_each_other(db: Path) -> None:
    me = f"human:{getpass.getuser()}"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        with Store(db) as store:
            item = build_queue(store, app.session.id, me, JUDGE, QueueOrder.RANDOM)[0]
            add_label(store, me, item, Label.SAFETY_REFUSAL)
        await press(pilot, "c")
        assert own_labels(db) == [(Label.SAFETY_REFUSAL.value,)]
        assert "0/11" in shown(app)
        await press_anew(pilot, "c u n")
        assert own_labels(db) == [(Label.SAFETY_REFUSAL.value,), (Label.NO_CONVERGENCE.value,)]

    drive_stored(db, story)


def test_the_end_says_how_the_answers_were_drawn_and_which_judge_labelled_none(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        await draw_batch_of(pilot, app, size="2")
        await press_anew(pilot, "c c enter")
        text = " ".join(shown(app).split())
        assert "labelled 2 of 12 answers, drawn at random in equal parts" in text
        assert "apply to that mix, not to all answers" in text
        for key, _ in select(db, "SELECT trial, id FROM verdicts WHERE judge LIKE 'human:%'"):
            execute(db, "DELETE FROM verdicts WHERE trial = ? AND judge = ?", [key, JUDGE])
        with run_lock(db, ""):
            await press(pilot, "u", "c", "enter")
        assert "fake labelled none of the answers that you labelled" in shown(app)
        assert "a run or a judge is at work" in shown(app)
        assert "where l labels" not in shown(app)
        app.session.experiment = Experiment(judges=[JUDGE])
        with run_lock(db, app.session.id):
            await press_anew(pilot, "u c enter")
        assert "the run in progress labels answers" in shown(app)
        assert "after it" not in shown(app)
        with Store(db) as store:
            store.add_verdict(str(key), Verdict(JUDGE, Label.CONVERGENCE))
        await press(pilot, "4", "5")
        await wait_until(pilot, lambda: "Agreement:" in shown(app))
        assert "in progress" not in shown(app)

    drive_stored(db, story)


def test_disagreements_of_an_ended_batch_are_read_and_no_others(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press_anew(pilot, "5" + " x" * ANSWERS + " enter")
        await press(pilot, "d")
        assert len(app.screen.query_one(TrialList)) == ANSWERS // 3
        await press(pilot, "x")
        assert len(app.screen.query_one(TrialList)) == ANSWERS

    drive_stored(db, story)


def test_a_batch_without_probabilities_is_called_random(tmp_path: Path) -> None:
    experiment = made_up(tmp_path / "a.db", ["an answer"] * 4)
    with Store(tmp_path / "a.db") as store:
        batch = draw_batch(store, experiment, "human:ada", 3, QueueOrder.UNCERTAIN)
    shown_line = progress(batch, LabelCounts(0, 4), "ada", 120, ON_DARK).plain
    assert shown_line.endswith("random order")


def test_a_batch_has_the_chosen_size_and_order(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    write(db, (0.6, 0.0, 0.0, 0.4))

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        await draw_batch_of(pilot, app, name="a b", order="uncertain")
        for size in ("0", "1.5", "1000001", "9" * 5000):
            await fill(pilot, app, size=size)
            problem = str(app.screen.query_one("#problem", Static).render())
            assert "is not an integer from 1 to 1,000,000; enter one" in problem
        await fill(pilot, app, size="3")
        assert "annotator a b: not a valid name" in str(
            app.screen.query_one("#problem", Static).render()
        )
        await fill(pilot, app, name="ada")
        assert "0/3" in shown(app)
        assert "0 of 12 labelled by ada" in shown(app)
        assert "uncertain order" in shown(app)
        await press_anew(pilot, "c space c c")
        assert "All 3 answers" in shown(app)

    async def later(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        assert "0/3" in shown(app)
        assert "3 of 12 labelled by ada" in shown(app)

    drive_stored(db, story)
    assert select(db, "SELECT judge, count(*) FROM verdicts WHERE judge LIKE 'human:%'") == [
        ("human:ada", 3)
    ]
    drive_stored(db, later)


def test_labels_of_earlier_sittings_are_taken_back_the_newest_first(db: Path) -> None:
    async def label(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "c", "n", "r")

    async def undo(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "u")
        assert own_labels(db) == [("convergence",), ("no_convergence",)]
        await press_anew(pilot, "x u u")
        assert own_labels(db) == [("convergence",)]
        await press_anew(pilot, "u u u")

    drive_stored(db, label)
    labelled = select(db, "SELECT trial FROM annotation_queue ORDER BY trial")
    drive_stored(db, undo)
    assert own_labels(db) == []
    assert queue_rows(db) == []
    drive_stored(db, label)
    assert select(db, "SELECT trial FROM annotation_queue ORDER BY trial") == labelled


def test_the_answer_of_a_label_taken_back_is_the_next_one(db: Path) -> None:
    async def label(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "c", "n")

    async def correct(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        await draw_batch_of(pilot, app, order="uncertain")
        await press(pilot, "u", "x")

    drive_stored(db, label)
    by_time = "SELECT trial FROM verdicts WHERE judge LIKE 'human:%' ORDER BY id"
    before = select(db, by_time)
    drive_stored(db, correct)
    assert select(db, by_time) == before
    assert own_labels(db) == [("convergence",), ("nonsensical",)]


def test_labels_of_other_persons_and_experiments_are_never_taken_back(db: Path) -> None:
    only_first = str(select(db, "SELECT key FROM trials ORDER BY rowid DESC LIMIT 1")[0][0])
    second = made_up(db, ["an answer"] * 4, is_paired=True)
    in_second = "SELECT trial FROM experiment_trials WHERE experiment = ?"
    key = str(select(db, f"{in_second} LIMIT 1", [second])[0][0])
    me = f"human:{getpass.getuser()}"
    with Store(db) as store:
        for judge, trial in ((me, only_first), ("human:ada", key)):
            store.add_judge(judge, judge, {"kind": "a person", "title": ""})
            store.add_verdict(trial, Verdict(judge, Label.CONVERGENCE))
        assert store.last_label(second, me) is None

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press_anew(pilot, "5 n u u u")

    drive_stored(db, story)
    assert own_labels(db) == [("convergence",), ("convergence",)]


def test_a_label_that_the_agreement_followed_stays_and_the_next_one_counts(db: Path) -> None:
    async def label(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press_anew(pilot, "5" + " c" * ANSWERS + " enter")
        assert "its label stays stored" in shown(app)

    async def again(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "u")
        assert "was given before the agreement was shown" in shown(app)
        assert len(own_labels(db)) == ANSWERS
        await press(pilot, "x")
        assert own_labels(db)[ANSWERS:] == [("nonsensical",)]
        await press(pilot, "u")  # given after it was shown: removed
        assert len(own_labels(db)) == ANSWERS
        await press(pilot, "x")

    drive_stored(db, label)
    drive_stored(db, again)
    assert len(own_labels(db)) == ANSWERS + 1
    last = "SELECT label FROM current_verdicts WHERE judge LIKE 'human:%' ORDER BY id DESC LIMIT 1"
    assert select(db, last) == [("nonsensical",)]


def labelled_answers(db: Path) -> list[str]:
    """Return the answers of the stored labels of persons, in the order they were given."""
    sql = """SELECT answer FROM verdicts JOIN generations USING (trial)
        WHERE judge LIKE 'human:%' ORDER BY verdicts.id"""
    return [str(answer) for (answer,) in select(db, sql)]


def test_after_the_agreement_each_undo_goes_one_label_back(db: Path) -> None:
    async def undo(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        await draw_batch_of(pilot, app, size="2")
        await press_anew(pilot, "c c")
        assert enter_does(app) == "End batch"
        await press_anew(pilot, "enter")
        assert "enter  label the next batch" in shown(app)
        assert enter_does(app) == "Next batch"
        await press_anew(pilot, "enter c c enter")
        for answer in reversed(labelled_answers(db)):
            await press_anew(pilot, "u")
            assert answer_shown(app) == f"kept: {answer}"
        first, second, *_ = labelled_answers(db)
        await press_anew(pilot, "u")  # no label is older
        assert "0/4" in shown(app)
        await press_anew(pilot, "r")
        assert answer_shown(app) == f"kept: {second}"
        await press_anew(pilot, "u")
        assert answer_shown(app) == f"kept: {first}"
        await press_anew(pilot, "x")

    async def undo_later(pilot: Pilot[None], app: SteertuiApp) -> None:
        first, *_, last, _ = labelled_answers(db)
        await press_anew(pilot, "5 u")  # removes the label that no agreement followed
        assert answer_shown(app) == f"kept: {first}"
        await press_anew(pilot, "u")
        assert answer_shown(app) == f"kept: {last}"
        await press_anew(pilot, "n r")
        assert "another program" not in shown(app)

    drive_stored(db, undo)
    drive_stored(db, undo_later)
    answers = labelled_answers(db)
    assert answers[4:] == [answers[3], answers[0]]
    assert own_labels(db)[4:] == [(Label.NO_CONVERGENCE.value,), (Label.SAFETY_REFUSAL.value,)]
    assert queue_rows(db) == [("random", 4)]


def test_a_label_that_the_new_one_would_replace_is_never_removed_in_its_place(db: Path) -> None:
    key = str(select(db, "SELECT trial FROM generations LIMIT 1")[0][0])
    with Store(db) as store:
        store.add_judge("human:ada", "human:ada", {"kind": "a person", "title": ""})
        store.add_verdict(key, Verdict("human:ada", Label.CONVERGENCE))
        former = int(str(select(db, "SELECT max(id) FROM verdicts")[0][0]))
        store.remove_label("human:ada", key, former)
    assert own_labels(db) == [("convergence",)]


def test_the_progress_names_the_annotator_at_80_columns(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["an answer"] * 252)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        head = app.screen.query_one("#label-head", Static)
        text = str(head.render())
        assert f"0 of 252 labelled by {getpass.getuser()}" in text
        assert len(text) <= head.content_size.width

    drive(open_session(None, db, Overrides(threads=1)), story, (80, 24))
