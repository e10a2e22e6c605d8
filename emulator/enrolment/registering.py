"""S1SP and DCO become the clients of the meter's associations, and nobody else is one (step 6).

The DCO does it, as the management client; its own association comes last, for up to then the meter
knows it as the supplier's client. With the last of them the meter lets nobody in any more whose
certificate is of the supplier's authority.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from dlms.axdr.data import octet_string
from dlms.client.refusals import AssociationRejected
from dlms.cosem import classes
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.enrolment.agreed import associations
from emulator.enrolment.case import ACTORS, Case
from emulator.enrolment.verifying import NAME
from emulator.head_end.party import TITLES
from emulator.head_end.party_association import PartyAssociation
from emulator.policy import Actor
from tls.events import HandshakeError

_CLIENT_TITLE = 4
"""Attribute of Security setup."""


async def register(case: Case) -> dict[str, Any]:
    """What is registered already is left as it is. In the end each party comes as itself."""
    async with _as_the_meter_knows(case) as session:
        for actor in ACTORS:
            for row in reversed(associations(case.profile, actor)):
                setup = bytes((0, 0, 43, 0, row.security_setup or 0, 255))
                attribute = AttributeDescriptor(
                    classes.SECURITY_SETUP.class_id, setup, _CLIENT_TITLE
                )
                if (await session.get(attribute)).value != TITLES[actor]:
                    await session.set(attribute, octet_string(TITLES[actor]))
    for actor in ACTORS:
        async with case.session(actor) as own:
            await own.get(NAME)
    return {}


@asynccontextmanager
async def _as_the_meter_knows(case: Case) -> AsyncIterator[PartyAssociation]:
    """The DCO's association: as the supplier's client, or as itself if the answer to that was lost
    and the meter knows it by now.
    """
    async with AsyncExitStack() as stack:
        try:
            former = case.session(Actor.DCO, as_former=True)
            session = await stack.enter_async_context(former)
        except (AssociationRejected, HandshakeError):
            session = await stack.enter_async_context(case.session(Actor.DCO))
        yield session
