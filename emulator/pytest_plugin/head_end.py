"""The head end of a test: S1SP and DCO, made for these meters and gone with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from dlms.axdr.data import Data
from dlms.security.keys import KeyKind, KeyRef
from emulator.client.targets import Wanted
from emulator.custody import Custody, Mode
from emulator.database import Database
from emulator.head_end.assembly import assemble
from emulator.head_end.enrolling import enrol
from emulator.head_end.party import SCOPES
from emulator.head_end.requesting import Means
from emulator.head_end.services import HeadEnd, MeterStatus
from emulator.ledger import Ledger
from emulator.modules.keyring import KeyRing, scope_secrets
from emulator.modules.software import SoftwareModule
from emulator.policy import LETTER, Actor
from emulator.pytest_plugin.meter import BenchMeter
from emulator.pytest_plugin.site import Site
from emulator.requests.enrolment import SUPPLIER, enrolled
from emulator.requests.user import TITLES, User


class BenchHeadEnd:
    """The words of :class:`~emulator.head_end.services.HeadEnd`, with a meter of the test.

    ``head_end`` is that one, for all that it can do besides. From a synchronous test each goes by
    ``live_sandbox.run()``.
    """

    def __init__(self, head_end: HeadEnd) -> None:
        self.head_end = head_end

    async def status(self, meter: BenchMeter) -> MeterStatus:
        """Read balance, payment mode and supply state as the S1SP."""
        return await self.head_end.status(meter.address, meter.profile)

    async def read(self, meter: BenchMeter, wanted: Wanted) -> Any:
        """Read one attribute as the S1SP."""
        return await self.head_end.read(meter.address, meter.profile, wanted)

    async def top_up(self, meter: BenchMeter, pounds: Decimal | str | int) -> str:
        """Add credit the way the profile takes it; returns that way, ``credit`` or ``token``."""
        return await self.head_end.top_up(meter.address, meter.profile, Decimal(pounds))

    async def instruct(self, meter: BenchMeter, name: str, argument: Data | None = None) -> Actor:
        """Send an Instruction through the party that the profile gives it to; returns the party."""
        return await self.head_end.instruct(meter.address, meter.profile, name, argument)

    async def rotate(
        self, meter: BenchMeter, kinds: Sequence[KeyKind], actor: Actor = Actor.S1SP
    ) -> None:
        """Replace keys of a party's own association, all or none."""
        await self.head_end.rotate(meter.address, meter.profile, actor, kinds)


def head_end_for(
    site: Site,
    secret: bytes,
    suite_of: Callable[[KeyRef], int],
    ledger: Ledger,
    now: Callable[[], dt.datetime],
    database: Callable[[Actor], Database],
) -> BenchHeadEnd:
    """Each party has the keys of its own scopes, in software, by the rules of the letter; nothing
    is refused for want of a strong module. ``now`` is the time of the DCC: the meters'.
    ``database`` gives each party its own.
    """

    def door(actor: Actor) -> Custody:
        ring = KeyRing(scope_secrets(secret, SCOPES[actor]), suite_of)
        return Custody([SoftwareModule(ring)], LETTER, Mode.OBSERVE, ledger)

    supplier = site.pki.issue_signer(TITLES[SUPPLIER], SUPPLIER)
    trust = site.pki.trust()
    # Certificates are made now, whatever time it is for the meters.
    user = enrolled(supplier.chain_pem, trust, SUPPLIER, SUPPLIER, dt.datetime.now(dt.UTC))
    means = Means(door(Actor.DCC), lambda: enrol(secret, [user]), User.of(supplier), database, now)
    return BenchHeadEnd(assemble(door, site.credentials[Actor.S1SP], trust, means))
