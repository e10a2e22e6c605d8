"""Kinds of Cryptographic Modules by the word that a custody file has for them.

A further kind is one file beside these, a line here, and an entry in the contract suite
(``tests/emulator/modules/backends``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from emulator.modules.kinds import software, token
from emulator.modules.kinds.kind import Kind, Supply

KINDS: Mapping[str, Kind] = MappingProxyType(
    {kind.name: kind for kind in (software.KIND, token.KIND)}
)

__all__ = ["KINDS", "Kind", "Supply"]
