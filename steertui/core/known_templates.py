"""Chat templates of known formats for one turn, by the names that llama.cpp gives them."""

from collections.abc import Mapping
from types import MappingProxyType


def _by_role(turn: str, reply: str, start: str = "") -> str:
    """Return a template that writes `start`, each message as `turn`, and `reply`."""
    return f"{start}{{% for m in messages %}}{turn}{{% endfor %}}{reply}"


def _in_user_turn(before: str, after: str, content: str = "m.content") -> str:
    """Return a template that writes the system text and an empty line in the user turn."""
    turn = f"{{{{ {content} }}}}{{{{ '\\n\\n' if m.role == 'system' }}}}"
    return _by_role(turn, after, start=f"{{{{ bos_token }}}}{before}")


def _mistral_v7(space: str) -> str:
    """Return a template of Mistral's version 7; `space` follows an opening mark."""
    mark = "{% set mark = 'SYSTEM_PROMPT' if m.role == 'system' else 'INST' %}"
    turn = f"{{{{ '[' ~ mark ~ ']{space}' ~ m.content ~ '[/' ~ mark ~ ']' }}}}"
    return _by_role(mark + turn, "", start="{{ bos_token }}")


KNOWN_TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        "chatml": _by_role(
            "{{ '<|im_start|>' ~ m.role ~ '\\n' ~ m.content ~ '<|im_end|>\\n' }}",
            "{{ '<|im_start|>assistant\\n' }}",
        ),
        "gemma": _in_user_turn(
            "{{ '<start_of_turn>user\\n' }}",
            "{{ '<end_of_turn>\\n<start_of_turn>model\\n' }}",
            "m.content | trim",
        ),
        "llama3": _by_role(
            "{{ '<|start_header_id|>' ~ m.role ~ '<|end_header_id|>\\n\\n' }}"
            "{{ m.content | trim ~ '<|eot_id|>' }}",
            "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}",
            start="{{ bos_token }}",
        ),
        "mistral-v1": _in_user_turn(" [INST] ", " [/INST]"),
        "mistral-v3": _in_user_turn("[INST] ", "[/INST]"),
        "mistral-v3-tekken": _in_user_turn("[INST]", "[/INST]"),
        "mistral-v7": _mistral_v7(" "),
        "mistral-v7-tekken": _mistral_v7(""),
        "phi3": _by_role(
            "{{ '<|' ~ m.role ~ '|>\\n' ~ m.content ~ '<|end|>\\n' }}", "{{ '<|assistant|>\\n' }}"
        ),
        "phi4": _by_role(
            "{{ '<|im_start|>' ~ m.role ~ '<|im_sep|>' ~ m.content ~ '<|im_end|>' }}",
            "<|im_start|>assistant<|im_sep|>",
        ),
        "vicuna": _by_role(
            "{{ 'USER: ' ~ m.content ~ '\\n' if m.role == 'user' else m.content ~ '\\n\\n' }}",
            "ASSISTANT:",
            start="{{ bos_token }}",
        ),
    }
)
"""Template by name; each writes the beginning-of-sequence token if the models' own template does.
"""


def is_template_file(choice: str) -> bool:
    """Whether a value of `Experiment.template` names a file and not a known template."""
    return any(character in choice for character in "./\\~")
