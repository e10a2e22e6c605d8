"""General block transfer through whole associations: any APDU, ciphered or not, in blocks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.axdr.data import octet_string
from dlms.client.refusals import ServiceException
from dlms.errors import LocalProtocolError
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.transfer.pieces import TooLong
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.general_block import decode
from dlms.xdlms.get import GetRequest

ATTRIBUTE = AttributeDescriptor(1, bytes((0, 0, 96, 1, 0, 255)), 2)
METHOD = MethodDescriptor(70, bytes((0, 0, 96, 3, 10, 255)), 1)
GENERAL = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.GENERAL_PROTECTION
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.GENERAL_BLOCK_TRANSFER
)
SPECIFIC = (
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
)
PLAIN = {"context": ApplicationContext.LN, "mechanism": Mechanism.NONE}
KINDS: dict[str, dict[str, Any]] = {
    "plain": PLAIN,
    "ciphered": {"server": {"policy": Protection.BOTH}},
    "general": {"client": {"form": Form.GENERAL}},
    "dedicated": {"dedicated": True},
    "authenticated": {"client": {"protection": Protection.AUTHENTICATED}},
    "encrypted": {"client": {"protection": Protection.ENCRYPTED}},
}
VALUE = octet_string(bytes(range(256)) * 4)


def tags(apdus: Iterable[bytes]) -> set[int]:
    return {apdu[0] for apdu in apdus}


# Long requests and responses ----------------------------------------------------------------------


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_long_get_set_and_action(kind: dict[str, Any], always: bool, general: Any) -> None:
    talk = general(always=always, **kind).opened()
    talk.set(VALUE)
    assert (talk.value, talk.done) == (VALUE, 1)
    assert tags(talk.asked) == {0xE0}
    assert talk.get() == VALUE
    assert talk.hold(talk.dialogues.action(METHOD, VALUE)) == VALUE
    assert (talk.done, talk.steps) == (3, 0)
    assert tags(talk.said) == {0xE0}
    for went in (talk.asked, talk.said):
        assert max(map(len, went)) == 128, "blocks are as long as may be"
    assert not talk.reasons
    talk.hold(talk.dialogues.release())
    assert talk.asked[-1][0] == 0x62
    assert talk.said[-1][0] == 0x63


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_lists(kind: dict[str, Any], general: Any) -> None:
    talk = general(windows=(3, 5), **kind).opened()
    values = [octet_string(bytes((number,)) * 70) for number in range(5)]
    items = [(ATTRIBUTE, None)] * 13
    results = talk.hold(talk.dialogues.set_list(items[:5], values))
    assert results == (DataAccessResult.SUCCESS,) * 5
    # A request that is too long itself, for which GET has no blocks.
    assert talk.hold(talk.dialogues.get_list(items)) == (values[-1],) * 13
    returned = talk.hold(talk.dialogues.action_list([METHOD] * 5, values))
    assert [result.returned for result in returned] == values
    assert talk.done == 3
    assert tags(talk.asked) == tags(talk.said) == {0xE0}


@pytest.mark.parametrize("always", [False, True])
def test_what_fits_goes_plain_unless_it_is_wanted_otherwise(always: bool, general: Any) -> None:
    talk = general(always=always, **PLAIN).opened()
    talk.set(octet_string(b"short"))
    assert talk.get() == octet_string(b"short")
    assert (tags(talk.asked) == {0xE0}) is (tags(talk.said) == {0xE0}) is always


ROOM = 128 - 6 - 1
"""Octets of data in a block: without the head, and the length."""


@pytest.mark.parametrize("window", [1, 2, 8, 63])
def test_the_clients_window(window: int, general: Any) -> None:
    """Known from its request: as many blocks come in each stream."""
    talk = general(windows=(window, 1), always=True, **PLAIN).opened()
    talk.value = octet_string(bytes(100 * ROOM - 10))
    assert talk.get() == talk.value
    assert len(talk.said) == 100
    assert [decode(apdu).streaming for apdu in talk.said] == [
        number % window != 0 for number in range(1, 100)
    ] + [False]
    # The request, an acknowledgement of each stream.
    assert len(talk.asked) == 1 + -(-100 // window)
    assert {decode(apdu).window for apdu in talk.asked} == {window}


@pytest.mark.parametrize("window", [1, 2, 8, 63])
def test_the_servers_window(window: int, general: Any) -> None:
    """Known from its first acknowledgement."""
    talk = general(windows=(1, window), **PLAIN).opened()
    talk.set(octet_string(bytes(100 * ROOM - 20)))
    blocks = [decode(apdu) for apdu in talk.asked]
    assert len(blocks) == 101
    assert not blocks[-1].data, "the response is acknowledged"
    assert {decode(apdu).window for apdu in talk.said} == {window}
    # A stream of one, then full ones, each with its answer.
    assert len(talk.said) == 1 + -(-99 // window)


# Which blocks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [PLAIN, {}], ids=["plain", "ciphered"])
def test_blocks_of_either_kind(kind: dict[str, Any], general: Any) -> None:
    """A plain request is answered by blocks of its service, one in general blocks by those."""
    talk = general(services=GENERAL | SPECIFIC, **kind).opened()
    talk.set(VALUE)
    assert talk.get() == VALUE
    assert talk.steps > 8
    assert 0xE0 not in tags(talk.asked) | tags(talk.said)
    talk = general(services=GENERAL | SPECIFIC, always=True, **kind).opened()
    talk.set(VALUE)
    assert talk.get() == VALUE
    assert (talk.steps, talk.done) == (0, 2)
    assert tags(talk.asked) == tags(talk.said) == {0xE0}


def test_a_block_of_its_service_within_general_blocks(general: Any) -> None:
    """Whoever asks in general blocks for the next block of a GET is given it in those."""
    talk = general(services=GENERAL | SPECIFIC, **PLAIN).opened()
    talk.value = VALUE
    (first,) = talk.serve(GetRequest(0x41, ATTRIBUTE).encode())
    assert first[:2].hex() == "c402"
    replies = talk.serve(bytes.fromhex("E0 83 0001 0000 07 C0 02 41 00000001"))
    blocks = [decode(reply) for reply in replies]
    assert [(block.number, block.acknowledged) for block in blocks] == [(1, 1), (2, 1)]
    # get-response-with-datablock, not the last, number 2: as long as the first one.
    whole = b"".join(block.data for block in blocks)
    assert (whole[:9].hex(), len(whole)) == ("c40241000000000200", len(first))
    assert talk.done == talk.steps == 1


REFUSED_SERVICE = "d80102"


@pytest.mark.parametrize("side", ["client", "server"])
def test_not_negotiated(side: str, general: Any) -> None:
    """R-CONF-2."""
    without = GENERAL & ~Conformance.GENERAL_BLOCK_TRANSFER
    talk = general(**{side: {"conformance": without}}, **PLAIN).opened()
    (reply,) = talk.serve(bytes.fromhex("E0 83 0001 0000 01 C0"))
    assert reply.hex() == REFUSED_SERVICE
    assert talk.reasons == ["service-not-negotiated"]
    assert talk.pair.server._carrier.taken == 0
    talk.value = VALUE
    with pytest.raises(ServiceException, match="pdu-too-long"):
        talk.get()
    with pytest.raises(TooLong):
        talk.set(VALUE)
    assert talk.done == 1


def test_not_associated(general: Any) -> None:
    talk = general(**PLAIN)
    assert talk.serve(bytes.fromhex("E0 83 0001 0000 01 C0"))[0].hex() == REFUSED_SERVICE
    # An acknowledgement asks for nothing: one that is late is no reason to say anything.
    assert talk.serve(bytes.fromhex("E0 83 0001 0001 00")) == ()
    assert talk.reasons == ["not-associated", "gbt-not-negotiated"]


def test_short_names_are_told_in_their_own_words(bench: Any) -> None:
    pair = bench(
        context=ApplicationContext.SN,
        mechanism=Mechanism.NONE,
        client={"conformance": Conformance.READ},
        server={"conformance": Conformance.READ},
    ).connect()
    # confirmedServiceError, initiateError, service [3]: service-unsupported
    assert pair.hit(bytes.fromhex("E0 83 0001 0000 01 C0")).reply.hex() == "0e010302"


# Sizes --------------------------------------------------------------------------------------------


def test_a_client_without_a_limit(general: Any) -> None:
    """Plain requests are answered plain, and those in blocks by one block."""
    talk = general(client_pdu=0, **PLAIN).opened()
    talk.value = octet_string(bytes(5000))
    assert talk.get() == talk.value
    assert tags(talk.said) == {0xC4}
    talk = general(client_pdu=0, always=True, **PLAIN).opened()
    talk.value = octet_string(bytes(5000))
    assert talk.get() == talk.value
    assert len(talk.said) == 1
    assert len(talk.said[0]) > 5000


@pytest.mark.parametrize("kind", [PLAIN, {}], ids=["plain", "ciphered"])
@pytest.mark.parametrize("size", [12, 13, 60, 133, 134, 135, 136, 262, 263, 264])
def test_sizes(size: int, kind: dict[str, Any], general: Any) -> None:
    """From the smallest that may be proposed on; where the length of a block takes an octet more.
    Whatever the sizes, associations are made and ended without blocks.
    """
    talk = general(size, size, windows=(5, 5), **kind)
    talk.hold(talk.dialogues.open())
    assert talk.asked[0][0] == 0x60
    assert talk.said[0][0] == 0x61
    talk.set(VALUE)
    assert talk.get() == VALUE
    blocks = [apdu for apdu in talk.asked + talk.said if apdu[0] == 0xE0]
    assert max(map(len, blocks)) in (size, size - 1)
    talk.hold(talk.dialogues.release())
    assert talk.asked[-1][0] == 0x62
    assert talk.said[-1][0] == 0x63
    assert not talk.reasons


@pytest.mark.parametrize("always", [False, True])
def test_what_no_blocks_can_carry(always: bool, general: Any) -> None:
    """X_PDU_MAX: as many octets as blocks of five have numbers for, with their acknowledgements."""
    talk = general(12, 12, always=always, windows=(63, 63), **PLAIN).opened()
    head = len(bytes.fromhex("C4 01 41 00 09 83 000000"))
    talk.value = octet_string(bytes(32767 * 5 - head))
    assert talk.get() == talk.value
    talk.value = octet_string(bytes(32767 * 5 - head + 1))
    with pytest.raises(ServiceException, match="pdu-too-long"):
        talk.get()
    with pytest.raises(LocalProtocolError):
        talk.set(octet_string(bytes(32767 * 5)))
    assert talk.done == 2
    talk.value = octet_string(b"short")
    assert talk.get() == talk.value


def test_a_block_longer_than_our_size(general: Any) -> None:
    talk = general(**PLAIN).opened()
    first = bytes.fromhex("E0 03 0001 0000 02 C101")
    assert decode(talk.serve(first)[0]).acknowledged == 1
    (reply,) = talk.serve(bytes.fromhex("E0 03 0002 0001 7A") + bytes(122))
    assert reply.hex() == "d80104"
    assert talk.reasons == ["pdu-too-long"]
    assert not talk.pair.server._carrier.waiting
    # To the octet.
    assert decode(talk.serve(first)[0]).acknowledged == 1
    (reply,) = talk.serve(bytes.fromhex("E0 03 0002 0001 79") + bytes(121))
    assert decode(reply).acknowledged == 2
    talk.set(octet_string(b"x"))
