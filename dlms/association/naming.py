"""Logical names or short names: which services go with which, and how they differ (R-CTX-2)."""

from __future__ import annotations

from typing import TypeAlias

from dlms.transfer.names_contents import is_whole, step_of
from dlms.xdlms.access import AccessAction, AccessRequest, AccessResponse
from dlms.xdlms.action import (
    ActionRequest,
    ActionRequestBlock,
    ActionRequestFirstBlock,
    ActionRequestWithList,
    ActionRequestWithListFirstBlock,
)
from dlms.xdlms.descriptors import CONFIRMED, INVOKE_ID
from dlms.xdlms.long_invoke import LONG_INVOKE_ID
from dlms.xdlms.read import ReadRequest, ReadResponse
from dlms.xdlms.registry import AnyRequest, AnyResponse
from dlms.xdlms.variable_access import ParameterizedAccess, VariableName
from dlms.xdlms.write import UnconfirmedWriteRequest, WriteRequest, WriteResponse

ServedRequest: TypeAlias = AnyRequest
ServedResponse: TypeAlias = AnyResponse

SERVED_BY_SHORT_NAME = (ReadRequest, WriteRequest, UnconfirmedWriteRequest)
ANSWERS_BY_SHORT_NAME = (ReadResponse, WriteResponse)

SERVED_TAGS = {
    False: frozenset((0xC0, 0xC1, 0xC3, 0xD9)),
    True: frozenset((0x05, 0x06, 0x16)),
}
"""The services that are served, by whether names are short; others are answered as unknown."""

_KEY_CHANGES = frozenset(((64, 2), (64, 3), (64, 4), (64, 6), (64, 8), (15, 2)))
"""(class, method) of Security setup and Association LN that change keys."""

CURRENT_ASSOCIATION_SN = 0xFA00
_SECRET_CHANGES = frozenset((CURRENT_ASSOCIATION_SN + 0x40, CURRENT_ASSOCIATION_SN + 0x48))
"""change_LLS_secret and change_HLS_secret, methods 5 and 6 of the current Association SN."""


def served(request: AnyRequest, *, short_names: bool) -> ServedRequest | None:
    """``request``, if this form of it is served."""
    if not isinstance(request, SERVED_BY_SHORT_NAME):
        return None if short_names else request
    if not short_names:
        return None
    # A block among other things, or with something else than octets in it, is no form at all.
    return request if is_whole(request) or step_of(request) is not None else None


def awaited(response: AnyResponse, *, short_names: bool) -> ServedResponse | None:
    """``response``, if it is a form that the services ask for."""
    return response if isinstance(response, ANSWERS_BY_SHORT_NAME) is short_names else None


def is_confirmed(request: AnyRequest) -> bool:
    """Whether a response is due."""
    if isinstance(request, AccessRequest):
        return request.confirmed
    if isinstance(request, SERVED_BY_SHORT_NAME):
        return not isinstance(request, UnconfirmedWriteRequest)
    return bool(request.invoke & CONFIRMED)


def invoke_id(message: AnyRequest | AnyResponse) -> int:
    """By which a response is known to be that of a request; services of short names have none."""
    if isinstance(message, (*SERVED_BY_SHORT_NAME, *ANSWERS_BY_SHORT_NAME)):
        return 0
    if isinstance(message, AccessRequest | AccessResponse):
        return message.long_invoke & LONG_INVOKE_ID
    return message.invoke & INVOKE_ID


def changes_keys(request: ServedRequest) -> bool:
    """Whether ``request`` changes keys or secrets, as far as its names tell: the base names of
    Security setup objects are not known here. A block that does not tell might.
    """
    if isinstance(request, ActionRequestBlock):
        return True
    if isinstance(request, ActionRequest | ActionRequestFirstBlock):
        return request.method[::2] in _KEY_CHANGES
    if isinstance(request, ActionRequestWithList | ActionRequestWithListFirstBlock):
        return any(method[::2] in _KEY_CHANGES for method in request.methods)
    if isinstance(request, AccessRequest):
        return any(
            isinstance(item, AccessAction) and item.method[::2] in _KEY_CHANGES
            for item in request.specifications
        )
    return isinstance(request, SERVED_BY_SHORT_NAME) and any(
        not isinstance(item, VariableName | ParameterizedAccess) or item.name in _SECRET_CHANGES
        for item in request.specifications
    )
