"""Other people's files that tests may read where they lie beside the checkout, never copied."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
BENCHMARK = SHARED / "instrumentaleval"
RUNS = SHARED / "paper" / "results"
SUFFIXES = SHARED / "paper" / "suffixes.json"

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the benchmark's files and the paper's runs are not beside us"
)
