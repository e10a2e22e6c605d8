"""What lets a meter change hands: client titles are registered, and every key can be replaced."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from devices.device import Device
from devices.objects.token_gateway import TOKEN_SCOPE
from devices.profile import available, gas, load
from devices.token import TOKEN_KEY_ID
from dlms.axdr.data import octet_string
from dlms.cosem import classes, obis
from dlms.cosem.security_setup import keys_data
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import Wrap
from dlms.security.use import Use
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.set import SetRequest
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

NEW = b"S1P\x00\x00\x00\x00\x01"
NOW = dt.datetime(2019, 3, 26, 12, tzinfo=dt.UTC)


class Bench:
    def __init__(self, name: str) -> None:
        self.profile = load(name)
        self.device = Device(self.profile, 1, client_titles={"s1sp": b"A" * 8, "dco": b"A" * 8})
        self.ring = KeyRing(bytes(32))
        self.module = SoftwareModule(self.ring)

    def put(self, number: int, title: bytes, by: str = "dco") -> Any:
        where = obis.parse(f"0-0:43.0.{number}.255")
        attribute = AttributeDescriptor(classes.SECURITY_SETUP.class_id, where, 4)
        request = SetRequest(0x41, attribute, octet_string(title))
        row = self.profile.associations[by]
        return run(self.device.handle(request, row, NOW), self.module.execute).result

    def transfer(self, number: int, keys: dict[int, bytes], by: str, kek: str = "") -> Any:
        where = obis.parse(f"0-0:43.0.{number}.255")
        method = MethodDescriptor(classes.SECURITY_SETUP.class_id, where, 2)
        master = self.device.key(kek or by, KeyKind.KEK)
        wrapped = {}
        for key_id, octets in keys.items():
            new = KeyRef(b"", "new", KeyKind.GUEK, version=9)
            self.ring.keep(new, octets)
            wrapped[key_id] = self.module.execute(Wrap(Use.TRANSFER_KEY, master, new))
        request = ActionRequest(0x41, method, keys_data(wrapped))
        row = self.profile.associations[by]
        return run(self.device.handle(request, row, NOW), self.module.execute).result


@pytest.mark.parametrize("name", [*available(), *gas()])
@pytest.mark.parametrize(("scope", "number"), [("s1sp", 1), ("dco", 2), ("alerts", 4)])
def test_another_client_is_registered(name: str, scope: str, number: int) -> None:
    bench = Bench(name)
    if scope not in bench.profile.associations:
        assert bench.put(number, NEW) is not DataAccessResult.SUCCESS
        return
    assert bench.put(number, NEW) is DataAccessResult.SUCCESS
    assert bench.device.client_title(scope) == NEW
    row = bench.profile.associations[scope]
    assert bench.device.config(row).client_title == NEW
    others = {"s1sp", "dco"} - {scope}
    assert all(bench.device.client_title(other) == b"A" * 8 for other in others)


@pytest.mark.parametrize("number", [1, 2, 4])
def test_not_by_the_s1sp(number: int) -> None:
    bench = Bench("secure")
    assert bench.put(number, NEW, "s1sp") is not DataAccessResult.SUCCESS
    assert bench.device.client_title("dco") == b"A" * 8


@pytest.mark.parametrize("title", [b"", b"1234567", b"123456789"])
def test_what_is_no_title(title: bytes) -> None:
    bench = Bench("secure")
    before = bench.device.state.digest()
    assert bench.put(1, title) is not DataAccessResult.SUCCESS
    assert bench.put(1, bench.device.title) is DataAccessResult.OTHER_REASON
    assert bench.device.state.digest() == before


def test_the_token_key() -> None:
    bench = Bench("secure")
    bench.device.state.used_tokens.add(5)
    assert bench.transfer(1, {TOKEN_KEY_ID: b"T" * 16}, "s1sp") is ActionResult.SUCCESS
    key = bench.device.key(TOKEN_SCOPE, KeyKind.TOKEN)
    assert (key.version, bench.ring.get(key)) == (1, b"T" * 16)
    assert set(bench.device.state.used_tokens) == set()
    # None comes back: the counters of the tokens made with it are forgotten.
    bench.device.state.used_tokens.add(6)
    assert bench.transfer(1, {TOKEN_KEY_ID: b"T" * 16}, "s1sp") is ActionResult.OTHER_REASON
    assert set(bench.device.state.used_tokens) == {6}


@pytest.mark.parametrize(("name", "number", "by"), [("secure", 2, "dco"), ("aclara", 1, "s1sp")])
def test_where_there_is_no_token_key(name: str, number: int, by: str) -> None:
    bench = Bench(name)
    assert bench.transfer(number, {TOKEN_KEY_ID: b"T" * 16}, by) is ActionResult.OTHER_REASON


def test_keys_of_alerts() -> None:
    bench = Bench("secure")
    keys = {0: b"G" * 16, 1: b"B" * 16, 2: b"A" * 16, 3: b"K" * 16}
    assert bench.transfer(4, keys, "s1sp", "alerts") is ActionResult.SUCCESS
    assert bench.ring.get(bench.device.key("alerts", KeyKind.GUEK)) == b"G" * 16
    assert bench.transfer(4, {0: b"H" * 16}, "dco", "alerts") is not ActionResult.SUCCESS


def test_with_the_master_key_comes_the_long_lived_authentication_key() -> None:
    bench = Bench("landis_gyr")
    row = bench.profile.associations["s1sp"]
    assert bench.transfer(1, {2: b"1" * 16}, "s1sp") is ActionResult.SUCCESS
    waiting = bench.device.authentication_key(row)
    assert waiting.lifetime is KeyLifetime.SINGLE_ASSOCIATION
    assert bench.transfer(1, {2: b"2" * 16, 3: b"3" * 16}, "s1sp") is ActionResult.SUCCESS
    assert bench.device.authentication_key(row) == waiting
    long_lived = bench.device.key("s1sp", KeyKind.GAK)
    assert (long_lived.version, bench.ring.get(long_lived)) == (1, b"2" * 16)
