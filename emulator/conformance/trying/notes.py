"""What senders of one trial leave for those that come after them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class Note(Generic[T]):
    """A kind of note, made once, where it is used: ``Note[Probe]("opened")`` is a place for a
    probe, and no other note's place, whatever that one is called.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Notes:
    """One value of each kind; with ``of``, one for each of several associations, by their names."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, str], object] = {}

    def keep(self, note: Note[T], value: T, of: str = "") -> T:
        """``value`` itself, in the place of what was there before."""
        self._kept[note, of] = value
        return value

    def kept(self, note: Note[T], of: str = "") -> T:
        """``LookupError`` if it was not left."""
        if (note, of) not in self._kept:
            raise LookupError(f"nobody has left {note.name}{of and f' of {of}'}")
        return self._value(note, of)

    def found(self, note: Note[T], of: str = "") -> T | None:
        """``None`` if it was not left."""
        return self._value(note, of) if (note, of) in self._kept else None

    def drop(self, note: Note[T], of: str = "") -> None:
        self._kept.pop((note, of), None)

    async def once(self, note: Note[T], make: Callable[[], Awaitable[T]], of: str = "") -> T:
        """What was left, or else what ``make`` makes, which is left then."""
        if (note, of) not in self._kept:
            self.keep(note, await make(), of)
        return self._value(note, of)

    def _value(self, note: Note[T], of: str) -> T:
        # What stands in the place of a note was kept as its type: keep() is the only way in.
        return cast(T, self._kept[note, of])
