"""Our module in security suites 1 and 2, with keys that a peer can be given too."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.general_context import GeneralContext
from dlms.security.general_protection import protect_general
from dlms.security.key_choice import KeyChoice
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Curve, GenerateKeyPair, Use
from dlms.security.protect import SecurityContext
from dlms.security.suites import SUITES
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

CLIENT = bytes.fromhex("4D4D4D0000BC614E")
SERVER = bytes.fromhex("4D4D4D0000000001")
COUNTER = 0x01234567


class Ours:
    """Keys by reference, and as octets for the peer: ``ek``, ``ak`` and ``master``."""

    guek, gak, kek, signing, agreement = (
        KeyRef(SERVER, "s", kind)
        for kind in (
            KeyKind.GUEK,
            KeyKind.GAK,
            KeyKind.KEK,
            KeyKind.SIGNING_KEY,
            KeyKind.AGREEMENT_KEY,
        )
    )
    title, counter = CLIENT, COUNTER

    def __init__(self, suite: int) -> None:
        self.suite = suite
        self.keys = KeyRing()
        self.module = SoftwareModule(self.keys)
        length = SUITES[suite].key_length
        self.ek, self.ak, self.master = (
            bytes((first + n) % 256 for n in range(length)) for first in (0x00, 0xD0, 0x40)
        )
        for ref, octets in ((self.guek, self.ek), (self.gak, self.ak), (self.kek, self.master)):
            self.keys.keep(ref, octets)
        curve = SUITES[suite].curve
        assert curve is not None
        self.curve: Curve = curve
        self.signing_public, self.agreement_public = (
            self(GenerateKeyPair(Use.CERTIFICATE, ref, curve))
            for ref in (self.signing, self.agreement)
        )
        security = SecurityContext(
            suite=suite,
            own_title=CLIENT,
            peer_title=SERVER,
            counters=InvocationCounters(),
            guek=self.guek,
            gak=self.gak,
        )
        security.counters.raise_to(self.guek, COUNTER)
        self.context = GeneralContext(
            security=security,
            scope="s",
            agreement_key=self.agreement,
            signing_key=self.signing,
            peer_agreement_public=self.agreement_public,
        )

    def __call__(self, op: Any) -> Any:
        return self.module.execute(op)

    def ciphered(self, apdu: bytes, choice: KeyChoice) -> bytes:
        """A general-ciphering APDU whose transaction-id is the counter."""
        header = self.context.header(COUNTER.to_bytes(8, "big"))
        step = protect_general(
            self.context, apdu, header, choice, Protection.BOTH, Use.PROTECT_REQUEST
        )
        octets: bytes = run(step, self)
        return octets


@pytest.fixture
def p256() -> Ours:
    return Ours(1)


@pytest.fixture
def p384() -> Ours:
    return Ours(2)


@pytest.fixture(params=[1, 2])
def ours(request: pytest.FixtureRequest) -> Ours:
    return Ours(request.param)
