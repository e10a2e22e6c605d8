"""Where and under what name an ACSE APDU is refused. Offsets are counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.release import Rlre, Rlrq
from dlms.errors import CodecError

CONTEXT = "A109060760857405080101"
AARQ = [
    # The APDU as a whole.
    ("", 0, "AARQ", "1 octet needed, none left"),
    ("60", 1, "AARQ", "1 octet needed, none left"),
    ("61 00", 0, "AARQ", "tag 60 expected, not 61"),
    ("60 0C" + CONTEXT, 2, "AARQ", "12 octets announced, 11 there"),
    ("60 0A" + CONTEXT, 2, "AARQ", "10 octets announced, 11 there"),
    ("60 81 0A" + CONTEXT, 3, "AARQ", "10 octets announced, 11 there"),
    ("60 80" + CONTEXT, 1, "AARQ", "length of length 0 is not in 1..4"),
    ("60 00", 0, "AARQ", "application-context-name missing"),
    # An element, behind the first, which ends at 13.
    ("60 0C" + CONTEXT + "BE", 14, "AARQ element BE", "1 octet needed, none left"),
    ("60 0D" + CONTEXT + "BE 01", 15, "AARQ element BE", "1 octets needed, 0 left"),
    ("60 0E" + CONTEXT + "BE 02 00", 15, "AARQ element BE", "2 octets needed, 1 left"),
    ("60 0D" + CONTEXT + "BE 81", 15, "AARQ element BE", "1 octets needed, 0 left"),
    ("60 0F" + CONTEXT + "BE 81 02 00", 16, "AARQ element BE", "2 octets needed, 1 left"),
    ("60 0D" + CONTEXT + "BE 80", 14, "AARQ element BE", "length of length 0 is not in 1..4"),
    ("60 0C" + CONTEXT + "8D", 14, "AARQ element 8D", "1 octet needed, none left"),
    ("60 0E" + CONTEXT + "8D 01 00", 15, "AARQ", "unknown element 8D"),
    ("60 0F" + CONTEXT + "8D 81 01 00", 16, "AARQ", "unknown element 8D"),
    ("60 0E" + CONTEXT + "AB 01 00", 15, "AARQ", "unknown element AB"),
    ("60 0E" + CONTEXT + "04 01 00", 13, "AARQ", "tag 04 is not context-specific"),
    ("60 0E" + CONTEXT + "5E 01 00", 13, "AARQ", "tag 5E is not context-specific"),
    ("60 0E" + CONTEXT + "FE 01 00", 13, "AARQ", "tag FE is not context-specific"),
    ("60 0F" + CONTEXT + "BF 1F 01 00", 13, "AARQ", "tag BF is not context-specific"),
    ("60 0F" + CONTEXT + "80 02 07 80", 13, "AARQ", "element 80 is out of order"),
    ("60 0F" + CONTEXT + "A1 02 07 80", 13, "AARQ", "element A1 is out of order"),
    ("60 0E" + CONTEXT + "81 01 00", 13, "AARQ", "element 81 is out of order"),
    # What is inside: from the content of its element on.
    ("60 02 A1 00", 4, "application-context-name", "1 octet needed, none left"),
    ("60 03 A1 01 06", 5, "application-context-name", "1 octet needed, none left"),
    ("60 04 A1 02 06 01", 6, "application-context-name", "1 octets needed, 0 left"),
    ("60 05 A1 03 04 01 2A", 4, "application-context-name", "tag 06 expected, not 04"),
    ("60 06 A1 04 06 01 2A 00", 7, "application-context-name", "1 octets left over"),
    ("60 07 A1 05 06 81 01 2A 00", 8, "application-context-name", "1 octets left over"),
    ("60 05 A1 03 06 01 80", 4, "application-context-name", "malformed OBJECT IDENTIFIER"),
    ("60 06 A1 81 03 06 01 80", 5, "application-context-name", "malformed OBJECT IDENTIFIER"),
    ("60 03 80 01 08", 4, "protocol-version", "malformed BIT STRING"),
    ("60 10" + CONTEXT + "A2 03 02 01 00", 15, "called_ap_title", "tag 04 expected, not 02"),
    ("60 10" + CONTEXT + "A7 03 02 01 00", 15, "calling_ae_qualifier", "tag 04 expected, not 02"),
    (
        "60 10" + CONTEXT + "A9 03 04 01 00",
        15,
        "calling_ae_invocation_id",
        "tag 02 expected, not 04",
    ),
    ("60 0F" + CONTEXT + "A4 02 02 00", 15, "called_ap_invocation_id", "INTEGER of 0 octets"),
    ("60 0E" + CONTEXT + "8A 01 01", 15, "acse-requirements", "malformed BIT STRING"),
    ("60 0D" + CONTEXT + "8B 00", 15, "mechanism-name", "malformed OBJECT IDENTIFIER"),
    ("60 0D" + CONTEXT + "AC 00", 15, "authentication-value", "1 octet needed, none left"),
    ("60 0F" + CONTEXT + "AC 02 84 00", 15, "authentication-value", "choice 84 is not supported"),
    ("60 0F" + CONTEXT + "AC 02 84 01", 17, "authentication-value", "1 octets needed, 0 left"),
    ("60 10" + CONTEXT + "AC 03 80 00 00", 17, "authentication-value", "1 octets left over"),
    (
        "60 10" + CONTEXT + "AC 03 81 01 04",
        15,
        "authentication-value",
        "BIT STRING of whole octets expected",
    ),
    ("60 10" + CONTEXT + "BE 03 02 01 00", 15, "user-information", "tag 04 expected, not 02"),
]
DONE = CONTEXT + "A203020100" + "A305A103020100"  # ends at 25
AARE = [
    ("60 00", 0, "AARE", "tag 61 expected, not 60"),
    ("61 00", 0, "AARE", "application_context_name missing"),
    ("61 0B" + CONTEXT, 0, "AARE", "result missing"),
    ("61 10" + CONTEXT + "A2 03 02 01 00", 0, "AARE", "diagnostic missing"),
    ("61 12" + CONTEXT + "A3 05 A1 03 02 01 00", 0, "AARE", "result missing"),
    ("61 10" + CONTEXT + "A2 03 02 01 03", 15, "result", "result 3 is unknown"),
    ("61 10" + CONTEXT + "A2 03 04 01 00", 15, "result", "tag 02 expected, not 04"),
    ("61 0D" + CONTEXT + "A3 00", 15, "result-source-diagnostic", "choice 00 is unknown"),
    (
        "61 12" + CONTEXT + "A3 05 A3 03 02 01 00",
        15,
        "result-source-diagnostic",
        "choice A3 is unknown",
    ),
    (
        "61 12" + CONTEXT + "A3 05 A2 03 02 01 03",
        15,
        "result-source-diagnostic",
        "diagnostic 3 is unknown",
    ),
    (
        "61 12" + CONTEXT + "A3 05 A1 03 04 01 00",
        15,
        "result-source-diagnostic",
        "tag 02 expected, not 04",
    ),
    ("61 1C" + DONE + "A4 03 02 01 00", 27, "responding_ap_title", "tag 04 expected, not 02"),
    (
        "61 1C" + DONE + "A6 03 04 01 00",
        27,
        "responding_ap_invocation_id",
        "tag 02 expected, not 04",
    ),
    ("61 1A" + DONE + "88 01 01", 27, "acse-requirements", "malformed BIT STRING"),
    ("61 19" + DONE + "89 00", 27, "mechanism-name", "malformed OBJECT IDENTIFIER"),
    ("61 1A" + DONE + "8A 01 00", 27, "AARE", "unknown element 8A"),
]
RELEASES = [
    (Rlrq, "63 00", 0, "RLRQ", "tag 62 expected, not 63"),
    (Rlre, "62 00", 0, "RLRE", "tag 63 expected, not 62"),
    (Rlrq, "62 03 80 01 02", 2, "RLRQ", "reason 2 is unknown"),
    (Rlre, "63 03 80 01 02", 2, "RLRE", "reason 2 is unknown"),
    (Rlre, "63 02 80 00", 4, "reason", "INTEGER of 0 octets"),
    (Rlre, "63 05 BE 03 02 01 00", 4, "user-information", "tag 04 expected, not 02"),
    (Rlrq, "62 03 A1 01 00", 4, "RLRQ", "unknown element A1"),
    (Rlre, "63 03 BE 02 04", 4, "RLRE element BE", "2 octets needed, 1 left"),
]
ERRORS = [
    *((Aarq, *error) for error in AARQ),
    *((Aare, *error) for error in AARE),
    *RELEASES,
]


@pytest.mark.parametrize(("apdu", "octets", "offset", "field", "words"), ERRORS)
def test_error(apdu: Any, octets: str, offset: int, field: str, words: str) -> None:
    with pytest.raises(CodecError) as caught:
        apdu.decode(bytes.fromhex(octets))
    error = caught.value
    assert (error.offset, error.field, error.args[0]) == (offset, field, words)
