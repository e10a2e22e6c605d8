"""The digits of a token, and what a meter takes of those that are keyed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from stdnum import verhoeff

from devices.token import DIGITS, Token, TokenFormatError, make_token, read_token, token_mac
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from emulator.fuzz.octets.harness import Harness, Outcome, Structure, Unlawful
from emulator.fuzz.octets.two_parties import SECRET, SERVER
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

_KEY = KeyRef(SERVER, "token", KeyKind.TOKEN)


def _execute() -> Callable[[Any], Any]:
    return SoftwareModule(KeyRing(SECRET)).execute


def _digits(octets: bytes) -> Outcome:
    """What the digits say makes them again, whatever the MAC is."""
    try:
        token = read_token(octets)
    except TokenFormatError:
        return Outcome.REFUSED
    if _written(token) != octets:
        raise Unlawful("one form only", f"{octets!r}: {_written(token)!r}")
    right: bytes = run(token_mac(token, _KEY, SERVER), _execute())
    if right == token.mac and not _is_canonical(token):
        raise Unlawful("a token that verifies was made", repr(token))
    return Outcome.TAKEN


def _written(token: Token) -> bytes:
    number = f"{int.from_bytes(token.message + token.mac, 'big'):0{DIGITS - 1}d}"
    return f"{number}{verhoeff.calc_check_digit(number)}".encode("ascii")


def _is_canonical(token: Token) -> bool:
    """Whether :func:`make_token` would write this amount so: as pence where that is possible."""
    digits = run(make_token(token.pence, token.counter, _KEY, SERVER), _execute())
    return bool(read_token(digits.encode("ascii")).message == token.message)


def _tokens() -> Iterable[bytes]:
    for counter, pence in enumerate((1, 500, 8191, 8200, 819100)):
        made: str = run(make_token(pence, counter, _KEY, SERVER), _execute())
        yield made.encode("ascii")
    yield b"0" * DIGITS
    yield "¹".encode() * (DIGITS // 2)


def _write(token: Token) -> bytes:
    fields = (token.counter & 0xFFFF) | (token.pence & 0x3FFF) << 16
    message = fields.to_bytes(4, "big")
    return _written(token._replace(message=message, mac=token.mac[:4].rjust(4, b"\0")))


HARNESSES = (
    Harness(
        name="tokens.digits",
        takes="the digits of a token",
        play=_digits,
        seeds=_tokens,
        words=lambda: (bytes((digit,)) for digit in b"0123456789"),
        structure=Structure(read=read_token, write=_write),
        most=256,
    ),
)
