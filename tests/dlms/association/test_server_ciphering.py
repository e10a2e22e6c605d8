"""Ciphered requests that the server refuses: layout, keys, tags, counters (reference 4.1, 4.4)."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.association import incoming
from dlms.association.events import RequestReceived
from dlms.association.refusing import ServiceRefused
from dlms.association.state import State
from dlms.axdr.data import unsigned
from dlms.security.ciphered import Family, Form
from dlms.security.control import Protection
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Open
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.set import SetRequest

DECIPHERING = "d80105"
NOT_SUPPORTED = "d80102"
UNKNOWN_SERVICE = "d80202"

GET = GetRequest(0x41, AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2))
STRANGER = KeyRef(b"MTR\0\0\0\0\1", "stranger", KeyKind.GUEK)
MAXIMUM = 0xFFFFFFFF


def counter_error(floor: int) -> str:
    return f"d80106{floor:08x}"


def refused(pair: Any, octets: bytes, reply: str) -> None:
    """Refused with ``reply``, nothing changed, and the association goes on."""
    before = pair.digest()
    hit = pair.hit(octets)
    assert hit.event is None
    assert hit.reply is not None
    assert hit.reply.hex() == reply
    assert pair.digest() == before
    pair.get()


@pytest.fixture(params=[False, True], ids=["global", "dedicated"])
def pair(request: pytest.FixtureRequest, bench: Any) -> Any:
    pair = bench(dedicated=request.param).connect()
    pair.client_module.keys.keep(STRANGER, bytes(16))
    return pair


def own(pair: Any) -> dict[str, Any]:
    """The key that this association uses for its services."""
    dedicated = pair.client_config.dedicated
    if dedicated is None:
        return {"ek": pair.keys.guek, "family": Family.GLOBAL}
    return {"ek": dedicated, "family": Family.DEDICATED}


def server_floor(pair: Any) -> int:
    security = pair.server.admitted.security
    return pair.server_counters.floor(security.dedicated or security.guek)


BROKEN: dict[str, dict[str, Any]] = {
    "wrong encryption key": {"ek": STRANGER},
    "wrong authentication key": {"ak": STRANGER},
    "title of another in the vector": {"title": b"S1S\0\0\0\0\2"},
    "the server's title in the vector": {"title": b"MTR\0\0\0\0\1"},
    **{f"suite {suite}": {"control": 0x30 | suite} for suite in range(1, 16)},
    "broadcast": {"control": 0x70},
    "compressed": {"control": 0xB0},
    "no protection": {"control": 0x00},
    "promises a set-request": {"plain_tag": 0xC1},
    "general, title of 7 octets": {"form": Form.GENERAL, "shown_title": b"S1S\0\0\0\1"},
    "general, title of 9 octets": {"form": Form.GENERAL, "shown_title": b"S1S\0\0\0\0\1\0"},
    "general, title of another": {"form": Form.GENERAL, "shown_title": b"S1S\0\0\0\0\2"},
    "general, the server's title": {"form": Form.GENERAL, "shown_title": b"MTR\0\0\0\0\1"},
}


@pytest.mark.parametrize("changes", BROKEN.values(), ids=list(BROKEN))
def test_broken(pair: Any, changes: dict[str, Any]) -> None:
    counter = {"counter": pair.client_counters.next_to_send(own(pair)["ek"])}
    refused(pair, pair.sealed(GET.encode(), **{**own(pair), **counter, **changes}), DECIPHERING)


@pytest.mark.parametrize(
    "plaintext", ["C3", "60", "C8", "E0", "21"], ids=["action", "AARQ", "glo-get", "GBT", "glo-i"]
)
def test_glo_get_that_holds_something_else(pair: Any, plaintext: str) -> None:
    """KL-PR-09, R-PROT-3."""
    octets = bytes.fromhex(plaintext) + GET.encode()[1:]
    refused(pair, pair.sealed(octets, **own(pair), plain_tag=0xC0), DECIPHERING)


def test_nothing_inside(pair: Any) -> None:
    for form in Form:
        octets = pair.sealed(b"", **own(pair), form=form, plain_tag=0xC0)
        refused(pair, octets, DECIPHERING)


def test_double_ciphering(pair: Any) -> None:
    """KL-PR-10: one layer is taken off, and what is under it is no request."""
    inner = pair.sealed(GET.encode(), **own(pair))
    octets = pair.sealed(inner, **own(pair), form=Form.GENERAL)
    hit = pair.hit(octets)
    assert hit.reply.hex() == UNKNOWN_SERVICE
    assert pair.server.state is State.ASSOCIATED
    pair.get()


def test_general_form(pair: Any, names: dict[str, Any]) -> None:
    """With the title, and with an empty one; the answer comes in the same form."""
    for shown in (names["CLIENT_TITLE"], b""):
        octets = pair.sealed(GET.encode(), **own(pair), form=Form.GENERAL, shown_title=shown)
        assert pair.hit(octets).event == RequestReceived(GET, True, Protection.BOTH)
        reply = pair.serve(pair.server.send(GetResponse(0x41, unsigned(7))))
        assert reply[0] == (0xDB if own(pair)["family"] is Family.GLOBAL else 0xDC)
        assert reply[1:10] == b"\x08" + names["SERVER_TITLE"]


def test_general_form_that_was_not_negotiated(bench: Any) -> None:
    pair = bench(client={"conformance": Conformance.GET}).connect()
    refused(pair, pair.sealed(GET.encode(), form=Form.GENERAL), NOT_SUPPORTED)


def test_every_flipped_octet(pair: Any) -> None:
    """R-PROT-2, KL-IC-04: a wrong tag leaves the floor alone, whatever the counter says."""
    sealed = pair.sealed(GET.encode(), **own(pair))
    before = pair.digest()
    for position in range(2, len(sealed)):
        broken = bytearray(sealed)
        broken[position] ^= 0x80
        hit = pair.hit(bytes(broken))
        assert hit.event is None, position
        assert hit.reply.hex() in (DECIPHERING, counter_error(server_floor(pair)))
        assert pair.digest() == before, position
    assert isinstance(pair.hit(sealed).event, RequestReceived)


@pytest.mark.parametrize("length", [11, 8, 4, 0, 16])
def test_tag_of_wrong_length(pair: Any, length: int) -> None:
    """KL-PR-05."""
    sealed = pair.sealed(GET.encode(), **own(pair))
    content = sealed[2:-12] + (sealed[-12:] + bytes(4))[:length]
    refused(pair, sealed[:1] + bytes((len(content),)) + content, DECIPHERING)


def test_last_octets_of_the_full_tag(pair: Any) -> None:
    """KL-PR-05: the tag is the first 12 of 16 octets, not the last."""
    sealed = pair.sealed(GET.encode(), **own(pair))
    shifted = sealed[:-12] + sealed[-8:] + bytes(4)
    refused(pair, shifted, DECIPHERING)


def test_every_cut(pair: Any) -> None:
    sealed = pair.sealed(GET.encode(), **own(pair))
    before = pair.digest()
    for cut in range(1, len(sealed)):
        assert pair.hit(sealed[:cut]).reply.hex() == DECIPHERING
        # With a length that fits what is left, the layout is right and the tag is not.
        if cut >= 7:
            shorter = sealed[:1] + bytes((cut - 2,)) + sealed[2:cut]
            assert pair.hit(shorter).reply.hex() == DECIPHERING
    assert pair.digest() == before
    pair.get()


@pytest.mark.parametrize("change", [-1, 1, 100])
def test_length_that_lies(pair: Any, change: int) -> None:
    sealed = pair.sealed(GET.encode(), **own(pair))
    lie = sealed[:1] + bytes((sealed[1] + change,)) + sealed[2:]
    refused(pair, lie, DECIPHERING)


@pytest.mark.parametrize("prefix", ["81", "8200", "84000000"])
def test_length_in_long_form(pair: Any, prefix: str) -> None:
    """KL-PR-12: not minimal, and unambiguous."""
    sealed = pair.sealed(GET.encode(), **own(pair))
    octets = sealed[:1] + bytes.fromhex(prefix) + sealed[1:]
    assert pair.hit(octets).event == RequestReceived(GET, True, Protection.BOTH)


# Dedicated keys


def test_dedicated_without_a_dedicated_key(bench: Any) -> None:
    """SYMSEC_0_DedKey_N1."""
    pair = bench().connect()
    for form in Form:
        octets = pair.sealed(GET.encode(), family=Family.DEDICATED, form=form)
        refused(pair, octets, DECIPHERING)


def test_dedicated_key_of_the_previous_association(bench: Any, names: dict[str, Any]) -> None:
    """KL-PR-13: with and without a dedicated key in the new one."""
    pair = bench(dedicated=True).connect()
    old = pair.client_module.keys.get(names["DEDICATED"])
    pair.connect()
    stale = names["DEDICATED"]._replace(version=99)
    pair.client_module.keys.keep(stale, old)
    octets = pair.sealed(GET.encode(), ek=stale, family=Family.DEDICATED, counter=5)
    refused(pair, octets, DECIPHERING)
    pair.client_config = bench().client_config
    pair.connect()
    refused(pair, octets, DECIPHERING)


def test_dedicated_key_is_destroyed_with_the_association(bench: Any) -> None:
    pair = bench(dedicated=True)
    before = pair.server_module.keys.refs
    for end in ("release", "close", "reopen"):
        pair.connect()
        assert len(pair.server_module.keys.refs - before) == 1
        if end == "release":
            event = pair.serve(pair.server.receive(pair.ask(pair.client.release())))
            pair.ask(pair.client.receive(event.reply))
        elif end == "close":
            pair.serve(pair.server.close())
            pair.ask(pair.client.close())
        else:
            pair.hit(pair.aarq(mechanism_name=None).encode())
            pair.ask(pair.client.close())
        assert pair.server_module.keys.refs == before
        assert pair.client_module.keys.refs == before
        for counters in (pair.server_counters, pair.client_counters):
            assert {ref.kind for ref in (*counters._next, *counters._floor)} == {KeyKind.GUEK}


def test_global_key_beside_a_dedicated_one(bench: Any) -> None:
    """KL-PR-14: allowed, and answered in kind."""
    pair = bench(dedicated=True).connect()
    assert pair.hit(pair.sealed(GET.encode())).event == RequestReceived(GET, True, Protection.BOTH)
    assert pair.serve(pair.server.send(GetResponse(0x41, unsigned(7))))[0] == 0xCC
    pair.get()


# Counters


def test_floor_and_its_neighbours(pair: Any) -> None:
    """KL-IC-06: equal to the floor passes, below does not, gaps are allowed."""
    floor = server_floor(pair)
    assert floor == pair.client_counters.next_to_send(own(pair)["ek"])

    def at(counter: int) -> bytes:
        sealed: bytes = pair.sealed(GET.encode(), **own(pair), counter=counter)
        return sealed

    assert isinstance(pair.hit(at(floor)).event, RequestReceived)
    for counter in range(floor + 1):
        before = pair.digest()
        assert pair.hit(at(counter)).reply.hex() == counter_error(floor + 1)
        assert pair.digest() == before
    assert isinstance(pair.hit(at(floor + 2)).event, RequestReceived)
    assert pair.hit(at(floor + 1)).reply.hex() == counter_error(floor + 3)
    pair.client_counters.raise_to(own(pair)["ek"], floor + 3)
    pair.get()


def test_too_low_a_counter_is_refused_without_cryptography(bench: Any) -> None:
    pair = bench().connect()
    octets = pair.sealed(GET.encode(), counter=0)
    count = len(pair.server_module.ops)
    assert pair.hit(octets).error.reason == "invocation-counter"
    assert len(pair.server_module.ops) == count


def test_first_counter_of_a_dedicated_key_is_0(bench: Any) -> None:
    """KL-IC-05: the first request under a dedicated key is pass 3."""
    pair = bench(dedicated=True).connect()
    first = next(
        op
        for op in pair.server_module.ops
        if isinstance(op, Open) and op.ek.kind is KeyKind.DEDICATED
    )
    assert first.counter == 0
    assert server_floor(pair) == 1


def test_first_counter_of_a_global_key_is_0(bench: Any, names: dict[str, Any]) -> None:
    pair = bench()
    pair.begin()
    assert pair.server_module.ops[0].counter == 0
    assert pair.server_counters.floor(names["GUEK"]) == 1


def test_counter_at_its_maximum(pair: Any) -> None:
    """KL-IC-02."""
    octets = pair.sealed(GET.encode(), **own(pair), counter=MAXIMUM)
    refused(pair, octets, counter_error(server_floor(pair)))


def test_counter_below_its_maximum_uses_the_key_up(pair: Any) -> None:
    """KL-IC-03: accepted once; then nothing is."""
    octets = pair.sealed(GET.encode(), **own(pair), counter=MAXIMUM - 1)
    assert isinstance(pair.hit(octets).event, RequestReceived)
    assert pair.hit(octets).reply.hex() == counter_error(MAXIMUM)
    last = pair.sealed(GET.encode(), **own(pair), counter=MAXIMUM)
    assert pair.hit(last).reply.hex() == counter_error(MAXIMUM)


def test_counter_below_its_maximum_with_a_wrong_tag(pair: Any) -> None:
    """KL-IC-04."""
    octets = pair.sealed(GET.encode(), **own(pair), counter=MAXIMUM - 1)
    refused(pair, octets[:-1] + bytes((octets[-1] ^ 1,)), DECIPHERING)


def test_replay_within_an_association(pair: Any) -> None:
    """KL-IC-07."""
    octets = pair.get()
    refused(pair, octets, counter_error(server_floor(pair)))
    for _ in range(3):
        refused(pair, octets, counter_error(server_floor(pair)))


def test_replay_across_associations(bench: Any) -> None:
    """KL-IC-08: the floor belongs to the key."""
    pair = bench().connect()
    octets = pair.get()
    pair.connect()
    refused(pair, octets, counter_error(server_floor(pair)))


def test_two_associations_share_the_counter_of_their_key(bench: Any) -> None:
    """KL-IC-12: the order is global over both."""
    one = bench().connect()
    two = bench()
    two.server_counters, two.client_counters = one.server_counters, one.client_counters
    two.connect()
    late = one.ask(one.client.request(GET))
    two.get()
    assert one.hit(late).reply.hex() == counter_error(server_floor(one))


def test_direction_has_its_own_counter(bench: Any, names: dict[str, Any]) -> None:
    """KL-IC-13: a request may carry the number that a response had."""
    pair = bench().connect()
    pair.server_counters.raise_to(names["GUEK"], 50)
    pair.get()
    assert pair.server_counters.next_to_send(names["GUEK"]) == 51
    pair.client_counters.raise_to(names["GUEK"], 50)
    pair.get()


def test_send_counter_grows_across_responses_and_associations(
    bench: Any, names: dict[str, Any]
) -> None:
    """SYMSEC_0_FraCount_3."""
    pair = bench()
    seen = []
    for _ in range(3):
        pair.connect()
        for _ in range(2):
            pair.hit(pair.ask(pair.client.request(GET)))
            reply = pair.serve(pair.server.send(GetResponse(0x41, unsigned(7))))
            pair.ask(pair.client.receive(reply))
            seen.append(int.from_bytes(reply[3:7], "big"))
    assert seen == sorted(set(seen))
    assert pair.server_counters.next_to_send(names["GUEK"]) == seen[-1] + 1


def test_a_response_that_is_never_made_spends_nothing_twice(bench: Any) -> None:
    """Two responses to one request, as after a lost one, have two counters."""
    pair = bench().connect()
    pair.hit(pair.ask(pair.client.request(GET)))
    replies = [pair.serve(pair.server.send(GetResponse(0x41, unsigned(n)))) for n in (1, 2)]
    assert replies[0][3:7] != replies[1][3:7]


# Requests that are remembered ---------------------------------------------------------------------


def test_a_known_get_is_told_by_all_of_its_octets(pair: Any) -> None:
    for _ in range(2):
        for invoke, confirmed in ((0x41, True), (0x01, False), (0xC2, True), (0x82, False)):
            for attribute in (2, 3):
                descriptor = GET.attribute._replace(attribute=attribute)
                octets = pair.sealed(GetRequest(invoke, descriptor).encode(), **own(pair))
                event = pair.hit(octets).event
                assert event.request == GetRequest(invoke, descriptor)
                assert event.confirmed is confirmed


def test_what_was_known_by_logical_names_is_refused_by_short_ones() -> None:
    for _ in range(2):
        assert incoming._known_get(GET.encode(), False)[0] == GET
        with pytest.raises(ServiceRefused):
            incoming._known_get(GET.encode(), True)


def test_no_request_but_the_plainest_get_is_remembered(pair: Any) -> None:
    """What others carry may be a secret."""
    incoming._known_get.cache_clear()
    others = (
        SetRequest(0x41, GET.attribute, unsigned(7)),
        ActionRequest(0x41, MethodDescriptor(*GET.attribute)),
        ActionRequest(0x41, MethodDescriptor(*GET.attribute), unsigned(7)),
    )
    for request in others:
        pair.hit(pair.sealed(request.encode(), **own(pair)))
        assert incoming._known_get.cache_info().currsize == 0
    pair.get()
    assert incoming._known_get.cache_info().currsize == 1
