"""What is particular to the software module and its key ring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import GenerateKey, KeyUnavailable, Random, Seal, Use, keys_of
from emulator.modules import software
from emulator.modules.keyring import KeyRing
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
        sealed = module.execute(Seal(Use.ASSOCIATION, key, None, 0x20, METER, 1, b"payload"))
        assert results.setdefault(serial, sealed) == sealed
        assert len(module._ciphers) <= 4
    assert len(set(results.values())) == 10


# The key ring -------------------------------------------------------------------------------------


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
