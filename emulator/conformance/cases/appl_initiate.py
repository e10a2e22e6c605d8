"""APPL_OPEN_9, 11, 12, 13 and 14, and X_CONFORMANCE_BITS: what an InitiateRequest proposes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlms.xdlms.codes import InitiateError
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import DLMS_VERSION, MIN_PDU_SIZE, InitiateRequest
from emulator.conformance.cases.asking import OBJECT_LIST, own_name, wrong_name
from emulator.conformance.cases.each import (
    Row,
    asking_to_associate,
    first_amiss,
    on_each,
    visiting,
)
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import (
    accepted,
    any_of,
    found,
    initiate_error,
    pending,
)
from emulator.conformance.conversing.tree import Node
from emulator.conformance.probing.probe import After, Probe
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.trying.trial import Trial

_OTHER = InitiateError.OTHER
_TOO_LOW = InitiateError.DLMS_VERSION_TOO_LOW
_INCOMPATIBLE = InitiateError.INCOMPATIBLE_CONFORMANCE
_TOO_SHORT = InitiateError.PDU_SIZE_TOO_SHORT

ALL_BITS = Conformance(0xFFFFFF)
_BITS = 24
_QUALITIES = (0x00, 0x01, 0x7F, 0x80, 0xFF)
"""An Integer8: nought, one, the largest, the smallest and the last."""
_DEDICATED_LENGTH = 16


def proposing(**fields: Any) -> After:
    """An InitiateRequest with other fields."""

    def change(octets: bytes) -> bytes:
        return InitiateRequest.decode(octets)._replace(**fields).encode()

    return change


async def _reads(trial: Trial, row: Row, probe: Probe, seen: Seen) -> Sequence[str]:
    return wrong_name(await own_name(probe))


# Dedicated keys, quality, version ---------------------------------------------------------------


async def _dedicated(trial: Trial, row: Row) -> Seen:
    """That the key is not used shows in that a read without any goes on."""
    key = trial.rng.randbytes(_DEDICATED_LENGTH)
    ask = asking_to_associate(initiate=proposing(dedicated_key=key), look=_reads)
    return await ask(trial, row)


def _is_plain(row: Row) -> bool:
    return not row.context.ciphered


@conversation("APPL_OPEN_9")
def dedicated_key() -> Sequence[Node]:
    return (
        on_each(
            "dedicated",
            _dedicated,
            initiate_error(_OTHER),
            any_of("accepted", accepted(), pending()),
            which=_is_plain,
            what="without ciphering",
        ),
    )


async def _qualities(trial: Trial, row: Row) -> Seen:
    expect = accepted(), pending()
    seen = Seen.found()
    for quality in _QUALITIES:
        seen = await asking_to_associate(initiate=proposing(quality_of_service=quality))(trial, row)
        if first_amiss(trial, expect, seen):
            return seen.having(notes=(*seen.notes, f"quality of service {quality:02X}"))
    return seen


@conversation("APPL_OPEN_11")
def quality_of_service() -> Sequence[Node]:
    return (on_each("quality", _qualities, accepted(), pending()),)


async def _six(trial: Trial, row: Row, probe: Probe, seen: Seen) -> Sequence[str]:
    version = probe.accepted.version
    return () if version == DLMS_VERSION else (f"the version is {version}, not {DLMS_VERSION}",)


@conversation("APPL_OPEN_12")
def version_of_dlms() -> Sequence[Node]:
    return (
        on_each(
            "five",
            asking_to_associate(initiate=proposing(dlms_version=DLMS_VERSION - 1)),
            initiate_error(_TOO_LOW),
        ),
        on_each(
            "seven",
            asking_to_associate(initiate=proposing(dlms_version=DLMS_VERSION + 1), look=_six),
            accepted(),
            pending(),
            initiate_error(_TOO_LOW),
        ),
    )


# Conformance ------------------------------------------------------------------------------------


async def negotiated(trial: Trial, row: Row, proposed: Conformance) -> Seen:
    """The AARE to that proposal: ``within`` if what it has is in both, the AARE if it rejects."""
    async with visiting(trial, row, conformance=proposed) as probe:
        seen = await probe.associate()
    if not seen.facts.get("accepted") and not seen.problems:
        return seen
    # As numbers: the complement of an IntFlag lacks the bits that have no name.
    given = int(probe.conformance)
    needless = given & ~int(proposed)
    undeclared = given & int(proposed) & ~int(row.conformance)
    problems = list(seen.problems)
    if needless:
        problems.append(f"bits that were not proposed: {needless:06X}")
    if undeclared:
        problems.append(f"bits that were not declared: {undeclared:06X}")
    return Seen.found(problems, negotiated=f"{given:06X}")


async def _everything(trial: Trial, row: Row) -> Seen:
    return await negotiated(trial, row, ALL_BITS)


@conversation("APPL_OPEN_13")
def conformance() -> Sequence[Node]:
    return (
        on_each("unsupported", _everything, found("within")),
        on_each(
            "nothing",
            asking_to_associate(initiate=proposing(conformance=Conformance(0))),
            initiate_error(_INCOMPATIBLE),
        ),
    )


async def _each_bit(trial: Trial, row: Row) -> Seen:
    """``within`` if any bit was negotiated."""
    expect = found("within"), initiate_error(_INCOMPATIBLE)
    within: Seen | None = None
    seen = Seen.found()
    for number in range(_BITS):
        seen = await negotiated(trial, row, Conformance(1 << number))
        if first_amiss(trial, expect, seen):
            # The most significant of the 24 is bit 0 of the book.
            return seen.having(notes=(*seen.notes, f"bit {_BITS - 1 - number}"))
        if seen.what is What.FOUND:
            within = seen
    return seen if within is None else within


@conversation("X_CONFORMANCE_BITS")
def bits_of_conformance() -> Sequence[Node]:
    expect = found("within"), initiate_error(_INCOMPATIBLE)
    return (on_each("bits", _each_bit, *expect, few=True),)


# The longest APDU -------------------------------------------------------------------------------


def _size(octets: int) -> After:
    return proposing(client_max_receive_pdu_size=octets)


async def _twelve(trial: Trial, row: Row) -> Seen:
    """Whatever is asked then, no answer is longer; that much may well be too little for passes 3
    and 4, and for anything ciphered.
    """
    async with visiting(trial, row) as probe:
        seen = await probe.associate(initiate=_size(MIN_PDU_SIZE))
        if not seen.facts.get("accepted"):
            return seen
        said = []
        if probe.accepted.challenge:
            said.append(await probe.authenticate())
        if probe.is_open:
            said.append(await own_name(probe))
            if not probe.config.short_names:
                said.append(await probe.get(OBJECT_LIST))
        longest = max((len(one.octets) for one in said), default=0)
        if longest > MIN_PDU_SIZE:
            seen = seen.having(problems=(*seen.problems, f"an answer of {longest} octets"))
        return seen


def _of_size(name: str, octets: int) -> Node:
    return on_each(
        name, asking_to_associate(initiate=_size(octets), look=_reads), accepted(), pending()
    )


@conversation("APPL_OPEN_14")
def client_max_receive_pdu_size() -> Sequence[Node]:
    return (
        on_each(
            "eleven",
            asking_to_associate(initiate=_size(MIN_PDU_SIZE - 1)),
            initiate_error(_TOO_SHORT),
        ),
        on_each("twelve", _twelve, accepted(), pending()),
        _of_size("zero", 0),
        _of_size("largest", 0xFFFF),
    )
