"""Shapes that several classes share (Blue Book 4.1.6, 4.3.6, 4.4.8, 4.5)."""

from __future__ import annotations

from dlms.axdr.data import DataType
from dlms.cosem.interface_class import Attribute, Method
from dlms.cosem.shape import (
    DOUBLE_LONG_UNSIGNED,
    INTEGER,
    LOGICAL_NAME,
    LONG_UNSIGNED,
    MOMENT,
    NULL,
    OCTETS,
    Shape,
    Simple,
    array,
    choice,
    named_enum,
    octets,
    structure,
)
from dlms.cosem.units import Unit

UNIT = Simple((DataType.ENUM,), names=tuple((unit.value, unit.symbol) for unit in Unit))
SCALER_UNIT = structure(scaler=INTEGER, unit=UNIT)

OBJECT = structure(class_id=LONG_UNSIGNED, logical_name=LOGICAL_NAME)
VALUE = structure(class_id=LONG_UNSIGNED, logical_name=LOGICAL_NAME, attribute_index=INTEGER)
CAPTURE_OBJECT = structure(
    class_id=LONG_UNSIGNED,
    logical_name=LOGICAL_NAME,
    attribute_index=INTEGER,
    data_index=LONG_UNSIGNED,
)
ACTION = structure(script_logical_name=LOGICAL_NAME, script_selector=LONG_UNSIGNED)
WINDOWS = array(structure(start_time=MOMENT, end_time=MOMENT))

BAUD = named_enum("300", "600", "1200", "2400", "4800", "9600", "19200", "38400", "57600", "115200")
"""In bit/s (Blue Book 4.7.1)."""

# The book has entries as double-long-unsigned; public implementations send long-unsigned.
_ENTRY = choice(DOUBLE_LONG_UNSIGNED, LONG_UNSIGNED)
RESTRICTION = structure(
    restriction_type=named_enum("none", "by date", "by entry"),
    restriction_value=choice(
        NULL,
        structure(from_date=octets(5, 12), to_date=octets(5, 12)),
        structure(from_entry=_ENTRY, to_entry=_ENTRY),
    ),
)
"""Which part of a buffer is meant (Blue Book 4.4.8.2)."""
RESTRICTED_OBJECT = structure(
    **{field.name: field.shape for field in CAPTURE_OBJECT.fields}, restriction=RESTRICTION
)
SELECTED_OBJECT = structure(
    **{field.name: field.shape for field in RESTRICTED_OBJECT.fields},
    # In the book columns have restrictions and columns again; here they end (see shape.py).
    columns=array(CAPTURE_OBJECT),
)

PROTECTION = structure(
    protection_type=named_enum(
        "authentication", "encryption", "authentication and encryption", "digital signature"
    ),
    protection_options=structure(
        transaction_id=OCTETS,
        originator_system_title=OCTETS,
        recipient_system_title=OCTETS,
        other_information=OCTETS,
        key_info=structure(
            key_info_type=named_enum("identified key", "wrapped key", "agreed key"),
            key_info_options=choice(
                structure(key_id=named_enum("global unicast", "global broadcast")),
                structure(kek_id=named_enum("master key"), key_ciphered_data=OCTETS),
                structure(key_parameters=OCTETS, key_ciphered_data=OCTETS),
            ),
        ),
    ),
)
"""One layer of protection of data (Blue Book 4.4.8.2, 4.4.9)."""


def counters(*names: str, shape: Shape, first: int = 2) -> tuple[Attribute, ...]:
    """Dynamic attributes of one shape, numbered from ``first`` on."""
    return tuple(Attribute(n, name, shape, dynamic=True) for n, name in enumerate(names, first))


def settings(*names: str, shape: Shape, first: int = 2) -> tuple[Attribute, ...]:
    """Static attributes of one shape, numbered from ``first`` on."""
    return tuple(Attribute(n, name, shape) for n, name in enumerate(names, first))


RESET = (Method(1, "reset"),)
