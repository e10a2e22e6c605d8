"""The software module and a token: the same keys, any operations, the same results or refusals."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from dlms.security import ops
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import CryptoFailure, CryptoOp, Curve, HashFunction, Use
from emulator.modules.keyring import scope_secrets
from emulator.modules.module import CryptoModule

HOLDER = bytes.fromhex("4D4D4D0000BC614E")
SECRETS = scope_secrets(b"a fleet secret of the tests, long", ["s1sp"])
SUITE = 1
SHORT = KeyLifetime.SINGLE_ASSOCIATION


def ref(kind: KeyKind, version: int = 0, scope: str = "s1sp", **more: Any) -> KeyRef:
    return KeyRef(HOLDER, scope, kind, version=version, **more)


KEKS = [ref(KeyKind.KEK), ref(KeyKind.KEK, 1)]
CIPHERS = [ref(KeyKind.GUEK), ref(KeyKind.GUEK, 1), ref(KeyKind.GBEK), ref(KeyKind.TOKEN)]
GAKS = [ref(KeyKind.GAK), ref(KeyKind.GAK, 1), ref(KeyKind.GAK, 1, lifetime=SHORT)]
PASSING = [ref(KeyKind.DEDICATED, 1, lifetime=SHORT), ref(KeyKind.EPHEMERAL, 1, lifetime=SHORT)]
FOREIGN = [ref(KeyKind.GUEK, scope="dco"), ref(KeyKind.KEK, scope="dco")]
LASTING = [*KEKS, *CIPHERS, *GAKS, *FOREIGN]
SYMMETRIC = [*LASTING, *PASSING]
PASSWORDS = [ref(KeyKind.LLS_SECRET), ref(KeyKind.HLS_SECRET), ref(KeyKind.HLS_SECRET, scope="dco")]
PRIVATE = [
    ref(KeyKind.SIGNING_KEY),
    ref(KeyKind.AGREEMENT_KEY),
    ref(KeyKind.AGREEMENT_KEY, 1, lifetime=SHORT),
    ref(KeyKind.TLS_PRIVATE_KEY),
]
ANY = [*SYMMETRIC, *PASSWORDS, *PRIVATE]

controls = st.sampled_from([0x10, 0x20, 0x30, 0x31])
counters = st.integers(0, 2**32 - 1)
payloads = st.binary(max_size=80)
HASHES = [one for one in HashFunction if one is not HashFunction.MD5]
"""SoftHSM refuses the other with a secret."""


def outcome(module: CryptoModule, op: CryptoOp) -> Any:
    """The result, or the kind of failure."""
    try:
        return module.execute(op)
    except CryptoFailure as failure:
        return type(failure)


class Agreement(RuleBasedStateMachine):
    backends: dict[str, Any]

    @initialize()
    def begin(self) -> None:
        self._stack = ExitStack()
        self.software, self.token = (
            self._stack.enter_context(
                self.backends[name].made({}, dict(SECRETS), lambda ref: SUITE)
            )
            for name in ("software", "softhsm")
        )

    def teardown(self) -> None:
        self._stack.close()

    def both(self, op: CryptoOp) -> Any:
        expected = outcome(self.software, op)
        assert outcome(self.token, op) == expected
        return expected

    @rule(
        ek=st.sampled_from([*SYMMETRIC, *PRIVATE]),
        ak=st.sampled_from([*GAKS, None]),
        control=controls,
        counter=counters,
        payload=payloads,
        extra=st.binary(max_size=20),
        bend=st.none() | st.integers(0, 200),
    )
    def seal_and_open(
        self,
        ek: KeyRef,
        ak: KeyRef | None,
        control: int,
        counter: int,
        payload: bytes,
        extra: bytes,
        bend: int | None,
    ) -> None:
        if not control & 0x10:
            ak = None  # as an association has it: it takes part in authentication alone
        seal = ops.Seal(Use.PROTECT_REQUEST, ek, ak, control, HOLDER, counter, payload, extra)
        sealed = self.both(seal)
        body = bytearray(sealed if isinstance(sealed, bytes) else b"a body that nobody has sealed")
        if not control & 0x20 and isinstance(sealed, bytes):
            body[:0] = payload
        if bend is not None and body:
            body[bend % len(body)] ^= 1 << bend % 8
        opened = self.both(
            ops.Open(Use.OPEN_REQUEST, ek, ak, control, HOLDER, counter, bytes(body), None, extra)
        )
        if bend is None and isinstance(sealed, bytes):
            assert opened == payload

    @rule(ek=st.sampled_from(SYMMETRIC), ak=st.sampled_from([*GAKS, None]), message=payloads)
    def mac(self, ek: KeyRef, ak: KeyRef | None, message: bytes) -> None:
        self.both(ops.Mac(Use.ASSOCIATION, ek, ak, 0x10, HOLDER, 7, message))

    @rule(kek=st.sampled_from(SYMMETRIC), key=st.sampled_from([*LASTING, PASSING[0], *PRIVATE]))
    def wrap(self, kek: KeyRef, key: KeyRef) -> None:
        """Not the key of one message: in a token it is handed on only where it was generated."""
        self.both(ops.Wrap(Use.TRANSFER_KEY, kek, key))

    @rule(
        kek=st.sampled_from(KEKS),
        key=st.sampled_from(SYMMETRIC),
        into=st.sampled_from([*SYMMETRIC, *PRIVATE]),
        unlike=st.lists(st.sampled_from(SYMMETRIC), max_size=3),
        bend=st.none() | st.integers(0, 200),
    )
    def hand_over(
        self, kek: KeyRef, key: KeyRef, into: KeyRef, unlike: list[KeyRef], bend: int | None
    ) -> None:
        """A key under two names, or a bent one under none."""
        wrapped = outcome(self.software, ops.Wrap(Use.TRANSFER_KEY, kek, key))
        body = bytearray(wrapped if isinstance(wrapped, bytes) else bytes(24))
        if bend is not None:
            body[bend % len(body)] ^= 1 << bend % 8
        self.both(ops.Unwrap(Use.TRANSFER_KEY, kek, bytes(body), into, tuple(unlike)))

    @rule(into=st.sampled_from(SYMMETRIC), length=st.sampled_from([16, 32]))
    def generate(self, into: KeyRef, length: int) -> None:
        """Each draws its own, so what the token draws is handed over to the other."""
        generated = outcome(self.token, ops.GenerateKey(Use.TRANSFER_KEY, into, length))
        assert generated is None
        for kek in KEKS:
            wrapped = outcome(self.token, ops.Wrap(Use.TRANSFER_KEY, kek, into))
            if isinstance(wrapped, bytes) and kek != into:
                self.software.execute(ops.Unwrap(Use.TRANSFER_KEY, kek, wrapped, into))
                return
        for module in (self.software, self.token):
            module.execute(ops.Discard(Use.TRANSFER_KEY, into))

    @rule(key=st.sampled_from(ANY))
    def discard(self, key: KeyRef) -> None:
        self.both(ops.Discard(Use.TRANSFER_KEY, key))

    @rule(secret=st.sampled_from([*PASSWORDS, *SYMMETRIC]), guess=st.binary(max_size=8))
    def present(self, secret: KeyRef, guess: bytes) -> None:
        presented = self.both(ops.Present(Use.ASSOCIATION, secret))
        self.both(ops.Match(Use.ASSOCIATION, secret, guess))
        if isinstance(presented, bytes):
            assert self.both(ops.Match(Use.ASSOCIATION, secret, presented)) is True

    @rule(function=st.sampled_from(HASHES), secret=st.sampled_from(ANY), before=payloads)
    def digest(self, function: HashFunction, secret: KeyRef, before: bytes) -> None:
        self.both(ops.Digest(Use.ASSOCIATION, function, (before, secret, b"", before)))
        self.both(ops.Digest(Use.ASSOCIATION, HashFunction.MD5, (before, before)))

    @rule(key=st.sampled_from([*PRIVATE, *CIPHERS]), message=payloads)
    def sign(self, key: KeyRef, message: bytes) -> None:
        public = self.both(ops.PublicKey(Use.CERTIFICATE, key))
        signed = [
            outcome(one, ops.Sign(Use.PROTECT_REQUEST, key, message))
            for one in (self.software, self.token)
        ]
        for signature in signed:
            if isinstance(signature, bytes):
                self.both(ops.Verify(Use.OPEN_REQUEST, Curve.P256, public, message, signature))
            else:
                assert signed[0] is signed[1]

    @rule(
        private=st.sampled_from([*PRIVATE, *CIPHERS]),
        peer=st.sampled_from(PRIVATE),
        into=st.sampled_from([*CIPHERS, *GAKS, *PASSING]),
        info=st.binary(max_size=30),
        length=st.sampled_from([16, 32]),
        unlike=st.lists(st.sampled_from(SYMMETRIC), max_size=2),
        bend=st.booleans(),
    )
    def agree(
        self,
        private: KeyRef,
        peer: KeyRef,
        into: KeyRef,
        info: bytes,
        length: int,
        unlike: list[KeyRef],
        bend: bool,
    ) -> None:
        public = self.both(ops.PublicKey(Use.CERTIFICATE, peer))
        if not isinstance(public, bytes):
            return
        if bend:
            public = public[:-1] + bytes((public[-1] ^ 1,))
        self.both(ops.Agree(Use.AGREE_KEY, private, public, info, into, length, tuple(unlike)))

    @rule()
    def begin_the_session_anew(self) -> None:
        """What lasts is there again; what does not is discarded on both sides before."""
        for key in [*PASSING, PRIVATE[2]]:
            self.both(ops.Discard(Use.ASSOCIATION, key))
        token: Any = self.token
        token.close()


def test_software_and_token_agree(backends: dict[str, Any]) -> None:
    Agreement.backends = backends
    # Without shrinking: that takes minutes with a token, and the steps so far say enough.
    phases = (Phase.explicit, Phase.reuse, Phase.generate)
    run_state_machine_as_test(
        Agreement,
        settings=settings(max_examples=25, stateful_step_count=40, phases=phases),
    )
