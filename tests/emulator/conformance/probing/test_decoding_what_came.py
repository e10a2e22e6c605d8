"""What an APDU that came says, and which octet of it is at fault."""

from __future__ import annotations

import pytest

from dlms.acse.aare import Aare
from dlms.errors import CodecError
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from dlms.xdlms.get import GetResponse
from emulator.conformance.conversing.responses import first_octet, last_octet
from emulator.conformance.probing.decoding import decoded
from emulator.conformance.probing.seen import Seen

AARE = bytes.fromhex(
    "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400001E1D04C80007"
)
RESPONSE = bytes.fromhex("C40141000F05")
CUT_SHORT = bytes.fromhex("C7014101")


def came(plain: bytes, around: bytes = b"") -> Seen:
    """``plain`` as it came, or beneath the protection of ``around``."""
    seen = Seen.apdu(around or plain, 3)
    return seen.having(plain=plain, entry=4, carrier=3) if around else seen


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (AARE, Aare),
        (RESPONSE, GetResponse),
        (bytes.fromhex("D80102"), ExceptionResponse),
        (bytes.fromhex("0E010600"), ConfirmedServiceError),
    ],
)
def test_what_a_client_takes(octets: bytes, kind: type) -> None:
    assert isinstance(decoded(came(octets)), kind)


def test_an_aare_is_not_beneath_protection() -> None:
    with pytest.raises(CodecError):
        decoded(came(AARE, around=b"\xcc" + AARE))


def test_the_octet_at_fault() -> None:
    with pytest.raises(CodecError) as caught:
        decoded(came(CUT_SHORT, around=bytes(20)))
    seen = came(CUT_SHORT, around=bytes(20)).having(fault=caught.value.offset)
    assert first_octet(seen) == len(CUT_SHORT)
    assert first_octet(came(RESPONSE)) == 0
    assert first_octet(Seen.silence(1)) is None


def test_the_result_of_a_ciphered_response_is_where_it_is_beneath() -> None:
    assert last_octet(came(RESPONSE, around=bytes(40))) == len(RESPONSE) - 1
    assert last_octet(Seen.closed("")) is None
