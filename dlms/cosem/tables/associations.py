"""Associations and the logical devices behind them (Blue Book 4.4.3 to 4.4.5): 12, 15, 17."""

from __future__ import annotations

from dlms.cosem.interface_class import Attribute, InterfaceClass, Method
from dlms.cosem.shape import (
    ANY,
    BOOLEAN,
    ENUM,
    INTEGER,
    LOGICAL_NAME,
    LONG,
    LONG_UNSIGNED,
    NULL,
    OCTETS,
    UNSIGNED,
    VISIBLE,
    Shape,
    StructureOf,
    array,
    bits,
    choice,
    named_enum,
    octets,
    structure,
)
from dlms.cosem.tables.common import OBJECT, VALUE

ACCESS_MODE = named_enum(
    "no access",
    "read only",
    "write only",
    "read and write",
    "authenticated read only",
    "authenticated write only",
    "authenticated read and write",
)
"""Of attributes, versions 0 to 2. In version 3 the enum is a set of bits: 1 read, 2 write; of the
request 4 authenticated, 8 encrypted, 16 signed; of the response 32, 64, 128 likewise."""
METHOD_MODE = named_enum("no access", "access", "authenticated access")

_SELECTORS = choice(NULL, array(INTEGER))
_USER = structure(id=UNSIGNED, name=VISIBLE)


def _rights(attribute_mode: Shape, method_mode: Shape) -> StructureOf:
    return structure(
        attribute_access=array(
            structure(attribute_id=INTEGER, access_mode=attribute_mode, access_selectors=_SELECTORS)
        ),
        method_access=array(structure(method_id=INTEGER, access_mode=method_mode)),
    )


# Association SN -----------------------------------------------------------------------------------

_SN_OBJECT = structure(
    base_name=LONG, class_id=LONG_UNSIGNED, version=UNSIGNED, logical_name=LOGICAL_NAME
)
_SN_OBJECTS = Attribute(2, "object_list", array(_SN_OBJECT))


def _sn_rights(attribute_mode: Shape, method_mode: Shape) -> Attribute:
    rights = _rights(attribute_mode, method_mode)
    return Attribute(
        3,
        "access_rights_list",
        array(structure(base_name=LONG, **{field.name: field.shape for field in rights.fields})),
    )


_READ_BY_NAME = Method(3, "read_by_logicalname", array(VALUE), ANY)
_RIGHTS_OF = Method(4, "get_attributes&methods", array(OBJECT), ANY)
_SECRETS = (
    Method(5, "change_LLS_secret", OCTETS),
    Method(6, "change_HLS_secret", OCTETS),
)
_LISTS = (
    Method(1, "getlist_by_classid", LONG_UNSIGNED, array(_SN_OBJECT)),
    Method(2, "getobj_by_logicalname", OBJECT, _SN_OBJECT),
)
_REPLY = Method(8, "reply_to_HLS_authentication", OCTETS, OCTETS)
_CHALLENGE = (
    Method(7, "get_HLS_challenge", INTEGER, OCTETS),
    Method(8, "reply_to_HLS_challenge", OCTETS, OCTETS),
)
_SETUP = Attribute(4, "security_setup_reference", LOGICAL_NAME)
_SN_USERS = (
    Attribute(5, "user_list", array(_USER)),
    Attribute(6, "current_user", _USER, dynamic=True),
)
_SN_LATER = (
    _READ_BY_NAME,
    Method(5, "change_secret", OCTETS),
    _REPLY,
    Method(9, "add_user", _USER),
    Method(10, "remove_user", _USER),
)

_NAME_SN = "Association SN"
ASSOCIATION_SN_V0 = InterfaceClass(
    12, 0, _NAME_SN, (_SN_OBJECTS,), (*_LISTS, _READ_BY_NAME, _RIGHTS_OF, *_SECRETS, *_CHALLENGE)
)
ASSOCIATION_SN_V1 = InterfaceClass(
    12,
    1,
    _NAME_SN,
    (_SN_OBJECTS,),
    (_READ_BY_NAME, _RIGHTS_OF, *_SECRETS, _REPLY),
)
ASSOCIATION_SN_V2 = InterfaceClass(
    12,
    2,
    _NAME_SN,
    (_SN_OBJECTS, _sn_rights(ACCESS_MODE, METHOD_MODE), _SETUP),
    (_READ_BY_NAME, _RIGHTS_OF, *_SECRETS, _REPLY),
)
ASSOCIATION_SN_V3 = InterfaceClass(
    12,
    3,
    _NAME_SN,
    (_SN_OBJECTS, _sn_rights(ACCESS_MODE, METHOD_MODE), _SETUP, *_SN_USERS),
    _SN_LATER,
)
ASSOCIATION_SN = InterfaceClass(
    12,
    4,
    _NAME_SN,
    (_SN_OBJECTS, _sn_rights(ENUM, ENUM), _SETUP, *_SN_USERS),
    _SN_LATER,
)

# Association LN -----------------------------------------------------------------------------------


def _ln_object(attribute_mode: Shape, method_mode: Shape) -> StructureOf:
    return structure(
        class_id=LONG_UNSIGNED,
        version=UNSIGNED,
        logical_name=LOGICAL_NAME,
        access_rights=_rights(attribute_mode, method_mode),
    )


def _arcs(*names: str) -> StructureOf:
    """An object identifier as a structure of its seven arcs; the fourth of 756 needs 16 bits."""
    shapes = {name: choice(UNSIGNED, LONG_UNSIGNED) for name in names}
    return structure(**shapes)


_CONTEXT = _arcs(
    "joint_iso_ctt",
    "country",
    "country_name",
    "identified_organization",
    "dlms_ua",
    "application_context",
    "context_id",
)
_MECHANISM = _arcs(
    "joint_iso_ctt",
    "country",
    "country_name",
    "identified_organization",
    "dlms_ua",
    "authentication_mechanism_name",
    "mechanism_id",
)
# An object identifier in BER has seven octets here; no mechanism gives an empty string.
_OID = octets(7, 0)


def _ln_attributes(attribute_mode: Shape, method_mode: Shape) -> tuple[Attribute, ...]:
    return (
        Attribute(2, "object_list", array(_ln_object(attribute_mode, method_mode))),
        Attribute(
            3, "associated_partners_id", structure(client_SAP=INTEGER, server_SAP=LONG_UNSIGNED)
        ),
        Attribute(4, "application_context_name", choice(_CONTEXT, _OID)),
        Attribute(
            5,
            "xDLMS_context_info",
            structure(
                conformance=bits(size=24),
                max_receive_pdu_size=LONG_UNSIGNED,
                max_send_pdu_size=LONG_UNSIGNED,
                dlms_version_number=UNSIGNED,
                quality_of_service=INTEGER,
                cyphering_info=OCTETS,
            ),
        ),
        Attribute(6, "authentication_mechanism_name", choice(_MECHANISM, _OID)),
        Attribute(7, "secret", OCTETS),
        Attribute(
            8,
            "association_status",
            named_enum("non-associated", "association-pending", "associated"),
        ),
        Attribute(9, "security_setup_reference", LOGICAL_NAME),
        Attribute(10, "user_list", array(_USER)),
        Attribute(11, "current_user", _USER, dynamic=True),
    )


def _ln_methods(attribute_mode: Shape, method_mode: Shape) -> tuple[Method, ...]:
    element = _ln_object(attribute_mode, method_mode)
    return (
        Method(1, "reply_to_HLS_authentication", OCTETS, OCTETS),
        Method(2, "change_HLS_secret", OCTETS),
        Method(3, "add_object", element),
        Method(4, "remove_object", element),
        Method(5, "add_user", _USER),
        Method(6, "remove_user", _USER),
    )


def _ln(version: int, last_attribute: int, attribute: Shape, method: Shape) -> InterfaceClass:
    methods = _ln_methods(attribute, method)
    return InterfaceClass(
        15,
        version,
        "Association LN",
        _ln_attributes(attribute, method)[: last_attribute - 1],
        methods if version >= 2 else methods[:4],
    )


# Version 0 has booleans for methods; field meters of version 1 send them too, so both are taken.
_EITHER = choice(METHOD_MODE, BOOLEAN)
ASSOCIATION_LN_V0 = _ln(0, 8, ACCESS_MODE, BOOLEAN)
ASSOCIATION_LN = _ln(1, 9, ACCESS_MODE, _EITHER)
ASSOCIATION_LN_V2 = _ln(2, 11, ACCESS_MODE, METHOD_MODE)
ASSOCIATION_LN_V3 = _ln(3, 11, ENUM, ENUM)

_LOGICAL_DEVICE = structure(SAP=LONG_UNSIGNED, logical_device_name=OCTETS)
SAP_ASSIGNMENT = InterfaceClass(
    17,
    0,
    "SAP assignment",
    (Attribute(2, "SAP_assignment_list", array(_LOGICAL_DEVICE)),),
    (Method(1, "connect_logical_device", _LOGICAL_DEVICE),),
)

ALL = (
    ASSOCIATION_SN_V0,
    ASSOCIATION_SN_V1,
    ASSOCIATION_SN_V2,
    ASSOCIATION_SN_V3,
    ASSOCIATION_SN,
    ASSOCIATION_LN_V0,
    ASSOCIATION_LN,
    ASSOCIATION_LN_V2,
    ASSOCIATION_LN_V3,
    SAP_ASSIGNMENT,
)
