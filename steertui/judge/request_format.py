"""Formats of requests to a judge's server: endpoint, JSON schema, settings; in order of preference.

Servers differ in what they accept. `judge.client` tries the formats until one gives a label.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from steertui.core.reasoning import THINK, split_reasoning
from steertui.judge.reply import SCHEMA
from steertui.judge.sampling import PAPER_SAMPLING, JudgeSampling
from steertui.server.error_body import names_setting
from steertui.server.failures import RequestRejected
from steertui.server.protocol import (
    NO_THINKING_HINT,
    PATHS,
    Body,
    chat_turns,
    schema_format,
)
from steertui.server.rejected_settings import (
    other_token_limit,
    rejected_names,
    rejects_system,
)
from steertui.server.reply import ApiReply, FinishReason, InvalidReply, parse_reply
from steertui.untrusted import one_line

MAX_QUOTED = 120
"""Characters of a refusal that are quoted in a failure."""

MAX_ERROR = 200
"""Characters of a server's error that are quoted in a failure."""

JudgeApi = Literal["responses", "chat"]

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "reasoning": "reasoning",
        "reasoning_effort": "reasoning",
        "verbosity": "verbosity",
        "store": "store",
        "temperature": "temperature",
        "chat_template_kwargs": "chat_template_kwargs",
    }
)
"""Names that servers' errors use for each setting."""

_SCHEMA_WORDS = ("response_format", "json_schema", "text.format", "guided_json")


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
        is_filtered: whether a content filter refused the prompt or the reply.
    """

    text: str
    failure: str = ""
    model: str = ""
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    request: str = ""
    is_filtered: bool = False


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
        sampling: the judge's settings.
        is_limit_renamed: whether the server knows the token limit by its other name.
        merges_system: whether the server takes no system message, so that the instruction is sent
            at the start of the user message.
    """

    api: JudgeApi
    has_schema: bool
    is_openai: bool
    omitted: frozenset[str] = frozenset()
    sends_effort: bool = False
    sampling: JudgeSampling = PAPER_SAMPLING
    is_limit_renamed: bool = False
    merges_system: bool = False

    @property
    def path(self) -> str:
        """Path of the endpoint below the base URL."""
        return PATHS[self.api]

    @property
    def description(self) -> str:
        """The format in words, as stored with each reply."""
        bound = "bound to the labels by a JSON schema" if self.has_schema else "free, and parsed"
        parts = [f"{self.api_name}, reply {bound}"]
        if self.sends_effort:
            parts.append(f"reasoning effort {self.sampling.reasoning_effort}")
        if self.omitted:
            parts.append(f"not taken: {', '.join(sorted(self.omitted))}")
        if self.is_limit_renamed:
            parts.append(f"token limit sent as {self.token_limit}")
        if self.merges_system:
            parts.append("instruction sent at the start of the user message")
        return "; ".join(parts)

    @property
    def api_name(self) -> str:
        """The endpoint in words."""
        return "Responses API" if self.api == "responses" else "chat completions"

    @property
    def token_limit(self) -> str:
        """The name of the setting that limits new tokens."""
        if self.api == "responses":
            return "max_output_tokens"
        name = "max_completion_tokens" if self.is_openai else "max_tokens"
        return other_token_limit(name) if self.is_limit_renamed else name

    def adapted(self, error: RequestRejected) -> "RequestFormat | None":
        """Return the format with what a server's error names renamed, omitted or merged.

        If the error names none of it, all settings are omitted. Returns None if nothing is left to
        change, or if the error is about the JSON schema or the prompt.
        """
        has_schema_word = any(names_setting(error.message, word) for word in _SCHEMA_WORDS)
        if error.is_filtered or (self.has_schema and has_schema_word):
            return None
        if rejects_system(error) and not self.merges_system:
            return replace(self, merges_system=True)
        if rejected_names(error, {self.token_limit}):
            can_rename = self.api == "chat" and not self.is_limit_renamed
            return replace(self, is_limit_renamed=True) if can_rename else None
        sent = self._settings.keys() - self.omitted
        named = {_WORDS[word] for word in rejected_names(error, _WORDS.keys())} & sent
        dropped = named or sent
        return replace(self, omitted=self.omitted | dropped) if dropped else None

    def body(self, model: str, system: str, user: str) -> Body:
        """Return the request body."""
        turns = "input" if self.api == "responses" else "messages"
        messages = chat_turns(system, user, merges_system=self.merges_system)
        body: Body = {"model": model, turns: messages, self.token_limit: self.sampling.max_tokens}
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
            failure=_failure(reply, self.sampling),
            model=reply.model,
            input_tokens=reply.prompt_tokens,
            cached_tokens=reply.cached_tokens,
            output_tokens=reply.completion_tokens,
            request=reply.request_id,
            is_filtered=reply.finish_reason is FinishReason.CONTENT_FILTER,
        )

    @property
    def _settings(self) -> dict[str, Body]:
        """The paper's settings, by the word that a server's error uses for them."""
        temperature: Body = {"temperature": self.sampling.temperature}
        if not self.is_openai:
            settings = {"reasoning": self._reasoning} if self.sends_effort else {}
            if self.sampling.reasoning_effort == "none":
                settings["chat_template_kwargs"] = dict(NO_THINKING_HINT)
            return settings | {"temperature": temperature}
        if self.api == "responses":
            return {
                "verbosity": {"text": {"verbosity": "low"}},
                "reasoning": self._reasoning,
                "store": {"store": False},
                "temperature": temperature,
            }
        return {
            "reasoning": self._reasoning,
            "verbosity": {"verbosity": "low"},
            "temperature": temperature,
        }

    @property
    def _reasoning(self) -> Body:
        effort = self.sampling.reasoning_effort
        if self.api == "responses":
            return {"reasoning": {"effort": effort}}
        return {"reasoning_effort": effort}


def request_formats(
    *, is_openai: bool, sampling: JudgeSampling = PAPER_SAMPLING
) -> tuple[RequestFormat, ...]:
    """Return the formats to try, best first.

    OpenAI gets the paper's endpoint first, the Responses API. Third-party servers get chat
    completions first, where more of them apply a JSON schema: llama.cpp's Responses API accepts a
    schema and ignores it.
    """
    apis: tuple[JudgeApi, ...] = ("responses", "chat") if is_openai else ("chat", "responses")
    efforts = (False,) if is_openai else (False, True)
    if not is_openai and sampling.reasoning_effort != "none":
        efforts = (True,)
    return tuple(
        RequestFormat(api, has_schema, is_openai, sends_effort=sends_effort, sampling=sampling)
        for has_schema in (True, False)
        for api in apis
        for sends_effort in efforts
    )


def _merged_text(body: Body, setting: Body) -> Body:
    """Return the setting with `text`, which also holds the schema, merged into the body's."""
    if "text" not in setting:
        return setting
    return {"text": body.get("text", {}) | setting["text"]}


def _failure(reply: ApiReply, sampling: JudgeSampling) -> str:
    if reply.refusal:
        return f"the judge refused: {one_line(reply.refusal, MAX_QUOTED)}"
    if reply.error:
        return one_line(f"the server reports an error: {reply.error}", MAX_ERROR)
    if reply.finish_reason is FinishReason.CONTENT_FILTER:
        return "the server's content filter truncated the reply"
    if reply.finish_reason is FinishReason.LENGTH:
        return _truncated(reply, sampling)
    return ""


def _truncated(reply: ApiReply, sampling: JudgeSampling) -> str:
    """Return the failure of a truncated reply: how much of it was reasoning, and what helps."""
    is_open = THINK.opens in reply.text and not split_reasoning(reply.text)[0]
    cause = ""
    if reply.reasoning_tokens:
        cause = f", {reply.reasoning_tokens:,} of them reasoning"
    elif is_open or (reply.reasoning and not reply.text):
        cause = ", all of them reasoning"
    remedy = "raise the judge's maximum tokens"
    if cause and sampling.reasoning_effort != "none":
        remedy += " or lower its reasoning effort"
    return (
        f"the reply was truncated at {sampling.max_tokens:,} tokens{cause} "
        f"({reply.server_reason}); {remedy}"
    )
