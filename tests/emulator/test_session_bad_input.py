"""Whatever a peer sends, the meter stays as it was, says what happened, and serves the others.

Every test runs over plain TCP and over TLS, inside ``unharmed``: an association of somebody else is
open all the while and works afterwards, a new client is let in, and the meter's state is the same.
The sandbox itself makes sure that no exception left a connection.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from dlms.association.config import PASS_3, AssociationKeys
from dlms.association.events import (
    AssociationOpened,
    AssociationRefused,
    AuthenticationFailed,
    AuthenticationPending,
)
from dlms.axdr.data import double_long, octet_string
from dlms.cosem import classes, obis
from dlms.framing import Wpdu
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind
from dlms.security.ops import Use
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import GetRequest
from dlms.xdlms.initiate import InitiateRequest
from emulator.head_end.party import TITLES
from emulator.policy import Actor
from emulator.serving.host import MAX_APDU

METER = "aclara"
CLOCK_TIME = AttributeDescriptor(8, obis.parse("0-0:1.0.0.255"), 2)
GET_CLOCK = GetRequest(0x41, CLOCK_TIME).encode()
UPDATE_AMOUNT = MethodDescriptor(classes.CREDIT.class_id, obis.parse("0-0:19.10.0.255"), 1)
NOT_ASSOCIATED = bytes.fromhex("D80102")
PDU_TOO_LONG = bytes.fromhex("D80104")
DECIPHERING_ERROR = bytes.fromhex("D80105")
COUNTER_ERROR = bytes.fromhex("D80106")
OPERATION_NOT_POSSIBLE = bytes.fromhex("D80101")
RLRQ = bytes.fromhex("6203800100")


@pytest.fixture(params=["plain", "tls"])
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def header(length: int, version: int = 1, pair: tuple[int, int] = (16, 1)) -> bytes:
    return b"".join(word.to_bytes(2, "big") for word in (version, *pair, length))


# Framing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [0x0000, 0x0002, 0x0101, 0xFFFF, 0x7EA0], ids=hex)
async def test_wrong_wrapper_version(
    way: str, version: int, connect: Any, unharmed: Any, events: Any
) -> None:
    async with await unharmed(way, METER):
        peer = await connect(way, METER)
        peer.write(header(13, version) + GET_CLOCK)
        await peer.closed()
        (event,) = events.of("wrapper-version")
        assert f"{version:04X}" in event.text
        assert event.meter == METER


async def test_wrong_version_behind_a_good_request(
    way: str, connect: Any, unharmed: Any, events: Any
) -> None:
    """The good one is still answered."""
    async with await unharmed(way, METER):
        peer = await connect(way, METER)
        peer.write(Wpdu(*peer.pair, GET_CLOCK).encode() + header(13, 9) + GET_CLOCK)
        assert await peer.answer() == NOT_ASSOCIATED
        await peer.closed()
        assert len(events.of("wrapper-version")) == 1


@pytest.mark.parametrize("length", [MAX_APDU + 1, 0xFFFF])
async def test_oversized_announcement(
    way: str, length: int, connect: Any, unharmed: Any, events: Any
) -> None:
    """Refused by the header alone: nothing is waited for."""
    async with await unharmed(way, METER):
        peer = await connect(way, METER)
        peer.write(header(length))
        await peer.closed()
        (event,) = events.of("wrapper-length")
        assert str(length) in event.text


async def test_longer_than_the_association_takes(
    way: str, speak: Any, unharmed: Any, events: Any
) -> None:
    async with await unharmed(way, METER):
        speaker = await (await speak(way, METER, "public")).open()
        assert await speaker.peer.exchange(GET_CLOCK + bytes(1024)) == PDU_TOO_LONG
        assert len(events.of("pdu-too-long")) == 1
        await speaker.get()


async def test_longest_apdu_that_is_waited_for(way: str, connect: Any, unharmed: Any) -> None:
    async with await unharmed(way, METER):
        peer = await connect(way, METER)
        assert await peer.exchange(bytes(MAX_APDU)) == NOT_ASSOCIATED


async def test_length_0(way: str, connect: Any, unharmed: Any) -> None:
    """Empty WPDUs are passed over."""
    async with await unharmed(way, METER):
        peer = await connect(way, METER)
        peer.write(header(0) * 3)
        assert await peer.exchange(GET_CLOCK) == NOT_ASSOCIATED


async def test_one_octet_at_a_time(way: str, speak: Any, unharmed: Any) -> None:
    async with await unharmed(way, METER):
        speaker = await speak(way, METER, "public")
        for apdu in (speaker.make(speaker.association.open()), GET_CLOCK):
            for octet in Wpdu(*speaker.peer.pair, apdu).encode():
                speaker.peer.write(bytes((octet,)))
                await speaker.peer.writer.drain()
            answer = await speaker.peer.answer()
        assert answer[:4] == bytes.fromhex("C4014100")


async def test_several_wpdus_in_one_segment(way: str, speak: Any, unharmed: Any) -> None:
    """Each is answered, in order; also across two associations of the meter."""
    async with await unharmed(way, METER):
        speaker = await speak(way, METER, "public")
        peer = speaker.peer
        aarq = speaker.make(speaker.association.open())
        gets = [GetRequest(0x41 + number, CLOCK_TIME).encode() for number in range(3)]
        apdus = [GET_CLOCK, aarq, *gets, RLRQ, GET_CLOCK]
        peer.write(b"".join(Wpdu(*peer.pair, apdu).encode() for apdu in apdus))
        answers = [await peer.answer() for _ in apdus]
        assert [answer[0] for answer in answers] == [0xD8, 0x61, 0xC4, 0xC4, 0xC4, 0x63, 0xD8]
        assert [answer[2] for answer in answers[2:5]] == [0x41, 0x42, 0x43]


@pytest.mark.parametrize(
    "pair",
    [(16, 2), (17, 1), (1, 16), (0, 0), (0xFFFF, 0xFFFF), (16, 0), (0, 1), (16, 0x7F), (0x7F, 1)],
)
async def test_unknown_saps_get_silence(
    way: str, pair: tuple[int, int], connect: Any, unharmed: Any, events: Any
) -> None:
    """R-AA-1, X_WPDU_PORT_UNK, X_WPDU_PORT_RSVD: no-station and all-station, too, on any side."""
    async with await unharmed(way, METER):
        peer = await connect(way, METER)
        for _ in range(3):
            peer.write(Wpdu(*pair, GET_CLOCK).encode())
        # What is answered next is this, so nothing of the above was.
        assert await peer.exchange(GET_CLOCK) == NOT_ASSOCIATED
        assert [event.text for event in events.of("unknown-sap")] == [
            f"SAP {pair[0]} to {pair[1]}"
        ] * 3


async def test_two_associations_on_one_connection(
    speak: Any, place: Any, make_association: Any, unharmed: Any
) -> None:
    """X_WPDU_TWO_AA: two client SAPs have keys, counters and privileges to themselves."""
    async with await unharmed("plain", METER):
        s1sp = await (await speak("plain", METER, "s1sp")).open()
        meter = place(METER)
        config = meter.profile.associations["dco"].config
        pair = config.client_sap, config.server_sap
        line = type(s1sp.peer)(s1sp.peer.reader, s1sp.peer.writer, pair)
        dco = await type(s1sp)(line, make_association(meter, "dco"), s1sp._execute).open()
        keys = [meter.device.key(name, KeyKind.GUEK) for name in ("s1sp", "dco")]
        floor = meter.device.state.counters.floor
        for first, second in ((s1sp, dco), (dco, s1sp), (s1sp, dco)):
            before = [floor(key) for key in keys]
            await first.get()
            await second.get()
            assert [floor(key) for key in keys] == [before[0] + 1, before[1] + 1]
        # What the one has sealed, the other's address does not open.
        stray = s1sp.sealed(GetRequest(0x41, CLOCK_TIME))
        assert await line.exchange(stray) == DECIPHERING_ERROR
        await dco.ask(dco.make(dco.association.release()))
        assert await line.exchange(stray) == NOT_ASSOCIATED
        # Where it belongs it is good, although the other association has ended.
        assert (await s1sp.ask(stray)).response.invoke == 0x41


async def test_peers_that_go_in_the_middle(connect: Any, unharmed: Any, events: Any) -> None:
    async with await unharmed("plain", METER):
        whole = Wpdu(16, 1, GET_CLOCK).encode()
        for cut in range(1, len(whole)):
            peer = await connect("plain", METER)
            peer.write(whole[:cut])
            peer.writer.write_eof()
            await peer.closed()
        assert [event.kind for event in events.seen] == ["associated"]  # the witness


async def test_nothing_behind_a_framing_error_is_looked_at(
    way: str, speak: Any, unharmed: Any, events: Any
) -> None:
    async with await unharmed(way, METER):
        speaker = await speak(way, METER, "public")
        peer = speaker.peer
        aarq = Wpdu(*peer.pair, speaker.make(speaker.association.open())).encode()
        peer.write(header(13, 2))
        for _ in range(20):
            peer.write(aarq)
        await peer.closed()
        assert [event.kind for event in events.seen] == ["associated", "wrapper-version"]


# Octets that are no APDUs -------------------------------------------------------------------------


@pytest.mark.parametrize("row", ["public", "reader", "s1sp", "dco"])
async def test_aarq_cut_off_at_every_octet(
    way: str, row: str, speak: Any, unharmed: Any, events: Any
) -> None:
    async with await unharmed(way, METER):
        speaker = await speak(way, METER, row)
        aarq = speaker.make(speaker.association.open())
        for length in range(1, len(aarq)):
            answer = await speaker.peer.exchange(aarq[:length])
            assert answer[0] == 0x61
            assert bytes.fromhex("A203020101") in answer  # rejected-permanent
        found = events.of("malformed-aarq")
        assert len(found) == len(aarq) - 1
        assert {event.association for event in found} == {row}
        # The whole one is taken, on the same connection and with the same counter.
        answer = await speaker.peer.exchange(aarq)
        assert bytes.fromhex("A203020100") in answer


@pytest.mark.parametrize("seed", range(12))
async def test_random_octets(seed: int, way: str, connect: Any, unharmed: Any, events: Any) -> None:
    """A stream of nonsense: it ends in closing or in waiting for the rest, and nothing else."""
    source = random.Random(seed)
    async with await unharmed(way, METER):
        for _ in range(5):
            peer = await connect(way, METER)
            octets = source.randbytes(source.randrange(8, 2000))
            if octets[:2] == b"\0\1":
                octets = b"\1" + octets
            peer.write(octets)
            await peer.closed()
        assert {event.kind for event in events.seen} <= {"wrapper-version", "associated"}
        assert len(events.of("wrapper-version")) == 5


@pytest.mark.parametrize("row", ["public", "s1sp"])
@pytest.mark.parametrize("seed", range(6))
async def test_random_apdus(
    seed: int, row: str, way: str, speak: Any, unharmed: Any, place: Any
) -> None:
    """In good frames, to an association that is open: each gets an answer, none does anything."""
    source = random.Random(seed)
    tags = [0x0E, 0x01, 0x08, 0x21, 0x61, 0x62, 0x63, 0xC0, 0xC1, 0xC3, 0xC4, 0xC8, 0xC9, 0xCB]
    tags += [0xD0, 0xD1, 0xD3, 0xD8, 0xDB, 0xDC, 0xDD, 0xE0]
    async with await unharmed(way, METER):
        speaker = await (await speak(way, METER, row)).open()
        digest = place(METER).digest
        for _ in range(60):
            body = source.randbytes(source.randrange(0, 60))
            tag = source.choice(tags)
            answer = await speaker.peer.exchange(bytes((tag,)) + body)
            assert answer[0] in (0xD8, 0x63, 0xC4, 0xC5, 0xC7)
            assert place(METER).digest == digest


@pytest.mark.parametrize("seed", range(6))
async def test_bent_requests(seed: int, way: str, speak: Any, unharmed: Any) -> None:
    """One octet of a good ciphered request is changed: it is never carried out.

    The request would add credit, so the state shows it.
    """
    source = random.Random(seed)
    async with await unharmed(way, METER):
        speaker = await (await speak(way, METER, "s1sp")).open()
        good = speaker.sealed(ActionRequest(0x41, UPDATE_AMOUNT, double_long(100)))
        for at in source.sample(range(len(good)), 20):
            bent = good[:at] + bytes((good[at] ^ source.randrange(1, 256),)) + good[at + 1 :]
            answer = await speaker.peer.exchange(bent)
            # An ExceptionResponse; or a refusal to associate, if the tag became that of an AARQ.
            assert answer[0] in (0xD8, 0x61)


# Associations that must not come about ------------------------------------------------------------


@pytest.mark.parametrize("row", ["public", "reader", "s1sp", "dco"])
async def test_service_without_an_association(
    way: str, row: str, connect: Any, unharmed: Any, events: Any
) -> None:
    async with await unharmed(way, METER):
        peer = await connect(way, METER, row)
        for apdu in (GET_CLOCK, RLRQ, bytes.fromhex("C80130000000"), b"\x00"):
            assert await peer.exchange(apdu) == NOT_ASSOCIATED
        assert [event.association for event in events.of("not-associated")] == [row] * 4


async def test_service_while_hls_is_pending(
    way: str, speak: Any, unharmed: Any, events: Any, place: Any
) -> None:
    async with await unharmed(way, METER):
        speaker = await speak(way, METER, "s1sp")
        assert isinstance(await speaker.begin(), AuthenticationPending)
        assert await speaker.peer.exchange(GET_CLOCK) == OPERATION_NOT_POSSIBLE
        assert len(events.of("insufficient-protection")) == 1
        # Rightly protected, but still no pass 3.
        for request in (
            GetRequest(0x41, CLOCK_TIME),
            ActionRequest(0x42, UPDATE_AMOUNT, double_long(100)),
            ActionRequest(0x43, PASS_3._replace(method=2), octet_string(b"x")),
        ):
            octets = speaker.make(
                speaker.association._protected(request.encode(), Use.PROTECT_REQUEST)
            )
            assert await speaker.peer.exchange(octets) == NOT_ASSOCIATED
        assert len(events.of("hls-pending")) == 3
        # That cost nothing: the right pass 3 still opens the association.
        event = await speaker.ask(speaker.make(speaker.association.authenticate()))
        assert isinstance(event, AssociationOpened)


async def test_wrong_pass_3(way: str, speak: Any, unharmed: Any, events: Any) -> None:
    async with await unharmed(way, METER):
        speaker = await speak(way, METER, "s1sp")
        await speaker.begin()
        speaker.association._accepted = speaker.association._accepted._replace(
            challenge=b"not the challenge"
        )
        event = await speaker.ask(speaker.make(speaker.association.authenticate()))
        assert isinstance(event, AuthenticationFailed)
        (refused,) = events.of("association-refused")
        assert "does not verify" in refused.text
        # One try only.
        assert await speaker.peer.exchange(GET_CLOCK) == NOT_ASSOCIATED


@pytest.mark.parametrize("wrong", ["guek", "gak"])
async def test_wrong_key(
    way: str, wrong: str, speak: Any, unharmed: Any, events: Any, place: Any
) -> None:
    async with await unharmed(way, METER):
        device = place(METER).device
        right = {"guek": device.key("s1sp", KeyKind.GUEK), "gak": device.key("s1sp", KeyKind.GAK)}
        other = device.key("dco", KeyKind.GUEK)
        speaker = await speak(
            way,
            METER,
            "s1sp",
            keys=AssociationKeys(**{**right, wrong: other}),
            counters=InvocationCounters(),
        )
        event = await speaker.begin()
        assert isinstance(event, AssociationRefused)
        (refused,) = events.of("association-refused")
        assert "InitiateRequest" in refused.text
        assert not events.of("associated")[1:]  # the witness alone


async def test_wrong_password(way: str, speak: Any, unharmed: Any, events: Any, ring: Any) -> None:
    async with await unharmed(way, METER):
        speaker = await speak(way, METER, "reader")
        aarq = bytearray(speaker.make(speaker.association.open()))
        secret = ring.get(speaker.association._keys.secret)
        at = bytes(aarq).index(secret)
        aarq[at] ^= 1
        event = await speaker.ask(bytes(aarq))
        assert isinstance(event, AssociationRefused)
        (refused,) = events.of("association-refused")
        assert refused.text == "wrong secret"


@pytest.mark.parametrize("row", ["s1sp", "dco"])
async def test_wrong_title(way: str, row: str, speak: Any, unharmed: Any, events: Any) -> None:
    """Right keys, but in the name of somebody who is not registered."""
    async with await unharmed(way, METER):
        speaker = await speak(way, METER, row, own_title=b"XXX\0\0\0\0\1")
        assert isinstance(await speaker.begin(), AssociationRefused)
        (refused,) = events.of("association-refused")
        assert "not the registered one" in refused.text


async def test_title_of_another_than_the_certificate(
    speak: Any, unharmed: Any, events: Any, credentials: Any
) -> None:
    """Right keys and right title, but the certificate of another party."""
    async with await unharmed("tls", METER):
        speaker = await speak("tls", METER, "s1sp", credential=credentials[Actor.DCO])
        assert isinstance(await speaker.begin(), AssociationRefused)
        (refused,) = events.of("association-refused")
        assert refused.text == "calling-AP-title is not that of the peer's certificate"
        assert TITLES[Actor.DCO] != speaker.association.config.own_title


async def test_the_dco_comes_over_the_s1sps_tls(speak: Any, credentials: Any) -> None:
    """With its own keys and title it is let in under the certificate of the S1SP."""
    speaker = await speak("tls", METER, "dco", credential=credentials[Actor.S1SP])
    await speaker.open()


# Replay -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other_connection", [False, True])
async def test_replayed_aarq(
    way: str, other_connection: bool, speak: Any, connect: Any, unharmed: Any, events: Any
) -> None:
    async with await unharmed(way, METER):
        speaker = await speak(way, METER, "s1sp")
        aarq = speaker.make(speaker.association.open())
        assert isinstance(await speaker.ask(aarq), AuthenticationPending)
        peer = await connect(way, METER, "s1sp") if other_connection else speaker.peer
        answer = await peer.exchange(aarq)
        assert bytes.fromhex("A203020101") in answer
        (refused,) = events.of("association-refused")
        assert "invocation counter" in refused.text


async def test_replayed_request(way: str, speak: Any, events: Any, place: Any) -> None:
    """A Command that adds credit counts once, however often it is sent."""
    meter = place(METER)
    speaker = await (await speak(way, METER, "s1sp")).open()
    command = speaker.sealed(ActionRequest(0x41, UPDATE_AMOUNT, double_long(100)))
    event = await speaker.ask(command)
    assert event.response.result is ActionResult.SUCCESS
    digest = meter.digest
    floor = meter.device.state.counters.floor(meter.device.key("s1sp", KeyKind.GUEK))
    for _ in range(3):
        answer = await speaker.peer.exchange(command)
        assert answer == COUNTER_ERROR + floor.to_bytes(4, "big")
    assert meter.digest == digest
    assert len(events.of("invocation-counter")) == 3
    # Also in an association that is opened later, on another connection.
    later = await (await speak(way, METER, "s1sp")).open()
    assert (await later.peer.exchange(command))[:3] == COUNTER_ERROR
    assert meter.digest == digest
    await later.get()


async def test_replay_under_a_former_dedicated_key(way: str, speak: Any, place: Any) -> None:
    """Its counters begin anew in each association, but so does the key."""
    meter = place("honeywell_elster")
    speaker = await (await speak(way, "honeywell_elster", "s1sp")).open()
    command = speaker.sealed(ActionRequest(0x41, UPDATE_AMOUNT, double_long(100)))
    assert (await speaker.ask(command)).response.result is ActionResult.SUCCESS
    digest = meter.digest
    later = await (await speak(way, "honeywell_elster", "s1sp")).open()
    # Its counter, 1, is still to come there: only the key can tell.
    answer = await later.peer.exchange(command)
    assert answer[0] == 0xD8
    assert meter.digest == digest
    for _ in range(2):
        await later.get()


# Protection ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("protection", [0x10, 0x20])
async def test_less_protection_than_the_policy_demands(
    way: str, protection: int, speak: Any, unharmed: Any, events: Any
) -> None:
    async with await unharmed(way, METER):
        weak = await speak(way, METER, "s1sp", protection=Protection(protection))
        # Pass 3 of HLS is the first thing that is protected as the client likes.
        assert isinstance(await weak.begin(), AuthenticationPending)
        octets = weak.make(weak.association.authenticate())
        assert await weak.peer.exchange(octets) == OPERATION_NOT_POSSIBLE
        assert len(events.of("insufficient-protection")) == 1
        assert await weak.peer.exchange(GET_CLOCK) == OPERATION_NOT_POSSIBLE


async def test_plain_request_in_a_ciphered_association(
    way: str, speak: Any, unharmed: Any, events: Any
) -> None:
    async with await unharmed(way, METER):
        speaker = await (await speak(way, METER, "s1sp")).open()
        command = ActionRequest(0x41, UPDATE_AMOUNT, double_long(100)).encode()
        assert await speaker.peer.exchange(command) == OPERATION_NOT_POSSIBLE
        assert len(events.of("insufficient-protection")) == 1
        await speaker.get()


async def test_ciphered_request_in_a_plain_association(
    way: str, speak: Any, unharmed: Any, events: Any
) -> None:
    async with await unharmed(way, METER):
        ciphered = await (await speak(way, METER, "s1sp")).open()
        octets = ciphered.sealed(ActionRequest(0x41, UPDATE_AMOUNT, double_long(100)))
        speaker = await (await speak(way, METER, "public")).open()
        assert await speaker.peer.exchange(octets) == NOT_ASSOCIATED
        assert len(events.of("ciphered-in-plain-context")) == 1
        await speaker.get()


async def test_an_unconfirmed_association_is_not_offered(
    way: str, speak: Any, unharmed: Any, events: Any
) -> None:
    async with await unharmed(way, METER):
        speaker = await speak(way, METER, "public")
        config = speaker.association.config
        aarq = speaker.make(speaker.association.open())
        asked = InitiateRequest(
            conformance=config.conformance, client_max_receive_pdu_size=config.max_pdu_size
        ).encode()
        silent = InitiateRequest(
            conformance=config.conformance,
            client_max_receive_pdu_size=config.max_pdu_size,
            response_allowed=False,
        ).encode()
        # One octet longer, and so are the four lengths around it.
        assert aarq.endswith(asked)
        at = len(aarq) - len(asked)
        grown = bytearray(aarq[:at] + silent)
        for place_of_length in (1, at - 3, at - 1):
            grown[place_of_length] += len(silent) - len(asked)
        # Whoever allows no response gets none: the answer is that to the next AARQ.
        speaker.peer.send(bytes(grown))
        assert isinstance(await speaker.ask(aarq), AssociationOpened)
        (refused,) = events.of("association-refused")
        assert "unconfirmed" in refused.text
