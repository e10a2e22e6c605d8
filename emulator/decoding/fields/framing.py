"""Fields of what is around an APDU: wrapper, HDLC frames, records of TLS."""

from __future__ import annotations

from collections.abc import Callable

from dlms.errors import CodecError
from dlms.framing.hdlc import llc
from dlms.framing.hdlc.address import read_address
from dlms.framing.hdlc.control import UnknownControl, decode_control
from dlms.framing.hdlc.fcs import check_sequence
from dlms.framing.hdlc.frame import FLAG, announced_length
from emulator.decoding.fields.cutting import NOT_UNDERSTOOD, Cutter

Inner = Callable[[Cutter, int], None]
"""Cuts the APDU that ends before a place."""

_CONTENTS = {20: "change_cipher_spec", 21: "alert", 22: "handshake", 23: "application_data"}
_MAJOR = 3
_PARAMETERS = {
    5: "max. information field, transmit",
    6: "max. information field, receive",
    7: "window size, transmit",
    8: "window size, receive",
}


def is_tls(octets: bytes) -> bool:
    return len(octets) >= 5 and octets[0] in _CONTENTS and octets[1] == _MAJOR


def tls(cutter: Cutter) -> None:
    """Records of TLS (RFC 5246, 6.2.1). What is in them stays closed."""
    while cutter.remaining:
        cutter.take(1, "TLS content type", lambda one: _CONTENTS.get(one[0], "unknown"))
        cutter.take(2, "TLS version", bytes.hex)
        length = int.from_bytes(cutter.take(2, "length of the record"), "big")
        if length:
            cutter.take(min(length, cutter.remaining), "fragment", _size)


def is_wrapper(octets: bytes) -> bool:
    return len(octets) >= 8 and octets[0] == 0


def wrapper(cutter: Cutter, inner: Inner) -> None:
    """WPDUs (IEC 62056-4-7)."""
    while cutter.remaining:
        cutter.take(2, "wrapper version")
        cutter.take(2, "source wPort")
        cutter.take(2, "destination wPort")
        length = int.from_bytes(cutter.take(2, "length of the APDU"), "big")
        stop = min(cutter.position + length, cutter.reader.end)
        if length:
            with cutter.deeper():
                inner(cutter, stop)


def is_hdlc(octets: bytes) -> bool:
    return octets[:1] == bytes((FLAG,))


def hdlc(cutter: Cutter, inner: Inner) -> None:
    """Frames of type 3 (IEC 62056-46, 6.4.1)."""
    while cutter.remaining:
        if cutter.reader.peek("flag") == FLAG:
            cutter.take(1, "flag", bytes.hex)
        else:
            _frame(cutter, inner)


def _frame(cutter: Cutter, inner: Inner) -> None:
    start = cutter.position
    word = cutter.take(2, "frame format", _format)
    length = announced_length(word)
    closing = cutter.octets.find(bytes((FLAG,)), cutter.position, cutter.reader.end)
    end = start + length if length else closing if closing >= 0 else cutter.reader.end
    end = max(min(end, cutter.reader.end), cutter.position)
    _address(cutter, "destination address")
    _address(cutter, "source address")
    cutter.take(1, "control", _control)
    body = end - 2
    if cutter.position < body:
        _sequence(cutter, "HCS", start)
        _information(cutter, body, inner)
    _sequence(cutter, "FCS", start)


def _information(cutter: Cutter, stop: int, inner: Inner) -> None:
    octets = cutter.octets[cutter.position : stop]
    if octets[: llc.LENGTH] in (llc.COMMAND, llc.RESPONSE):
        cutter.take(llc.LENGTH, "LLC", _llc)
        if cutter.position < stop:
            with cutter.deeper():
                inner(cutter, stop)
    elif octets:
        # A later segment of an APDU looks like this, and may be a piece of a password.
        parameters = octets[0] == 0x81
        if parameters:
            _parameters(cutter, stop)
        else:
            cutter.take(len(octets), "information", _size, secret=True)


def _parameters(cutter: Cutter, stop: int) -> None:
    """What SNRM and UA agree on."""
    outer, cutter.reader.end = cutter.reader.end, stop
    try:
        cutter.take(1, "format identifier", bytes.hex)
        cutter.take(1, "group identifier", bytes.hex)
        cutter.take(1, "group length")
        with cutter.deeper():
            while cutter.remaining:
                kind = cutter.take(1, "parameter", lambda one: _PARAMETERS.get(one[0], "unknown"))
                size = cutter.take(1, "length of the value")[0]
                cutter.take(size, _PARAMETERS.get(kind[0], "value"))
    except CodecError as error:
        cutter.broken(error)
    finally:
        cutter.reader.end = outer


def _address(cutter: Cutter, name: str) -> None:
    start = cutter.position
    value = str(read_address(cutter.reader))
    cutter.add(start, name, value)


def _sequence(cutter: Cutter, name: str, start: int) -> None:
    right = check_sequence(cutter.octets[start : cutter.position])
    cutter.take(2, name, lambda one: "right" if one == right else f"wrong, {right.hex()} is right")


def _format(octets: bytes) -> str:
    word = int.from_bytes(octets, "big")
    segmented = ", segmented" if word & 0x800 else ""
    return f"type {word >> 12:04b}, length {word & 0x7FF}{segmented}"


def _control(octets: bytes) -> str:
    try:
        control = decode_control(octets[0])
    except UnknownControl:
        return "unknown"
    numbers = f" N(R)={control.receive}" if control.kind.is_numbered else ""
    numbers += f" N(S)={control.send}" if control.kind.name == "I" else ""
    return f"{control.kind.name}{numbers}{' P/F' * control.poll}"


def _llc(octets: bytes) -> str:
    return f"{octets.hex()}, {'command' if octets == llc.COMMAND else 'response'}"


def _size(octets: bytes) -> str:
    return f"{len(octets)} octets"


def unknown(cutter: Cutter) -> None:
    """A piece of something: octets that begin like nothing that is known here."""
    cutter.broken(CodecError("begins like no frame", field=NOT_UNDERSTOOD))
