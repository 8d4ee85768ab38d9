"""Vectors screen: training, sweep, export, ablation, inspection and removal by keys."""

from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from steertui.core.condition_files import load_conditions
from steertui.core.experiment import Experiment
from steertui.core.model import demo_path
from steertui.engine.sizing import Overrides
from steertui.planning.adapters import find_adapters
from steertui.planning.resolve import named_adapters
from steertui.steering.library import find_vector, vector_names
from steertui.steering.vector_file import Convention, file_convention, read_vector
from steertui.tui.app import SteertuiApp
from steertui.tui.models.models_screen import ModelsScreen
from steertui.tui.session import Session
from steertui.tui.vectors.vectors_screen import VectorsScreen
from steertui.tui.widgets.form_dialog import FormDialog
from steertui.tui.widgets.prompts import Confirm
from steertui.tui.widgets.stable_table import StableTable
from tests.fixtures.gguf_files import write_adapter
from tests.fixtures.screens import Story, drive, press, type_at_once, wait_idle, wait_until

NAMES = ["steer", "steer-random", "steer-shuffled"]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder; the library of vectors is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def drive_vectors(folder: Path, story: Story, model: str = "demo") -> None:
    """Run the story on the Vectors screen, with an experiment of a model."""

    async def on_vectors(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "7")
        await story(pilot, app)

    experiment = Experiment(models=[model])
    drive(Session(folder / "a.db", experiment, overrides=Overrides(threads=1)), on_vectors)


async def fill(pilot: Pilot[None], app: SteertuiApp, **values: str) -> None:
    """Type values into the form and press Enter."""
    assert isinstance(app.screen, FormDialog)
    for name, value in values.items():
        app.screen.query_one(f"#form-{name}", Input).value = value
    await press(pilot, "enter")


def description(app: SteertuiApp) -> str:
    assert isinstance(app.screen, VectorsScreen)
    return str(app.screen.query_one("#vector-text", Static).render())


async def train(pilot: Pilot[None], app: SteertuiApp) -> None:
    """Train a vector on the demo checkpoint."""
    await press(pilot, "t")
    await fill(pilot, app, name="steer", limit="12", layers="1-2")


def test_a_vector_is_trained_described_exported_and_deleted(library: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await train(pilot, app)
        assert vector_names() == NAMES
        vector = find_vector("steer").vector
        text = description(app)
        assert "pro − anti" in text
        assert f"{vector.separation[vector.best_layer]:.2f}" in text
        await press(pilot, "e", "enter")
        await press(pilot, "b", "enter")
        assert (library / "steer.gguf").exists()
        await press(pilot, "i")
        app.screen.query_one(Input).value = "steer-ablation.gguf"
        await press(pilot, "enter")
        assert "adapter" in description(app)
        await press(pilot, "d")
        assert isinstance(app.screen, Confirm)
        await press(pilot, "enter")
        assert vector_names() == NAMES[1:]

    drive_vectors(library, story)


def test_a_sweep_shows_its_table_and_writes_the_conditions(library: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "t")
        await fill(pilot, app, name="steer")
        await press(pilot, "s")
        await fill(pilot, app, layers="3", strengths="0.4", tokens="32")
        await wait_idle(pilot)
        assert "validation scenarios" in description(app)
        written = library / "steer-conditions.toml"
        assert "baseline" in load_conditions(written)
        assert len(load_conditions(written)) > 1

    drive_vectors(library, story)


def test_a_wrong_form_stays_open_and_says_what_is_wrong(library: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "t")
        for values, word in (
            ({"name": "no name!"}, "name: no name!: not a name for a vector: it has ' '"),
            ({"name": "steer", "model": "none"}, "none"),
            ({"model": "demo", "method": "guess"}, "method: 'guess' is none of mean, pca, probe"),
            ({"method": "mean", "layers": "x"}, "layers: x: not a list"),
            ({"layers": "1-2", "limit": "1.5"}, "1.5"),
            ({"limit": "12", "positive": "nosuch"}, "nosuch: no such condition"),
            ({"positive": ""}, "toward: is empty"),
            ({"positive": "anti"}, "away from: anti is also in the line toward"),
            ({"positive": "pro", "file": "."}, ".: is a folder; give the path of a file"),
            ({"file": "", "scenarios": "nopack"}, "nopack"),
            ({"scenarios": "steering-train", "layers": "99"}, "layer 99"),
            ({"layers": "1-2", "limit": ""}, "scenarios: is empty"),
        ):
            await fill(pilot, app, **values)
            assert isinstance(app.screen, FormDialog)
            assert word in str(app.screen.query_one("#problem", Static).render())
        await press(pilot, "escape")
        assert not vector_names()

    drive_vectors(library, story)


def test_keys_wait_until_a_form_is_accepted_or_refused(library: Path) -> None:
    weights = library / "m.gguf"
    weights.write_bytes(demo_path().read_bytes())

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "i")
        form = app.screen
        line = form.query_one("#form-file", Input)
        line.value = "none.gguf"
        type_at_once(app, "enter d t")
        await wait_idle(pilot)
        assert app.screen is form
        assert "is not a file" in str(form.query_one("#problem", Static).render())
        assert line.value == "none.ggufdt"
        line.value = "m.gguf"
        type_at_once(app, "enter 6")
        await wait_idle(pilot)
        assert isinstance(app.screen, ModelsScreen)

    drive_vectors(library, story)


def test_escape_cancels_a_form_while_its_values_are_checked(library: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "t")
        app.screen.query_one("#form-name", Input).value = "steer"
        type_at_once(app, "enter escape")
        await wait_idle(pilot)
        assert isinstance(app.screen, VectorsScreen)
        assert not vector_names()

    drive_vectors(library, story)


def test_a_damaged_vector_is_listed_and_can_be_deleted(library: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await train(pilot, app)
        find_vector("steer").path.write_bytes(b"GGUF")
        await press(pilot, "6", "7")
        assert str(app.screen.query_one(StableTable).get_row_at(0)[1]) == "damaged"
        await press(pilot, "d", "enter")
        assert vector_names() == NAMES[1:]

    drive_vectors(library, story)


def test_a_cancelled_training_stores_nothing(library: Path) -> None:
    tasks = "\n".join(
        f"s{i},Power,t{i},{'Water the garden of the school. ' * 12}" for i in range(400)
    )
    (library / "many.csv").write_text(f"id,category,title,task\n{tasks}\n", encoding="utf-8")

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = app.screen
        assert isinstance(screen, VectorsScreen)
        await pilot.press("t")
        await wait_until(pilot, lambda: isinstance(app.focused, Input))
        values = {"name": "steer", "scenarios": "many.csv", "limit": "0"}
        for name, value in values.items():
            app.screen.query_one(f"#form-{name}", Input).value = value
        await pilot.press("enter")
        await wait_until(pilot, lambda: screen.is_busy)
        await pilot.press("c")
        await wait_idle(pilot)
        assert not vector_names()
        assert not screen.is_busy

    drive_vectors(library, story)


def test_a_vector_is_imported_for_its_model(library: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await train(pilot, app)
        await press(pilot, "e", "enter", "m")
        await fill(pilot, app, file="steer.gguf", name="again", model=str(demo_path()))
        assert (find_vector("again").vector.norms > 0).any()

    drive_vectors(library, story)


def test_a_training_that_fails_keeps_its_form_filled_until_it_succeeds(library: Path) -> None:
    pairs = library / "pairs.toml"
    rows = "".join(
        f'[[pair]]\nscenario = "s{i % 6}"\npositive = "Take task {i}."\nnegative = "Stop {i}."\n'
        for i in range(12)
    )

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "t")
        await fill(pilot, app, name="steer", pairs="pairs.toml", layers="1-2")
        form = app.screen
        assert isinstance(form, FormDialog)
        assert "pairs.toml" in str(form.query_one("#problem", Static).render())
        assert form.query_one("#form-name", Input).value == "steer"
        pairs.write_text(f"format = 1\n{rows}", encoding="utf-8")
        await press(pilot, "enter")
        assert vector_names() == NAMES
        await press(pilot, "t")
        assert app.screen.query_one("#form-name", Input).value == ""

    drive_vectors(library, story)
    assert find_vector("steer").vector.provenance.positive == "pairs.toml: positive"


def test_options_of_a_sweep_an_export_and_an_ablation_are_used(library: Path) -> None:
    own = "my modèls/own 1.gguf"
    (library / own).parent.mkdir()
    (library / own).symlink_to(demo_path())

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await train(pilot, app)
        await press(pilot, "e")
        await fill(pilot, app, layers="7", file="e.gguf")
        assert "layer 7: the vector has no direction" in str(
            app.screen.query_one("#problem", Static).render()
        )
        await fill(pilot, app, convention="previous", strength="2", layers="2")
        await press(pilot, "b")
        await wait_until(pilot, lambda: bool(app.screen.query("#form-model")))
        assert app.screen.query_one("#form-model", Input).value == own
        await fill(pilot, app, layer="99", file="b.gguf")
        assert "99" in str(app.screen.query_one("#problem", Static).render())
        await fill(pilot, app, layer="1")
        await press(pilot, "s")
        await fill(pilot, app, repetition="1.5")
        assert "max. repetition: '1.5' is not" in str(
            app.screen.query_one("#problem", Static).render()
        )
        assert app.screen.query_one("#form-model", Input).value == own

    drive_vectors(library, story, own)
    read = read_vector(library / "e.gguf", demo_path())
    assert file_convention(library / "e.gguf") is Convention.PREVIOUS
    assert read.layers == (3,)
    assert (library / "b.gguf").exists()


def test_an_adapter_is_listed_with_its_provenance_and_deleted_after_a_question(
    library: Path,
) -> None:
    (library / "model.gguf").write_bytes(demo_path().read_bytes())
    (library / "broken.gguf").write_bytes(b"GGUF")

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await train(pilot, app)
        await press(pilot, "b")
        await fill(pilot, app, layer="2")
        table = app.screen.query_one(StableTable)
        cells = [[str(cell) for cell in table.get_row_at(row)] for row in range(table.row_count)]
        assert [row[0] for row in cells] == [*NAMES, "steer-ablation.gguf"]
        model = find_vector("steer").vector.provenance.model_name
        assert cells[-1][1:4] == ["adapter", "pro − anti, layer 2", model]
        await press(pilot, "G")
        assert "removes the direction of layer 2" in description(app)
        await press(pilot, "e", "s", "b")  # keys of vectors
        assert isinstance(app.screen, VectorsScreen)
        await press(pilot, "d")
        assert isinstance(app.screen, Confirm)
        await press(pilot, "escape")
        assert (library / "steer-ablation.gguf").exists()
        await press(pilot, "d", "enter")
        assert not (library / "steer-ablation.gguf").exists()
        assert vector_names() == NAMES
        assert table.row_count == 3

    drive_vectors(library, story)


def test_an_adapter_elsewhere_that_a_condition_names_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    half = np.ones((1, 8), np.float32)
    write_adapter(there / "mine.gguf", {"blk.0.ffn_down.weight.lora_a": half})
    table = 'format = 1\n[[condition]]\nname = "lora"\nadapter = [{ file = "mine.gguf" }]\n'
    (there / "c.toml").write_text(table, encoding="utf-8")
    monkeypatch.chdir(here)
    named = named_adapters(Experiment(conditions=["lora"], conditions_file=str(there / "c.toml")))
    assert [adapter.path for adapter in find_adapters(named)] == [there / "mine.gguf"]
    assert find_adapters() == []
