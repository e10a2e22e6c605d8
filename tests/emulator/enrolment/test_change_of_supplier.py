"""Change of supplier with the DCC: the smart service goes on, and nothing is done to the meter."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulator.enrolment.authorisation import device_id
from emulator.enrolment.inventory import NotResponsible
from emulator.enrolment.steps import EnrolmentError
from emulator.requests.refusal import RequestRefused

METER = "secure"


async def test_the_smart_service_goes_on(world: Any) -> None:
    async with world.up([METER]):
        meter, profile = world.meters[METER], world.profiles[METER]
        dcc, device = world.dcc(), device_id(meter.address.title)
        world.plan(dcc, METER)
        with pytest.raises(NotResponsible, match="Pending"):
            dcc.inventory.require(device, "brightco")
        with pytest.raises(EnrolmentError, match="not the DCC's to serve"):
            dcc.inventory.change_supplier(device, "newco")
        with pytest.raises(RequestRefused, match="Pending"):
            await dcc.head_end.top_up(meter.address, profile, Decimal(5))
        await world.enrol(dcc, METER)

        async def credit(supplier: str, pounds: str) -> Decimal:
            """A Service Request 2.2 of a supplier's."""
            head_end = world.dcc(user=supplier).head_end
            await head_end.top_up(meter.address, profile, Decimal(pounds))
            return (await head_end.status(meter.address, profile)).balance

        first = await credit("brightco", "5.00")
        with pytest.raises(RequestRefused, match="newco is not the responsible supplier"):
            await credit("newco", "5.00")
        before = meter.device.state.digest()
        dcc.inventory.change_supplier(device, "newco")
        assert meter.device.state.digest() == before
        with pytest.raises(RequestRefused, match="brightco is not the responsible supplier"):
            await credit("brightco", "5.00")
        assert await credit("newco", "7.00") == first + 7
        dcc.inventory.change_supplier(device, "newco")
        history = dcc.inventory.history(device)
        assert [row["supplier"] for row in history][-2:] == ["brightco", "newco"]
        assert history[-1]["why"] == "change of supplier, from brightco"
        # A commissioned device is not notified again.
        dcc.inventory.notify(device, METER, profile, "0", "other")
        assert dcc.inventory.get(device).supplier == "newco"


def test_what_is_not_in_the_inventory(world: Any) -> None:
    with pytest.raises(EnrolmentError, match="not in the Smart Metering Inventory"):
        world.dcc().inventory.require("00", "brightco")
