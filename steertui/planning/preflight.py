"""A Rehearsal: prompts written for a model behind a server, and the longest of them asked first.

Whatever would fail every prompt (a key, a setting, a context too short) is said before anything is
planned, for the price of a few tokens.
"""

from collections.abc import Sequence
from dataclasses import replace

from steertui.core.experiment import Design
from steertui.core.prompt import ChatFormat, Prompt, Thinking
from steertui.core.trial import Trial
from steertui.errors import ExperimentError, ServerError
from steertui.sandbox.parent import Sandbox
from steertui.server.address import KEY, key_for
from steertui.server.completions import PATHS, InvalidReply, body, messages, read
from steertui.server.model import ASKING, ServerModel, in_own_loop, refused_key
from steertui.server.probe import BEHIND, probe_server
from steertui.store import ModelFacts

TOKENS = 16
"""Of the first answer, which is thrown away."""

TIMEOUT = 120.0
"""Seconds for it: a server may load its model first."""

RETRIES = 4

HUSHED = ("llama-server", "vLLM", "SGLang", "Ollama")
"""Makes that can ask a model not to think: all but Ollama give `chat_template_kwargs` to the chat
template."""


def write_for_server(design: Design, model: ServerModel) -> tuple[list[Prompt], ModelFacts]:
    """Return the model's prompts as its servers take them, and what they tell of it.

    Raises ServerError or ExperimentError where they could not be answered so.
    """
    trials = [t for t in design.trials if t.model == model]
    thinking, template, digest = design.experiment.thinking, "", ""
    told = model.told
    if model.form == "prompt":
        with Sandbox("steertui.core.chat_template:main") as sandbox:
            chat = ChatFormat(sandbox, told.template, told.bos, told.eos, model.name)
            prompts = chat.write(trials, thinking)
        template, digest = chat.template, chat.sha256
    else:
        _refuse_thinking(model, thinking)
        prompts = [_written(t, thinking) for t in trials]
    in_own_loop(lambda: _rehearse(model, prompts))
    how = "prompts written by steertui" if model.form == "prompt" else "given chat messages"
    parameters = int(dict(told.weights).get("n_params", "0"))
    make = "a server of unknown make" if told.make == "unknown" else told.make
    about = f"{BEHIND}{make}, {how}"
    return prompts, ModelFacts(told.title, "", about, parameters, template, digest)


def _written(trial: Trial, thinking: Thinking) -> Prompt:
    is_asked = thinking == "off" and trial.model.kind in ("", "hybrid", "thinking")
    assert isinstance(trial.model, ServerModel)
    make = trial.model.told.make
    text = messages(trial.scenario.system.strip(), trial.user, thinking=not is_asked, make=make)
    return Prompt(trial, text, trial.key(text))


def _refuse_thinking(model: ServerModel, thinking: Thinking) -> None:
    if thinking == "open" and model.kind == "thinking":
        raise ServerError(
            f'{model.name}: thinking = "open" needs a prompt of our own, and {model.told.words} '
            'tells no chat template; give it as --server-template, or leave thinking at "template"'
        )
    plain = model.kind in ("base", "instruct")
    if thinking == "off" and not plain and model.told.make not in HUSHED:
        raise ServerError(
            f'{model.name}: thinking = "off" is not known to reach the model through '
            f'{model.told.words}; leave it at "template", or serve the model by llama-server, '
            "vLLM, SGLang or Ollama"
        )


async def _rehearse(model: ServerModel, prompts: Sequence[Prompt]) -> None:
    """Ask the longest prompt of each sampling."""
    longest: dict[float, Prompt] = {}
    for prompt in prompts:
        drawn = prompt.trial.sampling.temperature
        if drawn not in longest or len(prompt.text) > len(longest[drawn].text):
            longest[drawn] = prompt
    away = dict(model.away)
    url = next(url for url in model.address.urls if url not in away)
    for prompt in longest.values():
        count = await _ask(model, url, prompt)
        need = count + prompt.trial.sampling.max_tokens
        context = model.told.context or await _context(model, url)
        if 0 < context < need:
            t = prompt.trial
            raise ExperimentError(
                f"{t.scenario.name} under {t.condition.name}: prompt and --max-tokens need {need} "
                f"tokens and {url} gives {model.name} {context}; lower --max-tokens, or "
                "let the server have a longer context"
            )


async def _context(model: ServerModel, url: str) -> int:
    """Return what Ollama tells once it has loaded the model, 0 for any other server."""
    from steertui.server.client import Client, ConnectionFailed, RequestRejected

    if model.told.make != "Ollama":
        return 0
    async with Client(url, key_for(url, KEY), timeout=ASKING, retries=RETRIES) as client:
        try:
            again = await probe_server(
                client, model.address.model, (RequestRejected, ConnectionFailed)
            )
        except (RequestRejected, ConnectionFailed):
            return 0
        return again.context


async def _ask(model: ServerModel, url: str, prompt: Prompt) -> int:
    """Return how many tokens the server counts in a prompt."""
    from steertui.server.client import Client, ConnectionFailed, RequestRejected

    drawn = prompt.trial.sampling
    short = replace(drawn, max_tokens=min(TOKENS, drawn.max_tokens))
    asked = body(model.told, model.form, prompt.text, short, prompt.seed)
    async with Client(url, key_for(url, KEY), timeout=TIMEOUT, retries=RETRIES) as client:
        try:
            return read(await client.post(PATHS[model.form], asked)).prompt_tokens
        except RequestRejected as exc:
            if exc.status in (401, 403):
                raise refused_key(model.address.model, url, exc.status) from None
            if exc.is_quota:
                remedy = "add credit, then run the same again"
            else:
                remedy = "change what it names, or ask another server"
            raise ServerError(f"{model.name}: {url} refuses a prompt ({exc}); {remedy}") from None
        except ConnectionFailed as exc:
            raise ServerError(
                f"{model.name}: {url} lists the model and does not answer ({exc.cause}); look at "
                "its log"
            ) from None
        except InvalidReply as exc:
            raise ServerError(
                f"{model.name}: {url} does not answer as OpenAI's API does ({exc.reason}); check "
                "the address"
            ) from None
