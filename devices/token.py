"""The 20-digit token that adds credit.

The manufacturers' SMETS1 token algorithms are not public. This one is ours, *assumed*, with the
shape that is public for GBCS: a value, a counter against replay, 32 bits of a truncated GMAC, and a
check digit against typing errors::

    2 bits scale | 13 bits value | 16 bits counter | 32 bits MAC   = 63 bits = 19 digits, + 1 digit

``scale`` 0 is pence, 1 is pounds. The MAC is over the first 31 bits, with the counter as invocation
counter under the meter's token key, so one key makes 65536 tokens. The check digit is Verhoeff's.
"""

from __future__ import annotations

from typing import NamedTuple

from stdnum import verhoeff
from stdnum.exceptions import ValidationError

from dlms.security.keys import KeyRef
from dlms.security.ops import Mac, Step, Use

TOKEN_KEY_ID = 128
"""key_id of the token key in key_transfer: *assumed*, the books know ids 0 to 3."""

DIGITS = 20
MAX_COUNTER = 0xFFFF
MAX_VALUE = 0x1FFF
_SECURITY_CONTROL = 0x10
_PENCE, _POUNDS = 0, 1
_MAC_BITS = 32


class TokenFormatError(ValueError):
    """Not twenty digits, a wrong check digit, or no such token."""


class Token(NamedTuple):
    """What the digits say; ``mac`` is still to be verified."""

    pence: int
    counter: int
    mac: bytes
    message: bytes


def _message(pence: int, counter: int) -> bytes:
    """Scale, value and counter as four octets, the first bit unused."""
    scale, value = (_POUNDS, pence // 100) if pence > MAX_VALUE else (_PENCE, pence)
    whole = pence % 100 == 0 or scale == _PENCE
    if pence <= 0 or value > MAX_VALUE or not whole:
        raise ValueError("a token carries 1 to 8191 pence, or 82 to 8191 whole pounds")
    if not 0 <= counter <= MAX_COUNTER:
        raise ValueError(f"token counter {counter} is not in 0..{MAX_COUNTER}")
    return (scale << 29 | value << 16 | counter).to_bytes(4, "big")


def _mac(message: bytes, key: KeyRef, title: bytes, counter: int) -> Step[bytes]:
    tag: bytes = yield Mac(Use.TOKEN, key, None, _SECURITY_CONTROL, title, counter, message)
    return tag[: _MAC_BITS // 8]


def make_token(pence: int, counter: int, key: KeyRef, title: bytes) -> Step[str]:
    """Make the digits for ``pence``. ``counter`` must never be used again with this key.

    ``title`` is the meter's system title. ``ValueError`` if a token cannot carry the amount.
    """
    message = _message(pence, counter)
    mac = yield from _mac(message, key, title, counter)
    digits = f"{int.from_bytes(message + mac, 'big'):019d}"
    return digits + str(verhoeff.calc_check_digit(digits))


def read_token(digits: bytes) -> Token:
    """Take a token apart. :class:`TokenFormatError` if it cannot be one."""
    if len(digits) != DIGITS or not digits.isdigit():
        raise TokenFormatError("twenty digits needed")
    text = digits.decode("ascii")
    try:
        verhoeff.validate(text)
    except ValidationError:
        raise TokenFormatError("wrong check digit") from None
    number = int(text[:-1])
    if number >> 63:
        raise TokenFormatError("out of range")
    message = (number >> _MAC_BITS).to_bytes(4, "big")
    mac = (number & 0xFFFF_FFFF).to_bytes(4, "big")
    fields = int.from_bytes(message, "big")
    scale, value, counter = fields >> 29, fields >> 16 & MAX_VALUE, fields & MAX_COUNTER
    if scale not in (_PENCE, _POUNDS) or value == 0:
        raise TokenFormatError("no credit token")
    return Token(value * (100 if scale == _POUNDS else 1), counter, mac, message)


def token_mac(token: Token, key: KeyRef, title: bytes) -> Step[bytes]:
    """The MAC that ``token`` should carry."""
    return (yield from _mac(token.message, key, title, token.counter))
