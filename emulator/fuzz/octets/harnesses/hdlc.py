"""HDLC: a frame, a stream of them, what SNRM and UA agree on, and both ends of a link."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from dlms.errors import CodecError, LocalProtocolError
from dlms.framing.hdlc import rejection
from dlms.framing.hdlc.address import Address, read_address
from dlms.framing.hdlc.config import PrimaryConfig
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.events import ApduArrived
from dlms.framing.hdlc.frame import FLAG, Frame, NotUnderstood, decode_frame
from dlms.framing.hdlc.parameters import Parameters, decode_parameters
from dlms.framing.hdlc.primary import PrimaryLink
from dlms.framing.hdlc.receiver import FrameReceiver
from dlms.framing.hdlc.station import Station, StationConfig
from dlms.octets import Reader
from emulator.fuzz.octets import laws, sources, words
from emulator.fuzz.octets.harness import Harness, Outcome, Structure, Unlawful
from emulator.fuzz.octets.harnesses.hdlc_frames import (
    AARQ,
    CLIENT,
    SERVER,
    between_flags,
    frames,
    read_frames,
    write_frames,
)

_LIMITS = Parameters(64, 64, 3, 3)
MAX_KEPT = 1 << 18
"""Octets that a station may have to send: its links' windows of frames, and what is queued."""


# One frame -------------------------------------------------------------------------------------


def _frame(octets: bytes) -> Outcome:
    """A frame that is not understood has no form of its own to be encoded in."""
    try:
        found = decode_frame(octets)
    except CodecError:
        return Outcome.REFUSED
    if isinstance(found, NotUnderstood):
        return Outcome.REFUSED
    if between_flags(found) != octets:
        raise Unlawful("one form only", f"{octets.hex()}: {between_flags(found).hex()}")
    return Outcome.TAKEN


def _frame_seeds() -> Iterable[bytes]:
    yield from map(between_flags, frames())
    for octets in (*sources.vectors("hdlc"), *sources.built("hdlc-")):
        yield octets.strip(bytes((FLAG,)))


# A stream --------------------------------------------------------------------------------------


def _received(pieces: Iterable[bytes]) -> Sequence[Any]:
    receiver = FrameReceiver(inter_octet_timeout=1e9)
    found: list[Any] = []
    for piece in pieces:
        found += receiver.receive(piece, 0.0)
    return [*found, ("dropped", receiver.dropped), ("pending", receiver.pending)]


def _stream(octets: bytes) -> Outcome:
    _play_stream(octets)
    seen = _received([octets])
    return Outcome.TAKEN if len(seen) > 2 else Outcome.NOTHING


_play_stream = laws.stream(_received)


def _streams() -> Iterable[bytes]:
    session = list(frames())
    yield write_frames(session)
    for one in session:
        yield one.encode()
    # One flag closes a frame and opens the next.
    yield b"\x7e" + b"\x7e".join(map(between_flags, session)) + b"\x7e"
    yield b"noise" + session[0].encode() + b"\x7e\x7e\xa0" + session[1].encode()
    yield from sources.built("hdlc-")
    yield from sources.vectors("hdlc")


# Both ends of a link ---------------------------------------------------------------------------


def _station(octets: bytes) -> Outcome:
    """A station that is polled by anything: what it has to say are frames, and bounded."""
    config = StationConfig(logical_devices=(1, 2).__contains__, lower=17, limits=_LIMITS)
    station = Station(config)
    answer = False
    for now, piece in enumerate(_pieces(octets)):
        for event in station.receive(piece, now * 0.001):
            if isinstance(event, ApduArrived) and not event.broadcast and not event.unnumbered:
                station.send(event.client, event.server, event.apdu[:4096])
        said = station.octets_to_send()
        if len(said) > MAX_KEPT:
            raise Unlawful("what a station says is bounded", f"{len(said)} octets")
        _check_said(said)
        answer = answer or bool(said)
        if station.links > config.max_links:
            raise Unlawful("links are bounded", f"{station.links}")
    station.timeout(1e6)
    if station.links:
        raise Unlawful("who is silent is given up", f"{station.links} links")
    station.close()
    return Outcome.TAKEN if answer else Outcome.NOTHING


def _check_said(octets: bytes) -> None:
    receiver = FrameReceiver(inter_octet_timeout=1e9)
    for one in receiver.receive(octets, 0.0):
        if isinstance(one, NotUnderstood):
            raise Unlawful("what a station says can be understood", octets.hex())
    if receiver.dropped or receiver.pending > 1:
        raise Unlawful("what a station says are frames", octets.hex())


def _pieces(octets: bytes) -> Iterable[bytes]:
    """As they may come from a line: at each flag that could close a frame."""
    start = 0
    while start < len(octets):
        stop = octets.find(FLAG, start + 2) + 1 or len(octets)
        yield octets[start:stop]
        start = stop


def _primary(octets: bytes) -> Outcome:
    """A client that has asked for a link, and is answered by anything."""
    link = PrimaryLink(PrimaryConfig(client=CLIENT.upper, server=SERVER, limits=_LIMITS))
    now = 0.0
    link.connect(now)
    heard = 0
    for piece in _pieces(octets):
        now += 0.001
        link.octets_to_send()
        for event in link.receive(piece, now):
            heard += 1
            if not isinstance(event, ApduArrived):
                with suppress(LocalProtocolError):
                    link.send(AARQ[3:] * 8, now, answered=True)
    for _ in range(2000):
        when = link.deadline()
        if when is None:
            break
        now = max(now, when)
        link.timeout(now)
        link.octets_to_send()
    else:
        raise Unlawful("a client gives up", f"{link.state}")
    return Outcome.TAKEN if heard else Outcome.NOTHING


def _answers() -> Iterable[bytes]:
    answers = [one for one in frames() if one.destination == CLIENT]
    for one in answers:
        yield one.encode()
    yield write_frames(answers[::3])
    reject = Frame(CLIENT, SERVER, Control(Kind.RR, True, 1))
    data = Frame(CLIENT, SERVER, Control(Kind.I, True, 1, 0), b"\xe6\xe7\x00" + AARQ[3:])
    yield write_frames([answers[0], reject, data])


# Parts -----------------------------------------------------------------------------------------


def _read_whole_address(octets: bytes) -> Address:
    reader = Reader(octets)
    found = read_address(reader)
    reader.finish("address")
    return found


def _address(octets: bytes) -> Outcome:
    outcome = _play_address(octets)
    if outcome is Outcome.TAKEN:
        found = _read_whole_address(octets)
        str(found)
        bool(found.is_all_station)
    return outcome


_play_address = laws.codec(_read_whole_address, Address.encode, (CodecError,), canonical=True)


def _encode_parameters(found: Parameters) -> bytes:
    return found.encode(explicit=True)


def _addresses() -> Iterable[bytes]:
    for one in (CLIENT, SERVER, Address(0x3FFF, 0x3FFE, 4), Address(0x7F, 0x7F, 2), Address(0)):
        yield one.encode()


def _words() -> Iterable[bytes]:
    yield from words.codes(Kind)
    yield from (bytes((kind | 0x10,)) for kind in Kind)
    yield from _addresses()
    yield from words.numbers()
    yield bytes((FLAG,))
    yield from (b"\xe6\xe6\x00", b"\xe6\xe7\x00", b"\x81\x80", b"\x05\x02", b"\x06\x02")


_STREAM = Structure(read=read_frames, write=write_frames)

HARNESSES = (
    Harness(
        name="hdlc.frame",
        takes="what stands between two flags",
        play=_frame,
        seeds=_frame_seeds,
        words=_words,
        structure=Structure(read=decode_frame, write=lambda one: between_flags(one)),
        most=4096,
        work=40,
    ),
    Harness(
        name="hdlc.stream",
        takes="octets of a line, in any pieces",
        play=_stream,
        seeds=_streams,
        words=_words,
        structure=_STREAM,
        most=8192,
    ),
    Harness(
        name="hdlc.parameters",
        takes="the information field of SNRM or UA",
        play=laws.codec(decode_parameters, _encode_parameters, (CodecError,)),
        seeds=lambda: (Parameters(2030, 2030, 7, 7).encode(), bytes.fromhex("8180050501800601FF")),
        words=_words,
        structure=Structure(read=decode_parameters, write=_encode_parameters),
        most=512,
    ),
    Harness(
        name="hdlc.rejection",
        takes="the information field of FRMR",
        play=laws.codec(rejection.decode_rejection, rejection.Rejection.encode, (CodecError,)),
        seeds=lambda: (bytes((0x10, 0x30, 1)), bytes((0xFF, 0xEE, 0x0F))),
        words=_words,
        most=64,
    ),
    Harness(
        name="hdlc.address",
        takes="an address",
        play=_address,
        seeds=_addresses,
        words=_words,
        most=64,
    ),
    Harness(
        name="hdlc.station",
        takes="what a client says to a meter's station, piece by piece",
        play=_station,
        seeds=_streams,
        words=_words,
        structure=_STREAM,
        most=16384,
    ),
    Harness(
        name="hdlc.primary",
        takes="what a meter answers to a client's link, piece by piece",
        play=_primary,
        seeds=_answers,
        words=_words,
        structure=_STREAM,
        most=16384,
        work=4000,
    ),
)
