"""Pass 3 of HLS at the server (reference 2.6, KL-HL-05..09, R-IC-9 and KL-IC-19, 20)."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import PASS_3
from dlms.association.events import AssociationOpened, AuthenticationFailed
from dlms.association.state import State
from dlms.axdr.data import array, octet_string, visible_string
from dlms.security.ciphered import Family
from dlms.security.keys import KeyKind, KeyRef
from dlms.xdlms.action import ActionRequest

REFUSED = "c70141" + "03" + "00"  # read-write-denied, no return parameters
NOT_SUPPORTED = "d80102"
STRANGER = KeyRef(b"MTR\0\0\0\0\1", "stranger", KeyKind.GUEK)
MAXIMUM = 0xFFFFFFFF


@pytest.fixture
def plain(bench: Any) -> Any:
    """Passes 1 and 2 done in a plain context: pass 3 travels plain."""
    pair = bench(context=ApplicationContext.LN)
    pair.begin()
    return pair


def stoc(pair: Any) -> bytes:
    challenge: bytes = pair.server.admitted.server_challenge
    assert len(challenge) >= 8
    return challenge


def test_right(plain: Any, names: dict[str, Any]) -> None:
    hit = plain.hit(plain.pass_3(plain.f(stoc(plain), 0)))
    assert isinstance(hit.event, AssociationOpened)
    # c7 01 41, success, return parameters present, data, octet-string of 17 octets
    assert hit.reply[:8].hex() == "c701410001000911"
    expected = plain.f(names["CHALLENGE"], 0, title=names["SERVER_TITLE"])
    assert hit.reply[8:9] == expected[:1] == b"\x10"
    assert plain.ask(plain.client.authenticate())
    assert isinstance(plain.ask(plain.client.receive(hit.reply)), AssociationOpened)


@pytest.mark.parametrize(("longest", "comes"), [(25, "c70141"), (24, "d80104")])
def test_no_longer_than_the_client_takes(bench: Any, longest: int, comes: str) -> None:
    """X_PDU_MAX: without pass 4 there is no association."""
    pair = bench(context=ApplicationContext.LN, client={"max_pdu_size": longest})
    pair.begin()
    hit = pair.hit(pair.pass_3(pair.f(stoc(pair), 0)))
    assert hit.reply.hex().startswith(comes)
    fits = longest == 25
    assert pair.server.state is (State.ASSOCIATED if fits else State.IDLE)
    assert (pair.server.admitted is None) is not fits


def wrong_results(pair: Any) -> dict[str, bytes]:
    right = pair.f(stoc(pair), 7)
    return {
        "empty": b"",
        "5 octets": right[:5],
        "12 octets": right[:12],
        "16 octets": right[:16],
        "18 octets": right + b"\0",
        "16-octet tag": right + bytes(4),
        "tag only": right[5:],
        "first octet": bytes((right[0] ^ 1,)) + right[1:],
        "last octet": right[:-1] + bytes((right[-1] ^ 0x80,)),
        "counter changed": right[:4] + b"\x08" + right[5:],
        "SC 30": pair.f(stoc(pair), 7, control=0x30),
        "SC 20": pair.f(stoc(pair), 7, control=0x20),
        "SC 00": pair.f(stoc(pair), 7, control=0x00),
        "SC 50": pair.f(stoc(pair), 7, control=0x50),
        "SC 11": pair.f(stoc(pair), 7, control=0x11),
        "of another challenge": pair.f(b"P6wRJ21F", 7),
        "of the client's own challenge": pair.f(pair.server.admitted.client_challenge, 7),
        "with the server's title": pair.f(stoc(pair), 7, title=b"MTR\0\0\0\0\1"),
        "with another key": pair.f(stoc(pair), 7, ek=STRANGER),
        "counter at its maximum": pair.f(stoc(pair), MAXIMUM),
        "zeros": bytes(17),
    }


WRONG = [
    "empty",
    "5 octets",
    "12 octets",
    "16 octets",
    "18 octets",
    "16-octet tag",
    "tag only",
    "first octet",
    "last octet",
    "counter changed",
    "SC 30",
    "SC 20",
    "SC 00",
    "SC 50",
    "SC 11",
    "of another challenge",
    "of the client's own challenge",
    "with the server's title",
    "with another key",
    "counter at its maximum",
    "zeros",
]


@pytest.mark.parametrize("name", WRONG)
def test_wrong_once_and_the_right_one_fails_too(plain: Any, name: str) -> None:
    """KL-HL-05, 06, 07; R-HLS-5: one try."""
    plain.client_module.keys.keep(STRANGER, bytes(16))
    cases = wrong_results(plain)
    assert list(cases) == WRONG
    right = plain.pass_3(plain.f(stoc(plain), 8))
    floor = plain.server_counters.floor(plain.keys.guek)
    hit = plain.hit(plain.pass_3(cases[name]))
    assert isinstance(hit.event, AuthenticationFailed)
    assert hit.reply.hex() == REFUSED
    assert plain.server.state is State.IDLE
    assert plain.server_counters.floor(plain.keys.guek) == floor
    assert plain.server.admitted is None
    assert plain.server.admitted is None
    assert plain.hit(right).reply.hex() == NOT_SUPPORTED
    plain.works()


PARAMETERS = {
    "absent": None,
    "another type": visible_string("\x10" + "\0" * 16),
    "an array": array(octet_string(bytes(17))),
}


@pytest.mark.parametrize("parameter", PARAMETERS.values(), ids=list(PARAMETERS))
def test_parameter_of_another_type(plain: Any, parameter: Any) -> None:
    hit = plain.hit(ActionRequest(0x41, PASS_3, parameter).encode())
    assert isinstance(hit.event, AuthenticationFailed)
    assert hit.reply.hex() == REFUSED
    assert plain.server.state is State.IDLE
    plain.works()


def test_right_f_of_an_earlier_challenge(plain: Any) -> None:
    """KL-IC-09, R-HLS-4: a fresh challenge for each AARQ."""
    old = stoc(plain)
    replayed = plain.pass_3(plain.f(old, 3))
    plain.renew()
    plain.begin()
    assert stoc(plain) != old
    assert isinstance(plain.hit(replayed).event, AuthenticationFailed)
    plain.works()


def test_counter_of_plain_f_is_judged_by_the_floor(plain: Any) -> None:
    """KL-IC-20."""
    guek = plain.keys.guek
    plain.server_counters.accept(guek, 9)
    hit = plain.hit(plain.pass_3(plain.f(stoc(plain), 9)))
    assert isinstance(hit.event, AuthenticationFailed)
    assert plain.server_counters.floor(guek) == 10
    plain.renew()
    plain.client_counters.raise_to(guek, 10)
    plain.begin()
    assert isinstance(plain.hit(plain.pass_3(plain.f(stoc(plain), 10))).event, AssociationOpened)
    assert plain.server_counters.floor(guek) == 11


# R-IC-9. After the AARQ the floor is 1. (inner, outer) -> whether f is accepted.
ORDERS = {
    "inner before outer": (1, 2, True),
    "inner long before outer": (1, 9, True),
    "gap before the inner": (4, 5, True),
    "inner after outer, both fresh": (3, 2, True),
    "equal": (1, 1, False),
    "equal, later": (6, 6, False),
    "inner below the floor": (0, 1, False),
    "inner at its maximum": (MAXIMUM, 1, False),
}


@pytest.mark.parametrize(("inner", "outer", "accepted"), ORDERS.values(), ids=list(ORDERS))
def test_order_of_inner_and_outer(bench: Any, inner: int, outer: int, accepted: bool) -> None:
    """KL-IC-19. Equal counters would be one initialization vector for two messages."""
    pair = bench()
    pair.begin()
    guek = pair.keys.guek
    assert pair.server_counters.floor(guek) == 1
    hit = pair.hit(pair.sealed(pair.pass_3(pair.f(stoc(pair), inner)), counter=outer))
    assert isinstance(hit.event, AssociationOpened if accepted else AuthenticationFailed)
    assert pair.server.state is (State.ASSOCIATED if accepted else State.IDLE)
    # The outer one verified in each case; the inner one counts only where it was accepted.
    assert pair.server_counters.floor(guek) == 1 + (max(inner, outer) if accepted else outer)
    pair.client_counters.raise_to(guek, 10)
    pair.works()


@pytest.mark.parametrize(
    ("inner", "outer", "accepted"), [(1, 0, True), (1, 1, True), (5, 0, True), (0, 0, False)]
)
def test_carrier_under_a_dedicated_key(
    bench: Any, names: dict[str, Any], inner: int, outer: int, accepted: bool
) -> None:
    """Two keys, two counters: equal numbers are no matter, the floor of the GUEK is."""
    pair = bench(dedicated=True)
    pair.begin()
    f = pair.f(stoc(pair), inner)
    octets = pair.sealed(
        pair.pass_3(f), ek=names["DEDICATED"], family=Family.DEDICATED, counter=outer
    )
    hit = pair.hit(octets)
    assert isinstance(hit.event, AssociationOpened if accepted else AuthenticationFailed)
    assert pair.server_counters.floor(pair.keys.guek) == (inner + 1 if accepted else 1)
    pair.client_counters.raise_to(pair.keys.guek, 10)
    pair.works()


def test_refusal_of_pass_3_is_protected_as_pass_3_was(bench: Any) -> None:
    pair = bench()
    pair.begin()
    hit = pair.hit(pair.sealed(pair.pass_3(bytes(17))))
    assert hit.reply[0] == 0xCF
    assert hit.reply[2] == 0x30
    pair.ask(pair.client.authenticate())
    assert isinstance(pair.ask(pair.client.receive(hit.reply)), AuthenticationFailed)
    assert pair.client.state is State.IDLE
    pair.works()


def test_the_challenge_is_used_once(bench: Any) -> None:
    pair = bench().connect()
    assert pair.server.admitted.server_challenge == b""


def test_a_secret_that_was_changed(bench: Any, names: dict[str, Any]) -> None:
    """R-HLS-8, KL-HL-16: exactly one secret is good, so who has lost the answer tries both."""
    old = names["HLS_SECRET"]
    new = old._replace(version=1)
    pair = bench(
        context=ApplicationContext.LN, mechanism=Mechanism.HLS_MD5, keys={"hls_secret": old}
    ).connect()
    for module in (pair.server_module, pair.client_module):
        module.keys.keep(new, b"another secret for HLS")
    pair.server.adopt(pair.server_config, pair.keys._replace(hls_secret=new))
    pair.get()  # the association goes on
    pair.server_keys = {"hls_secret": new}
    for secret, good in ((old, False), (new, True)):
        pair.client_keys = {"hls_secret": secret}
        pair.renew()
        pair.begin()
        event = pair.hit(pair.ask(pair.client.authenticate())).event
        assert isinstance(event, AssociationOpened if good else AuthenticationFailed)
