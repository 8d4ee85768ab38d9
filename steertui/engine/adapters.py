"""LoRA adapter files, checked against a model before llama.cpp loads them.

llama.cpp checks some shapes when it loads an adapter. A LoRA on a tied token embedding, or one for
another number of experts, ends the process when it is used.
"""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from steertui.engine.gguf_files import GgufFiles, merged
from steertui.engine.gguf_header import FLOAT32, GgufHeader, GgufTensor
from steertui.errors import ModelError

MAX_VALUE = 1e4
"""Largest absolute value of an adapter's tensors and alpha; trained ones are far smaller."""

EMBEDDING = "token_embd.weight"
OUTPUT = "output.weight"


@dataclass(frozen=True, slots=True)
class AdapterInfo:
    """A checked adapter.

    Attributes:
        path: of the GGUF file.
        rank: largest rank of its matrices.
        alpha: the effect is scale · alpha / rank; 0 for an effect of scale alone.
        targets: names of the model's tensors that it changes.
        ignored: names of its tensors that llama.cpp skips without a message.
    """

    path: Path
    rank: int
    alpha: float
    targets: tuple[str, ...]
    ignored: tuple[str, ...]


def check_adapter(model: Path, file: Path) -> AdapterInfo:
    """Return a description of a LoRA adapter that the model can load.

    Every tensor's name, shape and values are checked, in a child process. Raises ModelError, in one
    sentence, for an adapter that llama.cpp would reject, apply wrongly or crash on.
    """
    with GgufFiles() as files:
        base = merged(files.model_parts(model))
        header = files.header(file)
        _check_metadata(header, base, file)
        pairs, ignored = _pairs(header, file)
        for name, (a, b) in pairs.items():
            _check_pair(name, a, b, base, file)
        names = [f"{name}{end}" for name in pairs for end in (".lora_a", ".lora_b")]
        _check_values(names, files.largest(file, names), file)
    return AdapterInfo(
        path=file,
        rank=max(a.shape[1] for a, _ in pairs.values()),
        alpha=float(header.metadata.get("adapter.lora.alpha", 0.0)),
        targets=tuple(pairs),
        ignored=ignored,
    )


def _check_metadata(header: GgufHeader, base: GgufHeader, file: Path) -> None:
    metadata = header.metadata
    if metadata.get("general.type") != "adapter" or metadata.get("adapter.type") != "lora":
        raise ModelError(f"{file}: not a LoRA adapter; give a GGUF of llama.cpp's LoRA converter")
    if header.architecture != base.architecture:
        raise ModelError(
            f"{file}: made for the architecture {header.architecture or 'unknown'}, and the model "
            f"has {base.architecture}; use an adapter of this model"
        )
    alpha = metadata.get("adapter.lora.alpha", 0.0)
    # llama.cpp aborts if alpha has another type.
    is_float = header.kinds.get("adapter.lora.alpha", FLOAT32) == FLOAT32
    if not is_float or not isfinite(alpha) or abs(alpha) > MAX_VALUE:
        raise ModelError(
            f"{file}: its alpha is {alpha}, not a float32 of at most {MAX_VALUE:g}; convert the "
            "adapter again"
        )
    if "adapter.alora.invocation_tokens" in header.kinds:
        raise ModelError(
            f"{file}: an activated LoRA, which applies only after certain tokens; use a plain LoRA"
        )


def _pairs(
    header: GgufHeader, file: Path
) -> tuple[dict[str, tuple[GgufTensor, GgufTensor]], tuple[str, ...]]:
    """Return the matrices A and B by the model's tensor, and the names that llama.cpp skips."""
    halves: dict[str, dict[str, GgufTensor]] = {}
    ignored = []
    for name, tensor in header.tensors.items():
        target, _, end = name.rpartition(".")
        if end in ("lora_a", "lora_b"):
            halves.setdefault(target, {})[end] = tensor
        elif name.endswith("_norm.weight"):
            ignored.append(name)
        else:
            raise ModelError(f"{file}: tensor {name} belongs to no LoRA; use another adapter")
    if not halves:
        raise ModelError(f"{file}: has no LoRA matrix; use another adapter")
    for target, found in halves.items():
        if len(found) < 2:
            raise ModelError(
                f"{file}: {target} has one of the two LoRA matrices; get the file again"
            )
    pairs = {target: (found["lora_a"], found["lora_b"]) for target, found in halves.items()}
    return pairs, tuple(ignored)


def _check_pair(target: str, a: GgufTensor, b: GgufTensor, base: GgufHeader, file: Path) -> None:
    weight = base.tensors.get(target)
    if weight is None:
        raise ModelError(f"{file}: the model has no tensor {target}; use an adapter of this model")
    if len(weight.shape) < 2:
        raise ModelError(f"{file}: {target} is not a matrix of the model; use another adapter")
    if target == EMBEDDING and OUTPUT not in base.tensors:
        raise ModelError(
            f"{file}: changes {EMBEDDING}, which the model also uses as its output matrix, and "
            "llama.cpp crashes on this; use an adapter without it"
        )
    row, count, *experts = weight.shape
    if target == EMBEDDING:  # llama.cpp expects this pair transposed
        row, count = count, row
    rank = a.shape[1] if len(a.shape) > 1 else 0
    if a.shape != (row, rank, *experts) or b.shape != (rank, count, *experts):
        raise ModelError(
            f"{file}: the matrices of {target} have the shapes {_text(a)} and {_text(b)}, which do "
            f"not fit the model's {_text(weight)}; use an adapter of this model"
        )


def _check_values(names: list[str], largest: list[float], file: Path) -> None:
    for name, value in zip(names, largest, strict=True):
        if not value <= MAX_VALUE:
            raise ModelError(
                f"{file}: tensor {name} has values that are not finite or exceed {MAX_VALUE:g}; "
                "use another adapter"
            )


def _text(tensor: GgufTensor) -> str:
    return "×".join(map(str, tensor.shape))
