"""Instructions of a profile: what each is made of, judged against the objects and their rights."""

from __future__ import annotations

from devices.profile.model import (
    ActionStep,
    AssociationRow,
    InstructionRow,
    ObjectRow,
    SetStep,
)
from devices.profile.place import Place
from devices.profile.table import Table, checked, need, one_of, only, provenance_of
from devices.profile.values import parse_value
from dlms.axdr.data import Data
from dlms.cosem import obis
from dlms.cosem.interface_class import fits
from dlms.cosem.shape import Shape
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor

KEYS = {"association", "critical", "steps", "source", "assumed"}
STEP_KEYS = {"set", "action", "value"}


def instruction(
    name: str,
    row: Table,
    associations: dict[str, AssociationRow],
    objects: dict[bytes, ObjectRow],
    place: Place,
) -> InstructionRow:
    only(row, KEYS, place)
    association = one_of(
        need(row, "association", str, place), tuple(associations), place.at("association")
    )
    steps = tuple(
        _step(step, association, objects, place.at("steps").at(str(number)))
        for number, step in enumerate(need(row, "steps", list, place))
    )
    return InstructionRow(
        name,
        association,
        need(row, "critical", bool, place),
        steps,
        provenance_of(row, place),
    )


def _step(
    step: Table, association: str, objects: dict[bytes, ObjectRow], place: Place
) -> SetStep | ActionStep:
    only(step, STEP_KEYS, place)
    if ("set" in step) is ("action" in step):
        raise place.error("needs either 'set' or 'action'")
    kind = "set" if "set" in step else "action"
    words = need(step, kind, str, place).split()
    if len(words) != 2 or not words[1].isdecimal():
        raise place.error(f"{kind} needs an OBIS code and a number, as in '0-0:1.0.0.255 2'")
    row = objects.get(checked(obis.parse, words[0], place))
    number = int(words[1])
    if row is None:
        raise place.error(f"there is no object {words[0]}")
    rights = row.rights.get(association)
    if kind == "set":
        if rights is None or not rights.attribute(number).writable:
            raise place.error(f"{association} may not write {words[0]} attribute {number}")
        attribute = row.interface_class.attribute(number)
        assert attribute is not None  # rights are given on what is there only
        value = None
        if step.get("value") != "argument":
            value = _argument(step, attribute.shape, place)
        return SetStep(
            AttributeDescriptor(row.interface_class.class_id, row.instance, number), value
        )
    if rights is None or number not in rights.methods:
        raise place.error(f"{association} may not invoke {words[0]} method {number}")
    method = row.interface_class.method(number)
    assert method is not None
    return ActionStep(
        MethodDescriptor(row.interface_class.class_id, row.instance, number),
        _argument(step, method.parameter, place),
    )


def _argument(step: Table, shape: Shape, place: Place) -> Data:
    where = place.at("value")
    value = checked(parse_value, step.get("value"), where)
    if not fits(shape, value):
        raise where.error(f"{value.type.label} does not fit")
    return value
