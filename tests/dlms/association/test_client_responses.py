"""Responses that the client does not put up with (reference X_CLI_*)."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import (
    AssociationOpened,
    ExceptionReceived,
    ResponseReceived,
)
from dlms.association.state import State
from dlms.axdr.data import unsigned
from dlms.errors import RemoteProtocolError
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.xdlms.codes import DataAccessResult, ServiceErrorCode, StateError
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.errors import ExceptionResponse
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.set import SetResponse

CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
GET = GetRequest(0x41, CLOCK)
RESPONSE = GetResponse(0x41, unsigned(7))
OTHER_TITLE = b"MTR\0\0\0\0\2"
CLIENT_TITLE = b"S1S\0\0\0\0\1"


def refused(pair: Any, octets: bytes, state: State) -> RemoteProtocolError:
    before = pair.client_digest()
    with pytest.raises(RemoteProtocolError) as caught:
        pair.ask(pair.client.receive(octets))
    assert pair.client.state is state
    assert pair.client_digest() == before
    return caught.value


@pytest.fixture(params=[False, True], ids=["global", "dedicated"])
def asking(request: pytest.FixtureRequest, bench: Any) -> Any:
    """An open association whose client awaits a response; the request is not answered yet."""
    pair = bench(dedicated=request.param).connect()
    pair.hit(pair.ask(pair.client.request(GET)))
    return pair


def good(pair: Any, response: GetResponse | SetResponse = RESPONSE) -> bytes:
    octets: bytes = pair.serve(pair.server.send(response))
    return octets


def still_answers(pair: Any) -> None:
    """The genuine response, coming after all, is still taken."""
    event = pair.ask(pair.client.receive(good(pair)))
    assert event == ResponseReceived(RESPONSE)


GARBAGE = [
    b"",
    b"\x00",
    b"\xff\xff\xff",
    b"\xcc",
    b"\xcc\x00",
    b"\xcc\x05\x30\x00\x00\x00\xff",
    b"\xd8",
    b"\xd8\x09\x09",
    b"\xd8\x01\x06\x00",
    b"\x61\x00",
    b"\x63\x05\x80",
    RESPONSE.encode(),
    GET.encode(),
]


@pytest.mark.parametrize("octets", GARBAGE, ids=lambda octets: octets.hex() or "empty")
def test_garbage_and_plain_responses(asking: Any, octets: bytes) -> None:
    """X_CLI_PLAIN_RESP and friends."""
    refused(asking, octets, State.ASSOCIATED)
    still_answers(asking)


def test_every_flipped_octet(asking: Any) -> None:
    """X_CLI_TAG, X_CLI_CT."""
    octets = good(asking)
    for position in range(len(octets)):
        broken = bytearray(octets)
        broken[position] ^= 0x01
        refused(asking, bytes(broken), State.ASSOCIATED)
    assert asking.ask(asking.client.receive(octets)) == ResponseReceived(RESPONSE)


@pytest.mark.parametrize("control", [0x10, 0x20, 0x31, 0x70, 0xB0, 0x00])
def test_response_protected_less_or_strangely(bench: Any, control: int) -> None:
    pair = bench().connect()
    pair.hit(pair.ask(pair.client.request(GET)))
    refused(pair, pair.from_server(RESPONSE.encode(), control=control), State.ASSOCIATED)
    still_answers(pair)


def test_response_without_a_tag_cannot_use_up_the_key(bench: Any) -> None:
    """R-IC-6 on the client's side."""
    pair = bench().connect()
    pair.hit(pair.ask(pair.client.request(GET)))
    forged = bytes.fromhex("DB001220FFFFFFFE") + bytes(13)
    refused(pair, forged, State.ASSOCIATED)
    still_answers(pair)


def test_response_protected_more(bench: Any) -> None:
    """More protection is always allowed (R-PROT-1)."""
    pair = bench(client={"protection": Protection.AUTHENTICATED}).connect()
    pair.hit(pair.ask(pair.client.request(GET)))
    event = pair.ask(pair.client.receive(pair.from_server(RESPONSE.encode())))
    assert event == ResponseReceived(RESPONSE)


@pytest.mark.parametrize("title", [CLIENT_TITLE, OTHER_TITLE])
def test_response_of_another_originator(bench: Any, title: bytes) -> None:
    """A reflected request has our own title in its vector."""
    pair = bench().connect()
    pair.hit(pair.ask(pair.client.request(GET)))
    for form in Form:
        octets = pair.from_server(RESPONSE.encode(), title=title, form=form)
        refused(pair, octets, State.ASSOCIATED)
    still_answers(pair)


def test_replayed_response(asking: Any) -> None:
    """X_CLI_REPLAY, X_CLI_IC_BACK."""
    octets = good(asking)
    asking.ask(asking.client.receive(octets))
    asking.hit(asking.ask(asking.client.request(GET)))
    refused(asking, octets, State.ASSOCIATED)
    still_answers(asking)


@pytest.mark.parametrize("back", [1, 2])
def test_lower_counter(bench: Any, back: int) -> None:
    pair = bench().connect()
    pair.hit(pair.ask(pair.client.request(GET)))
    floor = pair.client_counters.floor(pair.keys.guek)
    octets = pair.from_server(RESPONSE.encode(), counter=floor - back)
    refused(pair, octets, State.ASSOCIATED)
    still_answers(pair)


def test_first_counter_0(bench: Any, names: dict[str, Any]) -> None:
    """X_CLI_IC0."""
    pair = bench()
    pair.begin()
    assert pair.client_counters.floor(names["GUEK"]) == 1


@pytest.mark.parametrize("invoke", [0x42, 0x40, 0x4F])
def test_wrong_invoke_id(asking: Any, invoke: int) -> None:
    """X_CLI_INVOKE_ID; the priority and confirmation bits do not matter."""
    with pytest.raises(RemoteProtocolError) as caught:
        asking.ask(asking.client.receive(good(asking, GetResponse(invoke, unsigned(7)))))
    assert caught.value.reason == "invoke-id"
    response = GetResponse(0xC1, unsigned(7))
    assert asking.ask(asking.client.receive(good(asking, response))) == ResponseReceived(response)


def test_response_to_another_service(asking: Any) -> None:
    """A SET result with the right invoke id does not answer a GET."""
    with pytest.raises(RemoteProtocolError):
        asking.ask(asking.client.receive(good(asking, SetResponse(0x41, DataAccessResult.SUCCESS))))
    still_answers(asking)


def test_two_responses(asking: Any) -> None:
    """X_CLI_TWO_RESP."""
    first, second = good(asking), good(asking)
    assert isinstance(asking.ask(asking.client.receive(first)), ResponseReceived)
    with pytest.raises(RemoteProtocolError) as caught:
        asking.ask(asking.client.receive(second))
    assert caught.value.reason == "invoke-id"
    asking.get()


def test_unasked_response(bench: Any) -> None:
    pair = bench(context=ApplicationContext.LN, mechanism=Mechanism.NONE).connect()
    refused(pair, RESPONSE.encode(), State.ASSOCIATED)
    pair.get()


def test_a_late_response_is_not_taken_for_the_next_associations(bench: Any) -> None:
    """X_CLI_TIMEOUT_REUSE: what was awaited is forgotten with the association."""
    pair = bench(context=ApplicationContext.LN, mechanism=Mechanism.NONE).connect()
    pair.ask(pair.client.request(GET))
    reopened = pair.ask(pair.client.receive(pair.hit(pair.ask(pair.client.open())).reply))
    assert isinstance(reopened, AssociationOpened)
    refused(pair, RESPONSE.encode(), State.ASSOCIATED)
    pair.get()


@pytest.mark.parametrize("counter", [0, 1, 2, 5, 1000, 0xFFFFFFFF])
def test_exception_moves_no_counter(asking: Any, counter: int) -> None:
    """X_CLI_EXC_IC, KL-IC-17: it is not protected, so it is a hint and no more."""
    exception = ExceptionResponse(
        state_error=StateError.SERVICE_NOT_ALLOWED,
        service_error=ServiceErrorCode.INVOCATION_COUNTER_ERROR,
        invocation_counter=counter,
    )
    before = asking.client_digest()
    event = asking.ask(asking.client.receive(exception.encode()))
    assert event == ExceptionReceived(exception)
    assert asking.client_digest() == before
    asking.get()


@pytest.mark.parametrize("hint", [0, 1, 3, 1000])
def test_acting_on_the_hint_only_goes_forward(bench: Any, names: dict[str, Any], hint: int) -> None:
    pair = bench().connect()
    before = pair.client_counters.next_to_send(names["GUEK"])
    pair.client_counters.raise_to(names["GUEK"], hint)
    assert pair.client_counters.next_to_send(names["GUEK"]) == max(before, hint)
    pair.get()


@pytest.mark.parametrize("state", ["opening", "verifying"])
def test_exception_that_ends_the_attempt_destroys_the_dedicated_key(
    bench: Any, names: dict[str, Any], state: str
) -> None:
    pair = bench(dedicated=True)
    if state == "opening":
        pair.ask(pair.client.open())
    else:
        pair.begin()
        pair.ask(pair.client.authenticate())
    assert names["DEDICATED"] in pair.client_module.keys.refs
    pair.ask(pair.client.receive(bytes.fromhex("D80103")))
    assert pair.client.state is State.IDLE
    assert names["DEDICATED"] not in pair.client_module.keys.refs
    pair.works()
