"""Association objects besides the current one, which our meters have not: of what they may say,
what can be read makes a row, and what cannot is said.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.axdr.data import Data, DataType
from dlms.security.control import Protection
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from emulator.client.errors import Refused
from emulator.client.objects import ObjectEntry
from emulator.conformance.declaration.drafting.findings import Look
from emulator.conformance.declaration.drafting.partners import (
    Seen,
    Setup,
    look_at,
    look_at_setup,
)
from emulator.conformance.declaration.drafting.rows import Row, besides, fault, secure

INSTANCE = bytes((0, 0, 40, 0, 3, 255))
SETUP = bytes((0, 0, 43, 0, 3, 255))


def number(value: int, kind: DataType = DataType.UNSIGNED) -> Data:
    return Data(kind, value)


def octets(value: bytes) -> Data:
    return Data(DataType.OCTET_STRING, value)


def structure(*values: Data) -> Data:
    return Data(DataType.STRUCTURE, values)


def arcs(last: int, kind: int) -> Data:
    return structure(*(number(one) for one in (2, 16, 6, 5, 8, kind, last)))


BITS = format(int(Conformance.GET | Conformance.SET), "024b")
SAYS: dict[int, Data] = {
    3: structure(number(5, DataType.INTEGER), number(2, DataType.LONG_UNSIGNED)),
    4: arcs(3, 1),
    5: structure(Data(DataType.BIT_STRING, BITS), *map(number, (200, 250, 6, 0)), octets(b"")),
    6: octets(Mechanism.HLS_GMAC.oid),
    8: number(0, DataType.ENUM),
    9: octets(SETUP),
    10: Data(DataType.ARRAY, (structure(number(4), octets(b"Ann")),)),
}
SETUP_SAYS: dict[int, Data] = {
    2: number(3, DataType.ENUM),
    3: number(0, DataType.ENUM),
    4: octets(b"MMM\0\0\0\0\1"),
    5: octets(b"ABC\0\0\0\0\1"),
}


class Meter(NamedTuple):
    """In the place of an open association: gives what is in ``says``, and refuses the rest."""

    says: dict[int, Data]

    async def get(self, what: tuple[int, bytes, int], *, raw: bool) -> Data:
        assert raw
        if what[2] not in self.says:
            raise Refused.by_result("read", DataAccessResult.READ_WRITE_DENIED)
        return self.says[what[2]]


def entry(version: int = 2, class_id: int = 15, instance: bytes = INSTANCE) -> ObjectEntry:
    return ObjectEntry(class_id, version, instance, {}, {})


async def seen(says: dict[int, Data], version: int = 2) -> Seen:
    meter: Any = Meter(says)
    return await look_at(Look(meter), entry(version))


async def setup(says: dict[int, Data], version: int = 0) -> Setup:
    meter: Any = Meter(says)
    return await look_at_setup(Look(meter), entry(version, 64, SETUP))


async def row_of(says: dict[int, Data]) -> Row:
    found = await seen(says)
    row, lacks = besides(found, INSTANCE)
    assert lacks == ""
    secure(row, found.setup, await setup(SETUP_SAYS), b"")
    return row


async def test_a_row() -> None:
    row = await row_of(SAYS)
    made = row.make()
    assert row.remark == "not opened; its object is 0-0:40.0.3.255, now non-associated"
    assert (made.name, made.client_sap, made.server_sap) == ("client5_server2", 5, 2)
    assert made.context is ApplicationContext.LN_CIPHERED
    assert made.mechanism is Mechanism.HLS_GMAC
    assert made.conformance == Conformance.GET | Conformance.SET
    assert (made.max_pdu_size, made.suite, made.users) == (200, 0, (4,))
    assert made.policy is Protection.BOTH
    assert made.own_title == b"MMM\0\0\0\0\1"
    assert made.security_setup == SETUP
    assert row.remarks["keys"].startswith("fill in: ")
    assert row.remarks["policy"] == "read from 0-0:43.0.3.255 attribute 2"
    assert fault(row) == ""


@pytest.mark.parametrize(
    ("attribute", "what"),
    [(3, "the SAPs"), (4, "the context"), (5, "the services"), (6, "the mechanism")],
)
@pytest.mark.parametrize("value", [None, number(1), structure(), octets(b"x"), arcs(77, 1)])
async def test_what_it_takes(attribute: int, what: str, value: Data | None) -> None:
    """Without it there is no row; what was refused, or makes no sense, is named."""
    says = {key: one for key, one in SAYS.items() if key != attribute}
    if value is not None:
        says[attribute] = value
    _, lacks = besides(await seen(says), INSTANCE)
    if attribute == 3 and value == arcs(77, 1):
        assert lacks == ""  # two numbers are there
        return
    first, second = lacks.splitlines()
    assert first == "0-0:40.0.3.255 is an association besides:"
    assert second.startswith(f"fill in: {what}, which could not be read from 0-0:40.0.3.255")
    if value is None:
        assert second.endswith(f"attribute {attribute} (read-write-denied)")


async def test_a_mechanism_of_no_octets_is_none() -> None:
    found = await seen({**SAYS, 6: octets(b"")})
    assert found.mechanism.value is Mechanism.NONE


async def test_a_sap_that_came_out_negative() -> None:
    found = await seen({**SAYS, 3: structure(number(-56, DataType.INTEGER), number(1))})
    assert found.partners.value == (200, 1)


async def test_versions_that_know_less() -> None:
    found = await seen(SAYS, version=0)
    assert found.setup.value is None
    assert found.setup.why == "version 0 has none"
    assert (await seen(SAYS, version=1)).users.why == "version 1 has none"


async def test_policy_of_version_1() -> None:
    assert (await setup({**SETUP_SAYS, 2: number(108)}, 1)).policy.value is Protection.BOTH
    signed = await setup({**SETUP_SAYS, 2: number(16)}, 1)
    assert signed.policy.value is Protection.SIGNED
    odd = await setup({**SETUP_SAYS, 2: number(1)}, 1)
    assert odd.policy.value is None
    assert "not used" in odd.policy.remark


async def test_a_setup_that_says_nothing() -> None:
    row, _ = besides(await seen(SAYS), INSTANCE)
    secure(row, (await seen(SAYS)).setup, await setup({}), b"")
    assert row.make().policy is Protection.NONE
    for key in ("policy", "suite"):
        assert row.remarks[key].startswith("fill in: could not be read from 0-0:43.0.3.255")
    assert row.remarks["own_title"].startswith("fill in: ")


async def test_a_setup_that_is_not_in_the_list() -> None:
    row, _ = besides(await seen(SAYS), INSTANCE)
    secure(row, (await seen(SAYS)).setup, None, b"")
    assert row.remarks["policy"] == "fill in: the Security setup is not in the list"


async def test_no_setup() -> None:
    says = {**SAYS, 4: arcs(1, 1), 6: octets(b""), 9: octets(bytes(6))}
    row, _ = besides(await seen(says), INSTANCE)
    secure(row, (await seen(says)).setup, None, b"")
    assert row.make().security_setup == b""
    assert "security_setup" not in row.remarks


async def test_a_suite_that_cannot_be() -> None:
    row = await row_of({**SAYS, 6: octets(Mechanism.HLS_ECDSA.oid)})
    assert fault(row) == "fill in: suite 0 has no key pairs, and the mechanism is HLS_ECDSA"
