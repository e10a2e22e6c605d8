"""What every Cryptographic Module must do, whoever makes it.

Results are compared with AES-GCM of ``cryptography`` put together here, and with published vectors.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import (
    CryptoFailure,
    Discard,
    GenerateKey,
    KeyUnavailable,
    Mac,
    Match,
    Open,
    Present,
    Random,
    Seal,
    Unwrap,
    Use,
    VerificationFailed,
    Wrap,
)
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import InitiateRequest
from emulator.modules.module import CryptoModule
from emulator.policy import ModuleClass

# Green Book Ed. 8, Tables 38 to 40 and 43.
EK_OCTETS = bytes(range(16))
AK_OCTETS = bytes(range(0xD0, 0xE0))
TITLE = bytes.fromhex("4D4D4D0000BC614E")
COUNTER = 0x01234567
GET_REQUEST = bytes.fromhex("C0010000080000010000FF0200")

HOLDER = TITLE
EK = KeyRef(HOLDER, "a", KeyKind.GUEK)
AK = KeyRef(HOLDER, "a", KeyKind.GAK)
OTHER_EK = KeyRef(HOLDER, "b", KeyKind.GUEK)
OTHER_AK = KeyRef(HOLDER, "b", KeyKind.GAK)
KEK = KeyRef(HOLDER, "a", KeyKind.KEK)
OTHER_KEK = KeyRef(HOLDER, "b", KeyKind.KEK)
CARGO = KeyRef(HOLDER, "a", KeyKind.TOKEN)
SECRET = KeyRef(HOLDER, "reader", KeyKind.LLS_SECRET)
MISSING = KeyRef(HOLDER, "nowhere", KeyKind.GUEK, version=7)
FRESH = KeyRef(HOLDER, "a", KeyKind.GUEK, version=1)
DEDICATED = KeyRef(HOLDER, "a#1", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION, 1)
KEYS: dict[KeyRef, bytes] = {
    EK: EK_OCTETS,
    AK: AK_OCTETS,
    OTHER_EK: bytes(range(0x20, 0x30)),
    OTHER_AK: bytes(range(0x60, 0x70)),
    # RFC 3394, 4.1
    KEK: bytes.fromhex("000102030405060708090A0B0C0D0E0F"),
    OTHER_KEK: bytes(range(0x80, 0x90)),
    CARGO: bytes.fromhex("00112233445566778899AABBCCDDEEFF"),
    SECRET: b"12345678",
}
WRAPPED = bytes.fromhex("1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5")

PROTECTIONS = {"authenticated": 0x10, "encrypted": 0x20, "both": 0x30}
PAYLOADS = (b"\xc0", GET_REQUEST, bytes(range(16)), bytes(1000))


@pytest.fixture
def module(make: Callable[..., CryptoModule]) -> CryptoModule:
    return make(KEYS)


def expected(
    control: int,
    payload: bytes,
    *,
    ek: bytes = EK_OCTETS,
    ak: bytes | None = AK_OCTETS,
    title: bytes = TITLE,
    counter: int = COUNTER,
) -> bytes:
    """GB Ed. 8, Table 38, put together from AES-GCM and AES-CTR alone."""
    iv = title + counter.to_bytes(4, "big")
    if control & 0x30 == 0x20:
        # GCM enciphers with CTR whose first block counter is 2 (NIST SP 800-38D, 7.1).
        ctr = Cipher(algorithms.AES(ek), modes.CTR(iv + b"\0\0\0\2")).encryptor()
        return ctr.update(payload) + ctr.finalize()
    aad = bytes((control,)) + (ak or b"")
    if control & 0x30 == 0x10:
        return AESGCM(ek).encrypt(iv, b"", aad + payload)[:12]
    return AESGCM(ek).encrypt(iv, payload, aad)[:-4]


def seal(control: int, payload: Any = GET_REQUEST, **changes: Any) -> Seal:
    ak = AK if control & 0x10 else None
    return Seal(Use.PROTECT_REQUEST, EK, ak, control, TITLE, COUNTER, payload)._replace(**changes)


def opener(control: int, body: bytes, **changes: Any) -> Open:
    ak = AK if control & 0x10 else None
    return Open(Use.OPEN_REQUEST, EK, ak, control, TITLE, COUNTER, body)._replace(**changes)


def body_of(control: int, payload: bytes, sealed: bytes) -> bytes:
    """What follows the security header on the wire."""
    return payload + sealed if control & 0x30 == 0x10 else sealed


# Sealing and opening ------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", PAYLOADS, ids=len)
@pytest.mark.parametrize("control", PROTECTIONS.values(), ids=PROTECTIONS.keys())
def test_seal_and_open_agree_with_aes_gcm(
    module: CryptoModule, control: int, payload: bytes
) -> None:
    sealed = module.execute(seal(control, payload))
    assert sealed == expected(control, payload)
    assert module.execute(opener(control, body_of(control, payload, sealed))) == payload


@pytest.mark.parametrize(
    ("control", "result"),
    [
        (0x10, "06725D910F9221D263877516"),
        (0x20, "411312FF935A47566827C467BC"),
        (0x30, "411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B"),
    ],
    ids=PROTECTIONS.keys(),
)
def test_green_book_table_40(module: CryptoModule, control: int, result: str) -> None:
    assert module.execute(seal(control)).hex().upper() == result
    body = body_of(control, GET_REQUEST, bytes.fromhex(result))
    assert module.execute(opener(control, body)) == GET_REQUEST


@pytest.mark.parametrize("control", [0x10, 0x30], ids=["authenticated", "both"])
def test_every_octet_of_an_authenticated_body_matters(module: CryptoModule, control: int) -> None:
    body = body_of(control, GET_REQUEST, module.execute(seal(control)))
    for at in range(len(body)):
        bent = body[:at] + bytes((body[at] ^ 0x01,)) + body[at + 1 :]
        with pytest.raises(VerificationFailed):
            module.execute(opener(control, bent))
    for length in range(len(body)):
        with pytest.raises(VerificationFailed):
            module.execute(opener(control, body[:length]))
    with pytest.raises(VerificationFailed):
        module.execute(opener(control, body + b"\0"))
    assert module.execute(opener(control, body)) == GET_REQUEST


@pytest.mark.parametrize(
    "changes",
    [
        {"ek": OTHER_EK},
        {"ak": OTHER_AK},
        {"ak": None},
        {"title": b"4D4D4D00"},
        {"counter": COUNTER + 1},
    ],
    ids=["ek", "ak", "no ak", "title", "counter"],
)
@pytest.mark.parametrize("control", [0x10, 0x30], ids=["authenticated", "both"])
def test_wrong_key_title_or_counter(
    module: CryptoModule, control: int, changes: dict[str, Any]
) -> None:
    body = body_of(control, GET_REQUEST, module.execute(seal(control)))
    with pytest.raises(VerificationFailed):
        module.execute(opener(control, body, **changes))


def test_control_octet_is_authenticated(module: CryptoModule) -> None:
    """The suite bits change nothing but the associated data: that must be enough to notice."""
    body = module.execute(seal(0x30))
    with pytest.raises(VerificationFailed):
        module.execute(opener(0x31, body))


@pytest.mark.parametrize(
    "changes",
    [{"ek": OTHER_EK}, {"title": b"4D4D4D00"}, {"counter": COUNTER + 1}],
    ids=["ek", "title", "counter"],
)
def test_encryption_alone_gives_nonsense_with_the_wrong_parameters(
    module: CryptoModule, changes: dict[str, Any]
) -> None:
    """No tag, nothing to verify: the result is wrong, not refused."""
    body = module.execute(seal(0x20))
    opened = module.execute(opener(0x20, body, **changes))
    assert len(opened) == len(GET_REQUEST)
    assert opened != GET_REQUEST


def test_encryption_alone_of_nothing(module: CryptoModule) -> None:
    assert module.execute(seal(0x20, b"")) == b""
    assert module.execute(opener(0x20, b"")) == b""


@pytest.mark.parametrize("op", [seal(0x30, ek=MISSING), opener(0x30, bytes(20), ek=MISSING)])
def test_missing_encryption_key(module: CryptoModule, op: Any) -> None:
    with pytest.raises(KeyUnavailable):
        module.execute(op)


@pytest.mark.parametrize("op", [seal(0x30, ak=MISSING), opener(0x30, bytes(20), ak=MISSING)])
def test_missing_authentication_key(module: CryptoModule, op: Any) -> None:
    with pytest.raises(KeyUnavailable):
        module.execute(op)


def test_a_key_inside_a_payload(module: CryptoModule) -> None:
    """The module puts the octets in: the caller never had them."""
    module.execute(GenerateKey(Use.ASSOCIATION, DEDICATED, 16))
    key = aes_key_unwrap(KEYS[KEK], module.execute(Wrap(Use.TRANSFER_KEY, KEK, DEDICATED)))
    sealed = module.execute(seal(0x30, (b"\x01\x01\x10", DEDICATED, b"\x00\x00")))
    assert sealed == expected(0x30, b"\x01\x01\x10" + key + b"\x00\x00")
    with pytest.raises(KeyUnavailable):
        module.execute(seal(0x30, (b"\x01\x01\x10", MISSING)))


# GMAC ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "counter", "challenge", "tag"),
    [
        ("4D4D4D0000000001", 1, b"P6wRJ21F", "1A52FE7DD3E72748973C1E28"),
        ("4D4D4D0000BC614E", 0x01234567, b"K56iVagY", "FE1466AFB3DBCD4F9389E2B7"),
    ],
    ids=["f(StoC) of the client", "f(CtoS) of the server"],
)
def test_green_book_table_43(
    module: CryptoModule, title: str, counter: int, challenge: bytes, tag: str
) -> None:
    op = Mac(Use.ASSOCIATION, EK, AK, 0x10, bytes.fromhex(title), counter, challenge)
    assert module.execute(op).hex().upper() == tag


def test_mac_without_an_authentication_key(module: CryptoModule) -> None:
    op = Mac(Use.TOKEN, EK, None, 0x10, TITLE, 5, b"message")
    assert module.execute(op) == expected(0x10, b"message", ak=None, counter=5)


def test_mac_with_a_missing_key(module: CryptoModule) -> None:
    for op in (
        Mac(Use.ASSOCIATION, MISSING, AK, 0x10, TITLE, 1, b"message"),
        Mac(Use.ASSOCIATION, EK, MISSING, 0x10, TITLE, 1, b"message"),
    ):
        with pytest.raises(KeyUnavailable):
            module.execute(op)


# Key wrap -----------------------------------------------------------------------------------------


def test_wrap_rfc_3394(module: CryptoModule) -> None:
    assert module.execute(Wrap(Use.TRANSFER_KEY, KEK, CARGO)) == WRAPPED


def test_unwrap_rfc_3394(module: CryptoModule) -> None:
    assert module.execute(Unwrap(Use.TRANSFER_KEY, KEK, WRAPPED, FRESH)) is None
    assert module.execute(seal(0x30, ek=FRESH)) == expected(0x30, GET_REQUEST, ek=KEYS[CARGO])


def test_unwrap_replaces_the_key_that_was_there(module: CryptoModule) -> None:
    """Also for what has been prepared from the former key."""
    module.execute(seal(0x30))
    module.execute(Unwrap(Use.TRANSFER_KEY, KEK, WRAPPED, EK))
    assert module.execute(seal(0x30)) == expected(0x30, GET_REQUEST, ek=KEYS[CARGO])


@pytest.mark.parametrize("control", [0x10, 0x30])
def test_a_new_authentication_key_is_used_from_its_arrival_on(
    module: CryptoModule, control: int
) -> None:
    before = module.execute(seal(control))
    assert before == expected(control, GET_REQUEST)
    assert module.execute(Unwrap(Use.TRANSFER_KEY, KEK, WRAPPED, AK)) is None
    after = module.execute(seal(control))
    assert after == expected(control, GET_REQUEST, ak=KEYS[CARGO]) != before
    with pytest.raises(VerificationFailed):
        module.execute(opener(control, body_of(control, GET_REQUEST, before)))
    module.execute(Discard(Use.ASSOCIATION, AK))
    with pytest.raises(KeyUnavailable):
        module.execute(seal(control))


def test_the_authentication_key_goes_with_each_operation(module: CryptoModule) -> None:
    """One encryption key with one authentication key after the other, and by each control octet."""
    for _ in range(2):
        for ak in (AK, OTHER_AK, None):
            for control in (0x10, 0x30):
                octets = None if ak is None else KEYS[ak]
                sealed = module.execute(seal(control, ak=ak))
                assert sealed == expected(control, GET_REQUEST, ak=octets)
                body = body_of(control, GET_REQUEST, sealed)
                assert module.execute(opener(control, body, ak=ak)) == GET_REQUEST


def test_every_bit_of_a_wrapped_key_matters(module: CryptoModule) -> None:
    number = int.from_bytes(WRAPPED, "big")
    for bit in range(len(WRAPPED) * 8):
        bent = (number ^ 1 << bit).to_bytes(len(WRAPPED), "big")
        with pytest.raises(VerificationFailed):
            module.execute(Unwrap(Use.TRANSFER_KEY, KEK, bent, FRESH))
    with pytest.raises(KeyUnavailable):
        module.execute(seal(0x30, ek=FRESH))


@pytest.mark.parametrize("wrapped", [b"", bytes(7), bytes(8), bytes(16), WRAPPED[:-1], bytes(32)])
def test_unwrap_of_another_length(module: CryptoModule, wrapped: bytes) -> None:
    with pytest.raises(VerificationFailed):
        module.execute(Unwrap(Use.TRANSFER_KEY, KEK, wrapped, FRESH))


@pytest.mark.parametrize("length", [40, 48, 64])
def test_what_is_wrapped_well_and_no_key(module: CryptoModule, length: int) -> None:
    """AES has keys of 16, 24 and 32 octets."""
    wrapped = aes_key_wrap(KEYS[KEK], b"k" * length)
    with pytest.raises(VerificationFailed):
        module.execute(Unwrap(Use.TRANSFER_KEY, KEK, wrapped, FRESH))
    with pytest.raises(KeyUnavailable):
        module.execute(seal(0x30, ek=FRESH))


def test_unwrap_under_the_wrong_key(module: CryptoModule) -> None:
    with pytest.raises(VerificationFailed):
        module.execute(Unwrap(Use.TRANSFER_KEY, OTHER_KEK, WRAPPED, FRESH))
    for missing in (MISSING, KEK._replace(version=7)):
        with pytest.raises(KeyUnavailable):
            module.execute(Unwrap(Use.TRANSFER_KEY, missing, WRAPPED, FRESH))


def test_only_a_master_key_wraps(module: CryptoModule) -> None:
    """What wraps and deciphers would give away the octets of every key that is wrapped."""
    wrapped = aes_key_wrap(KEYS[OTHER_EK], KEYS[CARGO])
    for op in (
        Wrap(Use.TRANSFER_KEY, EK, CARGO),
        Wrap(Use.TRANSFER_KEY, AK, CARGO),
        Unwrap(Use.TRANSFER_KEY, OTHER_EK, wrapped, FRESH),
    ):
        with pytest.raises(KeyUnavailable, match="not a key for this"):
            module.execute(op)


def test_unwrap_refuses_a_key_that_serves_already(module: CryptoModule) -> None:
    wrapped = aes_key_wrap(KEYS[KEK], AK_OCTETS)
    with pytest.raises(VerificationFailed):
        module.execute(Unwrap(Use.TRANSFER_KEY, KEK, wrapped, FRESH, (EK, AK)))
    with pytest.raises(KeyUnavailable):
        module.execute(seal(0x30, ek=FRESH))
    # The same key is good where nothing says what it must not be.
    module.execute(Unwrap(Use.TRANSFER_KEY, KEK, wrapped, FRESH, (EK, OTHER_AK)))
    assert module.execute(seal(0x30, ek=FRESH)) == expected(0x30, GET_REQUEST, ek=AK_OCTETS)


def test_wrap_with_a_missing_key(module: CryptoModule) -> None:
    for op in (Wrap(Use.TRANSFER_KEY, MISSING, CARGO), Wrap(Use.TRANSFER_KEY, KEK, MISSING)):
        with pytest.raises(KeyUnavailable):
            module.execute(op)


# The life of a key --------------------------------------------------------------------------------


def test_generated_keys_are_new_each_time(module: CryptoModule) -> None:
    seen = set()
    for _ in range(3):
        assert module.execute(GenerateKey(Use.ASSOCIATION, DEDICATED, 16)) is None
        wrapped = module.execute(Wrap(Use.TRANSFER_KEY, KEK, DEDICATED))
        key = aes_key_unwrap(KEYS[KEK], wrapped)
        assert len(key) == 16
        # What was prepared from the key before must be gone.
        sealed = module.execute(seal(0x20, ek=DEDICATED))
        assert sealed == expected(0x20, GET_REQUEST, ek=key)
        seen.add(key)
    assert len(seen) == 3


def test_a_discarded_key_is_gone(module: CryptoModule) -> None:
    module.execute(GenerateKey(Use.ASSOCIATION, DEDICATED, 16))
    module.execute(seal(0x20, ek=DEDICATED))
    assert module.execute(Discard(Use.ASSOCIATION, DEDICATED)) is None
    for op in (
        seal(0x20, ek=DEDICATED),
        opener(0x20, b"x", ek=DEDICATED),
        opener(0x30, bytes(20), ek=DEDICATED),
        Mac(Use.ASSOCIATION, DEDICATED, None, 0x10, TITLE, 1, b"m"),
        Wrap(Use.TRANSFER_KEY, KEK, DEDICATED),
        seal(0x30, (b"\1", DEDICATED)),
    ):
        with pytest.raises(KeyUnavailable):
            module.execute(op)


def test_discarding_an_unknown_key_is_no_failure(module: CryptoModule) -> None:
    assert module.execute(Discard(Use.ASSOCIATION, MISSING)) is None


@pytest.mark.parametrize("name", ["EK", "AK"])
def test_a_discarded_key_of_a_live_cipher_is_gone(module: CryptoModule, name: str) -> None:
    module.execute(seal(0x30))
    module.execute(Discard(Use.TRANSFER_KEY, {"EK": EK, "AK": AK}[name]))
    with pytest.raises(KeyUnavailable):
        module.execute(seal(0x30))


# Dedicated keys -----------------------------------------------------------------------------------


def initiate(key: bytes | None) -> bytes:
    return InitiateRequest(
        conformance=Conformance.GET, client_max_receive_pdu_size=1024, dedicated_key=key
    ).encode()


def test_a_dedicated_key_is_lifted_and_blanked(module: CryptoModule) -> None:
    key = os.urandom(16)
    body = expected(0x30, initiate(key))
    opened = module.execute(opener(0x30, body, lift=DEDICATED))
    assert key not in opened
    assert opened == initiate(bytes(16))
    sealed = module.execute(seal(0x20, ek=DEDICATED))
    assert sealed == expected(0x20, GET_REQUEST, ek=key)


def test_nothing_is_lifted_from_a_bent_message(module: CryptoModule) -> None:
    body = bytearray(expected(0x30, initiate(os.urandom(16))))
    body[-1] ^= 1
    with pytest.raises(VerificationFailed):
        module.execute(opener(0x30, bytes(body), lift=DEDICATED))
    with pytest.raises(KeyUnavailable):
        module.execute(seal(0x20, ek=DEDICATED))


@pytest.mark.parametrize("other", [EK, AK], ids=["GUEK", "GAK"])
def test_a_global_key_is_no_dedicated_one(module: CryptoModule, other: KeyRef) -> None:
    """KL-PR-13, I1: it would begin to count anew under a key in use."""
    body = expected(0x30, initiate(KEYS[other]))
    with pytest.raises(VerificationFailed, match="global"):
        module.execute(opener(0x30, body, lift=DEDICATED))
    with pytest.raises(KeyUnavailable):
        module.execute(seal(0x20, ek=DEDICATED))


@pytest.mark.parametrize(
    "plaintext",
    [initiate(None), GET_REQUEST, b"\x01\x01\x10short", b"\x01"],
    ids=["no key", "no InitiateRequest", "cut short", "one octet"],
)
def test_where_there_is_no_key_nothing_changes(module: CryptoModule, plaintext: bytes) -> None:
    opened = module.execute(opener(0x30, expected(0x30, plaintext), lift=DEDICATED))
    assert opened == plaintext
    with pytest.raises(KeyUnavailable):
        module.execute(seal(0x20, ek=DEDICATED))


# Secrets and random numbers -----------------------------------------------------------------------


def test_present_and_match(module: CryptoModule) -> None:
    assert module.execute(Present(Use.ASSOCIATION, SECRET)) == KEYS[SECRET]
    assert module.execute(Match(Use.ASSOCIATION, SECRET, KEYS[SECRET])) is True


@pytest.mark.parametrize(
    "presented", [b"", b"1234567", b"123456789", b"12345679", b"\xff" * 8, b"12345678\0"]
)
def test_match_is_exact(module: CryptoModule, presented: bytes) -> None:
    assert module.execute(Match(Use.ASSOCIATION, SECRET, presented)) is False


def test_a_missing_secret(module: CryptoModule) -> None:
    gone = SECRET._replace(scope="nobody")
    for op in (Present(Use.ASSOCIATION, gone), Match(Use.ASSOCIATION, gone, b"")):
        with pytest.raises(KeyUnavailable):
            module.execute(op)


def test_random(module: CryptoModule) -> None:
    drawn = {module.execute(Random(Use.ASSOCIATION, 16)) for _ in range(8)}
    assert len(drawn) == 8
    assert {len(octets) for octets in drawn} == {16}
    assert module.execute(Random(Use.ASSOCIATION, 0)) == b""


# What it says of itself ---------------------------------------------------------------------------


def test_it_says_what_it_is(module: CryptoModule) -> None:
    assert module.name
    assert isinstance(module.module_class, ModuleClass)
    assert module.module_class is not ModuleClass.NONE
    assert isinstance(module.blocks, bool)


def test_no_key_octets_in_what_it_shows(module: CryptoModule) -> None:
    """Nor in its failures."""
    shown = [repr(module), str(module)]
    for op in (
        seal(0x30, ek=MISSING),
        opener(0x30, bytes(40)),
        Unwrap(Use.TRANSFER_KEY, KEK, bytes(24), FRESH),
        Unwrap(Use.TRANSFER_KEY, KEK, WRAPPED, FRESH, (CARGO,)),
    ):
        with pytest.raises(CryptoFailure) as caught:
            module.execute(op)
        shown += [str(caught.value), repr(caught.value), repr(op)]
    text = "\n".join(shown)
    for octets in KEYS.values():
        for form in (octets.hex(), octets.hex().upper(), repr(octets), str(octets)):
            assert form not in text
