"""A Form: how a server is asked for an answer, and where in its reply the answer stands."""

import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from steertui.core.generation import SamplingParams, StopReason
from steertui.core.reasoning import THINK
from steertui.errors import ServerError, shorten
from steertui.server.probe import ServerInfo, ServerKind

PromptMode = Literal["prompt", "messages"]
"""What a server is given: the rendered prompt as it is, or chat messages that it renders itself."""

PATHS: dict[PromptMode, str] = {"prompt": "/completions", "messages": "/chat/completions"}

Body = dict[str, Any]

GREEDY = SamplingParams()

ALL_TOKENS = 65_536
"""To look back on, where a server does not say how many it holds."""

# By our names, what each make calls the settings that OpenAI's API does not know. All are sent, at
# whatever value: servers take what is left out from their own or the model's defaults.
_LLAMA = {"top_k": "top_k", "min_p": "min_p", "repetition_penalty": "repeat_penalty"}
_OPEN = {"top_k": "top_k", "min_p": "min_p", "repetition_penalty": "repetition_penalty"}
_NAMES: dict[ServerKind, dict[str, str]] = {"llama-server": _LLAMA, "vLLM": _OPEN, "SGLang": _OPEN}

# Settings by which a make means something else than our engine, OpenAI's API and the others do.
_OTHERWISE: dict[ServerKind, dict[str, str]] = {
    "llama-server": {"presence_penalty": "it counts the prompt's tokens, too"},
    "Ollama": {"presence_penalty": "it counts the last 64 tokens, whosever they are"},
    "SGLang": {"repetition_penalty": "it leaves out the prompt's tokens"},
}

OPTIONAL = frozenset({"seed", "top_p", "presence_penalty"})
"""Settings that some servers refuse, even at their neutral value."""

_STOP = frozenset({"stop", "eos", "eos_token", "stop_sequence", "end_turn"})
_LENGTH = frozenset({"length", "max_tokens"})


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back for one prompt; counts are the server's own, 0 where it gives none.

    Attributes:
        text: all that the model wrote, reasoning within `<think>` marks.
        model: what the server calls the model that wrote it.
        fingerprint: `system_fingerprint`, the server's mark of its set-up.
        request: its name for the exchange.
    """

    text: str
    stop: StopReason
    prompt_tokens: int = 0
    tokens: int = 0
    model: str = ""
    fingerprint: str = ""
    request: str = ""


class InvalidReply(Exception):
    """A reply is no answer, and why; `again` where another try may bring one."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.reason, self.again = reason, again


def settings(told: ServerInfo, sampling: SamplingParams, seed: int) -> Body:
    """Return how an answer is drawn, in the server's words.

    At temperature 0 the filters are neutral, as in our engine. A setting that the server is not
    known to heed, or heeds in another sense, is refused, since many ignore in silence what they do
    not know: ServerError.
    """
    s, plain = sampling, GREEDY
    if s.temperature == 0:
        s = replace(s, top_k=plain.top_k, top_p=plain.top_p, min_p=plain.min_p)
    names = _NAMES.get(told.make, {})
    for name in _OPEN:
        if name not in names and getattr(s, name) != getattr(plain, name):
            raise ServerError(
                f"{told.words} does not take {name} through this API; leave it out, or let "
                "llama-server, vLLM or SGLang serve the model"
            )
    for name, why in _OTHERWISE.get(told.make, {}).items():
        if getattr(s, name) != getattr(plain, name):
            raise ServerError(
                f"{told.words} means something else by {name} ({why}); leave it out, or let "
                "vLLM serve the model"
            )
    if s.end != "any":
        raise ServerError(
            f'end = "{s.end}": a server ends an answer where its own configuration says; leave '
            'it at "any"'
        )
    body: Body = {"temperature": s.temperature, "top_p": s.top_p, "seed": seed & 0x7FFF_FFFF}
    body["presence_penalty"] = s.presence_penalty
    body |= {theirs: getattr(s, ours) for ours, theirs in names.items()}
    if told.make == "SGLang" and not s.top_k:
        body["top_k"] = -1
    if told.make == "llama-server":
        # Our penalty looks at all that was seen, theirs at the last 64 tokens if not told.
        body["repeat_last_n"] = told.context or ALL_TOKENS
    for name in told.left_out:
        if name != "seed" and body[name] != getattr(plain, name):
            raise ServerError(f"{told.words} does not take {name}; leave it out")
        del body[name]
    most = "max_completion_tokens" if told.make == "OpenAI" else "max_tokens"
    return body | {most: s.max_tokens, "stream": False}


def messages(system: str, user: str, *, thinking: bool, make: ServerKind = "unknown") -> str:
    """Return the part of a chat request that a trial decides, as JSON: the prompt that is stored.

    `thinking=False` asks a hybrid model not to, in the words that this make of server knows.
    """
    turns = [{"role": "system", "content": system}] if system else []
    body: Body = {"messages": [*turns, {"role": "user", "content": user}]}
    if not thinking and make == "Ollama":
        body["reasoning_effort"] = "none"
    elif not thinking:
        body["chat_template_kwargs"] = {"enable_thinking": False}
    return json.dumps(body, ensure_ascii=False)


def body(
    told: ServerInfo, form: PromptMode, text: str, sampling: SamplingParams, seed: int
) -> Body:
    """Return the request for the prompt `text`, as it is stored."""
    found = {"model": told.id, **settings(told, sampling, seed)}
    if form == "messages":
        given: Body = json.loads(text)
        return found | given
    if told.adds_bos and told.bos:
        text = text.removeprefix(told.bos)  # or it would stand there twice
    return found | {"prompt": text}


def read(data: Any) -> Completion:
    """Return the answer in a server's JSON; raises Unusable where it holds none."""
    try:
        choice, usage = data["choices"][0], data.get("usage") or {}
        text = _text(choice)
        stop = _stop(choice.get("finish_reason"))
        counts = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        said = data.get("error") if isinstance(data, dict) else None
        reason = f"the server says: {shorten(str(said))}" if said else (
            "the reply is not the JSON that the API promises"
        )  # fmt: skip
        raise InvalidReply(reason, again=True) from None
    names = (str(data.get(name) or "") for name in ("model", "system_fingerprint", "id"))
    return Completion(text, stop, *counts, *names)


def _text(choice: Any) -> str:
    message = choice.get("message")
    if message is None:
        return _string(choice["text"])
    if message.get("refusal"):
        return _string(message["refusal"])  # a refusal in words is an answer, for the judge to read
    text = _string(message.get("content") or "")
    thought = message.get("reasoning_content") or message.get("reasoning")
    if not thought:
        return text
    cut = not text and _stop(choice.get("finish_reason")) is StopReason.LENGTH
    opened = f"{THINK.opens}\n{_string(thought)}"
    return opened if cut else f"{opened}\n{THINK.closes}\n\n{text}"


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _stop(reason: object) -> StopReason:
    if reason in _STOP:
        return StopReason.STOP
    if reason in _LENGTH:
        return StopReason.LENGTH
    if reason == "content_filter":
        raise InvalidReply("the server's content filter cut the answer", again=False)
    raise InvalidReply(
        f"the server ended the answer for a reason of its own ({reason})", again=True
    )
