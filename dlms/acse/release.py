"""RLRQ and RLRE: the graceful end of an association (GB Ed. 8, 9.4.2.3).

``user_information`` may repeat the InitiateRequest or -Response, ciphered, so that the release is
protected (9.4.5 and Fig. 64 note 4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from dlms.acse import ber, fields
from dlms.acse.codes import ReleaseRequestReason, ReleaseResponseReason
from dlms.acse.elements import Form, form, read_fields
from dlms.errors import CodecError

RLRQ_TAG = 0x62
RLRE_TAG = 0x63


@dataclass(frozen=True, slots=True, kw_only=True)
class Rlrq:
    reason: ReleaseRequestReason | None = None
    user_information: bytes | None = field(default=None, repr=False)

    def encode(self) -> bytes:
        return _encode(RLRQ_TAG, self.reason, self.user_information)

    @classmethod
    def decode(cls, octets: bytes) -> Rlrq:
        reason, user_information = read_fields(octets, _RLRQ)
        try:
            known = None if reason is None else ReleaseRequestReason(reason)
        except ValueError:
            raise CodecError(f"reason {reason} is unknown", offset=2, field="RLRQ") from None
        return cls(reason=known, user_information=user_information)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rlre:
    reason: ReleaseResponseReason | None = None
    user_information: bytes | None = field(default=None, repr=False)

    def encode(self) -> bytes:
        return _encode(RLRE_TAG, self.reason, self.user_information)

    @classmethod
    def decode(cls, octets: bytes) -> Rlre:
        reason, user_information = read_fields(octets, _RLRE)
        try:
            known = None if reason is None else ReleaseResponseReason(reason)
        except ValueError:
            raise CodecError(f"reason {reason} is unknown", offset=2, field="RLRE") from None
        return cls(reason=known, user_information=user_information)


def _encode(tag: int, reason: int | None, user_information: bytes | None) -> bytes:
    content = b"" if reason is None else ber.tlv(0x80, bytes((reason,)))
    if user_information is not None:
        content += ber.wrapped(0xBE, ber.OCTET_STRING, user_information)
    return ber.tlv(tag, content)


def _form(tag: int, name: str) -> Form:
    return form(
        tag,
        name,
        ("reason", "user_information"),
        {
            0x80: ("reason", partial(ber.decode_integer, "reason")),
            0xBE: ("user_information", fields.octets("user-information")),
        },
    )


_RLRQ = _form(RLRQ_TAG, "RLRQ")
_RLRE = _form(RLRE_TAG, "RLRE")
