"""The head end of the demonstration: everything in it is made for one run and gone with it."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from dlms.security.keys import KeyRef
from emulator.cli import parties
from emulator.head_end.assembly import assemble
from emulator.head_end.enrolling import enrol
from emulator.head_end.party import SCOPES, TITLES, tls_key
from emulator.head_end.requesting import Means
from emulator.head_end.services import HeadEnd
from emulator.ledger import Ledger
from emulator.module_file import ModuleFile
from emulator.modules.keyring import scope_secrets
from emulator.modules.kinds import Supply
from emulator.modules.module import CryptoModule
from emulator.modules.tls_key import tls_public_key
from emulator.policy import Actor
from emulator.requests.enrolment import SUPPLIER, enrolled
from emulator.requests.user import TITLES as USERS
from emulator.requests.user import User
from tls.credentials import CertificateChain
from tls.pki import TestPki


@contextmanager
def head_end_for(
    pki: TestPki,
    fleet_secret: bytes,
    suites: Callable[[KeyRef], int],
    args: argparse.Namespace,
    ledger: Ledger,
    tokens: ModuleFile,
) -> Iterator[HeadEnd]:
    """``tokens`` are those of SoftHSM that are made if they are asked for."""

    def door(actor: Actor) -> AbstractContextManager[parties.Door]:
        secrets = scope_secrets(fleet_secret, SCOPES[actor])

        def token() -> CryptoModule:
            row = tokens.new_softhsm(actor)
            tokens.prepare(row, secrets)
            return tokens.open(row, None, suites)

        return parties.door(actor, Supply(secrets, suites, token), args, ledger)

    supplier = pki.issue_signer(USERS[SUPPLIER], SUPPLIER)
    now = dt.datetime.now(dt.UTC)
    user = enrolled(supplier.chain_pem, pki.trust(), SUPPLIER, SUPPLIER, now)
    with ExitStack() as stack:
        doors = {actor: stack.enter_context(door(actor)) for actor in SCOPES}
        tls, name = doors[Actor.S1SP].tls, Actor.S1SP.value
        credential: CertificateChain
        if tls is None:
            credential = pki.issue_client(TITLES[Actor.S1SP], name)
        else:
            public = tls_public_key(tls, tls_key(Actor.S1SP))
            credential = pki.certify_client(TITLES[Actor.S1SP], name, public)
        dsp = doors[Actor.DCC].custody
        yield assemble(
            lambda actor: doors[actor].custody,
            credential,
            pki.trust(),
            Means(dsp, lambda: enrol(fleet_secret, [user]), User.of(supplier)),
            tls_module=tls,
            keylog=args.keylog,
        )
