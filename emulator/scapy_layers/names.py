"""Services of short names: Read, Write, UnconfirmedWrite, InformationReport (GB Ed. 8, 9.5)."""

from __future__ import annotations

from typing import Any

from scapy.fields import ShortField

from dlms.xdlms import information_report, read, write
from dlms.xdlms.codes import DataAccessResult
from emulator.scapy_layers.apdu import Service, apdu
from emulator.scapy_layers.descriptors import BOOLEAN, data, values, variables
from emulator.scapy_layers.parts import (
    CodeField,
    Part,
    chosen,
    optional,
    several,
    string,
    tag_of,
)


def _block() -> list[Any]:
    return [
        CodeField("last_block", 0, BOOLEAN),
        ShortField("block_number", 1),
        *string("raw_data"),
    ]


class ReadResult(Part):
    name = "Read-Response item"
    fields_desc = [
        CodeField(
            "choice",
            0,
            {0: "data", 1: "data-access-error", 2: "data-block-result", 3: "block-number"},
        ),
        *chosen(
            "choice",
            {
                0: data(),
                1: CodeField("result", 0, DataAccessResult),
                2: _block(),
                3: ShortField("taken_number", 1),
            },
        ),
    ]


class WriteResult(Part):
    name = "Write-Response item"
    fields_desc = [
        CodeField("choice", 0, {0: "success", 1: "data-access-error", 2: "block-number"}),
        *chosen(
            "choice",
            {1: CodeField("result", 1, DataAccessResult), 2: ShortField("block_number", 1)},
        ),
    ]


@apdu(read.REQUEST_TAG)
class ReadRequest(Service):
    name = "Read-Request"
    fields_desc = [tag_of(read.REQUEST_TAG), *variables()]


@apdu(read.RESPONSE_TAG)
class ReadResponse(Service):
    name = "Read-Response"
    fields_desc = [tag_of(read.RESPONSE_TAG), *several("results", ReadResult)]


@apdu(write.REQUEST_TAG)
class WriteRequest(Service):
    name = "Write-Request"
    fields_desc = [tag_of(write.REQUEST_TAG), *variables(), *values()]


@apdu(write.UNCONFIRMED_TAG)
class UnconfirmedWriteRequest(Service):
    name = "Unconfirmed-Write-Request"
    fields_desc = [tag_of(write.UNCONFIRMED_TAG), *variables(), *values()]


@apdu(write.RESPONSE_TAG)
class WriteResponse(Service):
    name = "Write-Response"
    fields_desc = [tag_of(write.RESPONSE_TAG), *several("results", WriteResult)]


@apdu(information_report.TAG)
class InformationReport(Service):
    name = "Information-Report-Request"
    fields_desc = [
        tag_of(information_report.TAG),
        *optional("current_time", *string("current_time", None)),
        *variables(),
        *values(),
    ]
