"""Variable-Access-Specification: what a service of short names is about (GB Ed. 8, 9.3.13 to
9.3.17 and 9.5; IEC 61334-4-41).

The choices are 2 variable-name, 4 parameterized-access, 5 block-number-access,
6 read-data-block-access, 7 write-data-block-access; 3 (detailed-access) is not used in COSEM. Which
of them a service knows is said by the table of its parameters. Block numbers have 16 bits here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from dlms.axdr import Data, read_data, write_data
from dlms.errors import CodecError
from dlms.octets import Reader, encode_octet_string
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import encode_count, read_count, unknown_choice

_FIELD = "variable-access-specification"
_BLOCK_NUMBER = "block-number"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableName:
    """An attribute or method by its short name. An Integer16 in the ASN.1, and written and counted
    by everybody as unsigned (FA00 is the current association)."""

    name: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterizedAccess:
    """A part of an attribute, or a method with its parameter."""

    name: int
    selector: int
    parameter: Data


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockNumberAccess:
    """Block ``number`` of a long read-response has come: ask for the next."""

    number: int


class ShortBlock(NamedTuple):
    """A piece of a list that is too long for one APDU; ``last`` says that no other follows."""

    last: bool
    number: int
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDataBlockAccess:
    """A piece of a long read-request."""

    block: ShortBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteDataBlockAccess:
    """Says which piece of a long write-request the octet-string in its list of data is."""

    last: bool
    number: int


VariableAccess: TypeAlias = (
    VariableName
    | ParameterizedAccess
    | BlockNumberAccess
    | ReadDataBlockAccess
    | WriteDataBlockAccess
)

_CHOICES: dict[type[VariableAccess], int] = {
    VariableName: 2,
    ParameterizedAccess: 4,
    BlockNumberAccess: 5,
    ReadDataBlockAccess: 6,
    WriteDataBlockAccess: 7,
}
_KINDS = {choice: kind for kind, choice in _CHOICES.items()}

Allowed: TypeAlias = frozenset[type[VariableAccess]]


def read_specifications(reader: Reader, allowed: Allowed) -> tuple[VariableAccess, ...]:
    """Read a SEQUENCE OF specifications of the ``allowed`` kinds."""
    count = read_count(reader, _FIELD)
    return tuple([_read_specification(reader, allowed) for _ in range(count)])


def write_specifications(
    out: bytearray, specifications: tuple[VariableAccess, ...], allowed: Allowed
) -> None:
    out += encode_count(len(specifications), _FIELD)
    for item in specifications:
        if type(item) not in allowed:
            raise CodecError(f"{type(item).__name__} does not belong here", field=_FIELD)
        out.append(_CHOICES[type(item)])
        match item:
            case VariableName(name=name):
                out += encode_u16(name, "variable-name")
            case ParameterizedAccess(name=name, selector=selector, parameter=parameter):
                out += encode_u16(name, "variable-name")
                out.append(selector)
                write_data(out, parameter)
            case BlockNumberAccess(number=number):
                out += encode_u16(number, _BLOCK_NUMBER)
            case ReadDataBlockAccess(block=block):
                out += encode_short_block(block)
            case WriteDataBlockAccess(last=last, number=number):
                out += _encode_start(last, number)


def access_needs(
    items: tuple[VariableAccess, ...], needs: Conformance, blocks: Conformance
) -> Conformance:
    """``needs``, and the bits for what ``items`` use (GB Ed. 8, 9.4.6.1).

    ``blocks`` is the service's own bit for block transfer.
    """
    if len(items) > 1:
        needs |= Conformance.MULTIPLE_REFERENCES
    for item in items:
        if isinstance(item, ParameterizedAccess):
            needs |= Conformance.PARAMETERIZED_ACCESS
        elif not isinstance(item, VariableName):
            needs |= blocks
    return needs


def read_short_block(reader: Reader) -> ShortBlock:
    """Read what Read-Data-Block-Access and Data-Block-Result share."""
    last, number = _read_start(reader)
    return ShortBlock(last, number, reader.octet_string("raw-data"))


def encode_short_block(block: ShortBlock) -> bytes:
    return _encode_start(block.last, block.number) + encode_octet_string(block.raw)


def encode_u16(number: int, field: str) -> bytes:
    """Two octets. :class:`CodecError` if it needs more."""
    if not 0 <= number <= 0xFFFF:
        raise CodecError(f"{number} is no Unsigned16", field=field)
    return number.to_bytes(2, "big")


def _read_specification(reader: Reader, allowed: Allowed) -> VariableAccess:
    choice = reader.u8(_FIELD)
    kind = _KINDS.get(choice)
    if kind is None or kind not in allowed:
        raise unknown_choice(choice, _FIELD, reader.position - 1)
    if kind is VariableName:
        return VariableName(name=reader.u16("variable-name"))
    if kind is ParameterizedAccess:
        name = reader.u16("variable-name")
        selector = reader.u8("selector")
        return ParameterizedAccess(name=name, selector=selector, parameter=read_data(reader))
    if kind is BlockNumberAccess:
        return BlockNumberAccess(number=reader.u16(_BLOCK_NUMBER))
    if kind is ReadDataBlockAccess:
        return ReadDataBlockAccess(block=read_short_block(reader))
    last, number = _read_start(reader)
    return WriteDataBlockAccess(last=last, number=number)


def _read_start(reader: Reader) -> tuple[bool, int]:
    last = reader.u8("last-block")
    # A BOOLEAN, and as in Data: the two forms of TRUE that are met, no other octet.
    if last not in (0, 1, 0xFF):
        raise CodecError(
            f"boolean must be 00, 01 or FF, not {last:02X}",
            offset=reader.position - 1,
            field="last-block",
        )
    return last != 0, reader.u16(_BLOCK_NUMBER)


def _encode_start(last: bool, number: int) -> bytes:
    return (b"\x01" if last else b"\x00") + encode_u16(number, _BLOCK_NUMBER)
