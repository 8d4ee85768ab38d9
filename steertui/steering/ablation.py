"""Directional ablation as a LoRA adapter of rank 1, for quantised weights.

For every matrix W that writes into the residual stream, the adapter with A = rᵀW and B = −r changes
Wx to Wx − r(rᵀWx) at scale 1: nothing is written along the unit direction r (Arditi et al. 2024,
arXiv 2406.11717). The scale is the dose: 0 changes nothing, 1 removes the component, 2 reflects it.
The token embedding and the biases are not changed, so their part of the component remains.
"""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steertui.engine.gguf_files import GgufFiles, merged
from steertui.engine.gguf_header import GgufHeader
from steertui.errors import ModelError
from steertui.steering.vector import Provenance, SteeringVector
from steertui.steering.vector_file import OWN, add_provenance

WRITERS = ("attn_output.weight", "ffn_down.weight")
"""Tensors of a block that write into the residual stream."""

OTHER_WRITERS = ("_exps.weight", "_shexp.weight", "ssm_out.weight", "shortconv.out_proj.weight")
"""Ends of the names of tensors that write into it, too, and that the adapter does not cover."""

NORM_AFTER = frozenset(
    {"gemma2", "gemma3", "gemma3n", "gemma4", "olmo2", "olmo3", "glm4", "exaone4"}
)
"""Architectures that normalise after a writer, where a change of its weights is not an ablation."""

NORM_TENSOR = "post_ffw_norm.weight"
"""End of the name of a norm after a writer, in architectures that are not listed."""

LAYER_KEY = f"{OWN}.layer"
"""Key of the layer whose direction an adapter removes."""

TENSORS_PER_CHILD = 4
"""Weight matrices that one child process reads, within its CPU time limit."""


def ablation_adapter(model: Path, vector: SteeringVector, layer: int) -> bytes:
    """Return the bytes of a GGUF adapter that removes one direction from every block.

    Args:
        model: GGUF file of the model.
        vector: its direction at `layer` is removed, whatever the block.
        layer: a layer of the vector.

    Raises:
        ModelError: the vector has no direction there, or the model's blocks are of a kind for which
            the adapter would not be an ablation.
    """
    vector.require_directions((layer,))
    with GgufFiles() as files:
        parts = files.model_parts(model)
    header = merged(parts)
    _check_blocks(header, model)
    row = vector.directions[layer].astype(np.float64)
    direction = (row / np.linalg.norm(row)).astype(np.float32)
    if len(direction) != header.width:
        raise ModelError(
            f"{model}: its hidden states have {header.width} values, and the direction has "
            f"{len(direction)}; use a vector of this model"
        )
    projections: dict[str, NDArray[np.float32]] = {}
    for path, part in parts.items():
        projections |= _projections(path, part, direction)
    return _encode(header.architecture, direction, projections, vector.provenance, layer=layer)


def _check_blocks(header: GgufHeader, model: Path) -> None:
    """Raise ModelError unless every block has the two writers and no norm after them."""
    has_norm = any(name.endswith(NORM_TENSOR) for name in header.tensors)
    if header.architecture in NORM_AFTER or has_norm:
        raise ModelError(
            f"{model}: {header.architecture} normalises after the matrices that write into the "
            "residual stream, so that an adapter cannot remove a direction; use a vector instead"
        )
    other = next((name for name in header.tensors if name.endswith(OTHER_WRITERS)), "")
    if other:
        raise ModelError(
            f"{model}: {other} also writes into the residual stream, and ablation does not cover "
            "experts and recurrent layers; use a vector instead"
        )
    for block in range(header.layers):
        for writer in WRITERS:
            if f"blk.{block}.{writer}" not in header.tensors:
                raise ModelError(
                    f"{model}: block {block} has no {writer}, so that not every write into the "
                    "residual stream is known; use a vector instead"
                )


def _projections(
    path: Path, header: GgufHeader, direction: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    """Return rᵀW by the name of each writer in one file."""
    names = [name for name in header.tensors if name.endswith(WRITERS)]
    found: dict[str, NDArray[np.float32]] = {}
    for at in range(0, len(names), TENSORS_PER_CHILD):
        chunk = names[at : at + TENSORS_PER_CHILD]
        with GgufFiles() as files:
            found |= zip(chunk, files.projections(path, chunk, direction), strict=True)
    return found


def layer_of(header: GgufHeader) -> int:
    """Return the layer whose direction an adapter removes; 0 if it is another adapter."""
    layer = header.metadata.get(LAYER_KEY)
    return layer if isinstance(layer, int) else 0


def _encode(
    architecture: str,
    direction: NDArray[np.float32],
    projections: dict[str, NDArray[np.float32]],
    origin: Provenance,
    *,
    layer: int,
) -> bytes:
    from gguf import GGUFWriter

    with tempfile.TemporaryDirectory(prefix="steertui-") as folder:
        path = Path(folder) / "ablation.gguf"
        writer = GGUFWriter(path, architecture)
        writer.add_string("general.type", "adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", 1.0)
        writer.add_uint32(LAYER_KEY, layer)
        add_provenance(writer, origin)
        for name, projection in projections.items():
            # llama.cpp computes W x + scale · B (A x), with A of shape (1, inputs).
            writer.add_tensor(f"{name}.lora_a", projection[None, :])
            writer.add_tensor(f"{name}.lora_b", -direction[:, None])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()
