"""General blocks that nobody answers: in associations in which a server says nothing, and of what
it says unasked. Octets by hand from GB Ed. 8, 9.4.6.13 and 9.5, and from fixtures/vectors.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import AssociationOpened, NotificationReceived, ResponseReceived
from dlms.axdr.data import octet_string, unsigned
from dlms.client.carried import awaited, carried
from dlms.client.effects import Post
from dlms.errors import LocalProtocolError
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.general_block import decode
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.set import SetRequest

GENERAL = (
    Conformance.GET
    | Conformance.SET
    | Conformance.GENERAL_PROTECTION
    | Conformance.GENERAL_BLOCK_TRANSFER
)
ATTRIBUTE = AttributeDescriptor(1, bytes((0, 0, 96, 1, 0, 255)), 2)
PLAIN = {"context": ApplicationContext.LN, "mechanism": Mechanism.NONE}
VALUE = octet_string(bytes(range(256)))
SET = SetRequest(0x41, ATTRIBUTE, VALUE).encode()
GET = GetRequest(0x41, ATTRIBUTE).encode()
LAST, STREAMING = 0x80, 0x40


# Silence ------------------------------------------------------------------------------------------

SILENT_SET = SetRequest(0x01, ATTRIBUTE, VALUE).encode()


@pytest.fixture(params=["unconfirmed", "broadcast"])
def silent(request: pytest.FixtureRequest, general: Any, names: dict[str, Any]) -> Any:
    if request.param == "unconfirmed":
        client, server = {"confirmed": False}, {"unconfirmed": True}
        talk = general(client=client, server=server, **PLAIN)
        event = talk.pair.serve(talk.pair.server.receive(talk.pair.ask(talk.pair.client.open())))
        assert isinstance(event, AssociationOpened)
        return talk
    both = {"pre_established": True, "broadcast": True}
    return general(
        mechanism=Mechanism.NONE,
        server={**both, "client_title": names["CLIENT_TITLE"]},
        client=both,
        keys={"gbek": names["GBEK"]},
    )


def to_all(talk: Any, apdu: bytes) -> bytes:
    """As it must be protected there."""
    if not talk.pair.server_config.broadcast:
        return apdu
    ciphered: bytes = talk.pair.sealed(apdu, control=0x70, ek=talk.pair.keys.gbek)
    return ciphered


def unconfirmed(talk: Any, apdu: bytes) -> list[bytes]:
    """Blocks that nobody acknowledges: window 0, all streaming."""
    return [
        octets[:1] + bytes((octets[1] & LAST | STREAMING,)) + octets[2:]
        for octets in talk.stream(apdu)
    ]


def test_a_request_that_nobody_acknowledges(silent: Any) -> None:
    for octets in unconfirmed(silent, to_all(silent, SILENT_SET)):
        assert silent.serve(octets) == ()
    assert (silent.done, silent.value) == (1, VALUE)


def test_a_request_that_waits_for_acknowledgements(silent: Any) -> None:
    """It gets none, but there is nothing wrong with it if it needs none."""
    for octets in silent.stream(to_all(silent, SILENT_SET)):
        assert silent.serve(octets) == ()
    assert (silent.done, silent.value) == (1, VALUE)
    for octets in unconfirmed(silent, to_all(silent, SILENT_SET)):
        assert silent.serve(octets) == ()
    assert silent.done == 2


WRONG: dict[str, bytes | tuple[Any, ...]] = {
    "window 0": (1, 1, b"", LAST),
    "last and streaming": (1, 1, b"\xc0", LAST | STREAMING | 3),
    "block 0": (0, 1, b"\xc0"),
    "far ahead": (64, 1, b"\xc0"),
    "abort": bytes.fromhex("e0800000000000"),
    "no block": b"\xe0",
    "without protection": (1, 0, GET, LAST | 3),
    "acknowledgement": (1, 1),
    "no APDU": (1, 0, bytes(127)),
    "last of three": (3, 0, SET[200:], LAST | 3),
}


@pytest.mark.parametrize("octets", WRONG.values(), ids=WRONG)
def test_whatever_comes_there_is_silence(octets: Any, silent: Any) -> None:
    if isinstance(octets, tuple):
        octets = silent.block(*octets)
    for _ in range(3):
        assert silent.serve(octets) == ()
    too_long = silent.block(1, 0, bytes(121), 3)[:-122] + b"\x79" + bytes(121) + b"\0"
    assert silent.serve(too_long) == ()
    assert silent.done == 0


def test_what_needs_no_answer_is_acknowledged(general: Any) -> None:
    """A request without a response, where responses are allowed."""
    talk = general(**PLAIN).opened()
    for octets in talk.stream(SILENT_SET)[:-1]:
        assert talk.serve(octets[:1] + b"\x03" + octets[2:])
    assert talk.hexes(talk.stream(SILENT_SET)[-1]) == ["e0810001000300"]
    assert talk.done == 1
    assert not talk.pair.server._carrier.unbounded
    talk.value = unsigned(7)
    assert talk.hexes(GET) == ["c40141001107"]


# Unasked ------------------------------------------------------------------------------------------

NEWS = DataNotification(1, VALUE)


@pytest.fixture(params=[PLAIN, {"server": {"policy": Protection.BOTH}}], ids=["plain", "ciphered"])
def told(request: pytest.FixtureRequest, general: Any) -> Any:
    services = GENERAL | Conformance.DATA_NOTIFICATION
    return general(services=services, **request.param).opened()


def notified(talk: Any) -> list[bytes]:
    server = talk.pair.server
    return list(server.carry_unasked(talk.pair.serve(server.notify(NEWS))))


def test_a_long_notification(told: Any) -> None:
    blocks = notified(told)
    assert len(blocks) > 2
    assert [octets[1] for octets in blocks] == [STREAMING] * (len(blocks) - 1) + [STREAMING | LAST]
    assert max(map(len, blocks)) == 128
    carrier = told.pair.client.carrier
    got = [carrier.receive(octets) for octets in blocks]
    assert not any(one.replies or carrier.acknowledge() for one in got)
    event = told.pair.ask(told.pair.client.receive(got[-1].apdu))
    assert event == NotificationReceived(NEWS)
    told.value = VALUE
    assert told.get() == VALUE


def test_a_short_notification_goes_plain(told: Any) -> None:
    server = told.pair.server
    apdu = told.pair.serve(server.notify(DataNotification(1, unsigned(1))))
    assert server.carry_unasked(apdu) == (apdu,)


def test_a_notification_between_request_and_response(told: Any) -> None:
    """It is what comes next, and the answer comes after it: nothing of either is lost."""
    carrier, client = told.pair.client.carrier, told.pair.client
    told.value = VALUE
    news = deque(notified(told))
    request = told.pair.ask(client.request(GetRequest(0x41, ATTRIBUTE)))
    came: deque[bytes] = deque()

    def hold(dialogue: Any) -> Any:
        given: Any = None
        try:
            while True:
                wish = dialogue.send(given)
                for apdu in wish.apdus:
                    came.extend(told.serve(apdu))
                if news:
                    came.append(news.popleft())
                given = None if isinstance(wish, Post) else came.popleft()
        except StopIteration as stop:
            return stop.value

    first = told.pair.ask(client.receive(hold(carried(carrier, request))))
    assert first == NotificationReceived(NEWS)
    second = told.pair.ask(client.receive(hold(awaited(carrier))))
    assert second == ResponseReceived(GetResponse(0x41, VALUE))
    assert not carrier.waiting
    assert not told.pair.server._carrier.waiting
    assert told.done == 1


def test_a_notification_around_a_plain_exchange(told: Any) -> None:
    """What comes unconfirmed is no part of any exchange, and does not end with one."""
    apdu = told.pair.serve(told.pair.server.notify(NEWS))
    first, *rest = told.pair.server.carry_unasked(apdu)
    carrier = told.pair.client.carrier
    assert carrier.receive(first) == (None, ())
    told.value = unsigned(7)
    assert told.get() == unsigned(7)
    assert [carrier.receive(octets).apdu for octets in rest][-1] == apdu


def test_a_notification_that_no_blocks_can_carry(general: Any) -> None:
    services = GENERAL | Conformance.DATA_NOTIFICATION
    talk = general(client_pdu=12, services=services, **PLAIN).opened()
    long = DataNotification(1, octet_string(bytes(32767 * 5)))
    with pytest.raises(LocalProtocolError, match="too long"):
        talk.pair.serve(talk.pair.server.notify(long))


# Vectors ------------------------------------------------------------------------------------------


def test_vectors(general: Any, vectors: dict[str, bytes]) -> None:
    """The blocks of fixtures/vectors/gbt.json, where an association has a place for them."""
    talk = general(client_pdu=27, **PLAIN).opened()
    talk.value = octet_string(bytes(range(200)))
    replies = [decode(octets) for octets in talk.serve(vectors["GBT, request in one block"])]
    assert [one[3:5] for one in replies] == [(1, 1), (2, 1), (3, 1)]
    assert replies[0].data.hex() == "c401c1000981c8" + bytes(range(13)).hex()


def test_vectors_ask_for_a_gap(general: Any, vectors: dict[str, bytes]) -> None:
    talk = general(client_pdu=27, **PLAIN).opened()
    talk.value = octet_string(bytes(range(200)))
    request = vectors["GBT, request in one block"][7:]
    assert [decode(octets).number for octets in talk.serve(request)] == [1]
    assert len(talk.serve(bytes.fromhex("E0860001000100"))) == 6
    gap = talk.serve(vectors["GBT, gap of two blocks is asked for"])
    assert [decode(octets)[3:5] for octets in gap] == [(4, 2), (5, 2)]
    more = talk.serve(vectors["GBT, acknowledgement of block 6 by an empty last block"])
    assert [decode(octets)[3:5] for octets in more] == [(7, 3), (8, 3), (9, 3)]
    assert talk.done == 1


def test_vectors_of_a_push(told: Any, vectors: dict[str, bytes]) -> None:
    """Two of its four blocks: nothing is whole, nothing is answered."""
    carrier = told.pair.client.carrier
    for number in (1, 4):
        (name,) = (name for name in vectors if f"unconfirmed, block {number}" in name)
        assert carrier.receive(vectors[name]) == (None, ())
    assert carrier.taken == 1
    assert not carrier.waiting
