"""Messages matched, states followed, blocks put together, secrets kept."""

from __future__ import annotations

import json

import pytest

from dlms.acse import Aarq, ApplicationContext, AuthenticationValue, Mechanism
from dlms.axdr import Data, encode
from dlms.axdr.data import octet_string, structure, unsigned
from dlms.security.ciphered import Family, Form, encode_ciphered
from dlms.xdlms.action import ActionRequestBlock, ActionRequestFirstBlock
from dlms.xdlms.block import Block
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.general_block import GeneralBlock
from dlms.xdlms.get import GetRequest, GetRequestNext, GetResponse, GetResponseBlock
from dlms.xdlms.initiate import InitiateRequest
from dlms.xdlms.set import SetRequest, SetRequestBlock, SetRequestFirstBlock
from emulator.client.keys import Keys
from emulator.decoding.as_json import conversation_json
from emulator.decoding.chunks import Chunk, Line
from emulator.decoding.conversation import Conversation, Decoder
from emulator.decoding.hiding import Hider
from emulator.decoding.keys import KeyChain, Message
from emulator.decoding.text import View, conversation_lines

CLOCK = AttributeDescriptor(8, bytes.fromhex("0000010000FF"), 2)
SECRET = AttributeDescriptor(15, bytes.fromhex("0000280000FF"), 7)
UNIT = AttributeDescriptor(3, bytes.fromhex("0100010800FF"), 3)
PASSWORD = b"swordfish"


def _decoded(*apdus: tuple[bytes, bool], chain: KeyChain | None = None) -> Conversation:
    chunks = tuple(Chunk(apdu, forward) for apdu, forward in apdus)
    decoder = Decoder(chain or KeyChain({}), (b"TITLE123",))
    (found,) = decoder.decode([Line("client", "meter", chunks, whole=True)])
    return found


def _shown(found: Conversation, chain: KeyChain | None = None) -> str:
    hider = Hider((chain or KeyChain({})).secrets, [found])
    text = "\n".join(conversation_lines(found, View(hider, frames=True)))
    return text + json.dumps(conversation_json(found, hider, frames=True))


def test_a_response_has_the_names_of_what_was_asked() -> None:
    value = structure(Data(15, -1), Data(22, 30))  # type: ignore[arg-type]
    found = _decoded(
        (GetRequest(0xC1, UNIT).encode(), True), (GetResponse(0xC1, value).encode(), False)
    )
    assert found.messages[1].answers == 1
    assert "data[1] unit: enum 30 (Wh)" in _shown(found)


def test_interleaved_requests() -> None:
    first, second = GetRequest(0xC1, UNIT).encode(), GetRequest(0xC2, CLOCK).encode()
    found = _decoded(
        (first, True), (second, True), (GetResponse(0xC2, unsigned(1)).encode(), False),
        (GetResponse(0xC1, unsigned(1)).encode(), False),
        (GetResponse(0xC1, unsigned(1)).encode(), False),
    )  # fmt: skip
    assert [one.answers for one in found.messages] == [None, None, 2, 1, None]


def test_a_long_get() -> None:
    whole = encode(octet_string(bytes(range(40))))
    found = _decoded(
        (GetRequest(0xC1, CLOCK).encode(), True),
        (GetResponseBlock(0xC1, False, 1, whole[:20]).encode(), False),
        (GetRequestNext(0xC1, 1).encode(), True),
        (GetResponseBlock(0xC1, True, 2, whole[20:]).encode(), False),
    )
    assert not found.problems
    last = found.messages[-1].layers[-1]
    assert last.origin == "put together from 2 blocks"
    assert last.octets == GetResponse(0xC1, octet_string(bytes(range(40)))).encode()


def test_blocks_whose_request_was_not_seen() -> None:
    found = _decoded((GetResponseBlock(0xC1, True, 1, b"\x11\x01").encode(), False))
    assert "the request was not seen" in found.messages[0].problems[0]


def test_blocks_that_make_nothing() -> None:
    found = _decoded(
        (GetRequest(0xC1, CLOCK).encode(), True),
        (GetResponseBlock(0xC1, True, 1, b"\x09\x05\x01").encode(), False),
    )
    assert found.messages[1].problems == (
        "the blocks together: octet-string: 5 octets needed, 1 left at octet 2",
    )


def test_general_blocks_in_any_order() -> None:
    apdu = GetRequest(0xC1, CLOCK).encode()
    blocks = [
        GeneralBlock(False, True, 1, 1, 0, apdu[:5]), GeneralBlock(True, False, 1, 3, 0, apdu[9:]),
        GeneralBlock(False, True, 1, 2, 0, apdu[5:9]),
    ]  # fmt: skip
    found = _decoded(*((one.encode(), True) for one in blocks))
    last = found.messages[-1].layers[-1]
    assert (last.octets, last.origin) == (apdu, "put together from 3 general blocks")


@pytest.mark.parametrize("cut", [1, 3, 6, 10])
def test_a_secret_in_blocks_is_not_shown(cut: int) -> None:
    raw = encode(octet_string(PASSWORD))
    found = _decoded(
        (SetRequestFirstBlock(0xC1, SECRET, None, Block(False, 1, raw[:cut])).encode(), True),
        (SetRequestBlock(0xC1, Block(True, 2, raw[cut:])).encode(), True),
    )
    assert (
        found.messages[-1].layers[-1].octets
        == SetRequest(0xC1, SECRET, octet_string(PASSWORD)).encode()
    )
    _keeps(_shown(found), PASSWORD)


def _keeps(text: str, secret: bytes) -> None:
    squeezed = text.lower().replace(" ", "")
    assert secret.hex() not in squeezed
    assert secret[:5].hex() not in squeezed
    assert secret.decode("latin-1").lower() not in text.lower()


def test_a_password_and_a_dedicated_key_are_not_shown() -> None:
    initiate = InitiateRequest(Conformance.GET, 512, dedicated_key=b"dedicated key 16")
    aarq = Aarq(
        ApplicationContext.LN.oid,
        sender_acse_requirements=True,
        mechanism_name=Mechanism.LLS.oid,
        calling_authentication_value=AuthenticationValue(PASSWORD),
        user_information=initiate.encode(),
    ).encode()
    echoed = SetRequest(0xC1, CLOCK, octet_string(PASSWORD)).encode()
    text = _shown(_decoded((aarq, True), (echoed, True)))
    for secret in (PASSWORD, b"dedicated key 16"):
        _keeps(text, secret)
    assert "not shown: may hold a secret" in text


def test_a_key_of_the_key_file_is_not_shown_where_it_is_sent() -> None:
    chain = KeyChain({"the": Keys(guek=b"sixteen octets 1", gak=b"sixteen octets 2")})
    sent = SetRequest(0xC1, CLOCK, octet_string(b"sixteen octets 2")).encode()
    _keeps(_shown(_decoded((sent, True), chain=chain), chain), b"sixteen octets 2")


def test_ciphered_with_a_dedicated_key_that_was_sent_before() -> None:
    chain = KeyChain({"the": Keys(guek=b"sixteen octets 1", gak=b"sixteen octets 2")})
    title, dedicated = b"TITLE123", b"dedicated key 16"
    (pair,) = chain.global_pairs([title], broadcast=False)
    initiate = InitiateRequest(Conformance.GET, 512, dedicated_key=dedicated).encode()
    body = chain.seal(pair, title, Message(0x30, 1, initiate))
    aarq = Aarq(
        ApplicationContext.LN_CIPHERED.oid,
        calling_ap_title=title,
        user_information=encode_ciphered(0x01, Family.GLOBAL, Form.SERVICE, 0x30, 1, body, title),
    ).encode()
    other = KeyChain({"x": Keys(guek=dedicated, gak=b"sixteen octets 2")})
    (its,) = other.global_pairs([title], broadcast=False)
    get = GetRequest(0xC1, CLOCK).encode()
    body = other.seal(its, title, Message(0x30, 7, get))
    ded = encode_ciphered(0xC0, Family.DEDICATED, Form.SERVICE, 0x30, 7, body, title)
    found = _decoded((aarq, True), (ded, True), chain=chain)
    assert found.messages[1].layers[1].octets == get
    assert found.messages[1].layers[1].verified
    _keeps(_shown(found, chain), dedicated)


def test_a_changed_octet_does_not_verify() -> None:
    chain = KeyChain({"the": Keys(guek=b"sixteen octets 1", gak=b"sixteen octets 2")})
    (pair,) = chain.global_pairs([], broadcast=False)
    body = bytearray(chain.seal(pair, b"TITLE123", Message(0x30, 1, GetRequest(1, CLOCK).encode())))
    body[-1] ^= 1
    glo = encode_ciphered(0xC0, Family.GLOBAL, Form.SERVICE, 0x30, 1, bytes(body), b"")
    (message,) = _decoded((glo, True), chain=chain).messages
    assert "authentication tag does not verify" in message.problems[0]
    assert message.layers[1].verified is False


def test_what_cannot_be_decoded_is_shown_with_why() -> None:
    octets = bytes.fromhex("C0FFC1DEADBEEF")
    found = _decoded((octets, True), (bytes.fromhex("99AABB"), True))
    text = _shown(found)
    assert "get-request: choice 255 is unknown at octet 1" in text
    assert "unknown APDU tag 99 at octet 0" in text
    assert "DE AD BE EF" in text
    assert "AA BB" in text
    assert found.problems == 2


def test_an_action_in_blocks() -> None:
    method = MethodDescriptor(8, bytes.fromhex("0000010000FF"), 6)
    raw = encode(octet_string(b"abc"))
    found = _decoded(
        (ActionRequestFirstBlock(0xC1, method, Block(False, 1, raw[:2])).encode(), True),
        (ActionRequestBlock(0xC1, Block(True, 2, raw[2:])).encode(), True),
    )
    assert found.messages[1].layers[-1].octets.hex().startswith("c301c1")
    assert not found.problems
