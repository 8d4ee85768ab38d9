"""Downloads of weights: complete, verified, resumed; shared with huggingface_hub's cache."""

import gzip
import os
import random
from pathlib import Path

import pytest
from huggingface_hub import HfApi, hf_hub_download

from steertui.assets.fetch.transfer import TransferLimits
from steertui.assets.hub.cache import cached_weights, repository_folder
from steertui.assets.weights import find_model
from steertui.core.hub_name import HubName
from steertui.errors import FetchError, ModelError
from steertui.planning.supply import (
    DownloadPlan,
    DownloadProgress,
    DownloadsComplete,
    Requirements,
    pull,
    supply,
)
from tests.fixtures.hub_server import MAIN, Fault, HubServer, make_gguf

REPO = "maker/Small-GGUF"
NAME = f"{REPO}:Q4_K_M"
FILE = "Small-Q4_K_M.gguf"
SIZE = 3_000_000
QUICK = TransferLimits(tries=3, pause=0.01, silence=1.0)


@pytest.fixture
def small(hub: HubServer, tmp_path: Path) -> bytes:
    content = make_gguf(tmp_path / "made", SIZE).read_bytes()
    hub.add(REPO, FILE, content)
    hub.add(REPO, "Small-Q8_0.gguf", make_gguf(tmp_path / "other", 5000, 1).read_bytes())
    hub.add(REPO, "README.md", b"no model")
    return content


def fetch(name: str = NAME) -> list[object]:
    return list(supply(Requirements((name,)), QUICK))


def partials() -> list[Path]:
    return sorted((repository_folder(REPO) / "blobs").glob("*.incomplete"))


def test_pulled_weights_are_found_verified_and_not_downloaded_again(
    hub: HubServer, small: bytes
) -> None:
    with pytest.raises(ModelError, match="models pull maker/Small-GGUF:Q4_K_M"):
        find_model(NAME)
    events = fetch()
    assert isinstance(events[0], DownloadPlan)
    assert (events[0].fetch, events[0].total) == (((FILE, SIZE),), SIZE)
    moved = [e for e in events if isinstance(e, DownloadProgress)]
    assert [e.all_done for e in moved] == sorted(e.all_done for e in moved)
    assert (moved[-1].all_done, moved[-1].total) == (SIZE, SIZE)
    assert isinstance(events[-1], DownloadsComplete)
    model = find_model(NAME)
    assert model.path.read_bytes() == small
    assert model.origin == f"{REPO}@{MAIN}/{FILE}"
    assert (model.name, model.size) == ("Small-Q4_K_M", SIZE)
    before = len(hub.requests), hub.sent
    assert fetch() == []
    assert list(pull([NAME], QUICK)) == []
    assert find_model(NAME) == model
    assert (len(hub.requests), hub.sent) == before == (before[0], SIZE)


def test_huggingface_hub_finds_and_verifies_pulled_weights(hub: HubServer, small: bytes) -> None:
    fetch()
    sent = hub.sent
    path = hf_hub_download(REPO, FILE, revision=MAIN)
    assert Path(path).read_bytes() == small
    assert hf_hub_download(REPO, FILE) == path
    assert hub.sent == sent
    report = HfApi().verify_repo_checksums(REPO, revision=MAIN)
    assert (report.checked_count, report.mismatches) == (1, [])


def test_weights_downloaded_by_huggingface_hub_are_found_and_hashed_once(
    hub: HubServer, small: bytes
) -> None:
    hf_hub_download(REPO, FILE)
    sent = hub.sent
    first = fetch()
    assert isinstance(first[0], DownloadPlan)
    assert first[0].verify == (("Small-Q4_K_M", SIZE),)
    assert fetch() == []
    assert find_model(NAME).size == SIZE
    assert hub.sent == sent


def test_a_connection_cut_at_twenty_random_offsets_resumes_each_time(
    hub: HubServer, small: bytes
) -> None:
    source = random.Random(3)
    hub.faults.extend(Fault(cut=source.randrange(1, SIZE // 12)) for _ in range(20))
    fetch()
    assert find_model(NAME).path.read_bytes() == small
    assert hub.gets() > 12
    assert hub.sent <= 1.02 * SIZE


def test_a_token_is_not_sent_to_the_host_of_a_redirect(
    hub: HubServer, small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.token = "hf_secret"
    with pytest.raises(FetchError, match="no such repository on the hub, or a private one"):
        fetch()
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetch()
    assert find_model(NAME).path.read_bytes() == small
    assert not hub.cdn_authorized


@pytest.mark.parametrize(
    "fault",
    [
        Fault(body=b"[" * 200_000),
        Fault(body=b'{"sha": ' + b"9" * 5000 + b"}"),
        Fault(body=b"null"),
        Fault(body=b'{"sha": ["a"]}'),
        Fault(body=f'{{"sha": "{MAIN}", "siblings": 7}}'.encode()),
        Fault(body=f'{{"sha": "{MAIN}", "siblings": [null, [], {{"rfilename": [1]}}]}}'.encode()),
        Fault(body=gzip.compress(b" " * 80_000_000), headers={"Content-Encoding": "gzip"}),
        Fault(body=b"no gzip", headers={"Content-Encoding": "gzip"}),
        Fault(status=429, headers={"Retry-After": "9" * 5000}),
        Fault(status=429, headers={"Retry-After": "100000"}),
    ],
)
def test_a_listing_of_a_hostile_hub_is_one_sentence(
    hub: HubServer, small: bytes, fault: Fault
) -> None:
    hub.api_faults.extend([fault] * 3)
    with pytest.raises(FetchError) as raised:
        fetch()
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300


def test_a_retry_delay_that_is_no_number_is_ignored(hub: HubServer, small: bytes) -> None:
    headers = {"Retry-After": "\u00b2", "Content-Range": "bytes */\u00b2"}
    hub.api_faults.append(Fault(status=429, headers=headers))
    hub.faults.append(Fault(status=503, headers=headers))
    fetch()
    assert find_model(NAME).path.read_bytes() == small


def flip(block: bytes) -> bytes:
    return block[:-1] + bytes([block[-1] ^ 1])


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(change=flip), "are not the expected ones"),
        (Fault(length=SIZE - 10), "has a file of 2,999,990 bytes where 3,000,000 are expected"),
        (Fault(length=SIZE + 10), "has a file of 3,000,010 bytes where"),
        (Fault(status=401), "answers 401 (a token may be needed)"),
        (Fault(status=403), "answers 403 (access denied)"),
        (Fault(status=404), "answers 404 (not found)"),
        (Fault(status=500), "answers 500 Internal Server Error, 3 times in a row"),
        (Fault(status=429, headers={"Retry-After": "7200"}), "requests a pause of 7200 seconds"),
        (Fault(cut=0, stall=1.3), "no byte arrived for too long, 3 times in a row"),
    ],
)
def test_a_permanent_fault_is_one_sentence_and_a_later_attempt_succeeds(
    hub: HubServer, small: bytes, fault: Fault, message: str
) -> None:
    hub.always = fault
    with pytest.raises(FetchError) as raised:
        fetch()
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert cached_weights(HubName(REPO, "Q4_K_M")) is None
    hub.always = None
    fetch()
    assert find_model(NAME).path.read_bytes() == small
    assert partials() == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=503),
        Fault(status=429, headers={"Retry-After": "0"}),
        Fault(cut=100_000, stall=1.3),
        Fault(cut=0),
        Fault(status=408),
    ],
)
def test_a_temporary_fault_is_retried(hub: HubServer, small: bytes, fault: Fault) -> None:
    hub.faults.append(fault)
    fetch()
    assert find_model(NAME).path.read_bytes() == small


def test_a_server_without_ranges_sends_the_whole_file(hub: HubServer, small: bytes) -> None:
    hub.faults.extend([Fault(cut=SIZE // 2), Fault(no_range=True)])
    fetch()
    assert find_model(NAME).path.read_bytes() == small


def test_a_corrupt_partial_file_is_detected_and_downloaded_again(
    hub: HubServer, small: bytes
) -> None:
    hub.always = Fault(cut=SIZE // 2)
    work = supply(Requirements((NAME,)), QUICK)
    while not partials() or partials()[0].stat().st_size < SIZE // 3:
        next(work)
    work.close()
    with partials()[0].open("r+b") as file:
        file.write(b"spoiled")
    hub.always = None
    fetch()
    assert find_model(NAME).path.read_bytes() == small


def test_a_changed_file_is_not_loaded_and_pull_repairs_it(hub: HubServer, small: bytes) -> None:
    fetch()
    path = find_model(NAME).path
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    with path.open("r+b") as file:
        file.seek(SIZE // 2)
        file.write(b"?")
    os.utime(path, ns=times)
    with pytest.raises(ModelError, match="not the expected bytes"):
        find_model(NAME)
    with pytest.raises(ModelError, match="not the expected bytes"):
        fetch()
    list(pull([NAME], QUICK))
    assert find_model(NAME).path.read_bytes() == small


def test_wrong_bytes_accepted_by_huggingface_hub_are_rejected_and_repaired(
    hub: HubServer, small: bytes
) -> None:
    hub.faults.append(Fault(change=flip))
    hf_hub_download(REPO, FILE)
    with pytest.raises(ModelError, match="not the expected bytes"):
        find_model(NAME)
    list(pull([NAME], QUICK))
    assert find_model(NAME).path.read_bytes() == small


@pytest.mark.parametrize("depth", ["", "../../../../../"])
def test_no_header_of_the_hub_names_a_file_on_this_machine(
    hub: HubServer, small: bytes, tmp_path: Path, depth: str
) -> None:
    planted = tmp_path / "planted"
    hub.etag = f"{depth}{planted}"
    fetch()
    assert not planted.exists()
    assert find_model(NAME).path.resolve().name == hub.repos[REPO][FILE].sha256


def test_a_link_of_the_cache_that_leads_elsewhere_is_replaced(
    hub: HubServer, small: bytes, tmp_path: Path
) -> None:
    snapshot = repository_folder(REPO) / "snapshots" / MAIN / FILE
    snapshot.parent.mkdir(parents=True)
    snapshot.symlink_to(tmp_path / "missing.gguf")
    fetch()
    assert snapshot.read_bytes() == small
    assert [path.name for path in snapshot.parent.iterdir()] == [FILE]
