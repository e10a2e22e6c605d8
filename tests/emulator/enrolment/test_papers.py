"""Authorisations, and who may be let in: what needs no meter that is up."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from devices.device import Device
from devices.profile import load
from dlms.axdr.data import octet_string
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import KeyUnavailable
from emulator.enrolment.authorisation import Authorisation, AuthorisationRefused, device_id
from emulator.enrolment.steps import Kind
from emulator.installing import Installer, trust_of
from emulator.modules.keyring import KeyRing, scope_secret
from emulator.supplier.system import SupplierNameError, SupplierSystem, title_of
from tls.credentials import Trust

PAPER = Authorisation(
    supplier="brightco",
    device="45-48-4C-01-00-00-00-01",
    kind=Kind.ACTIVE,
    manufacturer="Secure",
    model="Liberty 100",
    firmware="1.0.0",
    serial=1,
    moment=dt.datetime(2019, 4, 7, 18, 25, 3, tzinfo=dt.UTC),
)


def test_the_name_is_that_of_public_samples() -> None:
    """MA_cgI_70-B3-D5-1F-30-00-A0-08_20190407_182503 (DCC, SMETS1 migration updates)."""
    assert PAPER.name == "MA_brightco_45-48-4C-01-00-00-00-01_20190407_182503"
    assert Authorisation.from_text(PAPER.to_text()) == PAPER
    profile = load("secure")
    assert device_id(profile.system_title(1)) == PAPER.device
    PAPER.check(profile, 1)
    with pytest.raises(AuthorisationRefused, match="Device ID"):
        PAPER.check(profile, 2)


def change(**changes: Any) -> str:
    return json.dumps({**json.loads(PAPER.to_text()), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        " " * 5000,
        change(kind="asleep"),
        change(moment="2019-04-07T18:25:03"),
        change(serial="1"),
        change(model=5),
        change(more=1),
        change(device="45-48-4C-01-00-00-00-02"),
        change(supplier="Other Co"),
        change(authorisation="MA_x"),
    ],
)
def test_what_is_no_authorisation(text: str) -> None:
    with pytest.raises(AuthorisationRefused):
        Authorisation.from_text(text)


def test_trust_ends_with_the_last_title() -> None:
    profile = load("secure")
    own, roots = Trust(roots_pem=b"own"), b"theirs"
    installer = Installer(
        name="x",
        title=b"SMO\0\0\0\0\1",
        roots_pem=roots,
        secrets={"s1sp": b"", "dco": b"", "alerts": b"", "prepayment": b""},
    )
    device = Device(profile, 1, client_titles=installer.titles())
    assert trust_of(device, own, None) == own
    for number in (4, 1, 2):
        assert trust_of(device, own, installer).roots_pem == b"owntheirs"
        device.state.values[bytes((0, 0, 43, 0, number, 255)), 4] = octet_string(b"S1P\0\0\0\0\1")
    assert trust_of(device, own, installer) == own


def test_scopes_that_come_from_elsewhere() -> None:
    fleet, theirs = bytes(32), bytes(range(32))
    ring, plain = KeyRing(fleet), KeyRing(fleet)
    ring.entrust({"s1sp": scope_secret(theirs, "s1sp")})
    key, other = (KeyRef(b"EHL\1\0\0\0\1", scope, KeyKind.GUEK) for scope in ("s1sp", "dco"))
    assert ring.get(key) == KeyRing(theirs).get(key) != plain.get(key)
    assert ring.get(other) == plain.get(other)
    alone = KeyRing({"s1sp": scope_secret(theirs, "s1sp")})
    with pytest.raises(KeyUnavailable):
        alone.get(other)


@pytest.mark.parametrize("name", ["", "A", "../x", "a/b", "x" * 33, "-x", "a b"])
def test_names_of_suppliers(name: str, tmp_path: Any) -> None:
    with pytest.raises(SupplierNameError):
        SupplierSystem.create(name, tmp_path / "x")


def test_titles_of_suppliers_differ() -> None:
    titles = {title_of(f"supplier-{number}") for number in range(100)}
    assert len(titles) == 100
    assert {len(title) for title in titles} == {8}


def test_a_supplier_is_the_same_the_next_time(supplier_folder: Any) -> None:
    first, second = (SupplierSystem("brightco", supplier_folder) for _ in range(2))
    ref = KeyRef(b"EHL\1\0\0\0\1", "dco", KeyKind.KEK)
    assert first.ring().get(ref) == second.ring().get(ref)
    assert first.credential == second.credential
    assert b"PRIVATE" not in repr(first).encode()
    with pytest.raises(FileExistsError):
        SupplierSystem.create("brightco", supplier_folder)
