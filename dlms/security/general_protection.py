"""Steps that protect and open general-ciphering APDUs (GB Ed. 8, 9.2.7.2.4.8).

The order is that of :mod:`dlms.security.protect`: layout, key, titles, security control, counter,
*then* cryptography, and only after the tag has verified anything changes or is shown to anyone.
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.errors import CodecError, LocalProtocolError
from dlms.security.ciphered import Family
from dlms.security.control import Protection, check_control
from dlms.security.counters import MAXIMUM, CounterTooFar, CounterTooLow
from dlms.security.general_ciphering import (
    GeneralCiphered,
    IdentifiedKey,
    KeyInfo,
    decode_general_ciphering,
    encode_general_ciphering,
)
from dlms.security.general_context import GeneralContext
from dlms.security.general_header import GeneralHeader
from dlms.security.key_choice import KeyChoice
from dlms.security.keys import KeyRef
from dlms.security.message_keys import discarding, judge_key, make_key, take_key
from dlms.security.ops import Open, Seal, Step, Use
from dlms.security.protect import TooWeak

_GLOBAL_KEYS = {
    KeyChoice.UNICAST: IdentifiedKey(broadcast=False),
    KeyChoice.BROADCAST: IdentifiedKey(broadcast=True),
}


class OpenedGeneral(NamedTuple):
    """A verified APDU and how it was protected.

    ``family`` and ``floor_before`` are as in :class:`~dlms.security.protect.Opened`, where the
    message was under a global key; one that brought its own has floor 0.
    """

    apdu: bytes
    header: GeneralHeader
    protection: Protection
    key_info: KeyInfo | None
    family: Family
    counter: int
    floor_before: int


def protect_general(
    context: GeneralContext,
    apdu: bytes | tuple[bytes | KeyRef, ...],
    header: GeneralHeader,
    choice: KeyChoice,
    protection: Protection,
    use: Use,
) -> Step[bytes]:
    """Protect ``apdu`` for the recipient in ``header``, which is of ``context.header``.

    :class:`LocalProtocolError` if the context lacks the key, or its counter is used up, and
    :class:`CodecError` if a field of the header is too long.
    """
    security = context.security
    header.encode()  # refuse what cannot be sent before a key is made for it
    control = int(protection) | security.suite
    if (choice is KeyChoice.NONE) is not (protection is Protection.NONE):
        raise LocalProtocolError("a key is needed where there is protection, and there alone")
    if not isinstance(apdu, bytes) and not control & Protection.ENCRYPTED:
        raise LocalProtocolError("an APDU that carries a key must be encrypted")
    if choice is KeyChoice.NONE:
        assert isinstance(apdu, bytes)
        return encode_general_ciphering(header, None, control, 0, apdu)
    identified = _GLOBAL_KEYS.get(choice)
    if identified is None:
        ek = context.key_of_message()
        return (
            yield from discarding(
                ek, _with_new_key(context, apdu, header, choice, control, ek, use)
            )
        )
    global_key = _global_key(context, identified)
    if global_key is None:
        raise LocalProtocolError(f"this context has no key: {choice.value}")
    counter = security.counters.burn(global_key)
    body = yield from _seal(context, apdu, header, control, global_key, counter, use)
    return encode_general_ciphering(header, identified, control, counter, body)


def _with_new_key(
    context: GeneralContext,
    apdu: bytes | tuple[bytes | KeyRef, ...],
    header: GeneralHeader,
    choice: KeyChoice,
    control: int,
    ek: KeyRef,
    use: Use,
) -> Step[bytes]:
    key_info = yield from make_key(context, choice, header, ek)
    body = yield from _seal(context, apdu, header, control, ek, 0, use)
    return encode_general_ciphering(header, key_info, control, 0, body)


def _seal(
    context: GeneralContext,
    apdu: bytes | tuple[bytes | KeyRef, ...],
    header: GeneralHeader,
    control: int,
    ek: KeyRef,
    counter: int,
    use: Use,
) -> Step[bytes]:
    security = context.security
    authenticated = control & Protection.AUTHENTICATED
    ak = security.gak if authenticated else None
    extra = header.encode() if authenticated else b""
    sealed: bytes = yield Seal(use, ek, ak, control, security.own_title, counter, apdu, extra)
    if control & Protection.ENCRYPTED:
        return sealed
    assert isinstance(apdu, bytes)  # protect_general()
    return apdu + sealed


def open_general(
    context: GeneralContext,
    octets: bytes,
    use: Use,
    lift: KeyRef | None = None,
    *,
    required: Protection = Protection.NONE,
) -> Step[OpenedGeneral]:
    """Verify and decipher a general-ciphering APDU from the peer. ``lift`` is as in :class:`Open`.

    Raises :class:`CodecError` for what can be refused by its layout,
    :class:`~dlms.security.protect.TooWeak` for less protection than ``required``,
    :class:`~dlms.security.spent_keys.KeySpent` for the key of another message,
    :class:`~dlms.security.counters.CounterRefused` for a counter, and lets
    :class:`~dlms.security.ops.CryptoFailure` of the driver pass. In each case nothing has changed.
    """
    message = decode_general_ciphering(octets)
    security = context.security
    key_info = message.key_info
    unprotected = not message.control & Protection.BOTH
    if key_info is None and not unprotected:
        if not context.practice.without_key_info:
            raise CodecError("which key it is under is not said", field="key-info")
        key_info = IdentifiedKey(broadcast=False)
    mark = None if key_info is None else judge_key(context, key_info, message.header)
    global_key = _global_key(context, key_info)
    if isinstance(key_info, IdentifiedKey) and global_key is None:
        raise CodecError("this context has no such key", field="key-id")
    broadcast = isinstance(key_info, IdentifiedKey) and key_info.broadcast
    context.check_titles(message.header, broadcast)
    protection = check_control(message.control, security.suite, unprotected=security.unprotected)
    if int(required) & ~message.control:
        raise TooWeak("protected less than required", field="security-control")
    if unprotected:
        if mark is not None:
            raise CodecError("a key, and nothing protected with it", field="key-info")
        return _opened(message, message.body, key_info, protection, Family.MESSAGE, 0)
    if global_key is not None:
        return (yield from _open_under(context, message, key_info, global_key, use, lift))
    assert mark is not None  # of a key that the message brings
    _check_first_counter(context, message.counter)
    context.spent.check(mark)
    ek = context.key_of_message()
    opened = yield from discarding(
        ek, _open_with_its_key(context, message, key_info, ek, use, lift)
    )
    context.spent.check(mark)  # other steps may have run while this one waited
    context.spent.add(mark)
    return opened


def _open_under(
    context: GeneralContext,
    message: GeneralCiphered,
    key_info: KeyInfo | None,
    ek: KeyRef,
    use: Use,
    lift: KeyRef | None,
) -> Step[OpenedGeneral]:
    """Open what is under a global key: as with any other APDU, its counter decides."""
    security = context.security
    security.counters.check(ek, message.counter, security.max_forward_jump)
    apdu = yield from _unseal(context, message, ek, use, lift)
    family = Family.GLOBAL if ek == security.guek else Family.BROADCAST
    protection = Protection(message.control & Protection.BOTH)
    floor = security.counters.floor(ek)
    opened = _opened(message, apdu, key_info, protection, family, floor)
    security.counters.accept(ek, message.counter)
    return opened


def _open_with_its_key(
    context: GeneralContext,
    message: GeneralCiphered,
    key_info: KeyInfo | None,
    ek: KeyRef,
    use: Use,
    lift: KeyRef | None,
) -> Step[OpenedGeneral]:
    assert key_info is not None
    assert not isinstance(key_info, IdentifiedKey)
    yield from take_key(context, key_info, message.header, ek)
    apdu = yield from _unseal(context, message, ek, use, lift)
    protection = Protection(message.control & Protection.BOTH)
    return _opened(message, apdu, key_info, protection, Family.MESSAGE, 0)


def _unseal(
    context: GeneralContext, message: GeneralCiphered, ek: KeyRef, use: Use, lift: KeyRef | None
) -> Step[bytes]:
    security = context.security
    assert security.peer_title is not None  # check_titles()
    authenticated = message.control & Protection.AUTHENTICATED
    apdu: bytes = yield Open(
        use,
        ek,
        security.gak if authenticated else None,
        message.control,
        security.peer_title,
        message.counter,
        message.body,
        lift,
        extra=message.header_octets if authenticated else b"",
    )
    return apdu


def _opened(
    message: GeneralCiphered,
    apdu: bytes,
    key_info: KeyInfo | None,
    protection: Protection,
    family: Family,
    floor: int,
) -> OpenedGeneral:
    if not apdu:
        raise CodecError("nothing inside", field="general-ciphering")
    return OpenedGeneral(apdu, message.header, protection, key_info, family, message.counter, floor)


def _global_key(context: GeneralContext, key_info: KeyInfo | None) -> KeyRef | None:
    if not isinstance(key_info, IdentifiedKey):
        return None
    return context.security.gbek if key_info.broadcast else context.security.guek


def _check_first_counter(context: GeneralContext, counter: int) -> None:
    """A key that was just established has counters at 0, so any value but the last is new."""
    if counter == MAXIMUM:
        raise CounterTooLow(counter, 0)
    if context.practice.zero_counter and counter:
        raise CounterTooFar(counter, 0)
