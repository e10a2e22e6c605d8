"""HLS authentication with GMAC, mechanism 5 (GB Ed. 8, 9.2.2.2.2.4 and Table 42).

f(challenge) = SC ‖ IC ‖ GMAC(SC ‖ AK ‖ challenge): 17 octets, made with the system title of the
party that answers. SC says "authenticated only" in the suite of the association.
"""

from __future__ import annotations

import hmac
from enum import Enum

from dlms.errors import CodecError, LocalProtocolError
from dlms.security.ciphered import Family
from dlms.security.control import Protection
from dlms.security.counters import MAXIMUM, CounterTooLow
from dlms.security.hls_exchange import Exchange
from dlms.security.keys import KeyRef
from dlms.security.layers import Ciphering
from dlms.security.ops import TAG_LENGTH, Mac, Step, Use, VerificationFailed
from dlms.security.protect import SecurityContext

_RESULT_LENGTH = 1 + 4 + TAG_LENGTH


class InnerCounter(Enum):
    """How the counter of f(challenge) is judged when a ciphered APDU carries it.

    f was computed before its carrier was sealed, so where both used one key, the counter of f is
    judged by the floor from before the carrier, and must not be the carrier's own: that would be
    one initialization vector for two messages (R-IC-9; the books do not spell the order out).
    ``LENIENT`` lets it be the carrier's own: the damage is the client's, whose key it weakens, and
    there are clients that do it. ``IGNORE`` leaves freshness to the challenge alone.
    """

    STRICT = "not used before, and not the carrier's own"
    LENIENT = "not used before, but perhaps the carrier's own"
    IGNORE = "neither judged nor remembered"


def answer(exchange: Exchange) -> Step[bytes]:
    """Compute f(challenge) as the party that was challenged."""
    context, guek = _needed(exchange)
    control = Protection.AUTHENTICATED | context.suite
    counter = context.counters.burn(guek)
    tag: bytes = yield Mac(
        Use.ASSOCIATION,
        guek,
        context.gak,
        control,
        context.own_title,
        counter,
        exchange.peer_challenge,
    )
    return bytes((control,)) + counter.to_bytes(4, "big") + tag


def verify(
    exchange: Exchange, result: bytes, carrier: Ciphering | None, inner: InnerCounter
) -> Step[None]:
    """Check the peer's f(challenge); on success raise the floor of its counter.

    ``carrier`` is the ciphered APDU that brought it, if it was ciphered.

    :class:`CodecError` or :class:`VerificationFailed` if it is not right,
    :class:`~dlms.security.counters.CounterRefused` if its counter is not. Nothing has changed then.
    """
    context, guek = _needed(exchange)
    if len(result) != _RESULT_LENGTH:
        raise CodecError(f"{_RESULT_LENGTH} octets needed, not {len(result)}", field="f(challenge)")
    control = Protection.AUTHENTICATED | context.suite
    if result[0] != control:
        raise CodecError(
            f"security control {result[0]:02X} is not {control:02X}", field="f(challenge)"
        )
    _, peer_title = exchange.titles()
    counter = int.from_bytes(result[1:5], "big")
    if inner is not InnerCounter.IGNORE:
        _judge_counter(context, guek, counter, carrier, inner)
    tag: bytes = yield Mac(
        Use.ASSOCIATION, guek, context.gak, control, peer_title, counter, exchange.own_challenge
    )
    if not hmac.compare_digest(tag, result[5:]):
        raise VerificationFailed("f(challenge) does not verify")
    if inner is not InnerCounter.IGNORE and counter >= context.counters.floor(guek):
        context.counters.accept(guek, counter)  # else the APDU that carried it has gone beyond


def _judge_counter(
    context: SecurityContext,
    guek: KeyRef,
    counter: int,
    carrier: Ciphering | None,
    inner: InnerCounter,
) -> None:
    if carrier is None or carrier.family is not Family.GLOBAL:
        context.counters.check(guek, counter, context.max_forward_jump)
    elif counter < carrier.floor_before or counter == MAXIMUM:
        raise CounterTooLow(counter, carrier.floor_before)
    elif counter == carrier.counter and inner is not InnerCounter.LENIENT:
        raise CodecError("has the counter of the APDU that carries it", field="f(challenge)")
    elif counter > carrier.counter:
        context.counters.check(guek, counter, context.max_forward_jump)


def _needed(exchange: Exchange) -> tuple[SecurityContext, KeyRef]:
    context = exchange.context
    if context is None or context.guek is None:
        raise LocalProtocolError("mechanism 5 needs a global unicast encryption key")
    return context, context.guek
