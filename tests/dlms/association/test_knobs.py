"""Each knob in each of its positions, and the presets (reference, all that is marked KNOB)."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from dlms.acse.aare import Aare
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import Rlre, Rlrq
from dlms.association.config import PASS_3
from dlms.association.events import (
    AssociationOpened,
    AssociationRefused,
    AssociationReleased,
    AuthenticationFailed,
    AuthenticationPending,
    RequestReceived,
)
from dlms.association.knobs import (
    FIELD,
    LEGACY,
    PRESETS,
    STRICT,
    AnswerForm,
    ExceptionCodes,
    KeyInForce,
    Knobs,
    ResponseProtection,
    RlreInformation,
    SecondAarq,
    Unasked,
)
from dlms.association.state import State
from dlms.axdr.data import octet_string, unsigned
from dlms.errors import LocalProtocolError, RemoteProtocolError
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.security.hls import InnerCounter
from dlms.security.ops import Seal
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.initiate import InitiateResponse

CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
GET = GetRequest(0x41, CLOCK)
RESPONSE = GetResponse(0x41, unsigned(7))
LN = {"context": ApplicationContext.LN}
PLAIN = {**LN, "mechanism": Mechanism.NONE}
NOT_SUPPORTED, NOT_POSSIBLE, OTHER = "d80102", "d80101", "d80103"
DECIPHERING = "d80105"
BOTH = Protection.BOTH


def knobbed(bench: Any, *, server: dict[str, Any] | None = None, **knobs: Any) -> Any:
    """A function that makes a bench whose server has ``knobs``."""

    def make(**kind: Any) -> Any:
        return bench(server={**(server or {}), "knobs": Knobs(**knobs)}, **kind)

    return make


def test_presets() -> None:
    assert PRESETS == {"strict": STRICT, "field": FIELD, "legacy": LEGACY}
    assert Knobs() == STRICT
    assert len(set(PRESETS.values())) == 3


@pytest.mark.parametrize("knobs", PRESETS.values(), ids=list(PRESETS))
@pytest.mark.parametrize("context", [ApplicationContext.LN, ApplicationContext.LN_CIPHERED])
@pytest.mark.parametrize("dedicated", [False, True])
def test_every_preset_works_with_every_other(
    bench: Any, knobs: Knobs, context: ApplicationContext, dedicated: bool
) -> None:
    for other in PRESETS.values():
        pair = bench(
            context=context,
            dedicated=dedicated and context.ciphered,
            server={"knobs": knobs, "policy": BOTH if context.ciphered else Protection.NONE},
            client={"knobs": other},
        )
        pair.works()
        pair.works()


@pytest.mark.parametrize("changes", [{"first_counter": 2}, {"max_forward_jump": -1}], ids=str)
def test_impossible_knobs(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="counter"):
        Knobs(**changes)


def test_dedicated_key_in_a_plain_context(bench: Any) -> None:
    """APPL_OPEN_9; it is refused by default (test_server_initiate.py)."""
    make = knobbed(bench, dedicated_key_in_plain_context=Unasked.IGNORE)
    pair = make(**PLAIN)
    with_key = pair.initiate._replace(dedicated_key=bytes(16)).encode()
    assert isinstance(pair.hit(pair.aarq(with_key).encode()).event, AssociationOpened)
    assert pair.server.admitted.security is None
    assert not pair.server_module.keys.refs - pair.client_module.keys.refs
    # In a ciphered context it still has to be protected.
    pair = make()
    assert isinstance(pair.hit(pair.aarq(with_key).encode()).event, AssociationRefused)


@pytest.mark.parametrize("state", [State.AUTHENTICATING, State.ASSOCIATED], ids=lambda s: s.name)
def test_aarq_in_an_association(bench: Any, state: State) -> None:
    """X_AARQ_TWICE; it replaces by default (test_association_product.py)."""
    pair = knobbed(bench, aarq_in_association=SecondAarq.REJECT)()
    pair.begin()
    if state is State.ASSOCIATED:
        pair.finish()
    before = pair.digest()
    hit = pair.hit(pair.aarq().encode())
    assert hit.error.reason == "aarq-not-allowed"
    assert hit.reply.hex() == "6117a109060760857405080103a203020101a305a103020101"
    assert pair.digest() == before
    if state is State.ASSOCIATED:
        pair.get()
    else:
        pair.finish()
    pair.serve(pair.server.close())
    pair.works()


@pytest.mark.parametrize("needed", [False, True])
def test_pass_3_and_the_action_service(bench: Any, needed: bool) -> None:
    """R-CONF-3."""
    pair = knobbed(bench, pass_3_needs_action=needed)(client={"conformance": Conformance.GET})
    pair.begin()
    hit = pair.hit(pair.ask(pair.client.authenticate()))
    if needed:
        assert hit.error.reason == "service-not-negotiated"
        assert pair.server.state is State.AUTHENTICATING
    else:
        assert isinstance(hit.event, AssociationOpened)
    pair = knobbed(bench, pass_3_needs_action=needed)()
    pair.works()


@pytest.mark.parametrize("knob", Unasked, ids=lambda knob: knob.name)
def test_channel_title(bench: Any, names: dict[str, Any], knob: Unasked) -> None:
    """KL-TL-05."""
    pair = knobbed(bench, channel_title=knob)(channel_title=b"TLS\0\0\0\0\7")
    event = pair.hit(pair.aarq().encode()).event
    assert isinstance(event, AuthenticationPending) is (knob is Unasked.IGNORE)


POLICIES = [Protection.NONE, Protection.AUTHENTICATED, Protection.ENCRYPTED, BOTH]


def expected(rule: ResponseProtection, request: int, policy: int) -> int:
    """By hand."""
    if rule is ResponseProtection.AS_REQUEST:
        return request
    return policy if rule is ResponseProtection.POLICY else request | policy


@pytest.mark.parametrize(
    ("rule", "request_", "policy", "required"),
    list(product(ResponseProtection, POLICIES, POLICIES, POLICIES)),
    ids=str,
)
def test_response_protection(
    bench: Any,
    rule: ResponseProtection,
    request_: Protection,
    policy: Protection,
    required: Protection,
) -> None:
    """R-PROT-5; ``required`` is what the access rights ask of the response."""
    make = knobbed(bench, response_protection=rule, server={"response_policy": policy})
    pair = make(mechanism=Mechanism.NONE)
    pair.hit(pair.aarq().encode())
    octets = GET.encode()
    assert pair.hit(pair.sealed(octets, control=request_) if request_ else octets).event
    reply = pair.serve(pair.server.send(RESPONSE, required))
    wanted = expected(rule, int(request_), int(policy)) | int(required)
    if wanted:
        assert reply[0] == 0xCC
        assert reply[2] == wanted
    else:
        assert reply == RESPONSE.encode()


def test_response_policy_is_the_policy_unless_it_is_said(bench: Any) -> None:
    rule = ResponseProtection.POLICY
    make = knobbed(bench, response_protection=rule, server={"policy": Protection.ENCRYPTED})
    pair = make(mechanism=Mechanism.NONE)
    pair.hit(pair.aarq().encode())
    pair.hit(pair.sealed(GET.encode()))
    assert pair.serve(pair.server.send(RESPONSE))[2] == 0x20


def test_protection_that_a_plain_context_cannot_give(bench: Any) -> None:
    pair = bench(**PLAIN).connect()
    pair.hit(GET.encode())
    with pytest.raises(LocalProtocolError, match="without ciphering"):
        pair.serve(pair.server.send(RESPONSE, Protection.AUTHENTICATED))


@pytest.mark.parametrize("dedicated", [False, True])
def test_protected_response_to_a_plain_request(bench: Any, dedicated: bool) -> None:
    """Under the dedicated key, if there is one: the client knows which it is."""
    pair = bench(dedicated=dedicated).connect()
    pair.hit(GET.encode())
    reply = pair.serve(pair.server.send(RESPONSE, BOTH))
    assert reply[0] == (0xD4 if dedicated else 0xCC)


@pytest.mark.parametrize("knob", AnswerForm, ids=lambda knob: knob.name)
@pytest.mark.parametrize("form", Form, ids=lambda form: form.name)
def test_answer_form(bench: Any, knob: AnswerForm, form: Form) -> None:
    pair = knobbed(bench, answer_form=knob)(client={"form": form})
    wanted = {
        AnswerForm.IN_KIND: form,
        AnswerForm.SERVICE: Form.SERVICE,
        AnswerForm.GENERAL: Form.GENERAL,
    }[knob]
    reply = pair.hit(pair.ask(pair.client.open())).reply
    # As long as the client does not know the meter's title, general-ciphering is not for it.
    assert Aare.decode(reply).user_information[0] == (0x28 if wanted is Form.SERVICE else 0xDB)
    pair.ask(pair.client.receive(reply))
    pair.finish()
    pair.hit(pair.ask(pair.client.request(GET)))
    reply = pair.serve(pair.server.send(RESPONSE))
    assert reply[0] == {Form.SERVICE: 0xCC, Form.GENERAL: 0xDB, Form.CIPHERING: 0xDD}[wanted]
    pair.ask(pair.client.receive(reply))


@pytest.mark.parametrize("accepted", [True, False])
def test_plain_request_in_a_ciphered_context(bench: Any, accepted: bool) -> None:
    """KL-PR-15: refused with an answer, not with silence."""
    pair = knobbed(bench, plain_request_accepted=accepted)().connect()
    hit = pair.hit(GET.encode())
    if accepted:
        assert hit.event == RequestReceived(GET, True)
    else:
        assert hit.reply.hex() == NOT_POSSIBLE
    pair = knobbed(bench, plain_request_accepted=accepted)(**PLAIN).connect()
    pair.get()


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("form", Form, ids=lambda form: form.name)
def test_no_protection_in_the_security_control(bench: Any, accepted: bool, form: Form) -> None:
    """KL-PR-02, R-SC-4."""
    pair = knobbed(bench, unprotected_control_accepted=accepted)().connect()
    guek = pair.keys.guek
    floor = pair.server_counters.floor(guek)
    octets = unprotected(GET.encode(), form, counter=floor + 7)
    seen = len(pair.server_module.ops)
    hit = pair.hit(octets)
    assert pair.server_counters.floor(guek) == floor, "no tag, no move of the floor"
    assert len(pair.server_module.ops) == seen, "nothing to compute"
    if not accepted:
        assert hit.reply.hex() == DECIPHERING
        return
    assert hit.event == RequestReceived(GET, True, Protection.NONE)
    reply = pair.serve(pair.server.send(RESPONSE))
    at = 1 if form is Form.SERVICE else 10
    assert reply[at + 1] == 0x00
    assert reply.endswith(RESPONSE.encode())
    assert pair.hit(unprotected(GET.encode(), form, counter=0)).error.reason == "invocation-counter"
    assert pair.hit(unprotected(b"", form, counter=90)).reply.hex() == DECIPHERING


def unprotected(apdu: bytes, form: Form, counter: int) -> bytes:
    """glo-get-request or general-glo-ciphering with security control 00, by hand."""
    content = b"\x00" + counter.to_bytes(4, "big") + apdu
    head = b"\xc8" if form is Form.SERVICE else b"\xdb\x08S1S\0\0\0\0\1"
    return head + bytes((len(content),)) + content


def test_a_policy_is_not_met_by_no_protection(bench: Any) -> None:
    pair = knobbed(bench, unprotected_control_accepted=True, server={"policy": BOTH})().connect()
    hit = pair.hit(unprotected(GET.encode(), Form.SERVICE, 99))
    assert hit.reply.hex() == NOT_POSSIBLE


def test_no_dedicated_key_in_an_initiate_request_without_protection(bench: Any) -> None:
    pair = knobbed(bench, unprotected_control_accepted=True)()
    initiate = pair.initiate._replace(dedicated_key=bytes(16)).encode()
    content = b"\x00" + bytes(4) + initiate
    hit = pair.hit(pair.aarq(b"\x21" + bytes((len(content),)) + content).encode())
    assert hit.reply.hex().endswith("be0604040e010600")


@pytest.mark.parametrize("demanded", [False, True])
def test_glo_beside_a_dedicated_key(bench: Any, demanded: bool) -> None:
    """KL-PR-14."""
    pair = knobbed(bench, dedicated_demanded=demanded)(dedicated=True).connect()
    hit = pair.hit(pair.sealed(GET.encode()))
    if demanded:
        assert hit.reply.hex() == NOT_POSSIBLE
    else:
        assert isinstance(hit.event, RequestReceived)
    pair.get()
    pair = knobbed(bench, dedicated_demanded=demanded)().connect()
    pair.get()


@pytest.mark.parametrize("accepted", [True, False])
def test_empty_title(bench: Any, accepted: bool) -> None:
    """In services and in the InitiateRequest."""
    pair = knobbed(bench, empty_title_accepted=accepted)()
    empty = {"form": Form.GENERAL, "shown_title": b""}
    user = pair.sealed(pair.initiate.encode(), **empty)
    event = pair.hit(pair.aarq(user).encode()).event
    assert isinstance(event, AuthenticationPending) is accepted
    pair.connect()
    hit = pair.hit(pair.sealed(GET.encode(), **empty))
    assert (hit.event is not None) is accepted
    if not accepted:
        assert hit.reply.hex() == DECIPHERING


# (inner, outer, which knobs accept it); after the AARQ the floor is 1.
INNER = {
    "before": (1, 2, "SLI"),
    "after": (3, 2, "SLI"),
    "equal": (5, 5, "LI"),
    "below": (0, 1, "I"),
    "maximum": (0xFFFFFFFF, 1, "I"),
}


@pytest.mark.parametrize("knob", InnerCounter, ids=lambda knob: knob.name)
@pytest.mark.parametrize(("inner", "outer", "accepting"), INNER.values(), ids=list(INNER))
def test_inner_counter(
    bench: Any, knob: InnerCounter, inner: int, outer: int, accepting: str
) -> None:
    """R-IC-9, KL-IC-19."""
    pair = knobbed(bench, inner_counter=knob)()
    pair.begin()
    f = pair.f(pair.server.admitted.server_challenge, inner)
    pass_3 = ActionRequest(0x41, PASS_3, octet_string(f)).encode()
    event = pair.hit(pair.sealed(pass_3, counter=outer)).event
    accepted = knob.name[0] in accepting
    assert isinstance(event, AssociationOpened if accepted else AuthenticationFailed)
    floor = pair.server_counters.floor(pair.keys.guek)
    moved = accepted and knob is not InnerCounter.IGNORE
    assert floor == 1 + (max(inner, outer) if moved else outer)


def test_inner_counter_at_the_client(bench: Any) -> None:
    for knob in InnerCounter:
        pair = bench(client={"knobs": Knobs(inner_counter=knob)})
        pair.begin()
        pair.ask(pair.client.authenticate())
        counter = pair.server_counters.next_to_send(pair.keys.guek)
        f = pair.f(pair.client._proposed.challenge, counter, title=b"MTR\0\0\0\0\1")
        apdu = bytes.fromhex("C701410001000911") + f
        event = pair.ask(pair.client.receive(pair.from_server(apdu, counter=counter)))
        accepted = knob is not InnerCounter.STRICT
        assert isinstance(event, AssociationOpened if accepted else AuthenticationFailed)


@pytest.mark.parametrize(("jump", "passes"), [(10, True), (11, False), (0xFFFFFFF0, False)])
def test_max_forward_jump(bench: Any, jump: int, passes: bool) -> None:
    """R-IC-11, KL-IC-03: an over-long jump is not a way to use a key up."""
    pair = knobbed(bench, max_forward_jump=10)().connect()
    guek = pair.keys.guek
    floor = pair.server_counters.floor(guek)
    hit = pair.hit(pair.sealed(GET.encode(), counter=min(floor + jump, 0xFFFFFFFE)))
    if passes:
        assert isinstance(hit.event, RequestReceived)
    else:
        assert hit.reply.hex() == f"d80106{floor:08x}"
        assert pair.server_counters.floor(guek) == floor
        pair.get()


def test_max_forward_jump_of_f(bench: Any) -> None:
    for counter, opened in ((10, True), (11, False)):
        pair = knobbed(bench, max_forward_jump=10)(**LN)
        pair.begin()
        f = pair.f(pair.server.admitted.server_challenge, counter)
        event = pair.hit(ActionRequest(0x41, PASS_3, octet_string(f)).encode()).event
        assert isinstance(event, AssociationOpened) is opened
    # Inside a ciphered APDU it may not jump further than that did.
    for counter, opened in ((13, True), (14, False)):
        pair = knobbed(bench, max_forward_jump=10)()
        pair.begin()
        f = pair.f(pair.server.admitted.server_challenge, counter)
        pass_3 = ActionRequest(0x41, PASS_3, octet_string(f)).encode()
        event = pair.hit(pair.sealed(pass_3, counter=2)).event
        assert isinstance(event, AssociationOpened) is opened


def test_max_forward_jump_at_the_client(bench: Any) -> None:
    pair = bench(client={"knobs": Knobs(max_forward_jump=10)}).connect()
    pair.hit(pair.ask(pair.client.request(GET)))
    floor = pair.client_counters.floor(pair.keys.guek)
    with pytest.raises(RemoteProtocolError, match="too far"):
        pair.ask(pair.client.receive(pair.from_server(RESPONSE.encode(), counter=floor + 11)))
    pair.ask(pair.client.receive(pair.from_server(RESPONSE.encode(), counter=floor + 10)))


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("dedicated", [False, True])
def test_first_counter(bench: Any, first: int, dedicated: bool) -> None:
    """R-IC-3, at both ends, for every key."""
    knobs = {"knobs": Knobs(first_counter=first)}
    pair = bench(server=knobs, client=knobs, dedicated=dedicated).connect()
    pair.get()
    for module in (pair.server_module, pair.client_module):
        used: dict[Any, list[int]] = {}
        for op in module.ops:
            if isinstance(op, Seal):
                used.setdefault(op.ek, []).append(op.counter)
        assert len(used) == 1 + dedicated
        assert {counters[0] for counters in used.values()} == {first}
    # The counters of a key in use go on.
    before = pair.client_counters.next_to_send(pair.keys.guek)
    pair.connect()
    assert pair.client_counters.next_to_send(pair.keys.guek) > before


@pytest.mark.parametrize("knob", KeyInForce, ids=lambda knob: knob.name)
def test_key_in_force(bench: Any, names: dict[str, Any], knob: KeyInForce) -> None:
    """R-KEY-3, KL-KT-10, 12."""
    pair = knobbed(bench, key_in_force=knob)().connect()
    fresh = names["GUEK"]._replace(version=1)
    for module in (pair.server_module, pair.client_module):
        module.keys.keep(fresh, bytes(range(0x60, 0x70)))
    config = replace(pair.server_config, policy=BOTH)
    pair.server.adopt(config, pair.keys._replace(guek=fresh))
    under = {"old": names["GUEK"], "new": fresh}
    good = "new" if knob is KeyInForce.IMMEDIATE else "old"
    bad = "old" if good == "new" else "new"
    wrong = pair.sealed(GET.encode(), ek=under[bad], counter=50)
    assert pair.hit(wrong).reply.hex() == DECIPHERING
    assert isinstance(pair.hit(pair.sealed(GET.encode(), ek=under[good])).event, RequestReceived)
    # The policy does not wait (KL-KT-31).
    assert pair.hit(GET.encode()).reply.hex() == NOT_POSSIBLE
    # The next association is under the new key in either case.
    user = pair.sealed(pair.initiate.encode(), ek=fresh)
    assert isinstance(pair.hit(pair.aarq(user).encode()).event, AuthenticationPending)
    user = pair.sealed(pair.initiate.encode(), ek=under["old"], counter=99)
    assert isinstance(pair.hit(pair.aarq(user).encode()).event, AssociationRefused)


# (what is wrong, ALL, NO_COUNTER, FIRST_EDITION)
CODES = {
    "counter": ("d8010600000000", DECIPHERING, OTHER),
    "tag": (DECIPHERING, DECIPHERING, OTHER),
    "too long": ("d80104", "d80104", OTHER),
    "service": (NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED),
}


@pytest.mark.parametrize("wrong", CODES)
@pytest.mark.parametrize("knob", ExceptionCodes, ids=lambda knob: knob.name)
def test_exception_codes(bench: Any, wrong: str, knob: ExceptionCodes) -> None:
    """KL-IC-21: with NO_COUNTER the answer does not tell a used counter from a wrong tag."""
    pair = knobbed(bench, exception_codes=knob)().connect()
    floor = pair.server_counters.floor(pair.keys.guek)
    octets = {
        "counter": lambda: pair.sealed(GET.encode(), counter=0),
        "tag": lambda: pair.sealed(GET.encode())[:-1] + b"\0",
        "too long": lambda: b"\xc0" + bytes(2000),
        "service": lambda: b"\xc0\x09\x41",
    }[wrong]()
    position = list(ExceptionCodes).index(knob)
    wanted = CODES[wrong][position].replace("0600000000", f"06{floor:08x}")
    assert pair.hit(octets).reply.hex() == wanted


def test_release_that_is_not_supported(bench: Any) -> None:
    pair = knobbed(bench, release_supported=False)().connect()
    for octets in (Rlrq().encode(), b"\x62\x01", pair.ask(pair.client.release())):
        hit = pair.hit(octets)
        assert (hit.error.reason, hit.reply.hex()) == ("release-not-supported", NOT_SUPPORTED)
        assert pair.server.state is State.ASSOCIATED
    pair.ask(pair.client.receive(hit.reply))
    pair.get()
    pair.serve(pair.server.close())
    assert pair.server.state is State.IDLE


@pytest.mark.parametrize("knob", RlreInformation, ids=lambda knob: knob.name)
@pytest.mark.parametrize("asked", ["nothing", "plain", "ciphered"])
@pytest.mark.parametrize("policy", [Protection.NONE, BOTH], ids=str)
def test_rlre_information(
    bench: Any, knob: RlreInformation, asked: str, policy: Protection
) -> None:
    """An InitiateResponse of one's own accord is protected as the policy asks."""
    pair = knobbed(bench, rlre_information=knob, server={"policy": policy})().connect()
    user = {
        "nothing": lambda: None,
        "plain": lambda: pair.initiate.encode(),
        "ciphered": lambda: pair.sealed(pair.initiate.encode()),
    }[asked]()
    hit = pair.hit(Rlrq(user_information=user).encode())
    assert isinstance(hit.event, AssociationReleased)
    found = Rlre.decode(hit.reply).user_information
    if knob is RlreInformation.NEVER or (knob is RlreInformation.IN_KIND and asked == "nothing"):
        assert found is None
    elif asked == "ciphered" or (asked == "nothing" and policy):
        assert found[0] == 0x28
    else:
        assert InitiateResponse.decode(found).vaa_name == 7


def test_each_knob_is_turned_here() -> None:
    """A knob without a test would be one that may do nothing."""
    here = Path(__file__)
    text = here.read_text() + here.with_name("test_general_protection.py").read_text()
    elsewhere = {"unknown_user", "confirmed_under_broadcast_key", "absent_title_accepted"}
    for field in dataclasses.fields(Knobs):
        assert field.name in elsewhere or f"{field.name}=" in text, field.name
