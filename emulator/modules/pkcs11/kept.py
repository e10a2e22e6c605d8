"""Where the keys of a token that last are kept beside it: wrapped under a key that never leaves it.

Storing what is encrypted is no Cryptographic Processing (letter, paragraph 9).
"""

from __future__ import annotations

from typing import Protocol

from dlms.security.keys import KeyRef

DESTROYED = b""
"""Kept in the place of a wrapped key: it was destroyed, and is not to be derived again."""


class WrappedKeys(Protocol):
    """Called by the thread of the token's library: it may wait, and belongs to no event loop."""

    def load(self, ref: KeyRef) -> bytes | None:
        """What is kept of a key, :data:`DESTROYED` among it; ``None`` if nothing is."""
        ...

    def keep(self, ref: KeyRef, wrapped: bytes) -> None:
        """Keep ``wrapped``, in the place of what there was. It lasts when this returns."""
        ...

    def discard(self, ref: KeyRef) -> None:
        """Forget a key, if it is known."""
        ...


class WrappedInMemory:
    """For tests, and for keys that end with the process."""

    def __init__(self) -> None:
        self._wrapped: dict[KeyRef, bytes] = {}

    def load(self, ref: KeyRef) -> bytes | None:
        return self._wrapped.get(ref)

    def keep(self, ref: KeyRef, wrapped: bytes) -> None:
        self._wrapped[ref] = wrapped

    def discard(self, ref: KeyRef) -> None:
        self._wrapped.pop(ref, None)
