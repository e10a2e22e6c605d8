"""Neither hand does it alone: what each holds is all that it is given here."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from devices.profile.model import SetStep
from devices.supply import ControlState
from dlms.axdr.data import NULL, octet_string
from dlms.client.refusals import AccessRefused, AssociationRejected
from dlms.cosem import obis
from dlms.errors import DlmsError, LocalProtocolError
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CryptoFailure
from emulator.channel import Channel, ChannelClosed
from emulator.custody import Custody, Mode
from emulator.head_end.association import associate, connected
from emulator.head_end.party import SCOPES, Party, signing_key
from emulator.head_end.requesting import Means, ServiceRequests
from emulator.head_end.services import HeadEnd
from emulator.ledger import Ledger
from emulator.modules.keyring import KeyRing, scope_secrets
from emulator.modules.software import SoftwareModule
from emulator.policy import LETTER, Actor, Purpose
from emulator.requests.documents import (
    Authorisation,
    CountersignedRequest,
    ServiceRequest,
    SignedRequest,
)
from emulator.requests.refusal import RequestRefused
from emulator.requests.response import Result
from emulator.requests.signing import authorised, countersigned, signed
from emulator.requests.user import User
from tls.transport import open_tls_connection

METER = "secure"
SUPPLY = obis.parse("0-0:96.3.10.255")


class Laboratory:
    """A meter and three parties, each with the secrets of its own scopes and nothing else."""

    def __init__(
        self, meter: Any, pki: Any, credentials: Any, secret: bytes, enrolment: Any, supplier: Any
    ) -> None:
        self.meter = meter
        self.ledger = Ledger()
        self.rings = {actor: KeyRing(scope_secrets(secret, SCOPES[actor])) for actor in SCOPES}
        self.modules = {actor: SoftwareModule(ring) for actor, ring in self.rings.items()}
        custody = {
            actor: Custody([module], LETTER, Mode.OBSERVE, self.ledger)
            for actor, module in self.modules.items()
        }
        self.s1sp, self.dco = (
            Party(
                actor=actor,
                credential=credentials[Actor.S1SP] if actor is Actor.S1SP else None,
                trust=pki.trust(),
                custody=custody[actor],
            )
            for actor in (Actor.S1SP, Actor.DCO)
        )
        self.user = User.of(supplier)
        means = Means(custody[Actor.DCC], lambda: enrolment, self.user)
        self.head_end = HeadEnd(self.s1sp, self.dco, means)
        self.requests: ServiceRequests = self.head_end.requests
        self.at = meter.address, meter.profile

    def request(self, number: str = "7.3", **given: object) -> SignedRequest:
        return self.user.request(number, self.meter.device.title, self.meter.profile, given)

    async def countersigned(self, number: str = "7.3") -> bytes:
        return await self.requests.dsp.countersign(self.request(number).to_octets(), *self.at)

    def sign(self, step: Any, actor: Actor) -> Any:
        """As a party does that is up to something: with the keys that it has."""
        return run(step, self.modules[actor].execute)

    @property
    def supply(self) -> int:
        row = self.meter.profile.objects[SUPPLY]
        value: int = self.meter.device.value(row, 3).value
        return value


@pytest.fixture
def lab(
    place: Any, pki: Any, credentials: Any, fleet_secret: bytes, enrolment: Any, supplier: Any
) -> Laboratory:
    return Laboratory(place(METER), pki, credentials, fleet_secret, enrolment, supplier)


async def refused(attempt: Any, party: str, reason: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        await attempt
    assert (caught.value.party, caught.value.reason) == (party, reason)


def dco_used_keys(ledger: Ledger) -> bool:
    return any(entry.keys for entry in ledger if entry.actor is Actor.DCO)


# Together -----------------------------------------------------------------------------------------


async def test_both_together_do_it(lab: Laboratory) -> None:
    response = await lab.requests.submit(lab.request(), *lab.at)
    assert response.result is Result.SUCCESS
    assert lab.supply == ControlState.READY_FOR_RECONNECTION
    handshakes = [entry for entry in lab.ledger if entry.operation == "TLS handshake"]
    assert {entry.actor for entry in handshakes} == {Actor.S1SP}
    assert {
        entry.decision.clause for entry in lab.ledger if entry.actor is Actor.DCO and entry.keys
    } == {"G2.44(a)"}
    for entry in lab.ledger:
        if entry.operation == "Sign":
            assert entry.decision.clause == "G2.45"


async def test_no_key_is_in_what_is_sent(lab: Laboratory) -> None:
    octets = await lab.countersigned()
    for actor, ring in lab.rings.items():
        key = ring.get(signing_key(actor))
        assert key not in octets
        assert key.hex() not in octets.decode().lower()


# The S1SP alone -----------------------------------------------------------------------------------


async def test_the_s1sp_has_no_key_of_the_dco(lab: Laboratory) -> None:
    title = lab.meter.device.title
    for kind in KeyKind:
        with pytest.raises(CryptoFailure):
            lab.rings[Actor.S1SP].get(KeyRef(title, "dco", kind))


async def test_the_s1sp_cannot_open_the_dcos_association(lab: Laboratory) -> None:
    """With its TLS, and all of its keys in turn under the name of the DCO's."""
    digest = lab.meter.digest
    lab.s1sp.association = "dco"
    with pytest.raises(CryptoFailure):
        async with associate(lab.s1sp, *lab.at):
            pass
    ring, title = lab.rings[Actor.S1SP], lab.meter.device.title
    for scope in SCOPES[Actor.S1SP]:
        for kind in (KeyKind.GUEK, KeyKind.GAK):
            ring.keep(KeyRef(title, "dco", kind), ring.get(KeyRef(title, scope, kind)))
        impostor = replace(lab.s1sp, actor=Actor.DCO, association="dco")
        way = connected(lab.s1sp, *lab.at)
        with pytest.raises(AssociationRejected):
            async with associate(impostor, *lab.at, way):
                pass
    assert lab.meter.digest == digest


async def test_the_meter_denies_the_s1sp_every_critical_step(lab: Laboratory) -> None:
    argument = octet_string(bytes(12))
    async with associate(lab.s1sp, *lab.at) as session:
        digest = lab.meter.digest
        for row in lab.meter.profile.instructions.values():
            for step in row.steps:
                if isinstance(step, SetStep):
                    attempt: Any = session.set(step.attribute, step.value or argument)
                else:
                    purpose = Purpose.GENERATE_INSTRUCTION
                    attempt = session.action(step.method, step.parameter or NULL, purpose)
                with pytest.raises(AccessRefused, match="denied"):
                    await attempt
        assert lab.meter.digest == digest


async def test_what_the_s1sp_makes_up_moves_no_dco(lab: Laboratory, pki: Any) -> None:
    """It signs as User and as DCC with keys of its own; its authorisation is right."""
    dco = lab.requests.dco
    mine = signing_key(Actor.S1SP)
    real = lab.request()
    digest = lab.meter.digest
    invented = ServiceRequest(
        originator=lab.user.eui,
        device=lab.meter.device.title,
        counter=999,
        variant="7.2",
        arguments={},
    )

    async def offer(document: CountersignedRequest) -> None:
        approval: Authorisation = lab.sign(authorised(document, mine), Actor.S1SP)
        await dco.admit(document.to_octets(), approval.to_octets(), *lab.at)

    forged = lab.sign(signed(invented, mine), Actor.S1SP)
    everything = lab.sign(countersigned(forged, mine), Actor.S1SP)
    await refused(offer(everything), "DCO", "not-authentic")
    # The User's word is right, but the DCC has not countersigned it.
    await refused(offer(lab.sign(countersigned(real, mine), Actor.S1SP)), "DCO", "not-authentic")
    # All is right but for what is asked for.
    good = CountersignedRequest.from_octets(await lab.countersigned())
    for changed in (
        replace(good.request, variant="7.1"),
        replace(good.request, counter=good.request.counter + 1),
        replace(good.request, originator=bytes.fromhex("020000FFFE000009")),
    ):
        other = replace(good, signed=replace(good.signed, request=changed))
        await refused(offer(other), "DCO", "not-authentic")
    assert not dco_used_keys(lab.ledger)
    assert lab.meter.digest == digest


async def test_even_a_right_countersignature_is_not_enough(lab: Laboratory) -> None:
    """S1SP and DCC together cannot do without the User."""
    key = signing_key(Actor.DCC)
    invented = ServiceRequest(
        originator=lab.user.eui,
        device=lab.meter.device.title,
        counter=999,
        variant="7.2",
        arguments={},
    )
    forged: SignedRequest = lab.sign(signed(invented, key), Actor.DCC)
    document = lab.sign(countersigned(forged, key), Actor.DCC)
    approval = lab.sign(authorised(document, signing_key(Actor.S1SP)), Actor.S1SP)
    attempt = lab.requests.dco.admit(document.to_octets(), approval.to_octets(), *lab.at)
    await refused(attempt, "DCO", "not-authentic")
    await refused(lab.requests.s1sp.take(document.to_octets(), *lab.at), "S1SP", "not-authentic")
    assert not dco_used_keys(lab.ledger)


async def test_no_second_time(lab: Laboratory) -> None:
    """Each party finds it out for itself."""
    signed_request = lab.request()
    octets = await lab.requests.dsp.countersign(signed_request.to_octets(), *lab.at)
    checked = await lab.requests.s1sp.take(octets, *lab.at)
    approval = await lab.requests.s1sp.authorise(checked, lab.meter.profile)
    await lab.requests.dco.admit(octets, approval, *lab.at)
    again = lab.requests.dsp.countersign(signed_request.to_octets(), *lab.at)
    await refused(again, "DSP", "replayed")
    await refused(lab.requests.s1sp.take(octets, *lab.at), "S1SP", "replayed")
    await refused(lab.requests.dco.admit(octets, approval, *lab.at), "DCO", "replayed")


async def test_an_authorisation_is_for_one_request(lab: Laboratory) -> None:
    s1sp, dco = lab.requests.s1sp, lab.requests.dco
    first, second = await lab.countersigned(), await lab.countersigned("7.2")
    approval = await s1sp.authorise(await s1sp.take(first, *lab.at), lab.meter.profile)
    await refused(dco.admit(second, approval, *lab.at), "DCO", "not-authorised")
    # The digest is that of the second, the signature that of the first.
    moved = replace(
        Authorisation.from_octets(approval),
        digest=CountersignedRequest.from_octets(second).digest(),
    )
    await refused(dco.admit(second, moved.to_octets(), *lab.at), "DCO", "not-authentic")


# The way ------------------------------------------------------------------------------------------


async def test_a_request_for_another_meter(lab: Laboratory, place: Any) -> None:
    other = place("itron")
    octets = lab.request().to_octets()
    attempt = lab.requests.dsp.countersign(octets, other.address, other.profile)
    await refused(attempt, "DSP", "foreign-device")
    document = await lab.countersigned()
    attempt_2 = lab.requests.s1sp.take(document, other.address, other.profile)
    await refused(attempt_2, "S1SP", "foreign-device")
    checked = await lab.requests.s1sp.take(document, *lab.at)
    approval = await lab.requests.s1sp.authorise(checked, lab.meter.profile)
    attempt_3 = lab.requests.dco.admit(document, approval, other.address, other.profile)
    await refused(attempt_3, "DCO", "foreign-device")
    with pytest.raises(LocalProtocolError, match="not one to open a relay"):
        async with lab.requests.s1sp.relay(checked, other.address, other.profile):
            pass


async def test_users_who_may_not(lab: Laboratory, pki: Any, enrolment: Any) -> None:
    dsp = lab.requests.dsp
    title = lab.meter.device.title
    stranger = User.of(pki.issue_signer(bytes.fromhex("020000FFFE0000AA"), "stranger"))
    octets = stranger.request("7.2", title, lab.meter.profile, {}).to_octets()
    await refused(dsp.countersign(octets, *lab.at), "DSP", "unknown-user")
    # Right signature, but an order that is the DCC's to give.
    order = lab.user.sign(
        ServiceRequest(
            originator=lab.user.eui,
            device=title,
            counter=50,
            variant="DCC.1",
            arguments={"kinds": "guek"},
        )
    )
    await refused(dsp.countersign(order.to_octets(), *lab.at), "DSP", "not-eligible")
    # A supplier, but of other meters.
    requests = lab.requests
    other = replace(enrolment, suppliers={title: bytes.fromhex("020000FFFE000002")})
    requests.dsp._checking.enrolment = other
    await refused(dsp.countersign(lab.request().to_octets(), *lab.at), "DSP", "not-responsible")


@pytest.mark.parametrize(
    ("variant", "arguments", "reason"),
    [
        ("9.9", {}, "unknown-variant"),
        ("7.2", {"more": "1"}, "unfit"),
        ("2.2", {}, "unfit"),
        ("2.2", {"amount": "20.00"}, "unfit"),  # 20 is how it is written
        ("2.2", {"amount": "-1"}, "unfit"),
        ("2.2", {"amount": 20}, "unfit"),
        ("1.6", {"mode": "free"}, "unfit"),
        ("6.6", {"calorific_value": 1}, "unfit"),
        ("6.8", {"day": 31}, "unfit"),
        ("6.11", {"time": "now"}, "unfit"),
    ],
)
async def test_bad_input_goes_nowhere(
    lab: Laboratory, variant: str, arguments: Any, reason: str
) -> None:
    request = ServiceRequest(
        originator=lab.user.eui,
        device=lab.meter.device.title,
        counter=1,
        variant=variant,
        arguments=arguments,
    )
    octets = lab.user.sign(request).to_octets()
    await refused(lab.requests.dsp.countersign(octets, *lab.at), "DSP", reason)
    # Whoever gets it past the DSP meets the same at the S1SP.
    document = lab.sign(
        countersigned(SignedRequest.from_octets(octets), signing_key(Actor.DCC)), Actor.DCC
    )
    await refused(lab.requests.s1sp.take(document.to_octets(), *lab.at), "S1SP", reason)
    assert not [entry for entry in lab.ledger if entry.operation == "TLS handshake"]


@pytest.mark.parametrize("spoil", [lambda o: o[:-1], lambda o: b"", lambda o: o + b"\n"])
async def test_what_is_no_document_at_all(lab: Laboratory, spoil: Any) -> None:
    octets = lab.request().to_octets()
    await refused(lab.requests.dsp.countersign(spoil(octets), *lab.at), "DSP", "malformed")
    document = await lab.countersigned()
    await refused(lab.requests.s1sp.take(spoil(document), *lab.at), "S1SP", "malformed")
    await refused(lab.requests.dco.admit(spoil(document), b"", *lab.at), "DCO", "malformed")


# The DCO alone ------------------------------------------------------------------------------------


async def test_the_dco_has_no_way_to_a_meter(lab: Laboratory, pki: Any) -> None:
    with pytest.raises(LocalProtocolError, match="no way to meters of its own"):
        lab.dco.tls_context()
    with pytest.raises(LocalProtocolError, match="no way to meters of its own"):
        async with associate(lab.dco, *lab.at):
            pass
    # Without a certificate the meter does not talk.
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname = False
    bare.load_verify_locations(cadata=pki.trust().roots_pem.decode())
    bare.maximum_version = ssl.TLSVersion.TLSv1_2
    address = lab.meter.address
    with pytest.raises((ConnectionError, ssl.SSLError)):
        await open_tls_connection(Channel, address.host, address.tls_port, bare)
    assert not dco_used_keys(lab.ledger)


async def test_the_relay_opens_for_what_is_the_dcos(lab: Laboratory) -> None:
    checked = await lab.requests.s1sp.take(await lab.countersigned("7.4"), *lab.at)
    with pytest.raises(LocalProtocolError, match="not one to open a relay"):
        async with lab.requests.s1sp.relay(checked, *lab.at):
            pass
    critical = await lab.requests.s1sp.take(await lab.countersigned("7.3"), *lab.at)
    with pytest.raises(LocalProtocolError, match="the DCO's to carry out"):
        async with lab.requests.s1sp.session(critical, *lab.at):
            pass
    async with lab.requests.s1sp.relay(critical, *lab.at) as relay:
        row = lab.meter.profile.associations["s1sp"].config
        with pytest.raises(LocalProtocolError, match="not for client 2"):
            relay.send(row.client_sap, row.server_sap, b"\x60\x00")
    dco = lab.meter.profile.associations["dco"].config
    with pytest.raises(ChannelClosed, match="closed the relay"):
        relay.send(dco.client_sap, dco.server_sap, b"\x60\x00")
    critical.closed = True
    with pytest.raises(LocalProtocolError, match="done with"):
        async with lab.requests.s1sp.relay(critical, *lab.at):
            pass


# An S1SP that alters what it relays ---------------------------------------------------------------


class Bent:
    """A relay of an S1SP that changes one octet of one APDU, on its way out or back."""

    def __init__(self, relay: Any, number: int, out: bool, at: int) -> None:
        self._relay = relay
        self._number = number
        self._out = out
        self._at = at
        self._seen = 0
        self.bent = 0

    def send(self, client_sap: int, server_sap: int, apdu: bytes) -> None:
        if self._out and client_sap == 1:
            apdu = self._bend(apdu)
        self._relay.send(client_sap, server_sap, apdu)

    async def receive(self, client_sap: int, server_sap: int) -> bytes:
        apdu: bytes = await self._relay.receive(client_sap, server_sap)
        return self._bend(apdu) if not self._out and client_sap == 1 else apdu

    def glance(self, client_sap: int, server_sap: int) -> bytes | None:
        apdu: bytes | None = self._relay.glance(client_sap, server_sap)
        return apdu

    async def news(self, client_sap: int, server_sap: int) -> None:
        await self._relay.news(client_sap, server_sap)

    def close(self) -> None:
        self._relay.close()

    def _bend(self, apdu: bytes) -> bytes:
        self._seen += 1
        if self._seen != self._number:
            return apdu
        self.bent += 1
        at = self._at % len(apdu)
        return apdu[:at] + bytes((apdu[at] ^ 1,)) + apdu[at + 1 :]


@pytest.mark.parametrize("at", [-1, -14, 7])
@pytest.mark.parametrize("out", [True, False])
@pytest.mark.parametrize("number", [2, 3, 4])
async def test_altered_octets_change_nothing_else(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch, number: int, out: bool, at: int
) -> None:
    """Of authentication (2), of the SET (3) or of the ACTION (4): what was asked for is done or it
    is not, and nothing else ever is.
    """
    desk, bends = lab.requests.s1sp, []
    honest = desk.relay

    @asynccontextmanager
    async def relay(*args: Any) -> AsyncIterator[Bent]:
        async with honest(*args) as link:
            bends.append(Bent(link, number, out, at))
            yield bends[-1]

    monkeypatch.setattr(desk, "relay", relay)
    before = dict(lab.meter.device.state.values)
    response = await lab.requests.submit(lab.request("7.1"), *lab.at)
    assert sum(bend.bent for bend in bends) == 1
    assert response.result is not Result.SUCCESS
    after = dict(lab.meter.device.state.values)
    changed = {key for key in after if after[key] != before.get(key)}
    assert {instance for instance, _ in changed} <= {SUPPLY}
    if out and number < 4:
        assert lab.supply == ControlState.DISCONNECTED
    elif not out and number == 4:  # the answer alone was lost
        assert lab.supply == ControlState.CONNECTED


async def test_a_public_answer_that_is_altered_only_moves_a_counter(lab: Laboratory) -> None:
    """The counter that the DCO asks for is not protected: it can be made to skip numbers."""
    key = KeyRef(lab.meter.device.title, "dco", KeyKind.GUEK)
    lab.dco.counters.raise_to(key, 5000)
    response = await lab.requests.submit(lab.request(), *lab.at)
    assert response.result is Result.SUCCESS


async def test_errors_of_a_meter_become_a_response(lab: Laboratory) -> None:
    response = await lab.requests.submit(lab.request("2.2", amount="201"), *lab.at)
    document = response.to_json()
    assert document["result"] == "refused-by-meter"
    assert document["from"] == "Device"
    assert document["error"]["text"] == "token not accepted: validation-failure"
    assert document["request_id"].endswith(":1")
    gone = lab.meter.address._replace(tls_port=1)
    response = await lab.requests.submit(lab.request(), gone, lab.meter.profile)
    assert (response.result, response.party) == (Result.FAILED, "S1SP")
    assert isinstance(response.cause, OSError)


async def test_requests_may_overtake_each_other(lab: Laboratory) -> None:
    """None is lost for it, and none is taken twice."""
    documents = [await lab.countersigned() for _ in range(3)]
    for octets in reversed(documents):
        await lab.requests.s1sp.take(octets, *lab.at)
    for octets in documents:
        await refused(lab.requests.s1sp.take(octets, *lab.at), "S1SP", "replayed")
    late = lab.request()
    for _ in range(64):
        await lab.requests.s1sp.take(await lab.countersigned(), *lab.at)
    await refused(lab.requests.dsp.countersign(late.to_octets(), *lab.at), "DSP", "replayed")


def test_moments(lab: Laboratory) -> None:
    """The time of a request is written one way, whichever way it is given."""
    zone = dt.timezone(dt.timedelta(hours=1))
    moment = dt.datetime(2026, 11, 28, 9, 0, 0, 999, tzinfo=zone)
    request = lab.request("6.11", time=moment.isoformat()).request
    assert request.arguments == {"time": "2026-11-28T08:00:00Z"}
    with pytest.raises(DlmsError, match=r"no variant '7\.9'"):
        lab.request("7.9")
