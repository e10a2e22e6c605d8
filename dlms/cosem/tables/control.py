"""Monitors, limits and switches (Blue Book 4.5): classes 21, 65, 67, 68, 70, 71."""

from __future__ import annotations

from dlms.cosem.interface_class import Attribute, InterfaceClass, Method
from dlms.cosem.shape import (
    ANY,
    BITS,
    BOOLEAN,
    DATE_TIME,
    DOUBLE_LONG_UNSIGNED,
    ENUM,
    LONG_UNSIGNED,
    OCTETS,
    UNSIGNED,
    array,
    named_enum,
    octets,
    structure,
)
from dlms.cosem.tables.common import ACTION, SCALER_UNIT, VALUE

_ACTIONS = array(structure(action_up=ACTION, action_down=ACTION))
REGISTER_MONITOR = InterfaceClass(
    21,
    0,
    "Register monitor",
    (
        Attribute(2, "thresholds", array(ANY)),
        Attribute(3, "monitored_value", VALUE),
        Attribute(4, "actions", _ACTIONS),
    ),
)

_PARAMETERS = (Method(1, "add_parameter", VALUE), Method(2, "delete_parameter", VALUE))
_MONITOR = (
    Attribute(
        2,
        "changed_parameter",
        structure(**{field.name: field.shape for field in VALUE.fields}, attribute_value=ANY),
        dynamic=True,
    ),
    Attribute(3, "capture_time", DATE_TIME, dynamic=True),
    Attribute(4, "parameter_list", array(VALUE)),
)
PARAMETER_MONITOR_V0 = InterfaceClass(65, 0, "Parameter monitor", _MONITOR, _PARAMETERS)
PARAMETER_MONITOR = InterfaceClass(
    65,
    1,
    "Parameter monitor",
    (
        *_MONITOR,
        Attribute(5, "parameter_list_name", OCTETS),
        Attribute(6, "hash_algorithm_id", ENUM),
        Attribute(7, "parameter_value_digest", OCTETS, dynamic=True),
        # One encoded value for each row of parameter_list, so the class does not say which types.
        Attribute(8, "parameter_values", ANY, dynamic=True),
    ),
    _PARAMETERS,
)

SENSOR_MANAGER = InterfaceClass(
    67,
    0,
    "Sensor manager",
    (
        Attribute(2, "serial_number", OCTETS, dynamic=True),
        Attribute(3, "metrological_identification", OCTETS, dynamic=True),
        Attribute(4, "output_type", ENUM, dynamic=True),
        Attribute(5, "adjustment_method", OCTETS, dynamic=True),
        Attribute(6, "sealing_method", ENUM, dynamic=True),
        Attribute(7, "raw_value", ANY, dynamic=True),
        Attribute(8, "scaler_unit", SCALER_UNIT, dynamic=True),
        Attribute(9, "status", ANY, dynamic=True),
        Attribute(10, "capture_time", DATE_TIME, dynamic=True),
        Attribute(11, "raw_value_thresholds", array(ANY), dynamic=True),
        Attribute(12, "raw_value_actions", _ACTIONS, dynamic=True),
        Attribute(13, "processed_value", VALUE, dynamic=True),
        Attribute(14, "processed_value_thresholds", array(ANY), dynamic=True),
        Attribute(15, "processed_value_actions", _ACTIONS, dynamic=True),
    ),
    (Method(1, "reset"),),
)

ARBITRATOR = InterfaceClass(
    68,
    0,
    "Arbitrator",
    (
        Attribute(2, "actions", array(ACTION)),
        Attribute(3, "permissions_table", array(BITS)),
        Attribute(4, "weightings_table", array(array(LONG_UNSIGNED))),
        Attribute(5, "most_recent_requests_table", array(BITS), dynamic=True),
        Attribute(6, "last_outcome", UNSIGNED, dynamic=True),
    ),
    (
        Method(
            1,
            "request_action",
            structure(request_actor=UNSIGNED, request_action_list=BITS),
        ),
        Method(2, "reset"),
    ),
)

DISCONNECT_CONTROL = InterfaceClass(
    70,
    0,
    "Disconnect control",
    (
        Attribute(2, "output_state", BOOLEAN, dynamic=True),
        Attribute(
            3,
            "control_state",
            named_enum("disconnected", "connected", "ready for reconnection"),
            dynamic=True,
        ),
        Attribute(
            4,
            "control_mode",
            named_enum(*(f"mode {number}" for number in range(8))),
        ),
    ),
    (Method(1, "remote_disconnect"), Method(2, "remote_reconnect")),
)

LIMITER = InterfaceClass(
    71,
    0,
    "Limiter",
    (
        Attribute(2, "monitored_value", VALUE),
        Attribute(3, "threshold_active", ANY, dynamic=True),
        Attribute(4, "threshold_normal", ANY),
        Attribute(5, "threshold_emergency", ANY),
        Attribute(6, "min_over_threshold_duration", DOUBLE_LONG_UNSIGNED),
        Attribute(7, "min_under_threshold_duration", DOUBLE_LONG_UNSIGNED),
        Attribute(
            8,
            "emergency_profile",
            structure(
                emergency_profile_id=LONG_UNSIGNED,
                # Some meters have an empty octet-string while there is no profile.
                emergency_activation_time=octets(12, 0),
                emergency_duration=DOUBLE_LONG_UNSIGNED,
            ),
        ),
        Attribute(9, "emergency_profile_group_id_list", array(LONG_UNSIGNED)),
        Attribute(10, "emergency_profile_active", BOOLEAN, dynamic=True),
        Attribute(
            11,
            "actions",
            structure(action_over_threshold=ACTION, action_under_threshold=ACTION),
        ),
    ),
)

ALL = (
    REGISTER_MONITOR,
    PARAMETER_MONITOR_V0,
    PARAMETER_MONITOR,
    SENSOR_MANAGER,
    ARBITRATOR,
    DISCONNECT_CONTROL,
    LIMITER,
)
