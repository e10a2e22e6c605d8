"""AARQ, AARE, RLRQ and RLRE in BER (GB Ed. 8, 9.4.2.2 and 9.4.2.3).

A CHOICE is a field for each of what may be chosen: ``charstring`` and ``bitstring`` are the
authentication value, ``acse_service_user`` and ``acse_service_provider`` the diagnostic. Scapy
builds every length in its shortest form.
"""

from __future__ import annotations

from typing import Any

from scapy.asn1.asn1 import ASN1_Codecs
from scapy.asn1.mib import conf
from scapy.asn1fields import (
    ASN1F_BIT_STRING,
    ASN1F_INTEGER,
    ASN1F_OID,
    ASN1F_SEQUENCE,
    ASN1F_STRING,
    ASN1F_enum_INTEGER,
    ASN1F_optional,
    ASN1F_STRING_PacketField,
)
from scapy.asn1packet import ASN1_Packet

from dlms.acse import ber
from dlms.acse.aare import TAG as AARE_TAG
from dlms.acse.aarq import TAG as AARQ_TAG
from dlms.acse.codes import (
    AssociationResult,
    ProviderDiagnostic,
    ReleaseRequestReason,
    ReleaseResponseReason,
    UserDiagnostic,
)
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import RLRE_TAG, RLRQ_TAG
from emulator.scapy_layers.apdu import apdu, apdu_in
from emulator.scapy_layers.keys import heard
from emulator.scapy_layers.parts import labels


def dotted(oid: bytes) -> str:
    """The content octets of an OBJECT IDENTIFIER as numbers with dots."""
    arcs, value = [], 0
    for octet in oid:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


CONTEXT_OIDS = {one: dotted(one.oid) for one in ApplicationContext}
MECHANISM_OIDS = {one: dotted(one.oid) for one in Mechanism}
for _context, _oid in CONTEXT_OIDS.items():
    conf.mib[_oid] = f"cosem-context-{_context.name}"
for _mechanism, _oid in MECHANISM_OIDS.items():
    conf.mib[_oid] = f"cosem-mechanism-{_mechanism.name}"


def _hear(pkt: Any) -> None:
    """Remember the system title of whoever has sent this."""
    for name in ("calling_ap_title", "responding_ap_title"):
        title = pkt.fields.get(name)
        if title is not None and isinstance(title.val, bytes):
            heard(title.val)


class ApduStringField(ASN1F_STRING_PacketField):
    """An OCTET STRING that is an APDU."""

    def m2i(self, pkt: Any, s: bytes) -> Any:
        value, rest = super().m2i(pkt, s)
        _hear(pkt)  # before what may be ciphered with it
        return apdu_in(value.val), rest

    def i2m(self, pkt: Any, val: Any) -> bytes:
        found: bytes = super().i2m(pkt, bytes(val) if hasattr(val, "fields_desc") else val)
        return found

    def _encode_item(self, pkt: Any, item: Any) -> bytes:
        octets = item.val if hasattr(item, "val") else item
        found: bytes = self.ASN1_tag.get_codec(pkt.ASN1_codec).enc(octets)
        return found


class IntegerField(ASN1F_INTEGER):
    """An INTEGER in its shortest form: scapy's own has an octet too many where it is -128 or a
    negative of that kind.
    """

    def _encode_item(self, pkt: Any, item: Any) -> bytes:
        value = item.val if hasattr(item, "val") else item
        if not isinstance(value, int) or not ber.MIN_INTEGER <= value <= ber.MAX_INTEGER:
            return bytes(super()._encode_item(pkt, item))
        return ber.tlv(ber.INTEGER, ber.encode_integer(value))


def _user_information() -> ASN1F_optional:
    return ASN1F_optional(ApduStringField("user_information", None, explicit_tag=0xBE))


def _octets(name: str, tag: int) -> ASN1F_optional:
    return ASN1F_optional(ASN1F_STRING(name, None, explicit_tag=tag))


def _integer(name: str, tag: int) -> ASN1F_optional:
    return ASN1F_optional(IntegerField(name, None, explicit_tag=tag))


def _bits(name: str, tag: int) -> ASN1F_optional:
    return ASN1F_optional(ASN1F_BIT_STRING(name, None, implicit_tag=tag))


def _party(who: str, tag: int) -> list[ASN1F_optional]:
    return [
        _octets(f"{who}_ap_title", tag),
        _octets(f"{who}_ae_qualifier", tag + 1),
        _integer(f"{who}_ap_invocation_id", tag + 2),
        _integer(f"{who}_ae_invocation_id", tag + 3),
    ]


def _authentication(who: str, tag: int) -> list[ASN1F_optional]:
    return [
        _bits(f"{who}_acse_requirements", tag),
        ASN1F_optional(ASN1F_OID("mechanism_name", None, implicit_tag=tag + 1)),
        ASN1F_optional(
            ASN1F_SEQUENCE(
                ASN1F_optional(ASN1F_STRING("charstring", None, implicit_tag=0x80)),
                ASN1F_optional(ASN1F_BIT_STRING("bitstring", None, implicit_tag=0x81)),
                implicit_tag=tag + 2 | 0x20,
            )
        ),
    ]


def _information() -> list[ASN1F_optional]:
    return [
        ASN1F_optional(ASN1F_STRING("implementation_information", None, implicit_tag=0x9D)),
        # The same, as some stacks write it.
        ASN1F_optional(ASN1F_STRING("implementation_information_bd", None, implicit_tag=0xBD)),
        _user_information(),
    ]


def _context_name() -> ASN1F_OID:
    default = CONTEXT_OIDS[ApplicationContext.LN]
    return ASN1F_OID("application_context_name", default, explicit_tag=0xA1)


class _Acse(ASN1_Packet):
    ASN1_codec = ASN1_Codecs.BER
    ASN1_root = None

    def post_dissect(self, s: bytes) -> bytes:
        _hear(self)
        return s

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        return b"", s


@apdu(AARQ_TAG)
class AARQ(_Acse):
    name = "AARQ"
    ASN1_root = ASN1F_SEQUENCE(
        _bits("protocol_version", 0x80),
        _context_name(),
        *_party("called", 0xA2),
        *_party("calling", 0xA6),
        *_authentication("sender", 0x8A),
        *_information(),
        implicit_tag=AARQ_TAG,
    )


@apdu(AARE_TAG)
class AARE(_Acse):
    name = "AARE"
    ASN1_root = ASN1F_SEQUENCE(
        _bits("protocol_version", 0x80),
        _context_name(),
        ASN1F_enum_INTEGER("result", 0, labels(AssociationResult), explicit_tag=0xA2),
        ASN1F_SEQUENCE(
            ASN1F_optional(
                ASN1F_enum_INTEGER(
                    "acse_service_user", None, labels(UserDiagnostic), explicit_tag=0xA1
                )
            ),
            ASN1F_optional(
                ASN1F_enum_INTEGER(
                    "acse_service_provider", None, labels(ProviderDiagnostic), explicit_tag=0xA2
                )
            ),
            implicit_tag=0xA3,
        ),
        *_party("responding", 0xA4),
        *_authentication("responder", 0x88),
        *_information(),
        implicit_tag=AARE_TAG,
    )


@apdu(RLRQ_TAG)
class RLRQ(_Acse):
    name = "RLRQ"
    ASN1_root = ASN1F_SEQUENCE(
        ASN1F_optional(
            ASN1F_enum_INTEGER("reason", None, labels(ReleaseRequestReason), implicit_tag=0x80)
        ),
        _user_information(),
        implicit_tag=RLRQ_TAG,
    )


@apdu(RLRE_TAG)
class RLRE(_Acse):
    name = "RLRE"
    ASN1_root = ASN1F_SEQUENCE(
        ASN1F_optional(
            ASN1F_enum_INTEGER("reason", None, labels(ReleaseResponseReason), implicit_tag=0x80)
        ),
        _user_information(),
        implicit_tag=RLRE_TAG,
    )
