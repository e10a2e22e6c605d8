"""Where in a file something is wrong, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ScenarioError(ValueError):
    """A scenario cannot be read: the file, the place in it, and what was expected."""


class Where:
    """A place in a file, and what is written there."""

    __slots__ = ("path", "written")

    def __init__(self, path: str, written: object) -> None:
        self.path = path
        self.written = written

    def wrong(self, why: str) -> ScenarioError:
        return ScenarioError(f"{self.path}: {why}")

    def table(self, known: frozenset[str] | None = None) -> Mapping[str, Where]:
        """The entries of a table. Those that are not ``known`` are an error."""
        if not isinstance(self.written, dict):
            raise self.wrong(f"a table is needed, not {self.written!r}")
        for key in self.written:
            if known is not None and key not in known:
                raise self.wrong(f"{key!r} is not known; there are {', '.join(sorted(known))}")
        return {key: Where(f"{self.path}.{key}", value) for key, value in self.written.items()}

    def list(self) -> list[Where]:
        if not isinstance(self.written, list):
            raise self.wrong(f"a list is needed, not {self.written!r}")
        return [Where(f"{self.path}[{at}]", one) for at, one in enumerate(self.written)]

    def text(self) -> str:
        if not isinstance(self.written, str):
            raise self.wrong(f"text is needed, not {self.written!r}")
        return self.written

    def texts(self) -> tuple[str, ...]:
        """One text, or a list of them."""
        if isinstance(self.written, str):
            return (self.written,)
        return tuple(one.text() for one in self.list())

    def number(self) -> int:
        if not isinstance(self.written, int) or isinstance(self.written, bool):
            raise self.wrong(f"a whole number is needed, not {self.written!r}")
        return self.written

    def real(self) -> float:
        if not isinstance(self.written, int | float) or isinstance(self.written, bool):
            raise self.wrong(f"a number is needed, not {self.written!r}")
        return float(self.written)

    def flag(self) -> bool:
        if not isinstance(self.written, bool):
            raise self.wrong(f"true or false is needed, not {self.written!r}")
        return self.written

    def octets(self) -> bytes:
        """Hexadecimal."""
        try:
            return bytes.fromhex(self.text())
        except ValueError:
            raise self.wrong(f"{self.written!r} is not hexadecimal") from None

    def member(self, kind: Any) -> Any:
        """The member of an enumeration with that value."""
        try:
            return kind(self.text())
        except ValueError:
            said = ", ".join(one.value for one in kind)
            raise self.wrong(f"{self.written!r} is none of {said}") from None
