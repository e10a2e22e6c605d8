"""AARE: the server's answer to an AARQ (GB Ed. 8, 9.4.2.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlms.acse import ber, fields
from dlms.acse.codes import AssociationResult, ProviderDiagnostic, UserDiagnostic
from dlms.acse.fields import AuthenticationValue
from dlms.errors import CodecError

TAG = 0x61
_USER = 0xA1
_PROVIDER = 0xA2


@dataclass(frozen=True, slots=True, kw_only=True)
class Aare:
    """All fields of the AARE. ``None`` is absent.

    ``user_information`` holds an InitiateResponse, or a ConfirmedServiceError if the xDLMS context
    was refused; it stays out of the ``repr``, as in the AARQ.
    """

    application_context_name: bytes
    result: AssociationResult
    diagnostic: UserDiagnostic | ProviderDiagnostic
    protocol_version: str | None = None
    responding_ap_title: bytes | None = None
    responding_ae_qualifier: bytes | None = None
    responding_ap_invocation_id: int | None = None
    responding_ae_invocation_id: int | None = None
    responder_acse_requirements: bool | None = None
    mechanism_name: bytes | None = None
    responding_authentication_value: AuthenticationValue | None = None
    implementation_information: bytes | None = None
    user_information: bytes | None = field(default=None, repr=False)

    def encode(self) -> bytes:
        parts: list[bytes] = []
        if self.protocol_version is not None:
            parts.append(ber.tlv(0x80, ber.encode_bits(self.protocol_version)))
        choice = _USER if isinstance(self.diagnostic, UserDiagnostic) else _PROVIDER
        parts += (
            fields.encode_context(self.application_context_name),
            ber.wrapped(0xA2, ber.INTEGER, bytes((self.result,))),
            ber.tlv(0xA3, ber.wrapped(choice, ber.INTEGER, bytes((self.diagnostic,)))),
        )
        parts += (
            fields.encode_party(
                0xA4,
                self.responding_ap_title,
                self.responding_ae_qualifier,
                self.responding_ap_invocation_id,
                self.responding_ae_invocation_id,
            ),
            fields.encode_authentication(
                0x88,
                self.responder_acse_requirements,
                self.mechanism_name,
                self.responding_authentication_value,
            ),
            fields.encode_information(self.implementation_information, self.user_information),
        )
        return ber.tlv(TAG, b"".join(parts))

    @classmethod
    def decode(cls, octets: bytes) -> Aare:
        """Decode. :class:`CodecError` for anything that is not exactly one AARE."""
        found: dict[str, object] = {}
        for tag, content, offset in ber.elements(octets, TAG, "AARE"):
            match tag:
                case 0x80:
                    found["protocol_version"] = ber.decode_bits(content, offset, "protocol-version")
                case 0xA1:
                    found["application_context_name"] = fields.decode_context(content, offset)
                case 0xA2:
                    found["result"] = _result(content, offset)
                case 0xA3:
                    found["diagnostic"] = _diagnostic(content, offset)
                case 0xA4 | 0xA5:
                    found[_OCTETS[tag]] = fields.octets(content, offset, _OCTETS[tag])
                case 0xA6 | 0xA7:
                    found[_INTEGERS[tag]] = fields.integer(content, offset, _INTEGERS[tag])
                case 0x88:
                    found["responder_acse_requirements"] = fields.decode_requirements(
                        content, offset
                    )
                case 0x89:
                    found["mechanism_name"] = ber.check_name(content, offset, "mechanism-name")
                case 0xAA:
                    found["responding_authentication_value"] = fields.decode_authentication_value(
                        content, offset
                    )
                # IMPLICIT GraphicString is 9D; some stacks write the same octets under BD.
                case 0x9D | 0xBD:
                    found["implementation_information"] = content
                case 0xBE:
                    found["user_information"] = fields.octets(content, offset, "user-information")
                case _:
                    raise CodecError(f"unknown element {tag:02X}", offset=offset, field="AARE")
        for mandatory in ("application_context_name", "result", "diagnostic"):
            if mandatory not in found:
                raise CodecError(f"{mandatory} missing", offset=0, field="AARE")
        return cls(**found)  # type: ignore[arg-type]  # one typed decoder per key above


def _result(content: bytes, offset: int) -> AssociationResult:
    code = fields.integer(content, offset, "result")
    try:
        return AssociationResult(code)
    except ValueError:
        raise CodecError(f"result {code} is unknown", offset=offset, field="result") from None


def _diagnostic(content: bytes, offset: int) -> UserDiagnostic | ProviderDiagnostic:
    name = "result-source-diagnostic"
    choice = content[0] if content else 0
    if choice not in (_USER, _PROVIDER):
        raise CodecError(f"choice {choice:02X} is unknown", offset=offset, field=name)
    inner = ber.unwrap(content, choice, offset, name)
    code = fields.integer(inner, offset, name)
    try:
        return UserDiagnostic(code) if choice == _USER else ProviderDiagnostic(code)
    except ValueError:
        raise CodecError(f"diagnostic {code} is unknown", offset=offset, field=name) from None


_OCTETS = {0xA4: "responding_ap_title", 0xA5: "responding_ae_qualifier"}
_INTEGERS = {0xA6: "responding_ap_invocation_id", 0xA7: "responding_ae_invocation_id"}
