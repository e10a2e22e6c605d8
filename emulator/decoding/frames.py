"""A line cut into frames, and those into APDUs: wrapper, HDLC, or APDUs that stand for themselves.

What does not fit is a frame too, with why: nothing is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dlms.errors import CodecError
from dlms.framing.hdlc import llc
from dlms.framing.hdlc.control import Kind
from dlms.framing.hdlc.frame import FLAG, MIN_LENGTH, Frame, announced_length, decode_frame
from dlms.framing.wrapper import HEADER, VERSION
from emulator.decoding.chunks import Line
from emulator.decoding.opening import is_apdu

_FLAG = bytes((FLAG,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An APDU with the frames that have brought it, or frames without one.

    ``apdu`` is empty where there is none. ``pair`` are the ends of the association as the framing
    names them, source first; ``head`` says what it says besides. ``packets`` are their numbers.
    """

    frames: tuple[bytes, ...]
    apdu: bytes = b""
    forward: bool | None = None
    at: float | None = None
    packets: tuple[int, ...] = ()
    pair: tuple[str, str] = ("", "")
    head: str = ""
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _Way:
    """What has come of one direction and makes no frame yet; and segments of HDLC."""

    buffer: bytes = b""
    at: float | None = None
    packets: list[int] = field(default_factory=list)
    segments: dict[tuple[str, str], list[bytes]] = field(default_factory=dict)
    frames: dict[tuple[str, str], list[bytes]] = field(default_factory=dict)


def units(line: Line) -> Iterator[Unit]:
    """All of a line, in the order in which it was complete."""
    ways: dict[bool | None, _Way] = {}
    for chunk in line.chunks:
        way = ways.setdefault(chunk.forward, _Way())
        if chunk.lost:
            yield from _given_up(way, chunk.forward, f"{chunk.lost} octets after it were lost")
        way.buffer += chunk.octets
        way.at = chunk.at
        if chunk.packet is not None:
            way.packets.append(chunk.packet)
        yield from _cut(way, chunk.forward, whole=line.whole)
        if line.whole:
            yield from _given_up(way, chunk.forward, "cut short")
    for forward, way in ways.items():
        if way.buffer.strip(_FLAG):
            yield from _given_up(way, forward, "the rest of it never came")
        for pair, frames in way.frames.items():
            if frames:
                yield Unit(
                    frames=tuple(frames), forward=forward, at=way.at, pair=pair,
                    head=f"HDLC {pair[0]} -> {pair[1]}",
                    problems=("segments of an APDU whose last one never came",),
                )  # fmt: skip


def _given_up(way: _Way, forward: bool | None, why: str) -> Iterator[Unit]:
    if way.buffer.strip(_FLAG):
        missing = _missing(way.buffer)
        yield _unit(way, forward, way.buffer, problem=f"{why}{missing}")
    way.buffer = b""


def _missing(octets: bytes) -> str:
    """What a frame that was cut short has announced."""
    if len(octets) >= HEADER.size and octets[:2] == b"\x00\x01":
        length = HEADER.unpack_from(octets)[3]
        return f": {HEADER.size + length} octets expected, {len(octets)} there"
    if octets[:1] == _FLAG and len(octets) > 2:
        length = announced_length(octets[1:3]) or 0
        return f": {length + 2} octets expected, {len(octets)} there"
    return ""


def _unit(
    way: _Way,
    forward: bool | None,
    octets: bytes,
    *,
    apdu: bytes = b"",
    pair: tuple[str, str] = ("", ""),
    head: str = "",
    problem: str = "",
) -> Unit:
    packets = tuple(dict.fromkeys(way.packets))
    way.packets = way.packets[-1:]
    problems = (problem,) if problem else ()
    return Unit(
        frames=(octets,), apdu=apdu, forward=forward, at=way.at, packets=packets, pair=pair,
        head=head, problems=problems,
    )  # fmt: skip


def _cut(way: _Way, forward: bool | None, *, whole: bool) -> Iterator[Unit]:
    while way.buffer:
        octets = way.buffer
        if octets[:1] == _FLAG:
            found = _hdlc(way, forward)
        elif octets[:2] == b"\x00\x01"[: len(octets)] and not (whole and is_apdu(octets)):
            found = _wrapper(way, forward)
        elif whole:
            way.buffer = b""
            found = _unit(way, forward, octets, apdu=octets)
        else:
            found = _noise(way, forward)
        if found is None:
            return
        yield found


def _wrapper(way: _Way, forward: bool | None) -> Unit | None:
    octets = way.buffer
    if len(octets) < HEADER.size:
        return None
    _, source, destination, length = HEADER.unpack_from(octets)
    size = HEADER.size + length
    if len(octets) < size:
        return None
    way.buffer = octets[size:]
    pair = (str(source), str(destination))
    problem = "" if length else "a WPDU without APDU"
    return _unit(
        way, forward, octets[:size], apdu=octets[HEADER.size : size], pair=pair,
        head=f"wPort {source} -> {destination}", problem=problem,
    )  # fmt: skip


def _noise(way: _Way, forward: bool | None) -> Unit:
    """To the next place where a frame may begin."""
    octets = way.buffer
    places = [at for at in (octets.find(_FLAG, 1), octets.find(b"\x00\x01\x00", 1)) if at > 0]
    stop = min(places, default=len(octets))
    way.buffer = octets[stop:]
    problem = f"{stop} octets that begin no frame: 7E, or {VERSION:04X} of a wrapper, expected"
    if octets[:2] in (b"/?",) or octets[:1] in (b"/", b"\x06"):
        end = octets.find(b"\r\n")
        if end >= 0:
            way.buffer = octets[end + 2 :]
            text = octets[:end].decode("latin-1")
            return _unit(way, forward, octets[: end + 2], head=f"mode E (IEC 62056-21) {text!r}")
    return _unit(way, forward, octets[:stop], problem=problem)


def _hdlc(way: _Way, forward: bool | None) -> Unit | None:
    octets = way.buffer
    begin = len(octets) - len(octets.lstrip(_FLAG))
    if len(octets) < begin + 2:
        return None
    length = announced_length(octets[begin : begin + 2])
    if length is None or length < MIN_LENGTH:
        stop = octets.find(_FLAG, begin)
        stop = len(octets) if stop < 0 else stop
        way.buffer = octets[stop:]
        if way.buffer == octets:
            way.buffer = b""
        return _unit(way, forward, octets[:stop], problem="no frame of type 3 behind a flag")
    stop = begin + length
    if len(octets) <= stop:
        return None
    if octets[stop] != FLAG:
        way.buffer = octets[begin:]
        problem = f"no flag at octet {stop} of the frame, but {octets[stop]:02X}"
        way.buffer = octets[stop:]
        return _unit(way, forward, octets[:stop], problem=problem)
    # The closing flag may open the next frame as well.
    way.buffer = octets[stop + 1 :] if octets[stop + 1 : stop + 2] == _FLAG else octets[stop:]
    return _frame(way, forward, _FLAG + octets[begin:stop] + _FLAG)


def _frame(way: _Way, forward: bool | None, octets: bytes) -> Unit:
    try:
        found = decode_frame(octets[1:-1])
    except CodecError as error:
        return _unit(way, forward, octets, head="HDLC", problem=str(error))
    pair = (str(found.source), str(found.destination))
    head = f"HDLC {pair[0]} -> {pair[1]}"
    if not isinstance(found, Frame):
        return _unit(
            way, forward, octets, pair=pair, head=head,
            problem=f"control field {found.octet:02X} is unknown",
        )  # fmt: skip
    control = found.control
    numbers = f" N(R)={control.receive}" if control.kind.is_numbered else ""
    numbers += f" N(S)={control.send}" if control.kind is Kind.I else ""
    head = f"{head} {control.kind.name}{numbers}{' P/F' * control.poll}"
    if control.kind not in (Kind.I, Kind.UI) or not found.information:
        return _unit(way, forward, octets, pair=pair, head=head)
    return _information(way, forward, found, octets, pair, head)


def _information(
    way: _Way,
    forward: bool | None,
    found: Frame,
    octets: bytes,
    pair: tuple[str, str],
    head: str,
) -> Unit:
    parts = way.segments.setdefault(pair, [])
    frames = way.frames.setdefault(pair, [])
    parts.append(found.information)
    frames.append(octets)
    unit = _unit(way, forward, octets, pair=pair, head=head)
    if found.segmented:
        held = sum(map(len, parts))
        return Unit(
            frames=(octets,), forward=forward, at=unit.at, packets=unit.packets, pair=pair,
            head=f"{head}, segment {len(parts)} of an APDU ({held} octets so far)",
        )  # fmt: skip
    way.segments[pair], way.frames[pair] = [], []
    whole = b"".join(parts)
    problem = ""
    if whole[: llc.LENGTH] not in (llc.COMMAND, llc.RESPONSE):
        problem = f"LLC header E6E600 or E6E700 expected, {whole[: llc.LENGTH].hex()} found"
        apdu = b""
    else:
        apdu = whole[llc.LENGTH :]
    direction = forward
    if direction is None and whole[: llc.LENGTH] in (llc.COMMAND, llc.RESPONSE):
        direction = whole[: llc.LENGTH] == llc.COMMAND
    several = f", {len(frames)} segments" if len(frames) > 1 else ""
    return Unit(
        frames=tuple(frames), apdu=apdu, forward=direction, at=unit.at, packets=unit.packets,
        pair=pair, head=f"{head}{several}", problems=(problem,) if problem else (),
    )  # fmt: skip
