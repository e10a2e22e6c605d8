"""The objects of a Gurux object dump: what they are, their rights and values as it has them."""

from __future__ import annotations

from typing import NamedTuple

from devices.objects.registry import BEHAVIOURS
from devices.profile.rights import Access, Rights
from dlms.axdr.data import Data
from dlms.cosem import classes, obis
from dlms.cosem.interface_class import InterfaceClass, misfit
from emulator.importing.elements import CLASSES, READERS
from emulator.importing.tree import Node, XmlError, parse

PREFIX = "GXDLMS"
MAX_OBJECTS = 10_000

_MODES = {
    0: Access.NONE,
    1: Access.READ,
    2: Access.WRITE,
    3: Access.READ_AND_WRITE,
    4: Access.READ | Access.AUTHENTICATED_REQUEST,
    5: Access.WRITE | Access.AUTHENTICATED_REQUEST,
    6: Access.READ_AND_WRITE | Access.AUTHENTICATED_REQUEST,
}
_METHOD_MODES = {0: Access.NONE, 1: Access.READ, 2: Access.READ | Access.AUTHENTICATED_REQUEST}
_PRESENT = 0x8000
"""Set in every code of ``Access3``, so that each has four digits."""


class DumpError(ValueError):
    """A dump that cannot be imported: file, line and why."""


class DumpObject(NamedTuple):
    """An object as the dump has it."""

    interface_class: InterfaceClass
    instance: bytes
    node: Node

    @property
    def title(self) -> str:
        return f"{obis.text(self.instance)} {self.interface_class.name} (line {self.node.line})"


class Dump(NamedTuple):
    """``left_out`` says of what is not imported why not."""

    objects: dict[bytes, DumpObject]
    left_out: list[str]


def read_dump(octets: bytes, file: str) -> Dump:
    """:class:`DumpError` if it is no object dump, or there is nothing in it."""
    try:
        root = parse(octets)
    except XmlError as error:
        raise DumpError(f"{file}:{error}") from None
    if root.tag != "Objects":
        raise DumpError(f"{file}:{root.line}: <Objects> is needed, not <{root.tag[:40]}>")
    if len(root.children) > MAX_OBJECTS:
        raise DumpError(f"{file}:{root.line}: more than {MAX_OBJECTS} objects")
    dump = Dump({}, [])
    for node in root.children:
        try:
            one = _object(node)
        except ValueError as error:
            dump.left_out.append(f"<{node.tag[:40]}> of line {node.line}: {error}")
            continue
        if one.instance in dump.objects:
            dump.left_out.append(f"{one.title}: this logical name is there already")
            continue
        dump.objects[one.instance] = one
    if not dump.objects:
        raise DumpError(f"{file}:{root.line}: there is no object in it that could be imported")
    return dump


def _object(node: Node) -> DumpObject:
    class_id = CLASSES.get(node.tag.removeprefix(PREFIX))
    if class_id is None or not node.tag.startswith(PREFIX):
        raise ValueError("no class is known of this name")
    name = node.said("LN")
    if name is None:
        raise ValueError("it has no logical name")
    instance = obis.parse(name)
    written = node.said("Version") or "0"
    version = int(written) if written.isdecimal() else -1
    found = classes.get(class_id, version)
    if found is None:
        raise ValueError(f"class {class_id} is not known in version {written[:20]}")
    return DumpObject(found, instance, node)


def rights_of(one: DumpObject) -> Rights | None:
    """The rights of the association through which the dump was made; ``None`` if it has none."""
    numbers = [1, *(row.number for row in one.interface_class.attributes)]
    methods = [row.number for row in one.interface_class.methods]
    modes = _codes(one.node, "Access", _MODES)
    if modes is None:
        return None
    invocable = _codes(one.node, "MethodAccess", _METHOD_MODES) or []
    return Rights(
        {number: mode for number, mode in zip(numbers, modes, strict=False) if mode},
        {number: mode for number, mode in zip(methods, invocable, strict=False) if mode},
    )


def _codes(node: Node, tag: str, table: dict[int, Access]) -> list[Access] | None:
    """A digit for each code, or four hexadecimal digits from Association LN version 3 on."""
    said = node.said(tag)
    if said is not None:
        return [table.get(int(digit) if digit.isdecimal() else 0, Access.NONE) for digit in said]
    said = node.said(f"{tag}3")
    if said is None:
        return None
    try:
        octets = bytes.fromhex(said)
    except ValueError:
        return None
    pairs = [octets[n : n + 2] for n in range(0, len(octets) - 1, 2)]
    return [Access(int.from_bytes(pair, "big") & ~_PRESENT & 0xFF) for pair in pairs]


def values_of(one: DumpObject) -> tuple[dict[int, Data], list[str]]:
    """The values of an object, and why some are missing.

    A profile has what a meter is made with: what the meter computes is none of that, and of dynamic
    attributes only those are taken that begin with a value.
    """
    values: dict[int, Data] = {}
    problems = []
    interface_class = one.interface_class
    readers = READERS.get(interface_class.class_id, {})
    computed = BEHAVIOURS[interface_class.class_id].read
    rights = rights_of(one)
    for row in interface_class.attributes:
        title = f"{one.title}, attribute {row.number} {row.name}"
        reader = readers.get(row.number)
        if reader is None:
            if row.dynamic or row.number in computed:
                problems.append(f"{title}: the meter makes this value itself")
            else:
                problems.append(f"{title}: how a dump writes it is not known")
            continue
        if rights is not None and not rights.attribute(row.number).readable:
            problems.append(f"{title}: could not be read when the dump was made")
            continue
        try:
            value = reader(one.node, row.shape)
        except ValueError as error:
            problems.append(f"{title}: {error}")
            continue
        problem = None if value is None else misfit(row.shape, value)
        if value is None:
            problems.append(f"{title}: the dump does not say it")
        elif problem is not None:
            problems.append(f"{title}: {problem}")
        else:
            values[row.number] = value
    return values, problems
