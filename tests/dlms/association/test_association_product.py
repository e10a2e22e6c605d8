"""Server and client, each in every state, given every input."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import Rlre, Rlrq
from dlms.association.config import PASS_3
from dlms.association.state import State
from dlms.axdr.data import octet_string, unsigned
from dlms.errors import LocalProtocolError, RemoteProtocolError
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.errors import NOT_ASSOCIATED
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.set import SetRequest

GET = GetRequest(0x41, AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2))
SET = SetRequest(0x41, GET.attribute, unsigned(1))
RESPONSE = GetResponse(0x41, unsigned(7))
EXCEPTION = NOT_ASSOCIATED.encode()

CONTEXTS = (ApplicationContext.LN, ApplicationContext.LN_CIPHERED)


@pytest.fixture(params=CONTEXTS, ids=lambda context: context.name)
def pair(request: pytest.FixtureRequest, bench: Any) -> Any:
    return bench(context=request.param)


# Ways to put both ends into a state. The server is between APDUs in three of them only.


def _idle(pair: Any) -> None:
    pass


def _associating(pair: Any) -> None:
    pair.ask(pair.client.open())


def _authenticating(pair: Any) -> None:
    pair.begin()


def _verifying(pair: Any) -> None:
    pair.begin()
    pair.ask(pair.client.authenticate())


def _associated(pair: Any) -> None:
    pair.connect()


def _releasing(pair: Any) -> None:
    pair.connect()
    pair.ask(pair.client.release())


def _withdrawing(pair: Any) -> None:
    pair.begin()
    pair.ask(pair.client.release())


REACH: dict[State, Callable[[Any], None]] = {
    State.IDLE: _idle,
    State.ASSOCIATING: _associating,
    State.AUTHENTICATING: _authenticating,
    State.VERIFYING: _verifying,
    State.ASSOCIATED: _associated,
    State.RELEASING: _releasing,
    State.WITHDRAWING: _withdrawing,
}


STATES = tuple(REACH)
"""All but UNCONFIRMED and PRE_ESTABLISHED, which test_standing_associations.py has."""


def _protected(pair: Any, apdu: bytes) -> bytes:
    return pair.sealed(apdu) if pair.server_config.context.ciphered else apdu


SERVER_INPUTS: dict[str, Callable[[Any], bytes]] = {
    "aarq": lambda pair: pair.aarq().encode(),
    "malformed aarq": lambda pair: b"\x60\x05\xa1",
    "pass 3, wrong": lambda pair: _protected(
        pair, ActionRequest(0x41, PASS_3, octet_string(bytes(17))).encode()
    ),
    "get": lambda pair: _protected(pair, GET.encode()),
    "set": lambda pair: _protected(pair, SET.encode()),
    "get-response": lambda pair: _protected(pair, RESPONSE.encode()),
    "exception": lambda pair: EXCEPTION,
    "rlrq": lambda pair: Rlrq().encode(),
    "malformed rlrq": lambda pair: b"\x62\x01",
    "rlre": lambda pair: Rlre().encode(),
    "aare": lambda pair: bytes.fromhex("6109") + bytes(9),
    "unknown tag": lambda pair: b"\xff\x00",
    "empty": lambda pair: b"",
}

# (state, input) -> state afterwards, where the server takes the input as legal.
SERVER_LEGAL = {
    (State.IDLE, "aarq"): State.AUTHENTICATING,
    (State.AUTHENTICATING, "aarq"): State.AUTHENTICATING,
    (State.ASSOCIATED, "aarq"): State.AUTHENTICATING,
    (State.AUTHENTICATING, "pass 3, wrong"): State.IDLE,
    # After the association is open this is one method call among others, for the object to refuse.
    (State.ASSOCIATED, "pass 3, wrong"): State.ASSOCIATED,
    (State.ASSOCIATED, "get"): State.ASSOCIATED,
    (State.ASSOCIATED, "set"): State.ASSOCIATED,
    (State.AUTHENTICATING, "rlrq"): State.IDLE,
    (State.ASSOCIATED, "rlrq"): State.IDLE,
}
SERVER_STATES = (State.IDLE, State.AUTHENTICATING, State.ASSOCIATED)


@pytest.mark.parametrize(
    ("state", "name"), list(product(SERVER_STATES, SERVER_INPUTS)), ids=lambda value: str(value)
)
def test_server(pair: Any, state: State, name: str) -> None:
    REACH[state](pair)
    assert pair.server.state is state
    apdu = SERVER_INPUTS[name](pair)
    hit = pair.hit(apdu)
    following = SERVER_LEGAL.get((state, name))
    if following is None:
        assert hit.event is None
        assert hit.reply, "the standard has an answer to each of these"
        assert pair.server.state is state
    else:
        assert hit.error is None
        assert pair.server.state is following
    pair.works()


@pytest.mark.parametrize("state", SERVER_STATES, ids=lambda state: state.name)
def test_server_sends_a_response_only_while_associated(pair: Any, state: State) -> None:
    REACH[state](pair)
    if state is State.ASSOCIATED:
        assert pair.serve(pair.server.send(RESPONSE))
    else:
        with pytest.raises(LocalProtocolError):
            pair.serve(pair.server.send(RESPONSE))
    assert pair.server.state is state


@pytest.mark.parametrize("state", SERVER_STATES, ids=lambda state: state.name)
def test_server_closes_from_every_state(pair: Any, state: State) -> None:
    REACH[state](pair)
    pair.serve(pair.server.close())
    assert pair.server.state is State.IDLE
    assert pair.server.admitted is None
    pair.works()


CLIENT_CALLS: dict[str, Callable[[Any], Any]] = {
    "open": lambda client: client.open(),
    "authenticate": lambda client: client.authenticate(),
    "request": lambda client: client.request(GET),
    "release": lambda client: client.release(),
    "close": lambda client: client.close(),
}
CLIENT_LEGAL = {
    (State.IDLE, "open"): State.ASSOCIATING,
    (State.AUTHENTICATING, "open"): State.ASSOCIATING,
    (State.ASSOCIATED, "open"): State.ASSOCIATING,
    (State.AUTHENTICATING, "authenticate"): State.VERIFYING,
    (State.ASSOCIATED, "request"): State.ASSOCIATED,
    (State.ASSOCIATED, "release"): State.RELEASING,
    (State.AUTHENTICATING, "release"): State.WITHDRAWING,
    **{(state, "close"): State.IDLE for state in STATES},
}


@pytest.mark.parametrize(
    ("state", "name"), list(product(STATES, CLIENT_CALLS)), ids=lambda value: str(value)
)
def test_client_calls(pair: Any, state: State, name: str) -> None:
    REACH[state](pair)
    assert pair.client.state is state
    following = CLIENT_LEGAL.get((state, name))
    if following is None:
        with pytest.raises(LocalProtocolError):
            pair.ask(CLIENT_CALLS[name](pair.client))
        assert pair.client.state is state
    else:
        pair.ask(CLIENT_CALLS[name](pair.client))
        assert pair.client.state is following


CLIENT_INPUTS: dict[str, bytes] = {
    "aare, garbage": b"\x61\x02\xa1\x00",
    "aare, refused": bytes.fromhex("6117A109060760857405080101A203020101A305A10302010D"),
    "get-response, plain": RESPONSE.encode(),
    "action-response, plain": ActionResponse(0x41, ActionResult.READ_WRITE_DENIED).encode(),
    "exception": EXCEPTION,
    "rlre": Rlre().encode(),
    "request": GET.encode(),
    "garbage": b"\xff\xff",
    "ciphered garbage": bytes.fromhex("CC1230000000FF") + bytes(13),
    "empty": b"",
}
PLAIN_CLIENT_LEGAL = {
    (State.ASSOCIATING, "aare, refused"): State.IDLE,
    **{
        (before, "exception"): following
        for before, following in (
            (State.IDLE, State.IDLE),
            (State.ASSOCIATING, State.IDLE),
            (State.AUTHENTICATING, State.AUTHENTICATING),
            (State.VERIFYING, State.IDLE),
            (State.ASSOCIATED, State.ASSOCIATED),
            (State.RELEASING, State.ASSOCIATED),
            (State.WITHDRAWING, State.AUTHENTICATING),
        )
    },
    (State.RELEASING, "rlre"): State.IDLE,
    (State.WITHDRAWING, "rlre"): State.IDLE,
    # A plain answer to pass 3 is legal in the plain context only, and refuses the association.
    (State.VERIFYING, "action-response, plain"): State.IDLE,
    (State.VERIFYING, "get-response, plain"): State.IDLE,
}


@pytest.mark.parametrize(
    ("state", "name"), list(product(STATES, CLIENT_INPUTS)), ids=lambda value: str(value)
)
def test_client_receives(pair: Any, state: State, name: str) -> None:
    REACH[state](pair)
    following = PLAIN_CLIENT_LEGAL.get((state, name))
    if pair.client_config.context.ciphered and name.endswith(", plain"):
        following = None
    if following is None:
        with pytest.raises(RemoteProtocolError):
            pair.ask(pair.client.receive(CLIENT_INPUTS[name]))
        assert pair.client.state is state
    else:
        pair.ask(pair.client.receive(CLIENT_INPUTS[name]))
        assert pair.client.state is following
    pair.works()


def test_an_exception_while_withdrawing_does_not_skip_authentication(pair: Any) -> None:
    """It is not protected, so anyone on the line can send it."""
    _withdrawing(pair)
    pair.ask(pair.client.receive(EXCEPTION))
    with pytest.raises(LocalProtocolError):
        pair.ask(pair.client.request(GET))


@pytest.mark.parametrize("mechanism", [Mechanism.NONE, Mechanism.LLS], ids=lambda m: m.name)
@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.name)
def test_without_hls_the_aare_opens(
    bench: Any, mechanism: Mechanism, context: ApplicationContext
) -> None:
    pair = bench(mechanism=mechanism, context=context)
    pair.works()
    with pytest.raises(LocalProtocolError):
        pair.ask(pair.client.authenticate())
