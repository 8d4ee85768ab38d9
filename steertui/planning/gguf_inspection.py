"""Description of a received GGUF file: a model, a control vector or a LoRA adapter."""

from collections.abc import Iterator
from contextlib import closing
from hashlib import file_digest
from pathlib import Path

from steertui.engine.gguf_files import GgufFiles
from steertui.engine.gguf_header import GgufHeader
from steertui.engine.vocabulary import Vocabulary
from steertui.steering.ablation import layer_of
from steertui.steering.vector import Provenance
from steertui.steering.vector_file import ARCHITECTURE, Convention, convention_of, provenance_of
from steertui.units import quantity, size_text


def gguf_lines(path: Path) -> Iterator[str]:
    """Yield lines on a GGUF file; raises ModelError if it cannot be read."""
    with GgufFiles() as files:
        header = files.header(path)
    if header.architecture == ARCHITECTURE:
        yield from _head(path, "control vector")
        yield from _vector(header, path)
    elif is_adapter(header):
        yield from _head(path, "adapter")
        yield from _adapter(header, path)
    else:
        yield from _head(path, "GGUF file")
        yield from _model(path)


def _head(path: Path, kind: str) -> Iterator[str]:
    with path.open("rb") as file:
        yield f"{path}: {kind}, {size_text(path.stat().st_size)}"
        yield f"  sha256: {file_digest(file, 'sha256').hexdigest()}"


def _vector(header: GgufHeader, path: Path) -> Iterator[str]:
    origin = provenance_of(header, path)
    yield f"  made for the architecture: {header.metadata.get(f'{ARCHITECTURE}.model_hint', '')}"
    yield f"  directions: {', '.join(header.tensors)}"
    is_previous = convention_of(header) is Convention.PREVIOUS
    yield f"  direction.N was measured at block {'N − 1' if is_previous else 'N'}"
    yield from _origin(origin)


def _origin(origin: Provenance) -> Iterator[str]:
    yield f"  method: {origin.method}"
    if origin.model_sha256:
        yield f"  model: {origin.model_name}, sha256 {origin.model_sha256}"
    if origin.positive:
        yield f"  contrast: {origin.positive} − {origin.negative}"
    if origin.pairs:
        yield f"  trained on {quantity(origin.pairs, 'pair')}"
    if origin.scenarios:
        yield f"  training scenarios: {', '.join(origin.scenarios)}"


def is_adapter(header: GgufHeader) -> bool:
    """Whether a file is an adapter, by its keys."""
    return header.metadata.get("general.type") == "adapter"


def _adapter(header: GgufHeader, path: Path) -> Iterator[str]:
    targets = {name.rpartition(".")[0] for name in header.tensors}
    ranks = sorted({t.shape[1] for n, t in header.tensors.items() if n.endswith(".lora_a")})
    yield f"  kind: {header.metadata.get('adapter.type', 'unknown')}"
    yield f"  made for the architecture: {header.architecture or 'none'}"
    yield f"  alpha: {header.metadata.get('adapter.lora.alpha', 'none')}"
    yield f"  rank: {', '.join(map(str, ranks)) or 'none'}"
    yield f"  changes {quantity(len(targets), 'tensor')} of the model"
    layer = layer_of(header)
    if layer:
        yield f"  removes the direction of layer {layer} of a vector:"
        yield from _origin(provenance_of(header, path))


def _model(path: Path) -> Iterator[str]:
    with closing(Vocabulary(path)) as gguf:
        yield f"  name: {gguf.meta('general.name') or 'none'}"
        yield f"  architecture: {gguf.meta('general.architecture') or 'none'}"
        yield f"  description: {gguf.description or 'none'}"
        yield f"  parameters: {gguf.parameters:,}"
        yield f"  context: {gguf.context_trained:,} tokens"
        templates = gguf.chat_templates
        yield f"  chat templates: {', '.join(map(_template_text, templates.items())) or 'none'}"
        yield f"  control tokens: {len(gguf.control_texts):,}"
        yield from (f"  llama.cpp warns: {warning}" for warning in gguf.warnings)
        yield "  metadata and vocabulary are readable; the weights were not loaded"


def _template_text(template: tuple[str, str]) -> str:
    """Return a template's name and length."""
    name, text = template
    return f"{name} ({len(text):,} characters)"
