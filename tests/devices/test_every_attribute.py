"""Every attribute and method of every object of every profile, in every association."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devices.profile import available, gas
from devices.profile.model import ObjectRow
from dlms import axdr
from dlms.axdr.data import NULL, Data, DataType, integer
from dlms.cosem import classes, obis
from dlms.cosem.interface_class import fits
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import SelectiveAccess

ASSOCIATIONS = ("public", "reader", "s1sp", "dco")
NOWHERE = "0-0:199.0.0.255"

pytestmark = pytest.mark.parametrize(
    ("name", "association"),
    [(name, who) for name in (*available(), *gas()) for who in ASSOCIATIONS],
)


@pytest.fixture
def meter(make_bench: Callable[..., Any], name: str) -> Any:
    return make_bench(name)


def attributes(row: ObjectRow) -> range:
    """All attribute numbers, one below and a few above."""
    return range(max((a.number for a in row.interface_class.attributes), default=1) + 4)


def test_every_read(meter: Any, association: str) -> None:
    """Readable: a value of a permitted type that can be encoded. Else: why not."""
    read = 0
    whole = Conformance.ATTRIBUTE0_WITH_GET in meter.association(association).config.conformance
    for instance, row in meter.profile.objects.items():
        rights = row.rights.get(association)
        for number in attributes(row):
            where = f"{obis.text(instance)} attribute {number}"
            result = meter.get(obis.text(instance), number, association)
            attribute = row.interface_class.attribute(number)
            if number == 0 and whole and rights is not None:
                assert isinstance(result, Data), where
                assert result.type is DataType.STRUCTURE, where
            elif rights is None or attribute is None:
                assert result is DataAccessResult.OBJECT_UNDEFINED, where
            elif rights.attribute(number).readable:
                assert isinstance(result, Data), where
                assert fits(attribute.shape, result), where
                assert axdr.decode(axdr.encode(result)) == result, where
                read += 1
            else:
                assert result is DataAccessResult.READ_WRITE_DENIED, where
    assert read > 10


def test_attribute_1_is_the_name(meter: Any, association: str) -> None:
    for instance, row in meter.profile.objects.items():
        if association in row.rights:
            result = meter.get(obis.text(instance), 1, association)
            assert result == Data(DataType.OCTET_STRING, instance)


def test_what_is_not_there(meter: Any, association: str) -> None:
    """An unknown object, and one of another class than asked for, by all three services."""
    before = meter.digest()
    for class_id in (classes.CLOCK.class_id, 9999):
        assert meter.get(NOWHERE, 2, association, class_id=class_id) == 4
        assert meter.set(NOWHERE, 2, NULL, association, class_id=class_id) == 4
        assert meter.act(NOWHERE, 1, integer(0), association, class_id=class_id) == 4
    for instance, row in meter.profile.objects.items():
        code = obis.text(instance)
        wrong = 9 if association in row.rights else 4
        for class_id in (0, row.interface_class.class_id + 1, 0xFFFF):
            assert meter.get(code, 2, association, class_id=class_id) == wrong
            assert meter.set(code, 2, NULL, association, class_id=class_id) == wrong
            assert meter.act(code, 1, integer(0), association, class_id=class_id) == wrong
    assert meter.digest() == before


def test_a_write_without_the_right_is_denied(meter: Any, association: str) -> None:
    """Whatever the value is, even that which is there already."""
    before = meter.digest()
    for instance, row in meter.profile.objects.items():
        rights = row.rights.get(association)
        for number in attributes(row):
            if rights is not None and rights.attribute(number).writable:
                continue
            code = obis.text(instance)
            unknown = rights is None or row.interface_class.attribute(number) is None
            wanted = DataAccessResult.OBJECT_UNDEFINED if unknown else 3
            present = meter.get(code, number, association)
            for value in (present if isinstance(present, Data) else NULL, NULL):
                assert meter.set(code, number, value, association) == wanted, (code, number)
    assert meter.digest() == before


def test_a_method_without_the_right_is_denied(meter: Any, association: str) -> None:
    before = meter.digest()
    for instance, row in meter.profile.objects.items():
        rights = row.rights.get(association)
        numbers = range(len(row.interface_class.methods) + 4)
        for number in numbers:
            if rights is not None and number in rights.methods:
                continue
            unknown = rights is None or row.interface_class.method(number) is None
            wanted = ActionResult.OBJECT_UNDEFINED if unknown else ActionResult.READ_WRITE_DENIED
            for parameter in (None, NULL, integer(0)):
                assert meter.act(obis.text(instance), number, parameter, association) is wanted
    assert meter.digest() == before


def test_wrong_types_are_refused_where_the_right_is_there(meter: Any, association: str) -> None:
    before = meter.digest()
    for instance, row in meter.profile.objects.items():
        rights = row.rights.get(association)
        if rights is None:
            continue
        code = obis.text(instance)
        for attribute in row.interface_class.attributes:
            if rights.attribute(attribute.number).writable:
                result = meter.set(code, attribute.number, NULL, association)
                assert result is DataAccessResult.TYPE_UNMATCHED
        for number in rights.methods:
            for parameter in (None, NULL, Data(DataType.FLOAT32, 0.0)):
                result = meter.act(code, number, parameter, association)
                assert result is ActionResult.TYPE_UNMATCHED
    assert meter.digest() == before


def test_selective_access_is_for_lists_only(meter: Any, association: str) -> None:
    selection = SelectiveAccess(1, NULL)
    offered = Conformance.SELECTIVE_ACCESS in meter.association(association).config.conformance
    for instance, row in meter.profile.objects.items():
        rights = row.rights.get(association)
        if rights is None or row.interface_class.class_id == classes.PROFILE_GENERIC.class_id:
            continue
        for attribute in row.interface_class.attributes:
            number = attribute.number
            listed = offered and row.interface_class.class_id == 15 and number == 2
            if rights.attribute(number).readable and not listed:
                result = meter.get(obis.text(instance), number, association, selection=selection)
                assert result is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
            if rights.attribute(number).writable:
                value = meter.get(obis.text(instance), number, association)
                result = meter.set(
                    obis.text(instance), number, value, association, selection=selection
                )
                assert result is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
