"""The keys that somebody holds for some associations, by name: test keys, to open APDUs with."""

from __future__ import annotations

from collections.abc import Iterator

from dlms.security.keys import KeyKind
from dlms.security.ops import KeyUnavailable
from emulator.modules.keyring import KeyRing

_KINDS = (KeyKind.GUEK, KeyKind.GBEK, KeyKind.GAK, KeyKind.KEK, KeyKind.DEDICATED)
"""Those that APDUs are opened with, and keys are unwrapped."""


def held(ring: KeyRing, scopes: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    """Names as ``dco/GUEK v1``, and octets; ``scopes`` are names of associations."""
    for ref in ring.refs:
        # Behind the mark, each end counts its own associations.
        scope, mark, _ = ref.scope.partition("#")
        if ref.kind not in _KINDS or scope not in scopes:
            continue
        try:
            octets = ring.get(ref)
        except KeyUnavailable:
            continue
        version = f" v{ref.version}" if ref.version and not mark else ""
        yield f"{scope}/{ref.kind.name}{version}", octets
