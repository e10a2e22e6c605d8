"""Associations with short names: negotiation, services, HLS, and errors (R-CTX-2, APPL_*_SN_*)."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.acse.aare import Aare
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import (
    AssociationOpened,
    AuthenticationFailed,
    BlockExchanged,
    RequestReceived,
    ResponseReceived,
    ServiceErrorReceived,
)
from dlms.association.state import State
from dlms.axdr import decode
from dlms.axdr.data import octet_string, unsigned
from dlms.errors import LocalProtocolError, RemoteProtocolError
from dlms.security.control import Protection
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest
from dlms.xdlms.initiate import InitiateRequest
from dlms.xdlms.read import ReadRequest, ReadResponse
from dlms.xdlms.variable_access import (
    BlockNumberAccess,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ShortBlock,
    VariableName,
    WriteDataBlockAccess,
)
from dlms.xdlms.write import UnconfirmedWriteRequest, WriteRequest, WriteResponse

SN, SN_CIPHERED = ApplicationContext.SN, ApplicationContext.SN_CIPHERED
SERVICES = (
    Conformance.READ
    | Conformance.WRITE
    | Conformance.UNCONFIRMED_WRITE
    | Conformance.PARAMETERIZED_ACCESS
    | Conformance.GENERAL_PROTECTION
)
BLOCKS = Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
READ = ReadRequest((VariableName(name=0x2BC0),))
WRITE = WriteRequest((VariableName(name=0x2BC0),), (unsigned(1),))
SILENT_WRITE = UnconfirmedWriteRequest((VariableName(name=0x2BC0),), (unsigned(1),))
GET = GetRequest(0x41, AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2))


@pytest.fixture
def make(bench: Any) -> Any:
    def make(
        context: ApplicationContext = SN, mechanism: Mechanism = Mechanism.HLS_GMAC, **kind: Any
    ) -> Any:
        return bench(
            context=context,
            mechanism=mechanism,
            client={"conformance": SERVICES, **kind.pop("client", {})},
            server={"conformance": SERVICES, **kind.pop("server", {})},
            **kind,
        )

    return make


CONTEXTS = pytest.mark.parametrize("context", [SN, SN_CIPHERED], ids=lambda c: c.name)


def ask(pair: Any, request: Any, response: Any) -> bytes:
    """There and back; returns the octets of the request."""
    octets: bytes = pair.ask(pair.client.request(request))
    hit = pair.hit(octets)
    ciphered = pair.server_config.context.ciphered
    protection = Protection.BOTH if ciphered else Protection.NONE
    assert hit.event == RequestReceived(request, response is not None, protection)
    if response is not None:
        reply = pair.serve(pair.server.send(response))
        assert pair.ask(pair.client.receive(reply)) == ResponseReceived(response)
    return octets


@CONTEXTS
@pytest.mark.parametrize("dedicated", [False, True])
def test_services(make: Any, context: ApplicationContext, dedicated: bool) -> None:
    """Tags by hand: read 05 25 45, write 06 26 46, unconfirmed-write 16 36 56."""
    pair = make(context, dedicated=dedicated and context.ciphered)
    pair.connect()
    column = (1 + dedicated) if context.ciphered else 0
    read = ask(pair, READ, ReadResponse((octet_string(b"abc"),)))
    assert read[0] == (0x05, 0x25, 0x45)[column]
    write = ask(pair, WRITE, WriteResponse((DataAccessResult.SUCCESS,)))
    assert write[0] == (0x06, 0x26, 0x46)[column]
    assert ask(pair, SILENT_WRITE, None)[0] == (0x16, 0x36, 0x56)[column]
    if not context.ciphered:
        assert read.hex() == "0501022bc0"


def test_vaa_name(make: Any) -> None:
    pair = make()
    aare = Aare.decode(pair.hit(pair.aarq(_initiate()).encode()).reply)
    # version 6, conformance, PDU size 1024, vaa-name FA00
    assert aare.user_information.hex()[-8:] == "0400" + "fa00"
    assert aare.application_context_name == SN.oid


def _initiate() -> bytes:
    return InitiateRequest(conformance=SERVICES, client_max_receive_pdu_size=0).encode()


@CONTEXTS
@pytest.mark.parametrize(
    "mechanism",
    [Mechanism.NONE, Mechanism.LLS, Mechanism.HLS_MD5, Mechanism.HLS_GMAC, Mechanism.HLS_SHA256],
)
def test_mechanisms(
    make: Any, names: dict[str, Any], context: ApplicationContext, mechanism: Mechanism
) -> None:
    pair = make(context, mechanism, keys={"hls_secret": names["HLS_SECRET"]}).connect()
    ask(pair, READ, ReadResponse((unsigned(7),)))


def test_passes_3_and_4_by_hand(make: Any) -> None:
    """A parameterized Read of the eighth method of the object at FA00."""
    pair = make()
    pair.begin()
    octets = pair.ask(pair.client.authenticate())
    assert octets[:6].hex() == "0501" + "04" + "fa58" + "00"
    f = pair.f(pair.server.admitted.server_challenge, 0)
    assert octets[6:] == b"\x09\x11" + f
    hit = pair.hit(octets)
    assert isinstance(hit.event, AssociationOpened)
    assert hit.reply[:5].hex() == "0c01" + "00" + "0911"
    right = pair.f(pair.client._proposed.challenge, 0, title=b"MTR\0\0\0\0\1")
    assert hit.reply[5:] == right


def test_a_client_may_write_any_selector(make: Any) -> None:
    pair = make()
    pair.begin()
    octets = bytearray(pair.ask(pair.client.authenticate()))
    octets[5] = 7
    assert isinstance(pair.hit(bytes(octets)).event, AssociationOpened)


@pytest.mark.parametrize("f", [b"", bytes(16), bytes(17)])
def test_wrong_f(make: Any, f: bytes) -> None:
    pair = make()
    pair.begin()
    access = ParameterizedAccess(name=0xFA58, selector=0, parameter=octet_string(f))
    hit = pair.hit(ReadRequest((access,)).encode())
    assert isinstance(hit.event, AuthenticationFailed)
    assert hit.reply.hex() == "0c010103"
    pair.ask(pair.client.authenticate())
    assert isinstance(pair.ask(pair.client.receive(hit.reply)), AuthenticationFailed)
    assert pair.server.state is pair.client.state is State.IDLE
    pair.connect()


ANSWERS: dict[str, Any] = {
    "two results": (octet_string(bytes(17)), octet_string(bytes(17))),
    "none": (),
    "another type": (unsigned(1),),
    "wrong": (octet_string(bytes(17)),),
}


@pytest.mark.parametrize("name", [*ANSWERS, "right, and another"])
def test_wrong_pass_4(make: Any, name: str) -> None:
    pair = make()
    pair.begin()
    pair.ask(pair.client.authenticate())
    right = octet_string(pair.f(pair.client._proposed.challenge, 0, title=b"MTR\0\0\0\0\1"))
    results = {**ANSWERS, "right, and another": (right, right)}[name]
    event = pair.ask(pair.client.receive(ReadResponse(results).encode()))
    assert isinstance(event, AuthenticationFailed)
    assert pair.client.state is State.IDLE


def refused(pair: Any, octets: bytes, reply: str) -> None:
    before = pair.digest()
    hit = pair.hit(octets)
    assert hit.event is None
    assert hit.reply.hex() == reply
    assert pair.digest() == before
    if pair.client.state is not State.IDLE:
        event = pair.ask(pair.client.receive(hit.reply))
        assert isinstance(event, ServiceErrorReceived)
        assert event.error.encode().hex() == reply


# ConfirmedServiceError: 0E, service (1 initiate, 5 read, 6 write), class, value.
UNSUPPORTED_READ, UNSUPPORTED_WRITE = "0e050302", "0e060302"
UNSUPPORTED = "0e010302"


def test_nothing_while_idle(make: Any) -> None:
    """APPL_IDLE_N1."""
    refused(make(), READ.encode(), UNSUPPORTED_READ)
    refused(make(), WRITE.encode(), UNSUPPORTED_WRITE)
    refused(make(), GET.encode(), UNSUPPORTED)
    refused(make(SN_CIPHERED), b"\x25\x05" + bytes(5), UNSUPPORTED_READ)
    refused(make(), b"", UNSUPPORTED)


PENDING: dict[str, tuple[bytes, str]] = {
    "read": (READ.encode(), UNSUPPORTED_READ),
    "write": (WRITE.encode(), UNSUPPORTED_WRITE),
    "method without parameter": (
        ReadRequest((VariableName(name=0xFA58),)).encode(),
        UNSUPPORTED_READ,
    ),
    "another method": (
        ReadRequest(
            (ParameterizedAccess(name=0xFA60, selector=0, parameter=octet_string(bytes(17))),)
        ).encode(),
        UNSUPPORTED_READ,
    ),
    "with another": (
        ReadRequest(
            (
                ParameterizedAccess(name=0xFA58, selector=0, parameter=octet_string(bytes(17))),
                VariableName(name=0x2BC0),
            )
        ).encode(),
        UNSUPPORTED_READ,
    ),
}


@pytest.mark.parametrize(("octets", "reply"), PENDING.values(), ids=list(PENDING))
def test_nothing_but_pass_3_while_pending(make: Any, octets: bytes, reply: str) -> None:
    """X_STATE_HLS_PENDING, KL-HL-08, 09."""
    pair = make()
    pair.begin()
    refused(pair, octets, reply)
    pair.finish()


BAD: dict[str, tuple[bytes, str]] = {
    "truncated read": (b"\x05\x01\x02\x2b", UNSUPPORTED_READ),
    "unknown specification": (b"\x05\x01\x09\x2b\xc0", UNSUPPORTED_READ),
    "truncated write": (b"\x06\x01\x02\x2b\xc0", UNSUPPORTED_WRITE),
    "block access": (
        ReadRequest((BlockNumberAccess(number=1),)).encode(),
        UNSUPPORTED_READ,
    ),
    "several, not negotiated": (
        ReadRequest((VariableName(name=8), VariableName(name=16))).encode(),
        UNSUPPORTED_READ,
    ),
    "logical name": (GET.encode(), UNSUPPORTED),
    "unknown tag": (b"\xff\x00", UNSUPPORTED),
    "empty": (b"", UNSUPPORTED),
    "too long": (b"\x05" + bytes(2000), "0e050301"),
    "ciphered": (b"\x25\x05" + bytes(5), UNSUPPORTED_READ),
    "malformed RLRQ": (b"\x62\x01", UNSUPPORTED),
}


@pytest.mark.parametrize(("octets", "reply"), BAD.values(), ids=list(BAD))
def test_bad_requests(make: Any, octets: bytes, reply: str) -> None:
    """APPL_DATA_SN_N1 to N3: refused, and the association goes on."""
    pair = make().connect()
    refused(pair, octets, reply)
    ask(pair, READ, ReadResponse((unsigned(7),)))


NO_FORMS: dict[str, Any] = {
    "a block and a name": ReadRequest((BlockNumberAccess(number=1), VariableName(name=8))),
    "two blocks": ReadRequest((ReadDataBlockAccess(block=ShortBlock(False, 1, b"")),) * 2),
    "a piece that is no octet-string": WriteRequest(
        (WriteDataBlockAccess(last=False, number=1),), (unsigned(1),)
    ),
    "a piece that is a date-time": WriteRequest(
        (WriteDataBlockAccess(last=False, number=1),),
        (decode(bytes.fromhex("19" + "07e3031aff0c000000000000")),),
    ),
    "a piece and a value": WriteRequest(
        (WriteDataBlockAccess(last=False, number=1), VariableName(name=8)),
        (octet_string(b""), unsigned(1)),
    ),
}


@pytest.mark.parametrize("request_", NO_FORMS.values(), ids=list(NO_FORMS))
def test_blocks_among_other_things_are_no_form(make: Any, request_: Any) -> None:
    """Negotiated, and yet it is nothing: a transfer under way goes on."""
    blocks = SERVICES | BLOCKS | Conformance.MULTIPLE_REFERENCES
    pair = make(client={"conformance": blocks}, server={"conformance": blocks}).connect()
    begin = ReadRequest((ReadDataBlockAccess(block=ShortBlock(False, 1, b"\x01")),))
    assert pair.hit(begin.encode()).event == BlockExchanged(bytes.fromhex("0c01030001"))
    octets = request_.encode()
    assert pair.hit(octets).error.reason == "form-not-supported"
    refused(pair, octets, UNSUPPORTED_READ if octets[0] == 5 else UNSUPPORTED_WRITE)
    assert pair.server.pending == 1


def test_ciphered_requests_that_are_refused(make: Any) -> None:
    """There is no place for a counter in a ConfirmedServiceError."""
    pair = make(SN_CIPHERED, server={"policy": Protection.BOTH}).connect()
    sealed = pair.sealed(READ.encode())
    refused(pair, sealed[:-1] + bytes((sealed[-1] ^ 1,)), "0e050006")
    refused(pair, pair.sealed(READ.encode(), counter=0), "0e050006")
    refused(pair, READ.encode(), "0e050501")
    ask(pair, READ, ReadResponse((unsigned(7),)))


def test_parameterized_access_that_was_not_negotiated(make: Any) -> None:
    """R-CONF-2; but pass 3 goes without (R-CONF-3)."""
    only = Conformance.READ
    pair = make(client={"conformance": only}).connect()
    access = ParameterizedAccess(name=0x2BC0, selector=1, parameter=unsigned(1))
    refused(pair, ReadRequest((access,)).encode(), UNSUPPORTED_READ)
    with pytest.raises(LocalProtocolError, match="not negotiated"):
        pair.ask(pair.client.request(ReadRequest((access,))))


def test_a_response_that_does_not_fit(make: Any) -> None:
    pair = make(client={"max_pdu_size": 40}).connect()
    pair.hit(pair.ask(pair.client.request(READ)))
    reply = pair.serve(pair.server.send(ReadResponse((octet_string(bytes(50)),))))
    assert reply.hex() == "0e050301"


def test_no_short_names_in_a_context_of_logical_names(bench: Any) -> None:
    """R-CTX-2, APPL_DATA_LN_N1: the answer is an ExceptionResponse."""
    pair = bench(context=ApplicationContext.LN).connect()
    for request in (READ, WRITE, SILENT_WRITE):
        hit = pair.hit(request.encode())
        assert hit.reply.hex() == "d80102"
    pair.get()


def test_the_client_takes_no_answer_of_the_other_kind(make: Any, bench: Any) -> None:
    pair = make().connect()
    pair.ask(pair.client.request(READ))
    for octets in ("d80102", "c40141001107", "0d0100", "0c00ff"):
        with pytest.raises(RemoteProtocolError):
            pair.ask(pair.client.receive(bytes.fromhex(octets)))
        assert pair.client.state is State.ASSOCIATED
    pair = bench(context=ApplicationContext.LN).connect()
    with pytest.raises(RemoteProtocolError):
        pair.ask(pair.client.receive(bytes.fromhex("0e050302")))


def test_no_secret_is_changed_by_broadcast(make: Any, names: dict[str, Any]) -> None:
    """R-BC-4: methods 5 and 6 of the current Association SN."""
    pair = make(
        SN_CIPHERED,
        Mechanism.NONE,
        server={
            "pre_established": True,
            "broadcast": True,
            "client_title": names["CLIENT_TITLE"],
        },
        keys={"gbek": names["GBEK"]},
    )
    for name, served in ((0xFA40, False), (0xFA48, False), (0xFA50, True)):
        request = UnconfirmedWriteRequest((VariableName(name=name),), (octet_string(b"new"),))
        octets = pair.sealed(request.encode(), ek=names["GBEK"], control=0x70)
        hit = pair.hit(octets)
        assert (hit.event is not None) is served
        assert hit.reply is None
