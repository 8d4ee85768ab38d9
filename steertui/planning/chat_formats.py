"""Chat formats of models: the template that renders their prompts, and where it comes from."""

from collections.abc import Iterator, Sequence

from steertui.core.known_templates import KNOWN_TEMPLATES, is_template_file
from steertui.core.prompt import ChatFormat, Prompt
from steertui.engine.vocabulary import DEFAULT_TEMPLATE, Vocabulary
from steertui.errors import ModelError
from steertui.paths import expand_home
from steertui.toml_files import MAX_BYTES, read_text


def read_template(choice: str, own: Sequence[str] = ()) -> str:
    """Return the text of a chat template: of a known format, or of a Jinja file; "" for "".

    `own` are further names, for the message. Raises ModelError for an unknown name, and if the
    file cannot be read.
    """
    if is_template_file(choice):
        return read_text(expand_home(choice), ModelError, most=MAX_BYTES)
    if choice and choice not in KNOWN_TEMPLATES:
        raise ModelError(
            f"chat template {choice}: does not exist; give one of "
            f"{', '.join([*own, *KNOWN_TEMPLATES])}, or a Jinja file as ./{choice}"
        )
    return KNOWN_TEMPLATES.get(choice, "")


def chat_format(gguf: Vocabulary, name: str, choice: str = "") -> ChatFormat:
    """Return the chat format of a GGUF.

    Args:
        gguf: the GGUF.
        name: the model's name, for messages.
        choice: the name of one of the GGUF's templates, a known format, or a Jinja file; "" for
            the GGUF's default template.

    Raises ModelError if there is no such template.
    """
    own = gguf.chat_templates
    if not choice and own and DEFAULT_TEMPLATE not in own:
        raise ModelError(
            f"{name}: has the chat templates {', '.join(own)} and no default one; choose "
            "one as chat template"
        )
    named = "" if is_template_file(choice) else own.get(choice or DEFAULT_TEMPLATE)
    template = named or read_template(choice, [*own])
    return ChatFormat(
        gguf.sandbox, template, gguf.special_tokens, model=name, control=gguf.control_texts
    )


def format_notes(
    gguf: Vocabulary, chat: ChatFormat, prompts: Sequence[Prompt] = (), choice: str = ""
) -> tuple[str, ...]:
    """Return what a user must know of a GGUF's prompts, each a sentence without a full stop.

    `prompts` are those of a model that answers; none are given for a judge.
    """
    return (*_load_notes(gguf), *_choice_notes(gguf, choice), *chat.notes(prompts))


def _load_notes(gguf: Vocabulary) -> Iterator[str]:
    if gguf.warnings:
        yield f"llama.cpp warns of this file: {'; '.join(gguf.warnings)}"


def _choice_notes(gguf: Vocabulary, choice: str) -> Iterator[str]:
    own = gguf.chat_templates
    if len(own) > 1:
        yield f"The GGUF has the chat templates {', '.join(own)}"
    if (choice in own and not is_template_file(choice)) or (len(own) > 1 and not choice):
        yield f"Prompts are rendered by its chat template {choice or DEFAULT_TEMPLATE}"
    elif choice:
        yield f"Prompts are rendered by the chat template {choice} instead of the GGUF's own"
