"""Plain questions, by either way of naming things."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from dlms.association.config import CURRENT_ASSOCIATION
from dlms.axdr.data import Data, octet_string
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.read import ReadRequest
from dlms.xdlms.variable_access import VariableName
from emulator.conformance.cases.each import Row
from emulator.conformance.conversing.expect import data_of
from emulator.conformance.conversing.tree import Skipped
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

CURRENT_BASE_NAME = 0xFA00
"""The base name of the current association, whose attribute 1 is its logical name."""
OWN_NAME = octet_string(CURRENT_ASSOCIATION)

NOTHING_THERE = AttributeDescriptor(1, bytes.fromhex("00008D7F7FFF"), 2)
"""A Data object at 0-0:141.127.127.255: within a group of OBIS codes that no standard has given
out, so that nobody has it.
"""
OBJECT_LIST = AttributeDescriptor(15, CURRENT_ASSOCIATION, 2)
"""What is long in every device that goes by logical names."""

HLS_NEEDS = Conformance.ACTION
"""Some devices want it for pass 3, which by the book needs nothing negotiated (R-CONF-3)."""

Ask: TypeAlias = "Callable[[Trial], Awaitable[Seen]]"


def is_short(row: Row) -> bool:
    return row.context.name.startswith("SN")


def is_long(row: Row) -> bool:
    return not is_short(row)


def name_of(probe: Probe) -> ReadRequest | bytes:
    """A request for logical_name of the current association, which every association may read."""
    if probe.config.short_names:
        return ReadRequest((VariableName(name=CURRENT_BASE_NAME),))
    return probe.get_request(AttributeDescriptor(15, CURRENT_ASSOCIATION, 1)).encode()


async def own_name(probe: Probe, within: float | None = None) -> Seen:
    """Read it."""
    apdu = name_of(probe)
    octets = apdu if isinstance(apdu, bytes) else apdu.encode()
    return await probe.exchange(probe.protected(octets), within)


def wrong_name(seen: Seen) -> tuple[str, ...]:
    """What is wrong with an answer to :func:`own_name`; nothing if it is right."""
    return () if data_of(seen) == OWN_NAME else (f"a read of its logical name: {seen}",)


def is_own_name(data: Data) -> str:
    """For an expected value: what is wrong with it."""
    return "" if data == OWN_NAME else f"{data}, not 0000280000FF"


def no_short_names(trial: Trial) -> None:
    """:class:`Skipped` where nothing is served by short names."""
    if not any(map(is_short, trial.declaration.associations)):
        raise Skipped("no association by short names is declared")
