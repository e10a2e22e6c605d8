"""M-Bus (Blue Book 4.8): classes 25, 72 to 74, 76, 77."""

from __future__ import annotations

from dlms.cosem.interface_class import Attribute, InterfaceClass, Method
from dlms.cosem.shape import (
    DATE_TIME,
    DOUBLE_LONG_UNSIGNED,
    ENUM,
    LOGICAL_NAME,
    LONG_UNSIGNED,
    OCTETS,
    UNSIGNED,
    array,
    choice,
    named_enum,
    structure,
)
from dlms.cosem.tables.common import BAUD, WINDOWS

_ASSIGNED = named_enum("not assigned", "assigned")

M_BUS_SLAVE_PORT_SETUP = InterfaceClass(
    25,
    0,
    "M-Bus slave port setup",
    (
        Attribute(2, "default_baud", BAUD),
        Attribute(3, "avail_baud", BAUD),
        Attribute(4, "addr_state", _ASSIGNED),
        Attribute(5, "bus_address", UNSIGNED),
    ),
)

_M_BUS_CLIENT = (
    Attribute(2, "mbus_port_reference", LOGICAL_NAME),
    Attribute(
        3,
        "capture_definition",
        array(structure(data_information_block=OCTETS, value_information_block=OCTETS)),
    ),
    Attribute(4, "capture_period", DOUBLE_LONG_UNSIGNED),
    Attribute(5, "primary_address", UNSIGNED),
    Attribute(6, "identification_number", DOUBLE_LONG_UNSIGNED),
    Attribute(7, "manufacturer_id", LONG_UNSIGNED),
    Attribute(8, "version", UNSIGNED),
    Attribute(9, "device_type", UNSIGNED),
    Attribute(10, "access_number", UNSIGNED, dynamic=True),
    Attribute(11, "status", UNSIGNED, dynamic=True),
    Attribute(12, "alarm", UNSIGNED, dynamic=True),
)
_M_BUS_METHODS = (
    Method(1, "slave_install", UNSIGNED),
    Method(2, "slave_deinstall"),
    Method(3, "capture"),
    Method(4, "reset_alarm"),
    Method(5, "synchronize_clock"),
    Method(
        6,
        "data_send",
        array(
            structure(
                data_information_block=OCTETS,
                value_information_block=OCTETS,
                # In the units of the device; the block before says which.
                data=choice(OCTETS, DOUBLE_LONG_UNSIGNED, LONG_UNSIGNED, UNSIGNED),
            )
        ),
    ),
    Method(7, "set_encryption_key", OCTETS),
    Method(8, "transfer_key", OCTETS),
)
M_BUS_CLIENT_V0 = InterfaceClass(72, 0, "M-Bus client", _M_BUS_CLIENT, _M_BUS_METHODS)
M_BUS_CLIENT = InterfaceClass(
    72,
    1,
    "M-Bus client",
    (
        *_M_BUS_CLIENT,
        Attribute(13, "configuration", LONG_UNSIGNED, dynamic=True),
        Attribute(
            14,
            "encryption_key_status",
            named_enum(
                "no encryption key",
                "encryption key set",
                "encryption key transferred",
                "encryption key set and transferred",
                "encryption key in use",
            ),
            dynamic=True,
        ),
    ),
    _M_BUS_METHODS,
)

WIRELESS_MODE_Q_CHANNEL = InterfaceClass(
    73,
    1,
    "Wireless Mode Q channel",
    (
        Attribute(2, "addr_state", _ASSIGNED),
        Attribute(3, "device_address", OCTETS),
        Attribute(4, "address_mask", OCTETS),
    ),
)

M_BUS_MASTER_PORT_SETUP = InterfaceClass(
    74, 0, "M-Bus master port setup", (Attribute(2, "comm_speed", BAUD),)
)

DLMS_SERVER_M_BUS_PORT_SETUP = InterfaceClass(
    76,
    0,
    "DLMS server M-Bus port setup",
    (
        Attribute(2, "M-Bus_profile_selection", LOGICAL_NAME),
        Attribute(3, "M-Bus_port_communication_status", ENUM, dynamic=True),
        Attribute(4, "M-Bus_data_header_type", ENUM),
        Attribute(5, "primary_address", UNSIGNED),
        Attribute(6, "identification_number", DOUBLE_LONG_UNSIGNED),
        Attribute(7, "manufacturer_id", LONG_UNSIGNED),
        Attribute(8, "M-Bus_version", UNSIGNED),
        Attribute(9, "device_type", UNSIGNED),
        Attribute(10, "max_pdu_size", LONG_UNSIGNED),
        Attribute(11, "listening_window", WINDOWS),
    ),
)

M_BUS_DIAGNOSTIC = InterfaceClass(
    77,
    0,
    "M-Bus diagnostic",
    (
        Attribute(2, "received_signal_strength", UNSIGNED, dynamic=True),
        Attribute(3, "channel_id", UNSIGNED, dynamic=True),
        Attribute(4, "link_status", ENUM, dynamic=True),
        Attribute(
            5,
            "broadcast_frames_counter",
            array(
                structure(client_id=UNSIGNED, counter=DOUBLE_LONG_UNSIGNED, time_stamp=DATE_TIME)
            ),
            dynamic=True,
        ),
        Attribute(6, "transmissions_counter", DOUBLE_LONG_UNSIGNED, dynamic=True),
        Attribute(7, "FCS_OK_frames_counter", DOUBLE_LONG_UNSIGNED, dynamic=True),
        Attribute(8, "FCS_NOK_frames_counter", DOUBLE_LONG_UNSIGNED, dynamic=True),
        Attribute(
            9,
            "capture_time",
            structure(attribute_id=UNSIGNED, time_stamp=DATE_TIME),
            dynamic=True,
        ),
    ),
    (Method(1, "reset"),),
)

ALL = (
    M_BUS_SLAVE_PORT_SETUP,
    M_BUS_CLIENT_V0,
    M_BUS_CLIENT,
    WIRELESS_MODE_Q_CHANNEL,
    M_BUS_MASTER_PORT_SETUP,
    DLMS_SERVER_M_BUS_PORT_SETUP,
    M_BUS_DIAGNOSTIC,
)
