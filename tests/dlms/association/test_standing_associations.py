"""Associations without AARQ, without AARE, without any answer (reference 2.1, 2.12, 4.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dlms.acse.aarq import Aarq
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import Rlrq
from dlms.association.client import ClientAssociation
from dlms.association.config import PASS_3
from dlms.association.events import (
    AssociationOpened,
    AssociationRefused,
    AssociationReleased,
    BlockExchanged,
    RequestReceived,
)
from dlms.association.knobs import BroadcastConfirmed, KeyInForce, Knobs
from dlms.association.state import State
from dlms.axdr.data import octet_string, unsigned
from dlms.errors import LocalProtocolError
from dlms.security.ciphered import Family, Form
from dlms.security.control import Protection
from dlms.security.ops import Open
from dlms.xdlms.action import (
    ActionRequest,
    ActionRequestBlock,
    ActionRequestFirstBlock,
    ActionRequestWithListFirstBlock,
)
from dlms.xdlms.block import Block
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.set import SetRequest

CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
GET = GetRequest(0x41, CLOCK)
SET = SetRequest(0x41, CLOCK, unsigned(1))
SILENT_SET = SetRequest(0x01, CLOCK, unsigned(1))
NOT_SUPPORTED = "d80102"
CONTEXTS = [ApplicationContext.LN, ApplicationContext.LN_CIPHERED]
BOTH = Protection.BOTH


# Pre-established (R-AA-1)


@pytest.fixture(params=CONTEXTS, ids=lambda context: context.name)
def standing(request: pytest.FixtureRequest, bench: Any, names: dict[str, Any]) -> Any:
    return bench(
        context=request.param,
        mechanism=Mechanism.NONE,
        server={"pre_established": True, "client_title": names["CLIENT_TITLE"]},
        client={"pre_established": True, "server_title": names["SERVER_TITLE"]},
    )


def test_services_without_an_aarq(standing: Any) -> None:
    assert standing.server.state is standing.client.state is State.PRE_ESTABLISHED
    assert standing.server.admitted.conformance == standing.server_config.conformance
    standing.get()
    standing.get()
    assert standing.server.state is standing.client.state is State.PRE_ESTABLISHED


def test_it_outlives_the_lower_layer(standing: Any) -> None:
    standing.get()
    standing.serve(standing.server.close())
    standing.ask(standing.client.close())
    standing.get()


def test_it_is_neither_opened_nor_released(standing: Any) -> None:
    hit = standing.hit(standing.aarq().encode())
    assert hit.error.reason == "aarq-not-allowed"
    context = standing.server_config.context.value
    assert hit.reply.hex() == f"6117a10906076085740508010{context}a203020101a305a103020101"
    hit = standing.hit(Rlrq().encode())
    assert (hit.error.reason, hit.reply.hex()) == ("release-not-supported", NOT_SUPPORTED)
    standing.get()
    for call in (standing.client.open, standing.client.release, standing.client.authenticate):
        with pytest.raises(LocalProtocolError):
            standing.ask(call())
    standing.get()


def test_a_replay_is_refused_there_too(standing: Any) -> None:
    octets = standing.get()
    hit = standing.hit(octets)
    ciphered = standing.server_config.context.ciphered
    assert (hit.error is not None) is ciphered
    if ciphered:
        assert hit.reply.hex() == "d8010600000001"


@pytest.mark.parametrize("knob", KeyInForce, ids=lambda knob: knob.name)
def test_new_keys_do_not_wait_for_a_next_association(
    bench: Any, names: dict[str, Any], knob: KeyInForce
) -> None:
    """There will be none."""
    pair = bench(
        mechanism=Mechanism.NONE,
        server={
            "pre_established": True,
            "client_title": names["CLIENT_TITLE"],
            "knobs": Knobs(key_in_force=knob),
        },
        client={"pre_established": True, "server_title": names["SERVER_TITLE"]},
    )
    fresh = names["GUEK"]._replace(version=1)
    for module in (pair.server_module, pair.client_module):
        module.keys.keep(fresh, bytes(range(0x60, 0x70)))
    pair.server.adopt(pair.server_config, pair.keys._replace(guek=fresh))
    assert pair.hit(pair.sealed(GET.encode())).reply.hex() == "d80105"
    assert isinstance(pair.hit(pair.sealed(GET.encode(), ek=fresh)).event, RequestReceived)


def test_a_ciphered_one_needs_a_registered_title(bench: Any) -> None:
    """R-AA-6: nothing from an unknown title can be processed."""
    pair = bench(mechanism=Mechanism.NONE, server={"pre_established": True})
    assert pair.hit(pair.sealed(GET.encode())).reply.hex() == "d80105"


@pytest.mark.parametrize("mechanism", [m for m in Mechanism if m is not Mechanism.NONE])
def test_it_has_no_authentication(bench: Any, mechanism: Mechanism) -> None:
    with pytest.raises(LocalProtocolError, match="no authentication"):
        bench(
            context=ApplicationContext.LN,
            mechanism=mechanism,
            server={"pre_established": True},
        )


# Unconfirmed (R-AA-7)


def unconfirmed(bench: Any, context: ApplicationContext, mechanism: Mechanism) -> Any:
    return bench(
        context=context,
        mechanism=mechanism,
        server={"unconfirmed": True},
        client={"confirmed": False},
    )


@pytest.fixture(params=CONTEXTS, ids=lambda context: context.name)
def quiet(request: pytest.FixtureRequest, bench: Any) -> Any:
    """Open at both ends."""
    pair = unconfirmed(bench, request.param, Mechanism.LLS)
    hit = pair.hit(pair.ask(pair.client.open()))
    assert isinstance(hit.event, AssociationOpened)
    assert hit.reply is None
    return pair


def test_no_aare_and_no_response(quiet: Any) -> None:
    assert quiet.server.state is quiet.client.state is State.UNCONFIRMED
    sealed = [op for op in quiet.server_module.ops if not isinstance(op, Open)]
    assert all(type(op).__name__ == "Match" for op in sealed), "no InitiateResponse is protected"
    hit = quiet.hit(quiet.ask(quiet.client.request(SILENT_SET)))
    assert isinstance(hit.event, RequestReceived)
    assert hit.event.confirmed is False
    with pytest.raises(LocalProtocolError):
        quiet.serve(quiet.server.send(GetResponse(0x41, unsigned(1))))


def test_confirmed_services_are_not_carried_out(quiet: Any) -> None:
    with pytest.raises(LocalProtocolError, match="no response"):
        quiet.ask(quiet.client.request(GET))
    ciphered = quiet.server_config.context.ciphered
    hit = quiet.hit(quiet.sealed(GET.encode()) if ciphered else GET.encode())
    assert hit.event is None
    assert hit.error.reason == "no-response-allowed"
    assert hit.reply is None


@pytest.mark.parametrize(
    "octets", ["", "FF", "C0", "C8053000000000", "6201FF", "D80102", "61", "C4014100"]
)
def test_whatever_comes_there_is_silence(quiet: Any, octets: str) -> None:
    hit = quiet.hit(bytes.fromhex(octets))
    assert hit.event is None
    assert hit.reply is None
    assert quiet.server.state is State.UNCONFIRMED


def test_release_without_rlre(quiet: Any) -> None:
    hit = quiet.hit(quiet.ask(quiet.client.release()))
    assert isinstance(hit.event, AssociationReleased)
    assert hit.reply is None
    assert quiet.server.state is quiet.client.state is State.IDLE


def test_an_unreadable_aarq_there_is_not_answered_either(quiet: Any) -> None:
    hit = quiet.hit(b"\x60\x00")
    assert hit.reply is None
    assert quiet.server.state is State.UNCONFIRMED


def test_a_confirmed_aarq_replaces_it(quiet: Any) -> None:
    hit = quiet.hit(quiet.aarq().encode())
    assert hit.reply[0] == 0x61
    assert quiet.server.state is State.ASSOCIATED


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.name)
def test_hls_takes_answers(bench: Any, context: ApplicationContext) -> None:
    pair = unconfirmed(bench, context, Mechanism.HLS_GMAC)
    hit = pair.hit(pair.ask(pair.client.open()))
    assert isinstance(hit.event, AssociationRefused)
    assert hit.reply is None
    assert pair.server.state is State.IDLE


@pytest.mark.parametrize("change", [{"calling_ap_title": b"x"}, {"mechanism_name": None}], ids=str)
def test_a_refusal_is_silent_as_soon_as_no_response_is_known_to_be_wanted(
    bench: Any, change: dict[str, Any]
) -> None:
    """Plain it is known before anything is judged, ciphered only after deciphering."""
    pair = unconfirmed(bench, ApplicationContext.LN, Mechanism.HLS_GMAC)
    initiate = pair.initiate._replace(response_allowed=False).encode()
    assert pair.hit(pair.aarq(initiate, **change).encode()).reply is None
    pair = unconfirmed(bench, ApplicationContext.LN_CIPHERED, Mechanism.HLS_GMAC)
    octets = pair.aarq(pair.sealed(initiate), **change).encode()
    assert pair.hit(octets).reply[0] == 0x61
    pdu = pair.initiate._replace(response_allowed=False, client_max_receive_pdu_size=3).encode()
    assert pair.hit(pair.aarq(pair.sealed(pdu)).encode()).reply is None


# Broadcast (R-BC-1 to 5)


@pytest.fixture
def broadcast(bench: Any, names: dict[str, Any]) -> Any:
    """A pre-established association on a broadcast address."""
    return bench(
        mechanism=Mechanism.NONE,
        server={
            "pre_established": True,
            "broadcast": True,
            "policy": BOTH,
            "client_title": names["CLIENT_TITLE"],
        },
        client={"pre_established": True, "broadcast": True},
        keys={"gbek": names["GBEK"]},
    )


def test_unconfirmed_services_under_the_broadcast_key(broadcast: Any) -> None:
    """R-BC-1, R-BC-2: Key_Set is 1, and the counter is that of the key."""
    guek = broadcast.keys.guek
    for number in range(3):
        octets = broadcast.ask(broadcast.client.request(SILENT_SET))
        assert octets[0] == 0xC9
        assert octets[2] == 0x70
        assert octets[3:7] == number.to_bytes(4, "big")
        hit = broadcast.hit(octets)
        assert hit.event == RequestReceived(SILENT_SET, False, BOTH)
    gbek = broadcast.keys.gbek
    assert broadcast.server_counters.floor(gbek) == 3
    assert (
        broadcast.server_counters.floor(guek) == broadcast.client_counters.next_to_send(guek) == 0
    )
    with pytest.raises(LocalProtocolError, match="no response"):
        broadcast.ask(broadcast.client.request(GET))


def refused_silently(pair: Any, octets: bytes, reason: str) -> None:
    state = pair.server.state
    hit = pair.hit(octets)
    assert hit.event is None
    assert hit.error.reason == reason
    assert hit.reply is None
    assert pair.server.state is state


def test_what_a_broadcast_does_not_carry(broadcast: Any, names: dict[str, Any]) -> None:
    gbek = {"ek": names["GBEK"], "control": 0x70}
    refused_silently(broadcast, broadcast.sealed(GET.encode(), **gbek), "broadcast-key")
    # KL-BC-02: the unicast key.
    refused_silently(broadcast, broadcast.sealed(SILENT_SET.encode()), "deciphering")
    # The broadcast key without the bit that says so, and the bit with the unicast key.
    broken = broadcast.sealed(SILENT_SET.encode(), ek=names["GBEK"])
    refused_silently(broadcast, broken, "deciphering")
    refused_silently(broadcast, broadcast.sealed(SILENT_SET.encode(), control=0x70), "deciphering")
    refused_silently(broadcast, SILENT_SET.encode(), "insufficient-protection")
    for octets in (b"", b"\xff", b"\x60\x00", b"\x62\x00"):
        assert broadcast.hit(octets).reply is None
    assert broadcast.hit(Aarq(application_context_name=b"\x01").encode()).reply is None


KEY_CHANGES = {
    "key_transfer": (64, 2),
    "key_agreement": (64, 3),
    "generate_key_pair": (64, 4),
    "import_certificate": (64, 6),
    "remove_certificate": (64, 8),
    "change_HLS_secret": (15, 2),
}


@pytest.mark.parametrize("method", KEY_CHANGES.values(), ids=list(KEY_CHANGES))
def test_no_key_is_changed_by_broadcast(
    broadcast: Any, names: dict[str, Any], method: tuple[int, int]
) -> None:
    """R-BC-4, KL-BC-05, KL-KT-21."""
    descriptor = MethodDescriptor(method[0], bytes((0, 0, 43, 0, 0, 255)), method[1])
    request = ActionRequest(0x01, descriptor, unsigned(1))
    octets = broadcast.sealed(request.encode(), ek=names["GBEK"], control=0x70)
    refused_silently(broadcast, octets, "broadcast-key")
    other = request._replace(method=descriptor._replace(class_id=70, method=1))
    octets = broadcast.sealed(other.encode(), ek=names["GBEK"], control=0x70)
    assert isinstance(broadcast.hit(octets).event, RequestReceived)


KEY_TRANSFER = MethodDescriptor(64, bytes((0, 0, 43, 0, 0, 255)), 2)
IN_BLOCKS = [
    ActionRequestFirstBlock(0x01, KEY_TRANSFER, Block(False, 1, b"")),
    ActionRequestWithListFirstBlock(0x01, (KEY_TRANSFER,), Block(False, 1, b"")),
    ActionRequestBlock(0x01, Block(True, 2, b"")),
]


@pytest.mark.parametrize("block", IN_BLOCKS, ids=lambda block: type(block).__name__)
def test_no_key_is_changed_by_broadcast_in_blocks(
    bench: Any, names: dict[str, Any], block: Any
) -> None:
    """R-BC-4: nor by a block of a transfer that another key began, which does not say what for."""
    services = Conformance.ACTION | Conformance.BLOCK_TRANSFER_WITH_ACTION
    pair = bench(
        client={"conformance": services},
        server={"conformance": services},
        keys={"gbek": names["GBEK"]},
    ).connect()
    hit = pair.hit(pair.sealed(block.encode(), ek=names["GBEK"], control=0x70))
    assert hit.error.reason == "broadcast-key"
    other = KEY_TRANSFER._replace(class_id=70)
    begin = ActionRequestFirstBlock(0x01, other, Block(False, 1, b""))
    octets = pair.sealed(begin.encode(), ek=names["GBEK"], control=0x70)
    assert pair.hit(octets).event == BlockExchanged(None)


@pytest.mark.parametrize("knob", BroadcastConfirmed, ids=lambda knob: knob.name)
def test_a_plain_broadcast(bench: Any, knob: BroadcastConfirmed) -> None:
    """The knob is about unicast addresses: by broadcast nothing confirmed is carried out."""
    pair = bench(
        context=ApplicationContext.LN,
        mechanism=Mechanism.NONE,
        server={
            "pre_established": True,
            "broadcast": True,
            "knobs": Knobs(confirmed_under_broadcast_key=knob),
        },
    )
    assert pair.hit(SILENT_SET.encode()).event == RequestReceived(SILENT_SET, False)
    refused_silently(pair, GET.encode(), "broadcast-key")
    descriptor = MethodDescriptor(64, bytes((0, 0, 43, 0, 0, 255)), 2)
    change = ActionRequest(0x01, descriptor, unsigned(1))
    refused_silently(pair, change.encode(), "broadcast-key")


def test_a_broadcast_replay_is_refused(broadcast: Any) -> None:
    """KL-BC-03: group members can forge each other, but not repeat a counter."""
    octets = broadcast.ask(broadcast.client.request(SILENT_SET))
    assert isinstance(broadcast.hit(octets).event, RequestReceived)
    refused_silently(broadcast, octets, "invocation-counter")


def test_a_group_member_can_pass_for_the_client(broadcast: Any, names: dict[str, Any]) -> None:
    """R-BC-5, KL-BC-03: whoever holds the keys of the group forges for its client, and pushes its
    counter forward. The protocol cannot tell; this test says that we do not claim to.
    """
    forged = broadcast.sealed(SILENT_SET.encode(), ek=names["GBEK"], control=0x70, counter=77)
    assert isinstance(broadcast.hit(forged).event, RequestReceived)
    refused_silently(
        broadcast, broadcast.ask(broadcast.client.request(SILENT_SET)), "invocation-counter"
    )


def test_broadcast_in_the_general_form(broadcast: Any, names: dict[str, Any]) -> None:
    broadcast.client_config = replace(broadcast.client_config, form=Form.GENERAL)
    broadcast.client = ClientAssociation(
        broadcast.client_config, broadcast.keys, broadcast.client_counters
    )
    octets = broadcast.ask(broadcast.client.request(SILENT_SET))
    assert octets[:10] == b"\xdb\x08" + names["CLIENT_TITLE"]
    assert octets[11] == 0x70
    assert isinstance(broadcast.hit(octets).event, RequestReceived)


def test_an_unconfirmed_association_on_a_broadcast_address(
    bench: Any, names: dict[str, Any]
) -> None:
    pair = bench(
        mechanism=Mechanism.NONE,
        server={"broadcast": True, "unconfirmed": True, "policy": BOTH},
        client={"broadcast": True, "confirmed": False},
        keys={"gbek": names["GBEK"], "guek": None},
    )
    octets = pair.ask(pair.client.open())
    hit = pair.hit(octets)
    assert isinstance(hit.event, AssociationOpened)
    assert hit.reply is None
    assert isinstance(pair.hit(pair.ask(pair.client.request(SILENT_SET))).event, RequestReceived)
    # One that wants an answer is refused, and gets none.
    initiate = pair.sealed(pair.initiate.encode(), ek=names["GBEK"], control=0x70)
    hit = pair.hit(pair.aarq(initiate).encode())
    assert isinstance(hit.event, AssociationRefused)
    assert hit.reply is None


def test_no_hls_on_a_broadcast_address(bench: Any, names: dict[str, Any]) -> None:
    with pytest.raises(LocalProtocolError, match="HLS takes answers"):
        bench(server={"broadcast": True}, keys={"gbek": names["GBEK"]})


# The broadcast key on a unicast address (R-BC-3)


@pytest.fixture(params=list(BroadcastConfirmed), ids=lambda knob: knob.name)
def grouped(request: pytest.FixtureRequest, bench: Any, names: dict[str, Any]) -> Any:
    knobs = Knobs(confirmed_under_broadcast_key=request.param)
    return bench(
        server={"policy": BOTH, "knobs": knobs, "protected_release": True},
        keys={"gbek": names["GBEK"]},
    ).connect()


def test_services_under_the_broadcast_key(grouped: Any, names: dict[str, Any]) -> None:
    """R-BC-3, KL-BC-01: refused by default, and never a reply under either key."""
    gbek = {"ek": names["GBEK"], "control": 0x70}
    assert grouped.hit(grouped.sealed(SILENT_SET.encode(), **gbek)).event == RequestReceived(
        SILENT_SET, False, BOTH
    )
    hit = grouped.hit(grouped.sealed(SET.encode(), **gbek))
    silently = grouped.server_config.knobs.confirmed_under_broadcast_key
    if silently is BroadcastConfirmed.SERVE_SILENTLY:
        assert hit.event == RequestReceived(SET, False, BOTH)
    else:
        assert hit.reply.hex() == NOT_SUPPORTED
    grouped.get()


def test_what_the_broadcast_key_does_not_open(grouped: Any, names: dict[str, Any]) -> None:
    """Every meter has it: it proves nobody's identity."""
    gbek = {"ek": names["GBEK"], "control": 0x70}
    release = Rlrq(user_information=grouped.sealed(grouped.initiate.encode(), **gbek))
    assert grouped.hit(release.encode()).reply.hex() == "d80101"
    assert grouped.server.state is State.ASSOCIATED
    initiate = grouped.sealed(grouped.initiate.encode(), **gbek)
    hit = grouped.hit(grouped.aarq(initiate).encode())
    assert hit.reply.hex().endswith("be0604040e010006")
    grouped.begin()
    f = grouped.f(grouped.server.admitted.server_challenge, 50)
    pass_3 = ActionRequest(0x41, PASS_3, octet_string(f)).encode()
    hit = grouped.hit(grouped.sealed(pass_3, **gbek))
    assert hit.event is None
    assert grouped.server.state is State.AUTHENTICATING


def test_no_broadcast_bit_with_a_dedicated_key(bench: Any, names: dict[str, Any]) -> None:
    """KL-PR-03, R-SC-2."""
    pair = bench(dedicated=True, keys={"gbek": names["GBEK"]}).connect()
    for form in Form:
        octets = pair.sealed(
            SILENT_SET.encode(),
            ek=pair.client_config.dedicated,
            family=Family.DEDICATED,
            control=0x70,
            form=form,
        )
        assert pair.hit(octets).reply.hex() == "d80105"
