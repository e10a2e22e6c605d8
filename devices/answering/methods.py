"""Methods, invoked one by one (GB Ed. 8, 9.3.8)."""

from __future__ import annotations

from devices.answering.asking import Asking
from devices.objects.behaviour import Outcome
from devices.objects.registry import BEHAVIOURS
from devices.profile.model import ObjectRow
from devices.profile.rights import Rights
from dlms.axdr.data import Data
from dlms.cosem.interface_class import fits
from dlms.security.ops import Step
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.descriptors import MethodDescriptor


def act(asking: Asking, descriptor: MethodDescriptor, parameter: Data | None) -> Step[Outcome]:
    """One item of ACTION."""
    found = asking.find(descriptor)
    if isinstance(found, int):
        return Outcome(ActionResult(found))
    return (yield from invoke(asking, *found, descriptor.method, parameter))


def invoke(
    asking: Asking, row: ObjectRow, rights: Rights, number: int, parameter: Data | None
) -> Step[Outcome]:
    """Invoke a method of ``row``, if the rights and its parameter's type allow it.

    The codes are those of attributes: denied without the right, scope-of-access-violated without
    the protection it asks for.
    """
    method = row.interface_class.method(number)
    if method is None:
        return Outcome(ActionResult.OBJECT_UNDEFINED)
    access = rights.method(number)
    if not access:
        return Outcome(ActionResult.READ_WRITE_DENIED)
    if not asking.admits(access):
        return Outcome(ActionResult.SCOPE_OF_ACCESS_VIOLATED)
    class_id = row.interface_class.class_id
    behaviour = BEHAVIOURS[class_id].invoke.get(number)
    if asking.device.odd_methods:
        behaviour = asking.device.odd_methods.get((class_id, number), (behaviour,))[-1]
    if behaviour is None:
        return Outcome(ActionResult.OBJECT_UNAVAILABLE)
    if parameter is None or not fits(method.parameter, parameter):
        return Outcome(ActionResult.TYPE_UNMATCHED)
    outcome = behaviour(asking.call(row), parameter)
    if isinstance(outcome, Outcome):
        return outcome
    return (yield from outcome)
