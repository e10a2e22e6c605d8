"""What comes in blocks put together: long services, and general block transfer of any APDU."""

from __future__ import annotations

from typing import Any

from dlms.errors import CodecError
from dlms.transfer.contents import (
    ActionContents,
    whole_action_response,
    whole_get_response,
    whole_request,
)
from dlms.xdlms import registry
from dlms.xdlms.action import (
    ActionRequestBlock,
    ActionRequestFirstBlock,
    ActionRequestWithListFirstBlock,
    ActionResponseBlock,
)
from dlms.xdlms.general_block import GeneralBlock
from dlms.xdlms.get import GetResponseBlock
from dlms.xdlms.set import SetRequestBlock, SetRequestFirstBlock, SetRequestWithListFirstBlock
from emulator.decoding.association import Association

_FIRST = (
    SetRequestFirstBlock,
    SetRequestWithListFirstBlock,
    ActionRequestFirstBlock,
    ActionRequestWithListFirstBlock,
)


def assembled(association: Association, apdu: bytes, forward: bool | None) -> tuple[bytes, str]:
    """The whole APDU, once ``apdu`` is its last block, and how many they were. Before that nothing.

    :class:`CodecError` if the pieces make nothing.
    """
    try:
        value = registry.decode(apdu)
    except CodecError:
        return b"", ""
    if isinstance(value, GeneralBlock):
        return _general(association, value, forward)
    return _service(association, value)


def _general(
    association: Association, value: GeneralBlock, forward: bool | None
) -> tuple[bytes, str]:
    numbered = association.first.setdefault(("general", forward), {})
    if not value.data and not value.last:
        return b"", ""  # an acknowledgement
    if value.number == 1:
        numbered.clear()
    numbered[value.number] = value
    last = next((number for number, one in numbered.items() if one.last), None)
    if last is None or any(number not in numbered for number in range(1, last + 1)):
        return b"", ""
    whole = b"".join(numbered[number].data for number in range(1, last + 1))
    numbered.clear()
    return whole, f"put together from {last} general blocks"


def _service(association: Association, value: Any) -> tuple[bytes, str]:
    key: tuple[str, int]
    block: Any
    if isinstance(value, _FIRST):
        key = ("request", value.invoke & 0x0F)
        association.first[key] = value
        association.pieces[key] = []
        block = value.block
    elif isinstance(value, (SetRequestBlock, ActionRequestBlock)):
        key, block = ("request", value.invoke & 0x0F), value.block
    elif isinstance(value, ActionResponseBlock):
        key, block = ("response", value.invoke & 0x0F), value.block
    elif isinstance(value, GetResponseBlock) and isinstance(value.result, bytes):
        key, block = ("response", value.invoke & 0x0F), value
    else:
        return b"", ""
    pieces = association.pieces.setdefault(key, [])
    if block.number == 1:
        pieces.clear()
    pieces.append(value.result if block is value else block.raw)
    if not block.last:
        return b"", ""
    raw = b"".join(pieces)
    said = f"put together from {len(pieces)} blocks"
    pieces.clear()
    if key[0] == "request":
        first = association.first.pop(key, None)
        return (b"", "") if first is None else (whole_request(first, raw).encode(), said)
    return _response(association, value, raw), said


def _response(association: Association, value: Any, raw: bytes) -> bytes:
    tag = 0xC0 if isinstance(value, GetResponseBlock) else 0xC3
    asked = association.long.get((tag, value.invoke & 0x0F))
    if asked is None:
        raise CodecError("the request was not seen, so that what they make is not known")
    if tag == 0xC0:
        return whole_get_response(asked.value, value.invoke, raw).encode()
    try:
        contents = ActionContents.RESPONSE
        return whole_action_response(asked.value, value.invoke, raw, contents).encode()
    except CodecError:
        contents = ActionContents.DATA
        return whole_action_response(asked.value, value.invoke, raw, contents).encode()
