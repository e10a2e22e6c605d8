"""general-block-transfer as an APDU; what is done with it is tested in tests/dlms/transfer."""

from __future__ import annotations

import pytest

from dlms.errors import CodecError
from dlms.xdlms import general_block, registry
from dlms.xdlms.general_block import HEAD, GeneralBlock

BLOCK = GeneralBlock(False, False, 1, 1, 0, b"data")


@pytest.mark.parametrize("control", range(256))
def test_block_control(control: int) -> None:
    octets = bytes((0xE0, control, 0x12, 0x34, 0x56, 0x78, 1, 0xAA))
    block = registry.decode(octets)
    assert block == GeneralBlock(
        control >= 128, control % 128 >= 64, control % 64, 0x1234, 0x5678, b"\xaa"
    )
    assert block.encode() == octets


def test_head() -> None:
    assert len(BLOCK.encode()) == HEAD + 1 + len(BLOCK.data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 64},
        {"window": -1},
        {"number": 65536},
        {"number": -1},
        {"acknowledged": 65536},
        {"acknowledged": -1},
    ],
    ids=str,
)
def test_what_cannot_be_encoded(wrong: dict[str, int]) -> None:
    with pytest.raises(CodecError):
        BLOCK._replace(**wrong).encode()


def test_refused() -> None:
    whole = BLOCK.encode()
    for cut in range(1, len(whole)):
        with pytest.raises(CodecError):
            general_block.decode(whole[:cut])
    with pytest.raises(CodecError) as caught:
        general_block.decode(whole + b"\0")
    assert caught.value.offset == len(whole)
