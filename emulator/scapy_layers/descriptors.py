"""What a service is about: attributes, methods, short names, and the octets that name a call."""

from __future__ import annotations

from typing import Any

from scapy.fields import (
    BitEnumField,
    BitField,
    ByteField,
    PacketField,
    ShortEnumField,
    ShortField,
)

from dlms.cosem.classes import BY_ID
from dlms.xdlms.codes import ActionResult, DataAccessResult
from emulator.scapy_layers.data import CosemData
from emulator.scapy_layers.parts import (
    CodeField,
    ObisField,
    Part,
    chosen,
    optional,
    several,
    string,
)

CLASSES = {class_id: row.name for class_id, row in BY_ID.items()}
ACCESS_RESULT = DataAccessResult
BOOLEAN = {0: "false", 1: "true", 0xFF: "true"}


def invoke() -> list[Any]:
    """Invoke-Id-And-Priority."""
    return [
        BitEnumField("priority", 1, 1, {0: "normal", 1: "high"}),
        BitEnumField("service_class", 1, 1, {0: "unconfirmed", 1: "confirmed"}),
        BitField("invoke_reserved", 0, 2),
        BitField("invoke_id", 1, 4),
    ]


def long_invoke() -> list[Any]:
    """Long-Invoke-Id-And-Priority, and the date-time behind it: 12 octets or none."""
    return [
        BitEnumField("priority", 1, 1, {0: "normal", 1: "high"}),
        BitEnumField("service_class", 1, 1, {0: "unconfirmed", 1: "confirmed"}),
        BitEnumField("processing_option", 0, 1, {0: "continue", 1: "break-on-error"}),
        BitField("self_descriptive", 0, 1),
        BitField("invoke_reserved", 0, 4),
        BitField("invoke_id", 1, 24),
        *string("date_time"),
    ]


def block() -> list[Any]:
    """DataBlock-SA."""
    return [
        CodeField("last_block", 0, BOOLEAN),
        BitField("block_number", 1, 32),
        *string("raw_data"),
    ]


def data(name: str = "data") -> PacketField:
    return PacketField(name, CosemData(), CosemData)


class AttributeDescriptor(Part):
    name = "Cosem-Attribute-Descriptor"
    fields_desc = [
        ShortEnumField("class_id", 8, CLASSES),
        ObisField("instance_id"),
        ByteField("attribute_id", 2),
    ]


class MethodDescriptor(Part):
    name = "Cosem-Method-Descriptor"
    fields_desc = [
        ShortEnumField("class_id", 8, CLASSES),
        ObisField("instance_id"),
        ByteField("method_id", 1),
    ]


class SelectiveAccess(Part):
    name = "Selective-Access-Descriptor"
    fields_desc = [ByteField("access_selector", 1), data("access_parameters")]


def attribute() -> PacketField:
    return PacketField("attribute", AttributeDescriptor(), AttributeDescriptor)


def method() -> PacketField:
    return PacketField("method", MethodDescriptor(), MethodDescriptor)


def selection() -> list[Any]:
    return optional("selection", PacketField("selection", None, SelectiveAccess))


class AttributeItem(Part):
    name = "Cosem-Attribute-Descriptor-With-Selection"
    fields_desc = [attribute(), *selection()]


class GetDataResult(Part):
    name = "Get-Data-Result"
    fields_desc = [
        CodeField("choice", 0, {0: "data", 1: "data-access-result"}),
        *chosen("choice", {0: data(), 1: CodeField("result", 0, ACCESS_RESULT)}),
    ]


class ActionResponseItem(Part):
    name = "Action-Response-With-Optional-Data"
    fields_desc = [
        CodeField("action_result", 0, ActionResult),
        *optional("returned", PacketField("returned", None, GetDataResult)),
    ]


class DataAccessResultItem(Part):
    name = "Data-Access-Result"
    fields_desc = [CodeField("result", 0, ACCESS_RESULT)]


class VariableAccess(Part):
    """Variable-Access-Specification: what a service of short names is about."""

    name = "Variable-Access-Specification"
    fields_desc = [
        CodeField(
            "choice",
            2,
            {
                2: "variable-name",
                4: "parameterized-access",
                5: "block-number-access",
                6: "read-data-block-access",
                7: "write-data-block-access",
            },
        ),
        *chosen(
            "choice",
            {
                (2, 4): ShortField("variable_name", 0xFA00),
                4: [ByteField("selector", 1), data("parameter")],
                (6, 7): CodeField("last_block", 0, BOOLEAN),
                (5, 6, 7): ShortField("block_number", 1),
                6: string("raw_data"),
            },
        ),
    ]


def variables() -> list[Any]:
    return several("specifications", VariableAccess)


def values(name: str = "values") -> list[Any]:
    """A SEQUENCE OF Data."""
    return several(name, CosemData)
