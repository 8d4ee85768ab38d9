"""Names of GGUF files on the Hugging Face hub, and the parts of split files."""

import re
from dataclasses import dataclass

from steertui.paths import expand_home, is_file

DEFAULT_QUANTS = ("Q4_K_M", "Q8_0")
"""Quantisations that a name without one selects, in order of preference, as in llama.cpp."""

_HUB = re.compile(
    r"(?:(?:https://)?(?:huggingface\.co|hf\.co)/)?"
    r"(?P<repo>[\w.-]+/[\w.-]+?)(?:@(?P<revision>[\w.-]+))?"
    r"(?:/(?:(?:resolve|blob)/(?P<branch>[\w.-]+)/)?(?P<file>[^:?]+\.gguf)(?:\?.*)?"
    r"|:(?P<quant>[\w.-]+))?",
    re.IGNORECASE,
)
_PART = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HubName:
    """A GGUF on the hub: owner/repo[@revision][:QUANT] or owner/repo[@revision]/file.gguf.

    Attributes:
        repo: "owner/repo".
        quant: quantisation as in llama.cpp's -hf, "" for the default.
        file: path in the repository, "" if the quantisation selects the file.
        revision: commit, branch or tag; "" for main.
    """

    repo: str
    quant: str = ""
    file: str = ""
    revision: str = ""

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        quant = f":{self.quant}" if self.quant else ""
        return f"{self.repo}{revision}{f'/{self.file}' if self.file else quant}"


def parse_hub_name(name: str) -> HubName | None:
    """Return the hub name in a text, or None for the path of a file.

    An existing file takes precedence over the hub, as does any text that can only be a path.
    """
    path = expand_home(name)
    match = _HUB.fullmatch(name)
    if match is None or is_file(path) or name.startswith((".", "~", "/")):
        return None
    if match["file"] is None and match["quant"] is None and name.lower().endswith(".gguf"):
        return None
    return HubName(
        repo=match["repo"],
        quant=match["quant"] or "",
        file=match["file"] or "",
        revision=match["revision"] or match["branch"] or "",
    )


def split_parts(path: str) -> tuple[str, ...]:
    """Return the paths of all parts of a split model from any of them; else the path itself."""
    part = _PART.match(path)
    if part is None:
        return (path,)
    numbers = range(1, int(part["count"]) + 1)
    return tuple(f"{part['stem']}-{n:05d}-of-{part['count']}.gguf" for n in numbers)


def part_number(path: str) -> int | None:
    """Return the number of a part of a split model, from 1; None for a single file."""
    part = _PART.match(path)
    return int(part["number"]) if part else None
