"""AARQ: a client asks for an association (GB Ed. 8, 9.4.2.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlms.acse import ber, fields
from dlms.acse.fields import AuthenticationValue
from dlms.errors import CodecError

TAG = 0x60


@dataclass(frozen=True, slots=True, kw_only=True)
class Aarq:
    """All fields of the AARQ. ``None`` is absent.

    ``protocol_version`` are the bits, first bit (version1) first; absent stands for version1.
    Names are the content octets of their OBJECT IDENTIFIER, so that an unknown one can be refused
    by the association and not by the codec. ``sender_acse_requirements`` is whether the
    authentication functional unit is asked for. ``user_information`` holds an InitiateRequest; it
    stays out of the ``repr``, for a client may put a dedicated key there in the clear.
    """

    application_context_name: bytes
    protocol_version: str | None = None
    called_ap_title: bytes | None = None
    called_ae_qualifier: bytes | None = None
    called_ap_invocation_id: int | None = None
    called_ae_invocation_id: int | None = None
    calling_ap_title: bytes | None = None
    calling_ae_qualifier: bytes | None = None
    calling_ap_invocation_id: int | None = None
    calling_ae_invocation_id: int | None = None
    sender_acse_requirements: bool | None = None
    mechanism_name: bytes | None = None
    calling_authentication_value: AuthenticationValue | None = None
    implementation_information: bytes | None = None
    user_information: bytes | None = field(default=None, repr=False)

    @property
    def supports_version1(self) -> bool:
        return self.protocol_version is None or self.protocol_version[:1] == "1"

    def encode(self) -> bytes:
        parts: list[bytes] = []
        if self.protocol_version is not None:
            parts.append(ber.tlv(0x80, ber.encode_bits(self.protocol_version)))
        parts.append(fields.encode_context(self.application_context_name))
        parts += (
            fields.encode_party(
                0xA2,
                self.called_ap_title,
                self.called_ae_qualifier,
                self.called_ap_invocation_id,
                self.called_ae_invocation_id,
            ),
            fields.encode_party(
                0xA6,
                self.calling_ap_title,
                self.calling_ae_qualifier,
                self.calling_ap_invocation_id,
                self.calling_ae_invocation_id,
            ),
            fields.encode_authentication(
                0x8A,
                self.sender_acse_requirements,
                self.mechanism_name,
                self.calling_authentication_value,
            ),
            fields.encode_information(self.implementation_information, self.user_information),
        )
        return ber.tlv(TAG, b"".join(parts))

    @classmethod
    def decode(cls, octets: bytes) -> Aarq:
        """Decode. :class:`CodecError` for anything that is not exactly one AARQ."""
        found: dict[str, object] = {}
        for tag, content, offset in ber.elements(octets, TAG, "AARQ"):
            match tag:
                case 0x80:
                    found["protocol_version"] = ber.decode_bits(content, offset, "protocol-version")
                case 0xA1:
                    found["application_context_name"] = fields.decode_context(content, offset)
                case 0xA2 | 0xA3 | 0xA6 | 0xA7:
                    found[_OCTETS[tag]] = fields.octets(content, offset, _OCTETS[tag])
                case 0xA4 | 0xA5 | 0xA8 | 0xA9:
                    found[_INTEGERS[tag]] = fields.integer(content, offset, _INTEGERS[tag])
                case 0x8A:
                    found["sender_acse_requirements"] = fields.decode_requirements(content, offset)
                case 0x8B:
                    found["mechanism_name"] = ber.check_name(content, offset, "mechanism-name")
                case 0xAC:
                    found["calling_authentication_value"] = fields.decode_authentication_value(
                        content, offset
                    )
                # IMPLICIT GraphicString is 9D; some stacks write the same octets under BD.
                case 0x9D | 0xBD:
                    found["implementation_information"] = content
                case 0xBE:
                    found["user_information"] = fields.octets(content, offset, "user-information")
                case _:
                    raise CodecError(f"unknown element {tag:02X}", offset=offset, field="AARQ")
        if "application_context_name" not in found:
            raise CodecError("application-context-name missing", offset=0, field="AARQ")
        return cls(**found)  # type: ignore[arg-type]  # one typed decoder per key above


_OCTETS = {
    0xA2: "called_ap_title",
    0xA3: "called_ae_qualifier",
    0xA6: "calling_ap_title",
    0xA7: "calling_ae_qualifier",
}
_INTEGERS = {
    0xA4: "called_ap_invocation_id",
    0xA5: "called_ae_invocation_id",
    0xA8: "calling_ap_invocation_id",
    0xA9: "calling_ae_invocation_id",
}
