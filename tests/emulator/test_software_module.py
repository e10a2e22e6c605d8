"""What is particular to the software module and its key ring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import (
    Curve,
    GenerateKey,
    KeyUnavailable,
    PublicKey,
    Random,
    Seal,
    Use,
    keys_of,
)
from emulator.modules import software
from emulator.modules.keyring import KeyRing, scope_secret, scope_secrets
from emulator.modules.software import SoftwareModule
from emulator.policy import ModuleClass

FLEET = b"a fleet secret that nobody knows"
METER = b"ACL\x13\0\0\0\1"
OTHER = b"ACL\x13\0\0\0\2"
GUEK = KeyRef(METER, "s1sp", KeyKind.GUEK)


def test_it_is_honest_about_its_class() -> None:
    module = SoftwareModule(KeyRing())
    assert module.module_class is ModuleClass.G2_45
    assert module.module_class < ModuleClass.LEVEL_3
    assert module.name == "software"
    assert module.blocks is False


def test_random_comes_from_the_source_given() -> None:
    module = SoftwareModule(KeyRing(), random=lambda length: b"r" * length)
    assert module.execute(Random(Use.ASSOCIATION, 5)) == b"rrrrr"


def test_an_unknown_operation_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        SoftwareModule(KeyRing()).execute(object())  # type: ignore[arg-type]


def test_the_cache_of_ciphers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "_MAX_CIPHERS", 4)
    module = SoftwareModule(KeyRing(FLEET))
    results = {}
    for serial in [*range(10), *range(10)]:
        key = GUEK._replace(holder=serial.to_bytes(8, "big"))
        ak = key._replace(kind=KeyKind.GAK)
        sealed = module.execute(Seal(Use.ASSOCIATION, key, ak, 0x30, METER, 1, b"payload"))
        assert results.setdefault(serial, sealed) == sealed
        assert len(module._prepared) <= 4
        assert len(module._authenticating) <= 4
    assert len(set(results.values())) == 10


def test_many_authentication_keys_under_one_key_are_bounded_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(software, "_MAX_CIPHERS", 4)
    module = SoftwareModule(KeyRing(FLEET))
    for serial in range(10):
        ak = KeyRef(serial.to_bytes(8, "big"), "a", KeyKind.GAK)
        module.execute(Seal(Use.ASSOCIATION, GUEK, ak, 0x30, METER, 1, b"payload"))
        assert len(module._authenticating) <= 4


# The key ring -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [KeyKind.SIGNING_KEY, KeyKind.GUEK])
def test_what_is_destroyed_is_not_derived_again(kind: KeyKind) -> None:
    ring = KeyRing(FLEET, lambda ref: 1)
    key = GUEK._replace(kind=kind)
    first = ring.get(key)
    ring.discard(key)
    with pytest.raises(KeyUnavailable):
        ring.get(key)
    assert ring.get(key._replace(scope="dco"))
    ring.keep(key, first)  # unless it is brought back
    assert ring.get(key) == first


def test_keys_that_are_not_derived_are_not_remembered() -> None:
    """Dedicated keys come and go all the time."""
    ring = KeyRing(FLEET)
    for number in range(1, 9):
        key = GUEK._replace(version=number)
        ring.keep(key, bytes(16))
        ring.discard(key)
    assert ring.destroyed == set()


def test_derived_keys_depend_on_every_part_of_the_name_and_on_the_secret() -> None:
    ring = KeyRing(FLEET)
    names = [
        GUEK,
        GUEK._replace(holder=OTHER),
        GUEK._replace(scope="dco"),
        GUEK._replace(kind=KeyKind.GAK),
        GUEK._replace(kind=KeyKind.KEK),
    ]
    keys = [ring.get(name) for name in names] + [KeyRing(FLEET[::-1]).get(GUEK)]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {16}


def test_who_knows_the_secret_of_one_scope_derives_its_keys_and_no_others() -> None:
    known = scope_secrets(FLEET, ["s1sp"])
    ring = KeyRing(known)
    assert ring.get(GUEK) == KeyRing(FLEET).get(GUEK)
    with pytest.raises(KeyUnavailable):
        ring.get(GUEK._replace(scope="dco"))
    assert scope_secret(FLEET, "dco") not in known.values()
    # Nor with that secret in the place of the fleet's.
    assert KeyRing(known["s1sp"]).get(GUEK) != ring.get(GUEK)


def test_the_meter_and_the_head_end_derive_the_same() -> None:
    assert KeyRing(FLEET).get(GUEK) == KeyRing(FLEET).get(GUEK)


def test_a_derived_password_can_be_typed() -> None:
    secret = KeyRing(FLEET).get(KeyRef(METER, "reader", KeyKind.LLS_SECRET))
    assert len(secret) == 8
    assert set(secret) <= set(b"0123456789abcdef")


@pytest.mark.parametrize(
    "ref",
    [
        GUEK._replace(version=1),
        KeyRef(METER, "s1sp", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION),
    ],
    ids=["rotated", "dedicated"],
)
def test_what_was_transferred_or_generated_is_never_derived(ref: KeyRef) -> None:
    ring = KeyRing(FLEET)
    with pytest.raises(KeyUnavailable):
        ring.get(ref)
    ring.keep(ref, b"k" * 16)
    assert ring.get(ref) == b"k" * 16
    ring.discard(ref)
    with pytest.raises(KeyUnavailable):
        ring.get(ref)


def test_an_hls_secret_has_128_bits_in_digits() -> None:
    secret = KeyRing(FLEET).get(KeyRef(METER, "reader", KeyKind.HLS_SECRET))
    assert len(secret) == 32
    assert set(secret) <= set(b"0123456789abcdef")


def test_the_suite_decides_how_long_a_key_is() -> None:
    rings = [KeyRing(FLEET, lambda ref, suite=suite: suite) for suite in range(3)]
    keys = [ring.get(GUEK) for ring in rings]
    assert [len(key) for key in keys] == [16, 16, 32]
    assert keys[0] == keys[1]
    assert not keys[2].startswith(keys[0])
    assert len({ring.get(GUEK._replace(kind=KeyKind.LLS_SECRET)) for ring in rings}) == 1


def test_the_suite_is_asked_for_each_key() -> None:
    ring = KeyRing(FLEET, lambda ref: 2 if ref.holder == OTHER else 0)
    assert len(ring.get(GUEK)) == 16
    assert len(ring.get(GUEK._replace(holder=OTHER))) == 32


@pytest.mark.parametrize(("suite", "curve"), [(1, Curve.P256), (2, Curve.P384)])
def test_key_pairs_are_derived_on_the_curve_of_the_suite(suite: int, curve: Curve) -> None:
    ring = KeyRing(FLEET, lambda ref: suite)
    signing = GUEK._replace(kind=KeyKind.SIGNING_KEY)
    names = [
        signing,
        signing._replace(kind=KeyKind.AGREEMENT_KEY),
        signing._replace(holder=OTHER),
        signing._replace(scope="dco"),
    ]
    scalars = {ring.get(name) for name in names}
    assert len(scalars) == len(names)
    assert {len(scalar) for scalar in scalars} == {curve.value}
    public = SoftwareModule(ring).execute(PublicKey(Use.CERTIFICATE, signing))
    assert len(public) == 2 * curve.value
    again = SoftwareModule(KeyRing(FLEET, lambda ref: suite))
    assert again.execute(PublicKey(Use.CERTIFICATE, signing)) == public


def test_a_derived_scalar_is_hkdf_reduced() -> None:
    """FIPS 186-5, A.2.1, with the order of P-256 (NIST SP 800-186, 3.2.1.3)."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    info = b"cosemlab private key on P256\0s1sp\0SIGNING_KEY\0" + METER
    of_scope = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"cosemlab scope\0s1sp")
    octets = HKDFExpand(SHA256(), 40, info).derive(of_scope.derive(FLEET))
    expected = int.from_bytes(octets, "big") % (order - 1) + 1
    scalar = KeyRing(FLEET, lambda ref: 1).get(GUEK._replace(kind=KeyKind.SIGNING_KEY))
    assert int.from_bytes(scalar, "big") == expected


@pytest.mark.parametrize(
    ("kind", "suite"),
    [
        (KeyKind.SIGNING_KEY, 0),
        (KeyKind.AGREEMENT_KEY, 0),
        (KeyKind.TLS_PRIVATE_KEY, 1),
        (KeyKind.EPHEMERAL, 1),
    ],
)
def test_there_is_no_such_key_to_derive(kind: KeyKind, suite: int) -> None:
    with pytest.raises(KeyUnavailable):
        KeyRing(FLEET, lambda ref: suite).get(GUEK._replace(kind=kind))


def test_without_a_fleet_secret_nothing_is_derived() -> None:
    with pytest.raises(KeyUnavailable):
        KeyRing().get(GUEK)


def test_a_failure_names_the_key_and_does_not_show_the_secret() -> None:
    with pytest.raises(KeyUnavailable, match="s1sp/GUEK v3") as caught:
        KeyRing(FLEET).get(GUEK._replace(version=3))
    assert FLEET.decode() not in str(caught.value)


# Canaries -----------------------------------------------------------------------------------------


@dataclass
class Holder:
    """Something of somebody else's that has a module as a field."""

    module: SoftwareModule


@pytest.mark.parametrize("show", [repr, str, "{}".format, lambda value: f"{Holder(value)}"])
def test_no_key_shows(show: Callable[[Any], str]) -> None:
    ring = KeyRing(FLEET)
    module = SoftwareModule(ring)
    dedicated = KeyRef(METER, "s1sp", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION, 1)
    generate = GenerateKey(Use.ASSOCIATION, dedicated, 16)
    seal = Seal(Use.ASSOCIATION, GUEK, None, 0x30, METER, 1, (b"\1", dedicated))
    module.execute(generate)
    module.execute(seal)
    shown = " ".join(show(value) for value in (ring, module))
    shown += " ".join(f"{op!r} {keys_of(op)}" for op in (generate, seal))
    for octets in (FLEET, ring.get(GUEK), ring.get(dedicated)):
        assert octets.hex() not in shown.lower()
        assert repr(octets) not in shown
        assert repr(octets)[2:-1] not in shown


def test_a_key_that_was_derived_gives_way_to_one_that_is_kept() -> None:
    """Until that is taken back."""
    ring = KeyRing(FLEET)
    derived = ring.get(GUEK)
    ring.keep(GUEK, bytes(16))
    assert ring.get(GUEK) == bytes(16)
    ring.revert()
    assert ring.get(GUEK) == derived
