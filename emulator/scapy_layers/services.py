"""GET, SET and ACTION by logical names, in all their forms (GB Ed. 8, 9.3.6 to 9.3.8 and 9.5)."""

from __future__ import annotations

from typing import Any

from scapy.fields import BitField, PacketField

from dlms.xdlms import action, get, registry
from dlms.xdlms import set as setting
from dlms.xdlms.codes import ActionResult, DataAccessResult
from emulator.scapy_layers.apdu import Service, apdu
from emulator.scapy_layers.data import CosemData
from emulator.scapy_layers.descriptors import (
    BOOLEAN,
    ActionResponseItem,
    AttributeItem,
    DataAccessResultItem,
    GetDataResult,
    MethodDescriptor,
    attribute,
    block,
    data,
    invoke,
    method,
    selection,
    values,
)
from emulator.scapy_layers.parts import CodeField, TagField, chosen, optional, several, string


def _head(tag: int, choice: int, form: str) -> list[Any]:
    return [
        TagField("tag", tag, registry.BY_TAG[tag].name),
        TagField("choice", choice, form),
        *invoke(),
    ]


def _number() -> BitField:
    return BitField("block_number", 1, 32)


def _get(choice: int, form: str) -> list[Any]:
    return _head(get.REQUEST_TAG, choice, f"get-request-{form}")


def _got(choice: int, form: str) -> list[Any]:
    return _head(get.RESPONSE_TAG, choice, f"get-response-{form}")


def _set(choice: int, form: str) -> list[Any]:
    return _head(setting.REQUEST_TAG, choice, f"set-request-{form}")


def _was_set(choice: int, form: str) -> list[Any]:
    return _head(setting.RESPONSE_TAG, choice, f"set-response-{form}")


def _act(choice: int, form: str) -> list[Any]:
    return _head(action.REQUEST_TAG, choice, f"action-request-{form}")


def _acted(choice: int, form: str) -> list[Any]:
    return _head(action.RESPONSE_TAG, choice, f"action-response-{form}")


def _items() -> list[Any]:
    return several("attributes", AttributeItem)


@apdu(get.REQUEST_TAG, 1)
class GetRequestNormal(Service):
    name = "Get-Request-Normal"
    fields_desc = [*_get(1, "normal"), attribute(), *selection()]


@apdu(get.REQUEST_TAG, 2)
class GetRequestNext(Service):
    name = "Get-Request-Next"
    fields_desc = [*_get(2, "next"), _number()]


@apdu(get.REQUEST_TAG, 3)
class GetRequestWithList(Service):
    name = "Get-Request-With-List"
    fields_desc = [*_get(3, "with-list"), *_items()]


@apdu(get.RESPONSE_TAG, 1)
class GetResponseNormal(Service):
    name = "Get-Response-Normal"
    fields_desc = [
        *_got(1, "normal"),
        PacketField("result", GetDataResult(), GetDataResult),
    ]


@apdu(get.RESPONSE_TAG, 2)
class GetResponseWithDatablock(Service):
    name = "Get-Response-With-Datablock"
    fields_desc = [
        *_got(2, "with-datablock"),
        CodeField("last_block", 0, BOOLEAN),
        _number(),
        CodeField("result_choice", 0, {0: "raw-data", 1: "data-access-result"}),
        *chosen(
            "result_choice", {0: string("raw_data"), 1: CodeField("result", 0, DataAccessResult)}
        ),
    ]


@apdu(get.RESPONSE_TAG, 3)
class GetResponseWithList(Service):
    name = "Get-Response-With-List"
    fields_desc = [*_got(3, "with-list"), *several("results", GetDataResult)]


@apdu(setting.REQUEST_TAG, 1)
class SetRequestNormal(Service):
    name = "Set-Request-Normal"
    fields_desc = [*_set(1, "normal"), attribute(), *selection(), data()]


@apdu(setting.REQUEST_TAG, 2)
class SetRequestFirstDatablock(Service):
    name = "Set-Request-With-First-Datablock"
    fields_desc = [*_set(2, "with-first-datablock"), attribute(), *selection(), *block()]


@apdu(setting.REQUEST_TAG, 3)
class SetRequestDatablock(Service):
    name = "Set-Request-With-Datablock"
    fields_desc = [*_set(3, "with-datablock"), *block()]


@apdu(setting.REQUEST_TAG, 4)
class SetRequestWithList(Service):
    name = "Set-Request-With-List"
    fields_desc = [*_set(4, "with-list"), *_items(), *values()]


@apdu(setting.REQUEST_TAG, 5)
class SetRequestWithListFirstDatablock(Service):
    name = "Set-Request-With-List-And-First-Datablock"
    fields_desc = [*_set(5, "with-list-and-first-datablock"), *_items(), *block()]


def _result() -> CodeField:
    return CodeField("result", 0, DataAccessResult)


@apdu(setting.RESPONSE_TAG, 1)
class SetResponseNormal(Service):
    name = "Set-Response-Normal"
    fields_desc = [*_was_set(1, "normal"), _result()]


@apdu(setting.RESPONSE_TAG, 2)
class SetResponseDatablock(Service):
    name = "Set-Response-Datablock"
    fields_desc = [*_was_set(2, "datablock"), _number()]


@apdu(setting.RESPONSE_TAG, 3)
class SetResponseLastDatablock(Service):
    name = "Set-Response-Last-Datablock"
    fields_desc = [*_was_set(3, "last-datablock"), _result(), _number()]


@apdu(setting.RESPONSE_TAG, 4)
class SetResponseLastDatablockWithList(Service):
    name = "Set-Response-Last-Datablock-With-List"
    fields_desc = [
        *_was_set(4, "last-datablock-with-list"),
        *several("results", DataAccessResultItem),
        _number(),
    ]


@apdu(setting.RESPONSE_TAG, 5)
class SetResponseWithList(Service):
    name = "Set-Response-With-List"
    fields_desc = [*_was_set(5, "with-list"), *several("results", DataAccessResultItem)]


@apdu(action.REQUEST_TAG, 1)
class ActionRequestNormal(Service):
    name = "Action-Request-Normal"
    fields_desc = [
        *_act(1, "normal"),
        method(),
        *optional("parameters", PacketField("parameters", None, CosemData)),
    ]


@apdu(action.REQUEST_TAG, 2)
class ActionRequestNextPblock(Service):
    name = "Action-Request-Next-Pblock"
    fields_desc = [*_act(2, "next-pblock"), _number()]


@apdu(action.REQUEST_TAG, 3)
class ActionRequestWithList(Service):
    name = "Action-Request-With-List"
    fields_desc = [
        *_act(3, "with-list"),
        *several("methods", MethodDescriptor),
        *values("parameters"),
    ]


@apdu(action.REQUEST_TAG, 4)
class ActionRequestFirstPblock(Service):
    name = "Action-Request-With-First-Pblock"
    fields_desc = [*_act(4, "with-first-pblock"), method(), *block()]


@apdu(action.REQUEST_TAG, 5)
class ActionRequestWithListFirstPblock(Service):
    name = "Action-Request-With-List-And-First-Pblock"
    fields_desc = [
        *_act(5, "with-list-and-first-pblock"),
        *several("methods", MethodDescriptor),
        *block(),
    ]


@apdu(action.REQUEST_TAG, 6)
class ActionRequestPblock(Service):
    name = "Action-Request-With-Pblock"
    fields_desc = [*_act(6, "with-pblock"), *block()]


@apdu(action.RESPONSE_TAG, 1)
class ActionResponseNormal(Service):
    name = "Action-Response-Normal"
    fields_desc = [
        *_acted(1, "normal"),
        CodeField("action_result", 0, ActionResult),
        *optional("returned", PacketField("returned", None, GetDataResult)),
    ]


@apdu(action.RESPONSE_TAG, 2)
class ActionResponsePblock(Service):
    name = "Action-Response-With-Pblock"
    fields_desc = [*_acted(2, "with-pblock"), *block()]


@apdu(action.RESPONSE_TAG, 3)
class ActionResponseWithList(Service):
    name = "Action-Response-With-List"
    fields_desc = [*_acted(3, "with-list"), *several("responses", ActionResponseItem)]


@apdu(action.RESPONSE_TAG, 4)
class ActionResponseNextPblock(Service):
    name = "Action-Response-Next-Pblock"
    fields_desc = [*_acted(4, "next-pblock"), _number()]
