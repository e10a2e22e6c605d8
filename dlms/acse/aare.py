"""AARE: the server's answer to an AARQ (GB Ed. 8, 9.4.2.2)."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from dlms.acse import ber, fields
from dlms.acse.codes import AssociationResult, ProviderDiagnostic, UserDiagnostic
from dlms.acse.elements import form, read_fields
from dlms.acse.fields import AuthenticationValue
from dlms.errors import CodecError
from dlms.hiding import repr_without

TAG = 0x61
_USER = 0xA1
_PROVIDER = 0xA2
_new = tuple.__new__  # NamedTuple without its Python-level __new__: three times cheaper


class Aare(NamedTuple):
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
    user_information: bytes | None = None

    def __repr__(self) -> str:
        return repr_without(self, "user_information")

    def encode(self) -> bytes:
        content = (
            fields.encode_version(self.protocol_version)
            + fields.encode_context(self.application_context_name)
            + _encode_result(self.result)
            + _encode_diagnostic(self.diagnostic)
            + fields.encode_party(
                0xA4,
                self.responding_ap_title,
                self.responding_ae_qualifier,
                self.responding_ap_invocation_id,
                self.responding_ae_invocation_id,
            )
            + fields.encode_authentication(
                0x88,
                self.responder_acse_requirements,
                self.mechanism_name,
                self.responding_authentication_value,
            )
            + fields.encode_information(self.implementation_information, self.user_information)
        )
        return ber.tlv(TAG, content)

    @classmethod
    def decode(cls, octets: bytes) -> Aare:
        """Decode. :class:`CodecError` for anything that is not exactly one AARE."""
        values = read_fields(octets, _FORM)
        if values[0] is None or values[1] is None or values[2] is None:
            missing = cls._fields[values.index(None)]
            raise CodecError(f"{missing} missing", offset=0, field="AARE")
        return _new(cls, values)


def _encode_result(result: AssociationResult) -> bytes:
    return ber.wrapped(0xA2, ber.INTEGER, bytes((result,)))


def _encode_diagnostic(diagnostic: UserDiagnostic | ProviderDiagnostic) -> bytes:
    choice = _USER if isinstance(diagnostic, UserDiagnostic) else _PROVIDER
    return ber.tlv(0xA3, ber.wrapped(choice, ber.INTEGER, bytes((diagnostic,))))


# By the shortest form of the content, which nearly every AARE has.
_RESULTS = {_encode_result(result)[2:]: result for result in AssociationResult}
_DIAGNOSTICS: dict[bytes, UserDiagnostic | ProviderDiagnostic] = {
    _encode_diagnostic(diagnostic)[2:]: diagnostic
    for diagnostic in (*UserDiagnostic, *ProviderDiagnostic)
}


def _result(content: bytes, offset: int) -> AssociationResult:
    known = _RESULTS.get(content)
    if known is not None:
        return known
    code = _RESULT_CODE(content, offset)
    try:
        return AssociationResult(code)
    except ValueError:
        raise CodecError(f"result {code} is unknown", offset=offset, field="result") from None


def _diagnostic(content: bytes, offset: int) -> UserDiagnostic | ProviderDiagnostic:
    known = _DIAGNOSTICS.get(content)
    if known is not None:
        return known
    name = "result-source-diagnostic"
    choice = content[0] if content else 0
    if choice not in (_USER, _PROVIDER):
        raise CodecError(f"choice {choice:02X} is unknown", offset=offset, field=name)
    code = _DIAGNOSTIC_CODE(ber.unwrap(choice, name, content, offset), offset)
    try:
        return UserDiagnostic(code) if choice == _USER else ProviderDiagnostic(code)
    except ValueError:
        raise CodecError(f"diagnostic {code} is unknown", offset=offset, field=name) from None


_RESULT_CODE = fields.integer("result")
_DIAGNOSTIC_CODE = fields.integer("result-source-diagnostic")

_FORM = form(
    TAG,
    "AARE",
    Aare._fields,
    {
        0x80: ("protocol_version", partial(ber.decode_bits, "protocol-version")),
        0xA1: ("application_context_name", fields.decode_context),
        0xA2: ("result", _result),
        0xA3: ("diagnostic", _diagnostic),
        0xA4: ("responding_ap_title", fields.octets("responding_ap_title")),
        0xA5: ("responding_ae_qualifier", fields.octets("responding_ae_qualifier")),
        0xA6: ("responding_ap_invocation_id", fields.integer("responding_ap_invocation_id")),
        0xA7: ("responding_ae_invocation_id", fields.integer("responding_ae_invocation_id")),
        0x88: ("responder_acse_requirements", fields.decode_requirements),
        0x89: ("mechanism_name", partial(ber.check_name, "mechanism-name")),
        0xAA: ("responding_authentication_value", fields.decode_authentication_value),
        # IMPLICIT GraphicString is 9D; some stacks write the same octets under BD.
        0x9D: ("implementation_information", fields.plain),
        0xBD: ("implementation_information", fields.plain),
        0xBE: ("user_information", fields.octets("user-information")),
    },
)
