"""f(challenge) of every mechanism, answered and verified with the vectors' keys.

Hashes and signatures are computed here with ``hashlib`` and ``cryptography``, not by a module.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dlms.errors import CodecError, LocalProtocolError
from dlms.security import hls
from dlms.security.counters import CounterTooLow, InvocationCounters
from dlms.security.drive import run
from dlms.security.hls import Exchange
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CryptoOp, Curve, Digest, Mac, Sign, VerificationFailed, Verify
from dlms.security.protect import SecurityContext

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "fixtures/vectors/hls.json").read_text("utf-8")
)
HOLDER = b"MTR\0\0\0\0\1"
GUEK, GAK, SECRET, SIGNING = (
    KeyRef(HOLDER, "vector", kind)
    for kind in (KeyKind.GUEK, KeyKind.GAK, KeyKind.HLS_SECRET, KeyKind.SIGNING_KEY)
)
CURVES = {
    1: (Curve.P256, ec.SECP256R1(), hashes.SHA256()),
    2: (Curve.P384, ec.SECP384R1(), hashes.SHA384()),
}


def octets(entry: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(entry.get(name, ""))


class Setting:
    """One vector: its prover and its verifier, and what computes for them."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.entry = entry
        self.f = octets(entry, "f")
        self.title, self.peer_title = octets(entry, "title"), octets(entry, "peer_title")
        self.challenge = octets(entry, "challenge")
        self.own_challenge = octets(entry, "own_challenge")

    def context(self, own: bytes, peer: bytes) -> SecurityContext | None:
        if "ek" not in self.entry:
            return None
        return SecurityContext(
            suite=self.entry["suite"],
            own_title=own,
            peer_title=peer,
            counters=InvocationCounters(),
            guek=GUEK,
            gak=GAK,
        )

    @property
    def prover(self) -> Exchange:
        context = self.context(self.title, self.peer_title)
        if context is not None:
            context.counters.raise_to(GUEK, int(self.entry["counter"], 16))
        return self._exchange(
            (self.title, self.peer_title), (self.own_challenge, self.challenge), context
        )

    @property
    def verifier(self) -> Exchange:
        return self._exchange(
            (self.peer_title, self.title),
            (self.challenge, self.own_challenge),
            self.context(self.peer_title, self.title),
        )

    def _exchange(
        self,
        titles: tuple[bytes, bytes],
        challenges: tuple[bytes, bytes],
        context: SecurityContext | None,
    ) -> Exchange:
        return Exchange(
            mechanism=self.entry["mechanism"],
            own_title=titles[0],
            peer_title=titles[1],
            own_challenge=challenges[0],
            peer_challenge=challenges[1],
            secret=SECRET,
            context=context,
            signing_key=SIGNING,
            peer_public=octets(self.entry, "public") or None,
            curve=CURVES[self.entry["suite"]][0] if self.entry["suite"] else None,
        )

    def execute(self, op: CryptoOp) -> Any:
        match op:
            case Digest():
                parts = (
                    p if isinstance(p, bytes) else octets(self.entry, "secret") for p in op.parts
                )
                return hashlib.new(op.function.value, b"".join(parts)).digest()
            case Mac():
                iv = op.title + op.counter.to_bytes(4, "big")
                aad = bytes((op.control,)) + octets(self.entry, "ak") + op.message
                return AESGCM(octets(self.entry, "ek")).encrypt(iv, b"", aad)[:12]
            case Sign():
                curve, group, function = CURVES[self.entry["suite"]]
                scalar = int(self.entry["private"], 16)
                key = ec.derive_private_key(scalar, group)
                signature = key.sign(op.message, ec.ECDSA(function, deterministic_signing=True))
                numbers = decode_dss_signature(signature)
                return b"".join(number.to_bytes(curve.value, "big") for number in numbers)
            case Verify():
                return self._verify(op)
        raise AssertionError(op)

    def _verify(self, op: Verify) -> None:
        curve, group, function = CURVES[self.entry["suite"]]
        assert op.curve is curve
        half = curve.value
        public = ec.EllipticCurvePublicKey.from_encoded_point(group, b"\x04" + op.public)
        parts = (op.signature[:half], op.signature[half:])
        signature = encode_dss_signature(*(int.from_bytes(part, "big") for part in parts))
        try:
            public.verify(signature, op.message, ec.ECDSA(function))
        except InvalidSignature:
            raise VerificationFailed("no") from None


@pytest.fixture(params=VECTORS, ids=lambda entry: entry["name"])
def setting(request: pytest.FixtureRequest) -> Setting:
    return Setting(request.param)


def test_there_are_all_mechanisms_of_the_standard_in_both_directions() -> None:
    found = {(entry["mechanism"], entry["suite"], entry["title"]) for entry in VECTORS}
    titles = {entry["title"] for entry in VECTORS}
    for mechanism, suite in ((3, 0), (4, 0), (5, 0), (5, 1), (5, 2), (6, 0), (7, 1), (7, 2)):
        assert {(mechanism, suite, title) for title in titles} <= found


def test_answer(setting: Setting) -> None:
    assert run(hls.answer(setting.prover), setting.execute) == setting.f


def test_verify(setting: Setting) -> None:
    verifier = setting.verifier
    run(hls.verify(verifier, setting.f), setting.execute)
    if verifier.context is not None:
        assert verifier.context.counters.floor(GUEK) == int(setting.entry["counter"], 16) + 1
        with pytest.raises(CounterTooLow):
            run(hls.verify(verifier, setting.f), setting.execute)


WRONG = (CodecError, VerificationFailed)


def test_cut_anywhere_and_every_bit_flipped(setting: Setting) -> None:
    verifier = setting.verifier
    f = setting.f
    wrong = [f[:cut] for cut in range(len(f))] + [f + b"\0", f[::-1]]
    for position in range(len(f)):
        for bit in range(8):
            flipped = bytearray(f)
            flipped[position] ^= 1 << bit
            wrong.append(bytes(flipped))
    for each in wrong:
        with pytest.raises(WRONG):
            run(hls.verify(verifier, each), setting.execute)
    if verifier.context is not None:
        assert verifier.context.counters.floor(GUEK) == 0
    run(hls.verify(verifier, f), setting.execute)


@pytest.mark.parametrize(
    "entry", [e for e in VECTORS if e["mechanism"] == 7], ids=lambda entry: entry["name"]
)
def test_a_signature_of_another_length_is_not_looked_at(entry: dict[str, Any]) -> None:
    """X_SUITE1_HLS7_N: DER is longer."""
    setting = Setting(entry)
    half = len(setting.f) // 2
    numbers = (int.from_bytes(part, "big") for part in (setting.f[:half], setting.f[half:]))
    for wrong in (encode_dss_signature(*numbers), setting.f[:-1], setting.f + b"\0", b""):
        step = hls.verify(setting.verifier, wrong)
        with pytest.raises(CodecError):
            next(step)


@pytest.mark.parametrize("change", ["challenge", "own_challenge", "title", "peer_title", "swap"])
def test_everything_that_is_bound(setting: Setting, change: str) -> None:
    """What f depends on is another f when it changes; what not, is not looked at."""
    mechanism = setting.entry["mechanism"]
    binds = {3: {"challenge"}, 4: {"challenge"}, 5: {"challenge", "title"}}.get(
        mechanism, {"challenge", "own_challenge", "title", "peer_title"}
    )
    f = setting.f
    if change == "swap":
        setting.challenge, setting.own_challenge = setting.own_challenge, setting.challenge
        setting.title, setting.peer_title = setting.peer_title, setting.title
    else:
        value = getattr(setting, change)
        setattr(setting, change, value[:-1] + bytes((value[-1] ^ 1,)))
    if change == "swap" or change in binds:
        with pytest.raises(WRONG):
            run(hls.verify(setting.verifier, f), setting.execute)
    else:
        run(hls.verify(setting.verifier, f), setting.execute)


@pytest.mark.parametrize(
    "entry", [e for e in VECTORS if e["mechanism"] not in (3, 4)], ids=lambda entry: entry["name"]
)
def test_titles_that_are_not_known(entry: dict[str, Any]) -> None:
    """R-HLS-7. In mechanisms 3 and 4 there are none."""
    setting = Setting(entry)
    setting.peer_title, known = None, setting.peer_title  # type: ignore[assignment]
    prover = setting.prover
    if setting.entry["mechanism"] != 5:
        with pytest.raises(CodecError, match="not known"):
            run(hls.answer(prover), setting.execute)
    setting.peer_title = known
    setting.title = None  # type: ignore[assignment]
    with pytest.raises(CodecError, match="not known"):
        run(hls.verify(setting.verifier, setting.f), setting.execute)


LACKING = {3: "secret", 4: "secret", 5: "context", 6: "secret", 7: "signing_key"}


def test_what_a_mechanism_needs_of_its_own(setting: Setting) -> None:
    mechanism = setting.entry["mechanism"]
    prover: Exchange = dataclasses.replace(setting.prover, **{LACKING[mechanism]: None})
    with pytest.raises(LocalProtocolError):
        run(hls.answer(prover), setting.execute)
    if mechanism == 7:
        without = dataclasses.replace(setting.verifier, peer_public=None)
        with pytest.raises(CodecError, match="public key"):
            run(hls.verify(without, setting.f), setting.execute)
        without = dataclasses.replace(setting.verifier, curve=None)
        with pytest.raises(LocalProtocolError, match="suite"):
            run(hls.verify(without, setting.f), setting.execute)


@pytest.mark.parametrize("mechanism", [0, 1, 2, 8, 9, 10])
def test_mechanisms_that_are_not_there(mechanism: int) -> None:
    """2 is the manufacturer's, 8 to 10 are not of this standard."""
    exchange = Exchange(mechanism=mechanism, own_challenge=bytes(8), peer_challenge=b"12345678")
    for step in (hls.answer(exchange), hls.verify(exchange, bytes(16))):
        with pytest.raises(LocalProtocolError, match="not configured"):
            run(step, lambda op: None)
