"""RLRQ at the server, protected and not (reference R-AA-8, SYMSEC_REL_N1, KL-PR-17)."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.acse.codes import ReleaseRequestReason, ReleaseResponseReason
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import Rlre, Rlrq
from dlms.association.events import AssociationReleased
from dlms.association.state import State
from dlms.security.control import Protection
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest
from dlms.xdlms.initiate import InitiateResponse

NORMAL_RLRE = "6303800100"
NOT_SUPPORTED = "d80102"
NOT_POSSIBLE = "d80101"
DECIPHERING = "d80105"
GET = GetRequest(0x41, AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2))
STRICT = {"server": {"policy": Protection.BOTH, "protected_release": True}}


def survives(pair: Any, octets: bytes, reply: str) -> None:
    before = pair.digest()
    hit = pair.hit(octets)
    assert hit.event is None
    assert hit.reply.hex() == reply
    assert pair.server.state is State.ASSOCIATED
    assert pair.digest() == before
    pair.get()


@pytest.mark.parametrize("reason", [None, *ReleaseRequestReason])
def test_plain_release(bench: Any, reason: ReleaseRequestReason | None) -> None:
    pair = bench(context=ApplicationContext.LN, mechanism=Mechanism.NONE).connect()
    hit = pair.hit(Rlrq(reason=reason).encode())
    assert isinstance(hit.event, AssociationReleased)
    assert hit.reply.hex() == NORMAL_RLRE
    assert pair.server.state is State.IDLE
    # APPL_REL_P1: afterwards it is as in IDLE.
    assert pair.hit(GET.encode()).reply.hex() == NOT_SUPPORTED
    assert pair.hit(Rlrq().encode()).reply.hex() == NOT_SUPPORTED
    pair.works()


def test_plain_release_with_plain_initiate(bench: Any) -> None:
    pair = bench(context=ApplicationContext.LN, mechanism=Mechanism.NONE).connect()
    hit = pair.hit(Rlrq(user_information=pair.initiate.encode()).encode())
    response = InitiateResponse.decode(Rlre.decode(hit.reply).user_information)
    assert response.conformance == pair.client.conformance


def test_plain_release_suffices_where_the_policy_is_not_for_it(bench: Any) -> None:
    pair = bench(server={"policy": Protection.BOTH}).connect()
    assert pair.hit(Rlrq().encode()).reply.hex() == NORMAL_RLRE


def test_protected_release(bench: Any) -> None:
    pair = bench(**STRICT).connect()
    hit = pair.hit(pair.ask(pair.client.release()))
    assert isinstance(hit.event, AssociationReleased)
    rlre = Rlre.decode(hit.reply)
    assert rlre.reason is ReleaseResponseReason.NORMAL
    assert rlre.user_information[0] == 0x28
    assert rlre.user_information[2] == 0x30
    assert isinstance(pair.ask(pair.client.receive(hit.reply)), AssociationReleased)
    pair.works()


def test_release_that_is_protected_too_little(bench: Any) -> None:
    pair = bench(**STRICT).connect()
    initiate = pair.initiate.encode()
    survives(pair, Rlrq().encode(), NOT_POSSIBLE)
    survives(pair, Rlrq(user_information=b"").encode(), NOT_POSSIBLE)
    survives(pair, Rlrq(user_information=initiate).encode(), NOT_POSSIBLE)
    for control in (0x10, 0x20):
        user = pair.sealed(initiate, control=control)
        survives(pair, Rlrq(user_information=user).encode(), NOT_POSSIBLE)
    forged = bytes.fromhex("DB000820FFFFFFFE000000")
    survives(pair, Rlrq(user_information=forged).encode(), NOT_POSSIBLE)


def test_release_with_a_wrong_tag(bench: Any) -> None:
    pair = bench(**STRICT).connect()
    user = bytearray(pair.sealed(pair.initiate.encode()))
    user[-1] ^= 1
    survives(pair, Rlrq(user_information=bytes(user)).encode(), DECIPHERING)


def test_release_of_an_earlier_association(bench: Any) -> None:
    """KL-PR-17: replayed in the next one."""
    pair = bench(**STRICT).connect()
    octets = pair.ask(pair.client.release())
    pair.hit(octets)
    pair.connect()
    floor = pair.server_counters.floor(pair.keys.guek)
    survives(pair, octets, f"d80106{floor:08x}")


@pytest.mark.parametrize("protected_release", [False, True])
def test_a_captured_request_is_no_wish_to_release(bench: Any, protected_release: bool) -> None:
    """A fresh, genuine glo-get-request moved into an RLRQ by someone on the line."""
    pair = bench(
        server={"policy": Protection.BOTH, "protected_release": protected_release}
    ).connect()
    captured = pair.sealed(GET.encode())
    hit = pair.hit(Rlrq(user_information=captured).encode())
    assert hit.reply.hex() == NOT_SUPPORTED
    assert pair.server.state is State.ASSOCIATED
    pair.get()


def test_ciphered_release_in_a_plain_context(bench: Any) -> None:
    pair = bench(context=ApplicationContext.LN).connect()
    user = pair.sealed(pair.initiate.encode())
    survives(pair, Rlrq(user_information=user).encode(), NOT_SUPPORTED)


@pytest.mark.parametrize("octets", ["6201", "6203800163", "62038001", "620281", "6202A100"])
def test_malformed(bench: Any, octets: str) -> None:
    pair = bench(context=ApplicationContext.LN, mechanism=Mechanism.NONE).connect()
    survives(pair, bytes.fromhex(octets), NOT_SUPPORTED)


def test_lower_layer_gone(bench: Any) -> None:
    """R-AA-8: that always ends it; the floor stays (X_WPDU_TCP_DROP)."""
    pair = bench(**STRICT).connect()
    octets = pair.get()
    floor = pair.server_counters.floor(pair.keys.guek)
    pair.serve(pair.server.close())
    assert pair.server.state is State.IDLE
    assert pair.server_counters.floor(pair.keys.guek) == floor
    assert pair.hit(octets).reply.hex() == NOT_SUPPORTED
    pair.works()
