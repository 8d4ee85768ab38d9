"""Formats of requests to a judge's server: endpoint, JSON schema, settings; in order of preference.

Servers differ in what they accept. `judge.client` tries the formats until one gives a label.
"""

from dataclasses import dataclass, replace
from typing import Literal

from steertui.judge.reply import SCHEMA
from steertui.server.protocol import (
    NO_REASONING_EFFORT,
    NO_THINKING_HINT,
    PATHS,
    ApiReply,
    Body,
    FinishReason,
    InvalidReply,
    chat_turns,
    parse_reply,
    schema_format,
    token_limit,
)
from steertui.untrusted import one_line

MAX_REPLY_TOKENS = 120
"""New tokens of a judge's reply, as in the paper (arXiv 2601.01584, published code)."""

MAX_QUOTED = 120
"""Characters of a refusal that are quoted in a failure."""

MAX_ERROR = 200
"""Characters of a server's error that are quoted in a failure."""

JudgeApi = Literal["responses", "chat"]


@dataclass(frozen=True, slots=True)
class RawReply:
    """A server's reply to one judge prompt, before its label is read.

    Attributes:
        text: the reply as written; "" if there is none.
        failure: why there is nothing to read; "" otherwise.
        model: the server's name for the model.
        input_tokens: by the server's count, cached tokens included; 0 if not reported.
        cached_tokens: input tokens read from the server's cache.
        output_tokens: by the server's count; 0 if not reported.
        request: the server's id of the request.
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
    """One format of a judge request.

    Attributes:
        api: Responses API or chat completions.
        has_schema: whether a JSON schema binds the reply to the labels.
        is_openai: whether the server is OpenAI's own. Others get a chat template hint against
            thinking instead of the paper's settings.
        omitted: settings of the paper that the server does not accept.
        sends_effort: whether a third-party server gets `reasoning_effort` in addition to the
            hint. Ollama knows no other setting, and some servers reject it.
    """

    api: JudgeApi
    has_schema: bool
    is_openai: bool
    omitted: frozenset[str] = frozenset()
    sends_effort: bool = False

    @property
    def path(self) -> str:
        """Path of the endpoint below the base URL."""
        return PATHS[self.api]

    @property
    def description(self) -> str:
        """The format in words, as stored with each reply."""
        api = "Responses API" if self.api == "responses" else "chat completions"
        bound = "bound to the labels by a JSON schema" if self.has_schema else "free, and parsed"
        omitted = f"; not taken: {', '.join(sorted(self.omitted))}" if self.omitted else ""
        effort = "; reasoning effort none" if self.sends_effort else ""
        return f"{api}, reply {bound}{effort}{omitted}"

    def without(self, error: str) -> "RequestFormat | None":
        """Return the format without the settings that a server's error names.

        If the error names none, all settings are omitted. Returns None if none is left to omit.
        """
        sent = self._settings.keys() - self.omitted
        named = {name for name in sent if name in error}
        dropped = named or sent
        return replace(self, omitted=self.omitted | dropped) if dropped else None

    def body(self, model: str, system: str, user: str) -> Body:
        """Return the request body."""
        turns = "input" if self.api == "responses" else "messages"
        body: Body = {"model": model, turns: chat_turns(system, user)}
        body |= token_limit(self.api, MAX_REPLY_TOKENS, is_openai=self.is_openai)
        if self.has_schema:
            body |= schema_format(self.api, "verdict", SCHEMA)
        for name, setting in self._settings.items():
            if name not in self.omitted:
                body |= _merged_text(body, setting)
        return body

    def parse(self, data: object) -> RawReply:
        """Return the reply in a server's JSON; malformed JSON is a failure."""
        try:
            reply = parse_reply(self.api, data)
        except InvalidReply as exc:
            return RawReply("", exc.reason)
        return RawReply(
            text=reply.text,
            failure=_failure(reply),
            model=reply.model,
            input_tokens=reply.prompt_tokens,
            cached_tokens=reply.cached_tokens,
            output_tokens=reply.completion_tokens,
            request=reply.request_id,
        )

    @property
    def _settings(self) -> dict[str, Body]:
        """The paper's settings, by the word that a server's error uses for them."""
        temperature: Body = {"temperature": 0}
        if not self.is_openai:
            settings = {"reasoning": self._no_reasoning} if self.sends_effort else {}
            hint = {"chat_template_kwargs": dict(NO_THINKING_HINT)}
            return settings | hint | {"temperature": temperature}
        if self.api == "responses":
            return {
                "verbosity": {"text": {"verbosity": "low"}},
                "reasoning": self._no_reasoning,
                "store": {"store": False},
                "temperature": temperature,
            }
        return {
            "reasoning": self._no_reasoning,
            "verbosity": {"verbosity": "low"},
            "temperature": temperature,
        }

    @property
    def _no_reasoning(self) -> Body:
        if self.api == "responses":
            return {"reasoning": {"effort": "none"}}
        return dict(NO_REASONING_EFFORT)


def request_formats(*, is_openai: bool) -> tuple[RequestFormat, ...]:
    """Return the formats to try, best first.

    OpenAI gets the paper's endpoint first, the Responses API. Third-party servers get chat
    completions first, where more of them apply a JSON schema: llama.cpp's Responses API accepts a
    schema and ignores it.
    """
    apis: tuple[JudgeApi, ...] = ("responses", "chat") if is_openai else ("chat", "responses")
    efforts = (False,) if is_openai else (False, True)
    return tuple(
        RequestFormat(api, has_schema, is_openai, sends_effort=sends_effort)
        for has_schema in (True, False)
        for api in apis
        for sends_effort in efforts
    )


def _merged_text(body: Body, setting: Body) -> Body:
    """Return the setting with `text`, which also holds the schema, merged into the body's."""
    if "text" not in setting:
        return setting
    return {"text": body.get("text", {}) | setting["text"]}


def _failure(reply: ApiReply) -> str:
    if reply.refusal:
        return f"the judge refused: {one_line(reply.refusal, MAX_QUOTED)}"
    if reply.error:
        return one_line(f"the server reports an error: {reply.error}", MAX_ERROR)
    if reply.finish_reason is FinishReason.CONTENT_FILTER:
        return "the server's content filter truncated the reply"
    if reply.finish_reason is FinishReason.LENGTH:
        return f"the reply was truncated at {MAX_REPLY_TOKENS} tokens ({reply.server_reason})"
    return ""
