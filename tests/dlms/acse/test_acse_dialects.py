"""Other ways to write the same APDU: read alike, written in the shortest form."""

from __future__ import annotations

import pytest

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.release import Rlre, Rlrq
from dlms.errors import CodecError

CONTEXT = "A109060760857405080101"
INITIATE = "BE10040E01000000065F1F0400007E1F04B0"
SHORTEST = bytes.fromhex("601D" + CONTEXT + INITIATE)
LONG_FORMS = {
    "outside": "60811D" + CONTEXT + INITIATE,
    "outside, four octets": "60840000001D" + CONTEXT + INITIATE,
    "in the fields": (
        "6024" + "A182000D" + "068400000007" + "60857405080101" + "BE8110" + INITIATE[4:]
    ),
}


@pytest.mark.parametrize("octets", LONG_FORMS.values(), ids=list(LONG_FORMS))
def test_long_form_lengths(octets: str) -> None:
    aarq = Aarq.decode(bytes.fromhex(octets))
    assert aarq == Aarq.decode(SHORTEST)
    assert aarq.encode() == SHORTEST
    for cut in range(len(octets) // 2):
        with pytest.raises(CodecError):
            Aarq.decode(bytes.fromhex(octets)[:cut])


INDEFINITE = {
    "AARQ": (Aarq, "6080" + CONTEXT + INITIATE + "0000"),
    "AARE": (Aare, "6180" + CONTEXT + "A203020100A305A103020100" + "0000"),
    "RLRQ": (Rlrq, "62808001000000"),
    "RLRE": (Rlre, "63808001000000"),
    "inside": (Aarq, "601F" + CONTEXT + "BE80" + INITIATE[4:] + "0000"),
}


@pytest.mark.parametrize(("apdu", "octets"), INDEFINITE.values(), ids=list(INDEFINITE))
def test_indefinite_lengths_are_refused(apdu: type[Aarq], octets: str) -> None:
    """X_AARQ_ORDER."""
    with pytest.raises(CodecError):
        apdu.decode(bytes.fromhex(octets))


RELEASES = {
    "nothing": "6200",
    "length in long form": "628100",
    "reason": "6203800100",
    "reason of two octets": "620480020000",
    "reason, length in long form": "620480810100",
    "user-information alone": "6204BE020400",
}


@pytest.mark.parametrize("octets", RELEASES.values(), ids=list(RELEASES))
def test_forms_of_rlrq(octets: str) -> None:
    rlrq = Rlrq.decode(bytes.fromhex(octets))
    assert Rlrq.decode(rlrq.encode()) == rlrq
    assert (rlrq.reason is None) is ("80" not in octets[4:6])
    assert rlrq.user_information == (b"" if "BE" in octets else None)
