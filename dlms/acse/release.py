"""RLRQ and RLRE: the graceful end of an association (GB Ed. 8, 9.4.2.3).

``user_information`` may repeat the InitiateRequest or -Response, ciphered, so that the release is
protected (9.4.5 and Fig. 64 note 4).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dlms.acse import ber, fields
from dlms.acse.codes import ReleaseRequestReason, ReleaseResponseReason
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
        reason, user_information = _decode(octets, RLRQ_TAG, "RLRQ")
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
        reason, user_information = _decode(octets, RLRE_TAG, "RLRE")
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


def _decode(octets: bytes, tag: int, name: str) -> tuple[int | None, bytes | None]:
    reason = user_information = None
    for element, content, offset in ber.elements(octets, tag, name):
        if element == 0x80:
            reason = ber.decode_integer(content, offset, "reason")
        elif element == 0xBE:
            user_information = fields.octets(content, offset, "user-information")
        else:
            raise CodecError(f"unknown element {element:02X}", offset=offset, field=name)
    return reason, user_information
