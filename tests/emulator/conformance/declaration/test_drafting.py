"""Drafts from live meters: what they say of themselves is what is declared of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dlms.security.counters import InvocationCounters
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client import Client
from emulator.conformance.declaration import Declaration, key_file, parse, render
from emulator.conformance.declaration.drafting import Draft, Given, draft
from emulator.conformance.declaration.model import DeclaredAssociation, WayKind
from emulator.conformance.declaration.opening import options
from emulator.conformance.declaration.rendering import FILL_IN
from emulator.conformance.declaration.routes import route
from emulator.sandbox import Sandbox

Declared = Callable[..., Declaration]
PATIENCE = 120.0


def given(declaration: Declaration, one: DeclaredAssociation) -> Given:
    return Given(
        name="dut",
        way=declaration.way,
        hdlc=declaration.hdlc,
        association=one.name,
        client_sap=one.client_sap,
        server_sap=one.server_sap,
        context=one.context,
        mechanism=one.mechanism,
        suite=one.suite,
        protection=one.policy,
        keys=one.keys,
        key_file=declaration.key_file,
        own_title=one.own_title,
        counter_from=one.counter_from,
    )


async def drafted(declaration: Declaration, *names: str) -> dict[str, Draft]:
    """A draft through each of the associations."""
    keys, counters = key_file.of(declaration), InvocationCounters()
    found = {}
    where = route(declaration.way, declaration.hdlc, declaration.timing)
    async with Client(where, PATIENCE) as client:
        for name in names:
            one = declaration.association(name)
            how = options(declaration, one, keys[name], counters)
            async with client.associate(**how) as association:
                found[name] = await draft(association, given(declaration, one))
    return found


async def test_as_the_public_client(everywhere: Sandbox, declared: Declared) -> None:
    declaration = declared(everywhere, "secure")
    made = (await drafted(declaration, "public"))["public"]
    (row,) = made.declaration.associations
    assert row == declaration.association("public")
    assert made.declaration.logical_devices == declaration.logical_devices
    remarks = made.remarks
    assert remarks["associations", "public", "conformance"] == (
        "read from 0-0:40.0.0.255 attribute 5"
    )
    assert "now associated" in remarks["associations", "public"]
    assert remarks["logical_devices", "1"] == "read from 0-0:41.0.0.255 attribute 2"
    assert remarks["title",].startswith(FILL_IN)
    text = render(made.declaration, remarks)
    assert parse(text) == made.declaration
    assert "# title: fill in: the meter's system title" in text
    assert "TODO" not in text


async def test_every_association(everywhere: Sandbox, declared: Declared) -> None:
    """What is drafted of an association that was opened is what its profile says of it."""
    declaration = declared(everywhere, "laboratory")
    names = [one.name for one in declaration.associations]
    for name, made in (await drafted(declaration, *names)).items():
        row, right = made.declaration.association(name), declaration.association(name)
        for key in ("client_sap", "server_sap", "context", "mechanism", "conformance", "suite",
                    "max_pdu_size", "policy", "keys", "own_title"):  # fmt: skip
            assert getattr(row, key) == getattr(right, key), (name, key)
        if row.security_setup:
            assert row.security_setup == right.security_setup
        assert parse(render(made.declaration, made.remarks)) == made.declaration
        if right.own_title:
            assert made.declaration.title == declaration.title
            assert made.remarks["title",] == "as the AARE says"


async def test_with_keys_over_hdlc(everywhere: Sandbox, declared: Declared) -> None:
    declaration = declared(everywhere, "secure", WayKind.HDLC)
    made = (await drafted(declaration, "dco"))["dco"]
    row = made.declaration.association("dco")
    assert row.security_setup == bytes((0, 0, 43, 0, 2, 255))
    assert row.policy == declaration.association("dco").policy
    remarks = made.remarks
    assert remarks["associations", "dco", "policy"] == "read from 0-0:43.0.2.255 attribute 2"
    hdlc, right = made.declaration.hdlc, declaration.hdlc
    assert (hdlc.transmit, hdlc.receive) == (256, 256)
    assert (hdlc.window_transmit, hdlc.window_receive) == (3, 3)
    assert (hdlc.address, hdlc.physical, hdlc.inactivity) == (4, right.physical, 120.0)
    assert hdlc.inter_octet == 0.025
    assert remarks["image",].startswith(FILL_IN)  # there is an Image transfer
    assert remarks["hdlc", "transmit"] == "read from 0-0:22.0.0.255 attribute 5"
    assert made.declaration.features["clock"]
    assert remarks["features", "clock"] == (
        "clock is in the object list, and attribute 2 may be written"
    )


async def test_the_title_from_a_security_setup(everywhere: Sandbox, declared: Declared) -> None:
    """An AARE without ciphering says none."""
    declaration = declared(everywhere, "laboratory")
    profile = everywhere.meters["laboratory"].device.profile
    setup = profile.objects[bytes((0, 0, 43, 0, 2, 255))]
    setup.rights["reader"] = setup.rights["dco"]
    try:
        made = (await drafted(declaration, "reader"))["reader"]
    finally:
        del setup.rights["reader"]
    assert made.declaration.title == declaration.title
    assert made.remarks["title",] == "read from 0-0:43.0.2.255 attribute 5"


async def test_hdlc_without_its_object(everywhere: Sandbox, declared: Declared) -> None:
    declaration = declared(everywhere, "laboratory", WayKind.HDLC)
    made = (await drafted(declaration, "public"))["public"]
    assert made.declaration.hdlc == declaration.hdlc  # as it was called
    assert made.remarks["hdlc", "transmit"] == (
        "fill in: there is no IEC HDLC setup in the object list"
    )


@pytest.mark.parametrize("kind", [WayKind.TCP, WayKind.UDP])
async def test_the_port_may_be_that_of_a_gateway(
    everywhere: Sandbox, declared: Declared, kind: WayKind
) -> None:
    declaration = declared(everywhere, "laboratory", kind)
    found = await drafted(declaration, "dco", "public")
    remark = found["dco"].remarks["way", "port"]
    assert remark == "as it was called; 0-0:25.0.0.255 attribute 2 says 4059"
    assert "no TCP-UDP setup" in found["public"].remarks["way", "port"]


async def test_what_nobody_can_see(everywhere: Sandbox, declared: Declared) -> None:
    made = (await drafted(declared(everywhere, "secure"), "public"))["public"]
    assert made.declaration.writes == ()
    for key in ("writes", "exclusions", "expected"):
        assert made.remarks[key,].startswith(FILL_IN)
    assert made.remarks["features", "key.transfer"].startswith(FILL_IN)


async def test_a_refusal_is_a_remark(everywhere: Sandbox, declared: Declared) -> None:
    """The reader may not read the Security setup of others; whoever cannot read a list says so."""
    declaration = declared(everywhere, "laboratory")
    keys, counters = key_file.of(declaration), InvocationCounters()
    where = route(declaration.way, declaration.hdlc, declaration.timing)
    device = everywhere.meters["laboratory"].device
    row = device.profile.objects[bytes((0, 0, 40, 0, 0, 255))]
    one = declaration.association("reader")
    rights = row.rights.pop("reader")
    try:
        async with Client(where, PATIENCE) as client:
            how = options(declaration, one, keys["reader"], counters)
            async with client.associate(**how) as association:
                made = await draft(association, given(declaration, one))
                assert await association.get(AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2))
    finally:
        row.rights["reader"] = rights
    assert made.remarks["associations",].startswith("fill in: there was no object list")
    (found,) = made.declaration.associations
    assert found.conformance == one.conformance
    assert made.remarks["associations", "reader", "conformance"] == "as the AARE agreed to"
    assert parse(render(made.declaration, made.remarks)) == made.declaration
