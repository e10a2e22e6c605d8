"""Security setup and protection of data and ports (Blue Book 4.4): 30, 64, 124."""

from __future__ import annotations

from dlms.cosem.interface_class import Attribute, InterfaceClass, Method
from dlms.cosem.shape import (
    ANY,
    DOUBLE_LONG_UNSIGNED,
    ENUM,
    INTEGER,
    LOGICAL_NAME,
    LONG_UNSIGNED,
    OCTETS,
    SYSTEM_TITLE,
    UNSIGNED,
    array,
    choice,
    named_enum,
    structure,
)
from dlms.cosem.tables.common import (
    CAPTURE_OBJECT,
    PROTECTION,
    RESTRICTED_OBJECT,
)

_PROTECTED = structure(object_list=array(CAPTURE_OBJECT), protection_parameters=array(PROTECTION))
_PROTECTED_WITH_DATA = structure(
    object_list=array(CAPTURE_OBJECT),
    protection_parameters=array(PROTECTION),
    protected_attributes=OCTETS,
)
_PROTECTED_METHOD = structure(
    object_method=structure(
        class_id=LONG_UNSIGNED, logical_name=LOGICAL_NAME, method_index=INTEGER
    ),
    protection_parameters=array(PROTECTION),
    protected_method_invocation_parameters=OCTETS,
)
DATA_PROTECTION = InterfaceClass(
    30,
    0,
    "Data protection",
    (
        Attribute(2, "protection_buffer", OCTETS, dynamic=True),
        Attribute(3, "protection_object_list", array(RESTRICTED_OBJECT)),
        Attribute(4, "protection_parameters_get", array(PROTECTION)),
        Attribute(5, "protection_parameters_set", array(PROTECTION)),
        Attribute(6, "required_protection", ENUM),
    ),
    (
        Method(1, "get_protected_attributes", _PROTECTED, ANY),
        Method(2, "set_protected_attributes", _PROTECTED_WITH_DATA),
        Method(3, "invoke_protected_method", _PROTECTED_METHOD, ANY),
    ),
)


SECURITY_POLICY_V0 = named_enum(
    "nothing", "all messages authenticated", "all messages encrypted", "authenticated and encrypted"
)
"""In version 1 the enum is a set of bits, from 4 on: request authenticated, encrypted, signed,
response authenticated, encrypted, signed (Blue Book 4.4.7.2)."""
SECURITY_SUITE = named_enum(
    "AES-GCM-128 and AES-128 key wrap",
    "AES-GCM-128, ECDSA and ECDH with P-256, SHA-256",
    "AES-GCM-256, ECDSA and ECDH with P-384, SHA-384",
)
_KEY_ID = named_enum(
    "global unicast encryption key",
    "global broadcast encryption key",
    "authentication key",
    "master key",
)
_KEYS = array(structure(key_id=_KEY_ID, key_wrapped=OCTETS))
_KEY_PAIR = named_enum("digital signature", "key agreement", "TLS")
_ENTITY = named_enum("server", "client", "certification authority", "other")
_CERTIFICATE_USE = named_enum("digital signature", "key agreement", "TLS", "other")
_CERTIFICATE_ID = structure(
    certificate_identification_type=named_enum(
        "certificate_identification_entity", "certificate_identification_serial"
    ),
    certification_identification_options=choice(
        structure(
            certificate_entity=_ENTITY, certificate_type=_CERTIFICATE_USE, system_title=OCTETS
        ),
        structure(certificate_serial_number=OCTETS, issuer=OCTETS),
    ),
)
_TITLES = (
    Attribute(3, "security_suite", SECURITY_SUITE),
    Attribute(4, "client_system_title", SYSTEM_TITLE),
    Attribute(5, "server_system_title", SYSTEM_TITLE),
)
SECURITY_SETUP = InterfaceClass(
    64,
    0,
    "Security setup",
    (Attribute(2, "security_policy", SECURITY_POLICY_V0), *_TITLES),
    (Method(1, "security_activate", SECURITY_POLICY_V0), Method(2, "global_key_transfer", _KEYS)),
)
SECURITY_SETUP_V1 = InterfaceClass(
    64,
    1,
    "Security setup",
    (
        Attribute(2, "security_policy", ENUM),
        *_TITLES,
        Attribute(
            6,
            "certificates",
            array(
                structure(
                    certificate_entity=_ENTITY,
                    certificate_type=_CERTIFICATE_USE,
                    serial_number=OCTETS,
                    issuer=OCTETS,
                    subject=OCTETS,
                    subject_alt_name=OCTETS,
                )
            ),
            dynamic=True,
        ),
    ),
    (
        Method(1, "security_activate", ENUM),
        Method(2, "key_transfer", _KEYS),
        Method(
            3,
            "key_agreement",
            array(structure(key_id=_KEY_ID, key_data=OCTETS)),
            array(structure(key_id=_KEY_ID, key_data=OCTETS)),
        ),
        Method(4, "generate_key_pair", _KEY_PAIR),
        Method(5, "generate_certificate_request", _KEY_PAIR, OCTETS),
        Method(6, "import_certificate", OCTETS),
        Method(7, "export_certificate", _CERTIFICATE_ID, OCTETS),
        Method(8, "remove_certificate", _CERTIFICATE_ID),
    ),
)


COMMUNICATION_PORT_PROTECTION = InterfaceClass(
    124,
    0,
    "Communication port protection",
    (
        Attribute(
            2, "protection_mode", named_enum("locked", "locked on failed attempts", "unlocked")
        ),
        Attribute(3, "allowed_failed_attempts", LONG_UNSIGNED),
        Attribute(4, "initial_lockout_time", DOUBLE_LONG_UNSIGNED),
        Attribute(5, "steepness_factor", UNSIGNED),
        Attribute(6, "max_lockout_time", DOUBLE_LONG_UNSIGNED),
        Attribute(7, "port_reference", LOGICAL_NAME),
        Attribute(
            8,
            "protection_status",
            named_enum("unlocked", "temporarily locked", "locked"),
            dynamic=True,
        ),
        Attribute(9, "failed_attempts", DOUBLE_LONG_UNSIGNED, dynamic=True),
        Attribute(10, "cumulative_failed_attempts", DOUBLE_LONG_UNSIGNED, dynamic=True),
    ),
    (Method(1, "reset"),),
)

ALL = (
    DATA_PROTECTION,
    SECURITY_SETUP,
    SECURITY_SETUP_V1,
    COMMUNICATION_PORT_PROTECTION,
)
