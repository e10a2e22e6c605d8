"""Read and Write: items by short name (GB Ed. 8, 9.3.14 to 9.3.16).

A name is that of an attribute or of a method. Parameterized access is selective access to an
attribute, or the invocation of a method with its parameter: Read where it returns something, Write
where it does not matter. ACTION and data-access-result share their codes.
"""

from __future__ import annotations

from devices.answering import attributes, methods
from devices.answering.asking import Asking
from devices.profile.model import ObjectRow
from devices.profile.rights import Rights
from dlms.axdr.data import NULL, Data
from dlms.cosem.interface_class import Attribute, Method
from dlms.security.ops import Step
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.descriptors import SelectiveAccess
from dlms.xdlms.read import ReadRequest, ReadResponse
from dlms.xdlms.variable_access import ParameterizedAccess, VariableAccess, VariableName
from dlms.xdlms.write import UnconfirmedWriteRequest, WriteRequest, WriteResponse

_UNDEFINED = DataAccessResult.OBJECT_UNDEFINED


def read(asking: Asking, request: ReadRequest) -> Step[ReadResponse]:
    """Every item in its order, each whatever becomes of the others."""
    results: list[Data | DataAccessResult] = []
    for item in request.specifications:
        results.append((yield from _read(asking, item)))
    return ReadResponse(tuple(results))


def write(asking: Asking, request: WriteRequest | UnconfirmedWriteRequest) -> Step[WriteResponse]:
    """The same; of an unconfirmed request nobody will be told."""
    results: list[DataAccessResult] = []
    for item, value in zip(request.specifications, request.data, strict=True):
        results.append((yield from _write(asking, item, value)))
    return WriteResponse(tuple(results))


def resolve(
    asking: Asking, name: int
) -> tuple[ObjectRow, Rights, Attribute | Method] | DataAccessResult:
    """What a short name stands for. Where there is no right on the object, there is no object."""
    found = asking.device.profile.short_names.members.get(name)
    if found is None:
        return _UNDEFINED
    row, member = found
    rights = row.rights.get(asking.association.name)
    return _UNDEFINED if rights is None else (row, rights, member)


def _read(asking: Asking, item: VariableAccess) -> Step[Data | DataAccessResult]:
    # Blocks are put together before; what is left of them here has no name to be found by.
    if not isinstance(item, VariableName | ParameterizedAccess):
        return _UNDEFINED
    found = resolve(asking, item.name)
    if isinstance(found, DataAccessResult):
        return found
    row, rights, member = found
    parameter = item.parameter if isinstance(item, ParameterizedAccess) else None
    if isinstance(member, Method):
        outcome = yield from methods.invoke(asking, row, rights, member.number, parameter)
        if outcome.result:
            return DataAccessResult(outcome.result)
        return NULL if outcome.returned is None else outcome.returned
    selection = None
    if isinstance(item, ParameterizedAccess):
        selection = SelectiveAccess(item.selector, item.parameter)
    return attributes.read(asking, row, rights, member.number, selection)


def _write(asking: Asking, item: VariableAccess, value: Data) -> Step[DataAccessResult]:
    if not isinstance(item, VariableName | ParameterizedAccess):
        return _UNDEFINED
    found = resolve(asking, item.name)
    if isinstance(found, DataAccessResult):
        return found
    row, rights, member = found
    if isinstance(member, Method):
        # The data of a Write is the parameter; one in the specification would be a second.
        if isinstance(item, ParameterizedAccess):
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        outcome = yield from methods.invoke(asking, row, rights, member.number, value)
        return DataAccessResult(outcome.result)
    selection = None
    if isinstance(item, ParameterizedAccess):
        selection = SelectiveAccess(item.selector, item.parameter)
    return attributes.write(asking, row, rights, member.number, selection, value)
