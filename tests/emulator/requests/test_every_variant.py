"""Every variant is carried out by every kind of meter that can, and what it did is looked at."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest

from devices.firmware import SEALS
from devices.image import Target, make_image
from devices.prepayment import account
from devices.profile import available, gas, load
from devices.supply import ControlState
from dlms.cosem import classes, obis
from dlms.security.drive import run
from emulator.head_end.party import client_titles
from emulator.key_suites import suites_of
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.requests.fitting import why_not
from emulator.requests.refusal import Unfit
from emulator.requests.response import Response, Result
from emulator.requests.variants import variants
from emulator.sandbox import Sandbox

NAMES = (*available(), *gas())
CREDIT = obis.parse("0-0:19.10.0.255")


@pytest.fixture
def name() -> str:
    """The meter; the test says which."""
    raise AssertionError("no meter is said")


@pytest.fixture
async def sandbox(name: str, pki: Any, clock: Any, fleet_secret: bytes) -> AsyncIterator[Sandbox]:
    """That meter alone."""
    profile = load(name)
    async with Sandbox(
        [profile], pki=pki, fleet_secret=fleet_secret, client_titles=client_titles(), clock=clock
    ) as sandbox:
        yield sandbox


class Asked:
    """A meter, and a supplier that asks it."""

    def __init__(self, head_end: Any, place: Any, name: str, clock: Any, secret: bytes) -> None:
        self.meter = place(name)
        self.requests = head_end.requests
        self.clock = clock
        self.secret = secret
        self.kind = self.meter.profile.kind

    async def __call__(
        self, number: str, payload: bytes | None = None, **given: object
    ) -> dict[str, Any]:
        response: Response = await self.answer(number, payload, **given)
        assert response.result is Result.SUCCESS, response
        return response.to_json()["values"]

    async def answer(self, number: str, payload: bytes | None = None, **given: object) -> Response:
        meter = self.meter
        signed = self.requests.user.request(number, meter.device.title, meter.profile, given)
        return await self.requests.submit(signed, meter.address, meter.profile, payload)

    def value(self, code: str, attribute: int) -> Any:
        row = self.meter.profile.objects[obis.parse(code)]
        data = self.meter.device.value(row, attribute)
        assert data is not None
        return data.value

    @property
    def balance(self) -> Decimal:
        """In pounds."""
        return Decimal(self.value("0-0:19.10.0.255", 2)).scaleb(self.meter.profile.currency_scale)

    def image(self) -> bytes:
        profile = self.meter.profile
        target = Target(profile.flag_id, profile.model, profile.habits.hardware_version)
        step = make_image(target, "2.0.0", bytes(3000), SEALS[profile.habits.image_seal])
        return run(step, SoftwareModule(KeyRing(self.secret, suites_of(profile))).execute)


async def tariff(asked: Asked) -> None:
    await asked("1.1.1", night_from="23:00", night_to="06:15")
    (day,) = asked.value("0-0:13.0.0.255", 5)
    starts = {action.value[0].value.hex(): action.value[2].value for action in day.value[1].value}
    assert starts == {"060f0000": 1, "17000000": 2}


async def price(asked: Asked) -> None:
    rates = len(asked.value("0-0:19.20.0.255", 5)[2].value)
    given = dict(list({"price": "21", "price_2": "9", "price_3": "33"}.items())[:rates])
    wrong = {"price": "1"} if rates == 3 else {"price": "1", "price_2": "1", "price_3": "1"}
    with pytest.raises(Unfit, match="prices, not"):
        await asked("1.2.1", **wrong)
    await asked("1.2.1", **given)
    charge = asked.value("0-0:19.20.0.255", 5)
    scale = charge[0].value[1].value
    prices = [element.value[1].value for element in charge[2].value]
    pounds = [Decimal(number).scaleb(scale + 3) for number in prices]  # for a kWh
    assert pounds == [Decimal(price) / 100 for price in given.values()]


async def balance(asked: Asked) -> None:
    before = asked.balance
    await asked("1.5", operation="adjust", amount="12.34")
    assert asked.balance - before == Decimal("12.34")
    await asked("1.5", operation="adjust", amount="-2.34")
    assert asked.balance - before == Decimal(10)
    await asked("1.5", operation="reset", amount="3")
    assert asked.balance == 3


async def payment_mode(asked: Asked) -> None:
    for mode, number in (("credit", 1), ("prepayment", 2)):
        await asked("1.6", mode=mode)
        assert asked.value("0-0:19.0.0.255", 2)[0].value == number


async def top_up(asked: Asked) -> None:
    before = asked.balance
    await asked("2.2", amount="20.00")
    assert asked.balance - before == 20


async def debt(asked: Asked) -> None:
    for register, code in (("time", "0-0:19.20.1.255"), ("payment", "0-0:19.20.3.255")):
        await asked("2.3", register=register, amount="40")
        owed = Decimal(asked.value(code, 12)).scaleb(asked.meter.profile.currency_scale)
        assert owed == 40


async def emergency(asked: Asked) -> None:
    await asked("1.6", mode="prepayment")
    await asked("1.5", operation="reset", amount="0.10")
    await asked("2.5")
    row = asked.meter.profile.objects[obis.parse("0-0:19.10.1.255")]
    assert account.status(asked.meter.device, row) in account.INVOKED


async def clear_log(asked: Asked) -> None:
    await clock(asked)
    assert len((await asked("6.13", log="event"))["entries"]) > 0
    await asked("3.3")
    assert (await asked("6.13", log="event"))["entries"] == []


async def import_registers(asked: Asked) -> None:
    asked.clock.advance(dt.timedelta(hours=5))
    values = await asked("4.1.1")
    name, units = {
        "electricity": ("import_energy", ("Wh",)),
        "gas": ("volume", ("m3", "m³")),
    }[asked.kind]
    assert values[name]["unit"] in units
    assert Decimal(values[name]["value"]) >= 0
    assert values["time"].startswith("2019-03-26")


async def tou(asked: Asked) -> None:
    values = await asked("4.1.2")
    rates = len(asked.meter.profile.of_class(classes.REGISTER_ACTIVATION)[0].values[3].value)
    assert len(values) == rates
    assert {value["unit"] for value in values.values()} == {"Wh"}
    total = sum(Decimal(value["value"]) for value in values.values())
    read = await asked("4.1.1")
    assert total == Decimal(read["import_energy"]["value"])


async def export(asked: Asked) -> None:
    assert (await asked("4.2"))["export_energy"]["unit"] == "Wh"


async def prepay(asked: Asked) -> None:
    await asked("1.5", operation="reset", amount="7")
    values = await asked("4.3")
    number = Decimal(str(values["balance"])).scaleb(asked.meter.profile.currency_scale)
    assert number == 7
    assert values["currency"]["currency_name"] == "GBP"


async def billing(asked: Asked) -> None:
    before = (await asked("4.4.3"))["billing"]
    await asked("1.6", mode="credit")
    await asked("1.6", mode="prepayment")  # each change ends a billing period
    after = (await asked("4.4.3"))["billing"]
    assert len(after) > len(before)


async def daily(asked: Asked) -> None:
    asked.clock.advance(dt.timedelta(days=3))
    since = (asked.clock.now() - dt.timedelta(days=2)).isoformat()
    rows = (await asked("4.6.1", since=since))["daily"]
    assert len(rows) == 2


async def half_hours(asked: Asked) -> None:
    asked.clock.advance(dt.timedelta(days=1))
    until = asked.clock.now()
    since = until - dt.timedelta(hours=6)
    rows = (await asked("4.8.1", since=since.isoformat(), until=until.isoformat()))["half_hours"]
    assert len(rows) in (12, 13)


async def prepay_daily(asked: Asked) -> None:
    before = (await asked("4.14"))["daily"]
    asked.clock.advance(dt.timedelta(days=2))
    after = (await asked("4.14"))["daily"]
    assert len(after) == len(before) + 2


async def power(asked: Asked) -> None:
    assert (await asked("4.16"))["import_power"]["unit"] == "W"


async def identity(asked: Asked) -> None:
    values = await asked("6.2.4")
    ldn = asked.meter.profile.logical_device_name(asked.meter.address.serial)
    assert values["logical_device_name"] == ldn.decode()
    assert values["firmware_version"] == "1.0.0"


async def gas_conversion(asked: Asked) -> None:
    await asked("6.6", calorific_value="3950")
    assert asked.value("7-0:54.0.0.255", 2) == 3950


async def billing_day(asked: Asked) -> None:
    await asked("6.8", day="17")
    (time,) = asked.value("0-0:15.0.0.255", 4)
    assert [part.value.hex() for part in time.value] == ["00000000", "ffffff11ff"]


async def clock(asked: Asked) -> None:
    moment = asked.clock.now() + dt.timedelta(hours=1)
    await asked("6.11", time=moment.isoformat())
    assert asked.meter.device.state.clock_offset == dt.timedelta(hours=1)


async def logs(asked: Asked) -> None:
    await clock(asked)  # which is an event of both
    for log in ("event", "security"):
        assert len((await asked("6.13", log=log))["entries"]) >= 1


def supply(number: str, first: str, reached: ControlState) -> Callable[[Asked], Any]:
    async def switch(asked: Asked) -> None:
        await asked(first)
        await asked(number)
        assert (await asked("7.4"))["connected"] is (reached is ControlState.CONNECTED)
        assert asked.value("0-0:96.3.10.255", 3) == reached

    return switch


async def status(asked: Asked) -> None:
    await asked("7.2")
    values = await asked("7.4")
    assert values["connected"] is False


async def firmware(asked: Asked) -> None:
    image = asked.image()
    image_hash = hashlib.sha256(image).hexdigest()

    async def sleep(seconds: float) -> None:
        asked.clock.advance(dt.timedelta(seconds=seconds))

    asked.requests._firmware.__self__.sleep = sleep
    assert (await asked("11.2"))["version"] == "1.0.0"
    other = await asked.answer("11.1", image + b"x", image_hash=image_hash)
    assert (other.result, other.reason) == (Result.REFUSED, "another-image")
    values = await asked("11.1", image, image_hash=image_hash)
    assert values["blocks_sent"] > 0
    await asked("11.3")
    assert (await asked("11.2"))["version"] == "2.0.0"


HOW: dict[str, Callable[[Asked], Any]] = {
    "1.1.1": tariff,
    "1.2.1": price,
    "1.5": balance,
    "1.6": payment_mode,
    "2.2": top_up,
    "2.3": debt,
    "2.5": emergency,
    "3.3": clear_log,
    "4.1.1": import_registers,
    "4.1.2": tou,
    "4.2": export,
    "4.3": prepay,
    "4.4.3": billing,
    "4.6.1": daily,
    "4.8.1": half_hours,
    "4.14": prepay_daily,
    "4.16": power,
    "6.2.4": identity,
    "6.6": gas_conversion,
    "6.8": billing_day,
    "6.11": clock,
    "6.13": logs,
    "7.1": supply("7.1", "7.2", ControlState.CONNECTED),
    "7.2": supply("7.2", "7.1", ControlState.DISCONNECTED),
    "7.3": supply("7.3", "7.2", ControlState.READY_FOR_RECONNECTION),
    "7.4": status,
    "11.1": firmware,
    "11.2": firmware,
    "11.3": firmware,
}
ABLE = [
    (name, number)
    for name in NAMES
    for number in dict.fromkeys(HOW)
    if number not in ("11.1", "11.2") and not why_not(variants()[number], load(name))
]


def test_every_variant_is_tried() -> None:
    numbers = {row.number for row in variants().values() if not row.order}
    assert set(HOW) == numbers
    tried = {number for _, number in ABLE} | {"11.1", "11.2"}
    assert tried == numbers
    assert len(ABLE) == 5 * 26 - 2 + 4 * 23  # no 4.2 at aclara and honeywell_elster


@pytest.mark.parametrize(("name", "number"), ABLE)
async def test_it_is_carried_out(
    name: str, number: str, head_end: Any, place: Any, clock: Any, fleet_secret: bytes
) -> None:
    await HOW[number](Asked(head_end, place, name, clock, fleet_secret))
