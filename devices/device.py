"""A Device: one emulated SMETS1 meter.

It knows what it is (profile, serial number) and what it remembers (state); time and cryptography
come from outside. :meth:`Device.handle` carries out a request of one association.
"""

from __future__ import annotations

import datetime as dt

from devices.meter import Meter
from devices.objects.behaviour import Call, Outcome
from devices.objects.registry import BEHAVIOURS
from devices.profile.model import AssociationRow, ObjectRow
from devices.profile.rights import Rights
from dlms.axdr.data import NULL, Data, DataType, octet_string, structure
from dlms.cosem.interface_class import fits
from dlms.security.ops import Step
from dlms.xdlms.action import (
    ActionRequest,
    ActionRequestWithList,
    ActionResponse,
    ActionResponseWithList,
    MethodResult,
)
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.get import GetRequest, GetRequestWithList, GetResponse, GetResponseWithList
from dlms.xdlms.registry import CompleteRequest, Response
from dlms.xdlms.set import SetRequest, SetRequestWithList, SetResponse, SetResponseWithList

ALL_ATTRIBUTES = 0
"""attribute_0 stands for all attributes of an object (GB Ed. 8, 9.3.6)."""


class Device(Meter):
    """A meter that answers."""

    def handle(
        self, request: CompleteRequest, row: AssociationRow, now: dt.datetime
    ) -> Step[Response]:
        """Carry out ``request`` at the true time ``now`` (aware) and give the response.

        The items of a list are carried out in their order, each whatever becomes of the others
        (GB Ed. 8, 9.3.6 to 9.3.8).
        """
        match request:
            case GetRequest(invoke, attribute, selection):
                return GetResponse(invoke, self._get(attribute, selection, row, now))
            case SetRequest(invoke, attribute, value, selection):
                return SetResponse(invoke, self._set(attribute, selection, value, row, now))
            case ActionRequest(invoke, method, parameter):
                outcome = yield from self._act(method, parameter, row, now)
                return ActionResponse(invoke, outcome.result, outcome.returned)
            case GetRequestWithList(invoke, items):
                return GetResponseWithList(
                    invoke,
                    tuple(self._get(attribute, part, row, now) for attribute, part in items),
                )
            case SetRequestWithList(invoke, items, values):
                return SetResponseWithList(
                    invoke,
                    tuple(
                        self._set(attribute, part, value, row, now)
                        for (attribute, part), value in zip(items, values, strict=True)
                    ),
                )
            case ActionRequestWithList(invoke, methods, parameters):
                results = []
                for method, parameter in zip(methods, parameters, strict=True):
                    outcome = yield from self._act(method, parameter, row, now)
                    results.append(MethodResult(outcome.result, outcome.returned))
                return ActionResponseWithList(invoke, tuple(results))

    def _find(
        self, descriptor: AttributeDescriptor | MethodDescriptor, association: AssociationRow
    ) -> tuple[ObjectRow, Rights] | int:
        """The object and the rights on it, or the code that both services share for why not.

        An object that this association has no right on does not exist for it.
        """
        row = self.profile.objects.get(descriptor.instance)
        rights = None if row is None else row.rights.get(association.name)
        if row is None or rights is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if row.interface_class.class_id != descriptor.class_id:
            return DataAccessResult.OBJECT_CLASS_INCONSISTENT
        return row, rights

    def _get(
        self,
        descriptor: AttributeDescriptor,
        selection: SelectiveAccess | None,
        association: AssociationRow,
        now: dt.datetime,
    ) -> Data | DataAccessResult:
        found = self._find(descriptor, association)
        if isinstance(found, int):
            return DataAccessResult(found)
        row, rights = found
        call = Call(self, row, association, now)
        number = descriptor.attribute
        if number == ALL_ATTRIBUTES:
            return _read_all(call, rights, selection)
        if row.interface_class.attribute(number) is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if not rights.attribute(number).readable:
            return DataAccessResult.READ_WRITE_DENIED
        return _read(call, number, selection)

    def attribute(
        self, row: ObjectRow, number: int, association: AssociationRow, now: dt.datetime
    ) -> Data | DataAccessResult:
        return _read(Call(self, row, association, now), number)

    def _set(
        self,
        descriptor: AttributeDescriptor,
        selection: SelectiveAccess | None,
        value: Data,
        association: AssociationRow,
        now: dt.datetime,
    ) -> DataAccessResult:
        found = self._find(descriptor, association)
        if isinstance(found, int):
            return DataAccessResult(found)
        row, rights = found
        call = Call(self, row, association, now)
        number = descriptor.attribute
        if selection is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        if number == ALL_ATTRIBUTES:
            return _write_all(call, rights, value)
        refusal = _unwritable(call, rights, number, value)
        return _write(call, number, value) if refusal is None else refusal

    def _act(
        self,
        descriptor: MethodDescriptor,
        parameter: Data | None,
        association: AssociationRow,
        now: dt.datetime,
    ) -> Step[Outcome]:
        found = self._find(descriptor, association)
        if isinstance(found, int):
            return Outcome(ActionResult(found))
        row, rights = found
        method = row.interface_class.method(descriptor.method)
        if method is None:
            return Outcome(ActionResult.OBJECT_UNDEFINED)
        if method.number not in rights.methods:
            return Outcome(ActionResult.READ_WRITE_DENIED)
        invoke = BEHAVIOURS[row.interface_class.class_id].invoke.get(method.number)
        if invoke is None:
            return Outcome(ActionResult.OBJECT_UNAVAILABLE)
        if not fits(method.parameter, parameter):
            return Outcome(ActionResult.TYPE_UNMATCHED)
        assert parameter is not None  # fits() has checked
        outcome = invoke(Call(self, row, association, now), parameter)
        if isinstance(outcome, Outcome):
            return outcome
        return (yield from outcome)


def _read(
    call: Call, number: int, selection: SelectiveAccess | None = None
) -> Data | DataAccessResult:
    """The value of an attribute, whatever the rights."""
    if number == 1 and selection is None:
        return octet_string(call.row.instance)
    read = BEHAVIOURS[call.row.interface_class.class_id].read.get(number)
    if read is not None:
        return read(call, selection)
    if selection is not None:
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    value = call.device.value(call.row, number)
    return DataAccessResult.OBJECT_UNAVAILABLE if value is None else value


def _numbers(call: Call) -> tuple[int, ...]:
    return (1, *(attribute.number for attribute in call.row.interface_class.attributes))


def _read_all(
    call: Call, rights: Rights, selection: SelectiveAccess | None
) -> Data | DataAccessResult:
    """attribute_0: a structure of all attributes, null-data for one that cannot be had."""
    if selection is not None:
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    values = []
    for number in _numbers(call):
        value = _read(call, number) if rights.attribute(number).readable else NULL
        values.append(value if isinstance(value, Data) else NULL)
    return structure(*values)


def _unwritable(call: Call, rights: Rights, number: int, value: Data) -> DataAccessResult | None:
    """Why an attribute cannot be given a value; ``None`` if, so far, it can."""
    attribute = call.row.interface_class.attribute(number)
    if attribute is None:
        return DataAccessResult.OBJECT_UNDEFINED
    if not rights.attribute(number).writable:
        return DataAccessResult.READ_WRITE_DENIED
    if not fits(attribute.shape, value):
        return DataAccessResult.TYPE_UNMATCHED
    return None


def _write(call: Call, number: int, value: Data) -> DataAccessResult:
    write = BEHAVIOURS[call.row.interface_class.class_id].write.get(number)
    if write is not None:
        return write(call, value)
    current = call.device.value(call.row, number)
    if current is not None and current.type is not value.type:
        return DataAccessResult.TYPE_UNMATCHED
    call.device.store(call.row, number, value)
    return DataAccessResult.SUCCESS


def _write_all(call: Call, rights: Rights, value: Data) -> DataAccessResult:
    """attribute_0: null-data leaves an attribute as it is. Nothing is written if one may not be."""
    numbers = _numbers(call)
    if value.type is not DataType.STRUCTURE or not isinstance(value.value, tuple):
        return DataAccessResult.TYPE_UNMATCHED
    if len(value.value) != len(numbers):
        return DataAccessResult.TYPE_UNMATCHED
    wanted = [pair for pair in zip(numbers, value.value, strict=True) if pair[1] != NULL]
    for number, part in wanted:
        refusal = _unwritable(call, rights, number, part)
        if refusal is not None:
            return refusal
    # What a behaviour itself refuses is known only by trying; the first refusal ends it.
    for number, part in wanted:
        result = _write(call, number, part)
        if result is not DataAccessResult.SUCCESS:
            return result
    return DataAccessResult.SUCCESS
