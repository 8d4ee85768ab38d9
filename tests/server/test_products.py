"""Runs with models behind servers that answer as products do, in their documented forms."""

import json
from pathlib import Path
from typing import Any

import pytest

from steertui.analysis.summary import summarise_experiment
from steertui.errors import ServerError
from steertui.execution import ServerFound, ServerLost
from steertui.server.limits import RetryPolicy
from steertui.server.model import find_server_model
from steertui.store import Store
from tests.fixtures.openai_server import Loopback
from tests.fixtures.scripted_server import (
    NO_PATH,
    Respond,
    Response,
    chat,
    is_first_trial,
    requests_of,
    serve,
)
from tests.fixtures.server_runs import answer, rows, tally

POLICY = RetryPolicy(concurrency=8, timeout=30.0, max_tries=2, max_outage=60.0)


def openai_error(message: str, param: str | None, code: str, status: int = 400) -> Response:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Response(status, {"error": error})


RENAMED = openai_error(
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
    "'max_completion_tokens' instead.",
    "max_tokens",
    "unsupported_parameter",
)
NO_TEMPERATURE = openai_error(
    "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) "
    "value is supported.",
    "temperature",
    "unsupported_value",
)
NO_SYSTEM = openai_error(
    "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
    "messages[0].role",
    "unsupported_value",
)

SEED_ERRORS = {
    "OpenAI": openai_error("Unknown parameter: 'seed'.", "seed", "unknown_parameter"),
    "Mistral": Response(
        422,
        {
            "object": "error",
            "message": {
                "detail": [
                    {
                        "type": "extra_forbidden",
                        "loc": ["body", "seed"],
                        "msg": "Extra inputs are not permitted",
                        "input": 5,
                    }
                ]
            },
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        },
    ),
    "FastAPI": Response(
        422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra"}]}
    ),
    "older vLLM": Response(
        400,
        {
            "object": "error",
            "message": "[{'type': 'extra_forbidden', 'loc': ('body', 'seed'), 'msg': 'Extra'}]",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
    ),
    "LiteLLM": Response(
        400,
        {
            "error": {
                "message": "litellm.UnsupportedParamsError: bedrock does not support parameters: "
                "['seed'], for model=m. To drop these, set `litellm.drop_params=True`.",
                "type": "None",
                "param": None,
                "code": "400",
            }
        },
    ),
    "Gemini": Response(
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": 'Invalid JSON payload received. Unknown name "seed": Cannot find '
                    "field.",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
    ),
    "xAI": Response(
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "Argument not supported on this model: seed",
        },
    ),
    "OpenRouter": Response(
        400,
        {
            "error": {
                "message": "Provider returned error",
                "code": 400,
                "metadata": {
                    "raw": '{"error": {"message": "Unrecognized request argument: seed"}}',
                    "provider_name": "Azure",
                },
            }
        },
    ),
}


def refusing(**errors: Response) -> Respond:
    """Respond with the error of the first setting that a request has, otherwise with an answer."""

    def respond(path: str, body: dict[str, Any]) -> Response:
        if path != "/chat/completions":
            return NO_PATH
        found = [error for name, error in errors.items() if name in body]
        return found[0] if found else chat()

    return respond


def run_with(tmp_path: Path, server: Loopback, **changes: object) -> dict[str, Any]:
    """Run a few trials and return the settings that are stored with the run."""
    answer(tmp_path / "a.db", [f"server:m@{server.url}"], POLICY, **({"limit": 2} | changes))
    (row,) = rows(tmp_path / "a.db", "SELECT settings FROM runs")
    settings: dict[str, Any] = json.loads(str(row["settings"]))
    return settings


def test_a_renamed_token_limit_is_learned_and_stored(tmp_path: Path) -> None:
    with serve(refusing(max_tokens=RENAMED)) as server:
        settings = run_with(tmp_path, server)
        bodies = list(requests_of(server))
        description = find_server_model(f"server:m@{server.url}").description
    assert tally(tmp_path / "a.db") == (6, 0, 0)
    assert sum("max_tokens" in body for body in bodies) == 1
    assert settings["adaptations"] == ["token limit sent as max_completion_tokens"]
    assert description.endswith("; token limit sent as max_completion_tokens")


def test_a_server_that_knows_neither_name_of_the_token_limit_is_an_error(tmp_path: Path) -> None:
    unknown = openai_error("Unknown: 'max_completion_tokens'", "max_completion_tokens", "")
    respond = refusing(max_tokens=RENAMED, max_completion_tokens=unknown)
    with serve(respond) as server, pytest.raises(ServerError, match="max_completion_tokens"):
        run_with(tmp_path, server)


@pytest.mark.parametrize("product", SEED_ERRORS)
def test_a_rejected_seed_is_left_out_stored_and_reported(tmp_path: Path, product: str) -> None:
    with serve(refusing(seed=SEED_ERRORS[product])) as server:
        settings = run_with(tmp_path, server)
        bodies = requests_of(server)
    assert tally(tmp_path / "a.db") == (6, 0, 0)
    assert sum("seed" in body for body in bodies) == 1
    assert settings["left_out"] == ["seed"]
    with Store(tmp_path / "a.db") as store:
        (table,) = summarise_experiment(store, store.experiments()[0].id).tables
    assert [warning.text for warning in table.warnings][-1] == (
        "the server does not accept seed and used its own defaults; its answers cannot be "
        "repeated with our seeds"
    )


def test_a_rejected_temperature_is_left_out_only_at_the_default(tmp_path: Path) -> None:
    unsupported = openai_error(
        "Unsupported parameter: 'temperature' is not supported with this model.",
        "temperature",
        "unsupported_parameter",
    )
    with serve(refusing(temperature=unsupported)) as server:
        message = "does not accept temperature 0, and without it samples.*set temperature to 1"
        with pytest.raises(ServerError, match=message):
            run_with(tmp_path, server)
        settings = run_with(tmp_path, server, temperatures=[1.0])
    assert settings["left_out"] == ["temperature"]
    assert tally(tmp_path / "a.db") == (6, 0, 0)


def test_a_reasoning_model_that_takes_only_temperature_1_names_the_remedy(tmp_path: Path) -> None:
    def respond(path: str, body: dict[str, Any]) -> Response:
        return refusing()(path, body) if body["temperature"] == 1 else NO_TEMPERATURE

    with serve(respond) as server:
        with pytest.raises(ServerError, match=r"Only the default \(1\).*set temperature to a val"):
            run_with(tmp_path, server)
        run_with(tmp_path, server, temperatures=[1.0])
    assert tally(tmp_path / "a.db") == (6, 0, 0)


@pytest.mark.parametrize(
    "error",
    [
        NO_SYSTEM,
        Response(400, {"object": "error", "message": "System role not supported", "code": 400}),
        openai_error("Developer instruction is not enabled for models/gemma-3", None, ""),
    ],
)
def test_system_messages_are_merged_where_the_model_takes_none(
    tmp_path: Path, error: Response
) -> None:
    def respond(path: str, body: dict[str, Any]) -> Response:
        is_refused = path == "/chat/completions" and body["messages"][0]["role"] == "system"
        return error if is_refused else refusing()(path, body)

    with serve(respond) as server:
        settings = run_with(tmp_path, server)
        user = requests_of(server)[-1]["messages"][0]
    merged = "system messages sent at the start of the user message"
    assert settings["adaptations"] == [merged]
    assert user["role"] == "user"
    stored = rows(tmp_path / "a.db", "SELECT text FROM prompts")
    assert len(stored) == 6
    assert not any('"system"' in str(row["text"]) for row in stored)


@pytest.mark.parametrize(
    "busy",
    [
        Response(429, {"error": {"message": "Rate limit reached"}}, {"Retry-After": "86400"}),
        # OpenRouter, in the form of a public report: null fields and the status in the body.
        Response(
            200,
            {
                "id": None,
                "choices": None,
                "error": {
                    "message": "Provider returned error",
                    "code": 429,
                    "metadata": {"raw": "Too Many Requests", "provider_name": "P"},
                },
            },
            {"Retry-After": "86400"},
        ),
    ],
)
def test_a_busy_server_at_the_first_prompt_is_said_and_stops_with_its_cause(
    tmp_path: Path, busy: Response
) -> None:
    def respond(path: str, body: dict[str, Any]) -> Response:
        return busy if is_first_trial(body) else refusing()(path, body)

    policy = RetryPolicy(concurrency=2, timeout=30.0, max_outage=1.0)
    with serve(respond) as server:
        events = answer(tmp_path / "a.db", [f"server:m@{server.url}"], policy, limit=2)
    (lost,) = [event for event in events if isinstance(event, ServerLost)]
    assert "it asks to wait 86,400 s" in lost.reason
    assert any("the last: HTTP 429" in str(event) for event in events)
    assert tally(tmp_path / "a.db") == (0, 0, 6)


def test_a_server_that_answers_after_a_wait_is_found_again(tmp_path: Path) -> None:
    count: list[str] = []

    def respond(path: str, body: dict[str, Any]) -> Response:
        if is_first_trial(body):
            count.append(path)
            if len(count) == 2:
                return Response(503, {"error": "loading"}, {"Retry-After": "10"})
        return refusing()(path, body)

    policy = RetryPolicy(concurrency=1, timeout=30.0)
    with serve(respond) as server:
        events = answer(tmp_path / "a.db", [f"server:m@{server.url}"], policy, limit=1)
    kinds = [type(event) for event in events if isinstance(event, ServerLost | ServerFound)]
    assert kinds == [ServerLost, ServerFound]
    assert tally(tmp_path / "a.db") == (3, 0, 0)


@pytest.mark.parametrize(
    ("listing", "name"),
    [
        (Response(200, {"data": [{"id": "qwen3-8b@q4_k_m"}]}), "qwen3-8b@q4_k_m"),  # LM Studio
        (Response(200, {"data": [{"id": "qwen3:4b"}]}), "qwen3:4b"),
        (Response(404, {"detail": "Not Found"}), "m"),
        (Response(405, b"Method Not Allowed"), "m"),
        (Response(400, {"error": "not implemented"}), "m"),  # Fireworks, FriendliAI
        (Response(200, b"<!doctype html><title>UI</title>"), "m"),
        (Response(200, {"data": []}), "m"),  # mlx-omni-server, which loads models on demand
        (Response(200, [{"id": "m", "object": "model"}]), "m"),  # Together AI
    ],
)
def test_names_and_lists_of_models_of_products(
    tmp_path: Path, listing: Response, name: str
) -> None:
    with serve(refusing(), listing=listing) as server:
        answer(tmp_path / "a.db", [f"server:{name}@{server.url}"], POLICY, limit=1)
        assert {body["model"] for body in requests_of(server)} == {name}
    assert tally(tmp_path / "a.db") == (3, 0, 0)


DEPLOYMENTS = Response(200, {"data": [{"id": "gpt-4o-2024-08-06", "owned_by": "system"}]})


def test_an_unlisted_deployment_of_azure_is_used(tmp_path: Path) -> None:
    missing = Response(
        404,
        {
            "error": {
                "code": "DeploymentNotFound",
                "message": "The API deployment for this resource does not exist.",
            }
        },
    )

    def respond(path: str, body: dict[str, Any]) -> Response:
        return refusing(max_tokens=RENAMED)(path, body) if body["model"] == "mine" else missing

    with serve(respond, listing=DEPLOYMENTS) as server:
        answer(tmp_path / "a.db", [f"server:mine@{server.url}"], POLICY, limit=1)
        message = "does not have this model; it has gpt-4o-2024-08-06"
        with pytest.raises(ServerError, match=message):
            find_server_model(f"server:typo@{server.url}")
    assert tally(tmp_path / "a.db") == (3, 0, 0)


def test_a_server_that_ignores_the_name_answers_listed_models_only() -> None:
    with serve(refusing(), listing=DEPLOYMENTS) as server:
        message = "does not have this model; it has gpt-4o-2024-08-06"
        with pytest.raises(ServerError, match=message):
            find_server_model(f"server:typo@{server.url}")


def test_a_wrong_base_url_is_named() -> None:
    with (
        serve(lambda *_: NO_PATH, listing=NO_PATH) as server,
        pytest.raises(ServerError, match=r"does not answer .HTTP 404: Unknown path.; check the"),
    ):
        find_server_model(f"server:m@{server.url}")
    page = Response(200, b"<html><title>Welcome</title></html>")
    with serve(lambda *_: page, listing=page) as server, pytest.raises(ServerError, match="base"):
        answer(Path("unused.db"), [f"server:m@{server.url}"])
