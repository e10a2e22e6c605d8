"""What the client does not put up with from a server (reference X_CLI_*, R-HLS-3, KL-HL-01, 13)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dlms.acse.aare import Aare
from dlms.acse.codes import AssociationResult, UserDiagnostic
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys
from dlms.association.events import (
    AssociationOpened,
    AssociationRefused,
    AuthenticationFailed,
    AuthenticationPending,
    ExceptionReceived,
    ResponseReceived,
)
from dlms.association.state import State
from dlms.axdr.data import octet_string, unsigned
from dlms.errors import LocalProtocolError, RemoteProtocolError
from dlms.security.ciphered import Family, Form, encode_ciphered
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyRef
from dlms.security.ops import Seal, Use
from dlms.xdlms.action import ActionResponse
from dlms.xdlms.codes import ActionResult, DataAccessResult, ServiceErrorCode, StateError
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.initiate import InitiateResponse
from dlms.xdlms.set import SetResponse

CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
GET = GetRequest(0x41, CLOCK)
RESPONSE = GetResponse(0x41, unsigned(7))
SERVER_TITLE = b"MTR\0\0\0\0\1"
OTHER_TITLE = b"MTR\0\0\0\0\2"
CLIENT_TITLE = b"S1S\0\0\0\0\1"


def from_server(
    pair: Any,
    apdu: bytes,
    *,
    control: int = 0x30,
    counter: int | None = None,
    title: bytes = SERVER_TITLE,
    ek: KeyRef | None = None,
    family: Family = Family.GLOBAL,
    form: Form = Form.SERVICE,
) -> bytes:
    """``apdu``, protected as a server with the right keys would, or as told."""
    guek, gak = pair.keys.guek, pair.keys.gak
    number = pair.server_counters.burn(guek) if counter is None else counter
    ak = gak if control & Protection.AUTHENTICATED else None
    op = Seal(Use.PROTECT_RESPONSE, ek or guek, ak, control, title, number, apdu)
    body: bytes = pair.server_module.execute(op)
    if not control & Protection.ENCRYPTED:
        body = apdu + body
    return encode_ciphered(apdu[0], family, form, control, number, body, title)


def digest(pair: Any) -> object:
    client, counters = pair.client, pair.client_counters
    return client.state, dict(counters._next), dict(counters._floor)


def abandon(pair: Any) -> None:
    """What the caller does after a RemoteProtocolError; then all works again."""
    pair.ask(pair.client.close())
    assert pair.client.state is State.IDLE
    pair.works()


def refused(pair: Any, octets: bytes, state: State) -> RemoteProtocolError:
    before = digest(pair)
    with pytest.raises(RemoteProtocolError) as caught:
        pair.ask(pair.client.receive(octets))
    assert pair.client.state is state
    assert digest(pair) == before
    return caught.value


# The AARE


def good_aare(pair: Any, **initiate: Any) -> Aare:
    """What the server answers, taken apart, its InitiateResponse changed by ``initiate``."""
    aare = Aare.decode(pair.hit(pair.ask(pair.client.open())).reply)
    if initiate:
        response = InitiateResponse(
            conformance=pair.client_config.conformance, server_max_receive_pdu_size=1024
        )
        user = replace(response, **initiate).encode()
        if pair.client_config.context.ciphered:
            user = from_server(pair, user)
        aare = replace(aare, user_information=user)
    return aare


AARE_CHANGES: dict[str, dict[str, Any]] = {
    "plain context": {"application_context_name": ApplicationContext.LN.oid},
    "SN context": {"application_context_name": ApplicationContext.SN_CIPHERED.oid},
    "unknown context": {"application_context_name": bytes.fromhex("2A0304")},
    "no title": {"responding_ap_title": None},
    "our own title": {"responding_ap_title": CLIENT_TITLE},
    "title of 7 octets": {"responding_ap_title": SERVER_TITLE[:7]},
    "title of 9 octets": {"responding_ap_title": SERVER_TITLE + b"\0"},
    "empty title": {"responding_ap_title": b""},
    "another title": {"responding_ap_title": OTHER_TITLE},
    "no user-information": {"user_information": None},
    "plain user-information": {
        "user_information": InitiateResponse(
            conformance=Conformance.GET, server_max_receive_pdu_size=0
        ).encode()
    },
    "garbage": {"user_information": b"\x28\x01\x30"},
}
MECHANISM_CHANGES: dict[str, dict[str, Any]] = {
    "authentication skipped": {"diagnostic": UserDiagnostic.NULL},
    "no mechanism": {"mechanism_name": None},
    "lowest mechanism": {"mechanism_name": Mechanism.NONE.oid},
    "low mechanism": {"mechanism_name": Mechanism.LLS.oid},
    "weaker HLS": {"mechanism_name": Mechanism.HLS_MD5.oid},
    "no challenge": {"responding_authentication_value": None},
    "challenge of 0": {"responding_authentication_value": AuthenticationValue(b"")},
    "challenge of 7": {"responding_authentication_value": AuthenticationValue(bytes(7))},
    "challenge of 65": {"responding_authentication_value": AuthenticationValue(bytes(65))},
}


@pytest.mark.parametrize("changes", AARE_CHANGES.values(), ids=list(AARE_CHANGES))
def test_aare(bench: Any, changes: dict[str, Any]) -> None:
    """X_CLI_CTX, X_CLI_TITLE. The server's title is not known beforehand here."""
    pair = bench()
    aare = replace(good_aare(pair), **changes)
    refused(pair, aare.encode(), State.ASSOCIATING)
    abandon(pair)


@pytest.mark.parametrize("changes", MECHANISM_CHANGES.values(), ids=list(MECHANISM_CHANGES))
@pytest.mark.parametrize("context", [ApplicationContext.LN, ApplicationContext.LN_CIPHERED])
def test_mechanism_in_the_aare(
    bench: Any, context: ApplicationContext, changes: dict[str, Any]
) -> None:
    """X_CLI_MECH: the InitiateResponse is genuine, so its counter is spent; no more than that."""
    pair = bench(context=context)
    aare = replace(good_aare(pair), **changes)
    with pytest.raises(RemoteProtocolError):
        pair.ask(pair.client.receive(aare.encode()))
    assert pair.client.state is State.ASSOCIATING
    abandon(pair)


def test_title_other_than_the_known_one(bench: Any) -> None:
    """A meter with right keys, but not the one we mean."""
    pair = bench(client={"server_title": OTHER_TITLE})
    refused(pair, good_aare(pair).encode(), State.ASSOCIATING)


def test_title_may_be_absent_if_it_is_known(bench: Any) -> None:
    pair = bench(client={"server_title": SERVER_TITLE})
    aare = replace(good_aare(pair), responding_ap_title=None)
    assert isinstance(pair.ask(pair.client.receive(aare.encode())), AuthenticationPending)


@pytest.mark.parametrize("context", [ApplicationContext.LN, ApplicationContext.LN_CIPHERED])
def test_stoc_equals_ctos(bench: Any, context: ApplicationContext) -> None:
    """X_CLI_STOC_EQ, KL-HL-01."""
    pair = bench(context=context)
    aare = replace(
        good_aare(pair),
        responding_authentication_value=AuthenticationValue(pair.client._challenge),
    )
    with pytest.raises(RemoteProtocolError) as caught:
        pair.ask(pair.client.receive(aare.encode()))
    assert caught.value.reason == "stoc-equals-ctos"
    with pytest.raises(LocalProtocolError):
        pair.ask(pair.client.authenticate())
    abandon(pair)


@pytest.mark.parametrize(
    "extra",
    [
        Conformance.ACCESS,
        Conformance.ACTION | Conformance.READ,
        Conformance(0x800000),
        Conformance.DELTA_VALUE_ENCODING,
        Conformance(0x010000),
    ],
    ids=["access", "action and read", "reserved bit 0", "bit 6", "reserved bit 7"],
)
@pytest.mark.parametrize("context", [ApplicationContext.LN, ApplicationContext.LN_CIPHERED])
def test_conformance_that_was_not_proposed(
    bench: Any, context: ApplicationContext, extra: Conformance
) -> None:
    """X_CLI_CONF_SUPERSET, named bits and nameless ones."""
    pair = bench(context=context, mechanism=Mechanism.NONE, client={"conformance": Conformance.GET})
    aare = good_aare(pair, conformance=Conformance.GET | extra)
    with pytest.raises(RemoteProtocolError):
        pair.ask(pair.client.receive(aare.encode()))
    assert pair.client.state is State.ASSOCIATING
    assert not pair.client.conformance
    abandon(pair)


@pytest.mark.parametrize("control", [0x10, 0x20])
def test_initiate_response_protected_less(bench: Any, control: int) -> None:
    """Also where services ask for less; and without moving the floor."""
    pair = bench(client={"protection": Protection.NONE + Protection.AUTHENTICATED})
    aare = good_aare(pair)
    response = InitiateResponse(conformance=Conformance.GET, server_max_receive_pdu_size=0)
    user = from_server(pair, response.encode(), control=control)
    refused(pair, replace(aare, user_information=user).encode(), State.ASSOCIATING)


def test_replayed_aare(bench: Any) -> None:
    pair = bench()
    old = pair.hit(pair.ask(pair.client.open())).reply
    pair.ask(pair.client.receive(old))
    pair.ask(pair.client.open())
    refused(pair, old, State.ASSOCIATING)
    abandon(pair)


def test_refusal_is_reported_with_its_codes(bench: Any) -> None:
    pair = bench()
    octets = pair.ask(pair.client.open())
    error = ConfirmedServiceError.decode(bytes.fromhex("0E010006"))
    aare = Aare(
        application_context_name=ApplicationContext.LN_CIPHERED.oid,
        result=AssociationResult.REJECTED_TRANSIENT,
        diagnostic=UserDiagnostic.NO_REASON_GIVEN,
        user_information=error.encode(),
    )
    assert octets
    event = pair.ask(pair.client.receive(aare.encode()))
    assert isinstance(event, AssociationRefused)
    assert event.result is AssociationResult.REJECTED_TRANSIENT
    assert event.diagnostic is UserDiagnostic.NO_REASON_GIVEN
    assert event.error == error
    assert pair.client.state is State.IDLE
    pair.works()


def test_refusal_with_unreadable_reason(bench: Any) -> None:
    pair = bench()
    pair.ask(pair.client.open())
    octets = bytes.fromhex("611FA109060760857405080103A203020101A305A103020101BE060404FFFFFFFF")
    event = pair.ask(pair.client.receive(octets))
    assert isinstance(event, AssociationRefused)
    assert event.error is None


# Pass 4


def pass_4(pair: Any, returned: Any, result: ActionResult = ActionResult.SUCCESS) -> bytes:
    apdu = ActionResponse(0x41, result, returned).encode()
    return from_server(pair, apdu) if pair.client_config.context.ciphered else apdu


def f_of_server(pair: Any, challenge: bytes, **changes: Any) -> bytes:
    counter = pair.server_counters.burn(pair.keys.guek)
    result: bytes = pair.f(challenge, counter, **{"title": SERVER_TITLE, **changes})
    return result


PASS_4: dict[str, Any] = {
    "missing": lambda pair: None,
    "access result": lambda pair: DataAccessResult.OTHER_REASON,
    "another type": lambda pair: unsigned(1),
    "empty": lambda pair: octet_string(b""),
    "short": lambda pair: octet_string(f_of_server(pair, pair.client._challenge)[:16]),
    "long": lambda pair: octet_string(f_of_server(pair, pair.client._challenge) + b"\0"),
    "zeros": lambda pair: octet_string(bytes(17)),
    "f(StoC)": lambda pair: octet_string(f_of_server(pair, pair.client._server_challenge)),
    "our own f(StoC)": lambda pair: octet_string(
        f_of_server(pair, pair.client._server_challenge, title=CLIENT_TITLE)
    ),
    "our title": lambda pair: octet_string(
        f_of_server(pair, pair.client._challenge, title=CLIENT_TITLE)
    ),
    "SC 30": lambda pair: octet_string(f_of_server(pair, pair.client._challenge, control=0x30)),
    "flipped": lambda pair: octet_string(
        (lambda f: f[:-1] + bytes((f[-1] ^ 1,)))(f_of_server(pair, pair.client._challenge))
    ),
}


@pytest.mark.parametrize("make", PASS_4.values(), ids=list(PASS_4))
@pytest.mark.parametrize("context", [ApplicationContext.LN, ApplicationContext.LN_CIPHERED])
@pytest.mark.parametrize("dedicated", [False, True], ids=["global", "dedicated"])
def test_wrong_pass_4(bench: Any, context: ApplicationContext, dedicated: bool, make: Any) -> None:
    """X_CLI_FCTOS_BAD, KL-HL-13: success alone opens nothing."""
    if dedicated and not context.ciphered:
        dedicated = False
    pair = bench(context=context, dedicated=dedicated)
    pair.begin()
    pair.ask(pair.client.authenticate())
    event = pair.ask(pair.client.receive(pass_4(pair, make(pair))))
    assert isinstance(event, AuthenticationFailed)
    assert pair.client.state is State.IDLE
    assert not pair.client.conformance
    pair.works()


def test_right_pass_4(bench: Any) -> None:
    """So that the test above fails for the right reason."""
    pair = bench()
    pair.begin()
    pair.ask(pair.client.authenticate())
    f = octet_string(f_of_server(pair, pair.client._challenge))
    event = pair.ask(pair.client.receive(pass_4(pair, f)))
    assert isinstance(event, AssociationOpened)


def test_pass_4_that_shares_its_counter_with_f(bench: Any) -> None:
    """R-IC-9 holds for the server too: one vector for two messages."""
    pair = bench()
    pair.begin()
    pair.ask(pair.client.authenticate())
    counter = pair.server_counters.next_to_send(pair.keys.guek)
    f = octet_string(pair.f(pair.client._challenge, counter, title=SERVER_TITLE))
    octets = from_server(
        pair, ActionResponse(0x41, ActionResult.SUCCESS, f).encode(), counter=counter
    )
    assert isinstance(pair.ask(pair.client.receive(octets)), AuthenticationFailed)


def test_refusal_in_pass_4_ends_it(bench: Any) -> None:
    pair = bench()
    pair.begin()
    pair.ask(pair.client.authenticate())
    octets = pass_4(pair, None, ActionResult.READ_WRITE_DENIED)
    assert isinstance(pair.ask(pair.client.receive(octets)), AuthenticationFailed)
    assert pair.client.state is State.IDLE


# Responses


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
    refused(pair, from_server(pair, RESPONSE.encode(), control=control), State.ASSOCIATED)
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
    event = pair.ask(pair.client.receive(from_server(pair, RESPONSE.encode())))
    assert event == ResponseReceived(RESPONSE)


@pytest.mark.parametrize("title", [CLIENT_TITLE, OTHER_TITLE])
def test_response_of_another_originator(bench: Any, title: bytes) -> None:
    """A reflected request has our own title in its vector."""
    pair = bench().connect()
    pair.hit(pair.ask(pair.client.request(GET)))
    for form in Form:
        octets = from_server(pair, RESPONSE.encode(), title=title, form=form)
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
    octets = from_server(pair, RESPONSE.encode(), counter=floor - back)
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
    before = digest(asking)
    event = asking.ask(asking.client.receive(exception.encode()))
    assert event == ExceptionReceived(exception)
    assert digest(asking) == before
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
    assert names["DEDICATED"] in pair.client_module.keys._kept
    pair.ask(pair.client.receive(bytes.fromhex("D80103")))
    assert pair.client.state is State.IDLE
    assert names["DEDICATED"] not in pair.client_module.keys._kept
    pair.works()


# What the client does not do itself


def test_one_confirmed_request_at_a_time(asking: Any) -> None:
    with pytest.raises(LocalProtocolError):
        asking.ask(asking.client.request(GET))
    still_answers(asking)


def test_no_service_beyond_the_negotiated(bench: Any) -> None:
    pair = bench(server={"conformance": Conformance.SET}).connect()
    before = digest(pair)
    with pytest.raises(LocalProtocolError):
        pair.ask(pair.client.request(GET))
    assert digest(pair) == before


def test_no_request_above_the_servers_pdu_size(bench: Any) -> None:
    pair = bench(mechanism=Mechanism.NONE, server={"max_pdu_size": 31}).connect()
    with pytest.raises(LocalProtocolError):
        pair.ask(pair.client.request(GET))
    pair = bench(mechanism=Mechanism.NONE, server={"max_pdu_size": 32}).connect()
    pair.get()


@pytest.mark.parametrize(
    "mechanism", [m for m in Mechanism if m.is_hls and m is not Mechanism.HLS_GMAC]
)
def test_mechanisms_it_does_not_know(bench: Any, mechanism: Mechanism) -> None:
    pair = bench(context=ApplicationContext.LN, client={"mechanism": mechanism})
    with pytest.raises(LocalProtocolError):
        pair.ask(pair.client.open())
    assert pair.client.state is State.IDLE


@pytest.mark.parametrize("lacking", ["guek", "title"])
def test_no_association_without_key_or_title(bench: Any, lacking: str) -> None:
    pair = bench()
    keys = AssociationKeys() if lacking == "guek" else pair.keys
    config = (
        pair.client_config if lacking == "guek" else replace(pair.client_config, own_title=None)
    )
    with pytest.raises(LocalProtocolError):
        ClientAssociation(config, keys, InvocationCounters())


def test_lls_without_a_secret(bench: Any) -> None:
    pair = bench(context=ApplicationContext.LN, mechanism=Mechanism.LLS)
    client = ClientAssociation(pair.client_config, AssociationKeys(), InvocationCounters())
    with pytest.raises(LocalProtocolError):
        pair.ask(client.open())
