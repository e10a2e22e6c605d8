"""HLS authentication with GMAC, mechanism 5 (GB Ed. 8, 9.2.2.2.2.4 and Table 42).

f(challenge) = SC ‖ IC ‖ GMAC(SC ‖ AK ‖ challenge): 17 octets, made with the system title of the
party that answers. SC says "authenticated only" in the suite of the association.
"""

from __future__ import annotations

import hmac

from dlms.errors import CodecError
from dlms.security.ciphered import Family
from dlms.security.control import Protection
from dlms.security.counters import MAXIMUM, CounterTooLow
from dlms.security.ops import TAG_LENGTH, Mac, Step, Use, VerificationFailed
from dlms.security.protect import Opened, SecurityContext

MIN_CHALLENGE = 8
MAX_CHALLENGE = 64
"""A challenge has 8 to 64 octets (R-HLS-4)."""

_RESULT_LENGTH = 1 + 4 + TAG_LENGTH


def answer(context: SecurityContext, challenge: bytes) -> Step[bytes]:
    """Compute f(challenge) as the party that was challenged."""
    control = Protection.AUTHENTICATED | context.suite
    counter = context.counters.burn(context.guek)
    tag: bytes = yield Mac(
        Use.ASSOCIATION,
        context.guek,
        context.gak,
        control,
        context.own_title,
        counter,
        challenge,
    )
    return bytes((control,)) + counter.to_bytes(4, "big") + tag


def verify(
    context: SecurityContext,
    challenge: bytes,
    result: bytes,
    carrier: Opened | None,
    *,
    may_repeat: bool = False,
) -> Step[None]:
    """Check the peer's f(challenge); on success raise the floor of its counter.

    ``carrier`` is the ciphered APDU that brought it, if it was ciphered. f was computed before its
    carrier was sealed, so where both used one key, the counter of f is judged by the floor from
    before the carrier, and must not be the carrier's own: that would be one initialization vector
    for two messages (R-IC-9; the books do not spell the order out). ``may_repeat`` lets that pass:
    the damage is the client's, whose key it weakens, and there are clients that do it.

    :class:`CodecError` or :class:`VerificationFailed` if it is not right,
    :class:`CounterTooLow` if its counter was used. Nothing has changed then.
    """
    if len(result) != _RESULT_LENGTH:
        raise CodecError(f"{_RESULT_LENGTH} octets needed, not {len(result)}", field="f(challenge)")
    control = Protection.AUTHENTICATED | context.suite
    if result[0] != control:
        raise CodecError(
            f"security control {result[0]:02X} is not {control:02X}", field="f(challenge)"
        )
    if context.peer_title is None:
        raise CodecError("the peer's system title is not known", field="f(challenge)")
    counter = int.from_bytes(result[1:5], "big")
    counters = context.counters
    if carrier is None or carrier.family is not Family.GLOBAL:
        counters.check(context.guek, counter)
    elif counter < carrier.floor_before or counter == MAXIMUM:
        raise CounterTooLow(counter, carrier.floor_before)
    elif counter == carrier.counter and not may_repeat:
        raise CodecError("has the counter of the APDU that carries it", field="f(challenge)")
    tag: bytes = yield Mac(
        Use.ASSOCIATION,
        context.guek,
        context.gak,
        control,
        context.peer_title,
        counter,
        challenge,
    )
    if not hmac.compare_digest(tag, result[5:]):
        raise VerificationFailed("f(challenge) does not verify")
    counters.accept(context.guek, counter)
