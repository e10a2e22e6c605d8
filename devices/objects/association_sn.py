"""Association SN, class 12 (Blue Book 4.4.3): what an association with short names says of itself.

The selectors of object_list and what read_by_logicalname gives back are from general knowledge of
the book. get_attributes&methods is not carried out: access_rights_list says the same.
"""

from __future__ import annotations

from devices.objects.association_ln import identity, security_setup, visible_rows
from devices.objects.association_rights import rights_of
from devices.objects.association_users import (
    add_user,
    change_hls_secret,
    current_user,
    remove_user,
    user_list,
)
from devices.objects.behaviour import Behaviour, Call, Outcome, computed
from devices.profile.model import ObjectRow
from dlms.axdr.data import (
    NULL,
    Data,
    array,
    long,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from dlms.cosem.fitting import fits
from dlms.cosem.shape import LONG_UNSIGNED
from dlms.cosem.tables.common import OBJECT
from dlms.security.ops import Step
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import SelectiveAccess

BY_CLASS, BY_OBJECT = 1, 2
"""Access selectors of object_list."""

_ONE_SECRET = 3
"""The version from which on there is one method for whichever secret the association has."""


def _base_name(call: Call, row: ObjectRow) -> Data:
    """A ``long``: from 8000 hexadecimal on it is negative."""
    base = call.device.profile.short_names.bases[row.instance]
    return long(base - 0x10000 if base & 0x8000 else base)


def _element(call: Call, row: ObjectRow) -> Data:
    return structure(
        _base_name(call, row),
        long_unsigned(row.interface_class.class_id),
        unsigned(row.interface_class.version),
        octet_string(row.instance),
    )


def _of_class(call: Call, class_id: object) -> Data:
    rows = visible_rows(call)
    return array(*(_element(call, r) for r in rows if r.interface_class.class_id == class_id))


def _of_name(call: Call, wanted: Data) -> Data | None:
    for row in visible_rows(call):
        if (row.interface_class.class_id, row.instance) == identity(wanted):
            return _element(call, row)
    return None


def _object_list(call: Call, selection: SelectiveAccess | None) -> Data | DataAccessResult:
    """The whole list, or by selector: 1 the objects of a class, 2 one object."""
    if selection is None:
        return array(*(_element(call, row) for row in visible_rows(call)))
    selector, parameters = selection
    if selector not in (BY_CLASS, BY_OBJECT):
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    if not fits(LONG_UNSIGNED if selector == BY_CLASS else OBJECT, parameters):
        return DataAccessResult.TYPE_UNMATCHED
    if selector == BY_CLASS:
        return _of_class(call, parameters.value)
    found = _of_name(call, parameters)
    return DataAccessResult.OBJECT_UNDEFINED if found is None else found


def _rights_list(call: Call) -> Data:
    rows = visible_rows(call)
    return array(*(structure(_base_name(call, row), *rights_of(call, row)) for row in rows))


def _list_by_class(call: Call, parameter: Data) -> Outcome:
    return Outcome(ActionResult.SUCCESS, _of_class(call, parameter.value))


def _object_by_name(call: Call, parameter: Data) -> Outcome:
    found = _of_name(call, parameter)
    if found is None:
        return Outcome(ActionResult.OBJECT_UNDEFINED)
    return Outcome(ActionResult.SUCCESS, found)


def _read_by_name(call: Call, parameter: Data) -> Outcome:
    """A structure of the values asked for, null-data for one that cannot be had."""
    wanted = parameter.value
    assert isinstance(wanted, tuple)  # the class table admits an array only
    return Outcome(ActionResult.SUCCESS, structure(*(_value(call, one) for one in wanted)))


def _value(call: Call, wanted: Data) -> Data:
    parts = wanted.value
    assert isinstance(parts, tuple)
    class_id, instance, number = (part.value for part in parts)
    assert isinstance(instance, bytes)
    assert isinstance(number, int)
    row = call.device.profile.short_names.objects.get(instance)
    rights = None if row is None else row.rights.get(call.association.name)
    if row is None or rights is None or row.interface_class.class_id != class_id:
        return NULL
    access = rights.attribute(number)
    if not access.readable or not access.satisfied_by(call.protection):
        return NULL
    found = call.device.attribute(row, number, call.association, call.now)
    return found if isinstance(found, Data) else NULL


def _change_secret(call: Call, parameter: Data) -> Outcome | Step[Outcome]:
    """change_secret from version 3 on; before, this is change_LLS_secret, which is not had."""
    if call.row.interface_class.version < _ONE_SECRET:
        return Outcome(ActionResult.OBJECT_UNAVAILABLE)
    return change_hls_secret(call, parameter)


BEHAVIOUR = Behaviour(
    read={
        2: _object_list,
        3: computed(_rights_list),
        4: computed(security_setup),
        5: computed(user_list),
        6: computed(current_user),
    },
    invoke={
        1: _list_by_class,
        2: _object_by_name,
        3: _read_by_name,
        5: _change_secret,
        6: change_hls_secret,
        9: add_user,
        10: remove_user,
    },
)
