"""HLS authentication with a hash of a shared secret (GB Ed. 8, 9.2.2.2.2.4 and Table 42).

Mechanism 3, MD5, and 4, SHA-1: H(challenge ‖ secret). Both parties compute the same function of
whatever challenge they are given, so it is only the difference and freshness of the challenges that
keeps an answer from being reflected (R-HLS-3); the standard does not recommend them.

Mechanism 6, SHA-256: H(secret ‖ own title ‖ peer's title ‖ challenge answered ‖ own challenge),
which binds both parties and the direction.
"""

from __future__ import annotations

import hmac

from dlms.errors import LocalProtocolError
from dlms.security.hls_exchange import Exchange
from dlms.security.keys import KeyRef
from dlms.security.ops import Digest, HashFunction, Step, Use, VerificationFailed

HASHES = {3: HashFunction.MD5, 4: HashFunction.SHA1, 6: HashFunction.SHA256}


def answer(exchange: Exchange) -> Step[bytes]:
    """Compute f of the peer's challenge."""
    own, peer = _titles(exchange)
    return (
        yield from _digest(exchange, own, peer, exchange.peer_challenge, exchange.own_challenge)
    )


def verify(exchange: Exchange, result: bytes) -> Step[None]:
    """Check the peer's f of our challenge. :class:`VerificationFailed` if it is wrong."""
    own, peer = _titles(exchange)
    expected = yield from _digest(
        exchange, peer, own, exchange.own_challenge, exchange.peer_challenge
    )
    if not hmac.compare_digest(expected, result):
        raise VerificationFailed("f(challenge) does not verify")


def _titles(exchange: Exchange) -> tuple[bytes, bytes]:
    return exchange.titles() if exchange.mechanism == 6 else (b"", b"")


def _digest(
    exchange: Exchange, prover: bytes, verifier: bytes, answered: bytes, other: bytes
) -> Step[bytes]:
    """f as ``prover`` computes it for the challenge ``answered``."""
    secret = exchange.secret
    if secret is None:
        raise LocalProtocolError("this mechanism needs an HLS secret")
    parts: tuple[bytes | KeyRef, ...] = (answered, secret)
    if exchange.mechanism == 6:
        parts = (secret, prover, verifier, answered, other)
    result: bytes = yield Digest(Use.ASSOCIATION, HASHES[exchange.mechanism], parts)
    return result
