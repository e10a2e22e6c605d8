"""The fixtures of asynchronous tests, used as others would use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest_plugins = ["pytester"]

EVERYTHING = """
import datetime as dt
from decimal import Decimal

import pytest
from devices.alert_codes import Happening
from dlms.security.keys import KeyKind
from emulator.client import connect
from emulator.control.errors import ControlError
from emulator.policy import Actor


async def energy(meter, association="s1sp"):
    async with (
        connect(meter.host, meter.port) as client,
        client.associate(**meter.options(association)) as one,
    ):
        return await one.get("active_energy_import")


async def test_one_meter_of_each_manufacturer(sandbox, meter):
    assert list(sandbox.meters) == ["aclara", "honeywell_elster", "itron", "landis_gyr", "secure"]
    assert meter("secure").title == sandbox.meters["secure"].device.title
    with pytest.raises(ValueError, match=r"no meter 'laboratory'.*marker|profiles="):
        meter("laboratory")
    with pytest.raises(ValueError, match=r"ways=\\['hdlc'\\]"):
        meter("secure").hdlc_port


@pytest.mark.parametrize("association", ["s1sp", "dco"])
async def test_its_keys_are_right(meter, association):
    for name in ("aclara", "honeywell_elster", "itron", "landis_gyr", "secure"):
        assert str(await energy(meter(name), association)).endswith(" Wh")


async def test_a_password(meter):
    async with (
        connect(meter("secure").host, meter("secure").port) as client,
        client.associate(**meter("secure").options("reader")) as one,
    ):
        assert await one.get("logical_device_name")


async def test_tls_by_files(meter):
    import ssl
    secure = meter("secure")
    ca, certificate, key = secure.tls_files()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(ca)
    context.load_cert_chain(certificate, key)
    async with (
        connect(secure.host, secure.tls_port, tls=context) as client,
        client.associate(**secure.options("s1sp")) as one,
    ):
        assert await one.get("active_energy_import")
    assert {path.stat().st_mode & 0o077 for path in (key, key.parent)} == {0}


async def test_what_is_seen_of_it(meter, head_end):
    secure = meter("secure")
    assert (secure.relay, secure.happenings, secure.apdus) == ("disconnected", [], [])
    floor = secure.counters("dco").floor
    await head_end.instruct(secure, "arm_supply")
    assert secure.relay == "ready-for-reconnection"
    assert Happening.SUPPLY_ARMED in secure.happenings
    assert secure.counters("dco").floor > floor
    first = secure.apdus[0]
    assert (first.direction, first.association, first.shown[:2]) == ("<-", "public", "60")
    assert first.says == "AARQ context=LN mechanism=- title=-"
    asked = [text for text in secure.services if text.startswith("ActionRequest")]
    assert len(asked) == 1  # the Instruction, for HLS is none that its objects see
    assert any("glo-" in apdu.says for apdu in secure.apdus if apdu.association == "dco")
    assert meter("itron").events == []


async def test_mains(meter):
    secure = meter("secure")
    secure.power_off()
    with pytest.raises(Exception):
        await energy(secure)
    secure.power_on()
    assert await energy(secure)
    secure.reboot()
    kinds = [event.kind for event in await secure.wait_for("rebooted")]
    assert kinds == ["rebooted"]


async def test_keys_that_were_replaced(meter, head_end):
    secure = meter("secure")
    before = secure.keys("s1sp")
    await head_end.rotate(secure, [KeyKind.GUEK, KeyKind.GAK])
    after = secure.keys("s1sp")
    assert (before.guek != after.guek, before.gak != after.gak, before.kek == after.kek) == (
        True, True, True
    )
    assert secure.key_version("s1sp", KeyKind.GUEK) == 1
    assert await energy(secure)


async def test_a_fleet(meter, fleet, head_end, virtual_clock):
    three = await fleet("secure", 2) + await fleet("secure", 1)
    assert [one.name for one in three] == ["secure-1", "secure-2", "secure-3"]
    assert len({one.title for one in (*three, meter("secure"))}) == 4
    assert len({one.keys("s1sp").guek for one in (*three, meter("secure"))}) == 4
    before = [one.balance for one in three]
    await head_end.top_up(three[1], "2.50")
    grown = [one.balance - was for one, was in zip(three, before)]
    assert grown == [0, Decimal("2.50"), 0]
    await virtual_clock.advance(hours=13)  # midnight is among these hours
    assert [one.balance - was for one, was in zip(three, before)] == [
        Decimal("-0.25"), Decimal("2.25"), Decimal("-0.25")
    ]


async def test_time(virtual_clock, meter):
    assert virtual_clock.now() == dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
    await virtual_clock.advance(days=1, hours=2, minutes=3, seconds=4)
    assert virtual_clock.now() == dt.datetime(2026, 3, 2, 14, 3, 4, tzinfo=dt.UTC)
    await virtual_clock.to(dt.datetime(2026, 3, 3, tzinfo=dt.UTC))
    assert virtual_clock.now() == dt.datetime(2026, 3, 3, tzinfo=dt.UTC)


@pytest.mark.cosemlab(profiles=["secure"])
async def test_what_is_due_meanwhile_has_happened(virtual_clock, meter):
    secure = meter("secure")
    await virtual_clock.advance(days=4)
    assert Happening.DISABLEMENT_SUSPENDED in secure.happenings  # before anybody looks at it


async def test_a_fault(meter, faults):
    secure = meter("secure")
    fault = faults.set(secure, "overloaded", count=1)
    assert faults.active(secure) == (fault,)
    assert faults.active(meter("itron")) == ()
    with pytest.raises(Exception):
        await energy(secure)
    assert fault.is_over
    other = faults.set(secure, "silent", way="tls")
    assert await energy(secure)
    faults.clear()
    assert other.is_over
    with pytest.raises(ControlError, match="no fault"):
        faults.set(secure, "no-such-thing")


async def test_the_ledger(meter, head_end, ledger):
    assert len(ledger) == 0
    await head_end.top_up(meter("secure"), 20)
    made = ledger.entries(actor="S1SP", purpose="generate a Command to add credit")
    assert [(row["operation"], row["module_class"]) for row in made] == [
        ("Mac", "G2_45"), ("Seal", "G2_45")
    ]
    assert {row["time"][:10] for row in ledger.entries()} == {"2026-03-01"}
    assert ledger.count("actor", clause="G2.44(b)") == {("S1SP",): 1}
    assert {row["module_class"] for row in ledger.insufficient()} == {"LEVEL_3"}
    assert ledger.entries(after=len(ledger)) == []
    with pytest.raises(ValueError, match="no 'colour'"):
        ledger.entries(colour="red")


@pytest.mark.cosemlab(profiles=["laboratory"], ways=["udp", "hdlc", "line", "optical"])
class TestMarked:
    async def test_ways(self, meter):
        laboratory = meter("laboratory")
        ports = (laboratory.port, laboratory.tls_port, laboratory.hdlc_port)
        assert len(set(ports)) == 3
        assert laboratory.udp_port
        assert laboratory.line != laboratory.optical

    @pytest.mark.cosemlab(profiles=["secure", "secure_gas"])
    async def test_the_nearest_marker_goes_before(self, sandbox, meter):
        assert list(sandbox.meters) == ["secure", "secure_gas"]
        assert meter("secure").hdlc_port  # of the class
        assert meter("secure_gas").relay is not None

    async def test_every_association_of_it(self, meter):
        laboratory = meter("laboratory")
        for name in ("md5", "sha256", "suite1", "suite2", "ecdsa2", "small", "sn", "sn_ciphered"):
            async with (
                connect(laboratory.host, laboratory.port) as client,
                client.associate(**laboratory.options(name)),
            ):
                pass


KEYS = []


def drawn(meter, faults):
    secure = meter("secure")
    return secure.keys("s1sp").guek, faults.set(secure, "noisy").random.random()


@pytest.mark.cosemlab(seed=1)
async def test_a_seed(meter, faults):
    KEYS.append(drawn(meter, faults))


@pytest.mark.cosemlab(seed=1)
async def test_the_same_seed(meter, faults):
    KEYS.append(drawn(meter, faults))


@pytest.mark.cosemlab(seed=2)
async def test_another_seed(meter, faults):
    KEYS.append(drawn(meter, faults))
    assert KEYS[0] == KEYS[1]
    assert all(one != other for one, other in zip(KEYS[1], KEYS[2]))


PORTS = []


async def test_a_port(meter):
    PORTS.append(meter("secure").port)


async def test_it_is_closed(meter):
    import asyncio
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", PORTS[0])
"""

SCOPES = """
import asyncio

import pytest
from emulator.client import connect

LOOPS = {}


async def reads(meter, name):
    LOOPS.setdefault(name, []).append(asyncio.get_running_loop())
    async with connect(meter("secure").host, meter("secure").port) as client:
        async with client.associate(client_sap=16) as one:
            assert await one.get("logical_device_name")


@pytest.mark.asyncio
async def test_default(meter):
    await reads(meter, "default")


@pytest.mark.asyncio(loop_scope="module")
async def test_module(meter):
    await reads(meter, "module")


@pytest.mark.asyncio(loop_scope="module")
async def test_module_again(meter):
    await reads(meter, "module")
    first, second = LOOPS["module"]
    assert first is second


@pytest.mark.asyncio(loop_scope="session")
async def test_session(meter, head_end):
    await reads(meter, "session")
    await head_end.top_up(meter("secure"), 1)


@pytest.mark.asyncio(loop_scope="class")
class TestClass:
    async def test_class(self, meter):
        await reads(meter, "class")

    async def test_class_again(self, meter):
        await reads(meter, "class")
        first, second = LOOPS["class"]
        assert first is second
"""

MISUSED = """
import pytest


def test_sync(meter):
    raise AssertionError("is never begun")


@pytest.mark.cosemlab(profiles=["nobody"])
async def test_profile(meter):
    raise AssertionError("is never begun")


@pytest.mark.cosemlab(profile=["secure"])
async def test_word(meter):
    raise AssertionError("is never begun")


@pytest.mark.cosemlab("secure")
async def test_position(meter):
    raise AssertionError("is never begun")


@pytest.mark.cosemlab(profiles="secure")
async def test_text(meter):
    raise AssertionError("is never begun")


@pytest.mark.cosemlab(ways=["carrier-pigeon"])
async def test_way(meter):
    raise AssertionError("is never begun")


@pytest.mark.cosemlab(at="noon")
def test_time(live_meter):
    raise AssertionError("is never begun")
"""


def test_each_fixture_does_what_it_says(run_pytest: Callable[..., Any]) -> None:
    result = run_pytest({"test_all.py": EVERYTHING})
    result.assert_outcomes(passed=21)


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        ("strict", ""),
        ("auto", ""),
        ("strict", "asyncio_default_test_loop_scope = session"),
    ],
)
def test_in_whatever_loop_the_test_is(run_pytest: Callable[..., Any], mode: str, more: str) -> None:
    result = run_pytest({"test_scopes.py": SCOPES}, mode=mode, more=more)
    result.assert_outcomes(passed=6)


def test_what_is_not_right_is_said_in_a_line(run_pytest: Callable[..., Any]) -> None:
    result = run_pytest({"test_misused.py": MISUSED})
    result.assert_outcomes(errors=7)
    result.stdout.fnmatch_lines(
        [
            "*test_sync: this test is not asynchronous*live_sandbox*",
            "*'nobody'*no such profile; there are: aclara*",
            "*test_word: marker cosemlab has no 'profile'; it has profiles, ways, seed, at",
            "*test_position: marker cosemlab has keywords only*",
            "*test_text: marker cosemlab profiles is a list, not 'secure'",
            "*no way 'carrier-pigeon'; there are udp, hdlc, line, optical*",
            "*test_time: marker cosemlab at='noon' is no time in ISO 8601",
        ]
    )
    result.stdout.no_fnmatch_line("*is never begun*Error*")
    result.stdout.no_fnmatch_line("*Traceback*")
