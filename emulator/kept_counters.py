"""What a meter remembers of its keys' use over a restart of its host (R-IC-7).

Both directions of every key that is in force when a meter starts: what it sends is reserved in
blocks, what it has received is written down before anything is done with the message. A meter that
starts has the keys it was made with, for a host that ends forgets every rotation. So what was
received under a rotated key is not kept; its floor would stand in the way of another key of the
same version. What was *sent* under one is, for all such keys together: should the same key be
transferred again, its initialization vectors go on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import quote, unquote

from devices.state import DeviceState
from dlms.security.counters import MAXIMUM, InvocationCounters
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.spent_keys import ONE_PASS, OWN_STATIC, STATIC, WRAPPED, Marks, SpentKeys
from emulator.journal import Journal

BLOCK = 1024
"""Counters reserved at once, in either direction. One wait for the disk per so many messages costs
each some microseconds; a key lasts for four million restarts."""

_ANY_LATER = 1


class KeptCounters(InvocationCounters):
    """The invocation counters of the meter ``title``, in ``journal``.

    :class:`~emulator.journal.StoreError` where the journal cannot be written: nothing is sealed
    and nothing accepted then.
    """

    __slots__ = ("_former", "_journal", "_names", "_reserved")

    def __init__(self, journal: Journal, title: bytes) -> None:
        super().__init__()
        self._journal = journal
        self._reserved: dict[KeyRef, int] = {}
        self._names: dict[KeyRef, str] = {}
        self._former: dict[KeyRef, int] = {}
        for name in journal.names(f"send {title.hex()}/"):
            self._former[_key(title, name)] = journal.value(name)
        for name in journal.names(f"floor {title.hex()}/"):
            self._floor[_key(title, name)] = min(journal.value(name), MAXIMUM)
        for ek, value in self._former.items():
            if not ek.version:
                self._next[ek] = value

    def burn(self, ek: KeyRef) -> int:
        value = self._next.get(ek, 0)
        if value >= self._reserved.get(ek, 0) and ek.lifetime is KeyLifetime.LONG_LIVED:
            self._reserve(ek, value)
        return super().burn(ek)

    def accept(self, ek: KeyRef, received: int) -> None:
        self.check(ek, received)
        if not ek.version and ek.lifetime is KeyLifetime.LONG_LIVED:
            name = self._names.get(ek)
            if name is None:
                name = self._names[ek] = _name("floor", ek)
            self._journal.raise_to(name, received + 1, BLOCK)
        super().accept(ek, received)

    def _reserve(self, ek: KeyRef, value: int) -> None:
        row = ek._replace(version=min(ek.version, _ANY_LATER))
        first = max(value, self._former.get(row, 0))
        reserved = min(first + BLOCK, MAXIMUM)
        self._journal.raise_to(_name("send", row), reserved)
        self._reserved[ek] = reserved
        self._next[ek] = first


class _KeptMarks(Marks):
    """Marks in ``journal``, under names that begin with ``beginning``."""

    __slots__ = ("_beginning", "_journal")

    def __init__(self, journal: Journal, beginning: str, known: Iterable[bytes]) -> None:
        super().__init__(known)
        self._journal = journal
        self._beginning = beginning

    def add(self, mark: bytes) -> None:
        self._journal.raise_to(self._beginning + mark.hex(), 1)
        super().add(mark)


class KeptSpentKeys(SpentKeys):
    """Keys of single messages, for the security scope ``scope`` of the meter ``title``.

    Those that are made from a new master key or key pair are not kept: after a restart the first
    ones are in force again, and with them what was made from those.
    """

    __slots__ = ()

    def __init__(self, journal: Journal, title: bytes, scope: str) -> None:
        beginning = f"spent {title.hex()}/{quote(scope, safe='')}/"
        known: tuple[set[bytes], ...] = (set(), set(), set())
        for name in journal.names(beginning):
            mark = bytes.fromhex(name.removeprefix(beginning))
            known[_PLACES[mark[:1]]].add(mark)
        super().__init__(*(_KeptMarks(journal, beginning, marks) for marks in known))


_PLACES = {WRAPPED: 0, ONE_PASS: 1, STATIC: 1, OWN_STATIC: 2}


class KeptSpent(defaultdict[str, SpentKeys]):
    """The :class:`KeptSpentKeys` of a meter, by security scope."""

    def __init__(self, journal: Journal, title: bytes) -> None:
        super().__init__()
        self._journal = journal
        self._title = title

    def __missing__(self, scope: str) -> SpentKeys:
        spent = self[scope] = KeptSpentKeys(self._journal, self._title, scope)
        return spent


def kept_state(journal: Journal, title: bytes) -> DeviceState:
    """What the meter ``title`` still knows after a restart: its counters and spent keys."""
    return DeviceState(counters=KeptCounters(journal, title), spent=KeptSpent(journal, title))


def _name(direction: str, ek: KeyRef) -> str:
    scope = quote(ek.scope, safe="")  # a profile may call an association anything
    return f"{direction} {ek.holder.hex()}/{scope}/{ek.kind.name}/{ek.version}"


def _key(title: bytes, name: str) -> KeyRef:
    _, scope, kind, version = name.split("/")
    return KeyRef(title, unquote(scope), KeyKind[kind], version=int(version))
