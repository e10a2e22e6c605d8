"""HLS authentication: which mechanism computes f(challenge), and how (GB Ed. 8, 9.2.2.2.2.4).

- :mod:`dlms.security.hls_exchange`   what a party knows
- :mod:`dlms.security.hls_digest`     mechanisms 3, 4 and 6
- :mod:`dlms.security.hls_gmac`       mechanism 5
- :mod:`dlms.security.hls_signature`  mechanism 7

Mechanism 2 is what a configuration says it is.
"""

from __future__ import annotations

from dlms.errors import LocalProtocolError
from dlms.security import hls_digest, hls_gmac, hls_signature
from dlms.security.hls_exchange import Exchange, ManufacturerSteps
from dlms.security.hls_gmac import InnerCounter
from dlms.security.layers import Ciphering
from dlms.security.ops import Step

__all__ = [
    "Exchange",
    "InnerCounter",
    "ManufacturerSteps",
    "answer",
    "challenge_fits",
    "shortest_challenge",
    "verify",
]

MIN_CHALLENGE = 8
MIN_CHALLENGE_ECDSA = 32
MAX_CHALLENGE = 64
"""A challenge has 8 to 64 octets, with mechanism 7 at least 32 (R-HLS-4)."""

_MANUFACTURER, _GMAC, _ECDSA = 2, 5, 7


def shortest_challenge(mechanism: int) -> int:
    """Octets that a challenge of ``mechanism`` must have."""
    return MIN_CHALLENGE_ECDSA if mechanism == _ECDSA else MIN_CHALLENGE


def challenge_fits(mechanism: int, challenge: bytes) -> bool:
    """Whether a challenge of ``mechanism`` may be so long (R-HLS-4)."""
    return shortest_challenge(mechanism) <= len(challenge) <= MAX_CHALLENGE


def answer(exchange: Exchange) -> Step[bytes]:
    """Compute f(challenge) as the party that was challenged.

    :class:`LocalProtocolError` if the configuration lacks what the mechanism needs.
    """
    if exchange.mechanism in hls_digest.HASHES:
        return (yield from hls_digest.answer(exchange))
    if exchange.mechanism == _GMAC:
        return (yield from hls_gmac.answer(exchange))
    if exchange.mechanism == _ECDSA:
        return (yield from hls_signature.answer(exchange))
    return (yield from _manufacturer(exchange).answer(exchange))


def verify(
    exchange: Exchange,
    result: bytes,
    carrier: Ciphering | None = None,
    inner: InnerCounter = InnerCounter.STRICT,
) -> Step[None]:
    """Check the peer's f(challenge). ``carrier`` is the ciphered APDU that brought it, if any.

    :class:`~dlms.errors.CodecError`, :class:`~dlms.security.ops.VerificationFailed` or
    :class:`~dlms.security.counters.CounterRefused` if it is not right; nothing has changed then.
    """
    if exchange.mechanism in hls_digest.HASHES:
        yield from hls_digest.verify(exchange, result)
    elif exchange.mechanism == _GMAC:
        yield from hls_gmac.verify(exchange, result, carrier, inner)
    elif exchange.mechanism == _ECDSA:
        yield from hls_signature.verify(exchange, result)
    else:
        yield from _manufacturer(exchange).verify(exchange, result)


def _manufacturer(exchange: Exchange) -> ManufacturerSteps:
    if exchange.mechanism != _MANUFACTURER or exchange.manufacturer is None:
        raise LocalProtocolError(f"mechanism {exchange.mechanism} is not configured")
    return exchange.manufacturer
