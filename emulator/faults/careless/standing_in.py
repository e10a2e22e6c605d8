"""Puts careless stacks in the place of a meter's TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from emulator.faults.careless.client import CarelessClient
from emulator.faults.careless.connection import Examine
from emulator.faults.careless.examining import complaints
from emulator.faults.careless.server import CarelessServer
from emulator.faults.presented import Presented
from emulator.serving.calling import Dial

_ANY = "any-"


def as_server(presented: Presented, flaws: frozenset[str]) -> Callable[[], asyncio.Protocol]:
    examine = _examine(presented, flaws, server=False)
    return CarelessServer(presented, flaws, examine)


def as_client(presented: Presented, flaws: frozenset[str]) -> Dial:
    return CarelessClient(presented, flaws, _examine(presented, flaws, server=True))


def _examine(presented: Presented, flaws: frozenset[str], *, server: bool) -> Examine:
    but = frozenset(flaw.removeprefix(_ANY) for flaw in flaws if flaw.startswith(_ANY))

    def examine(shown: tuple[bytes, ...]) -> str:
        if not shown and "no-psk" in flaws:
            return ""
        return ", ".join(complaints(shown, presented.trust, server=server, but=but))

    return examine
