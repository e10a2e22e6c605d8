"""What a client of another's meter must not say unless it may destroy: what writes, what acts, and
what would use up a counter. It stands where messages are sealed and where they leave, so that it
does not matter by which way they have come to be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dlms.security.keys import KeyRef
from dlms.security.ops import CryptoOp, Mac, Seal, Use
from dlms.xdlms.general_block import TAG as GENERAL_BLOCK
from emulator.fuzz.in_process.seeded import LoosedModule
from emulator.modules.keyring import KeyRing

_ACTION = 0xC3
_GENERAL_SIGNING = 0xDF
_WRITING = {
    0x05: "read by short name, which may invoke a method",
    0x06: "write",
    0x16: "unconfirmed write",
    0xC1: "set",
    _ACTION: "action",
    0xD9: "access",
    GENERAL_BLOCK: "general block, whatever is in it",
    _GENERAL_SIGNING: "general-signing, whatever is in it",
}
_REPLY_TO_HLS = bytes((0x00, 0x0F)), b"\x01"
"""Of Association LN: class 15 behind the invoke-id, and method 1 behind the logical name."""


class NotAllowed(ValueError):
    """The meter is somebody else's, and nobody has said that it may be spoiled."""


def writes(plain: bytes) -> str:
    """What an APDU without protection does to a meter, in words; empty if it only asks."""
    tag = plain[0] if plain else -1
    if tag == _ACTION and plain[1:2] == b"\x01":
        class_id, method = plain[3:5], plain[11:12]
        if (class_id, method) == _REPLY_TO_HLS:
            return ""
    return _WRITING.get(tag, "")


class GuardedModule(LoosedModule):
    """The module of a client that may only ask. ``title`` is its own: it seals nothing under
    another counter than the one that has just been taken for it.
    """

    def __init__(self, keys: KeyRing, title: bytes, *, destructive: bool) -> None:
        super().__init__(keys)
        self._title = title
        self._destructive = destructive
        self.last: Callable[[KeyRef], int] = lambda ek: -1
        """The last counter that was taken for a key."""

    def execute(self, op: CryptoOp) -> Any:
        """:class:`NotAllowed` instead, where that is so."""
        if not self._destructive and isinstance(op, Seal | Mac) and op.title == self._title:
            self._check(op)
        return super().execute(op)

    def _check(self, op: Seal | Mac) -> None:
        last = self.last(op.ek)
        if op.counter != last:
            raise NotAllowed(
                f"the counter {op.counter} is not the next of its key: it may use up the key, or"
                " repeat a vector"
            )
        if isinstance(op, Seal) and op.use is Use.PROTECT_REQUEST:
            plain = op.payload if isinstance(op.payload, bytes) else b""
            if what := writes(plain):
                raise NotAllowed(f"{what} is not said to a meter that must not be spoiled")
