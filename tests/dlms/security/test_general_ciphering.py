"""General-ciphering between two parties: every way to a key, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.errors import CodecError, DlmsError, LocalProtocolError
from dlms.security.ciphered import Family
from dlms.security.control import Protection
from dlms.security.counters import MAXIMUM, CounterTooFar, CounterTooLow
from dlms.security.drive import run
from dlms.security.general_ciphering import (
    AgreedKey,
    IdentifiedKey,
    Scheme,
    WrappedKey,
    decode_general_ciphering,
    encode_general_ciphering,
)
from dlms.security.general_header import GeneralHeader
from dlms.security.general_protection import open_general, protect_general
from dlms.security.key_choice import KeyChoice
from dlms.security.keys import KeyKind, KeyLifetime
from dlms.security.ops import KeyUnavailable, Open, Use, VerificationFailed, Verify
from dlms.security.protect import TooWeak
from dlms.security.spent_keys import KeySpent, Marks, SpentKeys, SpentKeysFull
from dlms.security.suites import AlgorithmIdForm

APDU = bytes.fromhex("C0010000080000010000FF0200")
TID = bytes(range(1, 9))
IN_SUITE = {
    0: (KeyChoice.UNICAST, KeyChoice.BROADCAST, KeyChoice.WRAPPED),
    1: tuple(choice for choice in KeyChoice if choice is not KeyChoice.NONE),
    2: tuple(choice for choice in KeyChoice if choice is not KeyChoice.NONE),
}
WAYS = [(suite, choice) for suite, choices in IN_SUITE.items() for choice in choices]
OF_ONE_MESSAGE = (KeyChoice.WRAPPED, KeyChoice.ONE_PASS, KeyChoice.STATIC)
PROTECTIONS = (Protection.AUTHENTICATED, Protection.ENCRYPTED, Protection.BOTH)


def send(
    party: Any,
    choice: KeyChoice,
    protection: Protection = Protection.BOTH,
    apdu: bytes = APDU,
    tid: bytes = TID,
    **header: Any,
) -> bytes:
    made = party.context.header(tid, broadcast=choice is KeyChoice.BROADCAST, **header)
    step = protect_general(party.context, apdu, made, choice, protection, Use.PROTECT_REQUEST)
    octets: bytes = party.run(step)
    return octets


def receive(party: Any, octets: bytes, **options: Any) -> Any:
    return party.run(open_general(party.context, octets, Use.OPEN_REQUEST, **options))


def refuses(party: Any, octets: bytes, error: type[DlmsError], **options: Any) -> None:
    before = party.state()
    with pytest.raises(error):
        receive(party, octets, **options)
    assert party.state() == before


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize(("suite", "choice"), WAYS)
def test_there_and_back(pair: Any, suite: int, choice: KeyChoice, protection: Protection) -> None:
    """X_SUITE1_GENCIPH."""
    both = pair(suite)
    octets = send(both.client, choice, protection, date_time=bytes(12), other_information=b"\0\x62")
    opened = receive(both.server, octets)
    assert opened.apdu == APDU
    assert opened.protection == protection
    assert opened.header.transaction_id == TID
    assert opened.header.other_information == b"\0\x62"
    answer = send(both.server, choice, protection, b"\xc4answer")
    assert receive(both.client, answer).apdu == b"\xc4answer"
    assert (APDU in octets) is (protection is Protection.AUTHENTICATED)


@pytest.mark.parametrize(("suite", "choice"), WAYS)
def test_what_is_known_of_the_key(pair: Any, suite: int, choice: KeyChoice) -> None:
    both = pair(suite)
    opened = receive(both.server, send(both.client, choice))
    families = {KeyChoice.UNICAST: Family.GLOBAL, KeyChoice.BROADCAST: Family.BROADCAST}
    assert opened.family is families.get(choice, Family.MESSAGE)
    expected = {
        KeyChoice.UNICAST: IdentifiedKey,
        KeyChoice.BROADCAST: IdentifiedKey,
        KeyChoice.WRAPPED: WrappedKey,
    }.get(choice, AgreedKey)
    assert type(opened.key_info) is expected
    assert (opened.counter, opened.floor_before) == (0, 0)


@pytest.mark.parametrize(("suite", "choice"), WAYS)
def test_the_same_message_again(pair: Any, suite: int, choice: KeyChoice) -> None:
    both = pair(suite)
    octets = send(both.client, choice)
    receive(both.server, octets)
    asked = len(both.server.ops)
    refuses(both.server, octets, KeySpent if choice in OF_ONE_MESSAGE else CounterTooLow)
    assert len(both.server.ops) == asked


@pytest.mark.parametrize(("suite", "choice"), WAYS)
def test_no_key_stays_behind(pair: Any, suite: int, choice: KeyChoice) -> None:
    both = pair(suite)
    before = both.client.keys.refs
    receive(both.server, send(both.client, choice))
    assert both.client.keys.refs == before
    for party in (both.client, both.server):
        for ref in party.made():
            assert ref.lifetime is KeyLifetime.SINGLE_ASSOCIATION
            with pytest.raises(KeyUnavailable):
                party.keys.get(ref)


@pytest.mark.parametrize(("suite", "choice"), WAYS)
def test_no_initialization_vector_twice(pair: Any, suite: int, choice: KeyChoice) -> None:
    both = pair(suite)
    for number in range(5):
        receive(both.server, send(both.client, choice, tid=bytes((number + 1,))))
        receive(both.client, send(both.server, choice, tid=bytes((number + 1,))))
    vectors = both.client.vectors + both.server.vectors
    assert len(vectors) == 10
    assert len(set(vectors)) == 10


@pytest.mark.parametrize(("suite", "choice"), WAYS)
def test_every_octet_changed(pair: Any, suite: int, choice: KeyChoice) -> None:
    both = pair(suite)
    octets = send(both.client, choice)
    for at in range(len(octets)):
        bent = octets[:at] + bytes((octets[at] ^ 0x80,)) + octets[at + 1 :]
        refuses(both.server, bent, DlmsError)
    for cut in range(len(octets)):
        refuses(both.server, octets[:cut], CodecError)
    assert receive(both.server, octets).apdu == APDU


@pytest.mark.parametrize(("suite", "choice"), WAYS)
def test_not_to_us_and_not_from_the_peer(pair: Any, suite: int, choice: KeyChoice) -> None:
    """R-PROT-4; a message of one's own that comes back included."""
    both = pair(suite)
    refuses(both.client, send(both.client, choice), CodecError)
    message = decode_general_ciphering(send(both.client, choice, tid=b"2"))
    for header in (
        message.header._replace(recipient=b"ELSEWERE"),
        message.header._replace(originator=b"SOMEBODY"),
    ):
        octets = encode_general_ciphering(header, *message[2:])
        refuses(both.server, octets, CodecError)


def test_an_empty_recipient_is_for_broadcast_alone(pair: Any) -> None:
    both = pair(1)
    for choice, there in ((KeyChoice.BROADCAST, True), (KeyChoice.UNICAST, False)):
        header = both.client.context.header(TID)._replace(recipient=b"")
        step = protect_general(
            both.client.context, APDU, header, choice, Protection.BOTH, Use.PROTECT_REQUEST
        )
        octets = both.client.run(step)
        if there:
            assert receive(both.server, octets).apdu == APDU
        else:
            refuses(both.server, octets, CodecError)


def test_an_empty_originator_stands_for_the_peer_if_that_is_admitted(pair: Any) -> None:
    both = pair(1)
    header = both.client.context.header(TID)._replace(originator=b"")
    octets = both.client.run(
        protect_general(
            both.client.context,
            APDU,
            header,
            KeyChoice.UNICAST,
            Protection.BOTH,
            Use.PROTECT_REQUEST,
        )
    )
    both.server.context.security.empty_title = False
    refuses(both.server, octets, CodecError)
    both.server.context.security.empty_title = True
    assert receive(both.server, octets).apdu == APDU


# The security control octet -----------------------------------------------------------------------


@pytest.mark.parametrize("control", [0x30, 0x32, 0x33, 0x3F, 0x71, 0xB1])
def test_wrong_suite_key_set_or_compression(pair: Any, control: int) -> None:
    """R-SC-1, R-SC-2, R-SC-3, R-SC-5: refused before the module is asked."""
    both = pair(1)
    message = decode_general_ciphering(send(both.client, KeyChoice.UNICAST))
    bent = encode_general_ciphering(
        message.header, message.key_info, control, message.counter, message.body
    )
    asked = len(both.server.ops)
    refuses(both.server, bent, CodecError)
    assert len(both.server.ops) == asked


def test_without_protection(pair: Any) -> None:
    """R-SC-4: the form exists, but whether it is taken is configured."""
    both = pair(1)
    octets = send(both.client, KeyChoice.NONE, Protection.NONE)
    assert octets.endswith(bytes.fromhex("00120100000000") + APDU)
    refuses(both.server, octets, CodecError)
    both.server.context.security.unprotected = True
    refuses(both.server, octets, TooWeak, required=Protection.AUTHENTICATED)
    opened = receive(both.server, octets)
    assert (opened.apdu, opened.protection, opened.key_info) == (APDU, Protection.NONE, None)


@pytest.mark.parametrize("choice", OF_ONE_MESSAGE)
def test_a_key_and_nothing_protected_with_it(pair: Any, choice: KeyChoice) -> None:
    both = pair(1)
    both.server.context.security.unprotected = True
    message = decode_general_ciphering(send(both.client, choice))
    bent = encode_general_ciphering(message.header, message.key_info, 0x01, 0, APDU)
    refuses(both.server, bent, CodecError)


@pytest.mark.parametrize("choice", [KeyChoice.UNICAST, KeyChoice.STATIC])
@pytest.mark.parametrize(
    ("protection", "required"),
    [
        (Protection.AUTHENTICATED, Protection.ENCRYPTED),
        (Protection.ENCRYPTED, Protection.AUTHENTICATED),
        (Protection.ENCRYPTED, Protection.BOTH),
    ],
)
def test_too_weak_is_found_before_anything_is_opened(
    pair: Any, choice: KeyChoice, protection: Protection, required: Protection
) -> None:
    both = pair(1)
    octets = send(both.client, choice, protection)
    asked = len(both.server.ops)
    refuses(both.server, octets, TooWeak, required=required)
    assert len(both.server.ops) == asked
    assert receive(both.server, octets, required=protection).apdu == APDU


def test_nothing_inside(pair: Any) -> None:
    both = pair(1)
    for choice in IN_SUITE[1]:
        refuses(both.server, send(both.client, choice, apdu=b"", tid=b"9"), CodecError)
        assert receive(both.server, send(both.client, choice, tid=b"8")).apdu == APDU


# Counters -----------------------------------------------------------------------------------------


def test_global_keys_go_on_where_they_were(pair: Any) -> None:
    both = pair(1)
    both.client.context.security.counters.raise_to(both.client.context.security.guek, 7)
    octets = send(both.client, KeyChoice.UNICAST)
    later = send(both.client, KeyChoice.UNICAST)
    opened = receive(both.server, later)
    assert (opened.counter, opened.floor_before) == (8, 0)
    refuses(both.server, octets, CounterTooLow)
    assert receive(both.server, send(both.client, KeyChoice.BROADCAST)).counter == 0
    both.server.context.security.max_forward_jump = 5
    both.client.context.security.counters.raise_to(both.client.context.security.guek, 20)
    refuses(both.server, send(both.client, KeyChoice.UNICAST), CounterTooFar)


def with_counter(both: Any, choice: KeyChoice, counter: int) -> bytes:
    """A message of the client with its own key and that counter, sealed accordingly."""

    def seal(op: Any) -> Any:
        if type(op).__name__ == "Seal":
            op = op._replace(counter=counter)
        return both.client(op)

    header = both.client.context.header(TID)
    step = protect_general(
        both.client.context, APDU, header, choice, Protection.BOTH, Use.PROTECT_REQUEST
    )
    message = decode_general_ciphering(run(step, seal))
    return encode_general_ciphering(
        message.header, message.key_info, message.control, counter, message.body
    )


@pytest.mark.parametrize("choice", OF_ONE_MESSAGE)
def test_a_key_of_one_message_begins_where_its_sender_likes(pair: Any, choice: KeyChoice) -> None:
    """KL-IC-22; the last value is never accepted (R-IC-4)."""
    both = pair(1)
    assert receive(both.server, with_counter(both, choice, 1)).counter == 1
    both = pair(1)
    both.server.practise(zero_counter=True)
    refuses(both.server, with_counter(both, choice, 1), CounterTooFar)
    both = pair(1)
    assert receive(both.server, with_counter(both, choice, MAXIMUM - 1)).apdu == APDU
    both = pair(1)
    refuses(both.server, with_counter(both, choice, MAXIMUM), CounterTooLow)


# Keys of single messages --------------------------------------------------------------------------


def test_a_nonce_is_sent_once(pair: Any) -> None:
    """KL-PK-05: the same nonce would give the same key, with its counter at 0 again."""
    both = pair(1)
    send(both.client, KeyChoice.STATIC)
    with pytest.raises(LocalProtocolError, match="transaction-id"):
        send(both.client, KeyChoice.STATIC)
    with pytest.raises(LocalProtocolError, match="transaction-id"):
        send(both.client, KeyChoice.STATIC, tid=b"")
    send(both.client, KeyChoice.STATIC, tid=b"another")
    send(both.client, KeyChoice.ONE_PASS)


def test_what_can_no_longer_be_remembered_is_not_accepted(pair: Any) -> None:
    both = pair(1)
    both.server.context.spent = SpentKeys(agreed=Marks(limit=2))
    octets = [send(both.client, KeyChoice.ONE_PASS) for _ in range(3)]
    for one in octets[:2]:
        receive(both.server, one)
    refuses(both.server, octets[2], SpentKeysFull)
    for choice in (KeyChoice.UNICAST, KeyChoice.WRAPPED):
        assert receive(both.server, send(both.client, choice)).apdu == APDU
    both.server.context.spent = both.server.context.spent.without_agreed()
    assert receive(both.server, octets[2]).apdu == APDU


def test_what_was_spent_survives_a_loss_of_power(pair: Any) -> None:
    both = pair(1)
    octets = [send(both.client, choice) for choice in OF_ONE_MESSAGE]
    for one in octets:
        receive(both.server, one)
    kept = both.server.context.spent.snapshot()
    both.server.context.spent = SpentKeys()
    for mark in kept:
        both.server.context.spent.add(mark)
    assert len(both.server.context.spent) == 3
    for one in octets:
        refuses(both.server, one, KeySpent)


def test_two_steps_at_once_with_one_key(pair: Any) -> None:
    """The second to finish loses, whoever began first."""
    both = pair(1)
    octets = send(both.client, KeyChoice.ONE_PASS)
    steps = [open_general(both.server.context, octets, Use.OPEN_REQUEST) for _ in range(2)]
    pending = [next(step) for step in steps]
    done: list[Any] = []
    while len(done) < 2:
        for at, step in enumerate(steps):
            if pending[at] is None:
                continue
            try:
                pending[at] = step.send(both.server(pending[at]))
            except StopIteration as stop:
                done.append(stop.value.apdu)
                pending[at] = None
            except KeySpent:
                done.append(KeySpent)
                pending[at] = None
    assert done == [APDU, KeySpent]


def test_two_messages_at_once_have_keys_of_their_own(pair: Any) -> None:
    """However their steps interleave: the second key must not take the place of the first."""
    both = pair(1)
    octets = [send(both.client, KeyChoice.WRAPPED, apdu=bytes((0xC0, n))) for n in range(2)]
    steps = [open_general(both.server.context, one, Use.OPEN_REQUEST) for one in octets]
    pending: list[Any] = [next(step) for step in steps]
    opened: list[bytes] = []
    while any(pending):
        for at, step in enumerate(steps):
            if pending[at] is not None:
                try:
                    pending[at] = step.send(both.server(pending[at]))
                except StopIteration as stop:
                    opened.append(stop.value.apdu)
                    pending[at] = None
    assert opened == [b"\xc0\0", b"\xc0\1"]


def test_the_signature_is_verified_before_a_key_is_agreed(pair: Any) -> None:
    both = pair(1)
    octets = send(both.client, KeyChoice.ONE_PASS)
    message = decode_general_ciphering(octets)
    assert isinstance(message.key_info, AgreedKey)
    data = message.key_info.data
    for bent in (
        data[:64] + data[64:96] + bytes(32),
        both.server.publics[both.server.agreement_key] + data[64:],
    ):
        key_info = AgreedKey(Scheme.ONE_PASS, bent)
        both.server.ops.clear()
        refuses(
            both.server,
            encode_general_ciphering(message.header, key_info, *message[3:]),
            VerificationFailed,
        )
        kinds = [type(op).__name__ for op in both.server.ops]
        assert kinds == ["Verify", "Discard"]
    both.server.ops.clear()
    receive(both.server, octets)
    assert [type(op).__name__ for op in both.server.ops] == ["Verify", "Agree", "Open", "Discard"]


def test_somebody_else_signed_the_ephemeral_key(pair: Any) -> None:
    both, others = pair(1), pair(1)
    others.client.context.peer_agreement_public = both.client.context.peer_agreement_public
    refuses(both.server, send(others.client, KeyChoice.ONE_PASS), VerificationFailed)


@pytest.mark.parametrize("length", [0, 16, 23, 25, 40])
def test_wrapped_keys_of_another_length(pair: Any, length: int) -> None:
    """KL-KT-02, 03: refused before the module is asked."""
    both = pair(1)
    message = decode_general_ciphering(send(both.client, KeyChoice.WRAPPED))
    bent = encode_general_ciphering(message.header, WrappedKey(bytes(length)), *message[3:])
    asked = len(both.server.ops)
    refuses(both.server, bent, CodecError)
    assert len(both.server.ops) == asked


@pytest.mark.parametrize(
    "key_info",
    [
        AgreedKey(Scheme.ONE_PASS, b""),
        AgreedKey(Scheme.ONE_PASS, bytes(127)),
        AgreedKey(Scheme.ONE_PASS, bytes(192)),
        AgreedKey(Scheme.STATIC, b"\0"),
    ],
)
def test_key_data_of_another_length(pair: Any, key_info: AgreedKey) -> None:
    both = pair(1)
    message = decode_general_ciphering(send(both.client, KeyChoice.ONE_PASS))
    bent = encode_general_ciphering(message.header, key_info, *message[3:])
    refuses(both.server, bent, CodecError)


def test_a_static_key_needs_a_nonce(pair: Any) -> None:
    both = pair(1)
    message = decode_general_ciphering(send(both.client, KeyChoice.STATIC))
    header = message.header._replace(transaction_id=b"")
    refuses(both.server, encode_general_ciphering(header, *message[2:]), CodecError)


def test_both_forms_of_the_algorithm_identifier(pair: Any) -> None:
    for choice in (KeyChoice.ONE_PASS, KeyChoice.STATIC):
        both = pair(1)
        both.client.practise(algorithm_id=AlgorithmIdForm.EARLY_PRINT)
        octets = send(both.client, choice)
        refuses(both.server, octets, VerificationFailed)
        both.server.practise(algorithm_id=AlgorithmIdForm.EARLY_PRINT)
        assert receive(both.server, octets).apdu == APDU


def test_no_key_info(pair: Any) -> None:
    both = pair(1)
    message = decode_general_ciphering(send(both.client, KeyChoice.UNICAST))
    octets = encode_general_ciphering(message.header, None, *message[3:])
    refuses(both.server, octets, CodecError)
    both.server.practise(without_key_info=True)
    assert receive(both.server, octets).family is Family.GLOBAL


# What a context lacks -----------------------------------------------------------------------------

LACKS: dict[KeyChoice, tuple[tuple[str, ...], tuple[str, ...]]] = {
    KeyChoice.WRAPPED: (("kek",), ("kek",)),
    KeyChoice.ONE_PASS: (
        ("signing_key", "peer_agreement_public"),
        ("agreement_key", "peer_signing_public"),
    ),
    KeyChoice.STATIC: (
        ("agreement_key", "peer_agreement_public"),
        ("agreement_key", "peer_agreement_public"),
    ),
}


@pytest.mark.parametrize("choice", LACKS)
def test_a_context_without_what_is_needed(pair: Any, choice: KeyChoice) -> None:
    for name in LACKS[choice][0]:
        both = pair(1)
        setattr(both.client.context, name, None)
        with pytest.raises(LocalProtocolError):
            send(both.client, choice)
        assert both.client.vectors == []
    for name in LACKS[choice][1]:
        both = pair(1)
        setattr(both.server.context, name, None)
        refuses(both.server, send(both.client, choice), CodecError)


@pytest.mark.parametrize("choice", [KeyChoice.UNICAST, KeyChoice.BROADCAST])
def test_a_context_without_the_global_key(pair: Any, choice: KeyChoice) -> None:
    name = "guek" if choice is KeyChoice.UNICAST else "gbek"
    both = pair(1)
    octets = send(both.client, choice)
    for party in (both.client, both.server):
        setattr(party.context.security, name, None)
    refuses(both.server, octets, CodecError)
    with pytest.raises(LocalProtocolError):
        send(both.client, choice)


@pytest.mark.parametrize("choice", [KeyChoice.ONE_PASS, KeyChoice.STATIC])
def test_suite_0_agrees_no_keys(pair: Any, choice: KeyChoice) -> None:
    both = pair(0)
    with pytest.raises(LocalProtocolError):
        send(both.client, choice)
    octets = send(pair(1).client, choice)
    refuses(both.server, octets, CodecError)


@pytest.mark.parametrize(
    ("choice", "protection"),
    [(KeyChoice.NONE, Protection.BOTH), (KeyChoice.UNICAST, Protection.NONE)],
)
def test_a_key_exactly_where_there_is_protection(
    pair: Any, choice: KeyChoice, protection: Protection
) -> None:
    with pytest.raises(LocalProtocolError):
        send(pair(1).client, choice, protection)


def test_without_the_peers_title(pair: Any) -> None:
    both = pair(1)
    octets = send(both.client, KeyChoice.UNICAST)
    for party in (both.client, both.server):
        party.context.security.peer_title = None
    refuses(both.server, octets, CodecError)
    with pytest.raises(LocalProtocolError):
        both.client.context.header(TID)


# Layout -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"transaction_id": bytes(65)},
        {"originator": bytes(7)},
        {"recipient": bytes(9)},
        {"date_time": bytes(11)},
        {"other_information": bytes(256)},
    ],
)
def test_bounds_of_the_header(pair: Any, change: dict[str, bytes]) -> None:
    header = GeneralHeader(TID, b"ORIGINAL", b"RECEIVER")._replace(**change)
    with pytest.raises(CodecError):
        encode_general_ciphering(header, None, 0, 0, b"")
    party = pair(1).client
    step = protect_general(
        party.context, APDU, header, KeyChoice.ONE_PASS, Protection.BOTH, Use.PROTECT_REQUEST
    )
    asked = len(party.ops)
    with pytest.raises(CodecError):
        party.run(step)
    assert len(party.ops) == asked


HEAD = "DD 03 010203 08 4F524947494E414C 08 5245434549564552 00 00"


@pytest.mark.parametrize(
    ("octets", "field"),
    [
        ("", "general-ciphering"),
        ("DC", "general-ciphering"),
        ("DD 41" + "00" * 65 + "00 00 00 00 00 05 0000000000", "transaction-id"),
        ("DD 00 07 00000000000000 00 00 00 00 05 0000000000", "originator-system-title"),
        ("DD 00 00 09 000000000000000000 00 00 00 05 0000000000", "recipient-system-title"),
        ("DD 00 00 00 0B 0000000000000000000000 00 00 05 0000000000", "date-time"),
        ("DD 00 00 00 00 820100" + "00" * 256 + "00 05 0000000000", "other-information"),
        (HEAD + "02 05 0000000000", "key-info"),
        (HEAD + "01 03 05 0000000000", "key-info"),
        (HEAD + "01 00 02 05 0000000000", "key-id"),
        (HEAD + "01 01 01 00 05 0000000000", "kek-id"),
        (HEAD + "01 02 00 00 05 0000000000", "key-parameters"),
        (HEAD + "01 02 01 00 00 05 0000000000", "key-parameters"),
        (HEAD + "01 02 01 03 00 05 0000000000", "key-parameters"),
        (HEAD + "01 02 02 0001 00 05 0000000000", "key-parameters"),
        (HEAD + "01 01 00 81C1" + "00" * 193 + "05 0000000000", "key-ciphered-data"),
        (HEAD + "00 04 00000000", "security-header"),
        (HEAD + "00 06 0000000000", "ciphered-content"),
        (HEAD + "00 05 000000000000", "ciphered-content"),
    ],
)
def test_what_the_layout_refuses(octets: str, field: str) -> None:
    with pytest.raises(CodecError) as caught:
        decode_general_ciphering(bytes.fromhex(octets))
    assert caught.value.field == field
    assert caught.value.offset is not None


def test_a_length_that_is_not_the_shortest_is_authenticated_as_it_stands(pair: Any) -> None:
    """What the sender wrote is what it sealed, and nobody can write it otherwise."""
    both = pair(1)
    octets = send(both.client, KeyChoice.UNICAST)
    assert octets[1] == 8
    longer = octets[:1] + b"\x81" + octets[1:]
    assert decode_general_ciphering(longer).header == decode_general_ciphering(octets).header
    refuses(both.server, longer, VerificationFailed)
    seen = [op for op in both.server.ops if isinstance(op, Open)]
    assert seen[-1].extra[:3] == b"\x81\x08\x01"


@given(octets=st.binary(max_size=300))
@settings(max_examples=300)
def test_any_octets(octets: bytes) -> None:
    for prefix in (b"", b"\xdd", bytes.fromhex(HEAD), bytes.fromhex(HEAD + "01 02 01 01")):
        try:
            message = decode_general_ciphering(prefix + octets)
        except CodecError:
            continue
        again = decode_general_ciphering(
            encode_general_ciphering(
                message.header, message.key_info, message.control, message.counter, message.body
            )
        )
        assert again._replace(header_octets=b"") == message._replace(header_octets=b"")


def test_verification_is_of_the_peers_key(pair: Any) -> None:
    both = pair(2)
    receive(both.server, send(both.client, KeyChoice.ONE_PASS))
    (verify,) = (op for op in both.server.ops if isinstance(op, Verify))
    assert verify.public == both.client.publics[both.client.signing_key]
    assert {ref.kind for ref in both.server.made()} == {KeyKind.EPHEMERAL}
