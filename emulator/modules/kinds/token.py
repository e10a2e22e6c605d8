"""The token of the party, as ``cosemlab module init`` has noted it. It has no options here."""

from __future__ import annotations

from devices.profile.place import Place
from emulator.modules.kinds.kind import Kind, Options, Supply
from emulator.modules.module import CryptoModule


def _check(options: Options, place: Place) -> None:
    """There is nothing to be wrong."""


def _make(name: str, options: Options, supply: Supply) -> CryptoModule:
    """By the name that it has itself, which says what it is. ``ValueError`` without a token."""
    if supply.token is None:
        raise ValueError(f"module {name!r} is a token, and there is none here")
    return supply.token()


KIND = Kind(
    name="token",
    help="the party's token (PKCS#11), made or taken by 'cosemlab module init'",
    options=frozenset(),
    check=_check,
    make=_make,
)
