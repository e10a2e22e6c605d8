"""Encoding and decoding are inverse, and no octets do more than be refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms.acse import ber
from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import (
    AssociationResult,
    ProviderDiagnostic,
    ReleaseRequestReason,
    ReleaseResponseReason,
    UserDiagnostic,
)
from dlms.acse.fields import AuthenticationValue, ValueChoice
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import Rlre, Rlrq
from dlms.errors import CodecError

OCTETS = st.none() | st.binary(max_size=300)
NUMBERS = st.none() | st.integers(-(2**31), 2**32 - 1)
FLAGS = st.none() | st.booleans()
BITS = st.none() | st.text("01", max_size=20)
NAMES = st.sampled_from([name.oid for name in (*ApplicationContext, *Mechanism)]) | st.lists(
    st.integers(0, 2**21).map(
        lambda number: bytes(
            ((number >> 14) | 0x80, (number >> 7 & 0x7F) | 0x80, number & 0x7F)
            if number >= 1 << 14 and number >> 14 < 0x80
            else (number & 0x7F,)
        )
    ),
    min_size=1,
    max_size=8,
).map(b"".join)
AUTHENTICATION = st.none() | st.builds(
    AuthenticationValue, st.binary(max_size=80), st.sampled_from(ValueChoice)
)

AARQ = st.builds(
    Aarq,
    protocol_version=BITS,
    application_context_name=NAMES,
    called_ap_title=OCTETS,
    called_ae_qualifier=OCTETS,
    called_ap_invocation_id=NUMBERS,
    called_ae_invocation_id=NUMBERS,
    calling_ap_title=OCTETS,
    calling_ae_qualifier=OCTETS,
    calling_ap_invocation_id=NUMBERS,
    calling_ae_invocation_id=NUMBERS,
    sender_acse_requirements=FLAGS,
    mechanism_name=st.none() | NAMES,
    calling_authentication_value=AUTHENTICATION,
    implementation_information=OCTETS,
    user_information=OCTETS,
)
AARE = st.builds(
    Aare,
    protocol_version=BITS,
    application_context_name=NAMES,
    result=st.sampled_from(AssociationResult),
    diagnostic=st.sampled_from([*UserDiagnostic, *ProviderDiagnostic]),
    responding_ap_title=OCTETS,
    responding_ae_qualifier=OCTETS,
    responding_ap_invocation_id=NUMBERS,
    responding_ae_invocation_id=NUMBERS,
    responder_acse_requirements=FLAGS,
    mechanism_name=st.none() | NAMES,
    responding_authentication_value=AUTHENTICATION,
    implementation_information=OCTETS,
    user_information=OCTETS,
)
RLRQ = st.builds(
    Rlrq, reason=st.none() | st.sampled_from(ReleaseRequestReason), user_information=OCTETS
)
RLRE = st.builds(
    Rlre, reason=st.none() | st.sampled_from(ReleaseResponseReason), user_information=OCTETS
)
DECODERS = {0x60: Aarq, 0x61: Aare, 0x62: Rlrq, 0x63: Rlre}


@given(AARQ | AARE | RLRQ | RLRE)
def test_round_trip(value: Any) -> None:
    octets = value.encode()
    decoded = type(value).decode(octets)
    assert decoded == value
    assert decoded.encode() == octets


@given(AARQ | AARE | RLRQ | RLRE, st.data())
def test_a_truncated_apdu_is_refused(value: Any, data: st.DataObject) -> None:
    octets = value.encode()
    length = data.draw(st.integers(0, len(octets) - 1))
    with pytest.raises(CodecError):
        type(value).decode(octets[:length])


@given(AARQ | AARE, st.data())
def test_a_changed_octet_is_read_or_refused(value: Any, data: st.DataObject) -> None:
    octets = bytearray(value.encode())
    position = data.draw(st.integers(0, len(octets) - 1))
    octets[position] = data.draw(st.integers(0, 255))
    decode_or_refuse(octets[0], bytes(octets))


@given(st.sampled_from(sorted(DECODERS)), st.binary(max_size=200))
def test_any_octets_are_read_or_refused(tag: int, octets: bytes) -> None:
    decode_or_refuse(tag, octets)


@given(
    st.sampled_from(sorted(DECODERS)),
    st.lists(
        st.builds(
            ber.tlv,
            st.sampled_from([*range(0x80, 0x8D), *range(0xA0, 0xAD), 0x9D, 0xBD, 0xBE]),
            st.binary(max_size=12)
            | st.builds(
                ber.tlv,
                st.sampled_from([0x02, 0x04, 0x06, 0x80, 0x81, 0xA1, 0xA2]),
                st.binary(max_size=8) | st.just(b"\x02\x01\x00"),
            ),
        ),
        max_size=8,
    ),
)
def test_any_elements_are_read_or_refused(tag: int, elements: list[bytes]) -> None:
    """Well-formed BER gets past the lengths and reaches the decoders of the fields."""
    decode_or_refuse(tag, ber.tlv(tag, b"".join(elements)))


def decode_or_refuse(tag: int, octets: bytes) -> None:
    decoder: Any = DECODERS.get(tag, Aarq)
    try:
        value = decoder.decode(octets)
    except CodecError as error:
        offset = error.offset
    else:
        # What was read can be written, and reads the same.
        assert decoder.decode(value.encode()) == value
        return
    assert offset is not None
    assert 0 <= offset <= len(octets)
