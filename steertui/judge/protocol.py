"""A Way: how a server is asked, as the body of a request, and where its reply stands."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from steertui.judge.reply import SCHEMA

MOST_TOKENS = 120
"""New tokens of a reply, as in the paper (arXiv 2601.01584, its public code)."""

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RawReply:
    """What came back for one question.

    Attributes:
        text: the reply as written, "" where there is none.
        failure: why there is nothing to read, "" otherwise.
        model: what the server calls the model that answered.
        input_tokens: by the server's own count, cached ones included; 0 where it gives none.
        cached_tokens: of them, read from the server's cache.
        output_tokens: by the server's own count.
        request: the server's name for the exchange.
    """

    text: str
    failure: str = ""
    model: str = ""
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    request: str = ""


@dataclass(frozen=True, slots=True)
class RequestFormat:
    """One of the ways to ask.

    Attributes:
        api: the Responses API, or chat completions.
        is_strict: whether the reply is bound to the labels by a JSON schema.
        is_openai: whether it is OpenAI's own server; others get a hint not to think instead.
        left_out: settings of the paper that the server does not take.
        hushed: whether another server gets the paper's setting against thinking beside the hint:
            Ollama knows no other, and some refuse it.
    """

    api: Literal["responses", "chat"]
    is_strict: bool
    is_openai: bool
    left_out: frozenset[str] = frozenset()
    hushed: bool = False

    @property
    def path(self) -> str:
        """Where requests go, below the server's address."""
        return "/responses" if self.api == "responses" else "/chat/completions"

    @property
    def words(self) -> str:
        """Say it: "Responses API, reply bound to the labels by JSON schema"."""
        api = "Responses API" if self.api == "responses" else "chat completions"
        bound = "bound to the labels by a JSON schema" if self.is_strict else "free, and parsed"
        without = f"; not taken: {', '.join(sorted(self.left_out))}" if self.left_out else ""
        effort = "; reasoning effort none" if self.hushed else ""
        return f"{api}, reply {bound}{effort}{without}"

    @property
    def _settings(self) -> dict[str, Body]:
        """The paper's settings by the word that a server's complaint names."""
        if self.api == "responses":
            found: dict[str, Body] = {
                "reasoning": {"reasoning": {"effort": "none"}},
                "verbosity": {"text": {"verbosity": "low"}},
                "store": {"store": False},
            }
        else:
            found = {"reasoning": {"reasoning_effort": "none"}, "verbosity": {"verbosity": "low"}}
        if not self.is_openai:
            kept = {"reasoning": found["reasoning"]} if self.hushed else {}
            hint = {"chat_template_kwargs": {"enable_thinking": False}}
            found = kept | {"chat_template_kwargs": hint}
        return found | {"temperature": {"temperature": 0}}

    def without(self, complaint: str) -> "RequestFormat | None":
        """Return the way without the setting that a server's complaint names.

        Where it names none, without all of them; None where nothing is left to leave out.
        """
        kept = self._settings.keys() - self.left_out
        named = {name for name in kept if name in complaint}
        drop = named or kept
        return replace(self, left_out=self.left_out | drop) if drop else None

    def body(self, model: str, system: str, user: str) -> Body:
        """Return the request."""
        turns = [{"role": "system", "content": system}] if system else []
        turns.append({"role": "user", "content": user})
        if self.api == "responses":
            body: Body = {"model": model, "input": turns, "max_output_tokens": MOST_TOKENS}
            form = {"type": "json_schema", "name": "verdict", "strict": True, "schema": SCHEMA}
            body["text"] = {"format": form} if self.is_strict else {}
        else:
            most = "max_completion_tokens" if self.is_openai else "max_tokens"
            body = {"model": model, "messages": turns, most: MOST_TOKENS}
            bound = {"name": "verdict", "strict": True, "schema": SCHEMA}
            if self.is_strict:
                body["response_format"] = {"type": "json_schema", "json_schema": bound}
        for name, setting in self._settings.items():
            if name not in self.left_out:
                text = body.get("text", {}) | setting.get("text", {})
                body |= setting
                if text:
                    body["text"] = text
        return {key: value for key, value in body.items() if value != {}}

    def read(self, data: object) -> RawReply:
        """Return what a server's JSON holds; anything malformed is a failure."""
        try:
            return _of_responses(data) if self.api == "responses" else _of_chat(data)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return RawReply("", "the server's JSON lacks what the API promises")


def request_formats(*, is_openai: bool) -> tuple[RequestFormat, ...]:
    """Return the ways to try, the best first.

    The paper's own API first at OpenAI's server. At every other chat completions, since more of
    them bind a reply to a schema there: llama.cpp's Responses API takes one and does not heed it.
    """
    apis: list[Literal["responses", "chat"]] = ["responses", "chat"]
    if not is_openai:
        apis.reverse()
    return tuple(
        RequestFormat(api, strict, is_openai, hushed=hushed)
        for strict in (True, False)
        for api in apis
        for hushed in ((False,) if is_openai else (False, True))
    )


def _of_responses(data: Any) -> RawReply:
    parts = [
        part
        for item in data.get("output") or []
        if item.get("type") == "message"
        for part in item.get("content") or []
    ]
    text = "".join(part.get("text") or "" for part in parts if part.get("type") == "output_text")
    refusals = [part["refusal"] for part in parts if part.get("type") == "refusal"]
    usage = data.get("usage") or {}
    failure = ""
    if refusals:
        failure = f"the judge refused: {' '.join(refusals)[:120]}"
    elif data.get("status") == "incomplete":
        reason = (data.get("incomplete_details") or {}).get("reason")
        failure = _cut(reason == "content_filter", reason)
    elif data.get("status") not in (None, "completed"):
        failure = f"the server says: {data.get('error') or data['status']}"[:200]
    return RawReply(
        text, failure, str(data.get("model") or ""),
        int(usage.get("input_tokens") or 0),
        int((usage.get("input_tokens_details") or {}).get("cached_tokens") or 0),
        int(usage.get("output_tokens") or 0),
        str(data.get("id") or ""),
    )  # fmt: skip


def _of_chat(data: Any) -> RawReply:
    choice, usage = data["choices"][0], data.get("usage") or {}
    message, reason = choice["message"], choice.get("finish_reason")
    failure = ""
    if message.get("refusal"):
        failure = f"the judge refused: {message['refusal'][:120]}"
    elif reason in ("content_filter", "length"):
        failure = _cut(reason == "content_filter", reason)
    return RawReply(
        message.get("content") or "", failure, str(data.get("model") or ""),
        int(usage.get("prompt_tokens") or 0),
        int((usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0),
        int(usage.get("completion_tokens") or 0),
        str(data.get("id") or ""),
    )  # fmt: skip


def _cut(is_filter: bool, reason: object) -> str:
    if is_filter:
        return "the server's content filter cut the reply"
    return f"the reply was cut at {MOST_TOKENS} tokens ({reason})"
