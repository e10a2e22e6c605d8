"""A Service Reference Variant: number, name, who may send it, arguments, what it becomes."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dlms.axdr.data import Data
from emulator.requests.arguments import Argument, ArgumentError
from emulator.requests.documents import Value


class StepRow(NamedTuple):
    """A write of an attribute or an invocation of a method. Of ``value`` and ``encoder`` one says
    what goes with it. ``when`` are arguments and the values for which the step is there.
    """

    is_action: bool
    instance: bytes
    number: int
    value: Data | None
    encoder: str
    when: Mapping[str, str]


class ReadRow(NamedTuple):
    """An attribute to read, by the object's name or by its role in the profile. One that is
    ``optional`` is left out where a profile has no such object.
    """

    name: str
    instance: bytes | None
    role: str
    attribute: int
    kinds: tuple[str, ...]
    when: Mapping[str, str]
    optional: bool

    def is_for(self, kind: str, objects: Container[bytes]) -> bool:
        """Whether a meter of this ``kind``, with these ``objects``, is to be asked."""
        return kind in self.kinds and (not self.optional or self.instance in objects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """``through`` is whose association ``steps`` go by, ``s1sp`` or ``dco``. ``order`` is what the
    DCC has done on its own account: then this is no Service Request.
    """

    number: str
    name: str
    critical: bool
    kinds: tuple[str, ...]
    senders: tuple[str, ...]
    provenance: str
    arguments: Mapping[str, Argument]
    instruction: str
    encoder: str
    through: str
    steps: tuple[StepRow, ...]
    reads: tuple[ReadRow, ...]
    top_up: bool
    firmware: str
    order: str

    def written(self, given: Mapping[str, object], kind: str) -> dict[str, Value]:
        """``given`` as a request to a meter of that ``kind`` writes it."""
        self._check_names(given, kind)
        return {name: self.arguments[name].canonical(value) for name, value in given.items()}

    def check(self, arguments: Mapping[str, Value], kind: str) -> None:
        """:class:`~emulator.requests.arguments.ArgumentError` unless they are right, and written
        as they have to be.
        """
        self._check_names(arguments, kind)
        for name, value in arguments.items():
            self.arguments[name].check(value)

    def _check_names(self, given: Mapping[str, object], kind: str) -> None:
        taken = {row.name: row for row in self.arguments.values() if kind in row.kinds}
        for name in given:
            if name not in taken:
                known = ", ".join(taken) or "none"
                raise ArgumentError(f"{self.number} takes no argument {name!r}; it takes {known}")
        for name, row in taken.items():
            if name not in given and not row.optional:
                raise ArgumentError(f"{self.number} needs an argument {name}")
