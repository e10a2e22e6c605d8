"""The InitiateRequest in an AARQ: what is refused, and with which ConfirmedServiceError."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from dlms.acse.aare import Aare
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import AssociationOpened, AssociationRefused, AuthenticationPending
from dlms.association.state import State
from dlms.security.ciphered import Family, Form
from dlms.security.control import Protection
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Open
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse

AARE = "611F A1090607608574050801{:02X} A203020101 A305A103020101 BE060404 {}"
DECIPHERING = "0E010006"
OTHER = "0E010600"
REFUSED_BY_HANDLER = "0E010604"
PLAIN = {"context": ApplicationContext.LN, "mechanism": Mechanism.NONE}


def aare(pair: Any, error: str) -> str:
    return AARE.format(pair.server_config.context.value, error).replace(" ", "").lower()


def refused(pair: Any, octets: bytes, error: str, *, verified: bool = False) -> None:
    """``verified``: the tag was right, so the floor may and must move (R-INIT-4), nothing else."""
    guek = pair.keys.guek
    floor = pair.server_counters.floor(guek)
    before = pair.digest()
    hit = pair.hit(octets)
    assert isinstance(hit.event, AssociationRefused)
    assert hit.reply.hex() == aare(pair, error)
    assert hit.event.error.encode().hex() == error.lower()
    if verified:
        assert pair.server_counters.floor(guek) == pair.client_counters.next_to_send(guek) > floor
        pair.server_counters._floor[guek] = floor
        if not floor:
            del pair.server_counters._floor[guek]
    assert pair.digest() == before
    pair.works()


XDLMS_CONTEXT: dict[str, tuple[dict[str, Any], str]] = {
    "version 0": ({"dlms_version": 0}, "0E010601"),
    "version 5": ({"dlms_version": 5}, "0E010601"),
    "no conformance": ({"conformance": Conformance(0)}, "0E010602"),
    "none in common": ({"conformance": Conformance.READ | Conformance.ACCESS}, "0E010602"),
    "the reserved bit only": ({"conformance": Conformance(0x800000)}, "0E010602"),
    "PDU 1": ({"client_max_receive_pdu_size": 1}, "0E010603"),
    "PDU 11": ({"client_max_receive_pdu_size": 11}, "0E010603"),
}


@pytest.mark.parametrize(("changes", "error"), XDLMS_CONTEXT.values(), ids=list(XDLMS_CONTEXT))
@pytest.mark.parametrize("kind", [PLAIN, {}], ids=["plain", "ciphered"])
def test_xdlms_context(
    bench: Any, kind: dict[str, Any], changes: dict[str, Any], error: str
) -> None:
    """R-INIT-1, R-INIT-2."""
    pair = bench(**kind)
    initiate = pair.initiate._replace(**changes).encode()
    if pair.server_config.context.ciphered:
        refused(pair, pair.aarq(pair.sealed(initiate)).encode(), error, verified=True)
    else:
        refused(pair, pair.aarq(initiate).encode(), error)


ACCEPTED: dict[str, dict[str, Any]] = {
    "version 7": {"dlms_version": 7},
    "version 255": {"dlms_version": 255},
    "PDU 12": {"client_max_receive_pdu_size": 12},
    "PDU 0": {"client_max_receive_pdu_size": 0},
    "PDU 65535": {"client_max_receive_pdu_size": 0xFFFF},
    "quality 0": {"quality_of_service": 0},
    "quality 255": {"quality_of_service": 255},
    "all bits": {"conformance": Conformance(0xFFFFFF)},
}


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=list(ACCEPTED))
def test_accepted(bench: Any, changes: dict[str, Any], names: dict[str, Any]) -> None:
    pair = bench(**PLAIN)
    initiate = pair.initiate._replace(**changes)
    hit = pair.hit(pair.aarq(initiate.encode()).encode())
    assert isinstance(hit.event, AssociationOpened)
    response = InitiateResponse.decode(Aare.decode(hit.reply).user_information)
    assert response.dlms_version == 6
    assert response.conformance == names["SERVICES"] == hit.event.conformance
    assert response.vaa_name == 0x0007
    assert response.server_max_receive_pdu_size == pair.server_config.max_pdu_size
    assert pair.server.admitted.client_max_pdu == initiate.client_max_receive_pdu_size


def test_negotiated_is_what_both_have(bench: Any) -> None:
    pair = bench(**PLAIN)
    proposed = Conformance.GET | Conformance.READ
    octets = pair.aarq(pair.initiate._replace(conformance=proposed).encode()).encode()
    assert pair.hit(octets).event.conformance is Conformance.GET


def test_unconfirmed_association_that_is_not_offered(bench: Any) -> None:
    """R-AA-7: whoever allows no response is not told no either."""
    pair = bench(**PLAIN)
    octets = pair.aarq(pair.initiate._replace(response_allowed=False).encode()).encode()
    hit = pair.hit(octets)
    assert isinstance(hit.event, AssociationRefused)
    assert hit.reply is None
    assert pair.server.state is State.IDLE
    pair.works()


UNREADABLE = {
    "absent": None,
    "empty": b"",
    "garbage": b"\xff\x00",
    "cut": InitiateRequest(conformance=Conformance.GET, client_max_receive_pdu_size=0).encode()[
        :-1
    ],
    "left over": InitiateRequest(
        conformance=Conformance.GET, client_max_receive_pdu_size=0
    ).encode()
    + b"\0",
    "a response": InitiateResponse(
        conformance=Conformance.GET, server_max_receive_pdu_size=0
    ).encode(),
}


@pytest.mark.parametrize("user", UNREADABLE.values(), ids=list(UNREADABLE))
def test_unreadable(bench: Any, user: bytes | None) -> None:
    pair = bench(**PLAIN)
    refused(pair, pair.aarq()._replace(user_information=user).encode(), OTHER)


def test_dedicated_key_in_a_plain_context(bench: Any) -> None:
    """APPL_OPEN_9."""
    pair = bench(**PLAIN)
    refused(
        pair, pair.aarq(pair.initiate._replace(dedicated_key=bytes(16)).encode()).encode(), OTHER
    )


def test_ciphered_initiate_in_a_plain_context(bench: Any) -> None:
    pair = bench(**PLAIN)
    refused(pair, pair.aarq(pair.sealed(pair.initiate.encode())).encode(), DECIPHERING)


@pytest.mark.parametrize("length", [0, 1, 8, 15, 17, 24, 32])
def test_dedicated_key_of_wrong_length(bench: Any, length: int) -> None:
    pair = bench()
    initiate = pair.initiate._replace(dedicated_key=bytes(length))
    refused(pair, pair.aarq(pair.sealed(initiate.encode())).encode(), OTHER, verified=True)


@pytest.mark.parametrize("length", [33, 127])
def test_dedicated_key_beyond_any_suite(bench: Any, length: int) -> None:
    pair = bench()
    initiate = b"\x01\x01" + bytes((length,)) + bytes(length) + pair.initiate.encode()[2:]
    refused(pair, pair.aarq(pair.sealed(initiate)).encode(), OTHER, verified=True)


@pytest.mark.parametrize("control", [0x00, 0x10, 0x20], ids=["plain", "A", "E"])
def test_dedicated_key_without_full_protection(bench: Any, control: int) -> None:
    """R-INIT-3, also where the policy would ask for less."""
    pair = bench()
    initiate = pair.initiate._replace(dedicated_key=bytes(16)).encode()
    user = pair.sealed(initiate, control=control) if control else initiate
    refused(pair, pair.aarq(user).encode(), OTHER, verified=bool(control))


@pytest.mark.parametrize("name", ["GUEK", "GAK"])
def test_dedicated_key_that_is_a_global_one(bench: Any, names: dict[str, Any], name: str) -> None:
    """KL-PR-13: its counters would begin at 0 under a key in use, so the module lifts none."""
    pair = bench()
    key = names["KEY_OCTETS"][names[name]]
    initiate = pair.initiate._replace(dedicated_key=key).encode()
    refused(pair, pair.aarq(pair.sealed(initiate)).encode(), DECIPHERING)


POLICIES = [Protection.NONE, Protection.AUTHENTICATED, Protection.ENCRYPTED, Protection.BOTH]
# Hand-written: policy (none, A, E, A+E) to the requests it lets pass.
PASSES = {"": "-AEB", "A": "AB", "E": "EB", "B": "B"}
LETTERS = dict(zip("-AEB", POLICIES, strict=True))


@pytest.mark.parametrize(("policy", "request_letter"), list(product(("", "A", "E", "B"), "-AEB")))
@pytest.mark.parametrize("form", Form, ids=lambda form: form.value)
def test_policy_product(bench: Any, policy: str, request_letter: str, form: Form) -> None:
    """R-INIT-5. Too little is refused before anything is deciphered: an InitiateRequest that is
    encrypted only has no tag, so its counter must not move the floor.
    """
    pair = bench(server={"policy": LETTERS[policy or "-"]})
    initiate = pair.initiate.encode()
    protection = LETTERS[request_letter]
    user = pair.sealed(initiate, control=protection, form=form) if protection else initiate
    octets = pair.aarq(user).encode()
    if request_letter in PASSES[policy]:
        assert isinstance(pair.hit(octets).event, AuthenticationPending)
        expected = pair.client_counters.next_to_send(pair.keys.guek)
        assert pair.server_counters.floor(pair.keys.guek) == expected
    else:
        refused(pair, octets, REFUSED_BY_HANDLER)
        assert Open not in [type(op) for op in pair.server_module.ops[:1]]


def test_an_unauthenticated_initiate_cannot_use_up_the_key(bench: Any) -> None:
    """R-IC-6: whoever knows a title could otherwise lock the client out for good."""
    pair = bench(server={"policy": Protection.BOTH})
    forged = bytes.fromhex("DB00") + bytes((19, 0x20)) + b"\xff\xff\xff\xfe" + bytes(14)
    refused(pair, pair.aarq(forged).encode(), REFUSED_BY_HANDLER)


STRANGER = KeyRef(b"MTR\0\0\0\0\1", "stranger", KeyKind.GUEK)
BROKEN: dict[str, dict[str, Any]] = {
    "wrong GUEK": {"ek": STRANGER},
    "wrong GAK": {"ak": STRANGER},
    "wrong title in the vector": {"title": b"S1S\0\0\0\0\2"},
    "the server's title in the vector": {"title": b"MTR\0\0\0\0\1"},
    **{f"suite {suite}": {"control": 0x30 | suite} for suite in range(1, 16)},
    "broadcast": {"control": 0x70},
    "compressed": {"control": 0xB0},
    "no protection": {"control": 0x00},
    "counter at its maximum": {"counter": 0xFFFFFFFF},
    "promises another APDU": {"plain_tag": 0xC0},
    "title of 7 octets": {"form": Form.GENERAL, "shown_title": b"S1S\0\0\0\1"},
    "title of 9 octets": {"form": Form.GENERAL, "shown_title": b"S1S\0\0\0\0\1\0"},
    "title of another": {"form": Form.GENERAL, "shown_title": b"S1S\0\0\0\0\2"},
    "dedicated family": {"form": Form.GENERAL, "family": Family.DEDICATED},
}


@pytest.mark.parametrize("changes", BROKEN.values(), ids=list(BROKEN))
def test_broken_protection(bench: Any, changes: dict[str, Any]) -> None:
    """R-INIT-4."""
    pair = bench()
    pair.client_module.keys.keep(STRANGER, bytes(16))
    octets = pair.aarq(pair.sealed(pair.initiate.encode(), **changes)).encode()
    refused(pair, octets, DECIPHERING)


def test_every_flipped_octet(bench: Any) -> None:
    pair = bench()
    sealed = pair.sealed(pair.initiate.encode())
    before = pair.digest()
    for position in range(2, len(sealed)):
        broken = bytearray(sealed)
        broken[position] ^= 0x01
        hit = pair.hit(pair.aarq(bytes(broken)).encode())
        assert hit.reply.hex() == aare(pair, DECIPHERING), position
        assert pair.digest() == before, position
    pair.works()


@pytest.mark.parametrize("length", [11, 8, 4, 1, 0, 16])
def test_tag_of_wrong_length(bench: Any, length: int) -> None:
    """KL-PR-05: the tag has 12 octets, neither fewer nor more."""
    pair = bench()
    sealed = pair.sealed(pair.initiate.encode())
    content = sealed[2:-12] + (sealed[-12:] + bytes(4))[:length]
    user = sealed[:1] + bytes((len(content),)) + content
    refused(pair, pair.aarq(user).encode(), DECIPHERING)


def test_replayed_aarq(bench: Any) -> None:
    """KL-IC-09, on the same connection and on the next."""
    pair = bench()
    octets = pair.aarq().encode()
    assert isinstance(pair.hit(octets).event, AuthenticationPending)
    pair.renew()
    refused(pair, octets, DECIPHERING)
    pair.connect()
    hit = pair.hit(octets)
    assert hit.reply.hex() == aare(pair, DECIPHERING)
    assert pair.server.state is State.IDLE
    pair.works()
