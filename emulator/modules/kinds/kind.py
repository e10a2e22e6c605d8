"""What a kind of Cryptographic Module is, and what one is made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from devices.profile.place import Place
from dlms.security.keys import KeyRef
from emulator.modules.module import CryptoModule


class Supply(NamedTuple):
    """What whoever the module is for holds: the secrets of their scopes, from which keys derive,
    and of which security suite each key is; and ``token`` opens the token that they have, if they
    have any. ``repr`` shows no secret.
    """

    secrets: dict[str, bytes]
    suite_of: Callable[[KeyRef], int]
    token: Callable[[], CryptoModule] | None = None

    def __repr__(self) -> str:
        return f"<Supply of {', '.join(self.secrets)}>"


Options: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """``options`` are the entries that its table in a custody file may have; ``check`` finds what
    is wrong with them (:class:`~devices.profile.ProfileError`) without opening anything; ``make``
    gets the name of the module, its options, and the supply.
    """

    name: str
    help: str
    options: frozenset[str]
    check: Callable[[Options, Place], None]
    make: Callable[[str, Options, Supply], CryptoModule]
