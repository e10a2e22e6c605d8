"""From class, logical name and number to a short name: what is asked for, and what never is.

Names are those of the Blue Book: attribute n is 8 (n - 1) above the base name; the methods of a
register begin at 28 hexadecimal, those of an Association SN at 20.
"""

from __future__ import annotations

from typing import Any

import pytest

from dlms.axdr.data import (
    NULL,
    array,
    integer,
    long,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from dlms.client.refusals import AccessRefused, ServiceFailed
from dlms.cosem import obis
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.errors import ConfirmedServiceError
from dlms.xdlms.variable_access import ParameterizedAccess, VariableName
from emulator.client import Refused, UnknownObject
from emulator.client.errors import telling
from emulator.client.objects import ObjectList, short_name_list
from emulator.client.short_names import OBJECT_LIST, ByShortName

REGISTER, HIGH, STRANGE, LAST, PUSH, CURRENT = (
    obis.parse(code)
    for code in ("1-0:1.8.0", "1-0:2.8.0", "0-0:128.0.0", "1-0:3.8.0", "0-0:25.9.0", "0-0:40.0.0")
)
UNDEFINED = DataAccessResult.OBJECT_UNDEFINED
ROWS = (
    (0x1000, 3, 0, REGISTER),
    (0x1100, 9999, 0, STRANGE),  # of a class that nobody knows
    (0x1118, 3, 7, HIGH),  # of a version that nobody knows
    (0xA000, 40, 2, PUSH),  # whose methods have no known names
    (0xFA00, 12, 4, CURRENT),
    (0xFFF0, 3, 0, LAST),  # with room for two attributes
)


class Meter:
    """Stands where the dialogues stand: remembers what it was asked, by name."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.listed = 0
        self.by_short_name = ByShortName(self, self.objects)  # type: ignore[arg-type]

    def objects(self) -> Any:
        self.listed += 1
        return listed()
        yield

    def read(self, name: int, selection: Any) -> Any:
        self.asked.append((name, selection))
        return unsigned(7)
        yield

    def read_list(self, items: Any) -> Any:
        self.asked.append(list(items))
        return tuple(unsigned(number) for number in range(len(items)))
        yield

    def write(self, name: int, value: Any) -> Any:
        self.asked.append((name, value))
        return
        yield

    def act(self, name: int, parameter: Any, *, returns: bool) -> Any:
        self.asked.append((name, parameter, returns))
        return unsigned(8)
        yield


def listed() -> ObjectList:
    """As a meter gives it: a base name from 8000 on comes as a negative number."""
    return short_name_list(
        array(
            *(
                structure(
                    long(base - 0x10000 if base & 0x8000 else base),
                    long_unsigned(class_id),
                    unsigned(version),
                    octet_string(instance),
                )
                for base, class_id, version, instance in ROWS
            )
        )
    )


def hold(dialogue: Any) -> Any:
    """The result of a dialogue that has nothing to send: our meter is at hand."""
    with pytest.raises(StopIteration) as stop:
        next(dialogue)
    return stop.value.value


NAMES = [
    ((3, REGISTER, 1), 0x1000),
    ((3, REGISTER, 2), 0x1008),
    ((3, REGISTER, 3), 0x1010),
    ((40, PUSH, 7), 0xA030),
    ((12, CURRENT, 3), 0xFA10),
    ((3, LAST, 1), 0xFFF0),
    ((3, LAST, 2), 0xFFF8),
    # Up to the next object, where the class says nothing.
    ((9999, STRANGE, 1), 0x1100),
    ((9999, STRANGE, 3), 0x1110),
    ((3, HIGH, 2), 0x1120),
]


@pytest.mark.parametrize(("attribute", "name"), NAMES)
def test_names_of_attributes(attribute: Any, name: int) -> None:
    meter = Meter()
    part = SelectiveAccess(1, NULL)
    assert hold(meter.by_short_name.get(AttributeDescriptor(*attribute), part)) == unsigned(7)
    hold(meter.by_short_name.set(AttributeDescriptor(*attribute), NULL))
    assert meter.asked == [(name, part), (name, NULL)]


NO_NAMES = [
    (3, REGISTER, 0),
    (3, REGISTER, -1),
    (3, REGISTER, 4),
    (3, REGISTER, 6),  # 1028 hexadecimal: reset
    (3, LAST, 3),
    (4, REGISTER, 2),
    (3, CURRENT, 2),
    (1, obis.parse("0-0:42.0.0"), 2),
    (9999, STRANGE, 0),
    (9999, STRANGE, 4),  # the next object's logical name
    (3, HIGH, 5000),
    (12, CURRENT, 9),
]


@pytest.mark.parametrize("attribute", NO_NAMES)
def test_what_has_no_name_is_not_asked_for(attribute: Any) -> None:
    meter = Meter()
    for dialogue in (
        meter.by_short_name.get(AttributeDescriptor(*attribute)),
        meter.by_short_name.set(AttributeDescriptor(*attribute), NULL),
    ):
        with pytest.raises(AccessRefused) as caught:
            next(dialogue)
        assert caught.value.result is UNDEFINED
    assert meter.asked == []


def test_a_list_has_gaps_for_them() -> None:
    meter = Meter()
    register = AttributeDescriptor(3, REGISTER, 2)
    items = [
        (AttributeDescriptor(*NO_NAMES[0]), None),
        (register, None),
        (AttributeDescriptor(*NO_NAMES[5]), None),
        (register, SelectiveAccess(2, NULL)),
    ]
    results = hold(meter.by_short_name.get_list(items))
    assert results == (UNDEFINED, unsigned(0), UNDEFINED, unsigned(1))
    (asked,) = meter.asked
    assert asked == [
        VariableName(name=0x1008),
        ParameterizedAccess(name=0x1008, selector=2, parameter=NULL),
    ]
    assert hold(meter.by_short_name.get_list([items[0], items[2]])) == (UNDEFINED, UNDEFINED)
    assert len(meter.asked) == 1


def test_the_object_list_needs_no_object_list() -> None:
    meter = Meter()
    assert hold(meter.by_short_name.get(OBJECT_LIST)) == unsigned(7)
    assert meter.asked == [(0xFA08, None)]
    assert meter.listed == 0


@pytest.mark.parametrize(
    ("method", "name", "returns"),
    [
        ((3, REGISTER, 1), 0x1028, False),
        ((12, CURRENT, 3), 0xFA30, True),
        ((12, CURRENT, 5), 0xFA40, False),
        ((12, CURRENT, 8), 0xFA58, True),
    ],
)
def test_names_of_methods(method: Any, name: int, returns: bool) -> None:
    """The table of the class says whether it is a Read or a Write."""
    meter = Meter()
    assert hold(meter.by_short_name.action(MethodDescriptor(*method), integer(0))) == unsigned(8)
    assert meter.asked == [(name, integer(0), returns)]


@pytest.mark.parametrize(
    "method",
    [
        (3, REGISTER, 0),
        (3, REGISTER, 2),
        (3, LAST, 1),  # beyond the last name there is
        (4, REGISTER, 1),
        (9999, STRANGE, 1),
        (3, HIGH, 1),
        (40, PUSH, 1),
    ],
)
def test_methods_without_a_name(method: Any) -> None:
    meter = Meter()
    with pytest.raises(AccessRefused) as caught:
        next(meter.by_short_name.action(MethodDescriptor(*method), integer(0)))
    assert caught.value.result is ActionResult.OBJECT_UNDEFINED
    assert meter.asked == []


def test_an_object_by_its_base_name() -> None:
    objects = listed()
    assert objects.at(0x1118).instance == HIGH
    assert objects.at(0xFA00).class_id == 12
    for name in (0x1008, 0, -0x600):
        with pytest.raises(UnknownObject, match="no object at base name"):
            objects.at(name)


SERVICE_ERRORS = {
    "0e050301": "service 1: the answer is longer than was agreed on, and cannot be cut",
    "0e060302": "service 2: there is no such service here, or no association",
    "0e010300": "service 0: the meter does not say why",
    "0e050501": "access 1: more, or less protected, than may be had",
    "0e050006": "application-reference 6: the meter could not decipher the request: "
    "another key or title, or a counter too low",
    "0e050102": "hardware-resource 2",
}


@pytest.mark.parametrize(("octets", "words"), SERVICE_ERRORS.items(), ids=list(SERVICE_ERRORS))
def test_service_errors_in_words(octets: str, words: str) -> None:
    """No result of an item, so ``result`` is ``None``: the request as such is refused."""
    error = ConfirmedServiceError.decode(bytes.fromhex(octets))
    with pytest.raises(Refused) as caught, telling("read clock"):
        raise ServiceFailed(error)
    assert str(caught.value) == f"read clock: service error, {words}"
    assert caught.value.result is None
