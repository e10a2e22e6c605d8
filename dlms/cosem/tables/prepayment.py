"""Payment metering (Blue Book 4.6): 111 to 116; class 9000 of the GB companion specification."""

from __future__ import annotations

from dlms.cosem.interface_class import Attribute, InterfaceClass, Method
from dlms.cosem.shape import (
    ANY,
    BITS,
    DATE_TIME,
    DOUBLE_LONG,
    DOUBLE_LONG_UNSIGNED,
    INTEGER,
    LOGICAL_NAME,
    LONG,
    LONG_UNSIGNED,
    MOMENT,
    OCTETS,
    UNSIGNED,
    UTF8,
    VISIBLE,
    array,
    bits,
    named_enum,
    structure,
)
from dlms.cosem.tables.common import SCALER_UNIT, VALUE

ACCOUNT = InterfaceClass(
    111,
    0,
    "Account",
    (
        Attribute(
            2,
            "account_mode_and_status",
            structure(
                payment_mode=named_enum("credit mode", "prepayment mode", first=1),
                account_status=named_enum(
                    "new or inactive account", "account active", "account closed", first=1
                ),
            ),
        ),
        Attribute(3, "current_credit_in_use", UNSIGNED, dynamic=True),
        Attribute(
            4,
            "current_credit_status",
            bits(
                "in_credit",
                "low_credit",
                "next_credit_enabled",
                "next_credit_selectable",
                "next_credit_selected",
                "selectable_credit_in_use",
                "out_of_credit",
            ),
            dynamic=True,
        ),
        Attribute(5, "available_credit", DOUBLE_LONG, dynamic=True),
        Attribute(6, "amount_to_clear", DOUBLE_LONG, dynamic=True),
        Attribute(7, "clearance_threshold", DOUBLE_LONG),
        Attribute(8, "aggregated_debt", DOUBLE_LONG, dynamic=True),
        Attribute(9, "credit_reference_list", array(LOGICAL_NAME)),
        Attribute(10, "charge_reference_list", array(LOGICAL_NAME)),
        Attribute(
            11,
            "credit_charge_configuration",
            array(
                structure(
                    credit_reference=LOGICAL_NAME,
                    charge_reference=LOGICAL_NAME,
                    collection_configuration=bits(
                        "collect when supply disconnected",
                        "collect in load limiting periods",
                        "collect in friendly credit periods",
                    ),
                )
            ),
        ),
        Attribute(
            12,
            "token_gateway_configuration",
            array(structure(credit_reference=LOGICAL_NAME, token_proportion=UNSIGNED)),
        ),
        Attribute(13, "account_activation_time", MOMENT),
        Attribute(14, "account_closure_time", MOMENT),
        Attribute(
            15,
            "currency",
            structure(
                currency_name=UTF8,
                currency_scale=INTEGER,
                currency_unit=named_enum("time", "consumption", "monetary"),
            ),
        ),
        Attribute(16, "low_credit_threshold", DOUBLE_LONG, dynamic=True),
        Attribute(17, "next_credit_available_threshold", DOUBLE_LONG, dynamic=True),
        Attribute(18, "max_provision", LONG_UNSIGNED),
        Attribute(19, "max_provision_period", DOUBLE_LONG),
    ),
    (
        Method(1, "activate_account"),
        Method(2, "close_account"),
        Method(3, "reset_account"),
    ),
)

CREDIT = InterfaceClass(
    112,
    0,
    "Credit",
    (
        Attribute(2, "current_credit_amount", DOUBLE_LONG, dynamic=True),
        Attribute(
            3,
            "credit_type",
            named_enum(
                "token credit",
                "reserved credit",
                "emergency credit",
                "time based credit",
                "consumption based credit",
            ),
        ),
        Attribute(4, "priority", UNSIGNED),
        Attribute(5, "warning_threshold", DOUBLE_LONG),
        Attribute(6, "limit", DOUBLE_LONG),
        Attribute(
            7,
            "credit_configuration",
            bits(
                "requires visual indication",
                "requires confirmation before it can be selected",
                "requires the credit amount to be paid back",
                "resettable",
                "able to receive credit amounts from tokens",
            ),
        ),
        Attribute(
            8,
            "credit_status",
            named_enum("enabled", "selectable", "selected or invoked", "in use", "consumed"),
            dynamic=True,
        ),
        Attribute(9, "preset_credit_amount", DOUBLE_LONG),
        Attribute(10, "credit_available_threshold", DOUBLE_LONG),
        Attribute(11, "period", MOMENT),
    ),
    (
        Method(1, "update_amount", DOUBLE_LONG),
        Method(2, "set_amount_to_value", DOUBLE_LONG),
        Method(3, "invoke_credit"),
    ),
)

_CHARGE_TABLE = array(structure(index=OCTETS, charge_per_unit=LONG))
_UNIT_CHARGE = structure(
    charge_per_unit_scaling=structure(commodity_scale=INTEGER, price_scale=INTEGER),
    commodity_reference=VALUE,
    charge_table=_CHARGE_TABLE,
)
CHARGE = InterfaceClass(
    113,
    0,
    "Charge",
    (
        Attribute(2, "total_amount_paid", DOUBLE_LONG, dynamic=True),
        Attribute(
            3,
            "charge_type",
            named_enum(
                "consumption based collection",
                "time based collection",
                "payment event based collection",
            ),
        ),
        Attribute(4, "priority", UNSIGNED),
        Attribute(5, "unit_charge_active", _UNIT_CHARGE),
        Attribute(6, "unit_charge_passive", _UNIT_CHARGE),
        Attribute(7, "unit_charge_activation_time", MOMENT),
        Attribute(8, "period", DOUBLE_LONG_UNSIGNED),
        Attribute(
            9, "charge_configuration", bits("percentage based collection", "continuous collection")
        ),
        Attribute(10, "last_collection_time", DATE_TIME, dynamic=True),
        Attribute(11, "last_collection_amount", DOUBLE_LONG, dynamic=True),
        Attribute(12, "total_amount_remaining", DOUBLE_LONG, dynamic=True),
        Attribute(13, "proportion", LONG_UNSIGNED),
    ),
    (
        Method(1, "update_unit_charge", _CHARGE_TABLE),
        Method(2, "activate_passive_unit_charge"),
        Method(3, "collect"),
        Method(4, "update_total_amount_remaining", DOUBLE_LONG),
        Method(5, "set_total_amount_remaining", DOUBLE_LONG),
    ),
)

_TOKEN_STATUS = structure(
    status_code=named_enum(
        "token format result OK",
        "authentication result OK",
        "validation result OK",
        "token execution result OK",
        "token format failure",
        "authentication failure",
        "validation result failure",
        "token execution result failure",
        "token received and not yet processed",
    ),
    data_value=BITS,
)
TOKEN_GATEWAY = InterfaceClass(
    115,
    0,
    "Token gateway",
    (
        Attribute(2, "token", OCTETS, dynamic=True),
        Attribute(3, "token_time", MOMENT, dynamic=True),
        Attribute(4, "token_description", array(OCTETS), dynamic=True),
        Attribute(
            5,
            "token_delivery_method",
            named_enum("via remote communication", "via local communication", "via manual entry"),
            dynamic=True,
        ),
        Attribute(6, "token_status", _TOKEN_STATUS, dynamic=True),
    ),
    (Method(1, "enter", OCTETS),),
)

IEC_62055_41_ATTRIBUTES = InterfaceClass(
    116,
    0,
    "IEC 62055-41 attributes",
    (
        Attribute(
            2,
            "meter_pan",
            structure(
                issuer_identification_number=DOUBLE_LONG_UNSIGNED,
                decoder_reference_number=ANY,
                pan_check_digit=UNSIGNED,
            ),
        ),
        Attribute(3, "commodity", VISIBLE),
        Attribute(4, "token_carrier_types", array(ANY)),
        Attribute(5, "encryption_algorithm", UNSIGNED),
        Attribute(6, "supply_group_code", DOUBLE_LONG_UNSIGNED, dynamic=True),
        Attribute(7, "tariff_index", UNSIGNED, dynamic=True),
        Attribute(8, "key_revision_number", UNSIGNED, dynamic=True),
        Attribute(9, "key_type", UNSIGNED, dynamic=True),
        Attribute(10, "key_expiry_number", UNSIGNED, dynamic=True),
        Attribute(11, "no_of_kct_supported", UNSIGNED),
        Attribute(12, "sts_certificate_no", VISIBLE),
    ),
)

EXTENDED_DATA = InterfaceClass(
    9000,
    0,
    "Extended data",
    (
        Attribute(2, "value_active", ANY, dynamic=True),
        Attribute(3, "scaler_unit_active", SCALER_UNIT, dynamic=True),
        Attribute(4, "value_passive", ANY),
        Attribute(5, "scaler_unit_passive", SCALER_UNIT),
        Attribute(6, "activate_passive_value_time", MOMENT),
    ),
    (Method(1, "reset"), Method(2, "activate_passive_value")),
)

ALL = (
    ACCOUNT,
    CREDIT,
    CHARGE,
    TOKEN_GATEWAY,
    IEC_62055_41_ATTRIBUTES,
    EXTENDED_DATA,
)
