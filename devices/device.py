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
from dlms.axdr.data import Data, octet_string
from dlms.cosem.interface_class import fits
from dlms.security.ops import Step
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.registry import Request, Response
from dlms.xdlms.set import SetRequest, SetResponse


class Device(Meter):
    """A meter that answers."""

    def handle(self, request: Request, row: AssociationRow, now: dt.datetime) -> Step[Response]:
        """Carry out ``request`` at the true time ``now`` (aware) and give the response."""
        if isinstance(request, GetRequest):
            return GetResponse(request.invoke, self._get(request, row, now))
        if isinstance(request, SetRequest):
            return SetResponse(request.invoke, self._set(request, row, now))
        outcome = yield from self._act(request, row, now)
        return ActionResponse(request.invoke, outcome.result, outcome.returned)

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
        self, request: GetRequest, association: AssociationRow, now: dt.datetime
    ) -> Data | DataAccessResult:
        found = self._find(request.attribute, association)
        if isinstance(found, int):
            return DataAccessResult(found)
        row, rights = found
        number = request.attribute.attribute
        if row.interface_class.attribute(number) is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if not rights.attribute(number).readable:
            return DataAccessResult.READ_WRITE_DENIED
        return _read(Call(self, row, association, now), number, request.selection)

    def attribute(
        self, row: ObjectRow, number: int, association: AssociationRow, now: dt.datetime
    ) -> Data | DataAccessResult:
        return _read(Call(self, row, association, now), number)

    def _set(
        self, request: SetRequest, association: AssociationRow, now: dt.datetime
    ) -> DataAccessResult:
        found = self._find(request.attribute, association)
        if isinstance(found, int):
            return DataAccessResult(found)
        row, rights = found
        number = request.attribute.attribute
        attribute = row.interface_class.attribute(number)
        if attribute is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if not rights.attribute(number).writable:
            return DataAccessResult.READ_WRITE_DENIED
        if request.selection is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        if not fits(attribute.types, request.value):
            return DataAccessResult.TYPE_UNMATCHED
        write = BEHAVIOURS[row.interface_class.class_id].write.get(number)
        if write is not None:
            return write(Call(self, row, association, now), request.value)
        current = self.value(row, number)
        if current is not None and current.type is not request.value.type:
            return DataAccessResult.TYPE_UNMATCHED
        self.store(row, number, request.value)
        return DataAccessResult.SUCCESS

    def _act(
        self, request: ActionRequest, association: AssociationRow, now: dt.datetime
    ) -> Step[Outcome]:
        found = self._find(request.method, association)
        if isinstance(found, int):
            return Outcome(ActionResult(found))
        row, rights = found
        method = row.interface_class.method(request.method.method)
        if method is None:
            return Outcome(ActionResult.OBJECT_UNDEFINED)
        if method.number not in rights.methods:
            return Outcome(ActionResult.READ_WRITE_DENIED)
        invoke = BEHAVIOURS[row.interface_class.class_id].invoke.get(method.number)
        if invoke is None:
            return Outcome(ActionResult.OBJECT_UNAVAILABLE)
        if not fits(method.parameter, request.parameter):
            return Outcome(ActionResult.TYPE_UNMATCHED)
        assert request.parameter is not None  # fits() has checked
        outcome = invoke(Call(self, row, association, now), request.parameter)
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
