"""HLS authentication with a signature, mechanism 7 (GB Ed. 8, 9.2.2.2.2.4 and Table 42).

f is the ECDSA signature, as plain R ‖ S, over own title ‖ peer's title ‖ challenge answered ‖ own
challenge. The curve is that of the security suite.
"""

from __future__ import annotations

from dlms.errors import CodecError, LocalProtocolError
from dlms.security.hls_exchange import Exchange
from dlms.security.ops import Sign, Step, Use, Verify


def answer(exchange: Exchange) -> Step[bytes]:
    """Sign the peer's challenge."""
    own, peer = exchange.titles()
    if exchange.signing_key is None:
        raise LocalProtocolError("mechanism 7 needs a signing key")
    message = own + peer + exchange.peer_challenge + exchange.own_challenge
    signature: bytes = yield Sign(Use.ASSOCIATION, exchange.signing_key, message)
    return signature


def verify(exchange: Exchange, result: bytes) -> Step[None]:
    """Check the peer's signature of our challenge.

    :class:`CodecError` if it is not R ‖ S of the curve (a DER signature is not), or the peer's
    public key is not known (R-HLS-7); :class:`~dlms.security.ops.VerificationFailed` if it is
    wrong.
    """
    own, peer = exchange.titles()
    if exchange.curve is None:
        raise LocalProtocolError("mechanism 7 needs security suite 1 or 2")
    if exchange.peer_public is None:
        raise CodecError("the peer's public key is not known", field="f(challenge)")
    length = 2 * exchange.curve.value
    if len(result) != length:
        raise CodecError(
            f"R and S of {length} octets needed, not {len(result)}", field="f(challenge)"
        )
    message = peer + own + exchange.own_challenge + exchange.peer_challenge
    yield Verify(Use.ASSOCIATION, exchange.curve, exchange.peer_public, message, result)
