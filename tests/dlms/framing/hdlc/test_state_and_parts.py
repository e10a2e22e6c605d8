"""The table of the link, and the small parts: control field, parameters, rejection, datagrams."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms.errors import CodecError
from dlms.framing.datagram import MAX_DATAGRAM_APDU, decode_datagram
from dlms.framing.hdlc.control import Control, Kind, UnknownControl, decode_control
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters, decode_parameters
from dlms.framing.hdlc.rejection import Fault, Rejection, decode_rejection
from dlms.framing.hdlc.state import INPUT_OF, TRANSITIONS, Input, State, after
from dlms.framing.wrapper import Wpdu

# The table ----------------------------------------------------------------------------------------


def test_every_kind_of_frame_is_an_input() -> None:
    assert set(INPUT_OF) == set(Kind)
    assert set(INPUT_OF.values()) | {Input.INACTIVE, Input.CLOSED} == set(Input)


def test_every_state_is_reached_and_left() -> None:
    reached = {State.NDM}
    while more := {TRANSITIONS[pair] for pair in TRANSITIONS if pair[0] in reached} - reached:
        reached |= more
    assert reached == set(State)
    for state in State:
        assert after(state, Input.CLOSED) is State.NDM


def test_information_passes_only_where_snrm_and_ua_have_passed() -> None:
    assert [state for state in State if after(state, Input.INFORMATION)] == [State.NRM]
    assert {pair for pair, to in TRANSITIONS.items() if to is State.NRM and pair[0] is not to} == {
        (State.CONNECTING, Input.UA)
    }


def test_only_a_new_beginning_or_the_end_leads_out_of_rejection() -> None:
    out = {event for (state, event), to in TRANSITIONS.items() if state is State.REJECTED != to}
    assert out == {Input.SNRM, Input.DISC, Input.INACTIVE, Input.CLOSED}


# The control field --------------------------------------------------------------------------------

OCTETS = {
    0x93: Control(Kind.SNRM),
    0x83: Control(Kind.SNRM, False),
    0x53: Control(Kind.DISC),
    0x73: Control(Kind.UA),
    0x1F: Control(Kind.DM),
    0x97: Control(Kind.FRMR),
    0x13: Control(Kind.UI),
    0x03: Control(Kind.UI, False),
    0x10: Control(Kind.I, True, 0, 0),
    0xDA: Control(Kind.I, True, 6, 5),
    0xFE: Control(Kind.I, True, 7, 7),
    0xF1: Control(Kind.RR, True, 7),
    0x25: Control(Kind.RNR, False, 1),
    0x59: Control(Kind.REJ, True, 2),
}


@pytest.mark.parametrize(("octet", "control"), OCTETS.items())
def test_control(octet: int, control: Control) -> None:
    """From the table of ISO/IEC 13239, 5.3."""
    assert decode_control(octet) == control
    assert control.encode() == octet


def test_every_control_field_is_known_or_said_to_be_unknown() -> None:
    unknown = set()
    for octet in range(256):
        try:
            assert decode_control(octet).encode() == octet
        except UnknownControl as error:
            unknown.add(error.octet)
    # Of 64 unnumbered ones seven kinds are known, with and without the poll bit; SREJ is not.
    assert len([octet for octet in unknown if octet & 3 == 3]) == 64 - 2 * 6
    assert {octet & 0x0F for octet in unknown if octet & 3 == 1} == {0x0D}
    assert not [octet for octet in unknown if not octet & 1]


# Parameters ---------------------------------------------------------------------------------------

ANY = st.builds(
    Parameters, st.integers(8, 2030), st.integers(8, 2030), st.integers(1, 7), st.integers(1, 7)
)


@given(ANY)
def test_parameters_round_trip(parameters: Parameters) -> None:
    assert decode_parameters(parameters.encode()) == parameters
    assert decode_parameters(parameters.encode(explicit=True)) == parameters


@pytest.mark.parametrize(
    ("parameters", "octets"),
    [
        (DEFAULTS, ""),
        (Parameters(154, 154), "81801205019A06019A070400000001080400000001"),
        (Parameters(2030, 128, 4, 7), "818013050207EE060180070400000004080400000007"),
    ],
)
def test_parameters_as_octets(parameters: Parameters, octets: str) -> None:
    assert parameters.encode() == bytes.fromhex(octets)


@given(ANY, ANY)
def test_nobody_gets_more_than_both_can(server: Parameters, client: Parameters) -> None:
    answered = server.agreed(client)
    settled = client.settled(answered)
    assert settled == answered.turned()
    for agreed, own, other in zip(answered, server, client.turned(), strict=True):
        assert agreed == min(own, other)


@given(st.binary(max_size=40), st.booleans())
def test_no_octets_surprise_the_parameters(octets: bytes, headed: bool) -> None:
    candidate = bytes((0x81, 0x80, len(octets))) + octets if headed else octets
    try:
        found = decode_parameters(candidate)
    except CodecError:
        return
    assert min(found) >= 1


@given(st.binary(max_size=5))
def test_rejection(octets: bytes) -> None:
    if len(octets) != 3:
        with pytest.raises(CodecError):
            decode_rejection(octets)
    else:
        assert decode_rejection(octets).control == octets[0]


def test_rejection_as_octets() -> None:
    """Control FF, V(S) 2, V(R) 3, W: FF 64 01; a response with Y and Z: bit 4, 0C."""
    assert Rejection(0xFF, 2, 3, Fault.UNKNOWN_CONTROL).encode().hex() == "ff6401"
    fault = Fault.INFORMATION_TOO_LONG | Fault.WRONG_RECEIVE_NUMBER
    rejection = Rejection(0x10, 7, 0, fault, of_response=True)
    assert rejection.encode().hex() == "101e0c"
    assert decode_rejection(bytes.fromhex("101e0c")) == rejection


# Datagrams ----------------------------------------------------------------------------------------

DATAGRAM = bytes.fromhex("0001 0010 0001 0003 C00102")


def test_a_datagram_is_one_wpdu() -> None:
    assert decode_datagram(DATAGRAM) == Wpdu(16, 1, bytes.fromhex("C00102"))
    assert decode_datagram(DATAGRAM[:6] + b"\0\0") == Wpdu(16, 1, b"")
    assert MAX_DATAGRAM_APDU == 65535 - 20 - 8 - 8


@pytest.mark.parametrize(
    ("octets", "field"),
    [
        (DATAGRAM + b"\0", "length"),
        (DATAGRAM + DATAGRAM, "length"),
        (b"\0\2" + DATAGRAM[2:], "version"),
        (b"", "wrapper header"),
    ],
)
def test_what_is_no_datagram(octets: bytes, field: str) -> None:
    with pytest.raises(CodecError) as caught:
        decode_datagram(octets)
    assert caught.value.field == field
    assert caught.value.offset is not None


def test_datagram_cut_anywhere() -> None:
    for length in range(len(DATAGRAM)):
        with pytest.raises(CodecError):
            decode_datagram(DATAGRAM[:length])
