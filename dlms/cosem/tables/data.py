"""Parameters and measurement data (Blue Book 4.3): classes 1, 3 to 7, 26, 61 to 63."""

from __future__ import annotations

from dlms.axdr.data import DataType as T
from dlms.cosem.interface_class import Attribute, InterfaceClass, Method
from dlms.cosem.shape import (
    ANY,
    DOUBLE_LONG_UNSIGNED,
    INTEGER,
    LOGICAL_NAME,
    LONG_UNSIGNED,
    MOMENT,
    NULL,
    OCTETS,
    UNSIGNED,
    ArrayOf,
    Simple,
    array,
    choice,
    named_enum,
    structure,
)
from dlms.cosem.tables.common import (
    CAPTURE_OBJECT,
    OBJECT,
    SCALER_UNIT,
    SELECTED_OBJECT,
)

_RESET = Method(1, "reset")
_CAPTURE = Method(2, "capture")
_PERIODS = (
    Attribute(6, "capture_time", MOMENT, dynamic=True),
    Attribute(7, "start_time_current", MOMENT, dynamic=True),
    Attribute(8, "period", DOUBLE_LONG_UNSIGNED),
    Attribute(9, "number_of_periods", LONG_UNSIGNED),
)

DATA = InterfaceClass(1, 0, "Data", (Attribute(2, "value", ANY),))

REGISTER = InterfaceClass(
    3,
    0,
    "Register",
    (Attribute(2, "value", ANY, dynamic=True), Attribute(3, "scaler_unit", SCALER_UNIT)),
    (_RESET,),
)

EXTENDED_REGISTER = InterfaceClass(
    4,
    0,
    "Extended register",
    (
        *REGISTER.attributes,
        Attribute(4, "status", ANY, dynamic=True),
        Attribute(5, "capture_time", MOMENT, dynamic=True),
    ),
    (_RESET,),
)

DEMAND_REGISTER = InterfaceClass(
    5,
    0,
    "Demand register",
    (
        Attribute(2, "current_average_value", ANY, dynamic=True),
        Attribute(3, "last_average_value", ANY, dynamic=True),
        Attribute(4, "scaler_unit", SCALER_UNIT),
        Attribute(5, "status", ANY, dynamic=True),
        *_PERIODS,
    ),
    (_RESET, Method(2, "next_period")),
)

_MASK = structure(mask_name=OCTETS, index_list=array(UNSIGNED))
REGISTER_ACTIVATION = InterfaceClass(
    6,
    0,
    "Register activation",
    (
        Attribute(2, "register_assignment", array(OBJECT)),
        Attribute(3, "mask_list", array(_MASK)),
        Attribute(4, "active_mask", OCTETS, dynamic=True),
    ),
    (
        Method(1, "add_register", OBJECT),
        Method(2, "add_mask", _MASK),
        Method(3, "delete_mask", OCTETS),
    ),
)

SORT_METHOD = named_enum(
    "fifo", "lifo", "largest", "smallest", "nearest to zero", "farthest from zero", first=1
)
_PROFILE = (
    Attribute(2, "buffer", ArrayOf(ANY, compact=True), dynamic=True),
    Attribute(3, "capture_objects", array(CAPTURE_OBJECT)),
    Attribute(4, "capture_period", DOUBLE_LONG_UNSIGNED),
    Attribute(5, "sort_method", SORT_METHOD),
    # Null-data where entries are not sorted by an object.
    Attribute(6, "sort_object", choice(CAPTURE_OBJECT, NULL)),
    Attribute(7, "entries_in_use", DOUBLE_LONG_UNSIGNED, dynamic=True),
    Attribute(8, "profile_entries", DOUBLE_LONG_UNSIGNED),
)
PROFILE_GENERIC_V0 = InterfaceClass(
    7,
    0,
    "Profile generic",
    _PROFILE,
    (
        _RESET,
        _CAPTURE,
        Method(3, "get_buffer_by_range", ANY, ArrayOf(ANY, compact=True)),
        Method(4, "get_buffer_by_index", ANY, ArrayOf(ANY, compact=True)),
    ),
)
PROFILE_GENERIC = InterfaceClass(7, 1, "Profile generic", _PROFILE, (_RESET, _CAPTURE))

UTILITY_TABLES = InterfaceClass(
    26,
    0,
    "Utility tables",
    (
        Attribute(2, "table_ID", LONG_UNSIGNED),
        Attribute(3, "length", DOUBLE_LONG_UNSIGNED),
        Attribute(4, "buffer", OCTETS, dynamic=True),
    ),
)

REGISTER_TABLE = InterfaceClass(
    61,
    0,
    "Register table",
    (
        # CHOICE of compact-array, array and the simple types: one value for each cell.
        Attribute(2, "table_cell_values", ANY, dynamic=True),
        Attribute(
            3,
            "table_cell_definition",
            structure(
                class_id=LONG_UNSIGNED,
                logical_name=LOGICAL_NAME,
                group_E_values=array(UNSIGNED),
                attribute_index=INTEGER,
            ),
        ),
        Attribute(4, "scaler_unit", SCALER_UNIT),
    ),
    (_RESET, _CAPTURE),
)


def _compact_data(version: int, capture_object: ArrayOf) -> InterfaceClass:
    return InterfaceClass(
        62,
        version,
        "Compact data",
        (
            Attribute(2, "compact_buffer", OCTETS, dynamic=True),
            Attribute(3, "capture_objects", capture_object),
            Attribute(4, "template_id", UNSIGNED),
            Attribute(5, "template_description", OCTETS, dynamic=True),
            Attribute(6, "capture_method", named_enum("invoke", "implicit")),
        ),
        (_RESET, _CAPTURE),
    )


COMPACT_DATA_V0 = _compact_data(0, array(CAPTURE_OBJECT))
COMPACT_DATA = _compact_data(1, array(SELECTED_OBJECT))

STATUS_MAPPING = InterfaceClass(
    63,
    0,
    "Status mapping",
    (
        Attribute(
            2,
            "status_word",
            Simple(
                (
                    T.BIT_STRING,
                    T.DOUBLE_LONG_UNSIGNED,
                    T.OCTET_STRING,
                    T.VISIBLE_STRING,
                    T.UTF8_STRING,
                    T.UNSIGNED,
                    T.LONG_UNSIGNED,
                    T.LONG64_UNSIGNED,
                )
            ),
            dynamic=True,
        ),
        Attribute(
            3,
            "mapping_table",
            structure(
                ref_table_id=UNSIGNED,
                # The entry for the first bit, or one for each bit.
                ref_table_mapping=choice(LONG_UNSIGNED, array(LONG_UNSIGNED)),
            ),
        ),
    ),
)

ALL = (
    DATA,
    REGISTER,
    EXTENDED_REGISTER,
    DEMAND_REGISTER,
    REGISTER_ACTIVATION,
    PROFILE_GENERIC_V0,
    PROFILE_GENERIC,
    UTILITY_TABLES,
    REGISTER_TABLE,
    COMPACT_DATA_V0,
    COMPACT_DATA,
    STATUS_MAPPING,
)
