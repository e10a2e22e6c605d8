"""The opening of an optical port, at either end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dlms.errors import CodecError
from dlms.framing.mode_e import Failed, ModeEClient, ModeEMeter, Switched
from dlms.framing.mode_e_messages import (
    BAUD_RATES,
    BAUD_RATES_B,
    Identification,
    decode_identification,
    encode_acknowledgement,
    encode_request,
)
from emulator.fuzz.octets import laws
from emulator.fuzz.octets.harness import Harness, Structure

_LAB = Identification("LAB", "5", "METER", True)


def _line(found: Identification) -> bytes:
    return found.encode()[:-2]


def _meter(pieces: Iterable[bytes]) -> Sequence[Any]:
    """What is behind a switch is lost by design: the line was not set for it."""
    meter = ModeEMeter(_LAB, "001")
    said: list[Any] = []
    for piece in pieces:
        outcome = meter.receive(piece, 0.0)
        said.append(meter.octets_to_send())
        if outcome is not None:
            said.append(outcome)
    switched = next((one for one in said if isinstance(one, Switched)), None)
    octets = b"".join(one for one in said if isinstance(one, bytes))
    return [octets, *([switched] if switched else [])] if octets else []


def _client(pieces: Iterable[bytes]) -> Sequence[Any]:
    client = ModeEClient("001", 9600)
    client.open(0.0)
    sent = client.octets_to_send()
    for piece in pieces:
        outcome = client.receive(piece, 0.0)
        if outcome is not None:
            return [sent + client.octets_to_send(), outcome]
    client.timeout(1e9)
    return [client.octets_to_send(), client.stage]


def _openings() -> Iterable[bytes]:
    yield encode_request() + encode_acknowledgement("5")
    yield encode_request("001")
    yield encode_request("1") + encode_request() + encode_acknowledgement("0", hdlc=False)
    yield b"\xff" + encode_request() + encode_acknowledgement("9")


def _answers() -> Iterable[bytes]:
    yield _LAB.encode() + encode_acknowledgement("5")
    yield encode_request("001") + _LAB.encode()
    yield Identification("XYZ", "0", "", False).encode()


def _words() -> Iterable[bytes]:
    for character in (*BAUD_RATES, *BAUD_RATES_B):
        yield encode_acknowledgement(character)
        yield character.encode("ascii")
    yield from (b"/?", b"!\r\n", b"\r\n", b"\\2", b"\\@", b"/LAB", b"\x06", encode_request())


HARNESSES = (
    Harness(
        name="optical.identification",
        takes="the line with which a meter identifies itself",
        play=laws.codec(decode_identification, _line, (CodecError,)),
        seeds=lambda: (_line(_LAB), b"/ABCA", b"/ABC5\\@\\2ident"),
        words=_words,
        structure=Structure(read=decode_identification, write=_line),
        most=256,
    ),
    Harness(
        name="optical.meter",
        takes="what a client says to an optical port, in any pieces",
        play=laws.stream(_meter),
        seeds=_openings,
        words=_words,
        most=4096,
    ),
    Harness(
        name="optical.client",
        takes="what an optical port answers, in any pieces",
        play=laws.stream(_client, is_error=lambda event: isinstance(event, Failed)),
        seeds=_answers,
        words=_words,
        most=4096,
    ),
)
