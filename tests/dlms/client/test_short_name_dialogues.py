"""The client's dialogues by short names, against a server association without a transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import BlockExchanged, RequestReceived
from dlms.axdr.data import NULL, Data, integer, octet_string, unsigned
from dlms.client.conversation import Conversation
from dlms.client.effects import Compute, Post, Transmit
from dlms.client.refusals import AccessRefused, AssociationRejected, ServiceFailed
from dlms.client.short_names import ShortNameDialogues, named
from dlms.errors import LocalProtocolError
from dlms.security.ciphered import Form
from dlms.xdlms.codes import DataAccessResult, ErrorClass, ErrorService
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import SelectiveAccess
from dlms.xdlms.read import ReadRequest, ReadResponse
from dlms.xdlms.variable_access import ParameterizedAccess, VariableName
from dlms.xdlms.write import UnconfirmedWriteRequest, WriteRequest, WriteResponse

SERVICES = (
    Conformance.READ
    | Conformance.WRITE
    | Conformance.UNCONFIRMED_WRITE
    | Conformance.PARAMETERIZED_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.GENERAL_PROTECTION
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
)
SN, SN_CIPHERED = ApplicationContext.SN, ApplicationContext.SN_CIPHERED
NAME, OTHER = 0x2BC8, 0x2BD0
LONG = octet_string(bytes(range(256)) * 4)
R = DataAccessResult


class Meter:
    """Keeps values by short name, and what it was asked."""

    def __init__(self, pair: Any) -> None:
        self.pair = pair
        self.values: dict[int, Data] = {NAME: unsigned(7)}
        self.asked: list[Any] = []
        self.posted: list[bytes] = []
        self.blocks = 0
        self.longest = 0

    def answer(self, octets: bytes) -> bytes | None:
        pair = self.pair
        hit = pair.hit(octets)
        if hit.error is not None:
            return hit.reply  # type: ignore[no-any-return]
        reply: bytes | None = hit.reply
        if isinstance(hit.event, BlockExchanged):
            self.blocks += 1
        elif isinstance(hit.event, RequestReceived):
            self.asked.append(hit.event.request)
            response = self.carry_out(hit.event.request)
            if not hit.event.confirmed:
                return None
            reply = pair.serve(pair.server.send(response))
        if reply is not None and isinstance(hit.event, BlockExchanged | RequestReceived):
            assert len(reply) <= pair.client.config.max_pdu_size
            self.longest = max(self.longest, len(reply))
        return reply

    def carry_out(self, request: Any) -> Any:
        names = [item.name for item in request.specifications]
        if isinstance(request, ReadRequest):
            return ReadResponse(tuple(self.values.get(name, R.OBJECT_UNDEFINED) for name in names))
        results = []
        for name, value in zip(names, request.data, strict=True):
            results.append(R.SUCCESS if name in self.values else R.READ_WRITE_DENIED)
            if name in self.values:
                self.values[name] = value
        return WriteResponse(tuple(results))

    def hold(self, dialogue: Any) -> Any:
        """Carry out a dialogue."""
        given: Any = None
        try:
            while True:
                match dialogue.send(given):
                    case Compute(step):
                        given = self.pair.ask(step)
                    case Transmit(apdus):
                        given = self.answer(*apdus)
                    case Post(apdus):
                        self.posted += apdus
                        given = None
                        assert [self.answer(apdu) for apdu in apdus] == [None] * len(apdus)
        except StopIteration as stop:
            return stop.value


@pytest.fixture
def lab(bench: Any) -> Callable[..., tuple[Meter, ShortNameDialogues]]:
    def make(
        context: ApplicationContext = SN,
        mechanism: Mechanism = Mechanism.HLS_GMAC,
        pdu: int = 128,
        services: Conformance = SERVICES,
        opened: bool = True,
        **kind: Any,
    ) -> tuple[Meter, ShortNameDialogues]:
        client = {"conformance": services, "max_pdu_size": pdu, **kind.pop("client", {})}
        server = {"conformance": services, "max_pdu_size": pdu, **kind.pop("server", {})}
        pair = bench(context=context, mechanism=mechanism, client=client, server=server, **kind)
        meter, dialogues = Meter(pair), ShortNameDialogues(Conversation(pair.client))
        if opened:
            meter.hold(dialogues.open())
        return meter, dialogues

    return make


KINDS: dict[str, dict[str, Any]] = {
    "plain, LLS": {"mechanism": Mechanism.LLS},
    "plain, HLS": {},
    "ciphered": {"context": SN_CIPHERED},
    "general": {"context": SN_CIPHERED, "client": {"form": Form.GENERAL}},
    "dedicated": {"context": SN_CIPHERED, "dedicated": True},
}
EVERY = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


@EVERY
def test_open_read_write_release(lab: Any, kind: dict[str, Any]) -> None:
    meter, dialogues = lab(**kind)
    assert meter.hold(dialogues.read(NAME)) == unsigned(7)
    meter.hold(dialogues.write(NAME, unsigned(8)))
    assert meter.values[NAME] == unsigned(8)
    assert meter.asked == [
        ReadRequest((VariableName(name=NAME),)),
        WriteRequest((VariableName(name=NAME),), (unsigned(8),)),
    ]
    meter.hold(dialogues.release())
    meter.hold(dialogues.open())
    assert meter.hold(dialogues.read(NAME)) == unsigned(8)


@EVERY
def test_blocks_both_ways(lab: Any, kind: dict[str, Any]) -> None:
    meter, dialogues = lab(**kind)
    meter.hold(dialogues.write(NAME, LONG))
    assert meter.values[NAME] == LONG
    assert meter.hold(dialogues.read(NAME)) == LONG
    part = SelectiveAccess(1, LONG)
    assert meter.hold(dialogues.read(NAME, part)) == LONG
    assert len(meter.asked) == 3
    assert meter.blocks > 30
    assert meter.longest > 110, "blocks are as long as may be"


@settings(max_examples=60)
@given(
    client_pdu=st.integers(70, 300),
    server_pdu=st.integers(90, 300),
    length=st.integers(0, 1200),
    context=st.sampled_from([SN, SN_CIPHERED]),
)
def test_any_sizes(
    bench: Any, client_pdu: int, server_pdu: int, length: int, context: ApplicationContext
) -> None:
    pair = bench(
        context=context,
        client={"conformance": SERVICES, "max_pdu_size": client_pdu},
        server={"conformance": SERVICES, "max_pdu_size": server_pdu},
    )
    meter, dialogues = Meter(pair), ShortNameDialogues(Conversation(pair.client))
    meter.hold(dialogues.open())
    value = octet_string(bytes(length))
    meter.hold(dialogues.write(NAME, value))
    assert meter.hold(dialogues.read(NAME)) == value
    assert len(meter.asked) == 2


def test_lists(lab: Any) -> None:
    meter, dialogues = lab()
    meter.values[OTHER] = LONG
    items = [named(NAME), named(8), named(OTHER, SelectiveAccess(2, NULL))]
    assert meter.hold(dialogues.read_list(items)) == (unsigned(7), R.OBJECT_UNDEFINED, LONG)
    assert meter.asked[-1].specifications == (
        VariableName(name=NAME),
        VariableName(name=8),
        ParameterizedAccess(name=OTHER, selector=2, parameter=NULL),
    )
    results = meter.hold(dialogues.write_list(items, [LONG, NULL, unsigned(1)]))
    assert results == (R.SUCCESS, R.READ_WRITE_DENIED, R.SUCCESS)
    assert meter.values == {NAME: LONG, OTHER: unsigned(1)}


def test_what_is_refused(lab: Any) -> None:
    meter, dialogues = lab()
    with pytest.raises(AccessRefused, match="read: object-undefined") as caught:
        meter.hold(dialogues.read(8))
    assert caught.value.result is R.OBJECT_UNDEFINED
    with pytest.raises(AccessRefused, match="write: read-write-denied"):
        meter.hold(dialogues.write(8, LONG))
    for returns in (True, False):
        with pytest.raises(AccessRefused, match="action: "):
            meter.hold(dialogues.act(8, integer(0), returns=returns))


def test_methods(lab: Any) -> None:
    """With a return parameter a parameterized Read, without one a Write (GB Ed. 8, 9.3.14, 15)."""
    meter, dialogues = lab()
    assert meter.hold(dialogues.act(NAME, unsigned(3), returns=True)) == unsigned(7)
    assert meter.hold(dialogues.act(NAME, None, returns=True)) == unsigned(7)
    assert meter.hold(dialogues.act(NAME, unsigned(3), returns=False)) is None
    assert meter.hold(dialogues.act(NAME, None, returns=False)) is None
    assert meter.hold(dialogues.act(NAME, unsigned(3), returns=True)) is None  # null-data
    assert [request.encode().hex() for request in meter.asked[:4]] == [
        "0501" + "042bc8" + "00" + "1103",
        "0501" + "022bc8",
        "0601" + "022bc8" + "01" + "1103",
        "0601" + "022bc8" + "01" + "00",
    ]


@EVERY
def test_unconfirmed_write(lab: Any, kind: dict[str, Any]) -> None:
    """Nobody answers, and nobody waits for it."""
    meter, dialogues = lab(**kind)
    items, values = [named(NAME), named(OTHER)], [unsigned(9), NULL]
    assert meter.hold(dialogues.write_unconfirmed(items, values)) is None
    assert len(meter.posted) == 1
    assert isinstance(meter.asked[-1], UnconfirmedWriteRequest)
    assert meter.values == {NAME: unsigned(9)}
    with pytest.raises(LocalProtocolError, match="exceeds"):
        meter.hold(dialogues.write_unconfirmed(items, [LONG, NULL]))
    assert len(meter.posted) == 1
    assert meter.hold(dialogues.read(NAME)) == unsigned(9)


def test_a_service_error(lab: Any) -> None:
    """What does not fit and cannot be cut is a ConfirmedServiceError, and no end."""
    meter, dialogues = lab(services=Conformance.READ)
    meter.values[NAME] = LONG
    with pytest.raises(ServiceFailed, match="service error: service 1") as caught:
        meter.hold(dialogues.read(NAME))
    error = caught.value.error
    assert (error.service, error.error_class, error.value) == (
        ErrorService.READ,
        ErrorClass.SERVICE,
        1,
    )
    meter.values[NAME] = unsigned(1)
    assert meter.hold(dialogues.read(NAME)) == unsigned(1)


def test_a_meter_that_does_not_release(lab: Any) -> None:
    meter, dialogues = lab()
    meter.answer = lambda octets: bytes.fromhex("0e010302")
    with pytest.raises(ServiceFailed):
        meter.hold(dialogues.release())


def test_no_association(lab: Any) -> None:
    meter, dialogues = lab(opened=False)
    answers = [bytes.fromhex("0e010600"), bytes.fromhex("0e010601")]
    meter.answer = lambda octets: answers.pop()
    for value in (1, 0):
        with pytest.raises(ServiceFailed, match=f"initiate {value}"):
            meter.hold(dialogues.open())


def test_hls_that_fails(lab: Any) -> None:
    """The meter's f(CtoS) is wrong: no association, and one can be had after it."""
    meter, dialogues = lab(opened=False)
    honest = meter.answer

    def lying(octets: bytes) -> bytes:
        reply = honest(octets)
        return reply if reply[0] != 0x0C else reply[:-1] + bytes((reply[-1] ^ 1,))

    meter.answer = lying
    with pytest.raises(AssociationRejected, match="authentication is wrong"):
        meter.hold(dialogues.open())
    meter.answer = honest
    meter.hold(dialogues.open())
    assert meter.hold(dialogues.read(NAME)) == unsigned(7)


def test_what_was_not_negotiated(lab: Any) -> None:
    meter, dialogues = lab(services=Conformance.READ)
    for dialogue in (
        dialogues.write(NAME, NULL),
        dialogues.write_unconfirmed([named(NAME)], [NULL]),
        dialogues.read(NAME, SelectiveAccess(1, NULL)),
        dialogues.act(NAME, NULL, returns=True),
        dialogues.read_list([named(NAME), named(NAME)]),
    ):
        with pytest.raises(LocalProtocolError, match="not negotiated"):
            meter.hold(dialogue)
    assert meter.asked == []
