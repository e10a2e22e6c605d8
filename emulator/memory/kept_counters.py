"""What a meter remembers of its keys' use over a restart of its host (R-IC-7).

Both directions of every key of more than one association: what it sends is reserved in blocks, what
it has received is written down before anything is done with the message. A key is named with its
version, and a version has one key ever: one that comes into force has no rows yet, so its counters
begin at 0 (R-IC-2), and that it is in force is kept elsewhere before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote, unquote

from dlms.security.counters import MAXIMUM, InvocationCounters
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.spent_keys import ONE_PASS, OWN_STATIC, STATIC, WRAPPED, Marks, SpentKeys
from emulator.journal import Journal

BLOCK = 1024
"""Counters reserved at once, in either direction. One wait for the disk per so many messages costs
each some microseconds; a key lasts for four million restarts."""


class KeptCounters(InvocationCounters):
    """The invocation counters of the meter ``title``, in ``journal``.

    :class:`~emulator.journal.StoreError` where the journal cannot be written: nothing is sealed
    and nothing accepted then.
    """

    __slots__ = ("_journal", "_names", "_reserved")

    def __init__(self, journal: Journal, title: bytes) -> None:
        super().__init__()
        self._journal = journal
        self._reserved: dict[KeyRef, int] = {}
        self._names: dict[KeyRef, str] = {}
        for direction, counters in ((_SEND, self._next), (_FLOOR, self._floor)):
            for name in journal.names(f"{direction} {title.hex()}/"):
                counters[_key(title, name)] = min(journal.value(name), MAXIMUM)

    def burn(self, ek: KeyRef) -> int:
        value = self._next.get(ek, 0)
        if value >= self._reserved.get(ek, 0) and ek.lifetime is KeyLifetime.LONG_LIVED:
            reserved = min(value + BLOCK, MAXIMUM)
            self._journal.raise_to(_name(_SEND, ek), reserved)
            self._reserved[ek] = reserved
        return super().burn(ek)

    def accept(self, ek: KeyRef, received: int) -> None:
        self.check(ek, received)
        if ek.lifetime is KeyLifetime.LONG_LIVED:
            name = self._names.get(ek)
            if name is None:
                name = self._names[ek] = _name(_FLOOR, ek)
            self._journal.raise_to(name, received + 1, BLOCK)
        super().accept(ek, received)

    def establish(self, ek: KeyRef) -> None:
        """Where a key of this version has been used, say because an older state was put back by
        hand, its counters go on: they never go back.
        """
        if ek.lifetime is KeyLifetime.LONG_LIVED:
            self._next.setdefault(ek, 0)
            self._floor.setdefault(ek, 0)
        else:
            super().establish(ek)

    def drop(self, ek: KeyRef) -> None:
        """Forget what is written down of a key, and nothing else: found again, it begins at 0."""
        self._journal.drop((_name(_SEND, ek), _name(_FLOOR, ek)))


class _KeptMarks(Marks):
    """Marks in ``journal``, under names that begin with what ``beginning`` gives."""

    __slots__ = ("_beginning", "_journal")

    def __init__(
        self, journal: Journal, beginning: Callable[[], str], known: Iterable[bytes] = ()
    ) -> None:
        super().__init__(known)
        self._journal = journal
        self._beginning = beginning

    def add(self, mark: bytes) -> None:
        self._journal.raise_to(self._beginning() + mark.hex(), 1)
        super().add(mark)


class KeptSpentKeys(SpentKeys):
    """Keys of single messages, for the security scope ``scope`` of the meter ``title``.

    They are named with the version, in ``key_versions``, of the master key or key pair that they
    were made from: a new one has none, and those of the former come to nothing.
    """

    __slots__ = ("_fresh",)

    def __init__(
        self,
        journal: Journal,
        title: bytes,
        scope: str,
        key_versions: Mapping[tuple[str, KeyKind], int],
    ) -> None:
        def beginning(kind: KeyKind) -> str:
            return _spent_under(title, scope, kind, key_versions.get((scope, kind), 0))

        def fresh(kind: KeyKind, known: Iterable[bytes] = ()) -> Marks:
            return _KeptMarks(journal, lambda: beginning(kind), known)

        found = []
        for first, kind in _MADE_FROM:
            start = beginning(kind)
            marks = (bytes.fromhex(name[len(start) :]) for name in journal.names(start))
            found.append(fresh(kind, (mark for mark in marks if mark[:1] in first)))
        super().__init__(*found)
        self._fresh = fresh

    def without_wrapped(self) -> SpentKeys:
        return self._with(self._fresh(KeyKind.KEK), self._agreed, self._own)

    def without_agreed(self) -> SpentKeys:
        agreed, own = (self._fresh(KeyKind.AGREEMENT_KEY) for _ in range(2))
        return self._with(self._wrapped, agreed, own)

    def _with(self, wrapped: Marks, agreed: Marks, own: Marks) -> SpentKeys:
        other = KeptSpentKeys.__new__(KeptSpentKeys)
        SpentKeys.__init__(other, wrapped, agreed, own)
        other._fresh = self._fresh
        return other


def drop_outdated(
    journal: Journal, title: bytes, key_versions: Mapping[tuple[str, KeyKind], int]
) -> None:
    """Forget how keys were used that are out of use for good: none of them comes back. For a meter
    that starts; an association that is open may still have one.
    """

    def is_outdated(name: str) -> bool:
        _, scope, kind, version, *_ = name.split("/")
        return int(version) < key_versions.get((unquote(scope), KeyKind[kind]), 0)

    directions = (_SEND, _FLOOR, _SPENT)
    names = [name for one in directions for name in journal.names(f"{one} {title.hex()}/")]
    outdated = [name for name in names if is_outdated(name)]
    if outdated:
        journal.drop(outdated)


_SEND, _FLOOR, _SPENT = "send", "floor", "spent"
_MADE_FROM = (
    ((WRAPPED,), KeyKind.KEK),
    ((ONE_PASS, STATIC), KeyKind.AGREEMENT_KEY),
    ((OWN_STATIC,), KeyKind.AGREEMENT_KEY),
)
"""The marks of each kind, in the order of :class:`SpentKeys`, and what their keys are made from."""


def _name(direction: str, ek: KeyRef) -> str:
    scope = quote(ek.scope, safe="")  # a profile may call an association anything
    return f"{direction} {ek.holder.hex()}/{scope}/{ek.kind.name}/{ek.version}"


def _spent_under(title: bytes, scope: str, kind: KeyKind, version: int) -> str:
    return _name(_SPENT, KeyRef(title, scope, kind, version=version)) + "/"


def _key(title: bytes, name: str) -> KeyRef:
    _, scope, kind, version = name.split("/")
    return KeyRef(title, unquote(scope), KeyKind[kind], version=int(version))
