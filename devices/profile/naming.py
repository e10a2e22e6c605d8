"""Short names for the objects of a profile (Blue Book 4.1.3)."""

from __future__ import annotations

from devices.profile.model import AssociationRow, ObjectRow, ShortNames
from devices.profile.place import Place
from dlms.cosem.short_names import NamedObject, allocate, index, span


def short_names(
    associations: dict[str, AssociationRow],
    objects: dict[bytes, ObjectRow],
    by_short_name: dict[bytes, ObjectRow],
    place: Place,
) -> ShortNames:
    """Names of every object, if any association uses them.

    ``by_short_name`` are rows that only those associations see; they hide the rows of the same
    logical name: the current association is an Association SN there and an Association LN
    elsewhere. Objects without a base name come behind the last that has one.
    """
    if not any(row.config.short_names for row in associations.values()):
        if by_short_name:
            raise place.at("short_name_objects").error("no association uses short names")
        return ShortNames()
    visible = {**objects, **by_short_name}
    try:
        named = _named(visible)
        targets = index(named)
    except ValueError as error:
        raise place.at("objects").error(str(error)) from None
    return ShortNames(
        visible,
        {one.instance: one.base_name for one in named},
        {name: (visible[found.object.instance], found.member) for name, found in targets.items()},
    )


def _named(objects: dict[bytes, ObjectRow]) -> tuple[NamedObject, ...]:
    given = [
        NamedObject(row.base_name, row.interface_class, instance)
        for instance, row in objects.items()
        if row.base_name is not None
    ]
    others = [
        (row.interface_class, instance)
        for instance, row in objects.items()
        if row.base_name is None
    ]
    ends = [one.base_name + span(one.interface_class) for one in given]
    return (*given, *allocate(others, max(ends, default=8)))
