"""Requests for a model's answers and the answers in a server's replies."""

from dataclasses import dataclass
from typing import Any, Literal

from steertui.core.generation import SamplingParams, StopReason
from steertui.core.prompt import ChatMessages, PromptContent
from steertui.core.reasoning import THINK
from steertui.server.probe import ServerInfo
from steertui.server.protocol import (
    NO_REASONING_EFFORT,
    NO_THINKING_HINT,
    PATHS,
    Body,
    chat_turns,
    sampling_settings,
)
from steertui.server.reply import ApiReply, FinishReason, InvalidReply, parse_reply

PromptMode = Literal["prompt", "messages"]
"""What a server gets: a prompt that we rendered, or chat messages that the server renders."""


MAX_TOKEN = 1024
"""Most characters of one token; the longest tokens of known vocabularies are runs of spaces."""

MAX_OVERHEAD = 4096
"""Characters of an answer beside its tokens: reasoning marks, a refusal in words."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A server's answer to one prompt. Token counts are the server's; 0 if it reports none.

    Attributes:
        text: the whole output, reasoning between `<think>` marks.
        stop: why it ended.
        model: the server's name for the model.
        fingerprint: `system_fingerprint`, which identifies the server's configuration.
        request: the server's id of the request.
    """

    text: str
    stop: StopReason
    prompt_tokens: int = 0
    tokens: int = 0
    model: str = ""
    fingerprint: str = ""
    request: str = ""


def request_path(content: PromptContent) -> str:
    """Return the path that an answer is requested from, below the base URL."""
    return PATHS["chat" if isinstance(content, ChatMessages) else "completions"]


def chat_messages(system: str, user: str, *, thinking: bool, info: ServerInfo) -> ChatMessages:
    """Return the chat messages of one user message, in the form that the server accepts.

    `thinking=False` turns thinking off, by the setting that this kind of server knows.
    """
    switch = NO_REASONING_EFFORT if info.kind == "Ollama" else NO_THINKING_HINT
    turns = chat_turns(system, user, merges_system=info.merges_system)
    return ChatMessages(tuple(turns), {} if thinking else switch)


def completion_request(
    info: ServerInfo, content: PromptContent, sampling: SamplingParams, *, seed: int
) -> Body:
    """Return the request body for a prompt.

    Raises ServerError for sampling settings that the server does not support.
    """
    body: Body = {"model": info.id, **sampling_settings(info, sampling, seed)}
    if isinstance(content, ChatMessages):
        return body | content.body
    text = content.text
    if info.adds_bos and info.bos:
        text = text.removeprefix(info.bos)  # the server adds it again
    return body | {"prompt": text}


def parse_completion(data: Any, max_tokens: int) -> Completion:
    """Return the answer in a server's JSON.

    Raises InvalidReply if there is none, or if it is longer than `max_tokens` tokens can be.
    """
    reply = parse_reply("chat", data)
    if reply.error:
        raise InvalidReply(reply.error, retryable=True)
    if reply.finish_reason is FinishReason.CONTENT_FILTER:
        raise InvalidReply("the server's content filter truncated the answer", retryable=False)
    if reply.finish_reason is FinishReason.OTHER:
        raise InvalidReply(
            f"the server ended the answer with an unknown finish reason ({reply.server_reason})",
            retryable=True,
        )
    is_truncated = reply.finish_reason is FinishReason.LENGTH
    text = _with_reasoning(reply, is_truncated=is_truncated)
    if len(text) > MAX_OVERHEAD + MAX_TOKEN * max_tokens:
        raise InvalidReply(
            f"the answer has {len(text):,} characters, too many for {max_tokens:,} tokens",
            retryable=False,
        )
    return Completion(
        text=text,
        stop=StopReason.LENGTH if is_truncated else StopReason.STOP,
        prompt_tokens=reply.prompt_tokens,
        tokens=reply.completion_tokens,
        model=reply.model,
        fingerprint=reply.fingerprint,
        request=reply.request_id,
    )


def _with_reasoning(reply: ApiReply, *, is_truncated: bool) -> str:
    if reply.refusal:
        return reply.refusal  # an answer in words, which a judge labels
    if not reply.reasoning:
        return reply.text
    opened = f"{THINK.opens}\n{reply.reasoning}"
    if is_truncated and not reply.text:
        return opened
    return f"{opened}\n{THINK.closes}\n\n{reply.text}"
