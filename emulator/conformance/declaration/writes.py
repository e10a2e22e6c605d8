"""``[[writes]]`` and ``[[sta]]``: what may be written, and what with.

[[writes]]
association = "management"
class = "Clock"                   # its name, or its number
object = "0-0:1.0.0.255"
attribute = 3
value = { long = 60 }             # as profiles write values
"""

from __future__ import annotations

from collections.abc import Collection

from devices.profile.place import Place, Problems
from devices.profile.table import Table, checked, near, need, one_of, only, within
from devices.profile.values import parse_value
from dlms.cosem import classes, obis
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.conformance.declaration.model import WriteData

_WRITE = {"association", "class", "object", "attribute", "value"}
_CLASSES = {row.name: row.class_id for row in classes.ALL}
STA = 2
"""How many attributes SYMSEC's SecDataX takes: STA1 and STA2."""


def writes(
    rows: list[object], associations: Collection[str], place: Place
) -> tuple[WriteData, ...]:
    """:class:`~devices.profile.ProfileError` has all that are wrong."""
    found = []
    problems = Problems()
    for index, row in enumerate(rows):
        with problems.collected():
            here = place.at(str(index))
            only(row, _WRITE, here)
            assert isinstance(row, dict)  # only() has looked
            found.append(_write(row, associations, here))
    problems.settle()
    return tuple(found)


def sta(rows: list[object], associations: Collection[str], place: Place) -> tuple[WriteData, ...]:
    """Two different attributes, or none."""
    found = writes(rows, associations, place)
    if len(found) not in (0, STA) or len({one.attribute for one in found}) < len(found):
        raise place.error(f"{STA} different attributes are needed, STA1 and STA2, or none")
    return found


def _write(row: Table, associations: Collection[str], place: Place) -> WriteData:
    association = need(row, "association", str, place)
    where = place.at("association")
    if not associations:
        raise where.error(f"{association!r}: there is no association")
    one_of(association, tuple(associations), where)
    if "value" not in row:
        raise place.at("value").error("what is to be written is needed, and missing")
    return WriteData(
        association=association,
        attribute=AttributeDescriptor(
            _class(row, place),
            checked(obis.parse, need(row, "object", str, place), place.at("object")),
            within(need(row, "attribute", int, place), 1, 0x7F, place.at("attribute")),
        ),
        value=checked(parse_value, row["value"], place.at("value")),
    )


def _class(row: Table, place: Place) -> int:
    written = row.get("class")
    where = place.at("class")
    if isinstance(written, int) and not isinstance(written, bool):
        return within(written, 0, 0xFFFF, where)
    name = need(row, "class", str, place)
    if name not in _CLASSES:
        raise where.error(f"no class {name!r}{near(name, _CLASSES)}; its number will do")
    return _CLASSES[name]
