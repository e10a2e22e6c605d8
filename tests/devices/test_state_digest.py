"""The fingerprint of a meter's memory: it changes with every change, and not with counters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from devices.certificates import GeneratedPair, StoredCertificate
from devices.state import DeviceState
from dlms.axdr.data import boolean, double_long, enum, integer, long, octet_string, structure
from dlms.cosem.security_setup import Entity, Policy
from dlms.security.control import Protection
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CertificateFacts, CertificatePurpose, Curve
from dlms.xdlms.codes import DataAccessResult

CERTIFICATE = StoredCertificate(
    Entity.CLIENT,
    b"certificate",
    CertificateFacts(b"", Curve.P256, b"", b"", b"", b"", b"", CertificatePurpose.SIGNATURE),
)
CHANGES: dict[str, Callable[[DeviceState], object]] = {
    "nothing": lambda state: None,
    "a value": lambda state: state.values.update({(bytes(6), 2): enum(1)}),
    "another value": lambda state: state.values.update({(bytes(6), 2): enum(2)}),
    "another type": lambda state: state.values.update({(bytes(6), 2): integer(1)}),
    "another attribute": lambda state: state.values.update({(bytes(6), 3): enum(1)}),
    "another object": lambda state: state.values.update({(bytes(5) + b"\1", 2): enum(1)}),
    "two values": lambda state: state.values.update(
        {(bytes(6), 2): enum(1), (bytes(6), 3): boolean(True)}
    ),
    "a key": lambda state: state.key_versions.update({("dco", KeyKind.GUEK): 1}),
    "a key again": lambda state: state.key_versions.update({("dco", KeyKind.GUEK): 2}),
    "another key": lambda state: state.key_versions.update({("dco", KeyKind.GAK): 1}),
    "another party's key": lambda state: state.key_versions.update({("s1sp", KeyKind.GUEK): 1}),
    "a policy": lambda state: state.policies.update(dco=Policy(Protection.BOTH)),
    "another policy": lambda state: state.policies.update(dco=Policy(Protection.ENCRYPTED)),
    "a policy for responses": lambda state: state.policies.update(
        dco=Policy(Protection.BOTH, Protection.BOTH)
    ),
    "another party's policy": lambda state: state.policies.update(s1sp=Policy(Protection.BOTH)),
    "a certificate": lambda state: state.certificates.update(dco=(CERTIFICATE,)),
    "another certificate": lambda state: state.certificates.update(
        dco=(CERTIFICATE._replace(certificate=b"other"),)
    ),
    "a certificate of another": lambda state: state.certificates.update(
        dco=(CERTIFICATE._replace(entity=Entity.SERVER),)
    ),
    "a pair that waits": lambda state: state.generated.update(
        {("dco", KeyKind.SIGNING_KEY): GeneratedPair(1, b"")}
    ),
    "another pair that waits": lambda state: state.generated.update(
        {("dco", KeyKind.SIGNING_KEY): GeneratedPair(2, b"")}
    ),
    "a pair that is no more": lambda state: state.destroyed.add(("dco", KeyKind.SIGNING_KEY)),
    "a key to destroy": lambda state: state.doomed.add(KeyRef(b"", "dco", KeyKind.SIGNING_KEY)),
    "the clock": lambda state: setattr(state, "clock_offset", dt.timedelta(microseconds=1)),
    "the clock back": lambda state: setattr(state, "clock_offset", dt.timedelta(microseconds=-1)),
    "the clock by a day": lambda state: setattr(state, "clock_offset", dt.timedelta(days=1)),
    "a token": lambda state: state.used_tokens.add(0),
    "another token": lambda state: state.used_tokens.add(1),
    "two tokens": lambda state: state.used_tokens.update((0, 1)),
    "token 10": lambda state: state.used_tokens.update((10,)),
}


def after(change: Callable[[DeviceState], object]) -> bytes:
    state = DeviceState()
    change(state)
    return state.digest()


def test_no_two_changes_look_the_same() -> None:
    digests = {name: after(change) for name, change in CHANGES.items()}
    assert len(set(digests.values())) == len(CHANGES)
    assert digests == {name: after(change) for name, change in CHANGES.items()}


def test_counters_do_not_count(bench: Any) -> None:
    before = bench.digest()
    key = bench.device.key("dco", KeyKind.GUEK)
    bench.device.state.counters.burn(key)
    bench.device.state.counters.accept(key, 100)
    bench.device.state.counters.establish(key)
    assert bench.digest() == before


def test_order_does_not_count() -> None:
    one, other = DeviceState(), DeviceState()
    for state, order in ((one, (1, 2, 3)), (other, (3, 1, 2))):
        for number in order:
            state.values[bytes(6), number] = enum(number)
            state.key_versions[f"scope {number}", KeyKind.GUEK] = number
            state.policies[f"scope {number}"] = Protection.BOTH
            state.used_tokens.add(number)
    assert one.digest() == other.digest()


def test_undoing_brings_it_back(bench: Any) -> None:
    assert bench.set("0-0:96.3.10.255", 4, enum(5)) is DataAccessResult.SUCCESS
    before = bench.digest()
    assert bench.set("0-0:96.3.10.255", 4, enum(6)) is DataAccessResult.SUCCESS
    assert bench.digest() != before
    assert bench.set("0-0:96.3.10.255", 4, enum(5)) is DataAccessResult.SUCCESS
    assert bench.digest() == before


@pytest.mark.parametrize("kind", [b"", b"\0"])
def test_empty_is_something_too(kind: bytes) -> None:
    state = DeviceState()
    state.values[bytes(6), 2] = octet_string(kind)
    assert state.digest() != DeviceState().digest()


SERVICES: dict[str, Callable[[Any], Any]] = {
    "clock": lambda m: m.act("0-0:1.0.0.255", 6, long(1)),
    "mode of control": lambda m: m.set("0-0:96.3.10.255", 4, enum(1)),
    "supply": lambda m: m.act("0-0:96.3.10.255", 2, integer(0)),
    "payment mode": lambda m: m.set("0-0:19.0.0.255", 2, structure(enum(1), enum(2))),
    "credit": lambda m: m.act("0-0:19.10.0.255", 1, double_long(1)),
    "balance": lambda m: m.act("0-0:19.10.0.255", 2, double_long(1)),
    "token": lambda m: m.act("0-0:19.40.0.255", 1, octet_string(m.token(100, 0).encode()), "s1sp"),
    "keys": lambda m: m.act("0-0:43.0.2.255", 2, m.transfer("dco", (0, bytes(range(16))))),
    "policy": lambda m: m.act("0-0:43.0.2.255", 1, enum(3)),
}


def test_every_service_that_changes_something_shows(make_bench: Callable[..., Any]) -> None:
    digests = {make_bench().digest()}
    for name, service in SERVICES.items():
        meter = make_bench()
        assert service(meter) == 0, name
        assert meter.digest() not in digests, name
        digests.add(meter.digest())


def test_reading_changes_nothing(bench: Any) -> None:
    before = bench.digest()
    for instance, row in bench.profile.objects.items():
        for association in row.rights:
            for number in range(1, 20):
                bench.get(".".join(map(str, instance)), number, association)
    assert bench.digest() == before
    assert bench.device.state.values == {}


def test_a_meter_begins_with_no_memory_of_its_own(make_bench: Callable[..., Any]) -> None:
    one, other = make_bench(), make_bench()
    one.device.state.used_tokens.add(1)
    one.device.client_titles["dco"] = bytes(8)
    assert other.device.state.used_tokens == set()
    assert other.device.client_titles == {}
