"""Services that the server refuses, with the exact ExceptionResponse."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import ASSOCIATION_LN_CLASS, CURRENT_ASSOCIATION
from dlms.association.events import AuthenticationFailed, RequestReceived
from dlms.association.state import State
from dlms.axdr.data import octet_string, unsigned
from dlms.security.control import Protection
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.set import SetRequest

NOT_SUPPORTED = "d80102"
UNKNOWN_SERVICE = "d80202"
NOT_POSSIBLE = "d80101"
TOO_LONG = "d80104"

CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
GET = GetRequest(0x41, CLOCK)
SET = SetRequest(0x41, CLOCK, unsigned(1))
ACTION = ActionRequest(0x41, MethodDescriptor(70, bytes((0, 0, 96, 3, 10, 255)), 1))
PLAIN = {"context": ApplicationContext.LN, "mechanism": Mechanism.NONE}
KINDS = [PLAIN, {}]


def refused(pair: Any, octets: bytes, reply: str, state: State = State.ASSOCIATED) -> None:
    """Refused with ``reply``, nothing changed, and the association goes on."""
    before = pair.digest()
    hit = pair.hit(octets)
    assert hit.event is None
    assert hit.reply is not None
    assert hit.reply.hex() == reply
    assert pair.server.state is state
    assert pair.digest() == before
    if state is State.ASSOCIATED:
        pair.get()
    pair.works()


@pytest.mark.parametrize(
    "apdu", [GET.encode(), SET.encode(), ACTION.encode(), b"\x62\x00", b"\x00", b"", b"\x0f"]
)
def test_without_an_association(bench: Any, apdu: bytes) -> None:
    """APPL_IDLE_N1."""
    refused(bench(**PLAIN), apdu, NOT_SUPPORTED, State.IDLE)


def test_ciphered_without_an_association(bench: Any) -> None:
    pair = bench()
    refused(pair, pair.sealed(GET.encode()), NOT_SUPPORTED, State.IDLE)


MALFORMED = {
    "get, unknown choice": ("C004C1000F0000280000FF0100", NOT_SUPPORTED),
    "get, next block": ("C002C100000001", NOT_SUPPORTED),
    "get, choice missing": ("C0C1000F0000280000FF0100", NOT_SUPPORTED),
    "get, cut": ("C00141000800", NOT_SUPPORTED),
    "get, left over": (GET.encode().hex() + "00", NOT_SUPPORTED),
    "get, presence flag 2": (GET.encode().hex()[:-2] + "02", NOT_SUPPORTED),
    "set, unknown choice": ("C106C1000F0000280000FF010000", NOT_SUPPORTED),
    "set, no data": (SET.encode().hex()[:-4], NOT_SUPPORTED),
    "action, unknown choice": ("C309C1000F0000280000FF0100", NOT_SUPPORTED),
    "SN read": ("050102FA00", NOT_SUPPORTED),
    "SN write": ("060102FA00011100", NOT_SUPPORTED),
    "event notification": ("C200", UNKNOWN_SERVICE),
    "a response": ("C401410011 01".replace(" ", ""), UNKNOWN_SERVICE),
    "an exception": ("D80102", UNKNOWN_SERVICE),
    "an initiate-request": ("01000000065F1F040000181900FF", UNKNOWN_SERVICE),
    "access": ("D900", NOT_SUPPORTED),
    "AARE": ("6100", UNKNOWN_SERVICE),
    "RLRE": ("6300", UNKNOWN_SERVICE),
    "nothing": ("", NOT_SUPPORTED),
}


@pytest.mark.parametrize(("octets", "reply"), MALFORMED.values(), ids=list(MALFORMED))
def test_malformed(bench: Any, octets: str, reply: str) -> None:
    """APPL_DATA_LN_N1, N3: refused, and the association is alive."""
    refused(bench(**PLAIN).connect(), bytes.fromhex(octets), reply)


@pytest.mark.parametrize(
    ("granted", "apdu"),
    [
        (Conformance.SET | Conformance.ACTION, GET),
        (Conformance.GET | Conformance.ACTION, SET),
        (Conformance.GET | Conformance.SET, ACTION),
    ],
    ids=["get", "set", "action"],
)
@pytest.mark.parametrize("kind", KINDS, ids=["plain", "ciphered"])
def test_not_negotiated(bench: Any, kind: dict[str, Any], granted: Conformance, apdu: Any) -> None:
    """APPL_DATA_LN_N4. Only what is negotiated counts, not what the server could do."""
    pair = bench(**kind, client={"conformance": granted}).connect()
    octets = apdu.encode()
    ciphered = pair.server_config.context.ciphered
    hit = pair.hit(pair.sealed(octets) if ciphered else octets)
    assert hit.reply.hex() == NOT_SUPPORTED
    assert hit.error.reason == "service-not-negotiated"
    assert pair.server.state is State.ASSOCIATED


def test_pass_3_needs_no_action_conformance(bench: Any) -> None:
    """R-CONF-3."""
    pair = bench(client={"conformance": Conformance.GET}).connect()
    pair.get()


POLICIES = [Protection.NONE, Protection.AUTHENTICATED, Protection.ENCRYPTED, Protection.BOTH]
PASSES = {
    Protection.NONE: POLICIES,
    Protection.AUTHENTICATED: [Protection.AUTHENTICATED, Protection.BOTH],
    Protection.ENCRYPTED: [Protection.ENCRYPTED, Protection.BOTH],
    Protection.BOTH: [Protection.BOTH],
}


@pytest.mark.parametrize("policy", POLICIES, ids=str)
@pytest.mark.parametrize("protection", POLICIES, ids=str)
def test_policy_product(bench: Any, policy: Protection, protection: Protection) -> None:
    """SYMSEC_0_SecPol_1, 2, 3; KL-PR-06, 07, 15."""
    pair = bench(server={"policy": policy}).connect()
    octets = GET.encode()
    if protection:
        octets = pair.sealed(octets, control=protection)
    if protection in PASSES[policy]:
        assert pair.hit(octets).event == RequestReceived(GET, True, protection)
        reply = pair.serve(pair.server.send(GetResponse(0x41, unsigned(7))))
        # R-PROT-5: the response is protected as the request was.
        assert reply[0] == (0xCC if protection else 0xC4)
        if protection:
            assert reply[2] == protection
    else:
        refused(pair, octets, NOT_POSSIBLE)


def test_an_unauthenticated_request_cannot_use_up_the_key(bench: Any) -> None:
    """R-IC-6, I3: policy asks for a tag; what has none must not move the floor."""
    pair = bench(server={"policy": Protection.AUTHENTICATED}).connect()
    forged = bytes.fromhex("DB001220FFFFFFFE") + bytes(13)
    refused(pair, forged, NOT_POSSIBLE)


def test_ciphered_in_a_plain_context(bench: Any) -> None:
    """R-CTX-1, KL-PR-16; with HLS the server would even have the keys."""
    for kind in (PLAIN, {"context": ApplicationContext.LN}):
        pair = bench(**kind).connect()
        refused(pair, pair.sealed(GET.encode()), NOT_SUPPORTED)


@pytest.mark.parametrize(
    "octets",
    [GET.encode(), SET.encode(), ACTION.encode(), bytes.fromhex("C004C1"), b"\xff", b""],
)
def test_service_while_hls_is_pending(bench: Any, octets: bytes) -> None:
    """R-HLS-2, X_STATE_HLS_PENDING, KL-HL-08; in the plain and in the ciphered form."""
    pair = bench(context=ApplicationContext.LN)
    pair.begin()
    before = pair.digest()
    hit = pair.hit(octets)
    assert hit.reply.hex() in (NOT_SUPPORTED, UNKNOWN_SERVICE)
    assert pair.server.state is State.AUTHENTICATING
    assert pair.digest() == before
    pair.finish()
    pair.get()


@pytest.mark.parametrize("apdu", [GET, SET, ACTION], ids=["get", "set", "action"])
def test_ciphered_service_while_hls_is_pending(bench: Any, apdu: Any) -> None:
    pair = bench()
    pair.begin()
    hit = pair.hit(pair.sealed(apdu.encode()))
    assert hit.reply.hex() == NOT_SUPPORTED
    assert hit.error.reason == "hls-pending"
    assert pair.server.state is State.AUTHENTICATING
    pair.finish()
    pair.get()


OTHER_OBJECTS = {
    "another association": MethodDescriptor(ASSOCIATION_LN_CLASS, bytes((0, 0, 40, 0, 1, 255)), 1),
    "another method": MethodDescriptor(ASSOCIATION_LN_CLASS, CURRENT_ASSOCIATION, 2),
    "another class": MethodDescriptor(12, CURRENT_ASSOCIATION, 1),
    "an unrelated object": MethodDescriptor(70, bytes((0, 0, 96, 3, 10, 255)), 1),
}


@pytest.mark.parametrize("method", OTHER_OBJECTS.values(), ids=list(OTHER_OBJECTS))
def test_right_f_on_another_method(bench: Any, method: MethodDescriptor) -> None:
    """R-HLS-1, KL-HL-09."""
    pair = bench(context=ApplicationContext.LN)
    pair.begin()
    before = pair.digest()
    right = pair.f(pair.server.admitted.server_challenge, pair.client_counters.burn(pair.keys.guek))
    hit = pair.hit(ActionRequest(0x41, method, octet_string(right)).encode())
    assert hit.reply.hex() == NOT_SUPPORTED
    assert pair.digest() == before
    pair.finish()


@pytest.mark.parametrize("limit", [12, 20, 23])
def test_response_above_the_clients_pdu_size(bench: Any, limit: int) -> None:
    """X_PDU_MAX, plain and ciphered; what fits goes out. Without HLS: pass 4 would not fit."""
    for kind in KINDS:
        how = {**kind, "mechanism": Mechanism.NONE}
        pair = bench(**how, client={"max_pdu_size": limit}).connect()
        ciphered = pair.server_config.context.ciphered
        overhead = 6 + 19 * ciphered  # get-response and octet-string headers; ciphering
        for length in range(40):
            pair.hit(pair.sealed(GET.encode()) if ciphered else GET.encode())
            reply = pair.serve(pair.server.send(GetResponse(0x41, octet_string(bytes(length)))))
            if length + overhead <= limit:
                assert len(reply) == length + overhead
            else:
                assert reply.hex() == TOO_LONG
            assert pair.server.state is State.ASSOCIATED


@pytest.mark.parametrize("limit", [0, 0xFFFF])
def test_response_to_a_client_without_limit(bench: Any, limit: int) -> None:
    pair = bench(**PLAIN, client={"max_pdu_size": limit}).connect()
    pair.hit(pair.ask(pair.client.request(GET)))
    response = GetResponse(0x41, octet_string(bytes(5000)))
    assert pair.serve(pair.server.send(response)) == response.encode()


@pytest.mark.parametrize("kind", KINDS, ids=["plain", "ciphered"])
def test_unconfirmed_request(bench: Any, kind: dict[str, Any]) -> None:
    """X_INVOKE_ID: the event says that no response is wanted, and the client awaits none."""
    pair = bench(**kind).connect()
    unconfirmed = SetRequest(0x01, CLOCK, unsigned(1))
    hit = pair.hit(pair.ask(pair.client.request(unconfirmed)))
    protection = Protection.NONE if kind is PLAIN else Protection.BOTH
    assert hit.event == RequestReceived(unconfirmed, False, protection)
    pair.get()


@pytest.mark.parametrize("f", [b"", bytes(17)])
def test_pass_3_after_the_association_is_open_is_one_call_among_others(
    bench: Any, f: bytes
) -> None:
    """KL-HL-07: it does not authenticate again, nor end anything; the object refuses it."""
    pair = bench(context=ApplicationContext.LN).connect()
    hit = pair.hit(pair.pass_3(f))
    assert not isinstance(hit.event, AuthenticationFailed)
    assert isinstance(hit.event, RequestReceived)
    assert pair.server.state is State.ASSOCIATED


@pytest.mark.parametrize("kind", KINDS, ids=["plain", "ciphered"])
def test_request_above_the_servers_pdu_size(bench: Any, kind: dict[str, Any]) -> None:
    pair = bench(**kind, server={"max_pdu_size": 100}).connect()
    overhead = 20 if kind is PLAIN else 39  # set-request and octet-string headers; ciphering
    for length, fits in ((100 - overhead - 5, True), (100, False)):
        request = SetRequest(0x41, CLOCK, octet_string(bytes(length))).encode()
        octets = request if kind is PLAIN else pair.sealed(request)
        hit = pair.hit(octets)
        assert (hit.error is None) is fits
        if not fits:
            assert hit.reply.hex() == TOO_LONG
    pair.client_counters.raise_to(pair.keys.guek, 20)
    pair.get()


def test_server_without_a_pdu_limit(bench: Any) -> None:
    pair = bench(**PLAIN, server={"max_pdu_size": 0}).connect()
    request = SetRequest(0x41, CLOCK, octet_string(bytes(5000)))
    assert pair.hit(request.encode()).event == RequestReceived(request, True)
