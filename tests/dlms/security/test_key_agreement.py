"""Key agreement C(2e, 0s) between client and server, both sides."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dlms.errors import CodecError, DlmsError, LocalProtocolError
from dlms.security.drive import run
from dlms.security.key_agreement import KEY_IDS, Parties, Place, conclude, offer, respond
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import (
    Agree,
    KeyUnavailable,
    OperationRefused,
    Sign,
    VerificationFailed,
    Verify,
)
from dlms.security.suites import SUITES, AlgorithmIdForm

CLIENT = bytes.fromhex("4D4D4D0000BC614E")
SERVER = bytes.fromhex("4D4D4D0000000001")
LENGTHS = {1: 64, 2: 96}


def pair_key(number: int) -> KeyRef:
    return KeyRef(b"", "pair", KeyKind.AGREEMENT_KEY, KeyLifetime.SINGLE_ASSOCIATION, number)


def place(key_id: int, version: int = 1) -> Place:
    """A new version of a global key, which must not be the old one."""
    kind = KEY_IDS[key_id]
    old = KeyRef(SERVER, "s", kind)
    into = KeyRef(SERVER, "s", kind, version=version)
    return Place(pair_key(key_id), into, unlike=(old,))


def side(own: Any, peer: Any, suite: int, **changes: Any) -> Parties:
    values: dict[str, Any] = {
        "suite": suite,
        "client_title": CLIENT,
        "server_title": SERVER,
        "signing_key": own.signing_key,
        "peer_signing_public": peer.publics[peer.signing_key],
    }
    return Parties(**{**values, **changes})


class Meeting:
    def __init__(self, pair: Any, suite: int = 1) -> None:
        both = pair(suite)
        self.client, self.server = both.client, both.server
        self.suite = suite
        self.of_client = side(self.client, self.server, suite)
        self.of_server = side(self.server, self.client, suite)

    def offer(self, key_id: int) -> bytes:
        data: bytes = self.client.run(offer(self.of_client, key_id, pair_key(key_id)))
        return data

    def respond(self, offers: dict[int, bytes]) -> dict[int, bytes]:
        answers: dict[int, bytes] = self.server.run(respond(self.of_server, offers, place))
        return answers

    def conclude(self, key_id: int, answer: bytes) -> None:
        self.client.run(conclude(self.of_client, key_id, place(key_id), answer))

    def refuses(self, offers: dict[int, bytes], error: type[DlmsError]) -> None:
        before = self.server.state()
        with pytest.raises(error):
            self.respond(offers)
        assert self.server.state() == before


@pytest.fixture(params=[1, 2])
def meeting(request: pytest.FixtureRequest, pair: Any) -> Meeting:
    return Meeting(pair, request.param)


@pytest.mark.parametrize("key_id", KEY_IDS)
def test_both_have_the_key_of_the_standard(meeting: Meeting, key_id: int) -> None:
    """X_SUITE1_KEYAGREE: derived once more from the server's pair, for what the key is for."""
    data = meeting.offer(key_id)
    private = None

    def spy(op: Any) -> Any:
        nonlocal private
        result = meeting.server(op)
        if isinstance(op, Agree):
            held = meeting.server.keys
            private = held.get(op.private) if op.private in held.refs else None
        return result

    answers = run(respond(meeting.of_server, {key_id: data}, place), spy)
    meeting.conclude(key_id, answers[key_id])
    into = place(key_id).into
    key = meeting.client.keys.get(into)
    assert meeting.server.keys.get(into) == key
    assert len(key) == SUITES[meeting.suite].key_length
    curve, half = {1: (ec.SECP256R1(), 32), 2: (ec.SECP384R1(), 48)}[meeting.suite]
    assert private is not None
    ours = ec.derive_private_key(int.from_bytes(private, "big"), curve)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\4" + data[: 2 * half])
    z = ours.exchange(ec.ECDH(), theirs)
    arc = {(1, False): 0, (2, False): 1, (1, True): 2, (2, True): 3}[meeting.suite, key_id == 3]
    algorithm = bytes.fromhex("608574050803") + bytes((arc,))
    digest = {1: hashlib.sha256, 2: hashlib.sha384}[meeting.suite]
    derived = digest(b"\0\0\0\1" + z + algorithm + CLIENT + SERVER).digest()
    assert key == derived[: len(key)]


def test_what_is_signed(meeting: Meeting) -> None:
    """key_id ‖ public key (R-KEY-5)."""
    data = meeting.offer(2)
    answer = meeting.respond({2: data})[2]
    length = LENGTHS[meeting.suite]
    for party, octets in ((meeting.client, data), (meeting.server, answer)):
        (op,) = (op for op in party.ops if isinstance(op, Sign))
        assert op.message == b"\2" + octets[:length]
        assert len(octets) == 2 * length


def test_all_keys_at_once(meeting: Meeting) -> None:
    offers = {key_id: meeting.offer(key_id) for key_id in KEY_IDS}
    answers = meeting.respond(offers)
    assert list(answers) == list(offers)
    keys = set()
    for key_id, answer in answers.items():
        meeting.conclude(key_id, answer)
        into = place(key_id).into
        assert meeting.client.keys.get(into) == meeting.server.keys.get(into)
        keys.add(meeting.client.keys.get(into))
    assert len(keys) == 4


def test_the_pairs_are_destroyed(meeting: Meeting) -> None:
    answers = meeting.respond({0: meeting.offer(0)})
    assert meeting.client.keys.get(pair_key(0))
    with pytest.raises(KeyUnavailable):
        meeting.server.keys.get(pair_key(0))
    meeting.conclude(0, answers[0])
    with pytest.raises(KeyUnavailable):
        meeting.client.keys.get(pair_key(0))


def test_the_same_offer_twice_gives_two_keys(meeting: Meeting) -> None:
    """KL-PK-03: the server's pair is always a new one."""
    data = meeting.offer(0)
    answers, keys = set(), set()
    for _ in range(2):
        answers.add(meeting.respond({0: data})[0])
        keys.add(meeting.server.keys.get(place(0).into))
    assert len(answers) == len(keys) == 2


def test_every_octet_of_an_offer_matters(pair: Any) -> None:
    meeting = Meeting(pair)
    data = meeting.offer(0)
    for at in range(len(data)):
        bent = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        meeting.refuses({0: bent}, VerificationFailed)
    for cut in (0, 1, 63, 64, 127):
        meeting.refuses({0: data[:cut]}, CodecError)
    meeting.refuses({0: data + b"\0"}, CodecError)


def test_an_offer_is_for_one_key(pair: Any) -> None:
    """KL-PK-02: the signature covers key_id."""
    meeting = Meeting(pair)
    meeting.refuses({1: meeting.offer(0)}, VerificationFailed)


@pytest.mark.parametrize("key_id", [-1, 4, 255])
def test_there_is_no_such_key(pair: Any, key_id: int) -> None:
    meeting = Meeting(pair)
    meeting.refuses({key_id: meeting.offer(0)}, CodecError)
    with pytest.raises(CodecError):
        meeting.offer(key_id)


def test_no_keys_at_all(pair: Any) -> None:
    Meeting(pair).refuses({}, CodecError)


def test_one_bad_offer_spoils_all(pair: Any) -> None:
    """R-KEY-2: whichever it is, and no pair is even made."""
    meeting = Meeting(pair)
    offers = {key_id: meeting.offer(key_id) for key_id in KEY_IDS}
    for key_id in offers:
        meeting.refuses({**offers, key_id: offers[0][:64] + offers[1][64:]}, VerificationFailed)
        assert {type(op) for op in meeting.server.ops[2:]} <= {Verify}


@pytest.mark.parametrize("failing", [Sign, Agree])
@pytest.mark.parametrize("nth", [0, 1, 3])
def test_a_failure_half_way_leaves_nothing(pair: Any, failing: type, nth: int) -> None:
    meeting = Meeting(pair)
    offers = {key_id: meeting.offer(key_id) for key_id in KEY_IDS}
    seen = 0

    def execute(op: Any) -> Any:
        nonlocal seen
        if isinstance(op, failing):
            seen += 1
            if seen == nth + 1:
                raise OperationRefused("not here")
        return meeting.server(op)

    before = meeting.server.state()
    with pytest.raises(OperationRefused):
        run(respond(meeting.of_server, offers, place), execute)
    assert meeting.server.state() == before


def test_a_bad_answer(pair: Any) -> None:
    meeting = Meeting(pair)
    answer = meeting.respond({0: meeting.offer(0)})[0]
    before = meeting.client.keys.refs - {pair_key(0)}
    with pytest.raises(VerificationFailed):
        meeting.conclude(0, answer[:-1] + bytes((answer[-1] ^ 1,)))
    assert meeting.client.keys.refs == before


def test_ones_own_offer_is_no_answer(pair: Any) -> None:
    meeting = Meeting(pair)
    with pytest.raises(VerificationFailed):
        meeting.conclude(0, meeting.offer(0))


def test_an_agreed_key_must_be_new(pair: Any) -> None:
    """Both keep the key, and somebody has the server agree it again with the same pairs."""
    meeting = Meeting(pair)
    data = meeting.offer(0)
    answer = meeting.respond({0: data})[0]
    scalar = meeting.client.keys.get(pair_key(0))
    meeting.conclude(0, answer)
    meeting.client.keys.keep(pair_key(0), scalar)
    again = Place(pair_key(0), place(0, 2).into, unlike=(place(0).into,))
    with pytest.raises(VerificationFailed, match="used before"):
        meeting.client.run(conclude(meeting.of_client, 0, again, answer))
    with pytest.raises(KeyUnavailable):
        meeting.client.keys.get(again.into)


def test_titles_and_algorithm_go_into_the_key(pair: Any) -> None:
    """Who has another idea of them gets another key, and notices with the next message."""
    for changes in (
        {"client_title": SERVER},
        {"server_title": CLIENT},
        {"algorithm_id": AlgorithmIdForm.EARLY_PRINT},
    ):
        meeting = Meeting(pair)
        meeting.of_server = side(meeting.server, meeting.client, 1, **changes)
        answer = meeting.respond({0: meeting.offer(0)})[0]
        meeting.conclude(0, answer)
        into = place(0).into
        assert meeting.client.keys.get(into) != meeting.server.keys.get(into)


def test_suite_0_has_no_key_agreement(pair: Any) -> None:
    both = pair(1)
    parties = side(both.client, both.server, 0)
    with pytest.raises(LocalProtocolError):
        both.client.run(offer(parties, 0, pair_key(0)))
    with pytest.raises(LocalProtocolError):
        both.client.run(respond(parties, {0: bytes(128)}, place))
