"""The wrapper: a stream of WPDUs over TCP, and one in a datagram."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dlms.errors import CodecError, RemoteProtocolError
from dlms.framing.datagram import decode_datagram
from dlms.framing.wrapper import HEADER, VERSION, Wpdu, WrapperReceiver
from emulator.fuzz.octets import laws, sources, words
from emulator.fuzz.octets.harness import Harness, Structure, Unlawful
from emulator.fuzz.octets.harnesses.xdlms import apdu_seeds

MAX_APDU = 2048
_LOST = "framing lost"


def _received(pieces: Iterable[bytes]) -> Sequence[Any]:
    receiver = WrapperReceiver(MAX_APDU)
    found: list[Any] = []
    for piece in pieces:
        receiver.receive(piece)
        try:
            while (wpdu := receiver.next_wpdu()) is not None:
                found.append(wpdu)
        except RemoteProtocolError as error:
            return [*found, (_LOST, error.reason)]
        if receiver.pending >= MAX_APDU + HEADER.size + len(piece):
            raise Unlawful("what waits is bounded", f"{receiver.pending} octets")
    return [*found, *((("pending", receiver.pending),) if found else ())]


def _is_lost(event: Any) -> bool:
    return bool(event[0] == _LOST)


def _read(octets: bytes) -> list[Wpdu]:
    receiver = WrapperReceiver(MAX_APDU)
    receiver.receive(octets)
    return list(iter(receiver.next_wpdu, None))


def _write(wpdus: list[Wpdu]) -> bytes:
    return b"".join(one.encode() for one in wpdus)


def _streams() -> Iterable[bytes]:
    yield from sources.vectors("wrapper")
    yield from sources.built("wrapper-")
    several = [Wpdu(16, 1, octets) for _, octets in zip(range(5), apdu_seeds(), strict=False)]
    yield _write(several)
    for one in several:
        yield one.encode()
    yield Wpdu(1, 16, b"").encode() + several[0].encode()


def _words() -> Iterable[bytes]:
    yield VERSION.to_bytes(2, "big")
    yield from words.numbers()


HARNESSES = (
    Harness(
        name="wrapper.stream",
        takes="octets of a TCP connection, in any pieces",
        play=laws.stream(_received, is_error=_is_lost),
        seeds=_streams,
        words=_words,
        structure=Structure(read=_read, write=_write),
        most=8192,
    ),
    Harness(
        name="wrapper.datagram",
        takes="one datagram",
        play=laws.codec(decode_datagram, Wpdu.encode, (CodecError,), canonical=True),
        seeds=_streams,
        words=_words,
        structure=Structure(read=decode_datagram, write=Wpdu.encode),
    ),
)
