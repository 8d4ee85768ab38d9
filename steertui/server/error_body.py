"""Error bodies of servers: message, code and setting, in the forms of the known servers.

OpenAI, Azure, vLLM, llama-server and LiteLLM send `{"error": {"message", "code", "param"}}`; older
vLLM and SGLang the same at the top level; LM Studio, Ollama, TGI and xAI `{"error": "message"}`;
FastAPI and Mistral `{"detail": [{"loc": ["body", "seed"], "msg": "…"}]}`; Gemini an array of one
error; OpenRouter adds the provider's own error as `metadata.raw`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from steertui.untrusted import InvalidJsonError, count, parse_json, table_of, tables_of, text_of

MAX_PARTS = 5
"""Most messages of one error that are read."""

_TITLE = re.compile(r"<title[^<>]{0,200}>([^<>]{1,200})</title>", re.IGNORECASE)

_TEXT_KEYS = ("message", "detail", "msg", "error", "errors", "title")

_FILTER_CODES = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "responsibleaipolicyviolation",
        "data_inspection_failed",
        "moderation_blocked",
    }
)
_FILTER_PHRASES = (
    "content management policy",
    "content filter",
    "contentpolicyviolation",
    "content exists risk",
    "violates usage guidelines",
    "requires moderation",
)


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """An error as a server words it.

    Attributes:
        message: its text, with that of the provider behind a gateway; "" if it has none.
        code: its code or type; "" if it has none.
        parameter: the setting that it names in a field of its own; "" if none.
        status: HTTP status that it gives as its code; 0 if none.
        is_filtered: whether a content filter refused the prompt.
    """

    message: str
    code: str = ""
    parameter: str = ""
    status: int = 0
    is_filtered: bool = False


def read_error(data: object) -> ErrorBody | None:
    """Return the error in the JSON of a reply; None if there is none."""
    if isinstance(data, list):
        data = data[0] if data else None
    body = table_of(data)
    error = body.get("error") or (body if _is_bare_error(body) else None)
    if not error:
        return _filtered_completion(body)
    table = table_of(error)
    metadata = table_of(table.get("metadata"))
    message = _join([_text(error), _provider_text(metadata.get("raw"))])
    inner = table_of(table.get("innererror") or table.get("inner_error"))
    codes = [text_of(source.get("code")) for source in (table, inner, body)]
    codes.append(text_of(table.get("type")))
    status = next((number for number in map(count, codes) if 400 <= number < 600), 0)
    names = [code for code in codes if code and not count(code)]
    return ErrorBody(
        message=message,
        code=names[0] if names else "",
        parameter=_parameter(error),
        status=status,
        is_filtered=_is_filtered(names, message) or bool(metadata.get("reasons")),
    )


def _filtered_completion(body: dict[str, object]) -> ErrorBody | None:
    """Return the error of an answer that was filtered; Azure AI Foundry sends it with status 400.

    None if the body is not such an answer.
    """
    choice = next(iter(tables_of(body.get("choices"))), {})
    if choice.get("finish_reason") != "content_filter":
        return None
    results = table_of(choice.get("content_filter_results"))
    message = _text(results.get("error")) or "the content filter refused the answer"
    return ErrorBody(message, "content_filter", is_filtered=True)


def names_setting(message: str, name: str) -> bool:
    """Whether a message has the name of a setting as a word, also in the camel case of xAI."""
    camel = re.sub(r"_(\w)", lambda match: match[1].upper(), name)
    return any(re.search(rf"(?<!\w){re.escape(form)}(?!\w)", message) for form in {name, camel})


def text_of_page(text: str) -> str:
    """Return the title of an HTML page, such as that of a proxy; any other text unchanged."""
    title = _TITLE.search(text) if text.lstrip().startswith("<") else None
    return f"a web page with the title {title[1].strip()}" if title else text


def _is_bare_error(body: dict[str, object]) -> bool:
    has_answer = any(key in body for key in ("choices", "output", "data", "id"))
    return not has_answer and any(key in body for key in ("message", "detail", "errors"))


def _text(value: object) -> str:
    """Return the first message in a value: text, or the text of an object or of an array."""
    if isinstance(value, dict):
        texts = (_text(value[key]) for key in _TEXT_KEYS if key in value)
        return next((text for text in texts if text), "")
    if isinstance(value, list):
        return _join(_text(item) for item in value[:MAX_PARTS])
    return text_of(value)


def _provider_text(raw: object) -> str:
    """Return the message of the provider behind a gateway, which is JSON or text."""
    try:
        data = parse_json(raw) if isinstance(raw, str) else raw
    except InvalidJsonError:
        return text_of(raw)
    error = read_error(data)
    return error.message if error else _text(data)


def _parameter(value: object) -> str:
    """Return the setting in `param`, or at the end of FastAPI's `loc`, of the first error."""
    if isinstance(value, list):
        return next(filter(None, map(_parameter, value[:MAX_PARTS])), "")
    table = table_of(value)
    place = table.get("loc")
    if isinstance(place, list) and place:
        return text_of(place[-1])
    nested = (_parameter(table[key]) for key in ("detail", "message", "error") if key in table)
    return text_of(table.get("param")) or next(filter(None, nested), "")


def _is_filtered(codes: Iterable[str], message: str) -> bool:
    text = message.lower()
    is_code = any(code.lower() in _FILTER_CODES for code in codes)
    return is_code or any(phrase in text for phrase in _FILTER_PHRASES)


def _join(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))
