"""The device under test, from what is declared of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from emulator.client.keys import Keys
from emulator.conformance.declaration import key_file, loading
from emulator.conformance.declaration.model import Declaration, WayKind
from emulator.conformance.declaration.routes import route
from emulator.conformance.running.result import Transport
from emulator.conformance.trying.target import Target

_TRANSPORTS = {
    WayKind.UDP: Transport.UDP,
    WayKind.SERIAL: Transport.SERIAL,
    WayKind.OPTICAL: Transport.SERIAL,
}


def read_target(path: Path, *, keylog: Path | None = None) -> Target:
    """By its declaration file. :class:`~devices.profile.ProfileError` and ``OSError`` say what is
    wrong with it, or with a file that it names. ``keylog`` is for TLS secrets.
    """
    declaration = loading.load(path)
    held = key_file.of(declaration)
    return target_of(declaration, held, keylog=keylog)


def target_of(
    declaration: Declaration, held: Mapping[str, Keys], *, keylog: Path | None = None
) -> Target:
    """``held`` are the keys by the names of the associations."""
    keys = {
        one.keys: held[one.name]
        for one in declaration.associations
        if one.keys and one.name in held
    }
    way = route(declaration.way, declaration.hdlc, declaration.timing, keylog=keylog)
    return Target(declaration, way, keys)


def transport_of(kind: WayKind) -> Transport:
    """What carries the octets."""
    return _TRANSPORTS.get(kind, Transport.TCP)
