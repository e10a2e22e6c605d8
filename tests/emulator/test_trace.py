"""What those who watch a meter see of its APDUs, and what they never see."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from devices.profile import available
from dlms.acse.aarq import Aarq
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import Rlrq
from dlms.octets import encode_octet_string
from dlms.security.general_ciphering import IdentifiedKey, encode_general_ciphering
from dlms.security.general_header import GeneralHeader
from dlms.security.keys import KeyKind
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import InitiateRequest
from emulator.trace import described, shown

PASSWORD = b"pa55w0rd"
KEY = bytes.fromhex("C0FFEE00C0FFEE11C0FFEE22C0FFEE33")
INITIATE = InitiateRequest(
    conformance=Conformance.GET, client_max_receive_pdu_size=1024, dedicated_key=KEY
).encode()
AARQ = Aarq(
    application_context_name=ApplicationContext.LN.oid,
    sender_acse_requirements=True,
    mechanism_name=Mechanism.LLS.oid,
    calling_authentication_value=AuthenticationValue(PASSWORD),
    user_information=INITIATE,
)


@pytest.fixture
def trace() -> bool:
    return True


def assert_absent(secret: bytes, text: str) -> None:
    low = text.lower()
    assert secret.hex() not in low
    assert repr(secret)[2:-1].lower() not in low
    if secret.isascii():
        assert secret.decode().lower() not in low


# One APDU -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "apdu",
    [
        AARQ.encode(),
        INITIATE,
        Rlrq(user_information=INITIATE).encode(),
        *(AARQ.encode()[:length] for length in range(1, len(AARQ.encode()))),
        AARQ.encode() + b"\0",
        AARQ._replace(mechanism_name=Mechanism.NONE.oid).encode(),
    ],
)
def test_an_apdu_that_may_hold_a_secret_does_not_show_it(apdu: bytes) -> None:
    line = f"{shown(apdu)}  {described(apdu)}"
    assert_absent(PASSWORD, line)
    assert_absent(KEY, line)
    assert "\n" not in line


@pytest.mark.parametrize(
    ("mechanism", "whole"),
    [(mechanism, mechanism.value >= Mechanism.HLS_MD5.value) for mechanism in Mechanism],
)
def test_a_challenge_is_no_secret(mechanism: Mechanism, whole: bool) -> None:
    """The manufacturer's own HLS is taken for one that sends its secret."""
    apdu = AARQ._replace(mechanism_name=mechanism.oid, user_information=b"").encode()
    assert (shown(apdu) == apdu.hex().upper()) is whole


def test_what_carries_no_key_shows_whole() -> None:
    bare = AARQ._replace(calling_authentication_value=None, user_information=None)
    for apdu in (Rlrq().encode(), bare.encode()):
        assert shown(apdu) == apdu.hex().upper()


def test_the_rest_shows_whole() -> None:
    assert shown(bytes.fromhex("c0014100")) == "C0014100"
    assert shown(AARQ.encode()).startswith("60... (")


@pytest.mark.parametrize(
    ("apdu", "line"),
    [
        ("C001C1000800000100 00FF0200", "GetRequest(invoke=193, attribute=AttributeDescriptor("),
        ("C8 12 30 00000007 00112233445566778899AABBCC", "glo- service-specific SC=30 IC=7 13 oct"),
        ("D80101", "ExceptionResponse(state_error="),
        ("E0C3000200010161", "general block 2 acknowledges 1 window=3 streaming last 1 octets"),
        ("E0010003000000", "general block 3 acknowledges 0 window=1 0 octets"),
        ("E0", "malformed: "),
        ("", "malformed: "),
        ("FF", "malformed: "),
        ("C001", "malformed: "),
        ("6203800100", "Rlrq(reason="),
        ("6303800100", "Rlre(reason="),
    ],
)
def test_described_in_a_line(apdu: str, line: str) -> None:
    assert described(bytes.fromhex(apdu)).startswith(line)


HEADER = GeneralHeader(b"\x0a\x0b", b"S1P\0\0\0\0\1", b"")
SIGNATURE = b"\x40" + bytes(64)


def in_ciphering(control: int, body: bytes) -> bytes:
    return encode_general_ciphering(HEADER, IdentifiedKey(broadcast=False), control, 7, body)


def in_signature(apdu: bytes) -> bytes:
    return b"\xdf" + HEADER.encode() + encode_octet_string(apdu) + SIGNATURE


CLEAR = {
    "signed": in_signature,
    "authenticated": lambda apdu: in_ciphering(0x11, apdu + bytes(12)),
    "unprotected": lambda apdu: encode_general_ciphering(HEADER, None, 0x01, 0, apdu),
    "glo authenticated": lambda apdu: (
        b"\x21" + encode_octet_string(b"\x10\0\0\0\7" + apdu + bytes(12))
    ),
    "signed and authenticated": lambda apdu: in_ciphering(0x11, in_signature(apdu) + bytes(12)),
}


@pytest.mark.parametrize("layer", CLEAR)
def test_a_layer_that_hides_nothing(layer: str) -> None:
    """A signature, and authentication alone, leave a dedicated key in clear."""
    inside = CLEAR[layer](INITIATE)
    for apdu in (
        inside,
        Rlrq(user_information=inside).encode(),
        AARQ._replace(calling_authentication_value=None, user_information=inside).encode(),
    ):
        line = f"{shown(apdu)}  {described(apdu)}"
        assert_absent(KEY, line)
        assert "not shown: may hold a secret" in line
        assert "\n" not in line
    get = CLEAR[layer](bytes.fromhex("C001C100080000010000FF0200"))
    assert shown(get) == get.hex().upper()


@pytest.mark.parametrize("control", [0x21, 0x31])
def test_what_is_encrypted_shows_whole(control: int) -> None:
    apdu = in_ciphering(control, INITIATE)
    assert shown(apdu) == apdu.hex().upper()
    wrapped = Rlrq(user_information=apdu).encode()
    assert shown(wrapped) == wrapped.hex().upper()
    for length in range(1, len(apdu)):
        assert shown(apdu[:length]).startswith("DD... (")
        assert described(apdu[:length]).startswith("malformed: ")


def test_general_ciphering_and_signing_in_a_line() -> None:
    whom = "from=5331500000000001 to=- transaction=0A0B"
    ciphered = f"general-ciphering {whom} key=unicast SC=31 IC=7 22 octets"
    assert described(in_ciphering(0x31, bytes(22))) == ciphered
    signed = described(in_signature(bytes.fromhex("C001C100080000010000FF0200")))
    assert signed.startswith(f"general-signing {whom} of {{GetRequest(invoke=193, ")
    assert described(in_signature(in_ciphering(0x31, bytes(22)))) == (
        f"general-signing {whom} of {{{ciphered}}}"
    )


def test_signatures_around_signatures() -> None:
    """Nobody has to go through as many as fit in an APDU."""
    apdu = bytes.fromhex("C001C100080000010000FF0200")
    for _ in range(700):
        apdu = in_signature(apdu)
    assert shown(apdu).startswith("DF... (")
    assert described(apdu).count("general-signing") == 5


def test_of_a_general_block_the_head_is_shown() -> None:
    """It may be a piece of anything, also of what is not shown."""
    block = bytes.fromhex("E0C300010000") + bytes((len(PASSWORD),)) + PASSWORD
    assert shown(block) == "E0C300010000... (and 9 octets, not shown)"
    assert_absent(PASSWORD, shown(block) + described(block))


def test_an_aarq_says_who_wants_what() -> None:
    assert described(AARQ.encode()) == "AARQ context=LN mechanism=LLS title=-"
    titled = AARQ._replace(calling_ap_title=b"S1P\0\0\0\0\1").encode()
    assert described(titled).endswith("title=5331500000000001")
    unknown = AARQ._replace(application_context_name=b"\x2a\x03", mechanism_name=b"\x2a\x03")
    assert described(unknown.encode()) == "AARQ context=? mechanism=- title=-"


# Whole sessions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", available())
async def test_no_key_in_what_a_meter_traces(
    name: str, head_end: Any, place: Any, events: Any, ring: Any
) -> None:
    meter = place(name)
    await head_end.status(meter.address, meter.profile)
    await head_end.top_up(meter.address, meter.profile, Decimal(5))
    await head_end.instruct(meter.address, meter.profile, "arm_supply")
    text = events.texts()
    for key in ring.canaries():
        assert_absent(key, text)
    # It does trace: both ways, and what was asked for.
    kinds = {event.kind for event in events.seen}
    assert {"<-", "->", "request", "associated", "released"} <= kinds
    assert "AARQ context=LN_CIPHERED mechanism=HLS_GMAC title=5331500000000001" in text
    assert "AARE ACCEPTED AUTHENTICATION_REQUIRED" in text
    dedicated = meter.profile.associations["s1sp"].dedicated
    assert ("ded- service-specific" in text) is dedicated
    assert any(ref.kind is KeyKind.DEDICATED for ref in ring.ever) is dedicated


@pytest.mark.parametrize("way", ["plain", "tls"])
async def test_no_password_in_what_a_meter_traces(
    way: str, speak: Any, events: Any, ring: Any, place: Any
) -> None:
    speaker = await speak(way, "secure", "reader")
    aarq = speaker.make(speaker.association.open())
    for length in range(1, len(aarq)):
        await speaker.peer.exchange(aarq[:length])
    wrong = bytearray(aarq)
    wrong[wrong.index(ring.get(place("secure").device.key("reader", KeyKind.LLS_SECRET)))] ^= 1
    await speaker.peer.exchange(bytes(wrong))
    await speaker.ask(aarq)
    await speaker.get()
    text = events.texts()
    (secret,) = ring.canaries()
    assert secret in aarq
    assert_absent(secret, text)
    assert_absent(bytes(wrong)[wrong.index(b"\xac") + 4 :][:8], text)
    assert "mechanism=LLS" in text
    assert events.of("associated")


async def test_no_dedicated_key_in_clear_is_traced(connect: Any, events: Any) -> None:
    """No client of ours sends one in clear, and no meter takes it; somebody's may try."""
    peer = await connect("plain", "secure")
    public = AARQ._replace(
        sender_acse_requirements=None,
        mechanism_name=None,
        calling_authentication_value=None,
    )
    good = INITIATE.replace(b"\x01\x01\x10" + KEY, b"\x01\x00")
    assert (await peer.exchange(public.encode()))[0] == 0x61
    assert (await peer.exchange(INITIATE))[0] == 0xD8
    assert (await peer.exchange(public._replace(user_information=good).encode()))[0] == 0x61
    assert (await peer.exchange(INITIATE))[0] == 0xD8
    assert (await peer.exchange(Rlrq(user_information=INITIATE).encode()))[0] == 0x63
    assert_absent(KEY, events.texts())
    assert events.of("associated", "released")
