"""Image transfer, push, and access to functions and arrays (Blue Book 4.4): 18, 40, 122, 123."""

from __future__ import annotations

from dlms.cosem.interface_class import Attribute, InterfaceClass, Method
from dlms.cosem.shape import (
    ANY,
    BITS,
    BOOLEAN,
    DATE_TIME,
    DOUBLE_LONG_UNSIGNED,
    INTEGER,
    LOGICAL_NAME,
    LONG_UNSIGNED,
    NULL,
    OCTETS,
    UNSIGNED,
    Shape,
    array,
    choice,
    named_enum,
    structure,
)
from dlms.cosem.tables.common import (
    CAPTURE_OBJECT,
    OBJECT,
    PROTECTION,
    RESTRICTED_OBJECT,
    SELECTED_OBJECT,
    VALUE,
    WINDOWS,
)

IMAGE_TRANSFER = InterfaceClass(
    18,
    0,
    "Image transfer",
    (
        Attribute(2, "image_block_size", DOUBLE_LONG_UNSIGNED),
        Attribute(3, "image_transferred_blocks_status", BITS, dynamic=True),
        Attribute(
            4, "image_first_not_transferred_block_number", DOUBLE_LONG_UNSIGNED, dynamic=True
        ),
        Attribute(5, "image_transfer_enabled", BOOLEAN),
        Attribute(
            6,
            "image_transfer_status",
            named_enum(
                "image transfer not initiated",
                "image transfer initiated",
                "image verification initiated",
                "image verification successful",
                "image verification failed",
                "image activation initiated",
                "image activation successful",
                "image activation failed",
            ),
            dynamic=True,
        ),
        Attribute(
            7,
            "image_to_activate_info",
            array(
                structure(
                    image_to_activate_size=DOUBLE_LONG_UNSIGNED,
                    image_to_activate_identification=OCTETS,
                    image_to_activate_signature=OCTETS,
                )
            ),
            dynamic=True,
        ),
    ),
    (
        Method(
            1,
            "image_transfer_initiate",
            structure(image_identifier=OCTETS, image_size=DOUBLE_LONG_UNSIGNED),
        ),
        Method(
            2,
            "image_block_transfer",
            structure(image_block_number=DOUBLE_LONG_UNSIGNED, image_block_value=OCTETS),
        ),
        Method(3, "image_verify"),
        Method(4, "image_activate"),
    ),
)


def _push(
    version: int, objects: Shape, repetition_delay: Shape, *later: Attribute, reset: bool = False
) -> InterfaceClass:
    return InterfaceClass(
        40,
        version,
        "Push setup",
        (
            Attribute(2, "push_object_list", array(objects)),
            Attribute(
                3,
                "send_destination_and_method",
                structure(
                    transport_service=named_enum(
                        "TCP", "UDP", "FTP", "SMTP", "SMS", "HDLC", "M-Bus", "ZigBee"
                    ),
                    destination=OCTETS,
                    message=named_enum("A-XDR encoded xDLMS APDU", "XML encoded xDLMS APDU"),
                ),
            ),
            Attribute(4, "communication_window", WINDOWS),
            Attribute(5, "randomisation_start_interval", LONG_UNSIGNED),
            Attribute(6, "number_of_retries", UNSIGNED),
            Attribute(7, "repetition_delay", repetition_delay),
            *later,
        ),
        (Method(1, "push"), Method(2, "reset")) if reset else (Method(1, "push"),),
    )


_PUSH_LATER = (
    Attribute(8, "port_reference", LOGICAL_NAME),
    Attribute(9, "push_client_SAP", INTEGER),
    Attribute(10, "push_protection_parameters", array(PROTECTION)),
)
_PUSH_CONFIRMED = (
    Attribute(
        11,
        "push_operation_method",
        named_enum(
            "unconfirmed, retry on supporting layer failure",
            "unconfirmed, retry on missing supporting layer confirmation",
            "confirmed, retry on missing confirmation",
        ),
    ),
    Attribute(
        12,
        "confirmation_parameters",
        structure(confirmation_start_date=DATE_TIME, confirmation_interval=DOUBLE_LONG_UNSIGNED),
    ),
    # Null-data until the first confirmation has come.
    Attribute(13, "last_confirmation_date_time", choice(DATE_TIME, NULL), dynamic=True),
)
_DELAY = structure(
    repetition_delay_min=LONG_UNSIGNED,
    repetition_delay_exponent=LONG_UNSIGNED,
    repetition_delay_max=LONG_UNSIGNED,
)
PUSH_SETUP_V0 = _push(0, CAPTURE_OBJECT, LONG_UNSIGNED)
PUSH_SETUP_V1 = _push(1, RESTRICTED_OBJECT, LONG_UNSIGNED, *_PUSH_LATER)
PUSH_SETUP_V2 = _push(2, SELECTED_OBJECT, _DELAY, *_PUSH_LATER, *_PUSH_CONFIRMED, reset=True)
PUSH_SETUP = _push(3, SELECTED_OBJECT, _DELAY, *_PUSH_LATER, *_PUSH_CONFIRMED, reset=True)

_FUNCTION = structure(function_name=OCTETS, function_list=array(OBJECT))
_FUNCTION_STATUS = array(structure(function_name=OCTETS, function_status=BOOLEAN))
FUNCTION_CONTROL = InterfaceClass(
    122,
    0,
    "Function control",
    (
        Attribute(2, "activation_status", _FUNCTION_STATUS, dynamic=True),
        Attribute(3, "function_list", array(_FUNCTION)),
    ),
    (
        Method(1, "set_function_status", _FUNCTION_STATUS),
        Method(2, "add_function", _FUNCTION),
        Method(3, "remove_function", OCTETS),
    ),
)

_RANGE = structure(
    array_id=UNSIGNED, index_range=structure(from_index=LONG_UNSIGNED, to_index=LONG_UNSIGNED)
)
_ENTRY = structure(array_id=UNSIGNED, indexed_entry=structure(index=LONG_UNSIGNED, entry=ANY))
ARRAY_MANAGER = InterfaceClass(
    123,
    0,
    "Array manager",
    (
        Attribute(
            2,
            "array_object_list",
            array(structure(array_id=UNSIGNED, target_attribute=VALUE)),
        ),
    ),
    (
        Method(1, "retrieve_number_of_entries", UNSIGNED, LONG_UNSIGNED),
        Method(2, "retrieve_entries", _RANGE, array(ANY)),
        Method(3, "insert_entry", _ENTRY),
        Method(4, "update_entry", _ENTRY),
        Method(5, "remove_entries", _RANGE),
    ),
)


ALL = (
    IMAGE_TRANSFER,
    PUSH_SETUP_V0,
    PUSH_SETUP_V1,
    PUSH_SETUP_V2,
    PUSH_SETUP,
    FUNCTION_CONTROL,
    ARRAY_MANAGER,
)
