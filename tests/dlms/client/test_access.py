"""The dialogue of ACCESS against a server association without a transport (GB Ed. 8, 9.3.9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import BlocksCarried, RequestReceived
from dlms.association.knobs import AnswerForm, Knobs
from dlms.axdr.data import NULL, Data, integer, octet_string, unsigned
from dlms.client.access import access, access_unconfirmed, options, read_by_access
from dlms.client.conversation import Conversation
from dlms.client.dialogue import Dialogues
from dlms.client.effects import Compute, Post
from dlms.errors import LocalProtocolError, RemoteProtocolError
from dlms.security.ciphered import Form
from dlms.transfer.pieces import TooLong
from dlms.xdlms.access import (
    AccessAction,
    AccessGet,
    AccessRequest,
    AccessResponse,
    AccessResult,
    AccessService,
    AccessSet,
)
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.long_invoke import LONG_INVOKE_ID

SERVICES = Conformance.ACCESS | Conformance.GENERAL_PROTECTION | Conformance.SELECTIVE_ACCESS
NAME = bytes((0, 0, 96, 1, 0, 255))
ATTRIBUTE = AttributeDescriptor(1, NAME, 2)
ITEMS = (
    AccessGet(attribute=ATTRIBUTE),
    AccessSet(attribute=ATTRIBUTE, selection=SelectiveAccess(1, NULL)),
    AccessAction(method=MethodDescriptor(3, NAME, 1)),
)
DATA = (NULL, unsigned(5), integer(0))
OK = DataAccessResult.SUCCESS
RESULTS = (
    AccessResult(AccessService.GET, OK),
    AccessResult(AccessService.SET, DataAccessResult.TEMPORARY_FAILURE),
    AccessResult(AccessService.ACTION, ActionResult.SUCCESS),
)
GIVEN = (octet_string(b"value"), NULL, unsigned(1))


class Meter:
    """Answers every list with what ``answer`` makes of it."""

    def __init__(self, pair: Any) -> None:
        self.pair = pair
        self.asked: list[AccessRequest] = []
        self.sent: list[bytes] = []
        self.said = 0
        self.answer: Callable[[AccessRequest], AccessResponse] = lambda request: AccessResponse(
            request.long_invoke, GIVEN, RESULTS
        )

    def hold(self, dialogue: Any) -> Any:
        given: Any = None
        replies: list[bytes] = []
        try:
            while True:
                wish = dialogue.send(given)
                if isinstance(wish, Compute):
                    given = self.pair.ask(wish.step)
                    continue
                for apdu in wish.apdus:
                    replies += self._serve(apdu)
                given = None if isinstance(wish, Post) else replies.pop(0)
        except StopIteration as stop:
            assert replies == []
            return stop.value

    def _serve(self, apdu: bytes) -> tuple[bytes, ...]:
        self.sent.append(apdu)
        server = self.pair.server
        event = self.pair.serve(server.receive(apdu))
        if isinstance(event, BlocksCarried):
            return event.replies
        if not isinstance(event, RequestReceived):
            return server.carry(event.reply)  # type: ignore[no-any-return]
        self.asked.append(event.request)  # type: ignore[arg-type]
        if not event.confirmed:
            return ()
        self.said += 1
        response = self.answer(event.request)  # type: ignore[arg-type]
        return server.carry(self.pair.serve(server.send(response)))  # type: ignore[no-any-return]


@pytest.fixture
def lab(bench: Any) -> Callable[..., tuple[Meter, Conversation]]:
    def make(
        services: Conformance = SERVICES, pdu: int = 0xFFFF, **kind: Any
    ) -> tuple[Meter, Conversation]:
        client = {"conformance": services, **kind.pop("client", {})}
        server = {"conformance": services, "max_pdu_size": pdu, **kind.pop("server", {})}
        meter = Meter(bench(client=client, server=server, **kind))
        dialogues = Dialogues(meter.pair.client)
        meter.hold(dialogues.open())
        meter.sent.clear()
        return meter, dialogues.talk

    return make


PLAIN = {"context": ApplicationContext.LN, "mechanism": Mechanism.LLS}
KINDS: dict[str, dict[str, Any]] = {
    "plain": PLAIN,
    "ciphered": {},
    "general": {"client": {"form": Form.GENERAL}},
    "dedicated": {"dedicated": True},
    "answered in service-specific forms": {
        "server": {"knobs": Knobs(answer_form=AnswerForm.SERVICE)},
        "client": {"form": Form.GENERAL},
    },
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_list_and_its_response(lab: Any, kind: dict[str, Any]) -> None:
    """ACCESS has no ciphered form of its own: it goes in the general one (GB Ed. 8, 9.5)."""
    meter, talk = lab(**kind)
    response = meter.hold(access(talk, ITEMS, DATA))
    assert (response.data, response.results) == (GIVEN, RESULTS)
    assert meter.asked == [AccessRequest(0x40000001, ITEMS, DATA)]
    tag = {"plain": 0xD9, "dedicated": 0xDC}
    expected = next((tag[name] for name in tag if KINDS[name] is kind), 0xDB)
    assert [apdu[0] for apdu in meter.sent] == [expected]


def test_it_is_not_sent_where_no_general_form_was_negotiated(lab: Any) -> None:
    meter, talk = lab(services=SERVICES & ~Conformance.GENERAL_PROTECTION)
    for dialogue in (access(talk, ITEMS, DATA), access_unconfirmed(talk, ITEMS, DATA)):
        with pytest.raises(LocalProtocolError, match="not negotiated"):
            meter.hold(dialogue)
    assert meter.sent == []
    meter, talk = lab(services=SERVICES & ~Conformance.GENERAL_PROTECTION, **PLAIN)
    assert meter.hold(access(talk, ITEMS, DATA)).results == RESULTS


def test_options_and_long_invoke_ids(lab: Any) -> None:
    """They count up to 24 bits, and begin again."""
    meter, talk = lab(**PLAIN)
    meter.hold(access(talk, ITEMS, DATA, options(break_on_error=True)))
    meter.hold(access(talk, ITEMS, DATA, options(self_descriptive=True)))
    meter.hold(access_unconfirmed(talk, ITEMS, DATA, options(high_priority=True), bytes(12)))
    talk._long_invoke = LONG_INVOKE_ID - 1
    meter.hold(access(talk, ITEMS, DATA))
    meter.hold(access(talk, ITEMS, DATA))
    assert [f"{request.long_invoke:08x}" for request in meter.asked] == [
        "60000001",
        "50000002",
        "80000003",
        "40ffffff",
        "40000000",
    ]
    assert meter.asked[2].date_time == bytes(12)
    assert meter.said == 4


def test_the_meters_time(lab: Any) -> None:
    meter, talk = lab(**PLAIN)
    meter.answer = lambda request: AccessResponse(
        request.long_invoke, GIVEN, RESULTS, None, request.date_time[::-1]
    )
    response = meter.hold(access(talk, ITEMS, DATA, date_time=bytes(range(12))))
    assert response.date_time == bytes(reversed(range(12)))


def swapped(results: tuple[Any, ...]) -> tuple[Any, ...]:
    return results[1], results[0], *results[2:]


WRONG: dict[str, Callable[[AccessRequest], AccessResponse]] = {
    "too few": lambda asked: AccessResponse(asked.long_invoke, GIVEN[:2], RESULTS[:2]),
    "too many": lambda asked: AccessResponse(
        asked.long_invoke, (*GIVEN, NULL), (*RESULTS, RESULTS[0])
    ),
    "none": lambda asked: AccessResponse(asked.long_invoke, (), ()),
    "of other services": lambda asked: AccessResponse(asked.long_invoke, GIVEN, swapped(RESULTS)),
    "of other items": lambda asked: AccessResponse(
        asked.long_invoke, GIVEN, RESULTS, swapped(asked.specifications)
    ),
    "of another request": lambda asked: AccessResponse(asked.long_invoke + 1, GIVEN, RESULTS),
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=list(WRONG))
def test_responses_that_do_not_belong(
    lab: Any, answer: Callable[[AccessRequest], AccessResponse]
) -> None:
    meter, talk = lab(**PLAIN)
    meter.answer = answer
    with pytest.raises(RemoteProtocolError) as caught:
        meter.hold(access(talk, ITEMS, DATA))
    of_another = answer is WRONG["of another request"]
    assert caught.value.reason == ("invoke-id" if of_another else "unexpected-form")


def test_what_was_asked_for_is_repeated(lab: Any) -> None:
    meter, talk = lab(**PLAIN)
    meter.answer = lambda asked: AccessResponse(
        asked.long_invoke, GIVEN, RESULTS, asked.specifications
    )
    assert meter.hold(access(talk, ITEMS, DATA)).specifications == ITEMS


def test_reading_as_with_get(lab: Any) -> None:
    meter, talk = lab(**PLAIN)
    denied = DataAccessResult.READ_WRITE_DENIED
    meter.answer = lambda asked: AccessResponse(
        asked.long_invoke,
        (unsigned(1), NULL, NULL),
        tuple(AccessResult(AccessService.GET, result) for result in (OK, denied, OK)),
    )
    part = SelectiveAccess(2, unsigned(1))
    items = [(ATTRIBUTE, None), (ATTRIBUTE, part), (ATTRIBUTE, None)]
    found: tuple[Data | DataAccessResult, ...] = meter.hold(read_by_access(talk, items))
    assert found == (unsigned(1), denied, NULL)
    assert [item.selection for item in meter.asked[0].specifications] == [None, part, None]  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", [PLAIN, {}], ids=["plain", "ciphered"])
def test_what_is_too_long(lab: Any, kind: dict[str, Any]) -> None:
    """To the octet: what fits is sent, what does not is not, or goes in general blocks."""
    pdu = 300
    for services in (SERVICES, SERVICES | Conformance.GENERAL_BLOCK_TRANSFER):
        meter, talk = lab(services=services, pdu=pdu, **kind)
        room = talk.association.room_for(0xD9)
        assert room == pdu - (0 if kind else 1 + 1 + 8 + 3 + 1 + 4 + 12)
        empty = len(AccessRequest(0, ITEMS, (NULL, octet_string(bytes(150)), NULL)).encode())
        for over in (0, 1):
            value = octet_string(bytes(150 + room - empty + over))
            dialogue = access(talk, ITEMS, (NULL, value, NULL))
            meter.sent.clear()
            if over and services is SERVICES:
                with pytest.raises(TooLong, match=f"does not fit into {room} octets"):
                    meter.hold(dialogue)
                assert meter.sent == []
                continue
            assert meter.hold(dialogue).results == RESULTS
            assert meter.asked[-1].data[1] == value
            assert [len(apdu) for apdu in meter.sent] == [pdu] or over
            assert (meter.sent[0][0] == 0xE0) is bool(over)
