"""General blocks and what is around them: ciphering, authentication, the end of associations.

Octets by hand from GB Ed. 8, 9.4.6.13 and 9.5.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.carrying import Carrier
from dlms.association.state import State
from dlms.axdr.data import octet_string, unsigned
from dlms.client.refusals import AssociationRejected
from dlms.errors import RemoteProtocolError
from dlms.security.ciphered import Form
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.general_block import decode
from dlms.xdlms.get import GetRequest
from dlms.xdlms.initiate import InitiateRequest
from dlms.xdlms.set import SetRequest

ATTRIBUTE = AttributeDescriptor(1, bytes((0, 0, 96, 1, 0, 255)), 2)
PLAIN = {"context": ApplicationContext.LN, "mechanism": Mechanism.NONE}
VALUE = octet_string(bytes(range(256)))
SET = SetRequest(0x41, ATTRIBUTE, VALUE).encode()
GET = GetRequest(0x41, ATTRIBUTE).encode()
LAST, STREAMING = 0x80, 0x40


# Ciphering ----------------------------------------------------------------------------------------


def test_one_invocation_counter_for_one_apdu(general: Any, names: dict[str, Any]) -> None:
    """X_GBT_CIPHER_ORDER: however many blocks there are."""
    talk = general(40, 40).opened()
    pair, key = talk.pair, names["GUEK"]
    before = pair.client_counters.next_to_send(key), pair.server_counters.next_to_send(key)
    floor = pair.server_counters.floor(key)
    talk.set(VALUE)
    assert len(talk.asked) == 10
    talk.get()
    assert len(talk.said) > 15
    after = pair.client_counters.next_to_send(key), pair.server_counters.next_to_send(key)
    assert [new - old for old, new in zip(before, after, strict=True)] == [2, 2]
    assert pair.server_counters.floor(key) == floor + 2


def test_blocks_within_ciphering(general: Any) -> None:
    """X_GBT_CIPHER_ORDER, KL-PR-09: the other way round is no request."""
    talk = general().opened()
    pair = talk.pair
    inside = talk.stream(GET)[0]
    (reply,) = talk.serve(pair.sealed(inside, form=Form.GENERAL))
    assert reply.hex() == "d80202"
    # Not even if the blocks are themselves in a block.
    (reply,) = talk.serve(talk.stream(pair.sealed(inside, form=Form.GENERAL))[0])
    assert decode(reply).data.hex() == "d80202"
    assert talk.reasons == ["unknown-service"] * 2
    assert talk.done == 0
    talk.still_works()


def test_a_block_that_was_tampered_with(general: Any) -> None:
    """Nothing is carried out, and no counter is taken for it."""
    talk = general().opened()
    sealed = bytearray(talk.pair.sealed(SET))
    sealed[50] ^= 1
    for octets in talk.stream(bytes(sealed)):
        replies = talk.serve(octets)
    assert decode(replies[-1]).data.hex() == "d80105"
    assert talk.done == 0
    talk.still_works()


def test_new_keys_in_the_middle_of_a_transfer(general: Any, names: dict[str, Any]) -> None:
    """KL-KT-19: what is under way ends under the key it began with, for it was ciphered before it
    was cut; what begins, begins under the new one.
    """
    talk = general(windows=(1, 1)).opened()
    pair = talk.pair
    fresh = names["GUEK"]._replace(version=1)
    for module in (pair.server_module, pair.client_module):
        module.keys.keep(fresh, bytes(range(0x60, 0x70)))
    talk.value = VALUE
    old = talk.dialogues.get(ATTRIBUTE)
    on_the_way: list[bytes] = []
    serve = talk.serve

    def adopting(apdu: bytes) -> tuple[bytes, ...]:
        replies: tuple[bytes, ...] = serve(apdu)
        if len(talk.asked) == 1:
            pair.server.adopt(pair.server_config, pair.keys._replace(guek=fresh))
        on_the_way.extend(replies)
        return replies

    talk.serve = adopting
    assert talk.hold(old) == VALUE
    assert len(on_the_way) > 2
    talk.serve = serve
    assert decode(talk.serve(talk.stream(pair.sealed(GET))[0])[0]).data.hex() == "d80105"
    (first,) = [talk.serve(octets) for octets in talk.stream(pair.sealed(GET, ek=fresh))]
    assert talk.done == 2
    assert decode(first[0]).data[0] == 0xCC  # glo-get-response


# ACSE, and the ends of associations ---------------------------------------------------------------


def test_acse_in_blocks(general: Any) -> None:
    """Associations are neither made nor ended in blocks."""
    talk = general(**PLAIN).opened()
    aarq = talk.pair.aarq().encode()
    for apdu in (aarq, bytes.fromhex("6203800100"), bytes.fromhex("6203800100")[:2]):
        (reply,) = talk.serve(talk.stream(apdu)[0])
        assert decode(reply).data.hex() == "d80202"
        assert decode(reply).acknowledged == 1
    assert talk.pair.server.state is State.ASSOCIATED
    assert talk.reasons == ["unknown-service"] * 3
    talk.still_works()


@pytest.mark.parametrize("client_pdu", [12, 40, 0])
def test_a_refused_authentication_is_said_to_its_end(client_pdu: int, general: Any) -> None:
    """It came in blocks, so it is answered in blocks, although there is no association any more."""
    talk = general(client_pdu, always=True, server_pdu=40)
    pair = talk.pair
    judge = pair.client._exchange

    def wrong() -> Any:
        return replace(judge(), peer_challenge=b"some other challenge")

    pair.client._exchange = wrong
    with pytest.raises(AssociationRejected):
        talk.hold(talk.dialogues.open())
    blocks = [decode(octets) for octets in talk.said if octets[0] == 0xE0]
    assert (len([one for one in blocks if one.data]) > 3) is (client_pdu == 12)
    assert pair.server.state is pair.client.state is State.IDLE
    assert not talk.reasons
    assert not pair.server._carrier.waiting
    # What is late now is of no association, and an acknowledgement is nothing to answer.
    assert talk.serve(talk.block(9, 9, control=LAST | 1)) == ()
    assert talk.hexes(talk.block(1, 0, b"\xc0", control=LAST | 1)) == ["d80102"]


def test_no_request_is_collected_behind_an_association(general: Any) -> None:
    """While the last of it is still to be acknowledged."""
    talk = general(12, 40, always=True)
    pair = talk.pair
    pair.begin()
    f = bytes.fromhex("10000000FF") + bytes(12)
    for octets in talk.stream(pair.sealed(pair.pass_3(f)), size=33):
        replies = talk.serve(octets)
    assert pair.server.state is State.IDLE
    assert [len(decode(octets).data) for octets in replies] == [0, 5, 5, 5]
    assert pair.server._carrier.waiting
    assert talk.hexes(talk.block(1, 0, bytes(20), control=3)) == ["d80102"]
    assert not pair.server._carrier.waiting, "whoever goes on without blocks has ended it"


def test_what_is_owed_behind_an_association_is_acknowledged_only(general: Any) -> None:
    talk = general()
    carrier = Carrier(3, answers=True)
    carrier.begin(Conformance.GENERAL_BLOCK_TRANSFER, 12)
    assert carrier.receive(talk.stream(b"question")[0]).apdu == b"question"
    carrier.end()
    assert [decode(octets).data for octets in carrier.send(b"long answer")] == [
        b"long ",
        b"answe",
        b"r",
    ]
    with pytest.raises(RemoteProtocolError) as caught:
        carrier.receive(talk.stream(b"another")[0])
    assert caught.value.reason == "block-of-no-exchange"
    assert carrier.waiting
    assert carrier.receive(talk.block(2, 3, control=LAST | 3)) == (None, ())
    assert not carrier.waiting
    with pytest.raises(RemoteProtocolError):
        carrier.receive(talk.block(2, 3, control=LAST | 3))


@pytest.mark.parametrize("how", ["AARQ", "RLRQ", "close"])
@pytest.mark.parametrize("way", ["request", "response"])
def test_an_association_that_ends_in_the_middle(how: str, way: str, general: Any) -> None:
    talk = general(windows=(1, 1), **PLAIN).opened()
    pair = talk.pair
    talk.value = VALUE
    talk.serve(GET if way == "response" else talk.stream(SET)[0])
    assert pair.server._carrier.waiting
    if how == "close":
        pair.serve(pair.server.close())
    else:
        initiate = InitiateRequest(
            conformance=pair.client_config.conformance, client_max_receive_pdu_size=128
        )
        apdu = (
            pair.aarq(initiate.encode()).encode() if how == "AARQ" else bytes.fromhex("6203800100")
        )
        (reply,) = talk.serve(apdu)
        assert reply[0] == (0x61 if how == "AARQ" else 0x63)
    assert not pair.server._carrier.waiting
    # It is not gone on with, and does not become whole in the next one.
    if how == "AARQ":
        assert talk.serve(talk.block(1, 1, control=LAST | 3)) == ()
        replies = [talk.serve(octets) for octets in talk.stream(SET)[1:]]
        assert not any(decode(octets).data for one in replies for octets in one)
    else:
        assert talk.hexes(talk.stream(SET)[1]) == ["d80102"]
        assert talk.serve(talk.block(1, 1, control=LAST | 3)) == ()
    assert talk.done == (way == "response")


def test_a_plain_request_in_the_middle_that_is_not_answered(general: Any) -> None:
    talk = general(windows=(1, 1), **PLAIN).opened()
    talk.serve(talk.stream(SET)[0])
    other = octet_string(b"other")
    assert talk.serve(SetRequest(0x01, ATTRIBUTE, other).encode()) == ()
    replies = [talk.serve(octets) for octets in talk.stream(SET)[1:]]
    assert not any(decode(octets).data for one in replies for octets in one)
    assert (talk.done, talk.value) == (1, other)


def test_a_plain_request_in_the_middle(general: Any) -> None:
    talk = general(windows=(1, 1), **PLAIN).opened()
    talk.serve(talk.stream(SET)[0])
    talk.value = unsigned(7)
    assert talk.hexes(GET) == ["c40141001107"]
    replies = [talk.serve(octets) for octets in talk.stream(SET)[1:]]
    assert not any(decode(octets).data for one in replies for octets in one)
    assert talk.value == unsigned(7)
