"""Values and rights as a profile would write them: the reverse of reading them."""

from __future__ import annotations

import json
from contextlib import suppress

from devices.profile.rights import Access, Rights
from devices.profile.values import parse_value
from dlms.axdr.data import Data, DataType
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import obis
from dlms.cosem.fitting import shape_within
from dlms.cosem.interface_class import InterfaceClass
from dlms.cosem.shape import ANY, Choice, Meaning, Shape, Simple, types_of
from dlms.errors import CodecError

_SEQUENCES = (DataType.ARRAY, DataType.STRUCTURE)
_UNWRITABLE = (DataType.COMPACT_ARRAY, DataType.DATE_TIME, DataType.DATE, DataType.TIME)
_REQUEST = (
    (Access.AUTHENTICATED_REQUEST, "a"),
    (Access.ENCRYPTED_REQUEST, "e"),
    (Access.SIGNED_REQUEST, "s"),
)
_RESPONSE = (
    (Access.AUTHENTICATED_RESPONSE, "a"),
    (Access.ENCRYPTED_RESPONSE, "e"),
    (Access.SIGNED_RESPONSE, "s"),
)


def value_text(data: Data, shape: Shape = ANY) -> str:
    """The value as TOML in one line. With its ``shape``, logical names and times are readable.

    ``ValueError`` for types that profiles cannot write: compact-array, date-time, date and time.
    """
    kind, content = data
    if isinstance(shape, Choice):
        shape = next((one for one in shape.shapes if kind in types_of(one)), ANY)
    if kind in _UNWRITABLE:
        raise ValueError(f"{kind.label} cannot be written")
    if kind in _SEQUENCES:
        assert isinstance(content, tuple)
        # Of an array every element has the shape of the first.
        parts = [
            value_text(part, shape_within(shape, number)) for number, part in enumerate(content, 1)
        ]
        return f"{{ {kind.label} = [{', '.join(parts)}] }}"
    if kind is DataType.OCTET_STRING:
        assert isinstance(content, bytes)
        return f"{{ {_octets(content, shape)} }}"
    if content is None:
        return f"{{ {kind.label} = 0 }}"
    return f"{{ {kind.label} = {scalar(content)} }}"


def scalar(value: object) -> str:
    """A flag, a number or a string as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return text(value)
    return repr(value)  # also of inf and nan, which Python and TOML write alike


def text(value: str) -> str:
    """A string as TOML, with whatever is in it."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _octets(content: bytes, shape: Shape) -> str:
    meaning = shape.meaning if isinstance(shape, Simple) else Meaning.PLAIN
    if meaning is Meaning.LOGICAL_NAME and len(content) == 6:
        return f'obis = "{obis.text(content)}"'
    if meaning is Meaning.DATE_TIME:
        moment = _moment(content)
        if moment is not None:
            return f'date-time = "{moment}"'
    return f'octet-string = "{content.hex().upper()}"'


def _moment(content: bytes) -> str | None:
    """The time if it says the same as the octets; ``None`` if it must be written in octets."""
    found = ["*"]
    with suppress(CodecError, ValueError):  # parts of it are not specified
        found.append(CosemDateTime.from_octets(content).to_datetime().isoformat())
    return next((one for one in found if parse_value({"date-time": one}).value == content), None)


def rights_text(rights: Rights, interface_class: InterfaceClass) -> str:
    """The words of :func:`~devices.profile.rights.parse_rights` that give these rights."""
    numbers = [row.number for row in interface_class.attributes]
    modes = [_access(rights.attribute(number)) for number in numbers]
    common = max(dict.fromkeys(modes), key=modes.count, default="-")
    words = [] if common == "-" else [common]
    words += [
        f"{number}{mode}" for number, mode in zip(numbers, modes, strict=True) if mode != common
    ]
    every = [row.number for row in interface_class.methods]
    conditions = {_conditions(rights.method(number)) for number in every}
    if every and rights.methods == set(every) and len(conditions) == 1:
        words.append(f"m{conditions.pop()}")
    else:
        words += [
            f"m{number}{_conditions(rights.method(number))}" for number in sorted(rights.methods)
        ]
    if not words and rights.attribute(1).readable:
        words.append("1r")
    return " ".join(words)


def _access(access: Access) -> str:
    mode = {0: "-", 1: "r", 2: "w", 3: "rw"}[access.allowed]
    return mode + _conditions(access) if access.allowed else mode


def _conditions(access: Access) -> str:
    request = "".join(letter for bit, letter in _REQUEST if access & bit)
    response = "".join(letter for bit, letter in _RESPONSE if access & bit)
    if response:
        return f"+{request}/{response}"
    return f"+{request}" if request else ""
