"""The DCC Private Key that establishes TLS is in a module: head end, listener, ledger, refusals."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from devices.profile import load
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Curve, Discard, GenerateKeyPair, KeyUnavailable, OperationRefused, Use
from emulator.custody import OPENSSL, Custody, Errand, Mode
from emulator.custody import custody as door
from emulator.head_end.listener import AlertListener, Device
from emulator.head_end.party import TITLES, Party
from emulator.head_end.services import HeadEnd
from emulator.ledger import Entry, Ledger, Outcome
from emulator.modules.curves import public_key
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.modules.tls_key import tls_public_key
from emulator.policy import LETTER, Actor, ModuleClass, Purpose
from tls.contexts import client_context
from tls.credentials import CertificateChain
from tls.events import HandshakeError, Reason

KEY = KeyRef(TITLES[Actor.S1SP], "s1sp", KeyKind.TLS_PRIVATE_KEY)
DIGEST = bytes(range(32))
HANDSHAKE = "TLS handshake"


class Hsm(SoftwareModule):
    """Plays a module of Level 3, and counts what it signs for TLS."""

    module_class = ModuleClass.LEVEL_3
    emulated = True

    def __init__(self, keys: KeyRing) -> None:
        super().__init__(keys, name="hsm")
        self.signed: list[KeyRef] = []

    def tls_sign(self, key: KeyRef, digest: bytes) -> bytes:
        signature = super().tls_sign(key, digest)
        self.signed.append(key)
        return signature


@pytest.fixture
def hsm(ring: Any) -> Hsm:
    return Hsm(ring)


@pytest.fixture
def make(pki: Any, ledger: Ledger) -> Callable[..., Party]:
    """A party whose certificate comes without its private key, which ``module`` has."""

    def party(actor: Actor, module: SoftwareModule, mode: Mode = Mode.OBSERVE) -> Party:
        key = KeyRef(TITLES[actor], actor.value.lower(), KeyKind.TLS_PRIVATE_KEY)
        chain = pki.certify_client(TITLES[actor], actor.value, tls_public_key(module, key))
        return Party(
            actor=actor,
            credential=chain,
            trust=pki.trust(),
            custody=Custody([module], LETTER, mode, ledger),
            tls_module=module,
        )

    return party


@pytest.fixture
def head_end_on(
    make: Callable[..., Party], make_party: Callable[..., Party], make_means: Callable[..., Any]
) -> Callable[..., HeadEnd]:
    return lambda module, mode=Mode.OBSERVE: HeadEnd(
        make(Actor.S1SP, module, mode),
        make_party(Actor.DCO, modules=[module], mode=mode),
        make_means(modules=[module], mode=mode),
    )


def handshakes(ledger: Ledger) -> list[Entry]:
    return [entry for entry in ledger if entry.operation == HANDSHAKE]


# The module ---------------------------------------------------------------------------------------


def test_the_software_module_signs_for_tls(ring: Any) -> None:
    module = SoftwareModule(ring)
    public = public_key(
        Curve.P256, module.execute(GenerateKeyPair(Use.ASSOCIATION, KEY, Curve.P256))
    )
    signature = module.tls_sign(KEY, DIGEST)
    assert len(signature) == 64
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    public.verify(encode_dss_signature(r, s), DIGEST, ec.ECDSA(Prehashed(SHA256())))


@pytest.mark.parametrize(
    "kind", [kind for kind in KeyKind if kind is not KeyKind.TLS_PRIVATE_KEY], ids=lambda k: k.name
)
def test_only_keys_for_tls(ring: Any, kind: KeyKind) -> None:
    """A key pair serves one purpose (R-KEY-9)."""
    module = SoftwareModule(ring)
    key = KEY._replace(kind=kind)
    ring.keep(key, bytes(31) + b"\x07")
    with pytest.raises(KeyUnavailable, match="is not a key for this"):
        module.tls_sign(key, DIGEST)


def test_no_key_no_signature(ring: Any) -> None:
    with pytest.raises(KeyUnavailable, match="no key"):
        SoftwareModule(ring).tls_sign(KEY, DIGEST)


@pytest.mark.parametrize("length", [0, 31, 33, 65])
def test_only_digests(ring: Any, length: int) -> None:
    module = SoftwareModule(ring)
    tls_public_key(module, KEY)
    with pytest.raises(ValueError, match="digest"):
        module.tls_sign(KEY, bytes(length))


def test_the_pair_is_made_once(ring: Any) -> None:
    module = SoftwareModule(ring)
    first, second = (tls_public_key(module, KEY).public_numbers() for _ in range(2))
    assert first == second


# The head end -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["itron", "secure"])
async def test_credit_is_added_in_enforce_mode(
    name: str, hsm: Hsm, head_end_on: Any, place: Any, ledger: Ledger
) -> None:
    """With every key in a module of Level 3, that of TLS among them, nothing is refused."""
    meter = place(name)
    head_end = head_end_on(hsm, Mode.ENFORCE)
    before = (await head_end.status(meter.address, meter.profile)).balance
    await head_end.top_up(meter.address, meter.profile, Decimal("20.00"))
    after = (await head_end.status(meter.address, meter.profile)).balance
    assert after - before == Decimal("20.00")
    rows = handshakes(ledger)
    assert len(rows) == len(hsm.signed) == 3
    assert set(hsm.signed) == {KEY}
    for row in rows:
        assert (row.module, row.emulated, row.sufficient) == ("hsm", True, True)
        assert (row.keys, row.decision.clause, row.outcome) == ((KEY,), "G2.44(b)", Outcome.DONE)
    assert all(entry.sufficient for entry in ledger)


async def test_instructions_of_the_dco_too(
    hsm: Hsm, head_end_on: Any, place: Any, ledger: Ledger
) -> None:
    """They go over the TLS of the S1SP, which is the one that has a key for it."""
    meter = place("secure")
    await head_end_on(hsm, Mode.ENFORCE).instruct(meter.address, meter.profile, "disable_supply")
    assert {entry.actor for entry in handshakes(ledger)} == {Actor.S1SP}
    assert {key.holder for key in hsm.signed} == {TITLES[Actor.S1SP]}


async def test_a_weak_module_is_told_and_refused(
    ring: Any, head_end_on: Any, place: Any, ledger: Ledger
) -> None:
    meter = place("itron")
    software = SoftwareModule(ring)
    await head_end_on(software).status(meter.address, meter.profile)
    (entry,) = handshakes(ledger)
    assert (entry.module, entry.emulated, entry.sufficient) == ("software", False, False)
    with pytest.raises(OperationRefused) as caught:
        await head_end_on(software, Mode.ENFORCE).status(meter.address, meter.profile)
    assert str(caught.value) == (
        "G2.44(b) needs FIPS 140-2 Level 3, and software, which has the private key, is not that"
    )
    assert handshakes(ledger)[-1].outcome is Outcome.REFUSED


@pytest.mark.parametrize("mode", Mode)
async def test_a_platform_that_cannot(
    mode: Mode,
    hsm: Hsm,
    head_end_on: Any,
    place: Any,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing falls through to a key in OpenSSL: there is none."""
    monkeypatch.setattr(door, "why_not", lambda: "Python 3.99 is not verified")
    meter = place("itron")
    with pytest.raises(OperationRefused) as caught:
        await head_end_on(hsm, mode).status(meter.address, meter.profile)
    assert str(caught.value) == (
        "TLS cannot use the private key that hsm has: Python 3.99 is not verified"
    )
    (entry,) = handshakes(ledger)
    assert (entry.module, entry.outcome) == ("hsm", Outcome.REFUSED)
    assert hsm.signed == []


async def test_a_key_that_the_module_has_lost(
    hsm: Hsm, head_end_on: Any, place: Any, ledger: Ledger
) -> None:
    meter = place("itron")
    head_end = head_end_on(hsm)
    hsm.execute(Discard(Use.ASSOCIATION, KEY))
    with pytest.raises(HandshakeError, match="KeyUnavailable: no key") as caught:
        await head_end.status(meter.address, meter.profile)
    assert caught.value.reason is Reason.OWN_KEY
    assert isinstance(caught.value.__cause__, KeyUnavailable)
    assert [entry.outcome for entry in handshakes(ledger)] == [Outcome.FAILED]


async def test_with_the_key_in_openssl_it_is_as_ever(
    head_end: HeadEnd, place: Any, ledger: Ledger
) -> None:
    meter = place("itron")
    await head_end.status(meter.address, meter.profile)
    (entry,) = handshakes(ledger)
    assert (entry.module, entry.sufficient) == (OPENSSL.name, False)


def test_somebody_must_have_the_key(pki: Any, credentials: Any, ledger: Ledger, ring: Any) -> None:
    chain = CertificateChain(chain_pem=credentials[Actor.S1SP].chain_pem)
    door = Custody([SoftwareModule(ring)], LETTER, Mode.OBSERVE, ledger)
    with pytest.raises(ValueError, match="nobody has the private key of the S1SP"):
        Party(actor=Actor.S1SP, credential=chain, trust=pki.trust(), custody=door)


# The door -----------------------------------------------------------------------------------------


async def test_a_session_that_took_no_key_is_no_use_of_it(
    hsm: Hsm, ledger: Ledger, errand: Callable[..., Errand]
) -> None:
    async def connect() -> str:
        return "resumed"

    door = Custody([hsm], LETTER, Mode.ENFORCE, ledger)
    told = errand(purpose=Purpose.ESTABLISH_TLS)
    await door.establish_tls(KEY, told, connect, holder=hsm, took_key=lambda: False)
    assert len(ledger) == 0


async def test_a_failure_is_recorded_whatever_it_took(
    hsm: Hsm, ledger: Ledger, errand: Callable[..., Errand]
) -> None:
    async def connect() -> str:
        raise ConnectionRefusedError

    door = Custody([hsm], LETTER, Mode.ENFORCE, ledger)
    told = errand(purpose=Purpose.ESTABLISH_TLS)
    with pytest.raises(ConnectionRefusedError):
        await door.establish_tls(KEY, told, connect, holder=hsm, took_key=lambda: False)
    assert [(one.module, one.outcome) for one in ledger] == [("hsm", Outcome.FAILED)]


# The listener -------------------------------------------------------------------------------------


class Nothing:
    def has(self, alert: Any) -> bool:
        return False

    def add(self, alert: Any) -> None:
        raise AssertionError("no alert was sent")


class Said:
    def __init__(self) -> None:
        self.texts: asyncio.Queue[str] = asyncio.Queue()

    def __call__(self, told: Any) -> None:
        self.texts.put_nowait(f"{told.kind} {told.text}")


@pytest.fixture
def start_listener(make: Callable[..., Party], pki: Any) -> Callable[..., Any]:
    profile = load("secure")

    def known(title: bytes) -> Device | None:
        return Device("secure", profile) if title == profile.system_title(1) else None

    @asynccontextmanager
    async def start(module: SoftwareModule, mode: Mode, said: Said) -> Any:
        party = make(Actor.S1SP, module, mode)
        public = tls_public_key(module, party.listener_key)
        chain = pki.certify_listener(party.title, "listener", public)
        listener = AlertListener(party, chain, known, Nothing(), Nothing().add, said)
        await listener.start("127.0.0.1", 0)
        try:
            yield listener
        finally:
            await listener.close()

    return start


@pytest.fixture
def meter_context(pki: Any) -> ssl.SSLContext:
    return client_context(pki.issue_client(load("secure").system_title(1), "meter"), pki.trust())


def _call(port: int, context: ssl.SSLContext, session: Any = None) -> Any:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
        context.wrap_socket(plain, session=session) as tls,
    ):
        session = tls.session
        assert session is not None
        try:
            tls.unwrap()
        except (OSError, ssl.SSLError):
            return session
        return session


async def test_the_listener_records_what_took_its_key(
    start_listener: Any, hsm: Hsm, ledger: Ledger, meter_context: ssl.SSLContext
) -> None:
    """The first call of a meter does, one that resumes the session does not."""
    async with start_listener(hsm, Mode.ENFORCE, Said()) as listener:
        session = await asyncio.to_thread(_call, listener.port, meter_context)
        await asyncio.to_thread(_call, listener.port, meter_context, session)
        await asyncio.to_thread(_call, listener.port, meter_context)
    title = load("secure").system_title(1).hex().upper()
    key = KeyRef(TITLES[Actor.S1SP], "alerts", KeyKind.TLS_PRIVATE_KEY)
    assert hsm.signed == [key, key]
    assert [
        (one.device, one.keys, one.module, one.emulated, one.sufficient, one.outcome)
        for one in handshakes(ledger)
    ] == [(title, (key,), "hsm", True, True, Outcome.DONE)] * 2


async def test_the_listener_records_what_it_signed_in_vain(
    start_listener: Any, hsm: Hsm, ledger: Ledger, pki: Any
) -> None:
    """A server signs before it knows who calls."""
    said = Said()
    context = client_context(pki.issue_client(b"XXX\0\0\0\0\1", "stranger"), pki.trust())
    async with start_listener(hsm, Mode.OBSERVE, said) as listener, asyncio.timeout(30):
        with pytest.raises(OSError):  # noqa: PT011  # how it ends is another test's
            await asyncio.to_thread(_call, listener.port, context)
        assert "wrong-identity" in await said.texts.get()
    assert len(hsm.signed) == 1
    assert [(one.device, one.outcome) for one in handshakes(ledger)] == [("", Outcome.FAILED)]


async def test_the_listener_is_refused_a_weak_module(
    start_listener: Any, ring: Any, ledger: Ledger
) -> None:
    with pytest.raises(OperationRefused, match="software, which has the private key"):
        async with start_listener(SoftwareModule(ring), Mode.ENFORCE, Said()):
            pass
    assert [one.outcome for one in handshakes(ledger)] == [Outcome.REFUSED]
