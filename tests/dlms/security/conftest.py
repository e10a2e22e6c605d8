"""Two parties for general-ciphering, general-signing and key agreement."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.general_context import GeneralContext
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Agree, CryptoOp, GenerateKeyPair, Mac, Seal, Step, Unwrap, Use
from dlms.security.protect import SecurityContext
from dlms.security.suites import SUITES
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

CLIENT = bytes.fromhex("4D4D4D0000BC614E")
SERVER = bytes.fromhex("4D4D4D0000000001")
SHARED = {kind: KeyRef(SERVER, "s", kind) for kind in KeyKind}


class Party:
    """One end: a module of its own with global keys that both know and key pairs that only it does.

    ``ops`` is what the module was asked for, ``vectors`` (key octets, title, counter) of every
    sealing, none of which may come twice.
    """

    def __init__(self, suite: int, own: bytes, peer: bytes) -> None:
        self.keys = KeyRing()
        self.ops: list[CryptoOp] = []
        self.vectors: list[tuple[bytes, bytes, int]] = []
        self._module = SoftwareModule(self.keys)
        length = SUITES[suite].key_length
        for number, kind in enumerate((KeyKind.GUEK, KeyKind.GBEK, KeyKind.GAK, KeyKind.KEK)):
            self.keys.keep(SHARED[kind], bytes(range(number, number + length)))
        self.signing_key = KeyRef(own, "own", KeyKind.SIGNING_KEY)
        self.agreement_key = KeyRef(own, "own", KeyKind.AGREEMENT_KEY)
        curve = SUITES[suite].curve
        self.publics: dict[KeyRef, bytes] = {}
        for key in (self.signing_key, self.agreement_key):
            if curve is not None:
                self.publics[key] = self(GenerateKeyPair(Use.CERTIFICATE, key, curve))
        self.context = GeneralContext(
            security=SecurityContext(
                suite=suite,
                own_title=own,
                peer_title=peer,
                counters=InvocationCounters(),
                guek=SHARED[KeyKind.GUEK],
                gbek=SHARED[KeyKind.GBEK],
                gak=SHARED[KeyKind.GAK],
            ),
            scope="s",
            kek=SHARED[KeyKind.KEK],
            agreement_key=self.agreement_key,
            signing_key=self.signing_key,
        )

    def __call__(self, op: CryptoOp) -> Any:
        self.ops.append(op)
        if isinstance(op, Seal | Mac):
            self.vectors.append((self.keys.get(op.ek), op.title, op.counter))
        return self._module.execute(op)

    def run(self, step: Step[Any]) -> Any:
        return run(step, self)

    def meet(self, peer: Party) -> None:
        """Learn the peer's public keys."""
        self.context.peer_agreement_public = peer.publics.get(peer.agreement_key)
        self.context.peer_signing_public = peer.publics.get(peer.signing_key)

    def practise(self, **changes: Any) -> None:
        self.context.practice = replace(self.context.practice, **changes)

    def made(self) -> set[KeyRef]:
        """Every key that was made for one message, as the operations say."""
        return {
            op.into if isinstance(op, Unwrap | Agree) else op.ek
            for op in self.ops
            if isinstance(op, Unwrap | Agree)
            or (isinstance(op, Seal) and op.ek.kind is KeyKind.EPHEMERAL)
        }

    def state(self) -> tuple[Any, ...]:
        """All that a refused message must not change."""
        context = self.context
        return (
            context.security.counters.snapshot(),
            context.spent.snapshot(),
            {ref: self.keys.get(ref) for ref in self.keys.refs},
        )


class Pair:
    """A client and a server who know each other."""

    def __init__(self, suite: int = 1) -> None:
        self.suite = suite
        self.client = Party(suite, CLIENT, SERVER)
        self.server = Party(suite, SERVER, CLIENT)
        self.client.meet(self.server)
        self.server.meet(self.client)


@pytest.fixture
def pair() -> type[Pair]:
    return Pair
