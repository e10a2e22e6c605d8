"""What of a meter is asked for in a task: the objects that an association may use for it."""

from __future__ import annotations

from devices.device import Device
from devices.prepayment.account import token_credit
from dlms.axdr.data import DataType
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.hostile.material import named

CREDIT = 1000
"""What a top-up adds, in units of the account: so much that no charge of that time hides it."""

_AMOUNT, _ADD = 2, 1
"""current_credit_amount and update_amount of a Credit (Blue Book 4.6.3)."""


def reads(device: Device, association: str) -> tuple[AttributeDescriptor, ...]:
    """Two attributes with different values, octet-strings both."""
    found: dict[bytes, AttributeDescriptor] = {}
    for row in device.profile.objects.values():
        rights = row.rights.get(association)
        if row.interface_class.class_id != 1 or rights is None or not rights.attribute(2).readable:
            continue
        value = device.value(row, 2)
        octets = None if value is None or value.type is not DataType.OCTET_STRING else value.value
        if isinstance(octets, bytes) and octets:
            found.setdefault(octets, AttributeDescriptor(1, row.instance, 2))
    if len(found) < 2:
        raise Unjudged(f"{device.profile.name} has no two octet-strings for {association} to read")
    return tuple(found.values())[:2]


def top_up(device: Device, association: str) -> dict[str, object]:
    """Where credit is added, and how much; nothing where that association adds none."""
    try:
        row = token_credit(device)
    except LookupError:
        return {}
    rights = row.rights.get(association)
    if rights is None or _ADD not in rights.methods or not rights.attribute(_AMOUNT).readable:
        return {}
    found = AttributeDescriptor(row.interface_class.class_id, row.instance, _AMOUNT)
    return {**named(found), "method": _ADD, "amount": CREDIT}


def need(device: Device, association: str, class_id: int, number: int) -> AttributeDescriptor:
    """:class:`Unjudged` if the association may read no such object."""
    found = attribute(device, association, class_id, (number,))
    if found is None:
        raise Unjudged(f"{association} may read no object of class {class_id}")
    return found


def attribute(
    device: Device, association: str, class_id: int, numbers: tuple[int, ...]
) -> AttributeDescriptor | None:
    """The first attribute of ``numbers`` of an object in which all of them may be read."""
    found = instance(device, association, class_id, set(), numbers)
    return AttributeDescriptor(class_id, found, numbers[0]) if found else None


def instance(
    device: Device, association: str, class_id: int, methods: set[int], numbers: tuple[int, ...]
) -> bytes:
    """The logical name of an object that the association may use so; empty if there is none."""
    for row in device.profile.objects.values():
        rights = row.rights.get(association)
        if row.interface_class.class_id != class_id or rights is None:
            continue
        if methods <= rights.methods and all(rights.attribute(one).readable for one in numbers):
            return row.instance
    return b""
