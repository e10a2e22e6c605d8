"""Security setup for people: policy, keys, key pairs and certificates, for both drivers.

::

    setup = a.security_setup("0-0:43.0.11.255")
    await setup.agree_keys("guek", "gak")       # from here on under the new keys
    request = await setup.certificate_request("signature")

Keys are named as the fields of :class:`~emulator.client.keys.Keys`, purposes and entities as the
members of :class:`CertificatePurpose` and :class:`Entity`. What a method does is said at
:class:`Words`; what all calls raise, at :class:`~emulator.client.association.Association`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

from dlms.client.effects import Dialogue
from dlms.client.new_keys import FIELDS
from dlms.client.security_setup import MeterKey, SecuritySetupDialogues
from dlms.cosem import classes
from dlms.cosem.security_setup import (
    ByEntity,
    BySerial,
    CertificateEntry,
    Entity,
    Identification,
    Policy,
)
from dlms.security.control import Protection
from dlms.security.keys import KeyKind
from dlms.security.ops import CertificatePurpose
from dlms.words import member
from emulator.client.errors import telling
from emulator.client.keys import Keys
from emulator.client.plan import Plan
from emulator.client.session import Session
from emulator.client.targets import What
from emulator.modules.certificates import key_in

T = TypeVar("T")

_KINDS = {field: kind for kind, field in FIELDS.items()}


class Words:
    """What can be said to one Security setup object, as dialogues."""

    def __init__(self, what: What, plan: Plan) -> None:
        self._what = what
        self._plan = plan
        self._transfer: SecuritySetupDialogues | None = None

    @property
    def in_doubt(self) -> Keys | None:
        """After a transfer whose answer never came: the keys that the meter has if it has carried
        it out. If it has not it has those that it had; try both. ``None`` after any other.

        ``ValueError`` where keys were given by reference.
        """
        transfer = self._transfer
        if transfer is None or transfer.in_doubt is None:
            return None
        return self._plan.octets(transfer.in_doubt)

    def activate_policy(self, session: Session, policy: Policy) -> Dialogue[None]:
        """Strengthen the policy; requests are protected as it demands from then on."""
        version = yield from session.version(self._what, classes.SECURITY_SETUP.class_id)
        with telling("activate a security policy"):
            yield from (yield from self._at(session)).activate_policy(policy, version)

    def transfer_keys(self, session: Session, names: Iterable[str]) -> Dialogue[None]:
        """Make new keys here and hand them over under the master key; both ends go on under them.

        ``ValueError`` for a name that is no global key's.
        """
        kinds = _kinds(names)
        with telling("transfer keys"):
            self._transfer = yield from self._at(session)
            yield from self._transfer.transfer_keys(kinds)

    def agree_keys(self, session: Session, names: Iterable[str]) -> Dialogue[None]:
        """Agree new keys with the meter; both ends go on under them. Suites 1 and 2.

        ``ValueError`` for a name that is no global key's.
        """
        kinds = _kinds(names)
        with telling("agree keys"):
            yield from (yield from self._at(session)).agree_keys(kinds)

    def generate_key_pair(
        self, session: Session, purpose: CertificatePurpose | str
    ) -> Dialogue[None]:
        """Let the meter make a key pair. It is in force once its certificate has been imported."""
        wanted = member(CertificatePurpose, purpose)
        with telling("generate a key pair"):
            yield from (yield from self._at(session)).generate_key_pair(wanted)

    def certificate_request(
        self, session: Session, purpose: CertificatePurpose | str
    ) -> Dialogue[bytes]:
        """The meter's PKCS #10 request for a certificate, DER."""
        wanted = member(CertificatePurpose, purpose)
        with telling("request for a certificate"):
            return (yield from (yield from self._at(session)).certificate_request(wanted))

    def import_certificate(self, session: Session, certificate: bytes) -> Dialogue[None]:
        """Give the meter a certificate (DER): one of its own, of its client, or of an authority.

        If it is the meter's own, this client goes by the public key in it from then on.
        ``ValueError`` if it is no certificate.
        """
        found = key_in(certificate)
        meter_key = None
        if found is not None and found.title == session.server_title:
            meter_key = MeterKey(found.purpose, found.public)
        with telling("import a certificate"):
            setup = yield from self._at(session)
            yield from setup.import_certificate(certificate, meter_key)

    def export_certificate(self, session: Session, named: Identification) -> Dialogue[bytes]:
        """A certificate that the meter holds, DER."""
        with telling("export a certificate"):
            return (yield from (yield from self._at(session)).export_certificate(named))

    def remove_certificate(self, session: Session, named: Identification) -> Dialogue[None]:
        """Remove a certificate from the meter; with its own goes the private key."""
        with telling("remove a certificate"):
            yield from (yield from self._at(session)).remove_certificate(named)

    def certificates(self, session: Session) -> Dialogue[tuple[CertificateEntry, ...]]:
        """All that the meter holds, trust anchors included."""
        with telling("list the certificates"):
            return (yield from (yield from self._at(session)).certificates())

    def _at(self, session: Session) -> Dialogue[SecuritySetupDialogues]:
        return (yield from session.security_setup(self._what, self._plan.lasting))


class Hold(Protocol):
    """Holds the dialogue that is made of a session."""

    def __call__(self, dialogue: Callable[[Session], Dialogue[T]], /) -> Awaitable[T]: ...


class BlockingHold(Protocol):
    """The same without an event loop."""

    def __call__(self, dialogue: Callable[[Session], Dialogue[T]], /) -> T: ...


class SecuritySetup:
    """For asyncio. Made by :meth:`Association.security_setup
    <emulator.client.association.Association.security_setup>`.
    """

    def __init__(self, hold: Hold, what: What, plan: Plan) -> None:
        self._hold = hold
        self._words = Words(what, plan)

    @property
    def in_doubt(self) -> Keys | None:
        """As :attr:`Words.in_doubt`."""
        return self._words.in_doubt

    async def activate_policy(
        self, request: Protection, response: Protection | None = None
    ) -> None:
        """``response`` is as ``request`` if it is left out."""
        policy = _policy(request, response)
        await self._hold(lambda session: self._words.activate_policy(session, policy))

    async def transfer_keys(self, *names: str) -> None:
        await self._hold(lambda session: self._words.transfer_keys(session, names))

    async def agree_keys(self, *names: str) -> None:
        await self._hold(lambda session: self._words.agree_keys(session, names))

    async def generate_key_pair(self, purpose: CertificatePurpose | str) -> None:
        await self._hold(lambda session: self._words.generate_key_pair(session, purpose))

    async def certificate_request(self, purpose: CertificatePurpose | str) -> bytes:
        return await self._hold(lambda session: self._words.certificate_request(session, purpose))

    async def import_certificate(self, certificate: bytes) -> None:
        await self._hold(lambda session: self._words.import_certificate(session, certificate))

    async def export_certificate(self, named: Identification) -> bytes:
        return await self._hold(lambda session: self._words.export_certificate(session, named))

    async def remove_certificate(self, named: Identification) -> None:
        await self._hold(lambda session: self._words.remove_certificate(session, named))

    async def certificates(self) -> tuple[CertificateEntry, ...]:
        return await self._hold(self._words.certificates)


class BlockingSecuritySetup:
    """Without an event loop. Made by :meth:`BlockingAssociation.security_setup
    <emulator.client.blocking.BlockingAssociation.security_setup>`.
    """

    def __init__(self, hold: BlockingHold, what: What, plan: Plan) -> None:
        self._hold = hold
        self._words = Words(what, plan)

    @property
    def in_doubt(self) -> Keys | None:
        """As :attr:`Words.in_doubt`."""
        return self._words.in_doubt

    def activate_policy(self, request: Protection, response: Protection | None = None) -> None:
        """``response`` is as ``request`` if it is left out."""
        policy = _policy(request, response)
        self._hold(lambda session: self._words.activate_policy(session, policy))

    def transfer_keys(self, *names: str) -> None:
        self._hold(lambda session: self._words.transfer_keys(session, names))

    def agree_keys(self, *names: str) -> None:
        self._hold(lambda session: self._words.agree_keys(session, names))

    def generate_key_pair(self, purpose: CertificatePurpose | str) -> None:
        self._hold(lambda session: self._words.generate_key_pair(session, purpose))

    def certificate_request(self, purpose: CertificatePurpose | str) -> bytes:
        return self._hold(lambda session: self._words.certificate_request(session, purpose))

    def import_certificate(self, certificate: bytes) -> None:
        self._hold(lambda session: self._words.import_certificate(session, certificate))

    def export_certificate(self, named: Identification) -> bytes:
        return self._hold(lambda session: self._words.export_certificate(session, named))

    def remove_certificate(self, named: Identification) -> None:
        self._hold(lambda session: self._words.remove_certificate(session, named))

    def certificates(self) -> tuple[CertificateEntry, ...]:
        return self._hold(self._words.certificates)


def by_entity(
    entity: Entity | str, purpose: CertificatePurpose | str, title: bytes = b""
) -> ByEntity:
    """A certificate by whose and what for it is. ``ValueError`` for a name that there is not."""
    return ByEntity(member(Entity, entity), member(CertificatePurpose, purpose), title)


def by_serial(entry: CertificateEntry) -> BySerial:
    """A certificate of the list by its serial number and issuer."""
    return BySerial(entry.serial, entry.issuer)


def _policy(request: Protection, response: Protection | None) -> Policy:
    return Policy(request, request if response is None else response)


def _kinds(names: Iterable[str]) -> list[KeyKind]:
    wanted = list(names)
    for name in wanted:
        if name not in _KINDS:
            raise ValueError(f"{name!r} is none of {', '.join(_KINDS)}")
    return [_KINDS[name] for name in wanted]
