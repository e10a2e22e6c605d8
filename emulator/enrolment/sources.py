"""Where the keys of a meter are had from: the supplier's system, or what it has left."""

from __future__ import annotations

from typing import Protocol

from devices.profile import Profile
from emulator.policy import Actor


class KeysNotHad(Exception):
    """There are no keys for the meter; the text says where they were looked for. Without its master
    keys a meter cannot be migrated (an Excluded Category of the TMAD, as proposed).
    """


class KeySource(Protocol):
    async def keys(self, profile: Profile, title: bytes, actor: Actor) -> str:
        """The key file of a meter for a party. :class:`KeysNotHad` if there is none, ``OSError`` or
        ``TimeoutError`` if it could not be had now. To ask again gives the same keys.
        """
        ...


class Refusing:
    """Gives none, and says ``why``."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def keys(self, profile: Profile, title: bytes, actor: Actor) -> str:
        raise KeysNotHad(self._why)
