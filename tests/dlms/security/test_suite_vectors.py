"""Security suites 1 and 2 against published vectors, run by the software module."""

from __future__ import annotations

import json
from hashlib import sha256, sha384
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from dlms.errors import CodecError, DlmsError
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.derivation import other_info
from dlms.security.drive import run
from dlms.security.general_ciphering import (
    AgreedKey,
    Scheme,
    decode_general_ciphering,
    encode_general_ciphering,
)
from dlms.security.general_context import GeneralContext
from dlms.security.general_header import GeneralHeader
from dlms.security.general_protection import open_general
from dlms.security.general_signing import decode_general_signing, open_signed
from dlms.security.key_agreement import Parties, Place, conclude
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import (
    Agree,
    CryptoOp,
    Curve,
    Digest,
    HashFunction,
    Open,
    PublicKey,
    Seal,
    Sign,
    Unwrap,
    Use,
    VerificationFailed,
    Verify,
    Wrap,
)
from dlms.security.protect import SecurityContext, open_ciphered
from dlms.security.suites import SUITES, Algorithm, AlgorithmIdForm
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

FOLDER = Path(__file__).parents[3] / "fixtures" / "vectors"
HOLDER = b"MTR\0\0\0\0\1"


def ref(kind: KeyKind, version: int = 0) -> KeyRef:
    return KeyRef(HOLDER, "vector", kind, version=version)


GUEK, GBEK, GAK, KEK = (
    ref(kind) for kind in (KeyKind.GUEK, KeyKind.GBEK, KeyKind.GAK, KeyKind.KEK)
)
SIGNING, AGREEMENT = ref(KeyKind.SIGNING_KEY), ref(KeyKind.AGREEMENT_KEY)
AGREED = ref(KeyKind.GUEK, 1)


def load(name: str, *kinds: str) -> list[Any]:
    entries = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return [pytest.param(entry, id=entry["name"]) for entry in entries if entry["kind"] in kinds]


class Bench:
    """A software module with keys, by reference."""

    def __init__(self, **keys: str | None) -> None:
        self.keys = KeyRing()
        refs = {
            "ek": GUEK,
            "ak": GAK,
            "kek": KEK,
            "key": AGREED,
            "private": AGREEMENT,
            "signing": SIGNING,
        }
        for name, octets in keys.items():
            if octets is not None:
                self.keys.keep(refs[name], bytes.fromhex(octets))
        self.module = SoftwareModule(self.keys)

    def __call__(self, op: CryptoOp) -> Any:
        return self.module.execute(op)


def octets_of(entry: dict[str, Any], *names: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(entry[name]) for name in names)


# Primitives ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", load("suites", "digest"))
def test_digest(entry: dict[str, Any]) -> None:
    message, expected = octets_of(entry, "message", "digest")
    bench = Bench()
    secret = ref(KeyKind.HLS_SECRET)
    function = HashFunction[entry["function"]]
    assert bench(Digest(Use.ASSOCIATION, function, (message,))) == expected
    bench.keys.keep(secret, message[1:2])
    parts = (message[:1], secret, message[2:])
    assert bench(Digest(Use.ASSOCIATION, function, parts)) == expected


@pytest.mark.parametrize("entry", load("suites", "wrap"))
def test_wrap(entry: dict[str, Any]) -> None:
    (wrapped,) = octets_of(entry, "wrapped")
    bench = Bench(kek=entry["kek"], ek=entry["key"])
    assert bench(Wrap(Use.TRANSFER_KEY, KEK, GUEK)) == wrapped
    bench(Unwrap(Use.TRANSFER_KEY, KEK, wrapped, AGREED))
    assert bench.keys.get(AGREED) == bench.keys.get(GUEK)
    for at in range(len(wrapped)):
        bent = wrapped[:at] + bytes((wrapped[at] ^ 1,)) + wrapped[at + 1 :]
        with pytest.raises(VerificationFailed):
            bench(Unwrap(Use.TRANSFER_KEY, KEK, bent, AGREED))


@pytest.mark.parametrize("entry", load("suites", "gcm"))
def test_gcm_256(entry: dict[str, Any]) -> None:
    """The first octet of the vector's additional data happens to be a security control octet for
    both kinds of protection, so that the vector can be run as it stands."""
    iv, aad, plaintext, ciphertext, tag = octets_of(
        entry, "iv", "aad", "plaintext", "ciphertext", "tag"
    )
    assert aad[0] & Protection.BOTH == Protection.BOTH
    bench = Bench(ek=entry["key"])
    counter = int.from_bytes(iv[8:], "big")
    common = (Use.PROTECT_REQUEST, GUEK, None, aad[0], iv[:8], counter)
    sealed = bench(Seal(*common, plaintext, extra=aad[1:]))
    assert sealed == ciphertext + tag[:12]
    assert bench(Open(*common, sealed, extra=aad[1:])) == plaintext
    with pytest.raises(VerificationFailed):
        bench(Open(*common, sealed, extra=aad[2:]))


@pytest.mark.parametrize("entry", load("suites", "glo"))
def test_service_specific_ciphering(entry: dict[str, Any]) -> None:
    octets, title, plaintext = octets_of(entry, "hex", "title", "plaintext")
    bench = Bench(ek=entry["ek"], ak=entry["ak"])
    context = SecurityContext(
        suite=2,
        own_title=HOLDER,
        peer_title=title,
        counters=InvocationCounters(),
        guek=GUEK,
        gak=GAK,
    )
    opened = run(open_ciphered(context, octets, Use.OPEN_REQUEST), bench)
    assert opened.apdu == plaintext


@pytest.mark.parametrize("entry", load("agreement", "ecdh"))
def test_ecdh(entry: dict[str, Any]) -> None:
    """Z does not leave the module; what is derived from it is compared with what Z gives."""
    public, z = octets_of(entry, "public", "z")
    curve = Curve[entry["curve"]]
    length = {Curve.P256: 16, Curve.P384: 32}[curve]
    bench = Bench(private=entry["private"])
    bench(Agree(Use.AGREE_KEY, AGREEMENT, public, b"info", AGREED, length))
    digest = {Curve.P256: sha256, Curve.P384: sha384}[curve]
    assert bench.keys.get(AGREED) == digest(b"\0\0\0\1" + z + b"info").digest()[:length]


@pytest.mark.parametrize("entry", load("agreement", "kdf"))
def test_derivation(entry: dict[str, Any]) -> None:
    public, party_u, party_v, key = octets_of(entry, "public", "party_u", "party_v", "key")
    nonce = None if entry["nonce"] is None else bytes.fromhex(entry["nonce"])
    form, algorithm = AlgorithmIdForm[entry["form"]], Algorithm[entry["algorithm"]]
    info = other_info(form, algorithm, party_u, party_v, nonce)
    bench = Bench(private=entry["private"])
    bench(Agree(Use.AGREE_KEY, AGREEMENT, public, info, AGREED, len(key)))
    assert bench.keys.get(AGREED) == key


@pytest.mark.parametrize("entry", load("agreement", "agree"))
def test_agreement_with_any_other_info(entry: dict[str, Any]) -> None:
    public, info, key = octets_of(entry, "public", "other_info", "key")
    bench = Bench(private=entry["private"])
    bench(Agree(Use.AGREE_KEY, AGREEMENT, public, info, AGREED, len(key)))
    assert bench.keys.get(AGREED) == key


@pytest.mark.parametrize("entry", load("signing", "ecdsa"))
def test_signature(entry: dict[str, Any]) -> None:
    public, message, signature = octets_of(entry, "public", "message", "signature")
    curve = Curve[entry["curve"]]
    bench = Bench()

    def verify(public: bytes, message: bytes, signature: bytes, curve: Curve = curve) -> None:
        bench(Verify(Use.OPEN_REQUEST, curve, public, message, signature))

    verify(public, message, signature)
    bad = [(public, message + b"\0", signature), (public, message, b""), (b"", message, signature)]
    bad += [(public, message, signature[:-1]), (public, message, b"\0" + signature)]
    half = curve.value
    bad += [
        (public, message, signature[:half] + b"\0" + signature[half:]),
        (public, message, bytes(half) + signature[half:]),
        (public, message, signature[:half] + bytes(half)),
        (public, message, b"\xff" * half + signature[half:]),
        (public, message, signature[half:] + signature[:half]),
        (bytes(2 * half), message, signature),
        (b"\xff" * (2 * half), message, signature),
    ]
    bad += [
        (public, message, signature[:at] + bytes((signature[at] ^ 1,)) + signature[at + 1 :])
        for at in range(2 * half)
    ]
    for bent in bad:
        with pytest.raises(VerificationFailed):
            verify(*bent)
    other = Curve.P384 if curve is Curve.P256 else Curve.P256
    with pytest.raises(VerificationFailed):
        verify(public, message, signature, other)


@pytest.mark.parametrize("entry", load("signing", "pair"))
def test_key_pair(entry: dict[str, Any]) -> None:
    (public,) = octets_of(entry, "public")
    bench = Bench(signing=entry["private"])
    assert bench(PublicKey(Use.CERTIFICATE, SIGNING)) == public
    signature = bench(Sign(Use.PROTECT_REQUEST, SIGNING, b"message"))
    curve = Curve[entry["curve"]]
    assert len(signature) == 2 * curve.value
    bench(Verify(Use.OPEN_REQUEST, curve, public, b"message", signature))


# APDUs --------------------------------------------------------------------------------------------

GENERAL = load("agreement", "general-ciphering")
WORKED = load("agreement", "worked")
KEY_DATA = load("agreement", "key_data")
SIGNED = load("signing", "general-signing")


def context_for(entry: dict[str, Any]) -> GeneralContext:
    """The recipient of a vector."""
    recipient = bytes.fromhex(entry["recipient"]) or HOLDER
    broadcast = entry.get("choice") == "BROADCAST"

    def public(name: str) -> bytes | None:
        return bytes.fromhex(entry[name]) if name in entry else None

    security = SecurityContext(
        suite=entry["suite"],
        own_title=recipient,
        peer_title=bytes.fromhex(entry["originator"]),
        counters=InvocationCounters(),
        guek=None if broadcast else GUEK,
        gbek=GUEK if broadcast else None,
        gak=GAK,
    )
    return GeneralContext(
        security=security,
        scope="vector",
        kek=KEK if "kek" in entry else None,
        agreement_key=AGREEMENT if "private" in entry else None,
        peer_agreement_public=public("peer"),
        peer_signing_public=public("signer") or public("public"),
    )


def bench_for(entry: dict[str, Any]) -> Bench:
    """With the key itself only where the message says which one it is."""
    identified = entry["choice"] in ("UNICAST", "BROADCAST")
    return Bench(
        ek=entry["ek"] if identified else None,
        ak=entry["ak"],
        kek=entry.get("kek"),
        private=entry.get("private"),
    )


def header_of(entry: dict[str, Any]) -> GeneralHeader:
    return GeneralHeader(
        *octets_of(
            entry, "transaction_id", "originator", "recipient", "date_time", "other_information"
        )
    )


@pytest.mark.parametrize("entry", GENERAL)
def test_general_ciphering_layout(entry: dict[str, Any]) -> None:
    (octets,) = octets_of(entry, "hex")
    message = decode_general_ciphering(octets)
    assert message.header == header_of(entry)
    assert message.control == int(entry["control"], 16)
    assert message.counter == int(entry["counter"], 16)
    again = encode_general_ciphering(
        message.header, message.key_info, message.control, message.counter, message.body
    )
    assert again == octets
    for cut in range(len(octets)):
        with pytest.raises(CodecError):
            decode_general_ciphering(octets[:cut])
    with pytest.raises(CodecError):
        decode_general_ciphering(octets + b"\0")


@pytest.mark.parametrize("entry", GENERAL)
def test_general_ciphering_opens(entry: dict[str, Any]) -> None:
    octets, plaintext = octets_of(entry, "hex", "plaintext")
    context = context_for(entry)
    opened = run(open_general(context, octets, Use.OPEN_REQUEST), bench_for(entry))
    assert opened.apdu == plaintext
    assert opened.header == header_of(entry)
    assert opened.protection == int(entry["control"], 16) & Protection.BOTH
    with pytest.raises(DlmsError):
        run(open_general(context, octets, Use.OPEN_REQUEST), bench_for(entry))


@pytest.mark.parametrize("entry", GENERAL)
def test_every_octet_matters(entry: dict[str, Any]) -> None:
    """Each octet changed, in turn: refused, and nothing of ours changes; but with encryption alone
    only the plaintext is wrong, for there is nothing to tell it by."""
    octets, plaintext = octets_of(entry, "hex", "plaintext")
    context = context_for(entry)
    bench = bench_for(entry)
    tagless = not int(entry["control"], 16) & Protection.AUTHENTICATED
    for at in range(len(octets)):
        bent = octets[:at] + bytes((octets[at] ^ 0x01,)) + octets[at + 1 :]
        fresh = context_for(entry) if tagless else context
        try:
            opened = run(open_general(fresh, bent, Use.OPEN_REQUEST), bench)
        except DlmsError:
            continue
        assert tagless
        assert opened.apdu != plaintext or opened.header != header_of(entry)
    assert run(open_general(context, octets, Use.OPEN_REQUEST), bench).apdu == plaintext


@pytest.mark.parametrize("entry", WORKED)
def test_worked_examples(entry: dict[str, Any]) -> None:
    """Layout, signature, key and ciphertext of the book's examples. AES-GCM enciphers in counter
    mode from block 2, which is compared here; about the printed tags see the vectors."""
    octets, plaintext, key = octets_of(entry, "hex", "plaintext", "key")
    message = decode_general_ciphering(octets)
    assert isinstance(message.key_info, AgreedKey)
    scheme = Scheme[entry["scheme"]]
    assert message.key_info.scheme is scheme
    assert (message.control, message.counter) == (0x31, 0)
    header = message.header
    bench = Bench(private=entry["private"])
    if scheme is Scheme.ONE_PASS:
        public, signature = message.key_info.data[:64], message.key_info.data[64:]
        signer = bytes.fromhex(entry["signer"])
        bench(Verify(Use.AGREE_KEY, Curve.P256, signer, public, signature))
        nonce = None
    else:
        assert message.key_info.data == b""
        public, nonce = bytes.fromhex(entry["peer"]), header.transaction_id
    info = other_info(
        AlgorithmIdForm.REGISTERED, SUITES[1].cipher, header.originator, header.recipient, nonce
    )
    bench(Agree(Use.AGREE_KEY, AGREEMENT, public, info, AGREED, SUITES[1].key_length))
    assert bench.keys.get(AGREED) == key
    iv = header.originator + message.counter.to_bytes(4, "big")
    stream = Cipher(algorithms.AES(key), modes.CTR(iv + b"\0\0\0\2")).encryptor()
    assert message.body[:-12] == stream.update(plaintext)
    sealed = bench(Seal(Use.PROTECT_REQUEST, AGREED, None, 0x21, header.originator, 0, plaintext))
    assert sealed == message.body[:-12]


@pytest.mark.parametrize("entry", WORKED)
def test_worked_examples_cut_anywhere(entry: dict[str, Any]) -> None:
    (octets,) = octets_of(entry, "hex")
    for cut in range(len(octets)):
        with pytest.raises(CodecError):
            decode_general_ciphering(octets[:cut])


@pytest.mark.parametrize("entry", SIGNED)
def test_general_signing(entry: dict[str, Any]) -> None:
    octets, content = octets_of(entry, "hex", "content")
    context = context_for(entry)
    bench = Bench()
    signed = run(open_signed(context, octets, Use.OPEN_REQUEST), bench)
    assert signed.apdu == content
    assert signed.header == header_of(entry)
    for cut in range(len(octets)):
        with pytest.raises(CodecError):
            decode_general_signing(octets[:cut])
    with pytest.raises(CodecError):
        decode_general_signing(octets + b"\0")
    for at in range(len(octets)):
        bent = octets[:at] + bytes((octets[at] ^ 0x01,)) + octets[at + 1 :]
        with pytest.raises(DlmsError):
            run(open_signed(context, bent, Use.OPEN_REQUEST), bench)


@pytest.mark.parametrize("entry", KEY_DATA)
def test_key_data(entry: dict[str, Any]) -> None:
    """The server's side of the book's example, with the pair that it has there."""
    pairs = json.loads((FOLDER / "agreement.json").read_text("utf-8"))
    unified = next(pair for pair in pairs if pair["name"].startswith("ephemeral unified model"))
    (key_data,) = octets_of(entry, "hex")
    party_u, party_v, key = octets_of(unified, "party_u", "party_v", "key")
    bench = Bench(private=unified["private"])
    parties = Parties(
        suite=1,
        client_title=party_u,
        server_title=party_v,
        signing_key=SIGNING,
        peer_signing_public=bytes.fromhex(entry["signer"]),
        algorithm_id=AlgorithmIdForm.EARLY_PRINT,
    )
    for at in range(len(key_data)):
        bent = key_data[:at] + bytes((key_data[at] ^ 0x01,)) + key_data[at + 1 :]
        bench = Bench(private=unified["private"])
        with pytest.raises(VerificationFailed):
            run(conclude(parties, entry["key_id"], Place(AGREEMENT, AGREED), bent), bench)
    bench = Bench(private=unified["private"])
    run(conclude(parties, entry["key_id"], Place(AGREEMENT, AGREED), key_data), bench)
    assert bench.keys.get(AGREED) == key


def test_there_are_enough() -> None:
    names = ("suites", "agreement", "signing")
    entries = [one for name in names for one in json.loads((FOLDER / f"{name}.json").read_text())]
    assert len(entries) >= 60
    assert sum(entry["source"].startswith("definition") for entry in entries) < len(entries) / 2
