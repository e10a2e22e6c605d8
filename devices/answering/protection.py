"""The protection that access rights promise for a response (GB Ed. 8, 9.2.7.2.2)."""

from __future__ import annotations

from collections.abc import Iterator

from devices.answering import names
from devices.answering.asking import Answerable, Asking
from devices.profile.rights import Access, Rights
from dlms.cosem.interface_class import Method
from dlms.security.control import Protection
from dlms.xdlms.access import AccessRequest
from dlms.xdlms.action import ActionRequest, ActionRequestWithList
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import GetRequest, GetRequestWithList
from dlms.xdlms.set import SetRequest, SetRequestWithList
from dlms.xdlms.variable_access import ParameterizedAccess, VariableName

Descriptor = AttributeDescriptor | MethodDescriptor


def of_response(asking: Asking, request: Answerable) -> Protection:
    """The union over all that ``request`` touches; nothing for what is not there."""
    needed = Protection.NONE
    for access in _touched(asking, request):
        needed |= access.response
    return needed


def _touched(asking: Asking, request: Answerable) -> Iterator[Access]:
    for descriptor in _descriptors(request):
        found = asking.find(descriptor)
        if not isinstance(found, int):
            yield from _access(found[1], descriptor)
    # The services of short names are those that name no descriptors.
    for item in getattr(request, "specifications", ()):
        if isinstance(item, VariableName | ParameterizedAccess):
            named = names.resolve(asking, item.name)
            if isinstance(named, tuple):
                _, rights, member = named
                method = isinstance(member, Method)
                yield rights.method(member.number) if method else rights.attribute(member.number)


def _access(rights: Rights, descriptor: Descriptor) -> Iterator[Access]:
    if isinstance(descriptor, MethodDescriptor):
        yield rights.method(descriptor.method)
    elif descriptor.attribute:
        yield rights.attribute(descriptor.attribute)
    else:
        yield from rights.attributes.values()


def _descriptors(request: Answerable) -> tuple[Descriptor, ...]:
    match request:
        case GetRequest() | SetRequest():
            return (request.attribute,)
        case ActionRequest():
            return (request.method,)
        case GetRequestWithList() | SetRequestWithList():
            return tuple(attribute for attribute, _ in request.items)
        case ActionRequestWithList():
            return request.methods
        case AccessRequest():
            return tuple(
                item.method if hasattr(item, "method") else item.attribute
                for item in request.specifications
            )
        case _:
            return ()
