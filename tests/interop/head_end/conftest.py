"""What our head end sends, for others to decode: a whole visit to a meter, tapped in plain text.

The tap is where the head end hands WPDUs to TLS. Beside each APDU lies what the head end meant: the
operations it asked its module for, with the octets before they were sealed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from devices.profile import available
from dlms.security.ciphered import decode_ciphered, is_ciphered
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CryptoOp, Mac, Seal
from emulator.channel import Channel
from emulator.custody import Custody, Mode
from emulator.head_end.enrolling import enrol
from emulator.head_end.party import TITLES, Party
from emulator.head_end.requesting import Means
from emulator.head_end.services import HeadEnd, clock_time, payment_mode
from emulator.ledger import Ledger
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.policy import LETTER, Actor
from emulator.requests.enrolment import enrolled
from emulator.requests.user import TITLES as USERS
from emulator.requests.user import User
from tls.pki import TestPki

AARQ, RLRQ = 0x60, 0x62
GLO_INITIATE = 0x21


class Sealed(NamedTuple):
    """One protected APDU as it went out, and what it was made of."""

    apdu: bytes
    plain: bytes
    control: int
    counter: int
    title: bytes
    ek: bytes
    ak: bytes
    dedicated: bool


class Challenged(NamedTuple):
    """One f(challenge)."""

    challenge: bytes
    tag: bytes
    control: int
    counter: int
    title: bytes
    ek: bytes
    ak: bytes


class Visit(NamedTuple):
    """A visit: all APDUs in order, and those that were sealed or carry a GMAC.

    ``aarqs`` and ``rlrqs`` come with what is sealed inside them; ``None`` in a plain context.
    """

    apdus: list[bytes]
    aarqs: list[tuple[bytes, Sealed | None]]
    rlrqs: list[tuple[bytes, Sealed | None]]
    services: list[Sealed]
    plain_services: list[bytes]
    challenged: list[Challenged]


class ListeningModule(SoftwareModule):
    """Writes down what it seals and signs, keys included: they are test keys."""

    def __init__(self, ring: KeyRing) -> None:
        super().__init__(ring)
        self._ring = ring
        self.sealed: dict[tuple[int, bytes], Sealed] = {}
        self.challenged: list[Challenged] = []

    def execute(self, op: CryptoOp) -> Any:
        result = super().execute(op)
        if isinstance(op, Seal):
            body = result if op.control & 0x20 else self._octets(op.payload) + result
            self.sealed[op.counter, body] = Sealed(
                b"",
                self._octets(op.payload),
                op.control,
                op.counter,
                op.title,
                self._ring.get(op.ek),
                self._key(op.ak),
                op.ek.kind is KeyKind.DEDICATED,
            )
        if isinstance(op, Mac) and op.title in TITLES.values() and len(op.message) == 16:
            self.challenged.append(
                Challenged(
                    op.message,
                    result,
                    op.control,
                    op.counter,
                    op.title,
                    self._ring.get(op.ek),
                    self._key(op.ak),
                )
            )
        return result

    def find(self, apdu: bytes) -> Sealed:
        """What is behind a protected APDU."""
        ciphered = decode_ciphered(apdu)
        return self.sealed[ciphered.counter, ciphered.body]._replace(apdu=apdu)

    def _octets(self, payload: bytes | tuple[bytes | KeyRef, ...]) -> bytes:
        if isinstance(payload, bytes):
            return payload
        return b"".join(
            self._ring.get(part) if isinstance(part, KeyRef) else part for part in payload
        )

    def _key(self, ref: KeyRef | None) -> bytes:
        return b"" if ref is None else self._ring.get(ref)


@pytest.fixture(scope="session")
def visits(visited_site: Any, pki: TestPki) -> Callable[[str], Visit]:
    """``visits(name)``: everything a head end does, done once to that meter."""
    made: dict[str, Visit] = {}

    def visit(name: str) -> Visit:
        if name not in made:
            made[name] = _visit(visited_site, pki, visited_site.meters[name])
        return made[name]

    return visit


@pytest.fixture(params=available())
def visit(request: pytest.FixtureRequest, visits: Callable[[str], Visit]) -> Visit:
    return visits(request.param)


def _visit(site: Any, pki: TestPki, meter: Any) -> Visit:
    module = ListeningModule(KeyRing(bytes(range(32))))
    custody = Custody([module], LETTER, Mode.OBSERVE, Ledger())
    parties = (
        Party(
            actor=actor,
            credential=pki.issue_client(TITLES[actor], actor.value)
            if actor is Actor.S1SP
            else None,
            trust=pki.trust(),
            custody=custody,
        )
        for actor in (Actor.S1SP, Actor.DCO)
    )
    supplier = pki.issue_signer(USERS["supplier"], "supplier")
    now = dt.datetime.now(dt.UTC)
    user = enrolled(supplier.chain_pem, pki.trust(), "supplier", "supplier", now)
    enrolment = enrol(bytes(range(32)), [user])
    means = Means(custody, lambda: enrolment, User.of(supplier))
    apdus: list[bytes] = []

    def tapped(self: Channel, client_sap: int, server_sap: int, apdu: bytes) -> None:
        apdus.append(apdu)
        send(self, client_sap, server_sap, apdu)

    async def everything() -> None:
        address, profile = meter.address, meter.profile
        head_end = HeadEnd(*parties, means)  # its databases are of this thread
        await head_end.status(address, profile)
        await head_end.top_up(address, profile, Decimal("20.00"))
        for instruction in ("arm_supply", "disable_supply", "enable_supply"):
            await head_end.instruct(address, profile, instruction)
        now = clock_time(dt.datetime.now(dt.UTC))
        await head_end.instruct(address, profile, "set_clock", now)
        await head_end.instruct(address, profile, "set_payment_mode", payment_mode("prepayment"))

    send = Channel.send
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Channel, "send", tapped)
        site.run(everything())
    return _sorted(apdus, module)


def _sorted(apdus: list[bytes], module: ListeningModule) -> Visit:
    visit = Visit(apdus, [], [], [], [], module.challenged)
    for apdu in apdus:
        if apdu[0] in (AARQ, RLRQ):
            inside = _inside(apdu, module)
            (visit.aarqs if apdu[0] == AARQ else visit.rlrqs).append((apdu, inside))
        elif is_ciphered(apdu[0]):
            visit.services.append(module.find(apdu))
        else:
            visit.plain_services.append(apdu)
    return visit


def _inside(apdu: bytes, module: ListeningModule) -> Sealed | None:
    """The sealed InitiateRequest with which an AARQ or an RLRQ of ours ends."""
    for (counter, body), sealed in module.sealed.items():
        ciphered = bytes((sealed.control,)) + counter.to_bytes(4, "big") + body
        if apdu.endswith(ciphered):
            return sealed._replace(apdu=bytes((GLO_INITIATE, len(ciphered))) + ciphered)
    return None
