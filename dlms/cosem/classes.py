"""The registry of interface classes, by class_id and version.

The tables are in :mod:`dlms.cosem.tables`, one file for each group of the Blue Book's clause 4.

A class without a version means its default: the version that meters of the time of SMETS1 have,
where the laboratory's objects are of that version (:data:`DEFAULT_VERSIONS`), else the latest.
"""

from __future__ import annotations

from dlms.cosem.interface_class import InterfaceClass
from dlms.cosem.tables import (
    access,
    associations,
    control,
    data,
    internet,
    local,
    mbus,
    mobile,
    prepayment,
    prime,
    s_fsk,
    security,
    time,
    zigbee,
)

ALL: tuple[InterfaceClass, ...] = tuple(
    row
    for table in (
        data,
        associations,
        access,
        security,
        time,
        control,
        local,
        mobile,
        mbus,
        internet,
        s_fsk,
        prime,
        zigbee,
        prepayment,
    )
    for row in table.ALL
)

BY_VERSION: dict[tuple[int, int], InterfaceClass] = {
    (row.class_id, row.version): row for row in ALL
}

# Versions of a class stand in ascending order in the tables, so the last one stays.
_LATEST: dict[int, InterfaceClass] = {row.class_id: row for row in ALL}

DEFAULT_VERSIONS = {12: 2, 15: 1, 64: 0}
"""Classes whose default is not their latest version."""

BY_ID: dict[int, InterfaceClass] = _LATEST | {
    class_id: BY_VERSION[class_id, version] for class_id, version in DEFAULT_VERSIONS.items()
}
"""The default version of each class."""

BY_NAME: dict[str, InterfaceClass] = {row.name: row for row in BY_ID.values()}
"""The default version of each class, by the book's name."""


def get(class_id: int, version: int) -> InterfaceClass | None:
    """The class, or ``None`` if it is not tabulated in this version."""
    return BY_VERSION.get((class_id, version))


def latest(class_id: int) -> InterfaceClass | None:
    """The class in the highest version that is tabulated, or ``None``."""
    return _LATEST.get(class_id)


def versions(name: str) -> tuple[InterfaceClass, ...]:
    """All versions of the class of that name, ascending; none if there is no such class."""
    return tuple(row for row in ALL if row.name == name)


DATA = BY_ID[1]
REGISTER = BY_ID[3]
EXTENDED_REGISTER = BY_ID[4]
DEMAND_REGISTER = BY_ID[5]
REGISTER_ACTIVATION = BY_ID[6]
PROFILE_GENERIC = BY_ID[7]
CLOCK = BY_ID[8]
SCRIPT_TABLE = BY_ID[9]
SPECIAL_DAYS_TABLE = BY_ID[11]
ASSOCIATION_SN = BY_ID[12]
ASSOCIATION_LN = BY_ID[15]
SAP_ASSIGNMENT = BY_ID[17]
IMAGE_TRANSFER = BY_ID[18]
ACTIVITY_CALENDAR = BY_ID[20]
SINGLE_ACTION_SCHEDULE = BY_ID[22]
PUSH_SETUP = BY_ID[40]
SECURITY_SETUP = BY_ID[64]
DISCONNECT_CONTROL = BY_ID[70]
LIMITER = BY_ID[71]
ACCOUNT = BY_ID[111]
CREDIT = BY_ID[112]
CHARGE = BY_ID[113]
TOKEN_GATEWAY = BY_ID[115]
