"""Association LN, class 15, and SAP assignment, class 17 (Blue Book 4.4.4, 4.4.5).

An association sees itself: its object_list names the objects it has a right on, with those rights.
"""

from __future__ import annotations

from devices.objects.behaviour import Behaviour, Call, computed
from devices.profile.model import ObjectRow
from dlms.axdr.data import (
    NULL,
    Data,
    array,
    bit_string,
    enum,
    integer,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from dlms.xdlms.initiate import DLMS_VERSION

_ASSOCIATED = 2


def security_setup_instance(number: int) -> bytes:
    """Logical name of a Security setup object."""
    return bytes((0, 0, 43, 0, number, 255))


def _object_list(call: Call) -> Data:
    rows = call.device.profile.objects.values()
    name = call.association.name
    return array(*(_element(row, name) for row in rows if name in row.rights))


def _element(row: ObjectRow, association: str) -> Data:
    rights = row.rights[association]
    numbers = (1, *(attribute.number for attribute in row.interface_class.attributes))
    attributes = array(*(structure(integer(n), enum(rights.attribute(n)), NULL) for n in numbers))
    # Method access is an enum from version 1 of the class on, and ours is 1.
    methods = array(
        *(
            structure(integer(method.number), enum(int(method.number in rights.methods)))
            for method in row.interface_class.methods
        )
    )
    return structure(
        long_unsigned(row.interface_class.class_id),
        unsigned(row.interface_class.version),
        octet_string(row.instance),
        structure(attributes, methods),
    )


def _partners(call: Call) -> Data:
    config = call.association.config
    return structure(integer(config.client_sap), long_unsigned(config.server_sap))


def _context_info(call: Call) -> Data:
    config = call.association.config
    return structure(
        bit_string(f"{int(config.conformance):024b}"),
        long_unsigned(config.max_pdu_size),
        long_unsigned(0xFFFF),
        unsigned(DLMS_VERSION),
        integer(0),
        octet_string(b""),
    )


def _security_setup(call: Call) -> Data:
    number = call.association.security_setup
    return octet_string(b"" if number is None else security_setup_instance(number))


BEHAVIOUR = Behaviour(
    read={
        2: computed(_object_list),
        3: computed(_partners),
        4: computed(lambda call: octet_string(call.association.config.context.oid)),
        5: computed(_context_info),
        6: computed(lambda call: octet_string(call.association.config.mechanism.oid)),
        8: computed(lambda call: enum(_ASSOCIATED)),
        9: computed(_security_setup),
    }
)


def _sap_list(call: Call) -> Data:
    profile = call.device.profile
    name = profile.logical_device_name(call.device.serial)
    return array(structure(long_unsigned(profile.server_sap), octet_string(name)))


SAP_ASSIGNMENT = Behaviour(read={2: computed(_sap_list)})
