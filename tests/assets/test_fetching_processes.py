"""Downloads by real processes: killed, interrupted, concurrent, on full disks."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from steertui.assets.hub.cache import repository_folder
from steertui.assets.weights import find_model
from steertui.core.model import demo_path
from tests.fixtures.hub_server import Fault, HubServer, make_gguf
from tests.fixtures.program import call, records, start

REPO = "maker/Small-GGUF"
NAME = f"{REPO}:Q4_K_M"
FILE = "Small-Q4_K_M.gguf"


def partial_size() -> int:
    return sum(p.stat().st_size for p in (repository_folder(REPO) / "blobs").glob("*.incomplete"))


def big(hub: HubServer, folder: Path, size: int) -> Path:
    path = make_gguf(folder / "made", size)
    hub.add(REPO, FILE, path)
    return path


def test_a_run_downloads_its_model_first_and_stores_the_commit(
    hub: HubServer, tmp_path: Path
) -> None:
    hub.add(REPO, FILE, demo_path())
    options = ("--batch", "--model", NAME, "--limit", "2", "--max-tokens", "8", "--db", "a.db")
    code, out, err = call(*options, cwd=tmp_path)
    assert code == 0, err
    assert f"to fetch (1 file: {FILE})" in err.splitlines()[0]
    assert "6 to do" in out
    sent, requests = hub.sent, len(hub.requests)
    code, out, err = call(*options, "--json", cwd=tmp_path)
    assert (code, hub.sent, len(hub.requests)) == (0, sent, requests)
    assert records(out)[0]["event"] == "planned"
    db = sqlite3.connect(tmp_path / "a.db")
    ((origin, name, sha),) = db.execute("SELECT origin, name, sha256 FROM models")
    db.close()
    assert origin == f"{REPO}@{hub.commits[REPO]}/{FILE}"
    assert (name, sha) == ("Small-Q4_K_M", find_model(str(demo_path())).sha256)


def test_a_wrong_name_is_an_error_before_any_download(hub: HubServer, tmp_path: Path) -> None:
    hub.add(REPO, FILE, demo_path())
    code, _, err = call("--batch", "--model", NAME, "--conditions", "prro", cwd=tmp_path)
    assert code == 1
    assert "prro: no such condition" in err
    code, _, err = call("--batch", "--model", f"{REPO}:Q9_Z", cwd=tmp_path)
    assert code == 1
    assert "no such file in the repository; it has Q4_K_M" in err
    assert hub.sent == 0


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(status=401), "no such repository on the hub, or a private one"),
        (Fault(status=403), "the hub answers 403; set HF_TOKEN"),
        (Fault(status=404), "no such repository on the hub, or a private one"),
        (
            Fault(status=401, headers={"X-Error-Code": "GatedRepo"}),
            "a gated repository; accept its terms",
        ),
    ],
)
def test_an_error_of_the_hub_is_one_sentence_and_exit_code_1(
    hub: HubServer, tmp_path: Path, fault: Fault, message: str
) -> None:
    hub.api_faults.append(fault)
    code, out, err = call("models", "pull", NAME, cwd=tmp_path)
    assert (code, out) == (1, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_offline_mode_uses_cached_weights(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(REPO, FILE, demo_path())
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code, _, err = call("models", "pull", NAME, cwd=tmp_path)
    assert code == 1
    assert "HF_HUB_OFFLINE is set; unset it, or copy the file here" in err
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert call("models", "pull", NAME, cwd=tmp_path)[0] == 0
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert call("models", "pull", NAME, cwd=tmp_path)[0] == 0
    code, out, err = call("models", "verify", cwd=tmp_path)
    assert code == 0, err
    assert "✓ Small-Q4_K_M: hash as expected" in out


def test_listing_verifying_and_removing(hub: HubServer, tmp_path: Path) -> None:
    hub.add(REPO, FILE, demo_path())
    hub.add(REPO, "Small-Q8_0.gguf", demo_path().read_bytes() + b"more")
    assert call("models", "pull", NAME, f"{REPO}:Q8_0", cwd=tmp_path)[0] == 0
    out = call("models", cwd=tmp_path)[1]
    assert ["Qwen3-30B-A3B-Thinking-2507:Q4_K_M", "qwen3", "thinking"] in [
        line.split()[:3] for line in out.splitlines()
    ]
    assert f"{REPO}/{FILE}" in out
    code, out, _ = call("models", "--json", cwd=tmp_path)
    assert {r["kind"] for r in records(out)} == {"base", "instruct", "thinking", "hybrid"}
    blob = min((repository_folder(REPO) / "blobs").iterdir(), key=lambda path: path.stat().st_size)
    damaged = bytearray(blob.read_bytes())
    damaged[-1] ^= 1
    blob.write_bytes(damaged)
    code, out, _ = call("models", "verify", cwd=tmp_path)
    assert code == 1
    assert out.count("✓") == 1
    assert "✗" in out
    code, out, err = call("models", "rm", "--yes", NAME, cwd=tmp_path)
    assert code == 0, err
    assert not list(repository_folder(REPO).glob(f"snapshots/*/{FILE}"))
    assert len(list((repository_folder(REPO) / "blobs").iterdir())) == 1
    assert "is not in" in call("models", "rm", "--yes", NAME, cwd=tmp_path)[2]


def test_two_concurrent_processes_make_one_transfer(hub: HubServer, tmp_path: Path) -> None:
    path = big(hub, tmp_path, 20_000_000)
    hub.pace = 2e7
    racers = [start("models", "pull", NAME, cwd=tmp_path) for _ in range(2)]
    for racer in racers:
        _, err = racer.communicate(timeout=120)
        assert racer.returncode == 0, err
    assert hub.sent == path.stat().st_size
    assert find_model(NAME).size == path.stat().st_size


def test_a_download_resumes_after_two_kills(hub: HubServer, tmp_path: Path) -> None:
    path = big(hub, tmp_path, 40_000_000)
    hub.pace = 2e7
    for part in (10_000_000, 20_000_000):
        with start("models", "pull", NAME, cwd=tmp_path) as process:
            while partial_size() < part:
                assert process.poll() is None
            process.kill()
            process.communicate()
        assert part <= partial_size() < path.stat().st_size
    hub.pace, hub.sent, there = 0, 0, partial_size()
    code, out, err = call("models", "pull", NAME, cwd=tmp_path)
    assert code == 0, err
    assert find_model(NAME).sha256 in out
    assert hub.sent == path.stat().st_size - there
    assert partial_size() == 0


def test_ctrl_c_keeps_the_received_bytes(hub: HubServer, tmp_path: Path) -> None:
    big(hub, tmp_path, 20_000_000)
    hub.always = Fault(cut=5_000_000, stall=30)
    with start("--batch", "--model", NAME, cwd=tmp_path) as process:
        while partial_size() < 5_000_000:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Downloaded bytes stay; run the same command again to resume" in err
    assert partial_size() == 5_000_000


def test_bytes_are_rejected_only_if_the_catalogue_has_another_sha256(
    hub: HubServer, tmp_path: Path
) -> None:
    commit = "50968a4468ef4233ed78cd7c3de230dd1d61a56b"
    hub.add("unsloth/Qwen3-0.6B-GGUF", "Qwen3-0.6B-Q4_K_M.gguf", demo_path(), commit)
    code, _, err = call("models", "pull", "qwen3-0.6b", cwd=tmp_path)
    assert code == 1
    assert "the hub lists another sha256 for Qwen3-0.6B-Q4_K_M.gguf than the catalogue" in err
    assert hub.sent == 0
    name = "Qwen3-30B-A3B-Base"
    hub.add(f"mradermacher/{name}-GGUF", f"{name}.Q4_K_M.gguf", demo_path())
    assert call("models", "pull", name, cwd=tmp_path)[0] == 0
    model = find_model(name)
    assert (model.name, model.kind) == (f"{name}-Q4_K_M", "base")


def test_a_split_model_is_downloaded_completely(hub: HubServer, tmp_path: Path) -> None:
    for n in (1, 2, 3):
        content = make_gguf(tmp_path / "made", 10_000 * n, n).read_bytes()
        hub.add(REPO, f"BF16/Small-BF16-{n:05d}-of-00003.gguf", content)
    code, out, err = call("models", "pull", f"{REPO}:BF16", cwd=tmp_path)
    assert code == 0, err
    assert "to fetch (3 files: Small-BF16-00001-of-00003.gguf, Small-BF16-00002" in err
    model = find_model(f"{REPO}:BF16")
    assert (model.name, model.size, hub.sent) == ("Small-BF16", 60_000, 60_000)
    assert model.sha256 in out


needs_mount = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root may mount a small disk"
)


@pytest.mark.slow
@needs_mount
def test_a_full_disk_is_one_sentence_and_the_download_resumes(
    hub: HubServer, tmp_path: Path
) -> None:
    disk = tmp_path / "hf"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "none", disk]).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        path = big(hub, tmp_path, 100_000_000)
        hub.pace = 1e8
        with start("models", "pull", NAME, cwd=tmp_path) as process:
            while partial_size() < 1_000_000:
                assert process.poll() is None
            other = disk / "other"
            with other.open("wb") as file:
                file.write(bytes(120 << 20))
            out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (1, "")
        assert "is full; the received bytes are kept, free some space and try again" in err
        code, _, err = call("models", "pull", NAME, cwd=tmp_path)
        assert code == 1
        assert "GB to download and" in err
        other.unlink()
        assert call("models", "pull", NAME, cwd=tmp_path)[0] == 0
        assert find_model(NAME).size == path.stat().st_size
        assert hub.sent <= 1.1 * path.stat().st_size
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.slow
def test_300_mb_over_a_connection_that_breaks_twenty_times_and_stalls_for_a_minute(
    hub: HubServer, tmp_path: Path
) -> None:
    size = 300_000_000
    path, source = big(hub, tmp_path, size), random.Random(5)
    hub.faults.extend(Fault(cut=source.randrange(1, size // 25)) for _ in range(20))
    hub.faults.append(Fault(cut=1_000_000, stall=60.0))
    code, _, err = call("models", "pull", NAME, cwd=tmp_path)
    assert code == 0, err
    assert find_model(NAME).sha256 == hub.repos[REPO][FILE].sha256
    assert find_model(NAME).path.read_bytes() == path.read_bytes()
    assert hub.gets() == 22
    assert hub.sent <= 1.02 * size
    print(f"sent {hub.sent / size:.4f} of the file's size in {hub.gets()} requests")


MEASURE = """
import json, re, sys
from pathlib import Path
from steertui.planning.supply import pull
from steertui.assets.weights import find_model
list(pull([sys.argv[1]]))
model = find_model(sys.argv[1])
status = Path("/proc/self/status").read_text()  # rusage would tell of the parent before exec, too
print(json.dumps([int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]), model.size]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_memory_stays_under_200_mb_for_any_file_size(hub: HubServer, tmp_path: Path) -> None:
    peaks = []
    for size in (1_000_000, 400_000_000):
        hub.add(REPO, f"Small-{size}-Q4_K_M.gguf", make_gguf(tmp_path / "made", size))
        name = f"{REPO}/Small-{size}-Q4_K_M.gguf"
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, name], capture_output=True, text=True, check=True
        )
        peak, found = json.loads(done.stdout)
        assert found == size
        peaks.append(peak * 1024)
    assert max(peaks) < 200e6
    assert peaks[1] - peaks[0] < 20e6
    print(f"peak memory {peaks[0] / 1e6:.0f} and {peaks[1] / 1e6:.0f} MB")
