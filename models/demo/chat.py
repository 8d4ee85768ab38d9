"""The chat format: ChatML as a Jinja template, and the same as plain Python for training."""

END = "<|im_end|>"
CONTROL = ("<|endoftext|>", "<|im_start|>", END)
SPECIAL = (*CONTROL, "<think>", "</think>")

# `enable_thinking` may be passed and changes nothing: this model never thinks.
TEMPLATE = """{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}"""


def chat(system: str, user: str) -> str:
    """Return one turn's prompt, up to where the answer begins."""
    first = f"<|im_start|>system\n{system}{END}\n" if system else ""
    return f"{first}<|im_start|>user\n{user}{END}\n<|im_start|>assistant\n"
