"""Preflight of a model behind servers: prompts rendered, and the longest of them sent.

Whatever would fail every prompt (API key, sampling setting, short context) is reported before
anything is planned, at the cost of a few tokens.
"""

from collections.abc import Sequence
from dataclasses import replace

from steertui.core.prompt import ChatFormat, Prompt, Thinking
from steertui.core.trial import Trial
from steertui.errors import ServerError
from steertui.planning.context_length import require_context
from steertui.planning.resolve import Design
from steertui.sandbox.parent import Sandbox
from steertui.server.address import KEY, key_for
from steertui.server.completions import (
    chat_messages,
    completion_request,
    parse_completion,
    request_path,
)
from steertui.server.failures import ConnectionFailed, RequestRejected
from steertui.server.model import PROBE_TIMEOUT, ServerModel, key_rejected, run_async
from steertui.server.probe import ServerInfo, ServerKind, probe_server
from steertui.server.protocol import Body
from steertui.server.rejected_settings import rejected_names
from steertui.server.reply import InvalidReply
from steertui.store import ModelFacts

PREFLIGHT_TOKENS = 16
"""New tokens of the preflight's answers, which are discarded."""

TIMEOUT = 120.0
"""Timeout of a preflight request in seconds: a server may have to load its model first."""

RETRIES = 4

BUSY = frozenset({429, 502, 503, 504})
"""HTTP statuses of busy servers: the run waits for them."""

THINKING_SWITCHES: frozenset[ServerKind] = frozenset({"llama-server", "vLLM", "SGLang", "Ollama"})
"""Servers with a setting that turns thinking off."""


def render_for_server(design: Design, model: ServerModel) -> tuple[list[Prompt], ModelFacts]:
    """Return the model's prompts in the form that its servers take, and their metadata.

    Raises ServerError or ExperimentError if the prompts cannot be answered.
    """
    trials = [t for t in design.trials if t.model == model]
    _require_supported(design, model)
    thinking = design.experiment.thinking
    info = model.info
    if model.prompt_mode == "prompt":
        with Sandbox("steertui.core.chat_template:main") as sandbox:
            chat = ChatFormat(sandbox, info.template, _special_tokens(info), model=model.name)
            prompts = chat.write(trials, thinking)
            notes = _notes(info, design.experiment.template, chat, prompts)
        facts = _facts(model, "prompts written by steertui", chat.template, chat.sha256, notes)
    else:
        _require_thinking_switch(model, thinking)
        prompts = [_message_prompt(t, thinking) for t in trials]
        facts = _facts(model, "given chat messages", notes=_unused(design.experiment.template))
    run_async(lambda: _send_longest(model, prompts))
    return prompts, facts


def _require_supported(design: Design, model: ServerModel) -> None:
    """Raise ServerError if a condition needs more than a server's API takes."""
    for condition in design.conditions:
        if condition.needs_weights:
            raise ServerError(
                f"{model.name}: condition {condition.name} changes activations or weights, which "
                "no server takes; leave the condition out, or run a GGUF on this machine"
            )
        if condition.prefill and model.prompt_mode == "messages":
            raise ServerError(
                f"{model.name}: condition {condition.name} prefills the answer, which needs a "
                f"rendered prompt, and {model.info.description} reports no chat template; give "
                "one, or leave the condition out"
            )


def _facts(
    model: ServerModel,
    prompt_mode: str,
    template: str = "",
    template_sha256: str = "",
    notes: tuple[str, ...] = (),
) -> ModelFacts:
    return ModelFacts(
        title=model.info.title,
        architecture="",
        description=f"behind {model.info.kind_name}, {prompt_mode}",
        parameters=int(dict(model.info.weights).get("n_params", "0")),
        template=template,
        template_sha256=template_sha256,
        notes=notes,
    )


def _special_tokens(info: ServerInfo) -> dict[str, str]:
    """Return the special tokens that a server reports, by their names in transformers."""
    tokens = {"bos_token": info.bos, "eos_token": info.eos}
    return {name: text for name, text in tokens.items() if text}


def _notes(
    info: ServerInfo, template: str, chat: ChatFormat, prompts: Sequence[Prompt]
) -> tuple[str, ...]:
    """Return what a user must know of prompts rendered for a server (`ChatFormat.notes`)."""
    notes = [f"Prompts are rendered by the chat template {template}"] if template else []
    if info.adds_bos and not all(prompt.text.startswith(info.bos) for prompt in prompts):
        notes.append(
            f"The server puts {info.bos or 'a token'} before every prompt, which the chat template "
            "does not write"
        )
    return (*notes, *chat.notes(prompts))


def _unused(template: str) -> tuple[str, ...]:
    if not template:
        return ()
    return (f"The server renders the prompts itself; the chat template {template} is not used",)


def _message_prompt(trial: Trial, thinking: Thinking) -> Prompt:
    turns_off = thinking == "off" and trial.model.kind in ("", "hybrid", "thinking")
    assert isinstance(trial.model, ServerModel)
    content = chat_messages(
        trial.system,
        trial.user,
        thinking=not turns_off,
        info=trial.model.info,
    )
    return Prompt(trial, content, trial.key(content.text))


def _require_thinking_switch(model: ServerModel, thinking: Thinking) -> None:
    """Raise ServerError if chat messages cannot turn thinking on or off as asked for."""
    if thinking == "force" and model.kind == "thinking":
        raise ServerError(
            f'{model.name}: thinking = "force" needs a rendered prompt, and '
            f"{model.info.description} reports no chat template; give one, "
            'or leave thinking at "template"'
        )
    thinks = model.kind not in ("base", "instruct")
    if thinking == "off" and thinks and model.info.kind not in THINKING_SWITCHES:
        raise ServerError(
            f'{model.name}: {model.info.description} may ignore thinking = "off"; leave it at '
            '"template", or serve the model with llama-server, vLLM, SGLang or Ollama'
        )


async def _send_longest(model: ServerModel, prompts: Sequence[Prompt]) -> None:
    """Send the longest prompt of each temperature; check it against the context length.

    Raises ExperimentError if a prompt and its answer do not fit.
    """
    by_temperature: dict[float, list[Prompt]] = {}
    for prompt in prompts:
        by_temperature.setdefault(prompt.trial.sampling.temperature, []).append(prompt)
    unreachable = dict(model.unreachable)
    url = next(url for url in model.address.urls if url not in unreachable)
    for group in by_temperature.values():
        trial = max(group, key=_length).trial
        tokens = await _count_tokens(model, url, sorted(group, key=_length))
        if tokens is None:
            continue
        context = model.info.context or await _loaded_context(model, url)
        if context > 0:
            owner = f"the context of {model.name} at {url}"
            require_context(trial, tokens, context, owner, "give the server a longer context")


def _length(prompt: Prompt) -> int:
    return len(prompt.text)


async def _loaded_context(model: ServerModel, url: str) -> int:
    """Return the context length that Ollama reports once the model is loaded; 0 for others."""
    from steertui.server.client import Client

    if model.info.kind != "Ollama":
        return 0
    async with Client(url, key_for(url, KEY), timeout=PROBE_TIMEOUT, retries=RETRIES) as client:
        try:
            return (await probe_server(client, model.address.model)).context
        except (RequestRejected, ConnectionFailed):
            return 0


async def _count_tokens(model: ServerModel, url: str, prompts: Sequence[Prompt]) -> int | None:
    """Return the length in tokens of the last and longest prompt, by the server's count.

    Returns None if the server does not answer this prompt and may answer others: it is busy, its
    content filter refuses this prompt, or the shortest prompt gets an answer. Raises ServerError
    if it answers neither.
    """
    try:
        return await _send(model, url, prompts[-1])
    except RequestRejected as exc:
        if exc.is_filtered or (exc.status in BUSY and not exc.is_quota_exceeded):
            return None
        rejection = exc
    except InvalidReply as exc:
        if exc.is_api:
            return None
        raise ServerError(
            f"{model.name}: {url} does not answer as OpenAI's API defines ({exc.reason}); check "
            "the base URL"
        ) from None
    if not (rejection.is_key_rejected or rejection.is_quota_exceeded or _is_length(rejection)):
        try:
            await _send(model, url, prompts[0])
        except (RequestRejected, InvalidReply):
            pass
        else:
            return None
    raise _rejection_error(model, url, prompts[-1], rejection)


def _is_length(rejection: RequestRejected) -> bool:
    return "context" in rejection.message.lower() or "context" in rejection.code


def _rejection_error(
    model: ServerModel, url: str, prompt: Prompt, rejection: RequestRejected
) -> ServerError:
    """Return the error for a server that rejects every prompt."""
    if rejection.is_key_rejected:
        return key_rejected(model.address.model, url, rejection.status)
    settings = _request(model, prompt)
    names = ", ".join(sorted(rejected_names(rejection, settings.keys())))
    remedy = "change what it names, or use another server"
    if names:
        remedy = f"set {names} to a value that it accepts, or use another server"
    if rejection.is_quota_exceeded:
        remedy = "add credit, then try again"
    return ServerError(f"{model.name}: {url} rejects a prompt ({rejection}); {remedy}")


async def _send(model: ServerModel, url: str, prompt: Prompt) -> int:
    """Send a prompt for a few new tokens; return its length in tokens by the server's count.

    Raises RequestRejected, InvalidReply, or ServerError if the connection fails.
    """
    from steertui.server.client import Client

    async with Client(url, key_for(url, KEY), timeout=TIMEOUT, retries=RETRIES) as client:
        try:
            reply = await client.post(request_path(prompt.content), _request(model, prompt))
        except ConnectionFailed as exc:
            raise ServerError(
                f"{model.name}: {url} lists the model and does not answer a prompt ({exc.cause}); "
                "see its log"
            ) from None
    return parse_completion(reply, PREFLIGHT_TOKENS).prompt_tokens


def _request(model: ServerModel, prompt: Prompt) -> Body:
    """Return the request for a few new tokens of an answer."""
    sampling = prompt.trial.sampling
    sampling = replace(sampling, max_tokens=min(PREFLIGHT_TOKENS, sampling.max_tokens))
    return completion_request(model.info, prompt.content, sampling, seed=prompt.seed)
