"""What servers of each make tell of themselves, as their documentation has it."""

import asyncio
from typing import Any

import pytest

from steertui.errors import ServerError
from steertui.server.probe import ServerInfo, probe_server


class NotFound(Exception):
    """A server does not know a path."""


class Says:
    """A server that has these answers, by path."""

    def __init__(self, answers: dict[str, Any], url: str = "http://box:1/v1") -> None:
        self.url = url
        self._answers = answers

    async def get(self, path: str) -> object:
        """Return the answer to a path, or to an address below the server's own."""
        path = path.removeprefix(self.url.removesuffix("/v1"))
        if path not in self._answers:
            raise NotFound(path)
        return self._answers[path]

    async def post(self, path: str, body: dict[str, Any]) -> object:  # noqa: ARG002
        """As `get`."""
        return await self.get(path)


def told(answers: dict[str, Any], model: str = "m", url: str = "http://box:1/v1") -> ServerInfo:
    return asyncio.run(probe_server(Says(answers, url), model, (NotFound,)))


def models(**entry: object) -> dict[str, Any]:
    return {"/models": {"object": "list", "data": [{"id": "m", "object": "model"} | entry]}}


def test_a_llama_server_tells_file_template_slots_and_context() -> None:
    found = told(
        models(owned_by="llamacpp", meta={"n_params": 4, "size": 9, "n_vocab": 7})
        | {
            "/props": {
                "model_path": "C:\\models\\a.gguf", "model_ftype": "Q8_0", "total_slots": 4,
                "build_info": "b1-abc", "chat_template": "{{ messages }}", "bos_token": "<s>",
                "eos_token": "</s>", "default_generation_settings": {"n_ctx": 2048},
            },
            "/tokenize": {"tokens": [1]},
        }
    )  # fmt: skip
    weights = (("file", "a.gguf"), ("ftype", "Q8_0"), ("n_params", "4"), ("size", "9"),
               ("n_vocab", "7"))  # fmt: skip
    assert found == ServerInfo("llama-server", "m", "a.gguf", weights, "b1-abc", 2048, 4,
                         "{{ messages }}", "<s>", "</s>", True)  # fmt: skip


def test_vllm_sglang_and_ollama_tell_repository_or_digest() -> None:
    about = {"root": "Qwen/Qwen3-4B", "max_model_len": 4096}
    found = told(models(owned_by="vllm", **about) | {"/version": {"version": "0.11.0"}})
    assert found == ServerInfo(
        "vLLM", "m", "Qwen/Qwen3-4B", (("root", "Qwen/Qwen3-4B"),), "0.11.0", 4096
    )
    found = told(
        models(owned_by="sglang", **about)
        | {"/get_model_info": {"model_path": "/data/Qwen3-4B"}, "/server_info": {"version": "0.5"}}
    )
    assert found == ServerInfo("SGLang", "m", "Qwen3-4B", (("root", "Qwen3-4B"),), "0.5", 4096)
    found = told(
        models(owned_by="library")
        | {
            "/api/version": {"version": "0.20.3"},
            "/api/tags": {"models": [{"name": "m", "digest": "abc"}]},
            "/api/ps": {"models": [{"name": "m", "context_length": 2048}]},
        }
    )
    assert found == ServerInfo(
        "Ollama", "m", "m", (("name", "m"), ("digest", "abc")), "0.20.3", 2048
    )


def test_of_a_stranger_the_host_is_part_of_the_identity() -> None:
    one, other = told(models()), told(models(), url="http://elsewhere:1/v1")
    assert one.make == other.make == "unknown"
    assert one.identity != other.identity
    assert told(models(), url="http://box:2/v1").identity == one.identity
    openai = told(models(owned_by="openai"), url="https://api.openai.com/v1")
    assert openai.make == "OpenAI"


def test_the_same_weights_are_the_same_whatever_their_folder_name_and_address() -> None:
    def vllm(root: str, url: str, **entry: object) -> ServerInfo:
        return told(models(owned_by="vllm", root=root, **entry), url=url)

    one = vllm("/data/Qwen3-4B", "http://a:1/v1", max_model_len=4096)
    assert vllm("/scratch/me/Qwen3-4B", "http://b:2/v1").identity == one.identity
    assert vllm("/data/Qwen3-8B", "http://a:1/v1").identity != one.identity
    adapter = vllm("/data/tuned", "http://a:1/v1", parent="Qwen3-4B")
    assert vllm("/data/tuned", "http://a:1/v1", parent="Qwen3-8B").identity != adapter.identity


@pytest.mark.parametrize("data", [None, [], {}, {"data": None}, {"data": [{"id": 5}, "m"]}])
def test_a_list_of_models_that_is_none_is_one_sentence(data: object) -> None:
    with pytest.raises(ServerError, match=r"lists no model; check the address"):
        told({"/models": data})


def test_a_models_short_name_does_where_only_one_has_it() -> None:
    listed = [{"id": "/data/a.gguf", "owned_by": "x"}, {"id": "/data/b.gguf", "owned_by": "x"}]
    assert told({"/models": {"data": listed}}, "b").id == "/data/b.gguf"
    with pytest.raises(ServerError, match=r"has no such model; it has /data/a.gguf, /data/b.gguf"):
        told({"/models": {"data": listed}}, "c")
