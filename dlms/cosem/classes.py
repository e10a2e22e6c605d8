"""The interface classes, as the Blue Book tabulates them (Ed. 12, 4.3 to 4.6)."""

from __future__ import annotations

from dlms.axdr.data import DataType as T
from dlms.cosem.interface_class import ANY, Attribute, InterfaceClass, Method

_INTEGER = (T.INTEGER,)
_OCTETS = (T.OCTET_STRING,)
_STRUCTURE = (T.STRUCTURE,)
_ARRAY = (T.ARRAY,)
_ENUM = (T.ENUM,)
_DL = (T.DOUBLE_LONG,)
_DLU = (T.DOUBLE_LONG_UNSIGNED,)
_LU = (T.LONG_UNSIGNED,)
_U = (T.UNSIGNED,)
_L = (T.LONG,)
_BITS = (T.BIT_STRING,)
_BOOLEAN = (T.BOOLEAN,)

DATA = InterfaceClass(1, 0, "Data", (Attribute(2, "value", ANY),))

REGISTER = InterfaceClass(
    3,
    0,
    "Register",
    (Attribute(2, "value", ANY, dynamic=True), Attribute(3, "scaler_unit", _STRUCTURE)),
    (Method(1, "reset", _INTEGER),),
)

PROFILE_GENERIC = InterfaceClass(
    7,
    1,
    "Profile generic",
    (
        Attribute(2, "buffer", (T.ARRAY, T.COMPACT_ARRAY), dynamic=True),
        Attribute(3, "capture_objects", _ARRAY),
        Attribute(4, "capture_period", _DLU),
        Attribute(5, "sort_method", _ENUM),
        Attribute(6, "sort_object", _STRUCTURE),
        Attribute(7, "entries_in_use", _DLU, dynamic=True),
        Attribute(8, "profile_entries", _DLU),
    ),
    (Method(1, "reset", _INTEGER), Method(2, "capture", _INTEGER)),
)

CLOCK = InterfaceClass(
    8,
    0,
    "Clock",
    (
        Attribute(2, "time", _OCTETS, dynamic=True),
        Attribute(3, "time_zone", _L),
        Attribute(4, "status", _U, dynamic=True),
        Attribute(5, "daylight_savings_begin", _OCTETS),
        Attribute(6, "daylight_savings_end", _OCTETS),
        Attribute(7, "daylight_savings_deviation", _INTEGER),
        Attribute(8, "daylight_savings_enabled", _BOOLEAN),
        Attribute(9, "clock_base", _ENUM),
    ),
    (
        Method(1, "adjust_to_quarter", _INTEGER),
        Method(2, "adjust_to_measuring_period", _INTEGER),
        Method(3, "adjust_to_minute", _INTEGER),
        Method(4, "adjust_to_preset_time", _INTEGER),
        Method(5, "preset_adjusting_time", _STRUCTURE),
        Method(6, "shift_time", _L),
    ),
)

ASSOCIATION_LN = InterfaceClass(
    15,
    1,
    "Association LN",
    (
        Attribute(2, "object_list", _ARRAY),
        Attribute(3, "associated_partners_id", _STRUCTURE),
        Attribute(4, "application_context_name", (T.STRUCTURE, T.OCTET_STRING)),
        Attribute(5, "xDLMS_context_info", _STRUCTURE),
        Attribute(6, "authentication_mechanism_name", (T.STRUCTURE, T.OCTET_STRING)),
        Attribute(7, "secret", _OCTETS),
        Attribute(8, "association_status", _ENUM),
        Attribute(9, "security_setup_reference", _OCTETS),
    ),
    (
        Method(1, "reply_to_HLS_authentication", _OCTETS),
        Method(2, "change_HLS_secret", _OCTETS),
        Method(3, "add_object", _STRUCTURE),
        Method(4, "remove_object", _STRUCTURE),
    ),
)

SAP_ASSIGNMENT = InterfaceClass(
    17,
    0,
    "SAP assignment",
    (Attribute(2, "SAP_assignment_list", _ARRAY),),
    (Method(1, "connect_logical_device", _STRUCTURE),),
)

SECURITY_SETUP = InterfaceClass(
    64,
    0,
    "Security setup",
    (
        Attribute(2, "security_policy", _ENUM),
        Attribute(3, "security_suite", _ENUM),
        Attribute(4, "client_system_title", _OCTETS),
        Attribute(5, "server_system_title", _OCTETS),
    ),
    (Method(1, "security_activate", _ENUM), Method(2, "global_key_transfer", _ARRAY)),
)

DISCONNECT_CONTROL = InterfaceClass(
    70,
    0,
    "Disconnect control",
    (
        Attribute(2, "output_state", _BOOLEAN, dynamic=True),
        Attribute(3, "control_state", _ENUM, dynamic=True),
        Attribute(4, "control_mode", _ENUM),
    ),
    (Method(1, "remote_disconnect", _INTEGER), Method(2, "remote_reconnect", _INTEGER)),
)

ACCOUNT = InterfaceClass(
    111,
    0,
    "Account",
    (
        Attribute(2, "account_mode_and_status", _STRUCTURE),
        Attribute(3, "current_credit_in_use", _U, dynamic=True),
        Attribute(4, "current_credit_status", _BITS, dynamic=True),
        Attribute(5, "available_credit", _DL, dynamic=True),
        Attribute(6, "amount_to_clear", _DL, dynamic=True),
        Attribute(7, "clearance_threshold", _DL),
        Attribute(8, "aggregated_debt", _DL, dynamic=True),
        Attribute(9, "credit_reference_list", _ARRAY),
        Attribute(10, "charge_reference_list", _ARRAY),
        Attribute(11, "credit_charge_configuration", _ARRAY),
        Attribute(12, "token_gateway_configuration", _ARRAY),
        Attribute(13, "account_activation_time", _OCTETS),
        Attribute(14, "account_closure_time", _OCTETS),
        Attribute(15, "currency", _STRUCTURE),
        Attribute(16, "low_credit_threshold", _DL, dynamic=True),
        Attribute(17, "next_credit_available_threshold", _DL, dynamic=True),
        Attribute(18, "max_provision", _LU),
        Attribute(19, "max_provision_period", _DL),
    ),
    (
        Method(1, "activate_account", _INTEGER),
        Method(2, "close_account", _INTEGER),
        Method(3, "reset_account", _INTEGER),
    ),
)

CREDIT = InterfaceClass(
    112,
    0,
    "Credit",
    (
        Attribute(2, "current_credit_amount", _DL, dynamic=True),
        Attribute(3, "credit_type", _ENUM),
        Attribute(4, "priority", _U),
        Attribute(5, "warning_threshold", _DL),
        Attribute(6, "limit", _DL),
        Attribute(7, "credit_configuration", _BITS),
        Attribute(8, "credit_status", _ENUM, dynamic=True),
        Attribute(9, "preset_credit_amount", _DL),
        Attribute(10, "credit_available_threshold", _DL),
        Attribute(11, "period", _OCTETS),
    ),
    (
        Method(1, "update_amount", _DL),
        Method(2, "set_amount_to_value", _DL),
        Method(3, "invoke_credit", _INTEGER),
    ),
)

CHARGE = InterfaceClass(
    113,
    0,
    "Charge",
    (
        Attribute(2, "total_amount_paid", _DL, dynamic=True),
        Attribute(3, "charge_type", _ENUM),
        Attribute(4, "priority", _U),
        Attribute(5, "unit_charge_active", _STRUCTURE),
        Attribute(6, "unit_charge_passive", _STRUCTURE),
        Attribute(7, "unit_charge_activation_time", _OCTETS),
        Attribute(8, "period", _DLU),
        Attribute(9, "charge_configuration", _BITS),
        Attribute(10, "last_collection_time", _OCTETS, dynamic=True),
        Attribute(11, "last_collection_amount", _DL, dynamic=True),
        Attribute(12, "total_amount_remaining", _DL, dynamic=True),
        Attribute(13, "proportion", _LU),
    ),
    (
        Method(1, "update_unit_charge", _ARRAY),
        Method(2, "activate_passive_unit_charge", _INTEGER),
        Method(3, "collect", _INTEGER),
        Method(4, "update_total_amount_remaining", _DL),
        Method(5, "set_total_amount_remaining", _DL),
    ),
)

TOKEN_GATEWAY = InterfaceClass(
    115,
    0,
    "Token gateway",
    (
        Attribute(2, "token", _OCTETS, dynamic=True),
        Attribute(3, "token_time", _OCTETS, dynamic=True),
        Attribute(4, "token_description", _ARRAY, dynamic=True),
        Attribute(5, "token_delivery_method", _ENUM, dynamic=True),
        Attribute(6, "token_status", _STRUCTURE, dynamic=True),
    ),
    (Method(1, "enter", _OCTETS),),
)

ALL = (
    DATA,
    REGISTER,
    PROFILE_GENERIC,
    CLOCK,
    ASSOCIATION_LN,
    SAP_ASSIGNMENT,
    SECURITY_SETUP,
    DISCONNECT_CONTROL,
    ACCOUNT,
    CREDIT,
    CHARGE,
    TOKEN_GATEWAY,
)

BY_ID = {row.class_id: row for row in ALL}
BY_NAME = {row.name: row for row in ALL}
