"""Ephemeral public keys of the meter's, as its clients agree on new keys with them."""

from __future__ import annotations

import hashlib

from dlms.security.keys import KeyKind
from dlms.security.ops import Agree, CryptoOp

_AGREED = (KeyKind.GUEK, KeyKind.GBEK, KeyKind.GAK, KeyKind.KEK)
"""What key_agreement makes, C(2e, 0s): both public keys are of one agreement (GB Ed. 8,
9.2.3.4.6.2). Keys of single messages are agreed on with public keys that last.
"""


class Ephemerals:
    """None of them comes twice (KL-PK-03; SP 800-56A, 5.6.3.3)."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def watch(self, who: str, op: CryptoOp) -> str:
        """What is broken by what a client is about to agree on; empty is well."""
        if not isinstance(op, Agree) or op.into.kind not in _AGREED:
            return ""
        mark = hashlib.sha256(op.public).digest()
        came_before = mark in self._seen
        self._seen.add(mark)
        if not came_before:
            return ""
        return f"R-KEY-5: the meter agrees with {who} by an ephemeral key that was used before"
