"""API keys and tokens: each is sent only to the host that it is for."""

import pytest
from huggingface_hub import constants

from steertui.assets.fetch.transfer import TransferLimits
from steertui.assets.hub.site import list_weights
from steertui.core.hub_name import HubName
from steertui.errors import FetchError, JudgeError, ServerError
from steertui.judge.server import parse_judge_address
from steertui.server.address import key_for, parse_address
from steertui.server.model import find_server_model
from tests.fixtures.recorder import Recorder

SECRET = "sk-secret-of-this-machine-0123456789"


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://good.example/v1", "one="),
        ("HTTPS://GOOD.example.:443/v1", "one="),
        ("https://good.example:8443/v1", "one="),
        ("http://localhost:8000/v1", "two"),
        ("http://127.0.0.1:9/v1", "three"),
        ("http://[::1]:8000/v1", "four"),
        ("http://localhost:8001/v1", ""),
        ("https://good.example.evil.com/v1", ""),
        ("https://evil.com/good.example/v1", ""),
        ("http://localhost.evil.com:8000/v1", ""),
        ("http://127.0.0.1.nip.io:9/v1", ""),
        ("https://api.openai.com/v1", "sk-openai"),
        ("https://api.openai.com./v1", "sk-openai"),
        ("https://api.openai.com:8443/v1", ""),
        ("https://api.openai.com.evil.com/v1", ""),
        ("http://api.openai.com/v1", ""),
    ],
)
def test_key_is_sent_only_to_its_host(url: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    bound = "good.example=one=, localhost:8000=two,127.0.0.1=three,[::1]:8000=four"
    monkeypatch.setenv("STEERTUI_SERVER_KEY", bound)
    (address,) = parse_address(f"server:m@{url}").urls
    assert key_for(address, "STEERTUI_SERVER_KEY") == key


@pytest.mark.parametrize("url", ["http://good.example/v1", "http://10.0.0.7:8000/v1"])
def test_key_is_not_sent_over_plain_http_to_another_machine(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEERTUI_SERVER_KEY", f"good.example={SECRET},10.0.0.7={SECRET}")
    with pytest.raises(ServerError, match="plain HTTP would expose it on the network") as caught:
        key_for(url, "STEERTUI_SERVER_KEY")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("value", [SECRET, f"https://host={SECRET}", f"{SECRET}==", "host="])
def test_key_without_a_host_is_an_error_with_a_remedy(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEERTUI_JUDGE_KEY", value)
    with pytest.raises(JudgeError, match="write STEERTUI_JUDGE_KEY=HOST=KEY") as caught:
        key_for("https://good.example/v1", "STEERTUI_JUDGE_KEY", JudgeError)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/v1",
        "http://0x7f000001/v1",
        "http://0x7f.1/v1",
        "http://127.1/v1",
        "http://0177.0.0.1/v1",
        "http://good.example\\@evil.com/v1",
        "http://go\tod.example/v1",
        "http://gооd.example/v1",
        "http://[::1/v1",
        "file:///etc/passwd",
        "http://",
    ],
)
def test_ambiguous_urls_are_refused(url: str) -> None:
    with pytest.raises(ServerError):
        parse_address(f"server:m@{url}")
    with pytest.raises(JudgeError):
        parse_judge_address(f"openai:m@{url}")


@pytest.mark.parametrize("url", ["http://me:hush@host/v1", "http://hush@host", "https://h/?k=hush"])
def test_urls_with_secrets_are_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ServerError, match="contains a password") as caught:
        parse_address(f"server:m@{url}")
    assert "hush" not in str(caught.value)


def test_redirects_are_not_followed_to_another_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Recorder() as other:
        elsewhere = f"http://localhost:{other.port}"
        with Recorder(redirect=elsewhere) as server:
            monkeypatch.setenv("STEERTUI_SERVER_KEY", f"127.0.0.1:{server.port}={SECRET}")
            with pytest.raises(ServerError, match=f"redirects to {elsewhere}"):
                find_server_model(f"server:one@{server.url}")
            assert SECRET.encode() in server.received
        assert not other.received


def test_token_is_not_sent_over_plain_http_to_another_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr(constants, "ENDPOINT", "http://mirror.invalid")
    with pytest.raises(FetchError, match="plain http would show your token") as caught:
        list(list_weights(HubName("maker/repo"), TransferLimits(tries=1)))
    assert "hf_secret" not in str(caught.value)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_key_of_a_server_on_this_machine_is_not_sent_to_a_proxy(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Recorder() as proxy, Recorder() as server:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("STEERTUI_SERVER_KEY", f"127.0.0.1:{server.port}={SECRET}")
        find_server_model(f"server:one@{server.url}")
        assert not proxy.received
        assert SECRET.encode() in server.received


def test_token_of_a_mirror_on_this_machine_is_not_sent_to_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Recorder() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
        with pytest.raises(FetchError, match="plain http would show your token"):
            list(list_weights(HubName("maker/repo"), TransferLimits(tries=1)))
        assert not proxy.received
