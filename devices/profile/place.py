"""Where in a profile something is, for errors that can be acted upon."""

from __future__ import annotations

from typing import NamedTuple


class ProfileError(ValueError):
    """A profile that cannot be used: file, place and what was expected."""

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


class Place(NamedTuple):
    file: str
    path: tuple[str, ...]

    def at(self, key: str) -> Place:
        return Place(self.file, (*self.path, key))

    def error(self, problem: str) -> ProfileError:
        return ProfileError(self, problem)

    def __str__(self) -> str:
        return f"{self.file}, {'.'.join(self.path)}" if self.path else self.file
