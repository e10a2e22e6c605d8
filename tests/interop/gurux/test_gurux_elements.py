"""Every reader of the import beside what gurux-dlms itself writes, class by class, without a meter.

The laboratory has an object of nearly each class, with values. Each value is handed to the package
in A-XDR, as if a meter had sent it; the package saves its object as XML; our reader must find the
value in there again.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from devices.profile import load
from devices.profile.model import ObjectRow
from dlms.axdr.data import Data
from dlms.axdr.datetimes import CosemDateTime
from dlms.axdr.encoding import encode
from emulator.importing.dump import read_dump, values_of
from emulator.importing.elements import READERS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from gurux_dlms._GXObjectFactory import _GXObjectFactory
    from gurux_dlms.enums import InterfaceType, ObjectType
    from gurux_dlms.GXByteBuffer import GXByteBuffer
    from gurux_dlms.GXDLMSClient import GXDLMSClient
    from gurux_dlms.internal._GXCommon import _GXCommon
    from gurux_dlms.internal._GXDataInfo import _GXDataInfo
    from gurux_dlms.objects.GXDLMSObjectCollection import GXDLMSObjectCollection

ROWS = {
    f"{row.interface_class.class_id}v{row.interface_class.version}": row
    for row in load("laboratory").objects.values()
    if row.interface_class.class_id in READERS
}

# Classes of which the package cannot parse our values: it expects other fields than the book has.
UNREAD = {"40v3", "28v2"}


def saved(row: ObjectRow, path: Path) -> bytes:
    """The XML that the package makes of an object with our values."""
    client = GXDLMSClient(True, 16, 1, interfaceType=InterfaceType.WRAPPER)
    target: Any = _GXObjectFactory.createObject(ObjectType(row.interface_class.class_id))
    target.logicalName = ".".join(map(str, row.instance))
    target.version = row.interface_class.version
    for number in range(1, target.getAttributeCount() + 1):
        target.setAccess(number, 1)
    # A register's value is scaled when it is parsed, so the scaler comes first.
    for number, value in sorted(row.values.items(), reverse=True):
        value_read = _GXCommon.getData(client.settings, GXByteBuffer(encode(value)), _GXDataInfo())
        client.updateValue(target, number, value_read)
    collection = GXDLMSObjectCollection()
    collection.append(target)
    collection.save(str(path))
    return path.read_bytes()


@pytest.mark.parametrize("kind", ROWS)
def test_what_it_writes_is_read(kind: str, tmp_path: Path) -> None:
    row = ROWS[kind]
    if kind in UNREAD:
        with pytest.raises(IndexError):
            saved(row, tmp_path / "x.xml")
        return
    (one,) = read_dump(saved(row, tmp_path / "x.xml"), "x.xml").objects.values()
    assert (one.interface_class, one.instance) == (row.interface_class, row.instance)
    found, problems = values_of(one)
    expected = {
        number: value
        for number, value in row.values.items()
        if number in READERS[row.interface_class.class_id]
    }
    found = {number: value for number, value in found.items() if number in expected}
    assert {n: plain(v) for n, v in found.items()} == {n: plain(v) for n, v in expected.items()}, (
        problems
    )


def test_nearly_every_class_that_is_read_is_tried() -> None:
    tried = {row.interface_class.class_id for row in ROWS.values()}
    assert READERS.keys() - tried == set()


def plain(value: Data) -> object:
    """Without what a dump has not: days of the week, hundredths and status of a time."""
    if isinstance(value.value, tuple):
        return value.type, [plain(part) for part in value.value]
    if isinstance(value.value, bytes) and len(value.value) == 12:
        moment = CosemDateTime.from_octets(value.value)
        return value.type, (
            moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second,
            moment.deviation,
        )  # fmt: skip
    if isinstance(value.value, bytes) and len(value.value) in (4, 5):
        return value.type, value.value[:-1]  # a time or a date
    return value
