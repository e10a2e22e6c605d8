"""Association LN, class 15, and SAP assignment, class 17 (Blue Book 4.4.4, 4.4.5).

An association sees itself: its object_list names the objects it has a right on, with those rights.
The list of a meter is as it was built: add_object and remove_object are not carried out.
"""

from __future__ import annotations

from collections.abc import Iterable

from devices.objects.association_rights import rights_of
from devices.objects.association_users import (
    add_user,
    change_hls_secret,
    current_user,
    remove_user,
    user_list,
)
from devices.objects.behaviour import Behaviour, Call, computed
from devices.profile.model import ObjectRow
from dlms.axdr.data import (
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
from dlms.cosem.fitting import fits
from dlms.cosem.shape import LONG_UNSIGNED, NULL, Shape
from dlms.cosem.shape import array as array_of
from dlms.cosem.tables.common import OBJECT
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.descriptors import SelectiveAccess
from dlms.xdlms.initiate import DLMS_VERSION

WITHOUT_RIGHTS, BY_CLASS, BY_OBJECTS, BY_OBJECT = 1, 2, 3, 4
"""Access selectors of object_list."""

_ASSOCIATED = 2
_NO_OBJECT = bytes(6)


def security_setup_instance(number: int) -> bytes:
    """Logical name of a Security setup object."""
    return bytes((0, 0, 43, 0, number, 255))


def visible_rows(call: Call) -> tuple[ObjectRow, ...]:
    """The objects that the calling association has a right on."""
    rows = call.device.profile.objects_of(call.association).values()
    return tuple(row for row in rows if call.association.name in row.rights)


def _object_list(call: Call, selection: SelectiveAccess | None) -> Data | DataAccessResult:
    """The whole list, or by selector: 1 all without rights, 2 those of some classes without rights,
    3 some objects, 4 one object.
    """
    rows = visible_rows(call)
    if selection is None:
        return array(*(_element(call, row) for row in rows))
    selector, parameters = selection
    shape = _PARAMETERS.get(selector)
    if shape is None:
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    if not fits(shape, parameters):
        return DataAccessResult.TYPE_UNMATCHED
    if selector == WITHOUT_RIGHTS:
        return array(*map(_short_element, rows))
    if selector == BY_CLASS:
        wanted = {one.value for one in _parts(parameters)}
        found = (row for row in rows if row.interface_class.class_id in wanted)
        return array(*map(_short_element, found))
    if selector == BY_OBJECTS:
        objects = {identity(one) for one in _parts(parameters)}
        return array(*(_element(call, row) for row in _among(rows, objects)))
    one = next(iter(_among(rows, {identity(parameters)})), None)
    return DataAccessResult.OBJECT_UNDEFINED if one is None else _element(call, one)


_PARAMETERS: dict[int, Shape] = {
    WITHOUT_RIGHTS: NULL,
    BY_CLASS: array_of(LONG_UNSIGNED),
    BY_OBJECTS: array_of(OBJECT),
    BY_OBJECT: OBJECT,
}


def _parts(data: Data) -> tuple[Data, ...]:
    return data.value if isinstance(data.value, tuple) else ()


def identity(data: Data) -> tuple[object, ...]:
    """class_id and logical name of an object as selections name it."""
    return tuple(part.value for part in _parts(data)[:2])


def _among(rows: Iterable[ObjectRow], wanted: set[tuple[object, ...]]) -> Iterable[ObjectRow]:
    return (row for row in rows if (row.interface_class.class_id, row.instance) in wanted)


def _element(call: Call, row: ObjectRow) -> Data:
    return structure(*_parts(_short_element(row)), structure(*rights_of(call, row)))


def _short_element(row: ObjectRow) -> Data:
    return structure(
        long_unsigned(row.interface_class.class_id),
        unsigned(row.interface_class.version),
        octet_string(row.instance),
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


def security_setup(call: Call) -> Data:
    """The association's Security setup; a logical name of zeros where there is none."""
    number = call.association.security_setup
    return octet_string(_NO_OBJECT if number is None else security_setup_instance(number))


def no_secret(call: Call, _: object) -> DataAccessResult:
    """A secret is never shown, whatever the rights, nor taken in the clear."""
    return DataAccessResult.READ_WRITE_DENIED


BEHAVIOUR = Behaviour(
    read={
        2: _object_list,
        3: computed(_partners),
        4: computed(lambda call: octet_string(call.association.config.context.oid)),
        5: computed(_context_info),
        6: computed(lambda call: octet_string(call.association.config.mechanism.oid)),
        7: no_secret,
        8: computed(lambda call: enum(_ASSOCIATED)),
        9: computed(security_setup),
        10: computed(user_list),
        11: computed(current_user),
    },
    write={7: no_secret},
    invoke={2: change_hls_secret, 5: add_user, 6: remove_user},
)


def _sap_list(call: Call) -> Data:
    profile = call.device.profile
    name = profile.logical_device_name(call.device.serial)
    return array(structure(long_unsigned(profile.server_sap), octet_string(name)))


SAP_ASSIGNMENT = Behaviour(read={2: computed(_sap_list)})
