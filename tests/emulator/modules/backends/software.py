"""The software module, for the suite that every Cryptographic Module passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from dlms.security.keys import KeyRef
from emulator.modules.keyring import KeyRing
from emulator.modules.module import CryptoModule
from emulator.modules.software import SoftwareModule

REFUSED: frozenset[str] = frozenset()
"""What it lacks, of the operations and hashes with a secret in them."""


@contextmanager
def made(
    keys: Mapping[KeyRef, bytes], secrets: dict[str, bytes], suite_of: Callable[[KeyRef], int]
) -> Iterator[CryptoModule]:
    ring = KeyRing(secrets, suite_of)
    for ref, octets in keys.items():
        ring.keep(ref, octets)
    yield SoftwareModule(ring)
