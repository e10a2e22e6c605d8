"""The xDLMS context, errors, and blocks of any APDU (GB Ed. 8, 9.3.5, 9.4.6.1 and 9.5)."""

from __future__ import annotations

from typing import Any

from scapy.fields import (
    BitField,
    ByteField,
    ConditionalField,
    Field,
    FlagsField,
    IntField,
    MultipleTypeField,
    ShortField,
    XShortField,
)
from scapy.packet import Packet

from dlms.xdlms import general_block
from dlms.xdlms.codes import (
    ApplicationReferenceError,
    ErrorClass,
    ErrorService,
    InitiateError,
    ServiceErrorCode,
    StateError,
)
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import DLMS_VERSION, VAA_NAME_LN
from emulator.scapy_layers.apdu import Service, apdu
from emulator.scapy_layers.parts import CodeField, optional, string, tag_of

_NEW, _OLD = 0x5F1F, 0x5F
_NAMED = {int(one): str(one.name).lower().replace("_", "-") for one in Conformance}
_BITS = [_NAMED.get(1 << bit, f"bit-{bit}") for bit in range(24)]


class ConformanceTagField(Field):
    """``[APPLICATION 31]`` in two octets, or the older form in one."""

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        return s + (b"\x5f" if val == _OLD else int(val).to_bytes(2, "big"))

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, int]:
        if s[:2] == b"\x5f\x04":
            return s[1:], _OLD
        return s[2:], int.from_bytes(s[:2], "big")

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        return f"{x:#x}" if isinstance(x, int) else repr(x)

    def randval(self) -> Any:
        return None


def _conformance(name: str) -> list[Any]:
    return [
        ConformanceTagField("conformance_tag", _NEW),
        ByteField("conformance_length", 4),
        ByteField("unused_bits", 0),
        FlagsField(name, int(Conformance.GET | Conformance.SET | Conformance.ACTION), 24, _BITS),
    ]


@apdu(0x01)
class InitiateRequest(Service):
    name = "Initiate-Request"
    fields_desc = [
        tag_of(0x01),
        *optional("dedicated_key", *string("dedicated_key", None)),
        *optional("response_allowed", ByteField("response_allowed", None)),
        *optional("proposed_quality_of_service", ByteField("proposed_quality_of_service", None)),
        ByteField("proposed_dlms_version_number", DLMS_VERSION),
        *_conformance("proposed_conformance"),
        ShortField("client_max_receive_pdu_size", 0xFFFF),
    ]


@apdu(0x08)
class InitiateResponse(Service):
    name = "Initiate-Response"
    fields_desc = [
        tag_of(0x08),
        *optional(
            "negotiated_quality_of_service", ByteField("negotiated_quality_of_service", None)
        ),
        ByteField("negotiated_dlms_version_number", DLMS_VERSION),
        *_conformance("negotiated_conformance"),
        ShortField("server_max_receive_pdu_size", 0xFFFF),
        XShortField("vaa_name", VAA_NAME_LN),
    ]


@apdu(0x0E)
class ConfirmedServiceError(Service):
    """``error`` is a code of the class; those of two classes have names."""

    name = "Confirmed-Service-Error"
    fields_desc = [
        tag_of(0x0E),
        CodeField("service", ErrorService.INITIATE, ErrorService),
        CodeField("error_class", ErrorClass.INITIATE, ErrorClass),
        MultipleTypeField(
            [
                (
                    CodeField("error", 0, InitiateError),
                    lambda pkt: pkt.error_class == ErrorClass.INITIATE,
                ),
                (
                    CodeField("error", 0, ApplicationReferenceError),
                    lambda pkt: pkt.error_class == ErrorClass.APPLICATION_REFERENCE,
                ),
            ],
            ByteField("error", 0),
        ),
    ]


@apdu(0xD8)
class ExceptionResponse(Service):
    name = "Exception-Response"
    fields_desc = [
        tag_of(0xD8),
        CodeField("state_error", StateError.SERVICE_NOT_ALLOWED, StateError),
        CodeField("service_error", ServiceErrorCode.OTHER_REASON, ServiceErrorCode),
        ConditionalField(
            IntField("invocation_counter", 0),
            lambda pkt: pkt.service_error == ServiceErrorCode.INVOCATION_COUNTER_ERROR,
        ),
    ]


@apdu(general_block.TAG)
class GeneralBlockTransfer(Service):
    name = "General-Block-Transfer"
    fields_desc = [
        tag_of(general_block.TAG),
        BitField("last_block", 0, 1),
        BitField("streaming", 0, 1),
        BitField("window", 1, 6),
        ShortField("block_number", 1),
        ShortField("block_number_ack", 0),
        *string("block_data"),
    ]
