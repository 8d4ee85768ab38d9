"""Weights of a run: fetched one model ahead, tried again after a removal, stopped with the run."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from steertui.assets.fetch.download import MIN_FREE
from steertui.assets.hub.cache import all_cached_weights
from steertui.assets.weights import find_planned_model, locate_header
from steertui.core.experiment import Experiment
from steertui.core.model import Model, RemoteModel
from steertui.errors import FetchError, ModelError, OtherFileError
from steertui.execution import (
    Event,
    ModelLoading,
    RunControl,
    WeightsFetched,
    WeightsProgress,
    WeightsRemoved,
)
from steertui.execution.weights import POLL, Weights
from steertui.planning.remote_models import (
    fetch_weights,
    local_copy,
    owner_of,
    require_space,
    supply_plan,
)
from steertui.tui.run.fetching import DOWNLOAD, weights_stage
from tests.fixtures.hub_models import LETTERS, name, repository, serve_models
from tests.fixtures.hub_server import Blob, HubServer


@pytest.fixture
def models(hub: HubServer, tmp_path: Path) -> list[Model]:
    """Serve three models and fetch their headers."""
    serve_models(hub, tmp_path)
    experiment = Experiment(models=[name(letter) for letter in LETTERS])
    for _ in supply_plan(experiment, tmp_path / "a.db"):
        pass
    return [find_planned_model(name(letter)) for letter in LETTERS]


def requests(hub: HubServer, letter: str) -> int:
    """Return the number of requests for a model's file."""
    return sum(f"{repository(letter)}/resolve" in path for _, path in hub.requests)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def ready(weights: Weights, model: Model) -> tuple[list[object], Model | None]:
    """Return the events of waiting for a model, and the model."""
    events: list[object] = []
    waiting = weights.ready(model)
    while True:
        try:
            events.append(next(waiting))
        except StopIteration as end:
            return events, end.value


def test_a_header_is_enough_for_a_plan_and_never_runs(models: list[Model]) -> None:
    for model in models:
        assert isinstance(model, RemoteModel)
        assert model.path.stat().st_size == model.size
        assert model.path.stat().st_blocks * 512 < model.size / 2
        with pytest.raises(ModelError, match="its weights are not on this machine"):
            local_copy(model)


def test_the_progress_of_the_next_model_is_told_while_one_computes(
    hub: HubServer, tmp_path: Path, models: list[Model]
) -> None:
    """It ends with all bytes, and the events of the model that computes are all there."""
    computing = [ModelLoading(str(number)) for number in range(3)]

    def compute() -> Generator[Event, None, None]:
        for event in computing:
            wait_for(lambda: requests(hub, "B") > before)
            yield event
            time.sleep(POLL)

    before = requests(hub, "B")
    with Weights(models, tmp_path / "a.db", RunControl(), removes=False) as weights:
        ready(weights, models[0])
        events = [*weights.watch(models[0], compute())]
        ahead = [event for event in events if isinstance(event, WeightsProgress)]
        assert [event for event in events if event not in ahead] == computing
        assert {(event.model, event.is_ahead) for event in ahead} == {(models[1].name, True)}
        assert ahead[-1].done == ahead[-1].total == models[1].size
        assert weights_stage(ahead[-1])[DOWNLOAD].rate == f"next: weights of {models[1].name}"
        assert isinstance(ready(weights, models[1])[0][-1], WeightsFetched)
        own = [*weights.watch(models[1], compute())]
        assert all(e.model == models[2].name for e in own if isinstance(e, WeightsProgress))


def test_the_next_model_is_fetched_while_one_computes_and_no_other(
    hub: HubServer, tmp_path: Path, models: list[Model]
) -> None:
    before = {letter: requests(hub, letter) for letter in LETTERS}
    with Weights(models, tmp_path / "a.db", RunControl(), removes=True) as weights:
        events, local = ready(weights, models[0])
        assert isinstance(events[-1], WeightsFetched)
        assert local
        assert local.sha256 == models[0].sha256
        wait_for(lambda: len(all_cached_weights()) == 2)
        assert requests(hub, "C") == before["C"]
        (removed,) = weights.release(models[0])
        assert removed == WeightsRemoved(models[0].name, models[0].size)
        ready(weights, models[1])
        wait_for(lambda: requests(hub, "C") > before["C"])
        assert list(weights.release(models[0])) == []


def test_a_stopped_run_keeps_the_received_bytes_and_waits_for_no_more(
    hub: HubServer, tmp_path: Path, models: list[Model]
) -> None:
    hub.pace = 1e5
    control = RunControl()
    start = time.monotonic()
    with Weights(models, tmp_path / "a.db", control, removes=False) as weights:
        waiting = weights.ready(models[0])
        next(waiting)
        control.stop()
        assert list(waiting) == []
    assert time.monotonic() - start < 5
    assert all_cached_weights() == []


def test_a_file_that_changed_on_the_hub_is_refused_and_planned_anew(
    hub: HubServer, tmp_path: Path, models: list[Model]
) -> None:
    file = next(iter(hub.repos[repository("A")]))
    hub.repos[repository("A")][file] = Blob(b"GGUF" + bytes(1000))
    hub.repos[repository("A")][file].sha256 = models[0].sha256
    assert locate_header(name("A"))
    assert isinstance(models[0], RemoteModel)
    with pytest.raises(OtherFileError, match="416"):
        list(fetch_weights(models[0], ""))
    assert locate_header(name("A")) is None
    assert locate_header(name("B"))


@pytest.fixture
def full_disk(tmp_path: Path, hub: HubServer) -> Iterator[Path]:
    """Mount a small disk as the cache of weights; return a path of a file that fills it."""
    disk = tmp_path / "hf"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=90m", "tmpfs", str(disk)]
    if os.name != "posix" or os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is not permitted on this machine")
    yield disk / "filler"
    subprocess.run(["umount", str(disk)], check=True)


def test_weights_that_will_be_removed_count_as_space(
    full_disk: Path, models: list[Model], tmp_path: Path
) -> None:
    db = tmp_path / "a.db"
    first, second, _ = models
    assert isinstance(first, RemoteModel)
    list(fetch_weights(first, owner_of(db)))
    planned = [local_copy(first), second]
    spare = MIN_FREE + 300_000
    full_disk.write_bytes(bytes(shutil.disk_usage(full_disk.parent).free - spare))
    require_space(planned, db, 0, removes=True)
    with pytest.raises(FetchError, match=r"the run needs .* with --remove-weights"):
        require_space(planned, db, 0, removes=False)
    for order, owner in (([second, planned[0]], db), (planned, tmp_path / "other.db")):
        with pytest.raises(FetchError, match=r"set HF_HOME to another disk$"):
            require_space(order, owner, 0, removes=True)
