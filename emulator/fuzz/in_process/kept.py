"""What the meter keeps over a loss of power, in this process, and the power that fails meanwhile.

Every write is a place where the power may fail: before it, so that all earlier ones are kept and no
later one is. Counters are reserved in blocks, as in :mod:`emulator.journal`, and found at their
limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from devices.remembering import Changed
from emulator.journal import StoreError


class PowerCut(BaseException):
    """The meter has lost its power: whatever it was at ends here. No error that anybody handles."""


class Writes:
    """Counts the writes of a meter, and fails before the one that is asked for."""

    def __init__(self) -> None:
        self.count = 0
        self._left: int | None = None
        self._is_dead = False

    @property
    def have_failed(self) -> bool:
        """Whether the power is gone: nothing else that goes wrong meanwhile is seen by anybody."""
        return self._is_dead

    def cut_before(self, write: int) -> None:
        """The power fails before the ``write``-th from now, from 0."""
        self._left = write

    def revive(self) -> None:
        """The power is back, or never fails."""
        self._left, self._is_dead = None, False

    def pass_one(self) -> None:
        """:class:`PowerCut` if that is where the power fails; and from then on."""
        if self._is_dead or self._left == 0:
            self._is_dead = True
            raise PowerCut
        if self._left is not None:
            self._left -= 1
        self.count += 1


class PassingJournal:
    """As :class:`emulator.journal.Journal`, without a file."""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes
        self._kept: dict[str, tuple[int, int]] = {}
        self.is_readable = True

    def value(self, name: str) -> int:
        return self._kept.get(name, (0, 0))[0]

    def names(self, beginning: str) -> Iterator[str]:
        if not self.is_readable:
            raise StoreError("the counters cannot be read")
        return iter([name for name in self._kept if name.startswith(beginning)])

    def raise_to(self, name: str, value: int, stride: int = 0) -> None:
        if not self.is_readable:
            raise StoreError("the counters cannot be read")
        kept, limit = self._kept.get(name, (-1, -1))
        if value > limit:
            self._writes.pass_one()
            limit = value + stride
        self._kept[name] = max(value, kept), limit

    @property
    def size(self) -> int:
        """How many counters are kept."""
        return len(self._kept)

    def drop(self, names: Iterable[str]) -> None:
        for name in list(names):
            self._kept.pop(name, None)

    def lose_power(self) -> None:
        """What is found again is never below what was used: the limits."""
        self._kept = {name: (limit, limit) for name, (_, limit) in self._kept.items()}

    def put_back(self, to: int) -> None:
        """Somebody writes an older number over each: a store that is damaged."""
        self._kept = dict.fromkeys(self._kept, (to, to))


class Image:
    """The sections of a meter's state and its keys, as they were written last."""

    def __init__(self, writes: Writes, sections: Mapping[str, Mapping[Any, Any]]) -> None:
        self._writes = writes
        self.kept = 0
        """How often something was."""
        self.sections: dict[str, dict[Any, Any]] = {
            name: dict(section) for name, section in sections.items()
        }

    def keep(self, changed: Mapping[str, Changed[Any, Any]]) -> None:
        """All of it in one write, or none."""
        self._writes.pass_one()
        self.kept += 1
        for name, (kept, gone) in changed.items():
            section = self.sections.setdefault(name, {})
            section.update(kept)
            for key in gone:
                section.pop(key, None)

    def items(self) -> dict[str, list[tuple[Any, Any]]]:
        return {name: list(section.items()) for name, section in self.sections.items()}

    def copy(self) -> dict[str, dict[Any, Any]]:
        """An image to put back later."""
        return {name: dict(section) for name, section in self.sections.items()}
