"""Bits are flipped, anywhere or in a part of a message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dlms.errors import CodecError
from dlms.security.ciphered import decode_ciphered, is_ciphered
from dlms.security.control import Protection
from dlms.security.general_ciphering import GENERAL_CIPHERING, decode_general_ciphering
from dlms.security.ops import TAG_LENGTH
from emulator.faults.fault import Fault
from emulator.faults.kind import Kind
from emulator.faults.kinds.parameters import ASSOCIATION, choice, direction, whole
from emulator.serving.taps import WAYS, Parcel, Place

ANYWHERE, WRAPPER, TAG = "anywhere", "wrapper-header", "apdu-tag"
CIPHERTEXT, AUTHENTICATION = "ciphertext", "authentication-tag"
PARTS = (ANYWHERE, WRAPPER, TAG, CIPHERTEXT, AUTHENTICATION)
_HEADER = 8
_WRAPPED = ("tcp", "tls", "udp")


def part_of(octets: bytes, part: str) -> range:
    """The octets of a part; empty if there is no such part."""
    size = len(octets)
    if part == ANYWHERE:
        return range(size)
    if part == WRAPPER:
        return range(min(_HEADER, size))
    if part == TAG:
        return range(min(1, size))
    control, body = _protected(octets)
    split = size - TAG_LENGTH if control & Protection.AUTHENTICATED else size
    if part == AUTHENTICATION:
        return range(split, size)
    return range(size - body, split) if control & Protection.ENCRYPTED else range(0)


def _protected(apdu: bytes) -> tuple[int, int]:
    """Security control, and octets of what is protected; nothing of an APDU in clear."""
    tag = apdu[0] if apdu else -1
    try:
        if tag == GENERAL_CIPHERING:
            general = decode_general_ciphering(apdu)
            return general.control, len(general.body)
        if is_ciphered(tag):
            ciphered = decode_ciphered(apdu)
            return ciphered.control, len(ciphered.body)
    except CodecError:
        pass
    return 0, 0


def corrupt(fault: Fault) -> None:
    part, direction = fault["part"], fault["direction"]

    def flip(parcel: Parcel) -> Iterable[Parcel]:
        within = part_of(parcel.octets, part)
        if not within:
            return (parcel,)
        octets = bytearray(parcel.octets)
        bits = min(fault["bits"], 8 * len(within))
        for bit in fault.random.sample(range(8 * within.start, 8 * within.stop), bits):
            octets[bit // 8] ^= 1 << bit % 8
        fault.has_acted(f"{bits} bits of {len(octets)} octets flipped, {direction}", parcel)
        return (parcel._replace(octets=bytes(octets)),)

    on_octets = part in (ANYWHERE, WRAPPER)
    inward = Place.OCTETS_IN if on_octets else Place.APDU_IN
    outward = Place.OCTETS_OUT if on_octets else Place.APDU_OUT
    fault.tap(inward if direction == "in" else outward, flip)


def _ways(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    return _WRAPPED if parameters["part"] == WRAPPER else WAYS


KINDS = (
    Kind(
        name="corruption",
        place="APDU or octets, in or out",
        help="bits of a message are flipped",
        seen="what does not decode or verify; in the wrapper's header, a stream that is lost. HDLC"
        " repeats frames whose check sequence is wrong",
        begin=corrupt,
        parameters=(
            direction(),
            choice("part", PARTS, ANYWHERE, "where; a message without such a part is left alone"),
            whole("bits", 1, 1024, 1, "bits", "how many, different ones"),
            ASSOCIATION,
        ),
        ways=_ways,
    ),
)
