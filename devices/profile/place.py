"""Where in a profile something is, for errors that can be acted upon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple, TypeAlias


class Origin(NamedTuple):
    """The line of a file on which something is written."""

    file: str
    line: int


Origins: TypeAlias = Mapping[tuple[str, ...], Origin]
"""Where each path of a profile comes from: its own file, or one that it extends."""

_NOWHERE: Origins = MappingProxyType({})


class ProfileError(ValueError):
    """A profile that cannot be used: file, line, place and what was expected.

    ``others`` are what else is wrong with it; the text has a line for each.
    """

    def __init__(self, place: Place, problem: str, others: Sequence[ProfileError] = ()) -> None:
        self.place = place
        self.problem = problem
        self.others = tuple(others)
        super().__init__("\n".join([f"{place}: {problem}{place.aside}", *map(str, others)]))

    @property
    def all(self) -> tuple[ProfileError, ...]:
        """Each thing that is wrong, as an error of its own."""
        return (self.place.error(self.problem), *self.others)


class Place(NamedTuple):
    """``file`` is the profile that is read; what is at ``path`` may come from one it extends."""

    file: str
    path: tuple[str, ...] = ()
    origins: Origins = _NOWHERE

    def at(self, key: str) -> Place:
        return Place(self.file, (*self.path, key), self.origins)

    def error(self, problem: str) -> ProfileError:
        return ProfileError(self, problem)

    @property
    def origin(self) -> Origin | None:
        """Where it is written; of what is missing, where the table is that it is missing in."""
        for length in range(len(self.path), 0, -1):
            found = self.origins.get(self.path[:length])
            if found is not None:
                return found
        return None

    @property
    def aside(self) -> str:
        """What the text of an error adds where the line is not in the file that is read."""
        origin = self.origin
        return "" if origin is None or origin.file == self.file else f" (read for {self.file})"

    def __str__(self) -> str:
        origin = self.origin
        where = self.file if origin is None else f"{origin.file}:{origin.line}"
        return f"{where}: {'.'.join(self.path)}" if self.path else where


def _order(error: ProfileError) -> tuple[int, str, int]:
    """As the lines stand in the file that is read, then in those that it extends; what is missing
    altogether comes last.
    """
    origin = error.place.origin
    if origin is None:
        return 2, "", 0
    return int(origin.file != error.place.file), origin.file, origin.line


class Problems:
    """What is wrong with rows that do not depend on each other: all of it, not the first only."""

    def __init__(self) -> None:
        self._found: list[ProfileError] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        try:
            yield
        except ProfileError as error:
            self._found += error.all

    def settle(self) -> None:
        """:class:`ProfileError` with all that was found, if there was anything."""
        if self._found:
            first, *others = sorted(self._found, key=_order)
            raise ProfileError(first.place, first.problem, others)
