"""Where keys are in a token, what may leave it, and how many there are at once."""

from __future__ import annotations

from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from pkcs11 import Attribute, ObjectClass

from dlms.security import ops
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import Curve, KeyUnavailable, OperationRefused, Use, VerificationFailed
from emulator.modules.keyring import KeyRing
from emulator.modules.pkcs11 import capabilities, key_pairs, secret_keys
from emulator.modules.pkcs11.kept import DESTROYED, WrappedInMemory
from emulator.modules.pkcs11.module import Pkcs11Module
from emulator.modules.pkcs11.residents import STORAGE
from emulator.modules.software import SoftwareModule

METER = b"ACL\x13\0\0\0\1"


def ref(kind: KeyKind, version: int = 0, short: bool = False) -> KeyRef:
    lifetime = KeyLifetime.SINGLE_ASSOCIATION if short else KeyLifetime.LONG_LIVED
    return KeyRef(METER, "s1sp", kind, lifetime, version)


GUEK, GAK, KEK = (ref(kind) for kind in (KeyKind.GUEK, KeyKind.GAK, KeyKind.KEK))
DEDICATED, EPHEMERAL = ref(KeyKind.DEDICATED, 1, True), ref(KeyKind.EPHEMERAL, 1, True)
SIGNING, TLS = ref(KeyKind.SIGNING_KEY), ref(KeyKind.TLS_PRIVATE_KEY)


def seal(ek: KeyRef, ak: KeyRef | None = None, payload: Any = b"payload") -> ops.Seal:
    return ops.Seal(Use.ASSOCIATION, ek, ak, 0x30, METER, 1, payload)


def objects(module: Pkcs11Module, kind: ObjectClass = ObjectClass.SECRET_KEY) -> list[Any]:
    """All that are in the token and in its session."""
    return module.token.run(
        lambda connection: list(connection.session.get_objects({Attribute.CLASS: kind}))
    )


def attributes(module: Pkcs11Module, kind: ObjectClass) -> list[dict[str, Any]]:
    names = ["LABEL", "TOKEN"]
    if kind is not ObjectClass.PUBLIC_KEY:
        names += ["SENSITIVE", "EXTRACTABLE"]
    found = objects(module, kind)
    return module.token.run(
        lambda connection: [{name: one[Attribute[name]] for name in names} for one in found]
    )


# What may leave -----------------------------------------------------------------------------------


def test_what_stays_never_leaves(made: Any) -> None:
    module = Pkcs11Module(made.open())
    found = attributes(module, ObjectClass.SECRET_KEY)
    assert {one["LABEL"] for one in found} == {
        "cosemlab scope s1sp",
        "cosemlab scope store of S1SP",
        STORAGE,
    }
    for one in found:
        assert (one["TOKEN"], one["SENSITIVE"], one["EXTRACTABLE"]) == (True, True, False)


@pytest.mark.parametrize(
    ("key", "readable", "extractable"),
    [
        (GUEK, False, False),
        (KEK, False, False),
        (ref(KeyKind.TOKEN), False, False),
        (ref(KeyKind.HLS_SECRET), False, False),
        (GAK, True, True),
        (ref(KeyKind.LLS_SECRET), True, True),
        (ref(KeyKind.GUEK, 1), False, False),
        (ref(KeyKind.KEK, 1), False, False),
        (DEDICATED, True, True),
        (EPHEMERAL, False, True),
    ],
    ids=str,
)
def test_what_a_key_in_use_may(made: Any, key: KeyRef, readable: bool, extractable: bool) -> None:
    """Only what must be is readable, and only what was made to be handed over can be wrapped."""
    module = Pkcs11Module(made.open())
    if key.version:
        module.execute(ops.GenerateKey(Use.TRANSFER_KEY, key, 16))
    else:
        module.execute(ops.Discard(Use.TRANSFER_KEY, ref(KeyKind.GUEK, 9)))
    use: ops.CryptoOp = {
        KeyKind.KEK: ops.Unwrap(Use.TRANSFER_KEY, key, aes_key_wrap(bytes(16), b"k" * 16), GUEK),
        KeyKind.GAK: seal(GUEK, key),
        KeyKind.HLS_SECRET: ops.Digest(Use.ASSOCIATION, ops.HashFunction.SHA256, (key,)),
        KeyKind.LLS_SECRET: ops.Present(Use.ASSOCIATION, key),
    }.get(key.kind, seal(key))
    try:
        module.execute(use)
    except VerificationFailed:
        assert key.kind is KeyKind.KEK
    sessions = [one for one in attributes(module, ObjectClass.SECRET_KEY) if not one["TOKEN"]]
    if key.kind is KeyKind.GAK:
        assert len(sessions) == 2
        sessions = [one for one in sessions if not one["SENSITIVE"]]
    (one,) = sessions
    assert (not one["SENSITIVE"], one["EXTRACTABLE"]) == (readable, extractable)


@pytest.mark.parametrize("key", [SIGNING, ref(KeyKind.AGREEMENT_KEY), TLS], ids=str)
@pytest.mark.parametrize("lasting", [True, False])
def test_private_keys_never_leave(made: Any, key: KeyRef, lasting: bool) -> None:
    module = Pkcs11Module(made.open(), suite_of=lambda ref: 1)
    if not lasting:
        key = key._replace(lifetime=KeyLifetime.SINGLE_ASSOCIATION)
    module.execute(ops.GenerateKeyPair(Use.CERTIFICATE, key, Curve.P384))
    (one,) = attributes(module, ObjectClass.PRIVATE_KEY)
    assert (one["SENSITIVE"], one["EXTRACTABLE"], one["TOKEN"]) == (True, False, lasting)
    publics = attributes(module, ObjectClass.PUBLIC_KEY)
    assert [one["LABEL"] for one in publics] == ([f"cosemlab {key}"] if lasting else [])


def test_a_key_that_stays_in_the_token_is_in_no_payload(made: Any) -> None:
    module = Pkcs11Module(made.open())
    for key in (KEK, GUEK, ref(KeyKind.HLS_SECRET)):
        with pytest.raises(KeyUnavailable, match="does not leave the token"):
            module.execute(seal(GUEK, payload=(b"\1", key)))
        with pytest.raises(KeyUnavailable, match="does not leave the token"):
            module.execute(seal(GUEK, ak=key))


def test_the_key_of_one_message_is_handed_on_only_where_it_was_made(made: Any) -> None:
    module = Pkcs11Module(made.open(), suite_of=lambda ref: 1)
    module.execute(ops.GenerateKey(Use.TRANSFER_KEY, EPHEMERAL, 16))
    wrap = ops.Wrap(Use.TRANSFER_KEY, KEK, EPHEMERAL)
    wrapped = module.execute(wrap)
    public = module.execute(ops.PublicKey(Use.CERTIFICATE, ref(KeyKind.AGREEMENT_KEY)))
    for op in (
        ops.Unwrap(Use.TRANSFER_KEY, KEK, wrapped, EPHEMERAL),
        ops.Agree(Use.AGREE_KEY, ref(KeyKind.AGREEMENT_KEY), public, b"", EPHEMERAL, 16),
    ):
        module.execute(op)
        module.execute(seal(EPHEMERAL))
        with pytest.raises(OperationRefused, match="KeyUnextractable"):
            module.execute(wrap)


# Keys that last -----------------------------------------------------------------------------------


def test_what_is_kept_beside_the_token_is_wrapped(made: Any) -> None:
    kept = WrappedInMemory()
    module = Pkcs11Module(made.open(), kept)
    rotated = ref(KeyKind.GUEK, 1)
    module.execute(ops.GenerateKey(Use.TRANSFER_KEY, rotated, 16))
    module.execute(ops.GenerateKey(Use.TRANSFER_KEY, DEDICATED, 16))
    handed = module.execute(ops.Wrap(Use.TRANSFER_KEY, KEK, rotated))
    octets = aes_key_unwrap(KeyRing(made.secrets).get(KEK), handed)
    wrapped = kept.load(rotated)
    assert wrapped is not None
    assert len(wrapped) == 24
    assert octets not in wrapped
    assert wrapped != handed
    assert kept.load(DEDICATED) is None
    # Nothing but the token's own key opens it.
    other = Pkcs11Module(made.open(), WrappedInMemory())
    with pytest.raises(KeyUnavailable, match="no key"):
        other.execute(seal(rotated))
    bent = WrappedInMemory()
    bent.keep(rotated, wrapped[:-1] + bytes((wrapped[-1] ^ 1,)))
    with pytest.raises(KeyUnavailable, match="not wrapped by this token"):
        Pkcs11Module(made.open(), bent).execute(seal(rotated))


@pytest.mark.parametrize("length", [8, 15, 17])
def test_what_cannot_be_wrapped_does_not_last(made: Any, length: int) -> None:
    module = Pkcs11Module(made.open())
    into = ref(KeyKind.HLS_SECRET, 1)
    with pytest.raises(KeyUnavailable, match="cannot last"):
        module.execute(ops.GenerateKey(Use.ASSOCIATION, into, length))
    with pytest.raises(KeyUnavailable, match="no key"):
        module.execute(ops.Digest(Use.ASSOCIATION, ops.HashFunction.SHA1, (into,)))
    assert len(objects(module)) == 3
    module.execute(ops.GenerateKey(Use.ASSOCIATION, into, 24))
    module.execute(ops.Digest(Use.ASSOCIATION, ops.HashFunction.SHA1, (into,)))


def test_a_derived_key_that_was_destroyed_is_remembered(made: Any) -> None:
    kept = WrappedInMemory()
    module = Pkcs11Module(made.open(), kept)
    module.execute(ops.Discard(Use.TRANSFER_KEY, GUEK))
    assert kept.load(GUEK) == DESTROYED
    wrapped = aes_key_wrap(KeyRing(made.secrets).get(KEK), b"k" * 16)
    module.execute(ops.Unwrap(Use.TRANSFER_KEY, KEK, wrapped, GUEK))
    assert module.execute(ops.Wrap(Use.TRANSFER_KEY, KEK, GUEK)) == wrapped
    rotated = ref(KeyKind.GUEK, 1)
    module.execute(ops.Unwrap(Use.TRANSFER_KEY, KEK, wrapped, rotated))
    module.execute(ops.Discard(Use.TRANSFER_KEY, rotated))
    assert kept.load(rotated) is None


def test_derived_keys_are_those_of_the_software_module(made: Any) -> None:
    for suite in (0, 1, 2):
        module = Pkcs11Module(made.open(), suite_of=lambda ref, suite=suite: suite)
        software = SoftwareModule(KeyRing(made.secrets, lambda ref, suite=suite: suite))
        for op in (
            seal(GUEK, GAK),
            ops.Wrap(Use.TRANSFER_KEY, KEK, GUEK),
            ops.Wrap(Use.TRANSFER_KEY, KEK, GAK),
            ops.Present(Use.ASSOCIATION, ref(KeyKind.LLS_SECRET)),
            ops.Digest(Use.ASSOCIATION, ops.HashFunction.SHA1, (ref(KeyKind.HLS_SECRET),)),
        ):
            assert module.execute(op) == software.execute(op)
        if suite:
            public = ops.PublicKey(Use.CERTIFICATE, SIGNING)
            assert module.execute(public) == software.execute(public)
        module.close()


def test_a_pair_whose_making_was_cut_short(made: Any) -> None:
    """Whatever happened last before the end, there is one pair of a name afterwards."""
    module = Pkcs11Module(made.open(), suite_of=lambda ref: 1)
    first = module.execute(ops.GenerateKeyPair(Use.CERTIFICATE, TLS, Curve.P256))

    def rename(connection: Any) -> None:
        for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
            for one in connection.find(kind, f"cosemlab {TLS}"):
                one[Attribute.LABEL] = f"unfinished cosemlab {TLS}"

    module.token.run(rename)
    module.close()
    # Made, and nothing in its place: it is what there is.
    assert module.execute(ops.PublicKey(Use.CERTIFICATE, TLS)) == first
    module.token.run(rename)
    module.close()
    # A newer one replaces it.
    second = module.execute(ops.GenerateKeyPair(Use.CERTIFICATE, TLS, Curve.P256))
    module.close()
    assert module.execute(ops.PublicKey(Use.CERTIFICATE, TLS)) == second != first
    third = module.execute(ops.GenerateKeyPair(Use.CERTIFICATE, TLS, Curve.P256))
    module.close()
    assert module.execute(ops.PublicKey(Use.CERTIFICATE, TLS)) == third != second
    assert len(objects(module, ObjectClass.PRIVATE_KEY)) == 1
    module.execute(ops.Discard(Use.CERTIFICATE, TLS))
    assert objects(module, ObjectClass.PRIVATE_KEY) == []
    assert objects(module, ObjectClass.PUBLIC_KEY) == []


# How many -----------------------------------------------------------------------------------------


def test_objects_in_the_session_are_bounded(made: Any) -> None:
    module = Pkcs11Module(made.open(), most_objects=4)
    software = SoftwareModule(KeyRing(made.secrets))
    for serial in [*range(8), *range(8)]:
        key = GUEK._replace(holder=serial.to_bytes(8, "big"))
        op = seal(key, key._replace(kind=KeyKind.GAK))
        assert module.execute(op) == software.execute(op)
        assert len(objects(module)) <= 3 + 4


def test_pairs_in_the_session_are_bounded(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_pairs, "MOST_PAIRS", 3)
    monkeypatch.setattr(key_pairs, "MOST_PASSING", 2)
    module = Pkcs11Module(made.open(), suite_of=lambda ref: 1)
    module.execute(ops.GenerateKeyPair(Use.CERTIFICATE, TLS, Curve.P256))
    for serial in range(6):
        key = SIGNING._replace(holder=serial.to_bytes(8, "big"))
        module.execute(ops.Sign(Use.PROTECT_REQUEST, key, b"message"))
        assert len(objects(module, ObjectClass.PRIVATE_KEY)) <= 1 + 3
    module.execute(ops.PublicKey(Use.CERTIFICATE, TLS))  # which was not destroyed
    agreement = ref(KeyKind.AGREEMENT_KEY, 1, True)
    for version in (1, 2, 2):
        into = agreement._replace(version=version)
        module.execute(ops.GenerateKeyPair(Use.AGREE_KEY, into, Curve.P256))
    with pytest.raises(KeyUnavailable, match="no room"):
        module.execute(
            ops.GenerateKeyPair(Use.AGREE_KEY, agreement._replace(version=3), Curve.P256)
        )


def test_keys_that_live_in_the_session_alone_are_bounded(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_keys, "MOST_PASSING", 2)
    module = Pkcs11Module(made.open())
    names = [DEDICATED._replace(version=version) for version in range(1, 4)]
    for name in (*names[:2], names[0]):
        module.execute(ops.GenerateKey(Use.ASSOCIATION, name, 16))
    with pytest.raises(KeyUnavailable, match="no room"):
        module.execute(ops.GenerateKey(Use.ASSOCIATION, names[2], 16))
    module.execute(ops.Discard(Use.ASSOCIATION, names[0]))
    module.execute(ops.GenerateKey(Use.ASSOCIATION, names[2], 16))
    assert len(objects(module)) == 3 + 2


def test_what_is_replaced_or_refused_leaves_nothing_behind(made: Any) -> None:
    module = Pkcs11Module(made.open(), suite_of=lambda ref: 1)
    module.execute(ops.GenerateKeyPair(Use.AGREE_KEY, SIGNING, Curve.P256))
    agreement = ref(KeyKind.AGREEMENT_KEY)
    public = module.execute(ops.PublicKey(Use.CERTIFICATE, agreement))
    wrapped = module.execute(ops.Wrap(Use.TRANSFER_KEY, KEK, GUEK))
    module.execute(seal(GUEK))
    before = len(objects(module)), len(objects(module, ObjectClass.PRIVATE_KEY))
    for _ in range(3):
        module.execute(ops.GenerateKey(Use.TRANSFER_KEY, EPHEMERAL, 16))
        module.execute(ops.Agree(Use.AGREE_KEY, agreement, public, b"info", EPHEMERAL, 16))
        module.execute(ops.Unwrap(Use.TRANSFER_KEY, KEK, wrapped, EPHEMERAL))
        with pytest.raises(VerificationFailed):
            module.execute(ops.Unwrap(Use.TRANSFER_KEY, KEK, wrapped, EPHEMERAL, (GUEK,)))
        module.execute(ops.Wrap(Use.TRANSFER_KEY, KEK, GUEK))
        module.execute(ops.GenerateKey(Use.TRANSFER_KEY, ref(KeyKind.GUEK, 1), 16))
    after = len(objects(module)), len(objects(module, ObjectClass.PRIVATE_KEY))
    assert after == (before[0] + 1, before[1])


# What it lacks ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "op"),
    [
        (pkcs11.Mechanism.AES_GCM, seal(GUEK)),
        (pkcs11.Mechanism.AES_KEY_WRAP, ops.Wrap(Use.TRANSFER_KEY, KEK, GUEK)),
        (pkcs11.Mechanism.ECDSA, ops.Sign(Use.PROTECT_REQUEST, SIGNING, b"")),
        (pkcs11.Mechanism.EC_KEY_PAIR_GEN, ops.GenerateKeyPair(Use.AGREE_KEY, TLS, Curve.P256)),
        (pkcs11.Mechanism.AES_KEY_GEN, ops.GenerateKey(Use.TRANSFER_KEY, EPHEMERAL, 16)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_a_token_lacks_is_refused(
    made: Any, monkeypatch: pytest.MonkeyPatch, missing: pkcs11.Mechanism, op: ops.CryptoOp
) -> None:
    """The list of this token's mechanisms is shortened: that is all one sees of a lesser one."""
    all_of_them = capabilities.lacks_of
    monkeypatch.setattr(
        "emulator.modules.pkcs11.token.lacks_of",
        lambda mechanisms, digested: all_of_them(mechanisms - {missing}, digested),
    )
    module = Pkcs11Module(made.open(), suite_of=lambda ref: 1)
    with pytest.raises(OperationRefused, match=f"lacks CKM_{missing.name}"):
        module.execute(op)
    assert f"CKM_{missing.name}" in {lack.mechanism for lack in module.token.facts.lacks}


def test_without_a_hash_of_keys(made: Any) -> None:
    lacks = capabilities.lacks_of(set(pkcs11.Mechanism), set())
    assert {lack.operation for lack in lacks} == {
        "Digest of a secret",
        "Agree on P256",
        "Agree on P384",
        "Unwrap",
    }
    assert capabilities.lacks_of(set(pkcs11.Mechanism), set(ops.HashFunction)) == ()


def test_no_secret_shows(made: Any) -> None:
    module = Pkcs11Module(made.open())
    shown = repr(module) + repr(module.token) + repr(module.token.facts) + str(module.__dict__)
    with pytest.raises(KeyUnavailable) as caught:
        module.execute(seal(GUEK._replace(version=4)))
    shown += repr(caught.value)
    for secret in made.secrets.values():
        assert repr(secret)[2:-1] not in shown
        assert secret.hex() not in shown.lower()
    assert "1234 of the tests" not in shown
