"""Whose Service Requests are taken for a device that is in the inventory."""

from __future__ import annotations

from typing import Any

import pytest

from devices.profile import load
from emulator.database import Database, sqlite_url
from emulator.enrolment.access import access
from emulator.enrolment.authorisation import device_id
from emulator.enrolment.eligibility import any_product, by_register
from emulator.enrolment.inventory import Status
from emulator.products.examples import examples
from emulator.products.register import Register
from emulator.products.store import ProductStore
from emulator.requests.enrolment import EnrolledUser, Verdict

TITLE = bytes.fromhex("41434C1300000001")


def user(name: str, role: str = "supplier") -> EnrolledUser:
    return EnrolledUser(b"", name, role, b"")


def test_who_may(world: Any) -> None:
    inventory = world.dcc().inventory
    ask, device = access(inventory), device_id(TITLE)
    assert ask(TITLE, user("brightco")) is None
    inventory.notify(device, "aclara", load("aclara"), "1.0.0", "brightco")
    for status in (Status.PENDING, Status.NOT_COMMISSIONED):
        inventory.become(device, status, "test")
        for one in (user("brightco"), user("newco"), user("x", "network-operator")):
            verdict = ask(TITLE, one)
            assert (verdict.reason, status.value in verdict.text) == ("not-commissioned", True)
    inventory.become(device, Status.COMMISSIONED, "test")
    assert ask(TITLE, user("brightco")) == Verdict()
    assert ask(TITLE, user("x", "network-operator")) == Verdict()
    assert ask(TITLE, user("newco")).reason == "not-responsible"
    inventory.change_supplier(device, "newco")
    assert ask(TITLE, user("newco")) == Verdict()
    assert ask(TITLE, user("brightco")).reason == "not-responsible"
    assert ask(TITLE[:-1], user("brightco")) is None


@pytest.mark.parametrize(
    ("name", "firmware", "eligible"),
    [
        ("aclara", "1.0.0", True),
        ("itron_gas", "1.0.0", True),
        ("secure", "1.0.0", False),  # confidential, and only Pending
        ("landis_gyr", "1.0.0", False),
        ("aclara", "1.0.1", False),  # another Device Model
    ],
)
def test_what_is_eligible(name: str, firmware: str, eligible: bool, world: Any) -> None:
    store = ProductStore(Database(sqlite_url(world.folder / "dcc.db")))
    store.write(examples())
    profile = load(name)
    why = by_register(store.register())(profile=profile, firmware=firmware)
    assert (why == "") is eligible
    assert by_register(Register())(profile=profile, firmware=firmware)
    assert any_product(profile, firmware) == ""
