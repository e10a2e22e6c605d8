"""How association objects show access rights: codes or bits, by their version (Blue Book 4.4.3,
4.4.4).
"""

from __future__ import annotations

from devices.objects.behaviour import Call
from devices.profile.model import ObjectRow
from devices.profile.rights import Access
from dlms.axdr.data import NULL, Data, array, boolean, enum, integer, structure
from dlms.xdlms.conformance import Conformance

SELECTORS = {(7, 2): (1, 2), (12, 2): (1, 2), (15, 2): (1, 2, 3, 4)}
"""The access selectors that are known, by class_id and attribute."""

_SN = 12
_BITS_FROM = {12: 4, 15: 3}
"""The version from which on an association object shows bits."""


def rights_of(call: Call, row: ObjectRow) -> tuple[Data, Data]:
    """attribute_access and method_access of ``row``, in the form of the object that is called."""
    rights = row.rights[call.association.name]
    interface_class = row.interface_class
    numbers = (1, *(attribute.number for attribute in interface_class.attributes))
    attributes = array(
        *(
            structure(
                integer(number),
                _mode(call, rights.attribute(number)),
                _selectors(call, interface_class.class_id, number),
            )
            for number in numbers
        )
    )
    methods = array(
        *(
            structure(integer(method.number), _method_mode(call, rights.method(method.number)))
            for method in interface_class.methods
        )
    )
    return attributes, methods


def _in_bits(call: Call) -> bool:
    shown_by = call.row.interface_class
    return shown_by.version >= _BITS_FROM[shown_by.class_id]


def _mode(call: Call, access: Access) -> Data:
    return enum(int(access) if _in_bits(call) else access.mode)


def _method_mode(call: Call, access: Access) -> Data:
    """A boolean in version 0 of Association LN, an enum from then on."""
    shown_by = call.row.interface_class
    if shown_by.class_id != _SN and shown_by.version == 0:
        return boolean(bool(access))
    return enum(int(access) if _in_bits(call) else access.method_mode)


def _selectors(call: Call, class_id: int, number: int) -> Data:
    config = call.association.config
    offered = Conformance.SELECTIVE_ACCESS
    if config.short_names:
        offered = Conformance.PARAMETERIZED_ACCESS
    known = SELECTORS.get((class_id, number))
    if known is None or not offered & config.conformance:
        return NULL
    return array(*(integer(selector) for selector in known))
