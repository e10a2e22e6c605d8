"""What the supplier's system can do to a meter, with everything that it has: each association, each
port, each certificate, each title that it could go by.

Before a meter is enrolled that is what its client does; afterwards it is the proof that its access
has ended. Nothing of it is in the DCC's ledger.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from devices.profile import Profile
from dlms.cosem import classes, obis
from dlms.errors import DlmsError
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.channel import Channel
from emulator.custody import Custody, Mode
from emulator.head_end.opening import open_association
from emulator.head_end.party import ASSOCIATIONS, TITLES, Party
from emulator.ledger import Ledger
from emulator.meter_address import MeterAddress
from emulator.modules.software import SoftwareModule
from emulator.policy import LETTER, Actor
from emulator.supplier.system import SupplierSystem
from tls.credentials import Credential, Trust
from tls.events import HandshakeError
from tls.identity import exactly
from tls.plain import open_tcp_connection
from tls.transport import open_tls_connection

NAME = AttributeDescriptor(classes.DATA.class_id, obis.parse("0-0:42.0.0.255"), 2)
"""COSEM logical device name: what is read to see that an association is good for something."""


PLAIN = "plain"


class Attempt(NamedTuple):
    """``way`` is plain or TLS, and by which certificate; ``let_in`` is whether that was accepted,
    where one was shown. ``why`` is empty if it ``succeeded``.
    """

    way: str
    association: str
    title: str
    let_in: bool
    succeeded: bool
    why: str

    def to_json(self) -> dict[str, Any]:
        return self._asdict()


class SupplierClient:
    """``trust`` is whom it takes for meters: their maker's authority."""

    def __init__(self, system: SupplierSystem, trust: Trust) -> None:
        self._system = system
        self._trust = trust
        # Not the DCC: what is in this ledger nobody reads.
        module = SoftwareModule(system.ring())
        self._custody = Custody([module], LETTER, Mode.OBSERVE, Ledger())

    async def try_everything(self, meter: MeterAddress, profile: Profile) -> tuple[Attempt, ...]:
        """``OSError`` or ``TimeoutError`` if the meter cannot be reached at all: that proves
        nothing.
        """
        attempts = []
        for scope, actor in ASSOCIATIONS.items():
            for way, credential in self._ways():
                for name, title in (("own", self._system.title), ("the DCC's", TITLES[actor])):
                    party = self._party(actor, credential, title)
                    let_in, why = await self._try(party, meter, profile, way)
                    attempts.append(Attempt(way, scope, name, let_in, not why, why))
        return tuple(attempts)

    async def read_name(self, meter: MeterAddress, profile: Profile, actor: Actor) -> bytes:
        """What its client did every day: it reads, over TLS."""
        party = self._party(actor, self._system.credential, self._system.title)
        return await self._read(party, meter, profile, "TLS")

    def _ways(self) -> Iterator[tuple[str, Credential]]:
        yield PLAIN, self._system.credential
        yield "TLS", self._system.credential
        yield "TLS, migration certificate", self._system.migration_credential()

    def _party(self, actor: Actor, credential: Credential, title: bytes) -> Party:
        return Party(
            actor=actor,
            credential=credential,
            trust=self._trust,
            custody=self._custody,
            going_by=title,
        )

    async def _try(
        self, party: Party, meter: MeterAddress, profile: Profile, way: str
    ) -> tuple[bool, str]:
        shown = way != PLAIN
        try:
            await self._read(party, meter, profile, way)
        except DlmsError as error:
            return shown, str(error) or type(error).__name__
        except HandshakeRefused as refused:
            return False, str(refused)
        return shown, ""

    async def _read(self, party: Party, meter: MeterAddress, profile: Profile, way: str) -> bytes:
        channel = await self._connect(party, meter, way)
        try:
            row = party.row(profile)
            session = await open_association(party, channel, meter, profile, row, sole=False)
            try:
                value = (await session.get(NAME)).value
            finally:
                with suppress(OSError):
                    await session.end()
            return value if isinstance(value, bytes) else b""
        finally:
            channel.close()
            await channel.wait_closed()

    async def _connect(self, party: Party, meter: MeterAddress, way: str) -> Channel:
        if way == PLAIN:
            _, plain = await open_tcp_connection(Channel, meter.host, meter.plain_port)
            return plain
        try:
            _, secure = await open_tls_connection(
                Channel,
                meter.host,
                meter.tls_port,
                party.tls_context(),
                accept=exactly(meter.title),
            )
        except HandshakeError as error:
            if error.event.alert is None:
                raise  # it did not get as far as that
            raise HandshakeRefused(str(error)) from error
        return secure


class HandshakeRefused(Exception):
    """The meter does not let this certificate in."""
