"""Length of a GGUF's header: found in the beginning of a file, never beyond its bytes."""

import random
import struct

import pytest
from gguf import GGUFReader

from steertui.assets.gguf_header import header_length
from steertui.core.model import demo_path


def test_the_header_ends_where_the_tensors_data_begins() -> None:
    content = demo_path().read_bytes()
    length = header_length(content)
    assert length
    reader = GGUFReader(demo_path())
    first = min(tensor.data_offset for tensor in reader.tensors)
    assert first - reader.alignment < length <= first
    assert header_length(content[:length]) == length
    for cut in random.Random(1).sample(range(length), 200):
        assert header_length(content[:cut]) is None


@pytest.mark.parametrize("content", [b"PK\3\4" + bytes(40), b"GGUF" + bytes(40)])
def test_another_file_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a GGUF"):
        header_length(content)


def test_counts_beyond_the_file_end_at_its_last_byte() -> None:
    start = struct.pack("<4sIQQ", b"GGUF", 3, 2**63, 2**63)
    assert header_length(start) is None
    key = struct.pack("<Q", 1) + b"k"
    assert header_length(start + key + struct.pack("<IIQ", 9, 8, 2**63)) is None
    with pytest.raises(ValueError, match="unknown type"):
        header_length(start + key + struct.pack("<IIQ", 9, 9, 2**63))
    with pytest.raises(ValueError, match="unknown type"):
        header_length(start + key + struct.pack("<I", 99))
