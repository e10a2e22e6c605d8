"""What is around an APDU: its layout, and all of it, opened with test keys on the real way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from dlms.errors import CodecError, LocalProtocolError
from dlms.octets import encode_octet_string
from dlms.security.ciphered import Ciphered, decode_ciphered, encode_ciphered
from dlms.security.counters import CounterRefused
from dlms.security.general_ciphering import (
    decode_general_ciphering,
    encode_general_ciphering,
)
from dlms.security.general_signing import GENERAL_SIGNING, GeneralSigned, decode_general_signing
from dlms.security.layers import open_layers
from dlms.security.ops import CryptoFailure, Use
from dlms.xdlms import registry
from emulator.fuzz.octets import laws, sources, two_parties, words
from emulator.fuzz.octets.harness import Harness, Outcome, Structure, Unlawful
from emulator.fuzz.octets.two_parties import SHAPES
from emulator.trace import described, shown

GET = bytes.fromhex("C001C100010000600109FF0200")
_REFUSALS = (CodecError, CounterRefused, CryptoFailure)
_RAW, _TWICE = 0, 0x80


def _ciphered(message: Ciphered) -> bytes:
    plain = 0 if message.plain_tag is None else message.plain_tag
    title = message.title or b""
    return encode_ciphered(
        plain, message.family, message.form, message.control, message.counter, message.body, title
    )


class _Head(NamedTuple):
    """A signed APDU without the octets as they came, which are not the same when a length is."""

    header: Any
    content: bytes
    signature: bytes


def _signed(octets: bytes) -> _Head:
    message: GeneralSigned = decode_general_signing(octets)
    if len(message.head) < message.length_octets:
        raise Unlawful("the head has the length of the content", octets.hex())
    return _Head(message.header, message.content, message.signature)


def _sign(message: _Head) -> bytes:
    parts = (message.content, message.signature)
    head: bytes = message.header.encode()
    return bytes((GENERAL_SIGNING,)) + head + b"".join(map(encode_octet_string, parts))


class _Ciphered(NamedTuple):
    """The same of general-ciphering."""

    header: Any
    key_info: Any
    control: int
    counter: int
    body: bytes


def _general_fields(octets: bytes) -> _Ciphered:
    found = decode_general_ciphering(octets)
    return _Ciphered(found.header, found.key_info, found.control, found.counter, found.body)


def _general_octets(one: _Ciphered) -> bytes:
    return encode_general_ciphering(*one)


class Message(NamedTuple):
    """An input of ``security.layers``: ``way`` 0 is octets as they come, from 1 the place of a
    shape that the client protects ``octets`` in, with bit 7 twice.
    """

    way: int
    octets: Any


def _layers(octets: bytes) -> Outcome:
    """Whatever comes is opened, or refused with nothing changed; and once only."""
    way, rest = octets[:1], octets[1:]
    over = two_parties.line()
    if way and way[0] & ~_TWICE:
        shape = SHAPES[((way[0] & ~_TWICE) - 1) % len(SHAPES)]
        try:
            rest = two_parties.said(over, shape, rest)
            if way[0] & _TWICE:
                rest = two_parties.said(over, shape, rest)
        except (CodecError, LocalProtocolError):
            return Outcome.NOTHING
    shown(rest)
    described(rest)
    server = over.server
    before = server.security.counters.snapshot(), server.spent.snapshot()
    try:
        peeled = over.run(open_layers(server, rest, Use.OPEN_REQUEST))
    except _REFUSALS:
        return Outcome.REFUSED
    after = server.security.counters.snapshot(), server.spent.snapshot()
    is_protected = any(layer for layer in peeled.layers if getattr(layer, "protection", 0))
    if before == after and is_protected:
        raise Unlawful("what is opened is spent", rest.hex())
    if is_protected:
        _not_again(over, rest)
    return Outcome.TAKEN


def _not_again(over: two_parties.Line, octets: bytes) -> None:
    try:
        over.run(open_layers(over.server, octets, Use.OPEN_REQUEST))
    except _REFUSALS:
        return
    raise Unlawful("nothing is opened twice", octets.hex())


def _read_message(octets: bytes) -> Message:
    if octets[0] == _RAW:
        return Message(0, octets[1:])
    return Message(octets[0], registry.decode(octets[1:]))


def _write_message(message: Message) -> bytes:
    apdu: Any = message.octets
    return bytes((message.way,)) + (apdu if isinstance(apdu, bytes) else apdu.encode())


def _messages() -> Iterable[bytes]:
    for place, shape in enumerate(SHAPES, 1):
        yield bytes((place,)) + GET
        yield bytes((place | _TWICE,)) + GET
        yield b"\0" + two_parties.said(two_parties.line(), shape, GET)
    for octets in sources.vectors("services", begin=b"\xc0\xc1\xc3\x05\x06"):
        yield b"\1" + octets


def _layouts() -> Iterable[bytes]:
    for shape in SHAPES:
        yield two_parties.said(two_parties.line(), shape, GET)
    yield from sources.vectors("ciphered", "agreement", "signing", key="ciphered")
    yield from sources.vectors("acse", "xdlms")
    yield from sources.built("ciphered-")


def _trace(octets: bytes) -> Outcome:
    """Any octets can be shown, and what is shown are lines that end."""
    for text in (shown(octets), described(octets)):
        if len(text) > 16 * len(octets) + 4096:
            raise Unlawful("what is shown has an end", f"{len(text)} of {len(octets)}")
    return Outcome.TAKEN


HARNESSES = (
    Harness(
        name="security.ciphered",
        takes="a ciphered APDU of the service-specific or the general form, its layout",
        play=laws.codec(decode_ciphered, _ciphered, (CodecError,)),
        seeds=_layouts,
        words=words.security,
        structure=Structure(read=decode_ciphered, write=_ciphered),
    ),
    Harness(
        name="security.general-ciphering",
        takes="a general-ciphering APDU, its layout",
        play=laws.codec(_general_fields, _general_octets, (CodecError,)),
        seeds=_layouts,
        words=words.security,
        structure=Structure(read=_general_fields, write=_general_octets),
    ),
    Harness(
        name="security.general-signing",
        takes="a general-signing APDU, its layout",
        play=laws.codec(_signed, _sign, (CodecError,)),
        seeds=_layouts,
        words=words.security,
        structure=Structure(read=_signed, write=_sign),
    ),
    Harness(
        name="security.layers",
        takes="a way, and an APDU that is protected in it, or octets as they come",
        play=_layers,
        seeds=_messages,
        words=words.security,
        structure=Structure(read=_read_message, write=_write_message),
        most=8192,
    ),
    Harness(
        name="security.trace",
        takes="any APDU, to be shown to people",
        play=_trace,
        seeds=_layouts,
        words=words.security,
    ),
)
