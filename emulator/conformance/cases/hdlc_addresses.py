"""HDLC_ADDRESS_*: to whom frames are, and from whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dlms.framing.hdlc.address import ALL_STATION, CALLING_STATION, Address
from dlms.framing.hdlc.control import Kind
from dlms.framing.hdlc.frame import Frame
from emulator.conformance.cases.hdlc_opening import MOST_CLIENT, disconnected, harmed, hdlc_line
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import silence
from emulator.conformance.conversing.expect_frames import mirrored
from emulator.conformance.conversing.tree import Node, Pointless, Sender, step
from emulator.conformance.probing.hdlc_link import HdlcLink
from emulator.conformance.probing.raw_frame import RawFrame, wide_address
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

FIRST_FREE = 0x10
"""Lower addresses are reserved (GB Ed. 8, 8.4.2.4)."""


@conversation("HDLC_ADDRESS_P1")
def declared_form() -> Sequence[Node]:
    async def declared(trial: Trial) -> Seen:
        line = await hdlc_line(trial)
        await disconnected(trial)
        rows = [row for row in trial.declaration.associations if row.client_sap <= MOST_CLIENT]
        seen = Seen.silence(0.0)
        for pair in dict.fromkeys((row.client_sap, row.server_sap) for row in rows):
            link = line.link_between(pair)
            seen = await link.connect()
            if not link.is_up or not isinstance(seen.message, Frame):
                break
            if seen.message[:2] != (link.client, link.server):
                break
            await link.disconnect()
        return seen

    return (step("declared", declared, mirrored()),)


@conversation("HDLC_ADDRESS_N1")
def long_client() -> Sequence[Node]:
    def long(trial: Trial, link: HdlcLink) -> Sequence[RawFrame]:
        client = link.client.upper
        frame = link.raw(Kind.SNRM)
        return [frame._replace(source=wide_address(*two)) for two in ((0, client), (client, 0))]

    return (step("long-client", harmed(long), silence()),)


@conversation("HDLC_ADDRESS_N4")
def unknown_destination() -> Sequence[Node]:
    return (
        step("upper", _called(lambda trial, here: (_unknown_upper(trial), here.lower)), silence()),
        step("lower", _called(lambda trial, here: (here.upper, _unknown_lower(trial))), silence()),
        step("both", _called(lambda trial, _: (_unknown_upper(trial), _unknown_lower(trial))),
             silence()),
    )  # fmt: skip


def _called(address: Callable[[Trial, Address], tuple[int, int]]) -> Sender:
    """SNRM to another address of the declared form, made of the one that is there."""

    def other(trial: Trial, link: HdlcLink) -> Sequence[RawFrame]:
        upper, lower = address(trial, link.server)
        called = Address(upper, lower, link.server.octets)
        return [link.raw(Kind.SNRM)._replace(destination=called.encode())]

    return harmed(other)


def _unknown_upper(trial: Trial) -> int:
    declaration = trial.declaration
    there = {one.sap for one in declaration.logical_devices}
    there |= {one.server_sap for one in declaration.associations}
    return _free(trial, there)


def _unknown_lower(trial: Trial) -> int:
    hdlc = trial.declaration.hdlc
    if hdlc.address == 1:
        raise Pointless("an address of one octet has no lower part")
    return _free(trial, {hdlc.physical, CALLING_STATION[hdlc.address]})


def _free(trial: Trial, there: set[int]) -> int:
    last = ALL_STATION[trial.declaration.hdlc.address]
    while (drawn := trial.rng.randrange(FIRST_FREE, last)) in there:
        pass
    return drawn


@conversation("HDLC_ADDRESS_N6")
def one_octet() -> Sequence[Node]:
    def short(trial: Trial, link: HdlcLink) -> Sequence[RawFrame]:
        return [link.raw(Kind.SNRM)._replace(destination=wide_address(link.server.upper))]

    return (step("one-octet", harmed(short), silence()),)


@conversation("HDLC_ADDRESS_N7")
def odd_octets() -> Sequence[Node]:
    def three(trial: Trial, link: HdlcLink) -> Sequence[RawFrame]:
        upper, lower = link.server.upper, link.server.lower
        parts = (0, upper, lower & 0x7F), (upper, lower >> 7, lower & 0x7F)
        return [link.raw(Kind.SNRM)._replace(destination=wide_address(*one)) for one in parts]

    def five(trial: Trial, link: HdlcLink) -> Sequence[RawFrame]:
        parts = 0, *_fourteen(link.server.upper), *_fourteen(link.server.lower)
        return [link.raw(Kind.SNRM)._replace(destination=wide_address(*parts))]

    return (
        step("three-octets", harmed(three), silence()),
        step("five-octets", harmed(five), silence()),
    )


def _fourteen(value: int) -> tuple[int, int]:
    return value >> 7, value & 0x7F
