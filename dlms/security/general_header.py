"""The five fields that general-ciphering and general-signing begin with (GB Ed. 8, 9.2.7.2.4.8,
Figures 84 and 85).

All are A-XDR octet strings, and their lengths count as much as their values: as they stand in the
APDU they are authenticated with the ciphered content, or signed with the content.
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.errors import CodecError
from dlms.octets import Reader, encode_octet_string

MAX_TRANSACTION_ID = 64
"""Octets of a transaction-id. The books give no bound; 8 or 9 are usual, and as the nonce of a key
agreement it is remembered for as long as the key pairs live."""

MAX_OTHER_INFORMATION = 255
"""Octets of other-information, whose contents no book defines: companion specifications use two."""

_TITLE_LENGTHS = (0, 8)
_DATE_TIME_LENGTHS = (0, 12)


class GeneralHeader(NamedTuple):
    """``originator`` has applied the protection, ``recipient`` is to remove it; system titles of 8
    octets, or empty. ``date_time`` is a COSEM date-time of 12 octets, or empty.
    """

    transaction_id: bytes
    originator: bytes
    recipient: bytes
    date_time: bytes = b""
    other_information: bytes = b""

    def encode(self) -> bytes:
        """The five fields, each with its length. :class:`CodecError` if one may not be so long."""
        _check(self)
        return b"".join(encode_octet_string(field) for field in self)


def read_header(reader: Reader) -> tuple[GeneralHeader, bytes]:
    """Read the five fields; return them, and their octets as they were received.

    What was authenticated or signed is what the sender put there, even if a length in it is not in
    its shortest form.
    """
    start = reader.position
    header = GeneralHeader(
        reader.octet_string("transaction-id"),
        reader.octet_string("originator-system-title"),
        reader.octet_string("recipient-system-title"),
        reader.octet_string("date-time"),
        reader.octet_string("other-information"),
    )
    _check(header, start)
    return header, reader.data[start : reader.position]


def _check(header: GeneralHeader, offset: int | None = None) -> None:
    for length, allowed, field in (
        (len(header.originator), _TITLE_LENGTHS, "originator-system-title"),
        (len(header.recipient), _TITLE_LENGTHS, "recipient-system-title"),
        (len(header.date_time), _DATE_TIME_LENGTHS, "date-time"),
    ):
        if length not in allowed:
            raise CodecError(f"{length} octets", offset=offset, field=field)
    if len(header.transaction_id) > MAX_TRANSACTION_ID:
        raise CodecError(
            f"more than {MAX_TRANSACTION_ID} octets", offset=offset, field="transaction-id"
        )
    if len(header.other_information) > MAX_OTHER_INFORMATION:
        raise CodecError(
            f"more than {MAX_OTHER_INFORMATION} octets", offset=offset, field="other-information"
        )
