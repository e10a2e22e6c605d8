"""Head ends for one meter each that differ in their custody: what tags, ledger and tokens cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import samples
from place import Place

from dlms.security.drive import run
from dlms.security.keys import KeyRef
from dlms.security.ops import Step
from emulator.custody import Custody, Errand, Mode
from emulator.custody import file as custody_file
from emulator.head_end.assembly import assemble
from emulator.head_end.enrolling import enrol
from emulator.head_end.party import SCOPES
from emulator.head_end.requesting import Means
from emulator.head_end.token_counters import TokenCounters
from emulator.ledger import Ledger
from emulator.meter_address import MeterAddress
from emulator.module_file import ModuleFile
from emulator.modules.keyring import KeyRing, scope_secrets, suite_zero
from emulator.modules.kinds import Supply
from emulator.modules.module import CryptoModule
from emulator.modules.software import SoftwareModule
from emulator.policy import LETTER, Actor
from emulator.requests.enrolment import SUPPLIER, enrolled
from emulator.requests.user import TITLES as USERS
from emulator.requests.user import User
from tls.pki import TestPki

PENNY = Decimal("0.01")


class Bare(Custody):
    """Has everything done by one module, and neither asks nor writes anything."""

    def __init__(self, module: CryptoModule) -> None:
        super().__init__([module], LETTER, Mode.OBSERVE, Ledger())
        self._module = module

    async def run(self, step: Step[Any], errand: Errand) -> Any:
        return run(step, self._module.execute)

    async def establish_tls(
        self, key: KeyRef, errand: Errand, connect: Callable[[], Awaitable[Any]], **_: Any
    ) -> Any:
        return await connect()


def bare(place: Place) -> Callable[[Actor], Custody]:
    def custody(actor: Actor) -> Custody:
        return Bare(SoftwareModule(KeyRing(scope_secrets(place.fleet_secret, SCOPES[actor]))))

    return custody


class Tokens:
    """A token of SoftHSM for each party, in ``folder``: made when it is first used."""

    def __init__(self, place: Place, folder: Path) -> None:
        self._file = ModuleFile(folder)
        self._place = place
        self._modules: dict[Actor, CryptoModule] = {}

    def open(self, actor: Actor) -> CryptoModule:
        if actor not in self._modules:
            row = self._file.new_softhsm(actor)
            self._file.prepare(row, scope_secrets(self._place.fleet_secret, SCOPES[actor]))
            self._modules[actor] = self._file.open(row, None, suite_zero)
        return self._modules[actor]


def tagged(place: Place, which: str, ledger: Ledger, tokens: Tokens) -> Callable[[Actor], Custody]:
    """The custody that the commands have. ``which`` is as for ``--modules``, but that TLS goes by
    the same key in OpenSSL for all: it is not what is compared.
    """
    file = custody_file.chosen(which)

    def custody(actor: Actor) -> Custody:
        secrets = scope_secrets(place.fleet_secret, SCOPES[actor])
        supply = Supply(secrets, suite_zero, partial(tokens.open, actor))
        return Custody(file.open(actor, supply).routing, LETTER, Mode.OBSERVE, ledger)

    return custody


class TopUps:
    """A head end that adds a penny to a meter of its own, again and again."""

    def __init__(self, place: Place, pki: TestPki, custody: Callable[[Actor], Custody]) -> None:
        plain, secure = place.meters[next(place.free_meters)]
        self._meter = MeterAddress(
            samples.PROFILE, samples.SERIAL, place.title, place.host, plain, secure
        )
        self._profile = samples.profile()
        supplier = pki.issue_signer(USERS[SUPPLIER], SUPPLIER)
        now = dt.datetime.now(dt.UTC)
        user = enrolled(supplier.chain_pem, pki.trust(), SUPPLIER, SUPPLIER, now)
        self._head_end = assemble(
            custody,
            place.credential,
            place.trust,
            Means(custody(Actor.DCC), lambda: enrol(place.fleet_secret, [user]), User.of(supplier)),
            tokens=TokenCounters(),
        )

    async def __call__(self, count: int) -> None:
        for _ in range(count):
            await self._head_end.top_up(self._meter, self._profile, PENNY)
