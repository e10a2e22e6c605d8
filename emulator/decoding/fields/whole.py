"""All the fields of an APDU, or of what is on a line."""

from __future__ import annotations

from typing import NamedTuple

from dlms.errors import CodecError
from dlms.security.layers import MAX_LAYERS
from emulator.decoding.fields import acse, ciphered, framing, xdlms
from emulator.decoding.fields.cutting import MOST, Cutter, Field, Subject


class Cut(NamedTuple):
    """The fields in their order, each octet in one of them; and from where to where there are
    ciphered APDUs, the outermost first.
    """

    fields: tuple[Field, ...]
    closed: tuple[tuple[int, int], ...] = ()


def cut_apdu(octets: bytes, subjects: tuple[Subject | None, ...] = (), most: int = MOST) -> Cut:
    """Of an APDU. ``subjects`` are what a response is about; ``most`` how many elements of an array
    get fields of their own.
    """
    cutter = Cutter(octets, subjects, most)
    try:
        _apdu(cutter, len(octets))
    except CodecError as error:
        cutter.broken(error)
    return Cut(tuple(cutter.fields), tuple(cutter.closed))


def cut_framed(octets: bytes) -> Cut:
    """Of WPDUs, frames of HDLC, or records of TLS."""
    cutter = Cutter(octets)
    try:
        if framing.is_tls(octets):
            framing.tls(cutter)
        elif framing.is_hdlc(octets):
            framing.hdlc(cutter, _apdu)
        elif framing.is_wrapper(octets):
            framing.wrapper(cutter, _apdu)
        elif octets:
            framing.unknown(cutter)
    except CodecError as error:
        cutter.broken(error)
    return Cut(tuple(cutter.fields), tuple(cutter.closed))


def _apdu(cutter: Cutter, stop: int, depth: int = 0) -> None:
    """The APDU from here to before ``stop``; what is wrong in it ends with it."""
    outer, cutter.reader.end = cutter.reader.end, stop
    level = cutter.depth
    try:
        _layer(cutter, stop, depth)
        cutter.rest("left over", secret=cutter.hides)
    except CodecError as error:
        cutter.depth = level + 1
        cutter.broken(error)
    finally:
        cutter.depth = level
        cutter.reader.end = outer
        cutter.hides = cutter.hides and depth > 0


def _layer(cutter: Cutter, stop: int, depth: int) -> None:
    def inner(cutter: Cutter, stop: int) -> None:
        _apdu(cutter, stop, depth + 1)

    if depth > MAX_LAYERS + 1:
        raise CodecError("more layers than anybody takes off", field="APDU")
    tag = cutter.reader.peek("APDU")
    if tag in acse.TAGS:
        acse.acse(cutter, inner)
    elif ciphered.is_signed(tag):
        ciphered.signed(cutter, inner)
    elif ciphered.is_block(tag):
        ciphered.block(cutter)
    elif ciphered.is_ciphered(tag):
        ciphered.ciphered(cutter, stop, inner)
    else:
        xdlms.xdlms(cutter, stop)
