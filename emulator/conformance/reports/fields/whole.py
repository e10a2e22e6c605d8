"""All the fields of one entry of a record."""

from __future__ import annotations

from dlms.errors import CodecError
from dlms.security.layers import MAX_LAYERS
from emulator.conformance.probing.record import Level
from emulator.conformance.reports.fields import acse, ciphered, framing, xdlms
from emulator.conformance.reports.fields.cutting import Cutter, Field


def fields_of(octets: bytes, level: Level) -> tuple[Field, ...]:
    """In their order, each octet in one of them. ``level`` says what the octets begin with."""
    cutter = Cutter(octets)
    try:
        if level in (Level.APDU, Level.PLAIN):
            _apdu(cutter, len(octets))
        elif framing.is_tls(octets):
            framing.tls(cutter)
        elif framing.is_hdlc(octets):
            framing.hdlc(cutter, _apdu)
        elif framing.is_wrapper(octets):
            framing.wrapper(cutter, _apdu)
        elif octets:
            framing.unknown(cutter)
    except CodecError as error:
        cutter.broken(error)
    return tuple(cutter.fields)


def _apdu(cutter: Cutter, stop: int, depth: int = 0) -> None:
    """The APDU from here to before ``stop``; what is wrong in it ends with it."""
    outer, cutter.reader.end = cutter.reader.end, stop
    try:
        _layer(cutter, stop, depth)
        cutter.rest("left over", secret=cutter.hides)
    except CodecError as error:
        cutter.broken(error)
    finally:
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
