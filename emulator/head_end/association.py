"""An association of a party with a meter, over TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from devices.profile import Profile
from emulator.channel import Channel
from emulator.head_end.handing_over import hand_over
from emulator.head_end.opening import open_association
from emulator.head_end.party import Party
from emulator.head_end.party_association import PartyAssociation
from emulator.policy import Purpose
from emulator.sandbox import MeterAddress
from tls.identity import exactly
from tls.transport import open_tls_connection

__all__ = ["PartyAssociation", "associate"]


@asynccontextmanager
async def associate(
    party: Party, meter: MeterAddress, profile: Profile
) -> AsyncIterator[PartyAssociation]:
    """Open TLS and the party's association with ``meter``; release both at the end.

    Raises :class:`tls.events.HandshakeError`, ``OSError``, :class:`~dlms.errors.DlmsError` or
    ``TimeoutError`` if there is no association.
    """
    row = party.row(profile)
    channel = await _connect(party, meter, profile)
    try:
        async with AsyncExitStack() as stack:
            with party.known.sole(meter.title, row.name) as sole:
                session = await open_association(party, channel, meter, profile, row, sole=sole)
                stack.push_async_callback(session.end)
                if row.single_key:
                    await hand_over(session, party, meter, row, sole=sole)
            yield session
    finally:
        channel.close()
        await channel.wait_closed()


async def _connect(party: Party, meter: MeterAddress, profile: Profile) -> Channel:
    """TLS to exactly this meter, with the DCC Private Key of the party (G2.44(b))."""

    async def connect() -> Channel:
        _, channel = await open_tls_connection(
            Channel,
            meter.host,
            meter.tls_port,
            party.tls_context(),
            accept=exactly(meter.title),
        )
        return channel

    errand = party.errand(meter.title.hex().upper(), profile.category, Purpose.ESTABLISH_TLS)
    return await party.custody.establish_tls(party.tls_key, errand, connect)
