"""Read and Write in blocks through whole associations: under ciphering, PDU sizes kept."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import BlockExchanged, RequestReceived, ServiceErrorReceived
from dlms.association.knobs import BroadcastConfirmed, Knobs
from dlms.axdr.data import octet_string, unsigned
from dlms.security.control import Protection
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
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

BASE = Conformance.READ | Conformance.WRITE | Conformance.UNCONFIRMED_WRITE
ALL = (
    BASE
    | Conformance.PARAMETERIZED_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
)
NAME = VariableName(name=0x2BC8)
READ = ReadRequest((NAME,))
LONG = octet_string(bytes(range(256)))
# ConfirmedServiceError: 0E, service (5 read, 6 write), class 3 service, value.
UNSUPPORTED_READ, UNSUPPORTED_WRITE = "0e050302", "0e060302"
TOO_LONG_READ, TOO_LONG_WRITE = "0e050301", "0e060301"


@pytest.fixture
def make(bench: Any) -> Any:
    def make(
        context: ApplicationContext = ApplicationContext.SN,
        services: Conformance = ALL,
        pdu: int = 64,
        **kind: Any,
    ) -> Any:
        return bench(
            context=context,
            mechanism=Mechanism.HLS_GMAC,
            client={"conformance": services, "max_pdu_size": pdu},
            server={"conformance": services, "max_pdu_size": pdu, **kind.pop("server", {})},
            **kind,
        ).connect()

    return make


def after(number: int) -> ReadRequest:
    return ReadRequest((BlockNumberAccess(number=number),))


def piece(last: bool, number: int, raw: bytes) -> WriteRequest:
    start = WriteDataBlockAccess(last=last, number=number)
    return WriteRequest((start,), (octet_string(raw),))


def reading(last: bool, number: int, raw: bytes) -> ReadRequest:
    return ReadRequest((ReadDataBlockAccess(block=ShortBlock(last, number, raw)),))


def exchanged(pair: Any, request: Any) -> Any:
    """One step, there and back."""
    event = pair.serve(pair.server.receive(pair.ask(pair.client.request(request))))
    assert isinstance(event, BlockExchanged), event
    return pair.ask(pair.client.receive(event.reply)).response


def begun(pair: Any) -> Any:
    """A long Read response; gives its first block."""
    pair.serve(pair.server.receive(pair.ask(pair.client.request(READ))))
    octets = pair.serve(pair.server.send(ReadResponse((LONG,))))
    assert len(octets) <= 64
    return pair.ask(pair.client.receive(octets)).response.results[0]


CONTEXTS = pytest.mark.parametrize(
    "context", [ApplicationContext.SN, ApplicationContext.SN_CIPHERED], ids=lambda c: c.name
)


@CONTEXTS
def test_a_long_value_there_and_back(make: Any, context: ApplicationContext) -> None:
    pair = make(context)
    raw = WriteRequest((NAME,), (LONG,)).encode()[1:]
    for number, at in enumerate(range(0, len(raw), 20), 1):
        step = piece(at + 20 >= len(raw), number, raw[at : at + 20])
        event = pair.serve(pair.server.receive(pair.ask(pair.client.request(step))))
        if isinstance(event, BlockExchanged):
            assert event.reply is not None
            pair.ask(pair.client.receive(event.reply))
    ciphered = Protection.BOTH if context.ciphered else Protection.NONE
    assert event == RequestReceived(WriteRequest((NAME,), (LONG,)), True, ciphered)
    reply = pair.serve(pair.server.send(WriteResponse((DataAccessResult.SUCCESS,))))
    pair.ask(pair.client.receive(reply))
    block = begun(pair)
    octets = block.raw
    while not block.last:
        (block,) = exchanged(pair, after(block.number)).results
        octets += block.raw
    assert octets == ReadResponse((LONG,)).encode()[1:]
    assert pair.server.pending == 0


def test_steps_out_of_place(make: Any) -> None:
    pair = make()
    none = DataAccessResult.NO_LONG_GET_IN_PROGRESS
    assert exchanged(pair, after(1)).results == (none,)
    begun(pair)
    assert pair.server.pending > 0
    wrong = exchanged(pair, after(2))
    assert wrong.results == (DataAccessResult.DATA_BLOCK_NUMBER_INVALID,)
    assert pair.server.pending == 0
    assert exchanged(pair, after(1)).results == (none,)
    stray = exchanged(pair, piece(True, 2, b""))
    assert stray.results == (DataAccessResult.NO_LONG_SET_IN_PROGRESS,)


def test_an_unconfirmed_write_ends_a_transfer(make: Any) -> None:
    pair = make()
    begun(pair)
    silent = UnconfirmedWriteRequest((NAME,), (unsigned(1),))
    event = pair.hit(pair.ask(pair.client.request(silent))).event
    assert event == RequestReceived(silent, False)
    assert exchanged(pair, after(1)).results == (DataAccessResult.LONG_GET_ABORTED,)


def test_a_transfer_ends_with_its_association(make: Any) -> None:
    pair = make()
    begun(pair)
    pair.serve(pair.server.close())
    assert pair.server.pending == 0


@CONTEXTS
def test_a_response_that_cannot_be_cut(make: Any, context: ApplicationContext) -> None:
    pair = make(context, services=BASE | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE)
    pair.serve(pair.server.receive(pair.ask(pair.client.request(READ))))
    assert pair.serve(pair.server.send(ReadResponse((LONG,)))).hex() == TOO_LONG_READ
    pair = make(context)
    names = WriteRequest((NAME,) * 2, (unsigned(1),) * 2)
    pair.serve(pair.server.receive(pair.ask(pair.client.request(names))))
    denied = WriteResponse((DataAccessResult.READ_WRITE_DENIED,) * 60)
    assert pair.serve(pair.server.send(denied)).hex() == TOO_LONG_WRITE


TWO = (NAME, NAME)
PART = ParameterizedAccess(name=8, selector=1, parameter=unsigned(1))
HIDDEN: dict[str, tuple[Conformance, Any, str]] = {
    "two names to read": (
        Conformance.MULTIPLE_REFERENCES,
        reading(True, 1, ReadRequest(TWO).encode()[1:]),
        UNSUPPORTED_READ,
    ),
    "a part to read": (
        Conformance.PARAMETERIZED_ACCESS,
        reading(True, 1, ReadRequest((PART,)).encode()[1:]),
        UNSUPPORTED_READ,
    ),
    "two names to write": (
        Conformance.MULTIPLE_REFERENCES,
        piece(True, 1, WriteRequest(TWO, (unsigned(1),) * 2).encode()[1:]),
        UNSUPPORTED_WRITE,
    ),
    "a part to write": (
        Conformance.PARAMETERIZED_ACCESS,
        piece(True, 1, WriteRequest((PART,), (unsigned(1),)).encode()[1:]),
        UNSUPPORTED_WRITE,
    ),
}


@pytest.mark.parametrize(("lacking", "step", "reply"), HIDDEN.values(), ids=list(HIDDEN))
def test_blocks_hide_nothing_that_was_not_negotiated(
    make: Any, lacking: Conformance, step: Any, reply: str
) -> None:
    """R-CONF-2 holds for what the blocks make whole, and the association goes on."""
    pair = make(services=ALL & ~lacking)
    hit = pair.hit(pair.ask(pair.client.request(step)))
    assert hit.error.reason == "service-not-negotiated"
    assert hit.reply.hex() == reply
    assert isinstance(pair.ask(pair.client.receive(hit.reply)), ServiceErrorReceived)
    assert isinstance(make().hit(step.encode()).event, RequestReceived)


STEPS = [after(1), reading(False, 1, b""), piece(False, 1, b"")]


@pytest.mark.parametrize("step", STEPS, ids=["next", "read", "write"])
def test_blocks_that_were_not_negotiated(make: Any, step: Any) -> None:
    own = (
        Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
        if isinstance(step, WriteRequest)
        else Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    )
    hit = make(services=ALL & ~own).hit(step.encode())
    assert hit.error.reason == "service-not-negotiated"
    assert isinstance(make().hit(step.encode()).event, BlockExchanged)


@pytest.mark.parametrize("step", STEPS, ids=["next", "read", "write"])
def test_nothing_in_blocks_while_hls_is_pending(bench: Any, step: Any) -> None:
    """KL-HL-08: neither pass 3 nor anything else comes in pieces."""
    pair = bench(
        context=ApplicationContext.SN,
        mechanism=Mechanism.HLS_GMAC,
        client={"conformance": ALL},
        server={"conformance": ALL},
    )
    pair.begin()
    assert pair.hit(step.encode()).error.reason == "hls-pending"
    pair.finish()


def test_no_block_under_the_broadcast_key(make: Any, names: dict[str, Any]) -> None:
    """R-BC-4: a piece of a Write does not say what it is going to change."""
    knobs = Knobs(confirmed_under_broadcast_key=BroadcastConfirmed.SERVE_SILENTLY)
    pair = make(
        ApplicationContext.SN_CIPHERED,
        pdu=128,
        server={"knobs": knobs},
        keys={"gbek": names["GBEK"]},
    )
    gbek = {"ek": names["GBEK"], "control": 0x70}
    for step in STEPS:
        assert pair.hit(pair.sealed(step.encode(), **gbek)).error.reason == "broadcast-key"
    assert isinstance(pair.hit(pair.sealed(READ.encode(), **gbek)).event, RequestReceived)
