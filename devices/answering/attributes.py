"""Attributes: read and written one by one, or all at once as attribute 0 (GB Ed. 8, 9.3.6, 9.3.7).

No right at all gives read-write-denied; a right whose protection the request has not got gives
scope-of-access-violated (GB Ed. 8, 9.2.7.2.2).
"""

from __future__ import annotations

from devices.answering.asking import Asking
from devices.objects.behaviour import Call
from devices.objects.registry import BEHAVIOURS
from devices.profile.model import ObjectRow
from devices.profile.rights import Rights
from dlms.axdr.data import NULL, Data, DataType, octet_string, structure
from dlms.cosem.interface_class import fits
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, SelectiveAccess

ALL_ATTRIBUTES = 0
"""attribute_0 stands for all attributes of an object (GB Ed. 8, 9.3.6)."""

_SUCCESS = DataAccessResult.SUCCESS
_UNDEFINED = DataAccessResult.OBJECT_UNDEFINED
_DENIED = DataAccessResult.READ_WRITE_DENIED
_VIOLATED = DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
_UNMATCHED = DataAccessResult.TYPE_UNMATCHED

# A plain IntFlag test costs a method call each; these are asked for on every request.
_GET_ALL = int(Conformance.ATTRIBUTE0_WITH_GET)
_SET_ALL = int(Conformance.ATTRIBUTE0_WITH_SET)
_SELECTIVE = int(Conformance.SELECTIVE_ACCESS)
_BY_PARAMETERS = int(Conformance.PARAMETERIZED_ACCESS)


def get(
    asking: Asking, descriptor: AttributeDescriptor, selection: SelectiveAccess | None
) -> Data | DataAccessResult:
    """One item of GET."""
    found = asking.find(descriptor)
    if isinstance(found, int):
        return DataAccessResult(found)
    return read(asking, *found, descriptor.attribute, selection)


def put(
    asking: Asking,
    descriptor: AttributeDescriptor,
    selection: SelectiveAccess | None,
    value: Data,
) -> DataAccessResult:
    """One item of SET."""
    found = asking.find(descriptor)
    if isinstance(found, int):
        return DataAccessResult(found)
    return write(asking, *found, descriptor.attribute, selection, value)


def read(
    asking: Asking, row: ObjectRow, rights: Rights, number: int, selection: SelectiveAccess | None
) -> Data | DataAccessResult:
    """The value of an attribute of ``row``, if the rights allow to read it."""
    if number == ALL_ATTRIBUTES and int(asking.association.config.conformance) & _GET_ALL:
        return _read_all(asking, row, rights, selection)
    access = rights.attribute(number)
    if not access.readable:
        return _without_right(row, number)
    if not asking.admits(access):
        return _VIOLATED
    if selection is not None and not _selects(asking):
        return _VIOLATED
    return value(asking.call(row), number, selection)


def _without_right(row: ObjectRow, number: int) -> DataAccessResult:
    """Why an attribute that there is no right to cannot be had. A profile gives none to an
    attribute that is not there, so whether it is need not be asked on every request.
    """
    return _UNDEFINED if row.interface_class.attribute(number) is None else _DENIED


def _selects(asking: Asking) -> bool:
    """Whether the association offers selective access, under its name for it."""
    config = asking.association.config
    return bool(int(config.conformance) & (_BY_PARAMETERS if config.short_names else _SELECTIVE))


def value(
    call: Call, number: int, selection: SelectiveAccess | None = None
) -> Data | DataAccessResult:
    """The value of an attribute, whatever the rights; of all for attribute 0."""
    if number == ALL_ATTRIBUTES and selection is None:
        return structure(*(_or_null(value(call, n)) for n in _numbers(call.row)))
    if number == 1 and selection is None:
        return octet_string(call.row.instance)
    behaviour = BEHAVIOURS[call.row.interface_class.class_id].read.get(number)
    if behaviour is not None:
        return behaviour(call, selection)
    if selection is not None:
        return _VIOLATED
    stored = call.device.value(call.row, number)
    return DataAccessResult.OBJECT_UNAVAILABLE if stored is None else stored


def _numbers(row: ObjectRow) -> tuple[int, ...]:
    return (1, *(attribute.number for attribute in row.interface_class.attributes))


def _or_null(result: Data | DataAccessResult) -> Data:
    return result if isinstance(result, Data) else NULL


def _read_all(
    asking: Asking, row: ObjectRow, rights: Rights, selection: SelectiveAccess | None
) -> Data | DataAccessResult:
    """A structure of all attributes, null-data for one that cannot be had."""
    if selection is not None:
        return _VIOLATED
    numbers = _numbers(row)
    if not any(rights.attribute(number).readable for number in numbers):
        return _DENIED
    return structure(*(_or_null(read(asking, row, rights, n, None)) for n in numbers))


def write(
    asking: Asking,
    row: ObjectRow,
    rights: Rights,
    number: int,
    selection: SelectiveAccess | None,
    new: Data,
) -> DataAccessResult:
    """Give an attribute of ``row`` a value, if the rights and its type allow it.

    No class of ours can be written in part.
    """
    if number == ALL_ATTRIBUTES and int(asking.association.config.conformance) & _SET_ALL:
        return _VIOLATED if selection is not None else _write_all(asking, row, rights, new)
    refusal = _unwritable(asking, row, rights, number)
    if refusal is not None:
        return refusal
    if selection is not None:
        return _VIOLATED
    if _misfits(row, number, new):
        return _UNMATCHED
    return _store(asking.call(row), number, new)


def _unwritable(
    asking: Asking, row: ObjectRow, rights: Rights, number: int
) -> DataAccessResult | None:
    """What the rights have against writing an attribute; ``None`` if nothing."""
    access = rights.attribute(number)
    if not access.writable:
        return _without_right(row, number)
    return None if asking.admits(access) else _VIOLATED


def _misfits(row: ObjectRow, number: int, new: Data) -> bool:
    attribute = row.interface_class.attribute(number)
    return attribute is None or not fits(attribute.shape, new)


def _store(call: Call, number: int, new: Data) -> DataAccessResult:
    behaviour = BEHAVIOURS[call.row.interface_class.class_id].write.get(number)
    if behaviour is not None:
        return behaviour(call, new)
    current = call.device.value(call.row, number)
    if current is not None and current.type is not new.type:
        return _UNMATCHED
    call.device.store(call.row, number, new)
    return _SUCCESS


def _write_all(asking: Asking, row: ObjectRow, rights: Rights, new: Data) -> DataAccessResult:
    """null-data leaves an attribute as it is. Nothing is written if one may not be."""
    numbers = _numbers(row)
    if not any(rights.attribute(number).writable for number in numbers):
        return _DENIED
    if new.type is not DataType.STRUCTURE or not isinstance(new.value, tuple):
        return _UNMATCHED
    if len(new.value) != len(numbers):
        return _UNMATCHED
    wanted = [pair for pair in zip(numbers, new.value, strict=True) if pair[1] != NULL]
    for number, part in wanted:
        refusal = _unwritable(asking, row, rights, number)
        if refusal is not None:
            return refusal
        if _misfits(row, number, part):
            return _UNMATCHED
    # What a behaviour itself refuses is known only by trying; the first refusal ends it.
    call = asking.call(row)
    for number, part in wanted:
        result = _store(call, number, part)
        if result is not _SUCCESS:
            return result
    return _SUCCESS
