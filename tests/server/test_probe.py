"""Metadata of each kind of server, in the form that its documentation gives."""

import asyncio
from typing import Any

import pytest

from steertui.errors import ServerError
from steertui.server.error_body import ErrorBody
from steertui.server.failures import RequestRejected
from steertui.server.probe import ServerInfo, probe_server

URL = "http://box:1/v1"


class FakeConnection:
    """Connection to a server with these responses, by path."""

    def __init__(self, responses: dict[str, Any], url: str = URL) -> None:
        self.url = url
        self._responses = responses

    async def get(self, path: str) -> object:
        """Return the response for a path below the base URL, or for a URL."""
        path = path.removeprefix(self.url.removesuffix("/v1"))
        if path not in self._responses:
            raise RequestRejected(404, f"no {path}", ErrorBody(""))
        return self._responses[path]

    async def post(self, path: str, body: dict[str, Any]) -> object:  # noqa: ARG002
        """Return the same response as `get`."""
        return await self.get(path)


def probe(responses: dict[str, Any], model: str = "m", url: str = URL) -> ServerInfo:
    return asyncio.run(probe_server(FakeConnection(responses, url), model))


def model_list(**entry: object) -> dict[str, Any]:
    return {"/models": {"object": "list", "data": [{"id": "m", "object": "model"} | entry]}}


def test_llama_server_reports_file_template_slots_and_context() -> None:
    props = {
        "model_path": "C:\\models\\a.gguf",
        "model_ftype": "Q8_0",
        "total_slots": 4,
        "build_info": "b1-abc",
        "chat_template": "{{ messages }}",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "default_generation_settings": {"n_ctx": 2048},
    }
    models = model_list(owned_by="llamacpp", meta={"n_params": 4, "size": 9, "n_vocab": 7})
    assert probe(models | {"/props": props, "/tokenize": {"tokens": [1]}}) == ServerInfo(
        kind="llama-server",
        id="m",
        source="a.gguf",
        weights=(
            ("file", "a.gguf"),
            ("ftype", "Q8_0"),
            ("n_params", "4"),
            ("size", "9"),
            ("n_vocab", "7"),
        ),
        version="b1-abc",
        context=2048,
        slots=4,
        template="{{ messages }}",
        bos="<s>",
        eos="</s>",
        adds_bos=True,
    )


def test_vllm_reports_the_repository() -> None:
    models = model_list(owned_by="vllm", root="Qwen/Qwen3-4B", max_model_len=4096)
    assert probe(models | {"/version": {"version": "0.11.0"}}) == ServerInfo(
        kind="vLLM",
        id="m",
        source="Qwen/Qwen3-4B",
        weights=(("root", "Qwen/Qwen3-4B"),),
        version="0.11.0",
        context=4096,
    )


def test_sglang_reports_the_name_of_the_folder() -> None:
    models = model_list(owned_by="sglang", root="Qwen/Qwen3-4B", max_model_len=4096)
    responses = {
        "/get_model_info": {"model_path": "/data/Qwen3-4B"},
        "/server_info": {"version": "0.5"},
    }
    assert probe(models | responses) == ServerInfo(
        kind="SGLang",
        id="m",
        source="Qwen3-4B",
        weights=(("root", "Qwen3-4B"),),
        version="0.5",
        context=4096,
    )


def test_ollama_reports_the_digest() -> None:
    responses = {
        "/api/version": {"version": "0.20.3"},
        "/api/tags": {"models": [{"name": "m", "digest": "abc"}]},
        "/api/ps": {"models": [{"name": "m", "context_length": 2048}]},
    }
    assert probe(model_list(owned_by="library") | responses) == ServerInfo(
        kind="Ollama",
        id="m",
        source="m",
        weights=(("name", "m"), ("digest", "abc")),
        version="0.20.3",
        context=2048,
    )


def test_a_third_party_server_is_identified_by_its_host() -> None:
    info = probe(model_list())
    elsewhere = probe(model_list(), url="http://elsewhere:1/v1")
    assert info.kind == elsewhere.kind == "unknown"
    assert info.identity != elsewhere.identity
    assert probe(model_list(), url="http://box:2/v1").identity == info.identity


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://api.openai.com/v1", "OpenAI"),
        ("https://api.openai.com:443/v1", "OpenAI"),
        ("http://api.openai.com/v1", "unknown"),
        ("https://api.openai.com.example/v1", "unknown"),
        ("https://example/api.openai.com/v1", "unknown"),
    ],
)
def test_only_openais_own_host_is_openai(url: str, kind: str) -> None:
    assert probe(model_list(owned_by="openai"), url=url).kind == kind


def test_identity_does_not_depend_on_folder_model_name_or_address() -> None:
    def vllm(root: str, url: str, **entry: object) -> ServerInfo:
        return probe(model_list(owned_by="vllm", root=root, **entry), url=url)

    info = vllm("/data/Qwen3-4B", "http://a:1/v1", max_model_len=4096)
    assert vllm("/scratch/me/Qwen3-4B", "http://b:2/v1").identity == info.identity
    assert vllm("/data/Qwen3-8B", "http://a:1/v1").identity != info.identity
    adapter = vllm("/data/tuned", "http://a:1/v1", parent="Qwen3-4B")
    other_base = vllm("/data/tuned", "http://a:1/v1", parent="Qwen3-8B")
    assert other_base.identity != adapter.identity


def test_identity_keeps_the_value_that_trial_keys_contain() -> None:
    info = ServerInfo(kind="vLLM", weights=(("root", "Qwen/Qwen3-4B"),))
    assert info.identity == "23026d43a6b49d42b8d541eca755efd6c2733f61c8e12b36664068b075e09704"


@pytest.mark.parametrize("data", [None, [], {}, {"data": None}, {"data": [{"id": 5}]}, "<html>"])
def test_a_server_without_a_list_of_models_is_asked_for_the_model(data: object) -> None:
    info = probe({"/models": data})
    assert (info.id, info.is_listed, info.other_models) == ("m", False, ())
    assert probe({}).adaptations == ("not in its list of models",)


@pytest.mark.parametrize(
    "data",
    [
        [{"id": "m", "object": "model"}],  # Together AI
        {"models": [{"name": "m", "model": "m", "type": "model"}]},
        {"object": "list", "data": ["m", "n"]},
        {"data": {"m": {"context_length": 5}}},
        {"data": [{"model_name": "m"}, {"id": 5}, None]},
    ],
)
def test_lists_of_models_of_other_forms_are_read(data: object) -> None:
    info = probe({"/models": data})
    assert (info.id, info.is_listed) == ("m", True)


def test_a_known_kind_of_server_answers_listed_models_only() -> None:
    with pytest.raises(ServerError, match="does not have this model; it has m"):
        probe(model_list(owned_by="vllm"), model="n")
    info = probe(model_list(owned_by="system"), model="n")
    assert (info.is_listed, info.other_models) == (False, ("m",))


def test_a_file_name_is_enough_if_only_one_model_has_it() -> None:
    entries = [{"id": "/data/a.gguf", "owned_by": "x"}, {"id": "/data/b.gguf", "owned_by": "x"}]
    models = {"/models": {"data": entries}}
    assert probe(models, "b").id == "/data/b.gguf"
    assert probe(models, "c").other_models == ("/data/a.gguf", "/data/b.gguf")
