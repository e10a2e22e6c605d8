"""How profiles write access rights and values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profile.rights import Access, Rights, parse_rights
from devices.profile.values import parse_value
from dlms import axdr
from dlms.axdr.data import Data, DataType
from dlms.cosem import classes
from dlms.cosem.interface_class import InterfaceClass

NO, R, W, RW = Access.NONE, Access.READ, Access.WRITE, Access.READ_AND_WRITE

CLOCK_NUMBERS = range(1, 10)


def access(text: str) -> list[Access]:
    rights = parse_rights(text, classes.CLOCK)
    return [rights.attribute(number) for number in CLOCK_NUMBERS]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", [NO] * 9),
        ("-", [NO] * 9),
        ("r", [R] * 9),
        ("w", [R] + [W] * 8),
        ("rw", [R] + [RW] * 8),
        ("2r", [R, R] + [NO] * 7),
        ("2rw 3w", [R, RW, W] + [NO] * 6),
        ("r 2rw", [R, RW] + [R] * 7),
        ("2rw r", [R, RW] + [R] * 7),
        ("rw 9-", [R] + [RW] * 7 + [NO]),
        ("1rw", [R] + [NO] * 8),
        ("m6", [R] + [NO] * 8),
    ],
)
def test_attribute_rights(text: str, wanted: list[Access]) -> None:
    """Whoever may do something with an object may read its name, and nobody may write it."""
    assert access(text) == wanted


@pytest.mark.parametrize(
    ("text", "methods"),
    [
        ("r", set()),
        ("m", {1, 2, 3, 4, 5, 6}),
        ("m1 m6", {1, 6}),
        ("r m2", {2}),
        ("m m1", {1, 2, 3, 4, 5, 6}),
    ],
)
def test_method_rights(text: str, methods: set[int]) -> None:
    assert parse_rights(text, classes.CLOCK).methods == methods


@pytest.mark.parametrize(
    "text", ["x", "R", "r2", "rwx", "m-1", "2", "2 r3", "r,w", "10r", "0r", "m7", "m0"]
)
def test_words_that_mean_nothing(text: str) -> None:
    with pytest.raises(ValueError, match=r"access right|no attribute|no method"):
        parse_rights(text, classes.CLOCK)


@pytest.mark.parametrize("mode", [NO, R, W, RW])
def test_modes_are_those_of_the_blue_book(mode: Access) -> None:
    """4.4.4: 0 no access, 1 read only, 2 write only, 3 read and write."""
    assert mode.readable is (mode in (1, 3))
    assert mode.writable is (mode in (2, 3))


@given(st.sampled_from(classes.ALL), st.text("rwm-0123456789 ", max_size=12))
def test_rights_are_read_or_refused(interface_class: InterfaceClass, text: str) -> None:
    """Nothing is given that was not written, and nothing on what the class has not."""
    try:
        rights = parse_rights(text, interface_class)
    except ValueError:
        return
    assert isinstance(rights, Rights)
    assert all(interface_class.attribute(number) is not None for number in rights.attributes)
    assert all(interface_class.method(number) is not None for number in rights.methods)
    if any(mode.writable for mode in rights.attributes.values()):
        assert "w" in text
    if rights.methods:
        assert "m" in text


@pytest.mark.parametrize(
    ("written", "data"),
    [
        ({"long-unsigned": 5}, Data(DataType.LONG_UNSIGNED, 5)),
        ({"octet-string": "0A 0b"}, Data(DataType.OCTET_STRING, b"\x0a\x0b")),
        ({"ascii": "LGZ"}, Data(DataType.OCTET_STRING, b"LGZ")),
        ({"obis": "1-0:1.8.0.255"}, Data(DataType.OCTET_STRING, bytes((1, 0, 1, 8, 0, 255)))),
        ({"null-data": 0}, Data(DataType.NULL_DATA, None)),
        ({"boolean": False}, Data(DataType.BOOLEAN, False)),
        ({"bit-string": "101"}, Data(DataType.BIT_STRING, "101")),
        ({"utf8-string": "£"}, Data(DataType.UTF8_STRING, "£")),
        ({"visible-string": "A"}, Data(DataType.VISIBLE_STRING, "A")),
        ({"float32": 1.5}, Data(DataType.FLOAT32, 1.5)),
        ({"array": []}, Data(DataType.ARRAY, ())),
        (
            {"structure": [{"integer": -1}, {"enum": 30}]},
            Data(DataType.STRUCTURE, (Data(DataType.INTEGER, -1), Data(DataType.ENUM, 30))),
        ),
    ],
)
def test_values(written: object, data: Data) -> None:
    assert parse_value(written) == data


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("2018-03-26T13:05:07+01:00", "07E2031A010D050700FFC400"),
        ("2018-03-26T00:00+00:00", "07E2031A0100000000000000"),
        ("2018-03-26T00:00", "07E2031A0100000000800000"),
        ("*", "FFFFFFFFFFFFFFFFFF8000FF"),
    ],
)
def test_date_times(text: str, octets: str) -> None:
    """Twelve octets; British summer time is a deviation of -60 minutes (FFC4)."""
    assert parse_value({"date-time": text}).value == bytes.fromhex(octets)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [kind.label for kind in DataType] + ["obis", "ascii", "date-time", "x"]
            ),
            inner,
            max_size=2,
        )
    ),
    max_leaves=6,
)


@given(JSON)
def test_a_value_that_is_accepted_can_be_encoded(written: object) -> None:
    """And whatever is not is refused with ``ValueError`` or ``TypeError``."""
    try:
        data = parse_value(written)
    except (ValueError, TypeError):
        return
    assert axdr.encode(data)[0] == data.type
