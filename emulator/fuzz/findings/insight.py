"""What may be shown of a run's APDUs: all of them where its keys are public, else what anybody may
see.

It is one thing for findings and for whoever plays one again.
"""

from __future__ import annotations

from collections.abc import Callable

from emulator.fuzz.findings.deciphering import Deciphering
from emulator.fuzz.findings.known_keys import KnownKeys
from emulator.fuzz.in_process.client import BenchClient
from emulator.fuzz.in_process.target import InProcess
from emulator.fuzz.scenario.found import KnownKey
from emulator.fuzz.target import Target
from emulator.trace import described, shown


class Insight:
    """``target`` is what the run is played on. Of another's meter no key is ever asked for, and
    nothing is opened.
    """

    def __init__(self, target: Target) -> None:
        self._ours = target if isinstance(target, InProcess) else None
        self._keys = KnownKeys()

    def look(self) -> None:
        """After each step: some keys are gone soon."""
        if self._ours is not None:
            self._keys.look(self._ours)

    @property
    def keys(self) -> tuple[KnownKey, ...]:
        """Those that there have been by now."""
        return self._keys.known

    @property
    def octets(self) -> Callable[[bytes], str]:
        """An APDU in hexadecimal; of another's, but for what may hold a secret in clear."""
        return shown if self._ours is None else _whole

    def words(self) -> Callable[[bytes], str]:
        """What an APDU says, and what it says inside, by all keys that there have been by now: so
        also those of steps behind it.
        """
        if self._ours is None:
            return described
        world = self._ours.world
        titles = (world.title, *(_title(one) for one in world.clients.values()))
        return Deciphering(self.keys, titles).words


def _title(client: BenchClient) -> bytes:
    return client.config.own_title or b""


def _whole(apdu: bytes) -> str:
    return apdu.hex().upper()
