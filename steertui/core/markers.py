"""Chat markers of known model families: texts that a server may parse as control tokens."""

import re

_TAGS = (
    # Llama 2, Mistral, Gemma, and sentence marks of most tokenisers
    "SYS|s|bos|eos|pad|unk|cls|sep|mask|start_of_turn|end_of_turn|start_of_image|end_of_image|"
    "image_soft_token|start_function_call|end_function_call|start_function_response|"
    "end_function_response|start_function_declaration|end_function_declaration|"
    # GLM, InternLM, Ling, SmolVLM
    "sop|eop|eoh|eoa|eom|eot|eod|EOD|EOT|CLS|SEP|role|end_of_utterance|"
    # Qwen, GLM and MiniMax: tools; llama.cpp: media
    "tool_call|tool_response|tool_calls|tool_responses|arg_key|arg_value|minimax:tool_call|"
    "__media__|__image__|image"
)

_BRACKETS = (
    # Mistral
    "INST|SYSTEM_PROMPT|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CONTENT|MODEL_SETTINGS|ARGS|"
    "CALL_ID|THINK|IMG|IMG_BREAK|IMG_END|AUDIO|BEGIN_AUDIO|TRANSCRIBE|PREFIX|MIDDLE|SUFFIX|"
    # GLM, and sentence marks
    "gMASK|sMASK|MASK|CLS|SEP|PAD|UNK|BOS|EOS"
)

_MARKER = re.compile(
    r"<\|[^|<>]{1,64}\|>"  # <|im_start|>: Qwen, Llama 3, Phi, Granite, gpt-oss, Command R
    r"|</?\|[\w:.-]{1,64}>|</?[\w:.-]{1,64}\|>"  # <|turn>, <turn|>: Gemma 4
    r"|</?｜[^<>]{1,66}>|<[^<>｜]{1,64}｜>"  # <｜User｜>: DeepSeek, Hunyuan
    r"|\[\|[^|\]]{1,64}\|\]"  # [|user|]: EXAONE
    r"|</?(?:\w{1,20}_)?think(?:ing|_\w{1,20})?>|</?thought>"
    r"|</?seed:[\w:]{1,40}>"  # Seed-OSS
    r"|<(?:extra_id|SPECIAL|reserved|TOKENS_UNUSED|unused)_?\d{1,6}>|\[unused\d{1,6}\]"
    r"|<[A-Z]{2,4}_TOKEN>"  # Command R
    rf"|</?(?:{_TAGS})>"
    rf"|\[/?(?:{_BRACKETS})\]"
)

MINIMAX = re.compile(r"\]~!?b(?=[\[\]])|\[e~(?=\[)")
"""Markers of MiniMax: `]~b]`, `]~!b[`, `[e~[`."""


def is_marker(text: str) -> bool:
    """Whether the text, brackets included, is a chat marker of a known model family."""
    return bool(_MARKER.fullmatch(text))
