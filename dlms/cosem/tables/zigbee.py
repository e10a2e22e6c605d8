"""ZigBee (Blue Book 4.15): classes 101 to 105."""

from __future__ import annotations

from dlms.cosem.interface_class import Attribute, InterfaceClass, Method
from dlms.cosem.shape import (
    ANY,
    BITS,
    BOOLEAN,
    DATE_TIME,
    DOUBLE_LONG_UNSIGNED,
    ENUM,
    INTEGER,
    LONG_UNSIGNED,
    OCTETS,
    UNSIGNED,
    array,
    structure,
)

ZIGBEE_SAS_STARTUP = InterfaceClass(
    101,
    0,
    "ZigBee SAS startup",
    (
        Attribute(2, "short_address", LONG_UNSIGNED, dynamic=True),
        Attribute(3, "extended_pan_id", OCTETS, dynamic=True),
        Attribute(4, "pan_id", LONG_UNSIGNED, dynamic=True),
        Attribute(5, "channel_mask", DOUBLE_LONG_UNSIGNED, dynamic=True),
        Attribute(6, "protocol_version", UNSIGNED),
        Attribute(7, "stack_profile", ENUM),
        Attribute(8, "start_up_control", UNSIGNED, dynamic=True),
        Attribute(9, "trust_center_address", OCTETS, dynamic=True),
        Attribute(10, "link_key", OCTETS, dynamic=True),
        Attribute(11, "network_key", OCTETS, dynamic=True),
        Attribute(12, "use_insecure_join", BOOLEAN),
    ),
)

ZIGBEE_SAS_JOIN = InterfaceClass(
    102,
    0,
    "ZigBee SAS join",
    (
        Attribute(2, "scan_attempts", UNSIGNED),
        Attribute(3, "time_between_scans", LONG_UNSIGNED),
        Attribute(4, "rejoin_interval", LONG_UNSIGNED),
        Attribute(5, "rejoin_retry_interval", LONG_UNSIGNED),
    ),
)

ZIGBEE_SAS_APS_FRAGMENTATION = InterfaceClass(
    103,
    0,
    "ZigBee SAS APS fragmentation",
    (
        Attribute(2, "aps_interframe_delay", LONG_UNSIGNED),
        Attribute(3, "aps_max_window_size", LONG_UNSIGNED),
    ),
)

ZIGBEE_NETWORK_CONTROL = InterfaceClass(
    104,
    0,
    "ZigBee network control",
    (
        Attribute(2, "enable_disable_joining", BOOLEAN),
        Attribute(3, "join_timeout", LONG_UNSIGNED),
        Attribute(
            4,
            "active_devices",
            array(
                structure(
                    mac_address=OCTETS,
                    status=BITS,
                    maxRSSI=INTEGER,
                    averageRSSI=INTEGER,
                    minRSSI=INTEGER,
                    maxLQI=UNSIGNED,
                    averageLQI=UNSIGNED,
                    minLQI=UNSIGNED,
                    last_communication_date_time=DATE_TIME,
                    number_of_hops=UNSIGNED,
                    transmission_failures=UNSIGNED,
                    transmission_successes=UNSIGNED,
                    application_version=UNSIGNED,
                    stack_version=UNSIGNED,
                )
            ),
            dynamic=True,
        ),
    ),
    (
        Method(1, "register_device", ANY),
        Method(2, "unregister_device", ANY),
        Method(3, "unregister_all_devices", ANY),
        Method(4, "backup_PAN", ANY, ANY),
        Method(5, "restore_PAN", ANY),
        Method(6, "identify_device", ANY),
        Method(7, "remove_mirror", ANY),
        Method(8, "update_network_key", ANY),
        Method(9, "update_link_key", ANY),
        Method(10, "create_PAN", ANY),
        Method(11, "remove_PAN", ANY),
    ),
)

ZIGBEE_TUNNEL_SETUP = InterfaceClass(
    105,
    0,
    "ZigBee tunnel setup",
    (
        Attribute(2, "maximum_incoming_transfer_size", LONG_UNSIGNED),
        Attribute(3, "maximum_outgoing_transfer_size", LONG_UNSIGNED),
        Attribute(4, "protocol_address", OCTETS),
        Attribute(5, "close_tunnel_timeout", LONG_UNSIGNED),
    ),
)

ALL = (
    ZIGBEE_SAS_STARTUP,
    ZIGBEE_SAS_JOIN,
    ZIGBEE_SAS_APS_FRAGMENTATION,
    ZIGBEE_NETWORK_CONTROL,
    ZIGBEE_TUNNEL_SETUP,
)
