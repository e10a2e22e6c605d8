"""Reading the elements of an ACSE APDU in one pass, by a table of those it may have.

The short form of a length is looked at first and in place, for nearly every element has it. Any
other, and whatever is cut short, is left to :class:`~dlms.octets.Reader`, which says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from dlms.acse.ber import LONG
from dlms.errors import CodecError
from dlms.octets import Reader

ReadField: TypeAlias = Callable[[bytes, int], Any]


class Form(NamedTuple):
    """What an ACSE APDU is made of.

    ``elements`` tells, by tag, the place of each field in the value and what reads it.
    """

    tag: int
    name: str
    size: int
    elements: dict[int, tuple[int, ReadField]]


def form(
    tag: int, name: str, fields: tuple[str, ...], elements: dict[int, tuple[str, ReadField]]
) -> Form:
    """The form of an APDU whose value has ``fields``; ``elements`` go by their names."""
    places = {key: (fields.index(field), read) for key, (field, read) in elements.items()}
    return Form(tag, name, len(fields), places)


def read_fields(octets: bytes, form: Form) -> list[Any]:
    """Read the fields of an APDU, each in its place; ``None`` stands for an absent one.

    :class:`CodecError` if the APDU has another tag or an unknown element, octets are missing or
    left over, or elements are repeated or out of order: two readers must not see two different
    APDUs (X_AARQ_ORDER).
    """
    _, name, size, elements = form
    values: list[Any] = [None] * size
    end = len(octets)
    position = _begin(octets, form)
    last = -1
    while position < end:
        tag = octets[position]
        element = elements.get(tag)
        number = tag & 0x1F
        if element is None or number <= last:
            raise _refusal(octets, position, last, name)
        last = number
        start = position + 2
        length = octets[position + 1] if start <= end else LONG
        position = start + length
        if length >= LONG or position > end:
            start, position = _span(octets, start - 1, name, tag)
        place, read = element
        values[place] = read(octets[start:position], start)
    return values


def _begin(octets: bytes, form: Form) -> int:
    """Where the first element begins, if the tag and the length of the APDU are right."""
    length = len(octets) - 2
    if 0 <= length < LONG and octets[0] == form.tag and octets[1] == length:
        return 2
    name = form.name
    reader = Reader(octets)
    tag = reader.u8(name)
    if tag != form.tag:
        raise CodecError(f"tag {form.tag:02X} expected, not {tag:02X}", offset=0, field=name)
    length = reader.length(name)
    if length != reader.remaining:
        raise CodecError(
            f"{length} octets announced, {reader.remaining} there",
            offset=reader.position,
            field=name,
        )
    return reader.position


def _span(octets: bytes, position: int, name: str, tag: int) -> tuple[int, int]:
    """Begin and end of the content whose length is at ``position``."""
    reader = Reader(octets, position)
    length = len(reader.octet_string(f"{name} element {tag:02X}"))
    return reader.position - length, reader.position


def _refusal(octets: bytes, position: int, last: int, name: str) -> CodecError:
    """Why an element may not stand where it does."""
    tag = octets[position]
    number = tag & 0x1F
    if tag & 0xC0 != 0x80 or number == 0x1F:
        return CodecError(f"tag {tag:02X} is not context-specific", offset=position, field=name)
    if number <= last:
        return CodecError(f"element {tag:02X} is out of order", offset=position, field=name)
    start, _ = _span(octets, position + 1, name, tag)
    return CodecError(f"unknown element {tag:02X}", offset=start, field=name)
