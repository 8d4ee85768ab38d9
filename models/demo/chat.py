"""Chat format: ChatML as a Jinja template, and the same in Python for training."""

END = "<|im_end|>"
CONTROL = ("<|endoftext|>", "<|im_start|>", END)
SPECIAL = (*CONTROL, "<think>", "</think>")

# `enable_thinking` is accepted and has no effect: this model never thinks.
TEMPLATE = """{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}"""


def chat(system: str, user: str) -> str:
    """Return the prompt of one turn up to the start of the answer."""
    first = f"<|im_start|>system\n{system}{END}\n" if system else ""
    return f"{first}<|im_start|>user\n{user}{END}\n<|im_start|>assistant\n"
