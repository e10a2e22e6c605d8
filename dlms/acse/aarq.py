"""AARQ: a client asks for an association (GB Ed. 8, 9.4.2.2)."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from dlms.acse import ber, fields
from dlms.acse.elements import form, read_fields
from dlms.acse.fields import AuthenticationValue
from dlms.errors import CodecError
from dlms.hiding import repr_without

TAG = 0x60
_new = tuple.__new__  # NamedTuple without its Python-level __new__: three times cheaper


class Aarq(NamedTuple):
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
    user_information: bytes | None = None

    def __repr__(self) -> str:
        return repr_without(self, "user_information")

    @property
    def supports_version1(self) -> bool:
        return self.protocol_version is None or self.protocol_version[:1] == "1"

    def encode(self) -> bytes:
        content = (
            fields.encode_version(self.protocol_version)
            + fields.encode_context(self.application_context_name)
            + fields.encode_party(
                0xA2,
                self.called_ap_title,
                self.called_ae_qualifier,
                self.called_ap_invocation_id,
                self.called_ae_invocation_id,
            )
            + fields.encode_party(
                0xA6,
                self.calling_ap_title,
                self.calling_ae_qualifier,
                self.calling_ap_invocation_id,
                self.calling_ae_invocation_id,
            )
            + fields.encode_authentication(
                0x8A,
                self.sender_acse_requirements,
                self.mechanism_name,
                self.calling_authentication_value,
            )
            + fields.encode_information(self.implementation_information, self.user_information)
        )
        return ber.tlv(TAG, content)

    @classmethod
    def decode(cls, octets: bytes) -> Aarq:
        """Decode. :class:`CodecError` for anything that is not exactly one AARQ."""
        values = read_fields(octets, _FORM)
        if values[0] is None:
            raise CodecError("application-context-name missing", offset=0, field="AARQ")
        return _new(cls, values)


_FORM = form(
    TAG,
    "AARQ",
    Aarq._fields,
    {
        0x80: ("protocol_version", partial(ber.decode_bits, "protocol-version")),
        0xA1: ("application_context_name", fields.decode_context),
        0xA2: ("called_ap_title", fields.octets("called_ap_title")),
        0xA3: ("called_ae_qualifier", fields.octets("called_ae_qualifier")),
        0xA4: ("called_ap_invocation_id", fields.integer("called_ap_invocation_id")),
        0xA5: ("called_ae_invocation_id", fields.integer("called_ae_invocation_id")),
        0xA6: ("calling_ap_title", fields.octets("calling_ap_title")),
        0xA7: ("calling_ae_qualifier", fields.octets("calling_ae_qualifier")),
        0xA8: ("calling_ap_invocation_id", fields.integer("calling_ap_invocation_id")),
        0xA9: ("calling_ae_invocation_id", fields.integer("calling_ae_invocation_id")),
        0x8A: ("sender_acse_requirements", fields.decode_requirements),
        0x8B: ("mechanism_name", partial(ber.check_name, "mechanism-name")),
        0xAC: ("calling_authentication_value", fields.decode_authentication_value),
        # IMPLICIT GraphicString is 9D; some stacks write the same octets under BD.
        0x9D: ("implementation_information", fields.plain),
        0xBD: ("implementation_information", fields.plain),
        0xBE: ("user_information", fields.octets("user-information")),
    },
)
