"""Dicts and sets that know what has changed in them since it was last kept.

Whoever keeps what a meter remembers asks after every APDU whether there is anything to keep, and
nearly always there is not: so all parts of a memory share one :class:`Changes`, and that question
is to look at one field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSet
from typing import Any, Final, Generic, NamedTuple, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

_ABSENT: Final[Any] = object()


class Changes:
    """``any`` is whether something may have changed."""

    __slots__ = ("any",)

    def __init__(self) -> None:
        self.any = False


class Changed(NamedTuple, Generic[K, V]):
    """What is to be kept, and the keys of what is no more."""

    kept: dict[K, V]
    gone: tuple[K, ...]


class Remembered(dict[K, V]):
    """A dict that begins settled. Its values are replaced and never changed in themselves.

    Reading is what it is with any dict. Every way to change one notes what was there before.
    """

    __slots__ = ("_changes", "_former")

    def __init__(self, changes: Changes, kept: Iterable[tuple[K, V]] = ()) -> None:
        super().__init__(kept)
        self._changes = changes
        self._former: dict[K, Any] = {}

    def changed(self) -> Changed[K, V]:
        """What is not as it was when it was last settled."""
        kept: dict[K, V] = {}
        gone: list[K] = []
        for key, before in self._former.items():
            now = self.get(key, _ABSENT)
            if now is _ABSENT:
                if before is not _ABSENT:
                    gone.append(key)
            elif before is _ABSENT or now != before:
                kept[key] = now
        return Changed(kept, tuple(gone))

    def settle(self) -> None:
        """What is here now is kept."""
        self._former.clear()

    def revert(self) -> None:
        """Back to what was last settled; what had been taken out stands at the end."""
        for key, before in self._former.items():
            if before is _ABSENT:
                super().pop(key, None)
            else:
                super().__setitem__(key, before)
        self._former.clear()

    def _note(self, key: K) -> None:
        self._changes.any = True
        if key not in self._former:
            self._former[key] = self.get(key, _ABSENT)

    # Every way to change a dict -------------------------------------------------------------------

    def __setitem__(self, key: K, value: V) -> None:
        self._note(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: K) -> None:
        if key in self:
            self._note(key)
        super().__delitem__(key)

    @overload
    def pop(self, key: K, /) -> V: ...
    @overload
    def pop(self, key: K, default: V, /) -> V: ...
    @overload
    def pop(self, key: K, default: D, /) -> V | D: ...
    def pop(self, key: K, *default: Any) -> Any:
        if key in self:
            self._note(key)
        return super().pop(key, *default)

    def popitem(self) -> tuple[K, V]:
        if self:
            self._note(next(reversed(self)))
        return super().popitem()

    def setdefault(self, key: K, default: V, /) -> V:
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *args: Any, **more: Any) -> None:
        for key, value in dict(*args, **more).items():
            self[key] = value

    def __ior__(self, other: Any) -> Remembered[K, V]:  # type: ignore[override,misc]
        self.update(other)
        return self

    def clear(self) -> None:
        for key in self:
            self._note(key)
        super().clear()


class RememberedSet(MutableSet[K]):
    """The same as a set. ``of`` is what it is made of: its members, with nothing to them."""

    __slots__ = ("of",)

    def __init__(self, changes: Changes, kept: Iterable[K] = ()) -> None:
        self.of: Remembered[K, None] = Remembered(changes, ((key, None) for key in kept))

    def __repr__(self) -> str:
        return f"{set(self.of)!r}"

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> set[Any]:
        """What operators give is for the moment."""
        return set(it)

    def __contains__(self, member: object) -> bool:
        return member in self.of

    def __iter__(self) -> Iterator[K]:
        return iter(self.of)

    def __len__(self) -> int:
        return len(self.of)

    def add(self, value: K) -> None:
        if value not in self.of:
            self.of[value] = None

    def discard(self, value: K) -> None:
        self.of.pop(value, None)

    def update(self, *others: Iterable[K]) -> None:
        for other in others:
            for member in other:
                self.add(member)
