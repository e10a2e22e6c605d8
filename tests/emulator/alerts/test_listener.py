"""The head end's listener, and whoever calls it: meters, and what says it is one."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.device import Device
from devices.history import Alert
from devices.profile import load
from dlms.association.server import ServerAssociation
from dlms.axdr.data import octet_string, structure, unsigned
from dlms.axdr.datetimes import CosemDateTime
from dlms.framing import Wpdu
from dlms.security.control import Protection
from dlms.security.drive import run
from dlms.security.ops import OperationRefused
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.event_notification import EventNotification
from dlms.xdlms.long_invoke import CONFIRMED
from emulator.custody import Mode
from emulator.head_end.alerts import Smets1Alert
from emulator.head_end.party import client_titles
from emulator.journal import StoreError
from emulator.ledger import LedgerError, Outcome
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.provisioning import registered_titles
from emulator.seen_alerts import MAX_SEEN, SeenAlerts
from tls.contexts import client_context

PATIENCE = 120.0
SERIALS = {"aclara": 1, "honeywell_elster": 2, "itron": 3, "landis_gyr": 4, "secure": 5}


class Meter:
    """A meter that a test lets call, with all it takes to do it wrong."""

    def __init__(self, name: str, fleet_secret: bytes, covers: list[Alert], pki: Any) -> None:
        profile = load(name)
        titles = registered_titles(profile, client_titles())
        self.device = Device(profile, SERIALS[name], client_titles=titles)
        self.device.state.alerts.update(enumerate(covers, 1))
        self.execute = SoftwareModule(KeyRing(fleet_secret)).execute
        self.row = profile.associations["alerts"]
        self.pair = self.row.config.client_sap, self.row.config.server_sap
        self.credential = pki.issue_client(self.device.title, "a meter")
        self.pki = pki

    def association(self, **changes: Any) -> ServerAssociation:
        offer = self.device.offer(self.row)
        return ServerAssociation(offer._replace(config=replace(offer.config, **changes)))

    def sealed(self, number: int = 1, what: Any = None, **changes: Any) -> bytes:
        plan = self.device.alert_plan()
        assert plan is not None
        told = what or self.device.alert(number, plan)
        octets: bytes = run(self.association(**changes).notify(told), self.execute)
        return octets


class Call:
    """A connection to the listener."""

    def __init__(self, reader: Any, writer: Any, pair: tuple[int, int]) -> None:
        self.reader = reader
        self.writer = writer
        self.pair = pair

    def send(self, apdu: bytes, pair: tuple[int, int] | None = None) -> None:
        client_sap, server_sap = pair or self.pair
        self.writer.write(Wpdu(server_sap, client_sap, apdu).encode())

    async def answer(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            header = await self.reader.readexactly(8)
            octets: bytes = await self.reader.readexactly(int.from_bytes(header[6:], "big"))
            return octets

    async def closed(self) -> None:
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError, ssl.SSLError):
                assert await self.reader.read() == b""

    async def end(self) -> None:
        self.writer.close()
        with suppress(OSError, ssl.SSLError):
            await self.writer.wait_closed()


@pytest.fixture
def make_meter(fleet_secret: bytes, covers: Any, pki: Any) -> Callable[..., Meter]:
    return lambda name="secure", count=2: Meter(name, fleet_secret, covers(count), pki)


@pytest.fixture
async def call(pki: Any) -> Any:
    calls: list[Call] = []

    async def start(listener: Any, meter: Meter, credential: Any = None) -> Call:
        context = client_context(credential or meter.credential, pki.trust())
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, ssl=context)
        calls.append(Call(reader, writer, meter.pair))
        return calls[-1]

    yield start
    for one in calls:
        await one.end()


async def test_a_meter_calls(start_listener: Any, make_meter: Any, call: Any, heard: Any) -> None:
    meter = make_meter()
    async with start_listener() as listener:
        one = await call(listener, meter)
        for number in (1, 2):
            one.send(meter.sealed(number))
            event = run(meter.association().receive(await one.answer()), meter.execute)
            assert event.confirmation.long_invoke == CONFIRMED | number
    assert [alert.number for alert in heard.alerts] == [1, 2]


async def test_one_that_ends_hands_on_nothing_more(
    start_listener: Any, make_meter: Any, call: Any, heard: Any
) -> None:
    """What it has handed on it confirms; the rest stays with the meter."""
    meter = make_meter()
    async with start_listener() as listener:
        listener._on_alert = lambda alert: (heard.alert(alert), listener.end())
        one = await call(listener, meter)
        one.send(meter.sealed(1))
        await one.answer()
        one.send(meter.sealed(2))
        await one.closed()
    assert [alert.number for alert in heard.alerts] == [1]
    async with start_listener() as listener:
        one = await call(listener, meter)
        one.send(meter.sealed(2))
        await one.answer()
    assert [alert.number for alert in heard.alerts] == [1, 2]


async def test_what_is_said_twice_is_handed_on_once(
    start_listener: Any, make_meter: Any, call: Any, heard: Any
) -> None:
    """Each time under a new counter: it is no replay, and is confirmed. In any listener."""
    meter = make_meter()
    for _ in range(2):
        async with start_listener() as listener:
            for _ in range(2):
                one = await call(listener, meter)
                one.send(meter.sealed(1))
                await one.answer()
    assert [alert.number for alert in heard.alerts] == [1]


async def test_the_same_number_at_another_time_is_another_alert(
    start_listener: Any, make_meter: Any, call: Any, heard: Any, covers: Any
) -> None:
    """A meter that has lost its memory counts anew."""
    meter = make_meter()
    async with start_listener() as listener:
        one = await call(listener, meter)
        one.send(meter.sealed(1))
        await one.answer()
        meter.device.state.alerts[1] = Alert(0x8F74, covers(9)[0].moment)
        one.send(meter.sealed(1))
        await one.answer()
    assert [alert.number for alert in heard.alerts] == [1, 1]


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_replay_is_refused(
    start_listener: Any, make_meter: Any, call: Any, heard: Any, restarted: bool
) -> None:
    meter = make_meter()
    octets = meter.sealed(1)
    async with start_listener() as listener:
        one = await call(listener, meter)
        one.send(octets)
        await one.answer()
        if not restarted:
            one.send(octets)
            await one.closed()
    if restarted:
        async with start_listener() as listener:
            one = await call(listener, meter)
            one.send(octets)
            await one.closed()
            await heard.wait(said=1)
    (said,) = heard.said
    assert (said.kind, len(heard.alerts)) == ("alert-refused", 1)
    assert "below" in said.text


async def refused(listener: Any, call: Any, heard: Any, meter: Any, *apdus: bytes) -> str:
    one = await call(listener, meter)
    for apdu in apdus:
        one.send(apdu)
    await one.closed()
    await heard.wait(said=1)
    assert heard.alerts == []
    (said,) = heard.said
    assert said.kind == "alert-refused"
    text: str = said.text
    return text


async def test_an_alert_of_another_meter(
    start_listener: Any, make_meter: Any, call: Any, heard: Any
) -> None:
    """A meter cannot tell what another one has recorded, or has given it."""
    meter, other = make_meter("secure"), make_meter("itron")
    async with start_listener() as listener:
        assert "title" in await refused(listener, call, heard, meter, other.sealed(1))


async def test_the_title_in_it_is_changed(
    start_listener: Any, make_meter: Any, call: Any, heard: Any
) -> None:
    meter, other = make_meter("secure"), make_meter("itron")
    octets = other.sealed(1).replace(other.device.title, meter.device.title)
    async with start_listener() as listener:
        await refused(listener, call, heard, meter, octets)


async def test_a_changed_octet(start_listener: Any, make_meter: Any, call: Any, heard: Any) -> None:
    meter = make_meter()
    octets = bytearray(meter.sealed(1))
    octets[-1] ^= 0x80
    async with start_listener() as listener:
        await refused(listener, call, heard, meter, bytes(octets))
        heard.said.clear()
        one = await call(listener, meter)  # its counter has not moved anything
        octets[-1] ^= 0x80
        one.send(bytes(octets))
        await one.answer()
    assert len(heard.alerts) == 1


async def test_an_unprotected_alert(
    start_listener: Any, make_meter: Any, call: Any, heard: Any
) -> None:
    meter = make_meter()
    plan = meter.device.alert_plan()
    async with start_listener() as listener:
        plain = meter.device.alert(1, plan).encode()
        assert "plain APDU" in await refused(listener, call, heard, meter, plain)


async def test_protected_less_than_the_profile_demands(
    start_listener: Any, make_meter: Any, call: Any, heard: Any
) -> None:
    meter = make_meter()
    octets = meter.sealed(1, policy=Protection.ENCRYPTED)
    async with start_listener() as listener:
        assert "less than" in await refused(listener, call, heard, meter, octets)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (unsigned(1), "has 0 elements, not 5"),
        (structure(unsigned(1)), "has 1 elements, not 5"),
        (structure(*(octet_string(b"x") for _ in range(5))), "has no alert code"),
        (
            structure(*(octet_string(b"x") for _ in range(3)), unsigned(1), octet_string(b"x")),
            "argument that is no number",
        ),
    ],
)
async def test_something_else_than_the_push_setup_says(
    start_listener: Any, make_meter: Any, call: Any, heard: Any, body: Any, why: str
) -> None:
    meter = make_meter()
    told = DataNotification(CONFIRMED | 1, body, bytes.fromhex("07E3031A020C000000000000"))
    async with start_listener() as listener:
        assert why in await refused(listener, call, heard, meter, meter.sealed(what=told))


@pytest.mark.parametrize("date_time", [b"", bytes(12)])
async def test_an_alert_without_a_time(
    start_listener: Any, make_meter: Any, call: Any, heard: Any, date_time: bytes
) -> None:
    meter = make_meter()
    good = meter.device.alert(1, meter.device.alert_plan())
    told = good._replace(date_time=date_time)
    async with start_listener() as listener:
        await refused(listener, call, heard, meter, meter.sealed(what=told))


async def test_an_event_notification(
    start_listener: Any, make_meter: Any, call: Any, heard: Any
) -> None:
    meter = make_meter()
    event = EventNotification(AttributeDescriptor(8, bytes(6), 2), unsigned(1))
    both = Conformance.EVENT_NOTIFICATION | meter.row.config.conformance
    octets = meter.sealed(what=event, conformance=both)
    async with start_listener() as listener:
        assert "not negotiated" in await refused(listener, call, heard, meter, octets)


async def test_between_other_saps_nothing_is_heard(
    start_listener: Any, make_meter: Any, call: Any, heard: Any
) -> None:
    meter = make_meter()
    async with start_listener() as listener:
        one = await call(listener, meter)
        one.send(meter.sealed(1), (2, 1))
        one.send(meter.sealed(2))
        await one.answer()
    assert [alert.number for alert in heard.alerts] == [2]


async def test_a_silent_meter_is_hung_up_on(
    start_listener: Any,
    make_meter: Any,
    call: Any,
    heard: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("emulator.head_end.listener.IDLE_TIMEOUT", 0.01)
    async with start_listener() as listener:
        one = await call(listener, make_meter())
        await one.closed()
        await heard.wait(said=1)
    assert [said.kind for said in heard.said] == ["inactive"]


# Who calls --------------------------------------------------------------------------------------


async def turned_away(listener: Any, heard: Any, context: ssl.SSLContext) -> str:
    with suppress(OSError, ssl.SSLError):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, ssl=context)
        with suppress(OSError, ssl.SSLError):
            assert await reader.read() == b""
        writer.close()
        with suppress(OSError, ssl.SSLError):
            await writer.wait_closed()
    await heard.wait(said=1)
    (said,) = heard.said
    assert said.kind == "handshake-failed"
    text: str = said.text
    return text


async def test_a_party_is_no_meter(
    start_listener: Any, heard: Any, pki: Any, credentials: Any, ledger: Any
) -> None:
    for credential in credentials.values():
        async with start_listener() as listener:
            context = client_context(credential, pki.trust())
            assert "wrong-identity" in await turned_away(listener, heard, context)
        heard.said.clear()
    assert len(ledger) == 0


async def test_a_meter_that_nobody_knows(start_listener: Any, heard: Any, pki: Any) -> None:
    unknown = pki.issue_client(load("secure").system_title(99), "unknown")
    async with start_listener() as listener:
        context = client_context(unknown, pki.trust())
        assert "wrong-identity" in await turned_away(listener, heard, context)


async def test_a_meter_of_another_pki(
    start_listener: Any, heard: Any, pki: Any, other_pki: Any, make_meter: Any
) -> None:
    stranger = other_pki.issue_client(make_meter().device.title, "stranger")
    async with start_listener() as listener:
        context = client_context(stranger, pki.trust())
        assert "unknown-ca" in await turned_away(listener, heard, context)


async def test_nobody_without_a_certificate(
    start_listener: Any, heard: Any, pki: Any, make_meter: Any
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=pki.trust().roots_pem.decode())
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with start_listener() as listener:
        assert "no-client-certificate" in await turned_away(listener, heard, context)


# Policy and files -------------------------------------------------------------------------------


async def test_enforced_there_is_no_listener(start_listener: Any, ledger: Any) -> None:
    """TLS with a DCC Private Key is Level 3, and OpenSSL in this process is not (G2.44(b))."""
    with pytest.raises(OperationRefused, match=r"G2.44\(b\)"):
        async with start_listener(mode=Mode.ENFORCE):
            raise AssertionError("it listens")
    (entry,) = ledger
    assert (entry.operation, entry.outcome) == ("TLS handshake", Outcome.REFUSED)


async def test_what_is_confirmed_is_written_down(
    start_listener: Any, make_meter: Any, call: Any, ledger: Any, monkeypatch: Any
) -> None:
    """Before the confirmation goes out, with which the meter strikes the alert off."""
    flushed: list[list[str]] = []

    async def note() -> None:
        flushed.append([entry.operation for entry in ledger])

    monkeypatch.setattr(ledger, "flushed", note)
    async with start_listener() as listener:
        meter = make_meter()
        calling = await call(listener, meter)
        calling.send(meter.sealed())
        await calling.answer()
        assert flushed == [["TLS handshake", "Open", "Seal"]]


async def test_what_cannot_be_written_down_is_not_confirmed(
    start_listener: Any, make_meter: Any, call: Any, heard: Any, ledger: Any, monkeypatch: Any
) -> None:
    async def fail() -> None:
        raise LedgerError("no room")

    monkeypatch.setattr(ledger, "flushed", fail)
    async with start_listener() as listener:
        meter = make_meter()
        calling = await call(listener, meter)
        calling.send(meter.sealed())
        await calling.closed()
    assert [(told.kind, told.text) for told in heard.said] == [("ledger-failed", "no room")]


async def test_a_handshake_that_cannot_be_written_down(
    start_listener: Any, make_meter: Any, call: Any, heard: Any, ledger: Any, monkeypatch: Any
) -> None:
    """It stands by then; nothing is done on it."""

    def fail(**_: Any) -> None:
        raise LedgerError("no room")

    async with start_listener() as listener:
        monkeypatch.setattr(ledger, "append", fail)
        meter = make_meter()
        calling = await call(listener, meter)
        calling.send(meter.sealed())
        await calling.closed()
    assert {(told.kind, told.text) for told in heard.said} == {("ledger-failed", "no room")}
    assert len(heard.said) == 2
    assert heard.alerts == []


def an_alert(number: int, meter: Any) -> Smets1Alert:
    time = CosemDateTime(year=2019, month=3, day=26, hour=12, minute=0, second=0)
    return Smets1Alert(meter, "secure", 0x8F74, time, 0, number)


def test_what_was_seen_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "seen.json"
    one, other = b"ABC\0\0\0\0\1", b"ABC\0\0\0\0\2"
    with SeenAlerts(path) as seen:
        assert not seen.has(an_alert(1, one))
        for number in range(1, MAX_SEEN + 2):
            seen.add(an_alert(number, one))
        assert seen.has(an_alert(2, one))
    assert path.stat().st_mode & 0o777 == 0o600
    with SeenAlerts(path) as seen:
        assert not seen.has(an_alert(1, one))  # too long ago
        assert all(seen.has(an_alert(number, one)) for number in range(2, MAX_SEEN + 2))
        assert not seen.has(an_alert(2, other))
        assert not seen.has(an_alert(2, one)._replace(time=an_alert(2, one).time.__class__()))


def test_one_listener_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "seen.json"
    with SeenAlerts(path), pytest.raises(StoreError, match="another process listens"):
        SeenAlerts(path)
    with SeenAlerts(path):
        pass


@pytest.mark.parametrize("text", ["{", "[]", '{"x": 1}', '{"x": [1]}'])
def test_a_damaged_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "seen.json"
    path.write_text(text)
    with pytest.raises(StoreError, match=r"seen\.json is damaged"):
        SeenAlerts(path)
    path.unlink()
    with SeenAlerts(path):  # what was refused holds no lock
        pass
