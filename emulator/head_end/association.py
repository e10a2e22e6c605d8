"""An association of a party with a meter: over TLS of its own, or over a relay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from devices.profile import Profile
from emulator.channel import ApduLink, Channel
from emulator.head_end.handing_over import hand_over
from emulator.head_end.opening import open_association
from emulator.head_end.party import Party
from emulator.head_end.party_association import PartyAssociation
from emulator.meter_address import MeterAddress
from emulator.policy import Purpose
from tls.events import HandshakeDone, HandshakeEvent
from tls.identity import exactly
from tls.transport import open_tls_connection

__all__ = ["PartyAssociation", "associate", "connected"]


@asynccontextmanager
async def associate(
    party: Party,
    meter: MeterAddress,
    profile: Profile,
    way: AbstractAsyncContextManager[ApduLink] | None = None,
) -> AsyncIterator[PartyAssociation]:
    """Open the party's association with ``meter`` by ``way``, its own TLS unless there is another;
    release both at the end.

    Raises :class:`tls.events.HandshakeError`, ``OSError``, :class:`~dlms.errors.DlmsError` or
    ``TimeoutError`` if there is no association; :class:`~emulator.ledger.LedgerError` if what was
    done could not be written down. Nobody is told of a success before it is.
    """
    try:
        async with _associated(party, meter, profile, way) as session:
            yield session
    finally:
        await party.custody.flush()


@asynccontextmanager
async def _associated(
    party: Party,
    meter: MeterAddress,
    profile: Profile,
    way: AbstractAsyncContextManager[ApduLink] | None,
) -> AsyncIterator[PartyAssociation]:
    row = party.row(profile)
    async with way or connected(party, meter, profile) as link, AsyncExitStack() as stack:
        with party.known.sole(meter.title, row.name) as sole:
            session = await open_association(party, link, meter, profile, row, sole=sole)
            stack.push_async_callback(session.end)
            if row.single_key:
                await hand_over(session, party, meter, row, sole=sole)
        yield session


@asynccontextmanager
async def connected(party: Party, meter: MeterAddress, profile: Profile) -> AsyncIterator[Channel]:
    """TLS to exactly this meter, with the DCC Private Key of the party (G2.44(b))."""
    context = party.tls_context()
    assert party.credential is not None  # or there would be no context
    events: list[HandshakeEvent] = []

    async def connect() -> Channel:
        _, channel = await open_tls_connection(
            Channel,
            meter.host,
            meter.tls_port,
            context,
            accept=exactly(meter.title),
            on_event=events.append,
        )
        return channel

    errand = party.errand(meter.title.hex().upper(), profile.category, Purpose.ESTABLISH_TLS)
    channel = await party.custody.establish_tls(
        party.tls_key,
        errand,
        connect,
        holder=party.tls_holder(party.credential),
        took_key=lambda: any(isinstance(one, HandshakeDone) and one.took_key for one in events),
    )
    try:
        yield channel
    finally:
        channel.close()
        await channel.wait_closed()
