"""Keys of single messages that were used, so that no message is taken twice (KL-IC-22, KL-PK-05).

Such a key begins with invocation counter 0, so a second use would repeat an initialization vector,
and no counter tells a message that is played again. What a key was made from is its *mark*: one
octet that says how, and the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dlms.errors import CodecError

WRAPPED, ONE_PASS, STATIC, OWN_STATIC = b"\1", b"\2", b"\3", b"\4"
"""First octets: of a wrapped key, of agreed ones, and of those we have agreed with a nonce of ours
or in answer to one."""

MAX_SPENT = 65536
"""Marks that are remembered of each kind: of wrapped keys, of agreed ones, and of our own. Then no
more are taken, like after the last value of an invocation counter, until the master key or the key
pair is replaced: to forget one would let its message be played again. About 10 MiB, measured with
the longest marks."""


class KeySpent(CodecError):
    """The key of a single message turns up a second time."""


class SpentKeysFull(KeySpent):
    """No more keys of single messages can be remembered, so none is taken."""


class Marks:
    """Those of one kind."""

    __slots__ = ("_known", "_limit")

    def __init__(self, known: Iterable[bytes] = (), limit: int = MAX_SPENT) -> None:
        self._known = set(known)
        self._limit = limit

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._known)

    def check(self, mark: bytes) -> None:
        if mark in self._known:
            raise KeySpent("key of another message", field="key-info")
        if len(self._known) >= self._limit:
            raise SpentKeysFull(
                "no more keys of single messages can be remembered", field="key-info"
            )

    def add(self, mark: bytes) -> None:
        self._known.add(mark)


class SpentKeys:
    """The marks of one party's messages, and of ours to it.

    A server answers no more messages by static keys than it has taken, so that its own marks are
    not full before those: what has been carried out can be answered.

    Nothing is ever taken out of it. Once the master key or the agreement key has been replaced, one
    goes on with :meth:`without_wrapped` or :meth:`without_agreed`: an association that still has
    the former key still has the former marks.
    """

    __slots__ = ("_agreed", "_own", "_wrapped")

    def __init__(
        self, wrapped: Marks | None = None, agreed: Marks | None = None, own: Marks | None = None
    ) -> None:
        self._wrapped = Marks() if wrapped is None else wrapped
        self._agreed = Marks() if agreed is None else agreed
        self._own = Marks() if own is None else own

    def __len__(self) -> int:
        return len(self._wrapped) + len(self._agreed) + len(self._own)

    def check(self, mark: bytes) -> None:
        """:class:`KeySpent` if ``mark`` is known or cannot be remembered. Changes nothing."""
        self._marks(mark).check(mark)

    def add(self, mark: bytes) -> None:
        self._marks(mark).add(mark)

    def snapshot(self) -> tuple[bytes, ...]:
        """Every mark."""
        return tuple(sorted((*self._wrapped, *self._agreed, *self._own)))

    def without_wrapped(self) -> SpentKeys:
        """The same for a new master key."""
        return SpentKeys(None, self._agreed, self._own)

    def without_agreed(self) -> SpentKeys:
        """The same for a new agreement key."""
        return SpentKeys(self._wrapped)

    def _marks(self, mark: bytes) -> Marks:
        kind = mark[:1]
        if kind == WRAPPED:
            return self._wrapped
        return self._own if kind == OWN_STATIC else self._agreed
