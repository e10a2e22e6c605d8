"""What a server makes of general blocks that are wrong, lost, repeated or too many (X_GBT_*).

Octets by hand from GB Ed. 8, 9.4.6.13 and 9.5.
"""

from __future__ import annotations

from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.axdr.data import octet_string
from dlms.transfer.general import MAX_REPEATS
from dlms.transfer.pieces import MAX_TOTAL
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.general_block import decode
from dlms.xdlms.get import GetRequest
from dlms.xdlms.set import SetRequest

ATTRIBUTE = AttributeDescriptor(1, bytes((0, 0, 96, 1, 0, 255)), 2)
PLAIN = {"context": ApplicationContext.LN, "mechanism": Mechanism.NONE}
METHOD = MethodDescriptor(70, bytes((0, 0, 96, 3, 10, 255)), 1)
VALUE = octet_string(bytes(range(256)))
SET = SetRequest(0x41, ATTRIBUTE, VALUE).encode()
DONE = "c5014100"
GET = GetRequest(0x41, ATTRIBUTE).encode()
ABORT = "e0800000000000"
LAST, STREAMING = 0x80, 0x40


@pytest.fixture
def talk(general: Any) -> Any:
    """Plain, three blocks each way in a stream."""
    return general(windows=(3, 3), **PLAIN).opened()


# X_GBT_* ------------------------------------------------------------------------------------------


def test_lost_block(talk: Any) -> None:
    one, two, three = talk.stream(SET)
    assert talk.serve(one) == ()
    assert talk.hexes(three) == ["e0810001000100"]  # block 2 is missing, nothing else
    assert talk.done == 0
    # What asked for it was not acknowledged, and goes in front of the answer.
    assert talk.hexes(two) == ["e0430001000300", "e083000200030" + "4" + DONE]
    assert (talk.done, talk.value) == (1, VALUE)
    talk.still_works()


def test_every_block_but_the_last_is_lost(talk: Any) -> None:
    *rest, last = talk.stream(SET)
    assert talk.hexes(last) == ["e0820001000000"]
    assert talk.serve(rest[0]) == ()
    assert decode(talk.serve(rest[1])[0]).acknowledged == 3
    assert (talk.done, talk.value) == (1, VALUE)


def test_duplicates(talk: Any) -> None:
    """The last block and what was answered, too: it is answered again, and not carried out."""
    for octets in talk.stream(SET)[:-1]:
        assert talk.serve(octets) == talk.serve(octets) == ()
    last = talk.stream(SET)[-1]
    answer = talk.serve(last)
    assert [decode(octets).data.hex() for octets in answer] == [DONE]
    for _ in range(MAX_REPEATS):
        assert talk.serve(last) == answer
    assert talk.serve(last) == (), "not for ever"
    assert talk.done == 1
    assert talk.serve(talk.block(4, 1, control=LAST | 3)) == ()
    assert talk.serve(last) == (talk.block(2, 4, control=LAST | 3),)
    assert talk.done == 1
    talk.still_works()


def test_the_same_again_once_it_is_acknowledged_is_another(talk: Any) -> None:
    for expected in (1, 2):
        for octets in talk.stream(SET):
            answer = talk.serve(octets)
        assert decode(answer[0]).data.hex() == DONE
        assert talk.serve(talk.block(4, 1, control=LAST | 3)) == ()
        assert talk.done == expected


def test_wrong_acknowledgement(talk: Any) -> None:
    """Of what was not sent: as if it were lost."""
    talk.value = VALUE
    (first,) = talk.serve(GET)
    assert decode(first).number == 1
    assert talk.serve(talk.block(1, 2, control=LAST | 3)) == ()
    assert talk.reasons == ["block-number-ack"]
    assert [decode(octets).number for octets in talk.serve(talk.block(1, 1, control=LAST | 3))] == [
        2,
        3,
    ]
    assert talk.done == 1
    talk.still_works()


BROKEN: dict[str, tuple[tuple[Any, ...], str]] = {
    "window 0": ((1, 1, b"", LAST), "window-0"),
    "last and streaming": ((1, 1, b"\xc0", LAST | STREAMING | 3), "last-and-streaming"),
    "block 0": ((0, 1, b"\xc0"), "block-number"),
    "far ahead": ((64, 1, b"\xc0"), "block-beyond-window"),
    "number 65535": ((0xFFFF, 1, b"\xc0"), "block-beyond-window"),
}


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_what_ends_an_exchange(case: str, talk: Any) -> None:
    wrong, reason = BROKEN[case]
    talk.value = octet_string(bytes(1000))
    assert len(talk.serve(GET)) == 1
    assert talk.hexes(talk.block(*wrong)) == [ABORT]
    assert talk.reasons == [reason]
    assert talk.pair.server._carrier.pending == 0
    assert talk.serve(talk.block(1, 1, control=LAST | 3)) == (), "there is nothing to go on with"
    assert talk.done == 1
    talk.still_works()


@pytest.mark.parametrize("control", [0, LAST | STREAMING | 3])
def test_what_never_becomes_a_request(control: int, talk: Any) -> None:
    """A request in blocks that say that nothing is to come back, or contradict themselves."""
    assert talk.serve(talk.stream(SET)[0]) == ()
    talk.serve(talk.block(2, 0, SET[100:200], control))
    talk.serve(talk.stream(SET)[2])
    assert (talk.done, talk.value) == (0, octet_string(b""))
    talk.still_works()


def test_another_block_than_the_one_that_came(talk: Any) -> None:
    """It is not believed."""
    one, two, three = talk.stream(SET)
    assert talk.serve(one) == ()
    assert talk.serve(two) == ()
    assert talk.serve(talk.block(2, 0, b"else", STREAMING | 3)) == ()
    assert talk.reasons == ["block-of-no-exchange"]
    talk.serve(three)
    assert (talk.done, talk.value) == (1, VALUE)


def test_another_block_than_the_one_that_waits_for_a_gap_to_be_filled(talk: Any) -> None:
    _, two, three = talk.stream(SET)
    talk.serve(three)
    assert talk.hexes(talk.block(3, 0, b"else", STREAMING | 3)) == [ABORT]
    assert talk.reasons == ["block-contradicts"]
    # What is left of that stream is not mixed with what comes then.
    assert talk.serve(two) == talk.serve(three) == ()
    assert talk.reasons[1:] == ["block-of-no-exchange"] * 2
    assert talk.done == 0
    talk.still_works()


@pytest.mark.parametrize("octets", ["E0", "E083000100", "E08300010000050000", "E0830001000001C0FF"])
def test_unreadable(octets: str, talk: Any) -> None:
    """As if it were lost: what is under way goes on."""
    one, two, three = talk.stream(SET)
    assert talk.serve(one) == ()
    assert talk.serve(bytes.fromhex(octets)) == ()
    assert talk.reasons == ["malformed-gbt"]
    talk.serve(two)
    talk.serve(three)
    assert (talk.done, talk.value) == (1, VALUE)


def test_abort(talk: Any, vectors: dict[str, bytes]) -> None:
    assert talk.serve(talk.stream(SET)[0]) == ()
    assert talk.serve(vectors["GBT, abort"]) == ()
    assert talk.reasons == ["aborted"]
    assert not talk.pair.server._carrier.waiting
    talk.still_works()


def test_numbers_do_not_begin_again(general: Any) -> None:
    """A question that takes all numbers, each block acknowledged, has none left for its answer."""
    talk = general(**PLAIN).opened()
    apdu = ActionRequest(0x41, METHOD, octet_string(bytes(0xFFFF - 17))).encode()
    assert len(apdu) == 0xFFFF
    for number, octet in enumerate(apdu, 1):
        control = LAST | 1 if number == 0xFFFF else 1
        (reply,) = talk.serve(talk.block(number, number - 1, bytes((octet,)), control))
        if number < 0xFFFF:
            assert decode(reply)[3:] == (number, number, b"")
    assert reply.hex() == ABORT
    assert talk.done == 1
    talk.still_works()


def test_a_flood_is_bounded(general: Any) -> None:
    talk = general(server_pdu=1024, windows=(63, 63), **PLAIN).opened()
    carrier = talk.pair.server._carrier
    data = bytes(1000)
    for number in range(1, MAX_TOTAL // 1000 + 1):
        octets = talk.block(number, 0, b"", STREAMING | 3)[:-1] + bytes.fromhex("8203E8") + data
        talk.serve(octets)
        assert carrier.pending == 1000 * number <= MAX_TOTAL
    octets = talk.block(number + 1, 0, b"", STREAMING | 3)[:-1] + bytes.fromhex("8203E8") + data
    assert talk.hexes(octets) == [ABORT]
    assert talk.reasons == ["long-apdu"]
    assert carrier.pending == 0
    talk.still_works()


def test_a_flood_that_nobody_is_to_acknowledge_is_bounded(general: Any) -> None:
    talk = general(server_pdu=1024, **PLAIN).opened()
    carrier = talk.pair.server._carrier
    for number in range(1, MAX_TOTAL // 1000 + 2):
        head = talk.block(number, 0, b"", STREAMING)[:-1]
        assert talk.serve(head + bytes.fromhex("8203E8") + bytes(1000)) == ()
        assert carrier.pending <= MAX_TOTAL
    assert talk.reasons == ["long-apdu"]
    assert carrier.pending == 0


def test_a_lost_acknowledgement_does_not_keep_the_next_request_out(general: Any) -> None:
    """The answer to a plain request still waits for it when the client asks in blocks."""
    talk = general(windows=(3, 3), **PLAIN).opened()
    talk.value = VALUE
    talk.serve(GET)
    assert talk.pair.server._carrier.waiting
    for octets in talk.stream(SET):
        answer = talk.serve(octets)
    assert decode(answer[0]).data.hex() == DONE
    assert not talk.reasons
