"""The object list of an association: what there is, of which class and version, and who may what.

Blue Book 4.4.4 (Association LN) and 4.4.3 (Association SN, whose list has base names and no
rights).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dlms.association.config import CURRENT_ASSOCIATION
from dlms.axdr.data import Data
from dlms.cosem import catalogue, classes, obis
from dlms.cosem.fitting import elements_of
from dlms.cosem.interface_class import InterfaceClass
from emulator.client.errors import MeterFault, UnknownObject

ASSOCIATION_LN = classes.ASSOCIATION_LN.class_id
BITS_FROM = 3
"""Version of Association LN from which on an access mode is a set of bits."""

_READ, _WRITE = 1, 2
_MODES = {1: _READ, 2: _WRITE, 3: 3, 4: _READ, 5: _WRITE, 6: 3}
"""Access modes of versions 0 to 2: what may be done, whatever protection it takes."""


class ObjectEntry(NamedTuple):
    """One object as the association sees it.

    ``attributes`` are access modes and ``methods`` whether they may be invoked, by number; both are
    empty where the list does not say. ``base_name`` is that of an object with a short name.
    """

    class_id: int
    version: int
    instance: bytes
    attributes: dict[int, int]
    methods: dict[int, bool]
    base_name: int | None = None

    def __str__(self) -> str:
        """``1-0:1.8.0.255 active_energy_import, class 3 version 0, r1-3``."""
        name = catalogue.name(self.instance)
        head = f"{self.logical_name} {name}" if name else self.logical_name
        return ", ".join(
            part
            for part in (head, f"class {self.class_id} version {self.version}", self.rights)
            if part
        )

    @property
    def logical_name(self) -> str:
        """The OBIS code, as ``1-0:1.8.0.255``."""
        return obis.text(self.instance)

    @property
    def name(self) -> str:
        """The catalogue's name; the OBIS code where it has none."""
        return catalogue.name(self.instance) or self.logical_name

    @property
    def description(self) -> str:
        """What the OBIS code means, in words."""
        return catalogue.describe(self.instance)

    @property
    def interface_class(self) -> InterfaceClass | None:
        """The class; in its usual version if this one is not tabulated, ``None`` if none is."""
        return classes.get(self.class_id, self.version) or classes.BY_ID.get(self.class_id)

    @property
    def rights(self) -> str:
        """``r`` and ``w`` with attribute numbers, ``m`` with those of methods: ``r1-8 w2 m1``."""
        numbers = {
            "r": [number for number, mode in self.attributes.items() if mode & _READ],
            "w": [number for number, mode in self.attributes.items() if mode & _WRITE],
            "m": [number for number, allowed in self.methods.items() if allowed],
        }
        return " ".join(
            letter + _ranges(sorted(which)) for letter, which in numbers.items() if which
        )


class ObjectList:
    """The objects in the meter's order. ``[]`` takes a name or OBIS code, ``in`` too."""

    def __init__(self, entries: tuple[ObjectEntry, ...]) -> None:
        self._entries = entries
        self._by_instance: dict[bytes, list[ObjectEntry]] = {}
        for entry in entries:
            self._by_instance.setdefault(entry.instance, []).append(entry)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[ObjectEntry]:
        return iter(self._entries)

    def __contains__(self, wanted: object) -> bool:
        try:
            return isinstance(wanted, str | bytes) and catalogue.lookup(wanted) in self._by_instance
        except KeyError:
            return False

    def __getitem__(self, wanted: str | bytes) -> ObjectEntry:
        """:class:`UnknownObject` if there is none, or more than one."""
        return self.find(instance_of(wanted))

    def find(self, instance: bytes) -> ObjectEntry:
        """The object of that logical name. :class:`UnknownObject` if there is none, or several."""
        found = self._by_instance.get(instance, [])
        if len(found) == 1:
            return found[0]
        name = named(instance)
        if not found:
            raise UnknownObject(f"this association has no object {name}")
        kinds = ", ".join(str(entry.class_id) for entry in found)
        raise UnknownObject(f"{name} is of several classes ({kinds}): say which class_id")

    def get(self, instance: bytes, class_id: int) -> ObjectEntry | None:
        """The object of that logical name and class, or ``None``."""
        found = self._by_instance.get(instance, [])
        return next((entry for entry in found if entry.class_id == class_id), None)

    def at(self, base_name: int) -> ObjectEntry:
        """The object of that base name. :class:`UnknownObject` if there is none."""
        for entry in self._entries:
            if entry.base_name == base_name:
                return entry
        raise UnknownObject(f"this association has no object at base name {base_name:04X}")


def instance_of(wanted: str | bytes) -> bytes:
    """The OBIS code that is meant, six octets. :class:`UnknownObject` if there is none."""
    try:
        return catalogue.lookup(wanted)
    except KeyError as error:
        raise UnknownObject(str(error.args[0])) from None


def named(instance: bytes) -> str:
    """How messages name an object: ``active_energy_import (1-0:1.8.0.255)``."""
    name = catalogue.name(instance)
    text = obis.text(instance)
    return f"{name} ({text})" if name else text


def logical_name_list(value: Data) -> ObjectList:
    """Take over object_list of an Association LN. :class:`MeterFault` if it is none."""
    heads = list(_heads(value, 2))
    version = next((head[1] for head, name, _ in heads if _is_current(head[0], name)), 0)
    return ObjectList(
        tuple(
            ObjectEntry(head[0], head[1], name, *_rights(rest[0] if rest else None, version))
            for head, name, rest in heads
        )
    )


def short_name_list(value: Data) -> ObjectList:
    """Take over object_list of an Association SN. :class:`MeterFault` if it is none."""
    return ObjectList(
        tuple(
            # A base name is a long: what is above 32767 comes as a negative number.
            ObjectEntry(class_id, version, name, {}, {}, base_name & 0xFFFF)
            for (base_name, class_id, version), name, _ in _heads(value, 3)
        )
    )


def _is_current(class_id: int, instance: bytes) -> bool:
    return class_id == ASSOCIATION_LN and instance == CURRENT_ASSOCIATION


def _heads(value: Data, numbers: int) -> Iterator[tuple[tuple[int, ...], bytes, tuple[Data, ...]]]:
    """Of each element the ``numbers`` it begins with, its logical name, and the rest."""
    elements = elements_of(value)
    if elements is None:
        raise MeterFault(f"object_list is {value.type.label}, not an array")
    for index, element in enumerate(elements):
        parts = elements_of(element) or ()
        head = tuple(part.value for part in parts[:numbers] if isinstance(part.value, int))
        name = parts[numbers].value if len(parts) > numbers else None
        if len(head) != numbers or not isinstance(name, bytes) or len(name) != 6:
            raise MeterFault(f"object_list[{index}] does not begin as the class says")
        yield head, name, parts[numbers + 1 :]


def _rights(value: Data | None, version: int) -> tuple[dict[int, int], dict[int, bool]]:
    """Modes of attributes and methods; what has not the shape it should have says nothing."""
    both = elements_of(value) if value is not None else None
    if both is None or len(both) != 2:
        return {}, {}
    attributes = dict(_pairs(both[0]))
    if version < BITS_FROM:
        attributes = {number: _MODES.get(mode, 0) for number, mode in attributes.items()}
    return attributes, {number: bool(mode & 3) for number, mode in _pairs(both[1])}


def _pairs(value: Data) -> Iterator[tuple[int, int]]:
    for element in elements_of(value) or ():
        parts = elements_of(element) or ()
        if len(parts) >= 2 and isinstance(parts[0].value, int) and isinstance(parts[1].value, int):
            yield parts[0].value, int(parts[1].value)


def _ranges(numbers: list[int]) -> str:
    """``1-3,5`` of 1, 2, 3, 5."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ",".join("-".join(map(str, run)) for run in runs)
