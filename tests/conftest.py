"""Fixtures of all tests: state and data folders of their own, groups of conditions, a hub."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.grouped import write_contest, write_dose
from tests.fixtures.hub_server import HubServer, serving

ACCELERATORS = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "GGML_VK_VISIBLE_DEVICES")
"""Variables that hide accelerators from llama.cpp if they are empty."""

if not os.environ.get("ACCELERATOR"):
    # Tests compare answers with those of other programs and batches, bit by bit; accelerators round
    # differently. tests/accelerator holds on them (`make test-accelerator`).
    os.environ.update(dict.fromkeys(ACCELERATORS, ""))

if sys.dont_write_bytecode:
    # Tests are collected, and processes start, in less time from compiled modules.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in a shell's background job; the programs that tests interrupt would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's own state and data folders out of the tests."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    return folder


@pytest.fixture
def dose(tmp_path: Path) -> Path:
    """Return a database with a dose axis along which convergence rises."""
    return write_dose(tmp_path)


@pytest.fixture
def contest(tmp_path: Path) -> Path:
    """Return a database with a contest of two defences and two attacks."""
    return write_contest(tmp_path)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """Serve a hub on loopback, with a cache of its own."""
    from huggingface_hub import close_session, constants

    with serving() as server:
        for name, value in server.environment(tmp_path).items():
            monkeypatch.setenv(name, value)
        # huggingface_hub reads its environment once, when it is imported.
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        template = server.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        yield server
        close_session()
